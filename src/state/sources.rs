//! What the fold keeps of a source that can be unavailable: how long it has been, and when it is asked again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{ProposalFailed, StopRule};

/// Failures, or refused proposals, in a row from which on a source counts as unavailable.
pub const PATIENCE: u32 = 5;

/// How a source fares.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceState {
    /// Since when it is unavailable; `None` while it is not.
    pub since: Option<Timestamp>,
    /// Waits since then.
    pub waits: u32,
    /// When it is asked again, where it waits.
    pub until: Option<Timestamp>,
    /// Calls in a row that failed, and when the last one did.
    pub failures: u32,
    /// When the last call failed, where it was the last to end.
    pub failed_at: Option<Timestamp>,
    /// Proposals in a row that the screen refused.
    pub refused: u32,
    /// Why its last answer was handed back, where it has not answered that yet.
    pub handed_back: Option<String>,
    /// Whether it was waited for since its last proposal.
    waited: bool,
}

impl SourceState {
    /// Says whether so many proposals in a row were refused that it must be waited for first.
    pub fn is_barren(&self) -> bool {
        self.refused >= PATIENCE && !self.waited
    }

    pub(super) fn wait(&mut self, at: Timestamp, until: Timestamp) {
        self.since.get_or_insert(at);
        self.waits += 1;
        self.until = Some(until);
        self.waited = true;
    }

    pub(super) fn fail(&mut self, at: Timestamp, failed: &ProposalFailed) {
        if failed.stopped {
            return;
        }
        if failed.handed_back {
            self.answered();
            self.handed_back = Some(failed.why.clone());
            return;
        }
        self.failures += 1;
        self.failed_at = Some(at);
    }

    pub(super) fn propose(&mut self) {
        self.answered();
        self.handed_back = None;
        self.waited = false;
    }

    /// Notes that it answered a call, so that it is available, unless all that it says is refused.
    fn answered(&mut self) {
        self.failures = 0;
        self.failed_at = None;
        self.until = None;
        if self.refused < PATIENCE {
            self.since = None;
            self.waits = 0;
        }
    }

    pub(super) fn settle(&mut self, iteration: bool) {
        if iteration {
            self.refused = 0;
            self.since = None;
            self.waits = 0;
        } else {
            self.refused += 1;
        }
    }

    /// Begins anew with being patient at a planned end; what it waits for stays, unless it was given up.
    pub(super) fn stop(&mut self, rule: StopRule) {
        self.since = None;
        self.waits = 0;
        self.failures = 0;
        self.failed_at = None;
        if rule == StopRule::AgentUnavailable {
            self.until = None;
            self.refused = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn failed(handed_back: bool, stopped: bool) -> ProposalFailed {
        ProposalFailed { source: "a".into(), why: "why".into(), handed_back, stopped, call: None }
    }

    #[test]
    fn an_answer_ends_what_was_waited_for() {
        let mut source = SourceState::default();
        source.wait(at(10), at(70));
        source.wait(at(70), at(190));
        assert_eq!((source.since, source.waits, source.until), (Some(at(10)), 2, Some(at(190))));
        source.fail(at(200), &failed(true, false));
        assert_eq!((source.since, source.waits, source.until), (None, 0, None));
        assert_eq!(source.handed_back.as_deref(), Some("why"));
        source.fail(at(210), &failed(false, false));
        assert_eq!((source.failures, source.handed_back.is_some()), (1, true), "the reason is not lost by a failure");
        source.fail(at(220), &failed(false, true));
        assert_eq!(source.failures, 1, "a stop is no failure");
        source.propose();
        assert_eq!(source, SourceState::default());
    }

    #[test]
    fn refusals_in_a_row_make_a_source_barren_until_it_was_waited_for() {
        let mut source = SourceState::default();
        for _ in 0..PATIENCE {
            assert!(!source.is_barren());
            source.propose();
            source.settle(false);
        }
        assert!(source.is_barren());
        source.wait(at(10), at(70));
        assert!(!source.is_barren());
        source.propose();
        assert_eq!(source.since, Some(at(10)), "another answer of the same kind is no end of it");
        source.settle(false);
        assert!(source.is_barren());
        source.settle(true);
        assert_eq!((source.refused, source.since, source.is_barren()), (0, None, false));
    }

    #[test]
    fn a_planned_end_keeps_the_moment_and_forgets_how_long_it_took() {
        let mut source = SourceState::default();
        source.wait(at(10), at(70));
        source.stop(StopRule::Requested);
        assert_eq!((source.since, source.until), (None, Some(at(70))));
        source.stop(StopRule::AgentUnavailable);
        assert_eq!(source.until, None);
    }
}
