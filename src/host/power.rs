//! Where the power comes from, and whether heat slows the CPUs down.

use std::fs;
use std::path::Path;

/// Where the power comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PowerState {
    /// The mains.
    Mains,
    /// A battery that is being emptied, and its charge in percent where it is known.
    Battery(Option<u8>),
}

/// Reads the power source; `None` where the machine has no battery or does not tell.
pub fn power() -> Option<PowerState> {
    power_below(Path::new("/sys/class/power_supply"))
}

/// Returns how often heat slowed a CPU down since boot, summed over all; two readings tell whether it happened between.
pub fn throttle_events() -> Option<u64> {
    throttle_events_below(Path::new("/sys/devices/system/cpu"))
}

/// Reads `sysfs-class-power`: a discharging system battery decides, batteries of mice and the like do not count.
fn power_below(root: &Path) -> Option<PowerState> {
    let mut found = None;
    for supply in fs::read_dir(root).ok()?.filter_map(Result::ok).map(|entry| entry.path()) {
        let read = |name| fs::read_to_string(supply.join(name)).map(|text| text.trim().to_owned()).unwrap_or_default();
        let is_system_battery = read("type") == "Battery" && read("scope") != "Device";
        if is_system_battery && read("status") == "Discharging" {
            return Some(PowerState::Battery(read("capacity").parse().ok()));
        }
        if is_system_battery || (read("type") == "Mains" && read("online") == "1") {
            found = Some(PowerState::Mains);
        }
    }
    found
}

fn throttle_events_below(root: &Path) -> Option<u64> {
    let cpus = fs::read_dir(root).ok()?.filter_map(Result::ok);
    let counts =
        cpus.filter_map(|cpu| fs::read_to_string(cpu.path().join("thermal_throttle/core_throttle_count")).ok());
    counts.filter_map(|text| text.trim().parse::<u64>().ok()).reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(root: &Path, name: &str, files: &[(&str, &str)]) {
        fs::create_dir_all(root.join(name)).unwrap();
        for (file, text) in files {
            fs::write(root.join(name).join(file), format!("{text}\n")).unwrap();
        }
    }

    #[test]
    fn a_discharging_battery_is_told_with_its_charge() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(power_below(dir.path()), None);
        supply(dir.path(), "AC", &[("type", "Mains"), ("online", "0")]);
        supply(dir.path(), "mouse", &[("type", "Battery"), ("scope", "Device"), ("status", "Discharging")]);
        assert_eq!(power_below(dir.path()), None);
        supply(dir.path(), "BAT0", &[("type", "Battery"), ("status", "Discharging"), ("capacity", "47")]);
        assert_eq!(power_below(dir.path()), Some(PowerState::Battery(Some(47))));
        supply(dir.path(), "BAT0", &[("status", "Charging")]);
        assert_eq!(power_below(dir.path()), Some(PowerState::Mains));
    }

    #[test]
    fn throttling_is_summed_over_the_cpus_that_count_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(throttle_events_below(dir.path()), None);
        supply(dir.path(), "cpu0/thermal_throttle", &[("core_throttle_count", "3")]);
        supply(dir.path(), "cpu1/thermal_throttle", &[("core_throttle_count", "4")]);
        supply(dir.path(), "cpuidle", &[]);
        assert_eq!(throttle_events_below(dir.path()), Some(7));
    }
}
