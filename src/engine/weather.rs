//! How busy the machine is beside what it was at calibration, and the wait before a pair until it is as quiet.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::domain::{CandidateRun, Event, ExperimentId, Note};
use crate::host::{self, Bustle, Calm, Snapshot, Wait};

use super::EngineError;
use super::recorder::Durability;
use super::session::{Purpose, Session};

/// What a session knows of its machine; a fold over the pairs of calibrations, and the last look.
#[derive(Debug, Clone, Default)]
pub(super) struct Weather {
    calm: Calm,
    looked: Option<Snapshot>,
}

impl Weather {
    /// Takes in one event while a journal is read back.
    pub(super) fn apply(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        if let (Some(ExperimentId::BASELINE), Event::Pair(attempt)) = (experiment, event) {
            self.learn(attempt);
        }
    }

    /// Takes in a pair of a calibration; the first pair begins anew. The holdout's say nothing more.
    pub(super) fn learn(&mut self, attempt: &CandidateRun) {
        if attempt.holdout {
            return;
        }
        if attempt.pair == 1 {
            self.calm = Calm::default();
        }
        if let Some(host) = attempt.host.as_ref().filter(|_| attempt.void.is_none()) {
            self.calm.learn(host);
        }
    }

    /// Remembers the look before a pair: what the hypervisor takes is told by two.
    pub(super) fn looked(&mut self, look: Snapshot) {
        self.looked = Some(look);
    }
}

impl Session<'_, '_> {
    /// Waits, at most as long as configured, while the machine is clearly busier than at calibration, and tells it.
    pub(super) fn wait_for_quiet(&mut self) -> Result<(), EngineError> {
        if self.purpose == Purpose::Rehearsal {
            return Ok(());
        }
        let patience = Duration::from_secs_f64(self.settings.host.max_wait_s);
        let mut looked = self.weather.looked;
        let look = || {
            let now = Snapshot::take();
            let bustle = Bustle::of(&now, looked.as_ref());
            looked = Some(now);
            bustle
        };
        let pause = |time| {
            std::thread::sleep(time);
            if self.pause_point().is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let Some(wait) = host::wait_until_quiet(&self.weather.calm, patience, look, pause) else { return Ok(()) };
        let text = told(&wait);
        self.recorder.session(Event::Note(Note { text }), Durability::Written)?;
        if let Some(bustle) = wait.in_vain {
            self.weather.calm.accept(bustle);
        }
        self.pause_point()
    }
}

fn told(wait: &Wait) -> String {
    let seconds = wait.time.as_secs_f64();
    let end = match wait.in_vain {
        Some(_) => "it still was, so the session went on and takes this for its normal state",
        None => "then went on",
    };
    format!("waited {seconds:.0} s because the machine was busier than at calibration ({}); {end}", wait.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{HostReading, Order, Reading};

    fn pair(number: u32, pressure: f64) -> CandidateRun {
        CandidateRun {
            pair: number,
            order: Order::BaselineFirst,
            baseline: Some(Reading::default()),
            candidate: Some(Reading::default()),
            void: None,
            load: None,
            host: Some(HostReading { pressure: Some(pressure), ..HostReading::default() }),
            swapped: false,
            holdout: false,
            estimate: None,
            ln_e: None,
        }
    }

    fn is_busy(weather: &Weather, pressure: f64) -> bool {
        weather.calm.busier(Bustle { pressure: Some(pressure), ..Bustle::default() }).is_some()
    }

    #[test]
    fn only_the_pairs_of_the_last_calibration_say_what_is_calm() {
        let mut weather = Weather::default();
        let mut apply = |experiment, pair| {
            weather.apply(Some(ExperimentId(experiment)), &Event::Pair(Box::new(pair)));
            weather.clone()
        };
        apply(0, pair(1, 60.0));
        assert!(!is_busy(&apply(0, pair(2, 5.0)), 70.0));
        assert!(is_busy(&apply(0, pair(1, 5.0)), 70.0), "a new calibration");
        assert!(is_busy(&apply(3, pair(2, 90.0)), 70.0), "a candidate's pair");
    }

    #[test]
    fn a_wait_is_told_with_its_time_its_reason_and_its_end() {
        let why = "tasks wait for a CPU 80 % of the time, 3 % at calibration".to_owned();
        let wait = Wait { time: Duration::from_secs(12), why, in_vain: None };
        assert_eq!(
            told(&wait),
            "waited 12 s because the machine was busier than at calibration (tasks wait for a CPU 80 % of the time, \
             3 % at calibration); then went on"
        );
        assert!(told(&Wait { in_vain: Some(Bustle::default()), ..wait }).ends_with("takes this for its normal state"));
    }
}
