//! Knob sweeps as a source: reads the knobs at the tip, asks the strategy, and makes the patch of its next point.
//!
//! A file whose pattern does not match once is an error before the session starts. Where a keep of another source
//! makes it so later, the sweep is over: a note says so, and the night goes on with the other sources.

mod close;
mod knobs;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Event, ExperimentId, Note, ObjectId, Proposal, ProposalSource, Reason, Settings, Status, Sweep};
use crate::engine::EngineError;
use crate::engine::offer::Offer;
use crate::engine::opening::base_commit;
use crate::engine::recorder::Durability;
use crate::engine::session::{Session, key_of};
use crate::git::UserRepository;
use crate::propose::sweep::{self, Earlier, Ground, Outcome, Point, Settled, Values};
use crate::state::{ExperimentRecord, SessionState};

use super::{Candidates, Next, Source};
use knobs::Knobs;

/// A sweep, and what this process took from it.
pub(super) struct KnobSweep {
    settings: Settings,
    knobs: Knobs,
    /// The points that were offered; each is offered once, whatever became of it.
    taken: BTreeSet<String>,
    /// Notes that were written.
    told: BTreeSet<String>,
    /// Values at commits, where they can be read.
    values: BTreeMap<ObjectId, Option<Values>>,
    /// The tip, and the number of settled experiments, for which its knobs were closed.
    closed_at: Option<(ObjectId, usize)>,
}

/// The knobs' values at the tip and at the tips before it.
struct Scene {
    present: Values,
    earlier: Vec<Earlier>,
}

impl KnobSweep {
    /// Names the sweep; nothing is read yet.
    pub(super) fn new(settings: &Settings, sweep: &Sweep) -> Self {
        Self {
            settings: settings.clone(),
            knobs: Knobs::new(&settings.folder, sweep),
            taken: BTreeSet::new(),
            told: BTreeSet::new(),
            values: BTreeMap::new(),
            closed_at: None,
        }
    }

    fn sweep(&self) -> &Sweep {
        self.knobs.sweep()
    }

    fn scene(&mut self, session: &Session<'_, '_>) -> Result<Scene, EngineError> {
        let tip = session.bench.tip();
        let present = self.knobs.values_at(tip, &|path| Ok(session.bench.private().read_file(tip, path)?))?;
        let mut earlier = Vec::new();
        for keep in session.state().keeps() {
            let (before, after) = (self.known(session, &keep.tip())?, self.known(session, &keep.commit())?);
            if let (Some(before), Some(after)) = (before, after)
                && before != after
            {
                earlier.push(Earlier { values: before, replaced_by: keep.id });
            }
        }
        Ok(Scene { present, earlier })
    }

    /// Returns the values at an earlier tip; `None` where they cannot be read there.
    fn known(&mut self, session: &Session<'_, '_>, commit: &ObjectId) -> Result<Option<Values>, EngineError> {
        if let Some(values) = self.values.get(commit) {
            return Ok(values.clone());
        }
        let read = self.knobs.values_at(commit, &|path| Ok(session.bench.private().read_file(commit, path)?));
        let values = match read {
            Ok(values) => Some(values),
            Err(EngineError::KnobFile(_) | EngineError::KnobValues(_)) => None,
            Err(error) => return Err(error),
        };
        self.values.insert(commit.clone(), values.clone());
        Ok(values)
    }

    fn try_next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        let scene = self.scene(session)?;
        let point = self.with_ground(&scene, session.state(), sweep::next);
        let Some(point) = point else {
            self.close(session, &scene)?;
            return Ok(Next::Done);
        };
        let proposal = self.proposal(session, &scene, &point)?;
        self.taken.insert(proposal.source.to_string());
        Ok(Next::Offer(Box::new(Offer::Readable(proposal))))
    }

    fn with_ground<T>(&self, scene: &Scene, state: &SessionState, ask: impl FnOnce(&Ground<'_>) -> T) -> T {
        let settled = |source: &ProposalSource| match state.settled_patch(&key_of(source, &[])) {
            Some(record) => Some(settled(state, record)),
            None if self.taken.contains(&source.to_string()) => {
                Some(Settled { experiment: ExperimentId::BASELINE, outcome: Outcome::Failed })
            }
            None => None,
        };
        let Scene { present, earlier } = scene;
        ask(&Ground { sweep: self.sweep(), present, earlier, settled: &settled })
    }

    fn proposal(&self, session: &Session<'_, '_>, scene: &Scene, point: &Point) -> Result<Proposal, EngineError> {
        let tip = session.bench.tip();
        let private = session.bench.private();
        let change = self.knobs.change(point, &scene.present, &|path| Ok(private.read_file(tip, path)?))?;
        let patch = crate::domain::PatchText(private.diff_of_contents(tip, &change.contents)?);
        Ok(Proposal {
            axes: change.axes,
            base_commit: Some(tip.to_string()),
            ..Proposal::untold(change.description, point.source(self.sweep()), patch)
        })
    }

    /// Writes a note, once.
    fn tell(&mut self, session: &mut Session<'_, '_>, text: String) -> Result<(), EngineError> {
        if self.told.insert(text.clone()) {
            session.recorder.session(Event::Note(Note { text }), Durability::Written)?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.sweep().knobs.iter().map(|knob| knob.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Candidates for KnobSweep {
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        match self.try_next(session) {
            Err(error @ (EngineError::KnobFile(_) | EngineError::KnobValues(_))) => {
                let text = format!("the sweep of {} ends: {error}", self.name());
                self.tell(session, text)?;
                Ok(Next::Done)
            }
            next => next,
        }
    }
}

impl Source for KnobSweep {
    fn keys(&self, user: &UserRepository) -> Result<Option<Vec<String>>, EngineError> {
        let base = base_commit(user, &self.settings)?;
        let read = |path: &str| Ok(user.read_file(&base, path)?);
        let present = self.knobs.values_at(&base, &read)?;
        self.knobs.check_values(&base, &read)?;
        let to_try = |points: Vec<Point>| {
            let others = points.iter().filter(|point| !point.is_at(&present));
            others.map(|point| key_of(&point.source(self.sweep()), &[])).collect()
        };
        Ok(sweep::points(self.sweep()).map(to_try))
    }

    fn lacks(&self) -> String {
        format!("no value of {} other than the present one", self.name())
    }
}

/// Says what became of a settled point; a duplicate is what it is a duplicate of.
fn settled(state: &SessionState, record: &ExperimentRecord) -> Settled {
    let original = || state.duplicate(&record.patch_id()?, &record.tip());
    let record = if record.reason == Reason::Duplicate { original().unwrap_or(record) } else { record };
    Settled { experiment: record.id, outcome: outcome(record) }
}

fn outcome(record: &ExperimentRecord) -> Outcome {
    let is_one_of = |reasons: &[Reason]| reasons.contains(&record.reason);
    match record.status {
        Status::Keep if record.stands() => Outcome::Kept,
        Status::Discard if is_one_of(&[Reason::ClosedIdea, Reason::SettledDecision]) => Outcome::Closed,
        Status::Discard if !is_one_of(&[Reason::Duplicate, Reason::Empty]) => Outcome::NoGain,
        Status::Keep | Status::Discard | Status::ChecksFailed | Status::Crash => Outcome::Failed,
    }
}
