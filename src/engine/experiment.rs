//! The facts of one experiment as they come in, live or read back from the journal.

use crate::domain::{
    CandidateRun, Decided, Event, ExperimentId, Goal, Pair, PhaseEnded, Proposed, Screened, Screening, Status,
};

use super::carry::Carried;

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
    /// What it goes on from, as long as that counts.
    pub(super) carried: Option<Box<Carried>>,
    /// Whether what it went on from counts no more.
    pub(super) evidence_lost: bool,
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
            // What was measured in another way, or on another base, is no evidence here.
            Event::Configured(configured) if !configured.measures_anew() => {}
            Event::Configured(_) | Event::Rebased(_) => self.forget_attempts(),
            Event::Calibrated(_)
            | Event::PhaseStarted(_)
            | Event::Run(_)
            | Event::Undone(_)
            | Event::Validated(_)
            | Event::Resumed(_)
            | Event::Recovered(_)
            | Event::IdeaEdited(_)
            | Event::SandboxApplied(_)
            | Event::Inventoried(_)
            | Event::Waiting(_)
            | Event::ProposalFailed(_)
            | Event::HookRan(_)
            | Event::Reviewed(_)
            | Event::Finalized(_)
            | Event::Imported(_)
            | Event::ImportedSegment(_)
            | Event::ImportedRun(_)
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
        self.carried = None;
        self.evidence_lost = true;
    }

    /// Returns the complete pairs of the race, by number, with those that it goes on from.
    pub fn pairs(&self) -> Vec<Pair> {
        let carried = self.carried.iter().flat_map(|carried| carried.pairs.iter().cloned());
        carried.chain(self.own_pairs()).collect()
    }

    /// Returns the complete pairs of the race that it measured itself.
    pub(super) fn own_pairs(&self) -> Vec<Pair> {
        self.complete(false)
    }

    /// Returns the complete pairs that confirm a win with the slots swapped, by number.
    pub(super) fn swapped_pairs(&self) -> Vec<Pair> {
        self.complete(true)
    }

    /// Returns the complete pairs of the holdout, by number.
    pub(super) fn holdout_pairs(&self) -> Vec<Pair> {
        self.attempts.iter().filter(|attempt| attempt.holdout).filter_map(CandidateRun::complete).collect()
    }

    fn complete(&self, swapped: bool) -> Vec<Pair> {
        let attempts = self.attempts.iter().filter(|attempt| attempt.swapped == swapped && !attempt.holdout);
        attempts.filter_map(CandidateRun::complete).collect()
    }

    /// Says whether it goes on with the evidence, and at the alpha, of an earlier experiment.
    pub(super) fn resumes(&self) -> bool {
        self.proposed.as_ref().is_some_and(|proposed| proposed.resumes.is_some())
    }

    /// Says whether its goal is to make the code simpler, and it removes more lines than it adds.
    pub(super) fn simplifies(&self) -> bool {
        let goal = self.proposed.as_ref().is_some_and(|proposed| proposed.goal == Goal::Simplify);
        goal && self.screened.as_ref().and_then(|screened| screened.lines_removed).is_some_and(|lines| lines > 0)
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
                holdout: false,
                estimate: None,
                ln_e: None,
            }))
        };
        facts.apply(&attempt(1, None));
        facts.apply(&attempt(1, Some(Reading::default())));
        assert_eq!(facts.attempts.len(), 2);
        assert_eq!(facts.pairs().len(), 1);
        let mut held = facts.attempts[1].clone();
        held.holdout = true;
        facts.apply(&Event::Pair(Box::new(held)));
        assert_eq!((facts.pairs().len(), facts.swapped_pairs().len(), facts.holdout_pairs().len()), (1, 0, 1));
    }
}
