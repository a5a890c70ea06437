//! Whether an earlier calibration serves: it was made as things are measured now, on this machine, and not long ago.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Calibrated, ExperimentId};

use super::session::Session;

/// Hours after which a calibration is made anew at the next start: a night and the day after it.
const FRESH_HOURS: i64 = 24;

/// What is asked of a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Pairs, where other than `decision.calibrationPairs`; an earlier calibration of fewer does not serve.
    pub pairs: Option<u32>,
    /// Whether none that was made before serves.
    pub fresh: bool,
}

/// Why no earlier calibration serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unserved {
    /// There is none.
    Never,
    /// Things are measured in another way since, for this reason.
    Changed(String),
    /// The machine is another one.
    Machine,
    /// The session ended between it and the baseline's own line.
    Unrecorded,
    /// It is so many hours old.
    Old(i64),
    /// It has fewer pairs than are wanted.
    Fewer {
        /// Its pairs.
        made: u32,
        /// Those wanted.
        wanted: u32,
    },
    /// A new one is wanted.
    Unwanted,
}

impl Unserved {
    /// Says why, in one line; `None` where nobody wonders.
    pub(super) fn told(&self) -> Option<String> {
        let why = match self {
            Self::Never | Self::Unwanted => return None,
            Self::Changed(why) => why.clone(),
            Self::Machine => "the machine changed".to_owned(),
            Self::Unrecorded => "the last calibration was interrupted before its end".to_owned(),
            Self::Old(hours) => {
                format!("the last calibration is {hours} hours old, and one serves for {FRESH_HOURS}")
            }
            Self::Fewer { made, wanted } => format!("the last calibration has {made} pairs, and {wanted} are wanted"),
        };
        Some(format!("calibrating again: {why}"))
    }
}

impl Session<'_, '_> {
    /// Returns the last calibration, or why it does not serve.
    pub(super) fn calibration(&self) -> Result<Calibrated, Unserved> {
        let state = self.recorder.state();
        let (Some(configured), Some(calibrated)) = (state.configured(), state.calibrated()) else {
            return Err(Unserved::Never);
        };
        let made_in = state.calibrated_segment().filter(|segment| *segment >= state.measured_since());
        let Some(made_in) = made_in else { return Err(Unserved::Changed(state.measured_why().to_owned())) };
        if configured.environment != crate::host::fingerprint() {
            return Err(Unserved::Machine);
        }
        let mut lines = state.experiments().iter().filter(|record| record.id == ExperimentId::BASELINE);
        if !lines.any(|line| line.segment >= made_in) {
            return Err(Unserved::Unrecorded);
        }
        match state.calibrated_at().map(|at| age(at, Timestamp::now())) {
            Some(age) if age < SignedDuration::from_hours(FRESH_HOURS) => Ok(calibrated.clone()),
            Some(age) => Err(Unserved::Old(age.as_hours())),
            None => Err(Unserved::Never),
        }
    }

    /// Returns the last calibration where it serves.
    pub(super) fn serving_calibration(&self) -> Option<Calibrated> {
        self.calibration().ok()
    }
}

impl Wanted {
    /// Returns a calibration that serves, or why it does not, as far as more is wanted of it.
    pub(super) fn accept(self, made: Result<Calibrated, Unserved>) -> Result<Calibrated, Unserved> {
        let made = made?;
        match self.pairs {
            _ if self.fresh => Err(Unserved::Unwanted),
            Some(wanted) if made.pairs < wanted => Err(Unserved::Fewer { made: made.pairs, wanted }),
            Some(_) | None => Ok(made),
        }
    }
}

/// Returns the age of a calibration; a clock that was set back makes none old.
fn age(at: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibration_serves_for_a_day() {
        let at: Timestamp = "2026-05-01T22:00:00Z".parse().unwrap();
        let after = |hours| age(at, at + SignedDuration::from_hours(hours)) < SignedDuration::from_hours(FRESH_HOURS);
        assert!(after(0) && after(23) && after(-1));
        assert!(!after(24) && !after(100));
    }

    #[test]
    fn what_was_made_before_serves_unless_more_is_wanted() {
        let made = crate::journal::sample::calibrated();
        let accept = |pairs, fresh| Wanted { pairs, fresh }.accept(Ok(made.clone()));
        assert!(accept(None, false).is_ok() && accept(Some(10), false).is_ok());
        assert_eq!(accept(Some(11), false), Err(Unserved::Fewer { made: 10, wanted: 11 }));
        assert_eq!(accept(None, true), Err(Unserved::Unwanted));
        assert_eq!(Wanted::default().accept(Err(Unserved::Old(30))), Err(Unserved::Old(30)));
    }

    #[test]
    fn a_calibration_that_is_made_again_says_why() {
        let told = |why: Unserved| why.told().unwrap_or_default();
        assert_eq!(told(Unserved::Never), "");
        assert_eq!(told(Unserved::Changed("rebased onto main".into())), "calibrating again: rebased onto main");
        assert_eq!(
            told(Unserved::Old(31)),
            "calibrating again: the last calibration is 31 hours old, and one serves for 24"
        );
    }
}
