//! The facts of one experiment as they come in, live or read back from the journal.

use crate::domain::{
    CandidateRun, Decided, Event, ExperimentId, Pair, PhaseEnded, Proposed, Screened, Screening, Status,
};

/// Everything the journal says about one experiment, in order; one fold serves the live loop, recovery and `show`.
#[derive(Debug, Clone, Default)]
pub struct ExperimentFacts {
    /// The experiment's number.
    pub id: Option<ExperimentId>,
    /// The proposal.
    pub proposed: Option<Proposed>,
    /// The screen's outcome.
    pub screened: Option<Screened>,
    /// Phases that ended, in order.
    pub phases: Vec<PhaseEnded>,
    /// Every attempt at a pair, void ones included, in order.
    pub attempts: Vec<CandidateRun>,
    /// The verdict.
    pub decided: Option<Decided>,
}

impl ExperimentFacts {
    /// Begins the record of one experiment.
    pub fn new(id: ExperimentId) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    /// Takes in one event of this experiment.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Proposed(proposed) => self.proposed = Some((**proposed).clone()),
            Event::Screened(screened) => self.screened = Some((**screened).clone()),
            Event::PhaseEnded(phase) => self.phases.push((**phase).clone()),
            Event::Pair(attempt) => self.attempts.push((**attempt).clone()),
            Event::Decided(decided) => self.decided = Some((**decided).clone()),
            // Another segment measures another way: what was measured before is no evidence there.
            Event::Configured(_) => self.attempts.clear(),
            Event::Calibrated(_)
            | Event::PhaseStarted(_)
            | Event::Run(_)
            | Event::Undone(_)
            | Event::Resumed(_)
            | Event::Recovered(_)
            | Event::IdeaEdited(_)
            | Event::SandboxApplied(_)
            | Event::Note(_)
            | Event::Stopped(_) => {}
        }
    }

    /// Says whether an event is the settling line of this experiment as a keep that moved the branch.
    pub(super) fn moved_branch(&self, event: &Event) -> bool {
        let Event::Run(run) = event else { return false };
        let moves = self.decided.as_ref().is_some_and(|decided| decided.moves_branch);
        moves && run.status == Status::Keep && self.id.is_some_and(|id| id.0 == run.run)
    }

    /// Drops what was measured: against another tip it is no evidence.
    pub(super) fn forget_attempts(&mut self) {
        self.attempts.clear();
    }

    /// Returns the complete pairs of the race, by number.
    pub fn pairs(&self) -> Vec<Pair> {
        self.complete(false)
    }

    /// Returns the complete pairs that confirm a win with the slots swapped, by number.
    pub(super) fn swapped_pairs(&self) -> Vec<Pair> {
        self.complete(true)
    }

    fn complete(&self, swapped: bool) -> Vec<Pair> {
        let attempts = self.attempts.iter().filter(|attempt| attempt.swapped == swapped);
        attempts.filter_map(CandidateRun::complete).collect()
    }

    /// Says whether the screen let it through to the build.
    pub fn reached_build(&self) -> bool {
        self.screened.as_ref().is_some_and(|s| matches!(s.outcome, Screening::Accepted { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Order, Reading};

    #[test]
    fn void_attempts_are_kept_but_are_no_pairs() {
        let mut facts = ExperimentFacts::new(ExperimentId(1));
        let attempt = |pair, baseline: Option<Reading>| {
            Event::Pair(Box::new(CandidateRun {
                pair,
                order: Order::BaselineFirst,
                baseline,
                candidate: Some(Reading::default()),
                void: None,
                load: None,
                host: None,
                swapped: false,
                estimate: None,
                ln_e: None,
            }))
        };
        facts.apply(&attempt(1, None));
        facts.apply(&attempt(1, Some(Reading::default())));
        assert_eq!(facts.attempts.len(), 2);
        assert_eq!(facts.pairs().len(), 1);
    }
}
