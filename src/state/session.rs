//! The fold itself, and the questions that it answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::WorkClock;
use super::experiment::{ExperimentRecord, PackedId, PatchKey, Unfinished};
use super::imported::ImportedHistory;
use super::sources::SourceState;
use crate::domain::{
    AgentCall, Calibrated, Configured, Event, ExperimentId, Flag, IdeaEdited, ObjectId, PatchId, ProposalFailed,
    ProposalSource, Proposed, Reason, Rebased, Resumed, Review, RunSummary, SessionId, Status, Stopped, Undone,
    Validated, Waiting,
};

/// Says whether the fold needs the payload of this type of record.
pub fn wants(kind: &str) -> bool {
    matches!(
        kind,
        "config"
            | "calibrated"
            | "proposed"
            | "screened"
            | "decided"
            | "run"
            | "undone"
            | "validated"
            | "resumed"
            | "recovered"
            | "idea_edit"
            | "waiting"
            | "proposal_failed"
            | "rebased"
            | "reviewed"
            | "finalized"
            | "imported"
            | "imported_segment"
            | "imported_run"
            | "stopped"
    )
}

/// The part of the error budget that the current alpha epoch has spent (statistics section 3).
///
/// An epoch goes on across restarts, segments and calibrations; its size is fixed when its first candidate is proposed:
/// that of the forecast in the last calibration, else that of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Epoch {
    /// Candidates in the epoch (`A`); 0 before the first settings.
    pub size: u32,
    /// Measured candidates so far: the index that the next one takes, from 0.
    pub measured: u32,
    /// Keeps so far, also those that were undone later.
    pub keeps: u32,
}

/// The revert of a keep that the branch was last moved for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revert {
    /// The keep that was undone.
    pub experiment: ExperimentId,
    /// The tip before.
    pub from: ObjectId,
    /// The revert commit.
    pub to: ObjectId,
}

/// How often in a row the same check failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SameCheck {
    /// The check.
    pub name: String,
    /// Times in a row.
    pub count: u32,
}

/// A session as its journal tells it. What it serialises to is a cache of the fold, and no format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionState {
    session: SessionId,
    configured: Option<Box<Configured>>,
    calibrated: Option<Box<Calibrated>>,
    calibrated_segment: Option<u32>,
    /// Why things were last measured and judged anew.
    measured_why: String,
    calibrated_at: Option<Timestamp>,
    experiments: Vec<ExperimentRecord>,
    unfinished: BTreeMap<ExperimentId, Unfinished>,
    last_id: ExperimentId,
    /// The source of the config that gave a candidate last.
    given_by: Option<u32>,
    tip: Option<ObjectId>,
    epoch: Epoch,
    primary_since: u32,
    reverted: Option<Revert>,
    validated: Option<Box<Validated>>,
    validated_hours: f64,
    validations: u32,
    /// Whether the epoch has had a proposal, so that its size is fixed.
    epoch_began: bool,
    same_check: Option<SameCheck>,
    /// Iterations in a row that crashed.
    crashes: u32,
    /// What the agents cost so far.
    agent_cost: f64,
    /// How the sources fare that can be unavailable, by name.
    sources: BTreeMap<String, SourceState>,
    /// Experiments settled when the base last moved: keeps among them are on the base before it.
    based_since: usize,
    /// A move of the base that no settings have followed yet.
    rebasing: Option<Box<Rebased>>,
    waiting_edits: Vec<IdeaEdited>,
    /// The edits by which sweeps closed values, by idea, and whether each is in ideas.md.
    closings: BTreeMap<String, BTreeMap<String, bool>>,
    imported: ImportedHistory,
    stopped: Option<Stopped>,
    started: Option<Timestamp>,
    /// When the last process began.
    begun: Option<Timestamp>,
    last_event: Option<Timestamp>,
    clock: WorkClock,
}

impl SessionState {
    /// Begins the fold of a session.
    pub fn new(session: SessionId) -> Self {
        Self {
            session,
            configured: None,
            calibrated: None,
            calibrated_segment: None,
            measured_why: String::new(),
            calibrated_at: None,
            experiments: Vec::new(),
            unfinished: BTreeMap::new(),
            last_id: ExperimentId::BASELINE,
            given_by: None,
            tip: None,
            epoch: Epoch::default(),
            primary_since: 0,
            reverted: None,
            validated: None,
            validated_hours: 0.0,
            validations: 0,
            epoch_began: false,
            same_check: None,
            crashes: 0,
            agent_cost: 0.0,
            sources: BTreeMap::new(),
            based_since: 0,
            rebasing: None,
            waiting_edits: Vec::new(),
            closings: BTreeMap::new(),
            imported: ImportedHistory::default(),
            stopped: None,
            started: None,
            begun: None,
            last_event: None,
            clock: WorkClock::default(),
        }
    }

    /// Folds a record whose payload the fold does not need.
    pub fn pass_over(&mut self, at: Timestamp) {
        self.clock.event(at);
        self.note_time(at);
    }

    fn note_time(&mut self, at: Timestamp) {
        self.started.get_or_insert(at);
        self.last_event = Some(at);
    }

    /// Folds one event; those that say nothing here are passed over.
    pub fn apply(&mut self, experiment: Option<ExperimentId>, at: Timestamp, event: &Event) {
        if matches!(event, Event::Recovered(_)) {
            self.clock.skip(at);
        } else if !matches!(event, Event::Configured(_) | Event::Resumed(_)) {
            // What begins a span must not lengthen the one before it.
            self.clock.event(at);
        }
        self.note_time(at);
        match event {
            Event::Configured(configured) => self.configure(at, configured),
            Event::Calibrated(calibrated) => self.calibrate(at, calibrated),
            Event::Resumed(resumed) => self.resume(at, resumed),
            Event::Stopped(stopped) => self.stop(stopped),
            Event::IdeaEdited(edit) => self.edit(edit),
            Event::Run(run) => self.settle(run),
            Event::Proposed(proposed) => self.propose(experiment, at, proposed),
            Event::Screened(screened) => {
                if let Some(unfinished) = self.unfinished_mut(experiment) {
                    unfinished.screened = Some(screened.clone());
                }
            }
            Event::Decided(decided) => {
                if let Some(unfinished) = self.unfinished_mut(experiment) {
                    unfinished.decided = Some(decided.clone());
                }
            }
            Event::Undone(undone) => self.undo(experiment, undone),
            Event::Waiting(waiting) => self.wait(at, waiting),
            Event::ProposalFailed(failed) => self.fail(at, failed),
            Event::Rebased(rebased) => self.rebase(rebased),
            Event::Reviewed(reviewed) => self.review(experiment, reviewed.review),
            Event::Validated(validated) => self.validate(validated),
            Event::Finalized(finalized) => self.validations = self.validations.max(finalized.last_number()),
            Event::Imported(imported) => self.imported.end(imported),
            Event::ImportedSegment(segment) => self.imported.begin(segment),
            Event::ImportedRun(run) => self.imported.add(run),
            Event::PhaseStarted(_)
            | Event::PhaseEnded(_)
            | Event::Pair(_)
            | Event::Recovered(_)
            | Event::SandboxApplied(_)
            | Event::Inventoried(_)
            | Event::HookRan(_)
            | Event::Note(_) => {}
        }
    }

    fn configure(&mut self, at: Timestamp, configured: &Configured) {
        self.begin(at);
        self.tip.get_or_insert_with(|| configured.base.clone());
        if configured.measures_anew() {
            // Another harness may judge another way: what a check did before says nothing of what it does now.
            self.same_check = None;
            self.crashes = 0;
            self.measured_why.clone_from(&configured.why);
        }
        self.rebasing = None;
        let lens = |c: &Configured| {
            let primary = &c.settings.primary;
            (primary.name.clone(), primary.scale, primary.direction)
        };
        if self.configured.as_ref().is_some_and(|old| lens(old) != lens(configured)) {
            self.primary_since = configured.segment;
        }
        self.configured = Some(Box::new(configured.clone()));
        self.size_epoch();
    }

    fn calibrate(&mut self, at: Timestamp, calibrated: &Calibrated) {
        self.calibrated = Some(Box::new(calibrated.clone()));
        self.calibrated_segment = self.configured.as_ref().map(|configured| configured.segment);
        self.calibrated_at = Some(at);
        self.size_epoch();
    }

    /// Gives an epoch without a candidate its size; one that began keeps its own.
    fn size_epoch(&mut self) {
        if !self.epoch_began {
            let forecast = self.calibrated.as_ref().and_then(|calibrated| calibrated.epoch);
            self.epoch.size = forecast.or(self.configured.as_ref().map(|c| c.epoch)).unwrap_or(0);
        }
    }

    fn resume(&mut self, at: Timestamp, resumed: &Resumed) {
        self.begin(at);
        self.tip.get_or_insert_with(|| resumed.tip.clone());
    }

    fn begin(&mut self, at: Timestamp) {
        self.clock.start(at);
        self.begun = Some(at);
        self.stopped = None;
    }

    fn stop(&mut self, stopped: &Stopped) {
        self.clock.stop();
        self.stopped = Some(stopped.clone());
        self.sources.values_mut().for_each(|source| source.stop(stopped.rule));
    }

    fn edit(&mut self, edit: &IdeaEdited) {
        self.waiting_edits.retain(|waiting| (&waiting.idea, &waiting.edit) != (&edit.idea, &edit.edit));
        if !edit.written {
            self.waiting_edits.push(edit.clone());
        }
        if !edit.axes.is_empty() {
            self.closings.entry(edit.idea.clone()).or_default().insert(edit.edit.clone(), edit.written);
        }
    }

    fn propose(&mut self, experiment: Option<ExperimentId>, at: Timestamp, proposed: &Proposed) {
        self.charge(proposed.call);
        if let ProposalSource::Agent(name) = &proposed.source {
            self.source_mut(name).propose();
        }
        let Some(id) = experiment else { return };
        self.last_id = self.last_id.max(id);
        self.given_by = proposed.given_by.or(self.given_by);
        self.epoch_began = true;
        let proposed = Box::new(proposed.clone());
        self.unfinished.insert(id, Unfinished { id, since: at, proposed, screened: None, decided: None });
    }

    fn unfinished_mut(&mut self, experiment: Option<ExperimentId>) -> Option<&mut Unfinished> {
        self.unfinished.get_mut(&experiment?)
    }

    fn settle(&mut self, run: &RunSummary) {
        let id = ExperimentId(run.run);
        self.last_id = self.last_id.max(id);
        let unfinished = self.unfinished.remove(&id);
        let moves = unfinished.as_ref().and_then(|u| u.decided.as_ref()).is_none_or(|d| d.moves_branch);
        if run.status == Status::Keep && moves {
            self.tip = Some(run.commit.clone());
        }
        let resumed = unfinished.as_ref().is_some_and(|u| u.proposed.resumes.is_some());
        if run.measured {
            self.spend(run.status);
        } else if resumed && run.status == Status::Keep {
            // Its index was spent by the experiment that it went on with.
            self.epoch.keeps += 1;
        }
        self.count_check(run, unfinished.as_ref());
        if let Some(ProposalSource::Agent(name)) = unfinished.as_ref().map(|u| &u.proposed.source) {
            self.source_mut(name).settle(run.iteration);
        }
        self.experiments.push(ExperimentRecord::settle(run, unfinished.as_ref()));
    }

    fn spend(&mut self, status: Status) {
        self.epoch.measured += 1;
        self.epoch.keeps += u32::from(status == Status::Keep);
        if self.epoch.measured >= self.epoch.size {
            self.epoch = Epoch::default();
            self.epoch_began = false;
            self.size_epoch();
        }
    }

    /// Counts the same check failing in a row; what the screen refused ran no check and changes nothing.
    fn count_check(&mut self, run: &RunSummary, unfinished: Option<&Unfinished>) {
        if !run.iteration {
            return;
        }
        self.crashes = if run.status == Status::Crash { self.crashes + 1 } else { 0 };
        self.same_check = failed_check(run, unfinished).map(|name| match self.same_check.take() {
            Some(same) if same.name == name => SameCheck { name, count: same.count + 1 },
            _ => SameCheck { name, count: 1 },
        });
    }

    fn wait(&mut self, at: Timestamp, waiting: &Waiting) {
        self.charge(waiting.call);
        self.source_mut(&waiting.source).wait(at, waiting.until);
    }

    fn fail(&mut self, at: Timestamp, failed: &ProposalFailed) {
        self.charge(failed.call);
        self.source_mut(&failed.source).fail(at, failed);
    }

    fn source_mut(&mut self, name: &str) -> &mut SourceState {
        self.sources.entry(name.to_owned()).or_default()
    }

    fn charge(&mut self, call: Option<AgentCall>) {
        self.agent_cost += call.and_then(|call| call.cost).unwrap_or(0.0);
    }

    /// Takes the new base as tip; what was kept on the old one stands there, not here.
    fn rebase(&mut self, rebased: &Rebased) {
        self.tip = Some(rebased.base.clone());
        self.based_since = self.experiments.len();
        self.reverted = None;
        self.validated = None;
        self.validated_hours = self.clock.hours(None);
        self.calibrated_segment = None;
        self.rebasing = Some(Box::new(rebased.clone()));
    }

    fn validate(&mut self, validated: &Validated) {
        self.validations = self.validations.max(validated.number);
        for record in self.experiments.iter_mut().filter(|record| validated.rebuilt.contains(&record.id)) {
            record.flags.remove(Flag::RebuildDue);
        }
        if validated.without.is_none() {
            self.validated = Some(Box::new(Validated { values: Vec::new(), ..validated.clone() }));
            self.validated_hours = self.clock.hours(None);
        }
    }

    fn review(&mut self, experiment: Option<ExperimentId>, review: Review) {
        let record = self.experiments.iter_mut().rev().find(|record| Some(record.id) == experiment);
        if let Some(record) = record {
            record.review = Some(review);
        }
    }

    fn undo(&mut self, experiment: Option<ExperimentId>, undone: &Undone) {
        let from = undone.tip.clone().or_else(|| self.tip.clone());
        let revert = |(experiment, from)| Revert { experiment, from, to: undone.commit.clone() };
        self.reverted = experiment.zip(from).map(revert);
        self.tip = Some(undone.commit.clone());
        let undone = self.experiments.iter_mut().rev().find(|record| Some(record.id) == experiment);
        if let Some(record) = undone {
            record.flags.insert(Flag::Undone);
            record.flags.remove(Flag::RebuildDue);
        }
    }
}

/// Returns the check that dropped an experiment: that of `asi.auto.failed`, else the verdict's detail.
fn failed_check(run: &RunSummary, unfinished: Option<&Unfinished>) -> Option<String> {
    if !matches!(run.reason, Reason::CheckFailed | Reason::CheckTimeout) {
        return None;
    }
    let failed = run.asi.get("auto").and_then(|auto| auto.get("failed"));
    let named = failed.and_then(|failed| failed.get("what")).and_then(serde_json::Value::as_str);
    let detail = || unfinished.and_then(|u| u.decided.as_ref()).map(|d| d.detail.as_str());
    Some(named.or_else(detail).unwrap_or_default().to_owned())
}

impl SessionState {
    /// Returns the session.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Returns the settings of the current segment.
    pub fn configured(&self) -> Option<&Configured> {
        self.configured.as_deref()
    }

    /// Returns the last calibration.
    pub fn calibrated(&self) -> Option<&Calibrated> {
        self.calibrated.as_deref()
    }

    /// Returns the segment that the last calibration was made in; `None` also where the base moved since.
    pub fn calibrated_segment(&self) -> Option<u32> {
        self.calibrated_segment
    }

    /// Returns the first segment in which things were measured and judged as they are now.
    pub fn measured_since(&self) -> u32 {
        self.configured.as_ref().map_or(0, |configured| configured.measured_since())
    }

    /// Says why things are measured and judged otherwise than before that segment.
    pub fn measured_why(&self) -> &str {
        &self.measured_why
    }

    /// Returns the move of the base that no settings have followed yet: it may not be complete.
    pub fn rebasing(&self) -> Option<&Rebased> {
        self.rebasing.as_deref()
    }

    /// Returns when the last calibration was made.
    pub fn calibrated_at(&self) -> Option<Timestamp> {
        self.calibrated_at
    }

    /// Returns the settled experiments in the order in which they were settled; the baseline is number 0.
    pub fn experiments(&self) -> &[ExperimentRecord] {
        &self.experiments
    }

    /// Returns the settled experiment of this number.
    pub fn experiment(&self, id: ExperimentId) -> Option<&ExperimentRecord> {
        self.experiments.iter().rev().find(|record| record.id == id)
    }

    /// Returns the oldest experiment that was proposed and not settled.
    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.unfinished.values().next()
    }

    /// Returns every experiment that was proposed and not settled, oldest first: a killed `run` and a killed `try` leave
    /// one each.
    pub fn all_unfinished(&self) -> impl Iterator<Item = &Unfinished> {
        self.unfinished.values()
    }

    /// Returns the number that the next proposal gets.
    pub fn next_id(&self) -> ExperimentId {
        self.last_id.next()
    }

    /// Returns which of the sources in the config gave a candidate last, from 0.
    pub fn given_by(&self) -> Option<u32> {
        self.given_by
    }

    /// Returns the last settled commit: the base, a keep, or the revert of one.
    pub fn tip(&self) -> Option<&ObjectId> {
        self.tip.as_ref()
    }

    /// Returns the keeps that still stand, in order, without the baseline.
    pub fn keeps(&self) -> impl Iterator<Item = &ExperimentRecord> {
        let here = self.experiments.iter().skip(self.based_since);
        here.filter(|record| record.id != ExperimentId::BASELINE && record.stands())
    }

    /// Returns the experiments that were settled before the base last moved, and those settled since.
    pub fn around_rebase(&self) -> (&[ExperimentRecord], &[ExperimentRecord]) {
        self.experiments.split_at(self.based_since)
    }

    /// Returns how many iterations in a row crashed.
    pub fn crashes_in_a_row(&self) -> u32 {
        self.crashes
    }

    /// Returns what the agents cost so far, in the unit that they print.
    pub fn agent_cost(&self) -> f64 {
        self.agent_cost
    }

    /// Returns how a source fares that can be unavailable; `None` before its first call.
    pub fn source(&self, name: &str) -> Option<&SourceState> {
        self.sources.get(name)
    }

    /// Returns the keeps that still stand and were measured by the present primary; `None` where one was measured by
    /// another.
    pub fn comparable_keeps(&self) -> Option<Vec<&ExperimentRecord>> {
        self.keeps().map(|record| (record.segment >= self.primary_since).then_some(record)).collect()
    }

    /// Returns the keeps that wait for their rebuild from an empty cache, in order.
    pub fn rebuilds_due(&self) -> impl Iterator<Item = &ExperimentRecord> {
        self.keeps().filter(|record| record.flags.contains(Flag::RebuildDue))
    }

    /// Returns the revert that made the present tip, where one did.
    pub fn reverted(&self) -> Option<&Revert> {
        self.reverted.as_ref().filter(|revert| Some(&revert.to) == self.tip.as_ref())
    }

    /// Returns the last validation of the session's gain; its readings are left in the journal.
    pub fn validated(&self) -> Option<&Validated> {
        self.validated.as_deref()
    }

    /// Returns the hours at work when the session was last validated; 0 before.
    pub fn validated_hours(&self) -> f64 {
        self.validated_hours
    }

    /// Returns the number of the last validation or re-test; 0 before the first.
    pub fn validations(&self) -> u32 {
        self.validations
    }

    /// Counts the settled experiments that reached the build.
    pub fn iterations(&self) -> u32 {
        count(self.candidates().filter(|record| record.iteration))
    }

    /// Returns what the current alpha epoch has spent.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Says whether the current alpha epoch has had a candidate, so that its size is fixed.
    pub fn epoch_began(&self) -> bool {
        self.epoch_began
    }

    /// Counts the iterations since the last keep that still stands, as long as they were measured as things are now.
    pub fn plateau(&self) -> u32 {
        let since = self.measured_since();
        let since = self.experiments.iter().rev().take_while(|r| r.segment >= since && !r.stands());
        count(since.filter(|record| record.iteration && record.id != ExperimentId::BASELINE))
    }

    /// Returns the check that failed in the last iteration of this segment, and how often in a row it did.
    pub fn same_check(&self) -> Option<&SameCheck> {
        self.same_check.as_ref()
    }

    /// Returns the hours at work over all starts, up to `now` (else the last event) where it is still running.
    pub fn hours(&self, now: Option<Timestamp>) -> f64 {
        self.clock.hours(now)
    }

    /// Returns when the first event was written.
    pub fn started(&self) -> Option<Timestamp> {
        self.started
    }

    /// Returns when the last process began to work on the session, or changed its settings.
    pub fn begun(&self) -> Option<Timestamp> {
        self.begun
    }

    /// Returns when the last event was written.
    pub fn last_event(&self) -> Option<Timestamp> {
        self.last_event
    }

    /// Returns why the session ended; `None` while it runs, and after it was killed.
    pub fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }

    /// Returns the edits of ideas.md that could not be written yet, oldest first.
    pub fn waiting_edits(&self) -> &[IdeaEdited] {
        &self.waiting_edits
    }

    /// Says whether the edit by which a sweep closed values of an idea was written; `None` where it never was owed.
    pub fn closing(&self, idea: &str, edit: &str) -> Option<bool> {
        self.closings.get(idea)?.get(edit).copied()
    }

    /// Returns what was read from other tools' logs: no experiment of this session, and no keep of its branch.
    pub fn imported(&self) -> &ImportedHistory {
        &self.imported
    }

    /// Returns the first settled experiment that tried this patch on this tip; what the screen refused was not tried.
    ///
    /// A keep whose tip is the tip still was only judged (`try --no-commit`), and may be tried again to be committed.
    pub fn duplicate(&self, patch: &PatchId, tip: &ObjectId) -> Option<&ExperimentRecord> {
        let (patch, tip) = (PackedId::new(&patch.0), PackedId::new(tip));
        let tried = |record: &&ExperimentRecord| record.iteration && record.status != Status::Keep;
        self.candidates().filter(tried).find(|record| record.is_patch_on(patch, tip))
    }

    /// Returns the last settled experiment of a patch with this BLAKE3 hash (hex), whatever became of it.
    pub fn settled_patch(&self, patch_hash: &str) -> Option<&ExperimentRecord> {
        let key = PatchKey::new(patch_hash)?;
        self.experiments.iter().rev().find(|record| record.has_key(key))
    }

    fn candidates(&self) -> impl Iterator<Item = &ExperimentRecord> {
        self.experiments.iter().filter(|record| record.id != ExperimentId::BASELINE)
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
