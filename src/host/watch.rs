//! Looks at the machine before, between and after the runs of one pair.

use std::time::{Duration, Instant};

use super::heat::{celsius, frequency_mhz};
use super::load::{CpuTimes, Pressure, cpu_pressure, cpu_times, load_average};
use super::power::{PowerState, power, throttle_events};
use crate::domain::{Arm, HostReading};

/// Seconds of suspension that make a pair void; less is two clocks read one after the other.
const ASLEEP_S: f64 = 1.0;

/// Shortest run, in seconds, of which it can be said what others used: CPU time is counted in hundredths.
const TELLING_RUN_S: f64 = 0.25;

/// One look at the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// When, by a clock that stands still while the machine is suspended.
    pub at: Instant,
    /// Time that the machine was suspended since boot; `None` where the system does not tell.
    pub asleep: Option<Duration>,
    /// One-minute load average.
    pub load: Option<f64>,
    /// CPU pressure.
    pub pressure: Option<Pressure>,
    /// CPU times since boot.
    pub cpu: Option<CpuTimes>,
}

impl Snapshot {
    /// Looks at the machine.
    pub fn take() -> Self {
        Self {
            at: Instant::now(),
            asleep: asleep(),
            load: load_average().map(|load| load.one),
            pressure: cpu_pressure(),
            cpu: cpu_times(),
        }
    }

    /// Returns the seconds that the machine was suspended since an earlier look.
    fn asleep_since(&self, earlier: &Self) -> Option<f64> {
        Some(self.asleep?.saturating_sub(earlier.asleep?).as_secs_f64())
    }

    /// Returns the CPUs' worth of time that others than the measured program used since an earlier look, of which the
    /// program used `own` CPU seconds.
    fn others_since(&self, earlier: &Self, own: f64) -> Option<f64> {
        let seconds = self.at.duration_since(earlier.at).as_secs_f64();
        let busy = self.cpu?.busy_seconds_since(&earlier.cpu?)?;
        (seconds >= TELLING_RUN_S).then(|| ((busy - own) / seconds).max(0.0))
    }
}

/// Returns the time that the machine was suspended since boot: `CLOCK_BOOTTIME` less `CLOCK_MONOTONIC`.
#[cfg(target_os = "linux")]
fn asleep() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let duration = |clock| Duration::try_from(clock_gettime(clock)).ok();
    // The clock that runs on is read first, so that a pause between the two readings is not taken for sleep.
    let (boot, awake) = (duration(ClockId::Boottime)?, duration(ClockId::Monotonic)?);
    Some(boot.saturating_sub(awake))
}

/// Tells nothing: this system has no such pair of clocks.
#[cfg(not(target_os = "linux"))]
fn asleep() -> Option<Duration> {
    None
}

/// The watch over one pair; `look` is [`Snapshot::take`] but for tests.
#[derive(Debug)]
pub struct PairWatch<L = fn() -> Snapshot> {
    look: L,
    first: Snapshot,
    last: Snapshot,
    throttled: Option<u64>,
    baseline: Option<f64>,
    candidate: Option<f64>,
    suspended: Option<(Arm, f64)>,
}

impl PairWatch {
    /// Begins the watch, just before the first run.
    pub fn begin() -> Self {
        Self::by(Snapshot::take)
    }
}

impl<L: FnMut() -> Snapshot> PairWatch<L> {
    /// Begins the watch with looks of the caller's.
    pub fn by(mut look: L) -> Self {
        let first = look();
        let throttled = throttle_events();
        Self { look, first, last: first, throttled, baseline: None, candidate: None, suspended: None }
    }

    /// Returns the look before the pair.
    pub fn first(&self) -> Snapshot {
        self.first
    }

    /// Takes in that an arm ran since the last look and used so many CPU seconds, where it is known.
    pub fn ran(&mut self, arm: Arm, own: Option<f64>) {
        let now = (self.look)();
        let others = own.and_then(|own| now.others_since(&self.last, own));
        match arm {
            Arm::Baseline => self.baseline = others,
            Arm::Candidate => self.candidate = others,
        }
        let asleep = now.asleep_since(&self.last).filter(|seconds| *seconds > ASLEEP_S);
        self.suspended = self.suspended.or(asleep.map(|seconds| (arm, seconds)));
        self.last = now;
    }

    /// Returns the arm during which the machine was suspended, and for how many seconds.
    pub fn suspended(&self) -> Option<(Arm, f64)> {
        self.suspended
    }

    /// Returns what the machine was like.
    pub fn reading(&self) -> HostReading {
        let steal = || self.last.cpu?.steal_since(&self.first.cpu?);
        let throttled = || Some(throttle_events()?.saturating_sub(self.throttled?));
        HostReading {
            load: self.first.load,
            pressure: self.first.pressure.map(|pressure| pressure.avg10),
            steal: steal().map(|share| rounded(share, 1e4)),
            others: self.baseline.zip(self.candidate).map(|(b, c)| (rounded(b, 1e3), rounded(c, 1e3))),
            mhz: frequency_mhz().map(f64::round),
            celsius: celsius().map(|celsius| rounded(celsius, 10.0)),
            throttled: throttled(),
            battery: power().map(|state| matches!(state, PowerState::Battery(_))),
            asleep: self.suspended.map(|(_, seconds)| rounded(seconds, 10.0)),
        }
    }
}

/// Cuts a number to what it can tell, so that the journal stays small.
fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look so many milliseconds after the first, with the machine suspended and its CPUs busy for so long so far.
    fn look(start: Instant, after_ms: u64, asleep_s: u64, busy_ticks: u64) -> Snapshot {
        let total = 10_000 + after_ms / 10 * 2;
        Snapshot {
            at: start + Duration::from_millis(after_ms),
            asleep: Some(Duration::from_secs(asleep_s)),
            load: Some(0.5),
            pressure: Some(Pressure { avg10: 3.0, avg60: 2.0, total_us: after_ms }),
            cpu: Some(CpuTimes { total, idle: total - busy_ticks, steal: 0 }),
        }
    }

    fn watch<const N: usize>(looks: [Snapshot; N]) -> PairWatch<impl FnMut() -> Snapshot> {
        let mut looks = looks.into_iter();
        PairWatch::by(move || looks.next().unwrap())
    }

    #[test]
    fn what_others_used_is_what_the_program_did_not() {
        let start = Instant::now();
        let mut watch = watch([look(start, 0, 0, 0), look(start, 1000, 0, 110), look(start, 2000, 0, 300)]);
        watch.ran(Arm::Candidate, Some(1.0));
        watch.ran(Arm::Baseline, Some(0.9));
        let reading = watch.reading();
        assert_eq!((reading.load, reading.pressure, reading.steal), (Some(0.5), Some(3.0), Some(0.0)));
        assert_eq!(reading.others, Some((1.0, 0.1)));
        assert_eq!(reading.disturbed(), Some(Arm::Baseline));
        assert_eq!((reading.asleep, watch.suspended()), (None, None));
    }

    #[test]
    fn a_run_of_milliseconds_says_nothing_about_others() {
        let start = Instant::now();
        let mut watch = watch([look(start, 0, 0, 0), look(start, 20, 0, 2), look(start, 40, 0, 9)]);
        watch.ran(Arm::Baseline, Some(0.01));
        watch.ran(Arm::Candidate, Some(0.01));
        assert_eq!(watch.reading().others, None);
    }

    #[test]
    fn a_suspension_is_found_by_the_clocks_with_the_arm_that_it_hit() {
        let start = Instant::now();
        let mut watch = watch([look(start, 0, 7, 0), look(start, 500, 7, 50), look(start, 900, 3607, 90)]);
        watch.ran(Arm::Baseline, Some(0.5));
        assert_eq!(watch.suspended(), None);
        watch.ran(Arm::Candidate, Some(0.4));
        assert_eq!(watch.suspended(), Some((Arm::Candidate, 3600.0)));
        assert_eq!(watch.reading().asleep, Some(3600.0));
    }

    #[test]
    fn this_machine_can_be_looked_at_and_is_awake() {
        let mut watch = PairWatch::begin();
        watch.ran(Arm::Baseline, None);
        watch.ran(Arm::Candidate, None);
        assert_eq!(watch.suspended(), None);
        if cfg!(target_os = "linux") {
            assert!(watch.reading().load.is_some());
        }
    }
}
