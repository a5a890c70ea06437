//! Checks of this machine: disk, power, load, CPUs, and what of the sandbox works here.

use std::path::Path;

use crate::domain::Settings;
use crate::engine::places::Places;
use crate::host::{self, PowerState};
use crate::process::{self, SupervisorProgram};

use super::finding::{Finding, Group, Report};

/// Share of the CPUs that may be busy before a measurement is called disturbed.
const BUSY: f64 = 0.5;

/// Checks the machine.
pub fn examine_machine(settings: &Settings, places: &Places, supervisor: &SupervisorProgram, report: &mut dyn Report) {
    report.found(disk(settings, places.cache()));
    report.found(power(host::power()));
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    report.found(load(host::load_average().map(|load| load.one), cpus));
    report.found(sandbox(supervisor));
}

fn disk(settings: &Settings, cache: &Path) -> Finding {
    let check = (Group::Machine, "disk");
    let existing = cache.ancestors().find(|folder| folder.exists()).unwrap_or(cache);
    let wanted = settings.limits.disk_free_bytes;
    let Some(free) = host::free_bytes(existing) else {
        return Finding::warning(check, format!("the free space of {} is not known", existing.display()));
    };
    let detail = format!("{} are free for the slots in {}", size(free), existing.display());
    let limit = format!("a session stops below {} (limits.diskFreeBytes)", size(wanted));
    let found = if free < wanted {
        Finding::failure(check, format!("{detail}; {limit}"))
            .cure("make room, or put the slots on another disk with 'slots.dir'")
    } else if free / 2 < wanted {
        Finding::warning(check, format!("{detail}; {limit}")).cure("make room before a long session")
    } else {
        Finding::ok(check, detail)
    };
    found.fact("free_bytes", free)
}

fn size(bytes: u64) -> String {
    let gib = bytes as f64 / f64::from(1u32 << 30);
    if gib < 1.0 { format!("{:.0} MiB", gib * 1024.0) } else { format!("{gib:.1} GiB") }
}

fn power(state: Option<PowerState>) -> Finding {
    let check = (Group::Machine, "power");
    match state {
        Some(PowerState::Battery(charge)) => {
            let charge = charge.map_or_else(String::new, |percent| format!(", {percent} % left"));
            Finding::warning(check, format!("the machine runs on battery{charge}"))
                .cure("plug it in: speed changes with the charge")
        }
        Some(PowerState::Mains) => Finding::ok(check, "on mains"),
        None => Finding::ok(check, "no battery"),
    }
}

fn load(one: Option<f64>, cpus: usize) -> Finding {
    let check = (Group::Machine, "load");
    let Some(one) = one else {
        return Finding::ok(check, format!("{cpus} CPUs; the load is not known")).fact("cpus", cpus);
    };
    let detail = format!("load average {one:.1} on {cpus} CPUs");
    let found = if one > BUSY * cpus as f64 {
        Finding::warning(check, format!("{detail}: other work will disturb the measurement"))
            .cure("wait until it is done; more noise needs more pairs, it does not make keeps false")
    } else {
        Finding::ok(check, detail)
    };
    found.fact("load_average", one).fact("cpus", cpus)
}

fn sandbox(supervisor: &SupervisorProgram) -> Finding {
    let check = (Group::Machine, "sandbox");
    let found = match process::probe(supervisor) {
        Ok(found) => found,
        Err(error) => return Finding::warning(check, format!("what of a sandbox works here is not known: {error}")),
    };
    let list: Vec<String> = found.iter().map(|(name, state)| format!("{name} {state}")).collect();
    let missing = found.values().any(|state| state.starts_with("missing"));
    let mut finding = if missing {
        Finding::warning(check, format!("{}; what is missing is not enforced", list.join(", ")))
            .cure("'sandbox.require' refuses such a machine; without it, try only candidates that you trust")
    } else {
        Finding::ok(check, list.join(", "))
    };
    for (name, state) in found {
        finding = finding.fact(&name, state);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_battery_and_a_busy_machine_are_warned_of() {
        assert_eq!(power(Some(PowerState::Battery(Some(80)))).verdict, Verdict::Warning);
        assert_eq!(power(None).verdict, Verdict::Ok);
        assert_eq!(load(Some(1.5), 2).verdict, Verdict::Warning);
        assert_eq!(load(Some(0.5), 2).verdict, Verdict::Ok);
        assert_eq!(size(3 << 29), "1.5 GiB");
    }
}
