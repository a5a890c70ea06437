//! What machine this is, as far as it changes measurements.

use std::collections::BTreeMap;
use std::fs;

/// Describes the machine: `arch`, `cpus`, `kernel`, `os`, and where the system tells `cpu`, `governor`, `memory_bytes`,
/// `os_release` and `virtualization`. No names of hosts or users.
pub fn fingerprint() -> BTreeMap<String, String> {
    let read = |path| fs::read_to_string(path).ok();
    let uname = rustix::system::uname();
    let cpu_info = read("/proc/cpuinfo");
    let facts = [
        ("arch", Some(std::env::consts::ARCH.to_owned())),
        ("os", Some(std::env::consts::OS.to_owned())),
        ("kernel", Some(uname.release().to_string_lossy().into_owned())),
        ("cpus", std::thread::available_parallelism().ok().map(|n| n.to_string())),
        ("cpu", cpu_info.as_deref().and_then(cpu_model)),
        ("virtualization", cpu_info.as_deref().and_then(virtualization)),
        ("memory_bytes", read("/proc/meminfo").as_deref().and_then(memory_bytes).map(|bytes| bytes.to_string())),
        ("os_release", read("/etc/os-release").as_deref().and_then(os_name)),
        ("governor", read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").map(|t| t.trim().to_owned())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// Reads the model's name on x86, else what ARM tells of its parts.
fn cpu_model(cpu_info: &str) -> Option<String> {
    let arm =
        || Some(format!("implementer {} part {}", field(cpu_info, "CPU implementer")?, field(cpu_info, "CPU part")?));
    field(cpu_info, "model name").map(str::to_owned).or_else(arm)
}

fn virtualization(cpu_info: &str) -> Option<String> {
    let flags = field(cpu_info, "flags")?;
    flags.split_whitespace().any(|flag| flag == "hypervisor").then(|| "hypervisor".to_owned())
}

fn memory_bytes(mem_info: &str) -> Option<u64> {
    let kibibytes: u64 = field(mem_info, "MemTotal")?.strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn os_name(os_release: &str) -> Option<String> {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_the_machine_are_read_from_what_linux_tells() {
        let x86 = "processor\t: 0\nmodel name\t: Some CPU @ 3.00GHz\nflags\t\t: fpu hypervisor\n\nprocessor\t: 1\n";
        assert_eq!(cpu_model(x86).as_deref(), Some("Some CPU @ 3.00GHz"));
        assert_eq!(virtualization(x86).as_deref(), Some("hypervisor"));
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(cpu_model(arm).as_deref(), Some("implementer 0x41 part 0xd0c"));
        assert_eq!(virtualization(arm), None);
        assert_eq!(memory_bytes("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16_777_216));
        assert_eq!(os_name("NAME=\"X\"\nPRETTY_NAME=\"Some Linux 12\"\n").as_deref(), Some("Some Linux 12"));
    }

    #[test]
    fn every_machine_has_an_architecture_a_system_and_a_kernel() {
        let facts = fingerprint();
        assert!(["arch", "os", "kernel", "cpus"].iter().all(|name| facts.contains_key(*name)), "{facts:?}");
    }
}
