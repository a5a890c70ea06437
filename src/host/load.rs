//! How busy the machine is: load average, CPU pressure, time taken by the hypervisor.

use std::fs;

/// Mean number of runnable or disk-bound tasks (`getloadavg(3)`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadAverage {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

/// CPU pressure: time in which some task waited for a CPU (Linux `Documentation/accounting/psi.rst`, the line `some`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pressure {
    /// Share of the last ten seconds, in percent.
    pub avg10: f64,
    /// Share of the last minute, in percent.
    pub avg60: f64,
    /// Total since boot, in microseconds; two readings give the pressure of the time between.
    pub total_us: u64,
}

/// CPU time of the whole machine since boot, in clock ticks (`proc_stat(5)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTimes {
    /// All time of all CPUs.
    pub total: u64,
    /// Time in which they had nothing to do, waiting for disks included.
    pub idle: u64,
    /// Time in which the hypervisor ran something else.
    pub steal: u64,
}

impl CpuTimes {
    /// Returns the share of time that the hypervisor took between an earlier reading and this one, from 0 to 1;
    /// `None` when no time passed.
    pub fn steal_since(&self, earlier: &Self) -> Option<f64> {
        let total = self.total.checked_sub(earlier.total).filter(|total| *total > 0)?;
        Some(self.steal.saturating_sub(earlier.steal) as f64 / total as f64)
    }

    /// Returns the seconds of CPU time, summed over the CPUs, in which they were busy or the hypervisor ran something
    /// else since an earlier reading; `None` when no time passed.
    pub fn busy_seconds_since(&self, earlier: &Self) -> Option<f64> {
        let total = self.total.checked_sub(earlier.total).filter(|total| *total > 0)?;
        let busy = total.saturating_sub(self.idle.saturating_sub(earlier.idle));
        Some(busy as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Returns the share of time in which the CPUs were busy between an earlier reading and this one, from 0 to 1;
    /// `None` when no time passed.
    pub fn busy_since(&self, earlier: &Self) -> Option<f64> {
        let total = self.total.checked_sub(earlier.total).filter(|total| *total > 0)?;
        Some(1.0 - (self.idle.saturating_sub(earlier.idle) as f64 / total as f64).min(1.0))
    }
}

/// Reads the load average.
pub fn load_average() -> Option<LoadAverage> {
    parse_load(&fs::read_to_string("/proc/loadavg").ok()?)
}

/// Reads the CPU pressure.
pub fn cpu_pressure() -> Option<Pressure> {
    parse_pressure(&fs::read_to_string("/proc/pressure/cpu").ok()?)
}

/// Reads the CPU times.
pub fn cpu_times() -> Option<CpuTimes> {
    parse_cpu_times(&fs::read_to_string("/proc/stat").ok()?)
}

fn parse_load(text: &str) -> Option<LoadAverage> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut number = || numbers.next()?.ok();
    Some(LoadAverage { one: number()?, five: number()?, fifteen: number()? })
}

fn parse_pressure(text: &str) -> Option<Pressure> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let value = |name: &str| some.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    Some(Pressure {
        avg10: value("avg10")?.parse().ok()?,
        avg60: value("avg60")?.parse().ok()?,
        total_us: value("total")?.parse().ok()?,
    })
}

/// Parses the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. The two that follow,
/// guest and guest nice, are in user and nice already.
fn parse_cpu_times(text: &str) -> Option<CpuTimes> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let at = |index: usize| ticks.get(index).copied().unwrap_or(0);
    (ticks.len() >= 4).then(|| CpuTimes { total: ticks.iter().sum(), idle: at(3) + at(4), steal: at(7) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_average_is_read() {
        let load = parse_load("0.52 1.25 10.00 2/345 6789\n").unwrap();
        assert_eq!(load, LoadAverage { one: 0.52, five: 1.25, fifteen: 10.0 });
        assert_eq!(parse_load("0.52 x"), None);
    }

    #[test]
    fn the_pressure_of_some_tasks_is_read() {
        let text =
            "some avg10=1.50 avg60=0.25 avg300=0.10 total=123456\nfull avg10=9.00 avg60=9.00 avg300=9.00 total=9\n";
        assert_eq!(parse_pressure(text), Some(Pressure { avg10: 1.5, avg60: 0.25, total_us: 123_456 }));
        assert_eq!(parse_pressure("full avg10=0.00\n"), None);
    }

    #[test]
    fn the_share_of_the_hypervisor_is_a_difference_of_two_readings() {
        let first = parse_cpu_times("cpu  100 0 50 800 40 0 0 10 7 7\ncpu0 1 2 3 4\n").unwrap();
        assert_eq!(first, CpuTimes { total: 1000, idle: 840, steal: 10 });
        let later = parse_cpu_times("cpu  130 0 60 840 50 0 0 20 7 7\n").unwrap();
        assert_eq!(later.steal_since(&first), Some(0.1));
        assert_eq!(later.busy_since(&first), Some(0.5));
        assert_eq!(first.steal_since(&first), None);
    }

    #[test]
    fn an_old_kernel_without_steal_reads_as_none_taken() {
        assert_eq!(parse_cpu_times("cpu 1 2 3 4\n"), Some(CpuTimes { total: 10, idle: 4, steal: 0 }));
        assert_eq!(parse_cpu_times("cpu 1 2 x 4\n"), None);
        assert_eq!(parse_cpu_times("intr 5\n"), None);
    }
}
