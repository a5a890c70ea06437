//! Whether the machine is clearly busier than it was at calibration, and the wait until it is not.

use std::ops::ControlFlow;
use std::time::Duration;

use super::watch::Snapshot;
use crate::domain::HostReading;

/// CPU pressure above calibration, in percentage points, from which the machine is clearly busier.
///
/// The pressure of the last ten seconds holds what our own bench caused, at calibration as now; the margin is for its
/// wobble.
const PRESSURE_MARGIN: f64 = 20.0;

/// Share of the hypervisor above calibration from which it is.
const STEAL_MARGIN: f64 = 0.05;

/// Load average for each CPU above calibration from which it is, on kernels without pressure. A minute's mean that our
/// own bench raises by up to one for each CPU it uses, hence so wide.
const LOAD_MARGIN: f64 = 1.0;

/// Time between two looks while waiting.
const PAUSE: Duration = Duration::from_secs(1);

/// How busy a machine is; `None` is what the system does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bustle {
    /// CPU pressure of the last ten seconds, in percent.
    pub pressure: Option<f64>,
    /// Share that the hypervisor took, from 0 to 1.
    pub steal: Option<f64>,
    /// One-minute load average for each CPU.
    pub load: Option<f64>,
}

impl Bustle {
    /// Reads it off a look at the machine and, for the hypervisor's share, an earlier one.
    pub fn of(now: &Snapshot, earlier: Option<&Snapshot>) -> Self {
        let steal = || now.cpu?.steal_since(&earlier?.cpu?);
        Self {
            pressure: now.pressure.map(|pressure| pressure.avg10),
            steal: steal(),
            load: now.load.map(|load| load / cpus()),
        }
    }

    fn of_reading(reading: &HostReading) -> Self {
        Self { pressure: reading.pressure, steal: reading.steal, load: reading.load.map(|load| load / cpus()) }
    }
}

fn cpus() -> f64 {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64
}

/// The most that calibration saw of each, beyond which a machine is called busy.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calm(Bustle);

impl Calm {
    /// Takes in a pair of the calibration.
    pub fn learn(&mut self, reading: &HostReading) {
        self.accept(Bustle::of_reading(reading));
    }

    /// Takes what a wait in vain ended with for this machine's calm, so that the same is waited for once.
    pub fn accept(&mut self, bustle: Bustle) {
        let most = |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::max);
        self.0 = Bustle {
            pressure: most(self.0.pressure, bustle.pressure),
            steal: most(self.0.steal, bustle.steal),
            load: most(self.0.load, bustle.load),
        };
    }

    /// Says by what the machine is clearly busier than at calibration, if it is.
    ///
    /// Pressure decides where the kernel has it, the load average only where it has not; the hypervisor's share decides
    /// beside either. What calibration did not see is not compared.
    pub fn busier(&self, now: Bustle) -> Option<String> {
        let over =
            |now: Option<f64>, calm: Option<f64>, margin: f64| Some((now?, calm?)).filter(|(n, c)| n - c > margin);
        if let Some((now, calm)) = over(now.steal, self.0.steal, STEAL_MARGIN) {
            return Some(format!(
                "the hypervisor takes {:.0} % of the CPUs, {:.0} % at calibration",
                100.0 * now,
                100.0 * calm
            ));
        }
        if let Some((now, calm)) = over(now.pressure, self.0.pressure, PRESSURE_MARGIN) {
            return Some(format!("tasks wait for a CPU {now:.0} % of the time, {calm:.0} % at calibration"));
        }
        if now.pressure.is_some() && self.0.pressure.is_some() {
            return None;
        }
        let (now, calm) = over(now.load, self.0.load, LOAD_MARGIN)?;
        Some(format!("the load is {now:.1} for each CPU, {calm:.1} at calibration"))
    }
}

/// A wait for a quiet machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// How long.
    pub time: Duration,
    /// What it waited for.
    pub why: String,
    /// How busy the machine still was when patience ran out; `None` when it became quiet, or somebody ended the wait.
    pub in_vain: Option<Bustle>,
}

/// Waits while the machine is clearly busier than at calibration, at most for `patience`; `None` when it is quiet.
///
/// `pause` sleeps between two looks, and ends the wait by `Break`.
pub fn wait_until_quiet(
    calm: &Calm,
    patience: Duration,
    mut look: impl FnMut() -> Bustle,
    mut pause: impl FnMut(Duration) -> ControlFlow<()>,
) -> Option<Wait> {
    let why = calm.busier(look()).filter(|_| !patience.is_zero())?;
    let mut wait = Wait { time: Duration::ZERO, why, in_vain: None };
    while wait.time < patience {
        let step = PAUSE.min(patience.saturating_sub(wait.time));
        if pause(step).is_break() {
            return Some(wait);
        }
        wait.time += step;
        let now = look();
        if calm.busier(now).is_none() {
            return Some(Wait { in_vain: None, ..wait });
        }
        wait.in_vain = Some(now);
    }
    Some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressure(percent: f64) -> Bustle {
        Bustle { pressure: Some(percent), ..Bustle::default() }
    }

    fn calm(bustle: Bustle) -> Calm {
        let mut calm = Calm::default();
        calm.accept(bustle);
        calm
    }

    #[test]
    fn the_most_that_calibration_saw_is_calm() {
        let mut calm = Calm::default();
        for percent in [5.0, 12.0, 3.0] {
            calm.learn(&HostReading { pressure: Some(percent), ..HostReading::default() });
        }
        assert_eq!(calm.busier(pressure(31.0)), None);
        let why = calm.busier(pressure(33.0)).unwrap();
        assert_eq!(why, "tasks wait for a CPU 33 % of the time, 12 % at calibration");
    }

    #[test]
    fn the_load_average_decides_only_where_there_is_no_pressure() {
        let load = |load, pressure| Bustle { load: Some(load), pressure, steal: None };
        assert_eq!(calm(load(0.5, Some(1.0))).busier(load(9.0, Some(2.0))), None);
        assert_eq!(calm(load(0.5, None)).busier(load(1.4, None)), None, "our own bench may do that");
        assert!(calm(load(0.5, None)).busier(load(1.6, None)).is_some());
    }

    #[test]
    fn the_hypervisor_counts_beside_either() {
        let of = |steal| Bustle { steal: Some(steal), ..pressure(0.0) };
        assert_eq!(calm(of(0.01)).busier(of(0.05)), None);
        let why = calm(of(0.01)).busier(of(0.30)).unwrap();
        assert_eq!(why, "the hypervisor takes 30 % of the CPUs, 1 % at calibration");
    }

    #[test]
    fn nothing_is_busy_where_calibration_saw_nothing() {
        assert_eq!(Calm::default().busier(Bustle { pressure: Some(99.0), steal: Some(0.9), load: Some(50.0) }), None);
    }

    /// Waits with looks of these pressures, the last one for ever.
    fn wait(patience: u64, percents: &[f64]) -> Option<Wait> {
        let mut percents = percents.iter();
        let mut last = 0.0;
        let look = || {
            last = percents.next().copied().unwrap_or(last);
            pressure(last)
        };
        let pause = |_| ControlFlow::Continue(());
        wait_until_quiet(&calm(pressure(5.0)), Duration::from_secs(patience), look, pause)
    }

    #[test]
    fn a_wait_ends_when_the_machine_is_quiet_or_patience_runs_out() {
        assert_eq!(wait(60, &[5.0]), None);
        assert_eq!(wait(0, &[90.0]), None, "no patience, no wait");
        let quiet = wait(60, &[90.0, 80.0, 4.0]).unwrap();
        assert_eq!((quiet.time, quiet.in_vain), (Duration::from_secs(2), None));
        let vain = wait(3, &[90.0, 80.0]).unwrap();
        assert_eq!((vain.time, vain.in_vain), (Duration::from_secs(3), Some(pressure(80.0))));
    }

    #[test]
    fn what_was_waited_for_in_vain_is_not_waited_for_again() {
        let mut calm = calm(pressure(5.0));
        calm.accept(pressure(80.0));
        assert_eq!(calm.busier(pressure(90.0)), None);
        assert_eq!(calm.busier(pressure(4.0)), None);
    }

    #[test]
    fn somebody_who_asks_ends_the_wait() {
        let look = || pressure(90.0);
        let ended = wait_until_quiet(&calm(pressure(5.0)), Duration::from_mins(1), look, |_| ControlFlow::Break(()));
        assert_eq!(ended.unwrap().time, Duration::ZERO);
    }
}
