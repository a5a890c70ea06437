//! The dry run: every stage for the baseline, the screen for each candidate, and how long the queue will take.

use crate::domain::{
    Base, Calibrated, ObjectId, Observer, Phase, PhaseEnded, ProposalSource, Reason, Screened, Screening, Settings,
};

use super::EngineError;
use super::offer::Offer;
use super::opening::{ReadBack, base_commit, read_back, refuse_checked_out, refuse_taken_branch};
use super::pipeline::{Commit, Dropped};
use super::queue::PatchQueues;
use super::scratch::Scratch;
use super::session::{Candidates, Context, Purpose, Session};
use super::watch::{Untold, Watch};

/// Pairs that a candidate without an effect takes on average (statistics section 3).
const PAIRS_WITHOUT_EFFECT: f64 = 3.7;

/// Pairs that a typical win takes.
const PAIRS_OF_WIN: f64 = 10.0;

/// What a dry run found.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The commit that the session starts, or goes on, from.
    pub tip: ObjectId,
    /// The stages that the baseline went through, in order.
    pub stages: Vec<PhaseEnded>,
    /// What the pairs of the baseline against itself said.
    pub calibrated: Calibrated,
    /// What the screen says of each candidate on that commit.
    pub candidates: Vec<Candidate>,
    /// Candidates left out, because the session tried them already.
    pub tried: u32,
    /// How long candidates will take.
    pub estimate: Estimate,
}

/// What the screen says of one candidate.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its file.
    pub name: String,
    /// The screen's outcome.
    pub screened: Screened,
}

/// How long one candidate will take, in seconds. The build is taken as a full one, so this is rather too long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// One that has no effect.
    pub without_effect_s: f64,
    /// One that wins.
    pub win_s: f64,
}

impl Estimate {
    /// Adds up build, all checks, warm-up of both arms and the expected pairs.
    fn of(calibrated: &Calibrated, stages: &[PhaseEnded], warmup: u32) -> Self {
        let checks: f64 = stages.iter().filter(|stage| stage.phase == Phase::Check).map(|stage| stage.seconds).sum();
        let pair = 2.0 * calibrated.run_s;
        let fixed = calibrated.build_s + checks + f64::from(warmup) * pair;
        Self { without_effect_s: fixed + PAIRS_WITHOUT_EFFECT * pair, win_s: fixed + PAIRS_OF_WIN * pair }
    }
}

impl DryRun {
    /// Counts the candidates that the screen let through.
    pub fn accepted(&self) -> usize {
        let accepted = |c: &&Candidate| matches!(c.screened.outcome, Screening::Accepted { .. });
        self.candidates.iter().filter(accepted).count()
    }
}

/// Goes through a session's motions without one: no branch, no state, slots of its own, no candidate measured.
pub fn dry_run(context: &Context<'_>, observer: &mut dyn Observer) -> Result<DryRun, EngineError> {
    let past = past(context)?;
    let tip = tip(context, past.as_ref())?;
    let settings = Settings { base: Base::Revision(tip.to_string()), ..context.settings.clone() };
    let scratch = Scratch::beside(context.places, "dry-run")?;
    let places = scratch.places("state");
    let own = Context {
        settings: &settings,
        places: &places,
        user: context.user,
        supervisor: context.supervisor,
        interrupts: context.interrupts,
        inherited: context.inherited.clone(),
        purpose: Purpose::Rehearsal,
    };
    let mut watch = Watch::new(observer, Untold::Answers);
    let mut session = Session::open(&own, vec![&mut watch])?;
    session.ready()?;
    let calibrated = session.state().calibrated().cloned().ok_or(EngineError::NotCalibrated)?;
    let mut queues = PatchQueues::new(&settings, context.user.root());
    let mut tried = 0;
    let mut candidates = Vec::new();
    while let Some(offer) = queues.next(&|_| false)? {
        let hash = super::session::patch_hash(offer.proposal());
        if past.as_ref().is_some_and(|past| past.state.settled_patch(&hash).is_some()) {
            tried += 1;
        } else {
            session.pause_point()?;
            candidates.push(session.screen_only(&offer)?);
        }
    }
    drop(session);
    let stages = watch.into_phases();
    let estimate = Estimate::of(&calibrated, &stages, settings.bench.warmup);
    Ok(DryRun { tip, stages, calibrated, candidates, tried, estimate })
}

/// Reads what the session did so far, where there is one.
fn past(context: &Context<'_>) -> Result<Option<ReadBack>, EngineError> {
    let journal = context.places.journal();
    if journal.exists() { read_back(&journal, context.settings).map(Some) } else { Ok(None) }
}

/// Returns the commit that a session would start or go on from, or why it would refuse to.
fn tip(context: &Context<'_>, past: Option<&ReadBack>) -> Result<ObjectId, EngineError> {
    let (user, branch) = (context.user, &context.settings.branch);
    user.identity()?;
    let Some(tip) = past.and_then(|past| past.state.tip().cloned()) else {
        refuse_taken_branch(user, branch)?;
        return base_commit(user, context.settings);
    };
    let found = user.branch_tip(branch)?;
    if found.as_ref() != Some(&tip) {
        return Err(EngineError::BranchMoved { branch: branch.clone(), found, expected: tip });
    }
    refuse_checked_out(user, branch)?;
    Ok(tip)
}

impl Session<'_, '_> {
    /// Screens an offer and settles it there.
    fn screen_only(&mut self, offer: &Offer) -> Result<Candidate, EngineError> {
        let (ProposalSource::Queue(name) | ProposalSource::Try(name)) = &offer.proposal().source;
        self.propose(offer.proposal(), Commit::No)?;
        match offer {
            Offer::Readable(proposal) => {
                // Settled, so that the screen knows the same patch when it comes again.
                let unmeasured = || Dropped::by(Reason::Inconclusive, "not measured".to_owned());
                let dropped = self.screen(proposal)?.err().unwrap_or_else(unmeasured);
                self.settle(Err(dropped), None, Commit::No)?;
            }
            Offer::Unreadable { reason, detail, .. } => _ = self.refuse(*reason, detail)?,
        }
        let screened = self.recorder.facts().screened.clone();
        let experiment = self.current_id();
        let screened = screened.ok_or(EngineError::Unrecorded { experiment })?;
        Ok(Candidate { name: name.clone(), screened })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_candidate_takes_its_build_its_checks_and_the_expected_pairs() {
        let stage = |phase, seconds| PhaseEnded { phase, what: None, seconds, exit: None, failure: None };
        let stages = [stage(Phase::Build, 50.0), stage(Phase::Check, 3.0), stage(Phase::Check, 4.0)];
        let calibrated = Calibrated {
            commit: ObjectId::new("0".repeat(40)).unwrap(),
            pairs: 10,
            metrics: Vec::new(),
            parts: BTreeMap::new(),
            limits: BTreeMap::new(),
            run_s: 5.0,
            build_s: 50.0,
        };
        let estimate = Estimate::of(&calibrated, &stages, 1);
        assert!((estimate.without_effect_s - (50.0 + 7.0 + 10.0 + 37.0)).abs() < 1e-9, "{estimate:?}");
        assert!((estimate.win_s - (50.0 + 7.0 + 10.0 + 100.0)).abs() < 1e-9, "{estimate:?}");
    }
}
