//! The dry run: every stage for the baseline, the screen for each candidate, and how long the queue will take.

use crate::domain::{
    Base, Calibrated, ObjectId, Observer, PhaseEnded, Proposal, ProposalSource, Reason, Screened, Screening, Settings,
};
use crate::stats::{Forecast, Supply};

use super::EngineError;
use super::forecast::{forecast, horizon};
use super::offer::Offer;
use super::opening::{ReadBack, base_commit, read_back, refuse_checked_out, refuse_taken_branch};
use super::pipeline::{Commit, Dropped};
use super::scratch::Scratch;
use super::session::{Context, Purpose, Session};
use super::sources::{Candidates as _, Next, Shelf, Sources};
use super::watch::{Untold, Watch};

/// The longest wait for a candidate that a dry run takes part in: a file may be one that is still written.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_secs(15);

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
    /// What the night can do with the accepted ones.
    pub forecast: Option<Forecast>,
}

/// What the screen says of one candidate.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its file, or whatever else people know it by.
    pub name: String,
    /// The screen's outcome.
    pub screened: Screened,
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
    let mut sources = Sources::new(&settings, context.user)?;
    let mut tried = 0;
    let mut candidates = Vec::new();
    // What the session tries first, in place of the scratch session that knows of no keep.
    for offer in to_try_again(context, past.as_ref())? {
        session.pause_point()?;
        candidates.push(session.screen_only(&offer)?);
    }
    loop {
        let offer = match sources.next(&mut session)? {
            Next::Offer(offer) => offer,
            Next::Wait(until) if until < jiff::Timestamp::now() + SOON => {
                session.pause_point()?;
                session.sleep(until);
                continue;
            }
            Next::Wait(_) | Next::GaveUp(_) | Next::Done => break,
        };
        let hash = super::session::proposal_key(offer.proposal());
        if past.as_ref().is_some_and(|past| past.state.settled_patch(&hash).is_some()) {
            tried += 1;
        } else {
            session.pause_point()?;
            candidates.push(session.screen_only(&offer)?);
        }
    }
    drop(session);
    let stages = watch.into_phases();
    let mut found = DryRun { tip, stages, calibrated, candidates, tried, forecast: None };
    let state = past.as_ref().map(|past| &past.state);
    let supply = match sources.supply(context.user, state)? {
        Supply::Listed(_) => Supply::Listed(u32::try_from(found.accepted()).unwrap_or(u32::MAX)),
        other @ (Supply::Finite | Supply::Nothing | Supply::Endless) => other,
    };
    let horizon = horizon(context.settings, state, supply);
    found.forecast = forecast(context.settings, &found.calibrated, horizon);
    Ok(found)
}

/// Offers the keeps of the session that wait to be tried again.
fn to_try_again(context: &Context<'_>, past: Option<&ReadBack>) -> Result<Vec<Offer>, EngineError> {
    let Some(past) = past else { return Ok(Vec::new()) };
    Shelf { state: &past.state, places: context.places, user: context.user }.offers()
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
        let Proposal { source, description, .. } = offer.proposal();
        let name = match source {
            // An id alone says nothing to people.
            ProposalSource::Commit(id) => format!("{} {description}", &id[..id.len().min(10)]),
            ProposalSource::Again(keep) => format!("keep #{keep} again"),
            ProposalSource::Queue(_) | ProposalSource::Try(_) | ProposalSource::Sweep(_) | ProposalSource::Agent(_) => {
                source.to_string()
            }
        };
        self.propose(offer, Commit::No)?;
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
        Ok(Candidate { name, screened })
    }
}
