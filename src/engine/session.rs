//! A session: everything it holds while it runs, the loop over its candidates, and how it ends.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    Author, Event, ExperimentId, Note, ObjectId, Proposal, ProposalSource, Proposed, RunSummary, Settings, StopRule,
    Stopped, Unreadable,
};
use crate::gate::ScopeRules;
use crate::git::UserRepository;
use crate::host::{HostError, HostLock};
use crate::policy::{self, CheckStreak, Counters, Reserve};
use crate::process::{Interrupts, SupervisorProgram};
use crate::stats::{Budget, Judge};

use super::EngineError;
use super::clock::Deadline;
use super::experiment::ExperimentFacts;
use super::hooks::HookMemory;
use super::idea_book::OwedEdit;
use super::inventory::Inventories;
use super::offer::Offer;
use super::pipeline::Commit;
use super::places::Places;
use super::power::PowerWatch;
use super::recorder::{Durability, Recorder};
use super::rings::Rings;
use super::screen::write_whole;
use super::sources::{Candidates, Next};
use super::weather::Weather;
use super::workbench::{Workbench, join};

/// A wait for the host lock that is not worth telling: two sessions that take turns wait for a pair of the other.
const SILENT_WAIT: Duration = Duration::from_secs(5);

/// The longest sleep between two looks at stop rules and sources.
const SLEEP: SignedDuration = SignedDuration::from_secs(2);

/// The time in which a stop that is asked for ends a sleep.
const NAP: Duration = Duration::from_millis(100);

/// What a session is started with.
pub struct Context<'a> {
    /// The resolved settings.
    pub settings: &'a Settings,
    /// Where its files live.
    pub places: &'a Places,
    /// The user's repository.
    pub user: &'a UserRepository,
    /// The program that supervises commands.
    pub supervisor: &'a SupervisorProgram,
    /// Requests to stop.
    pub interrupts: &'a Interrupts,
    /// The environment that the program was started in.
    pub inherited: Vec<(OsString, OsString)>,
    /// What it is opened for.
    pub purpose: Purpose,
}

/// What a session is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To try candidates and keep what is better on the session's branch.
    Session,
    /// To go through the same motions (`doctor`, `run --dry-run`); no branch is made, checked or moved.
    Rehearsal,
    /// To compare two commits; as a rehearsal, and what the base's build makes stays in the slots as a warm cache.
    Comparison,
}

impl Purpose {
    /// Says why a journal of this purpose begins.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Session => "the session starts",
            Self::Rehearsal => "a rehearsal",
            Self::Comparison => "a comparison",
        }
    }
}

/// What the candidates of this process took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    seconds: f64,
    candidates: u32,
}

impl Pace {
    fn took(&mut self, time: Duration) {
        self.seconds += time.as_secs_f64();
        self.candidates += 1;
    }

    /// Returns the mean seconds of a candidate; 0 before the first.
    fn seconds(self) -> f64 {
        self.seconds / f64::from(self.candidates.max(1))
    }
}

/// Returns the hash (BLAKE3, hex) by which the journal knows a candidate ([`Proposed::patch_hash`]): its source's name and,
/// where that does not say it all, its patch as given.
///
/// With the name, the same patch in two files is two candidates, of which the second is a duplicate on the record.
pub(super) fn proposal_key(proposal: &Proposal) -> String {
    let patch = match proposal.source {
        ProposalSource::Queue(_) | ProposalSource::Try(_) | ProposalSource::Agent(_) => proposal.patch.0.as_slice(),
        // The name says it all: the patch of a sweep's point is another one on another tip.
        ProposalSource::Commit(_) | ProposalSource::Sweep(_) | ProposalSource::Again(_) => &[],
    };
    key_of(&proposal.source, patch)
}

/// Returns the key of a source's candidate.
pub(super) fn key_of(source: &ProposalSource, patch: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(source.to_string().as_bytes()).update(&[0]).update(patch);
    hasher.finalize().to_hex().to_string()
}

/// A running session.
pub struct Session<'a, 'o> {
    pub(super) settings: &'a Settings,
    pub(super) places: &'a Places,
    pub(super) user: &'a UserRepository,
    pub(super) interrupts: &'a Interrupts,
    /// Who commits keeps; only a real session needs one.
    pub(super) identity: Option<Author>,
    pub(super) base: ObjectId,
    pub(super) bench: Workbench<'a>,
    pub(super) recorder: Recorder<'o>,
    pub(super) rings: Rings,
    /// Edits of ideas.md that could not be made yet.
    pub(super) owed: Vec<OwedEdit>,
    pub(super) scope: ScopeRules,
    /// Whether git writes the slots, with the user's filters where a path has one.
    pub(super) converts: bool,
    pub(super) deadline: Deadline,
    pub(super) purpose: Purpose,
    /// Whether a validation between experiments failed, so that none is tried again.
    pub(super) checkpoints_off: bool,
    pub(super) weather: Weather,
    /// The tests that each check runs.
    pub(super) inventory: Inventories,
    pub(super) pace: Pace,
    pub(super) hooks: HookMemory,
    pub(super) power: PowerWatch,
    /// Which of the config's sources gives the next proposal.
    pub(super) giving: Option<u32>,
}

impl Session<'_, '_> {
    /// Returns the fold of everything recorded.
    pub fn state(&self) -> &crate::state::SessionState {
        self.recorder.state()
    }

    /// Tries candidates until a rule says stop, and journals that rule. The baseline must be ready.
    pub fn run(&mut self, candidates: &mut dyn Candidates) -> Result<Stopped, EngineError> {
        let ended = self.try_all(candidates);
        let closed = candidates.close(self);
        let ended = ended.and_then(|stopped| closed.map(|()| stopped));
        let ended = ended.and_then(|stopped| self.validate_at_end(stopped));
        self.end(ended)
    }

    /// Takes one proposal through the pipeline as the session's next experiment.
    pub fn judge_one(&mut self, offer: &Offer, commit: Commit) -> Result<RunSummary, EngineError> {
        let result = self.take(offer, commit);
        match result {
            Ok(run) => Ok(run),
            Err(error) => {
                self.stopped_by(&error)?;
                Err(error)
            }
        }
    }

    fn try_all(&mut self, candidates: &mut dyn Candidates) -> Result<Stopped, EngineError> {
        self.recall_hooks()?;
        self.resume_unfinished()?;
        loop {
            self.watch_power()?;
            if let Some(stopped) = self.due()? {
                return Ok(stopped);
            }
            self.checkpoint()?;
            match candidates.next(self)? {
                Next::Offer(offer) => {
                    self.hook_before()?;
                    let run = self.take(&offer, Commit::Yes)?;
                    self.hook_after(&run)?;
                }
                Next::Wait(until) => self.sleep(until),
                Next::GaveUp(detail) => return Ok(Stopped { rule: StopRule::AgentUnavailable, detail }),
                Next::Done => {
                    let detail = candidates.emptied(self);
                    return Ok(Stopped { rule: StopRule::CandidatesExhausted, detail });
                }
            }
        }
    }

    /// Sleeps until a moment, but never so long that a stop rule or a new candidate of another source waits for it.
    pub(super) fn sleep(&self, until: Timestamp) {
        let end = until.min(Timestamp::now() + SLEEP);
        while Timestamp::now() < end && !self.stop_requested() {
            std::thread::sleep(NAP);
        }
    }

    /// Gives a proposal its number, keeps its patch, and runs it.
    fn take(&mut self, offer: &Offer, commit: Commit) -> Result<RunSummary, EngineError> {
        let clock = Instant::now();
        let run = self.judge_offer(offer, commit)?;
        if run.iteration {
            self.pace.took(clock.elapsed());
        }
        Ok(run)
    }

    fn judge_offer(&mut self, offer: &Offer, commit: Commit) -> Result<RunSummary, EngineError> {
        self.propose(offer, commit)?;
        let run = match offer {
            Offer::Readable(proposal) => self.experiment(proposal, commit)?,
            Offer::Unreadable { reason, detail, .. } => self.refuse(*reason, detail)?,
        };
        self.note_idea(&run)?;
        Ok(run)
    }

    /// Gives an offer its number, keeps its patch and journals it.
    pub(super) fn propose(&mut self, offer: &Offer, commit: Commit) -> Result<(), EngineError> {
        let unreadable = match offer {
            Offer::Readable(_) => None,
            Offer::Unreadable { reason, detail, .. } => Some(Unreadable { reason: *reason, detail: detail.clone() }),
        };
        self.introduce(offer.proposal(), commit, (None, unreadable))
    }

    /// Proposes as [`Session::propose`] does, and names the experiment that this one goes on with.
    pub(super) fn propose_resuming(
        &mut self,
        proposal: &Proposal,
        commit: Commit,
        resumes: ExperimentId,
    ) -> Result<(), EngineError> {
        self.introduce(proposal, commit, (Some(resumes), None))
    }

    fn introduce(
        &mut self,
        proposal: &Proposal,
        commit: Commit,
        (resumes, unreadable): (Option<ExperimentId>, Option<Unreadable>),
    ) -> Result<(), EngineError> {
        let id = self.recorder.state().next_id();
        self.recorder.begin(ExperimentFacts::new(id));
        write_whole(&self.places.run(id).join(super::resume::GIVEN_PATCH), &proposal.patch.0)?;
        let proposed = Proposed {
            description: proposal.description.clone(),
            hypothesis: proposal.hypothesis.clone(),
            idea: proposal.idea.clone(),
            axes: proposal.axes.clone(),
            goal: proposal.goal,
            asi: proposal.asi.clone(),
            source: proposal.source.clone(),
            patch_hash: proposal_key(proposal),
            tip: self.bench.tip().clone(),
            author: proposal.author.clone(),
            base_commit: proposal.base_commit.clone(),
            commit: commit == Commit::Yes,
            resumes,
            drop_sealed: proposal.drop_sealed,
            call: proposal.call,
            given_by: self.giving.take(),
            unreadable,
        };
        Ok(self.recorder.experiment(Event::Proposed(Box::new(proposed)), Durability::Synced)?)
    }

    /// Returns the stop that is due now, if any.
    pub(super) fn due(&self) -> Result<Option<Stopped>, EngineError> {
        let stopped = |rule, detail| Ok(Some(Stopped { rule, detail }));
        if self.stop_requested() {
            return stopped(StopRule::Requested, "asked to stop".to_owned());
        }
        let reserve = self.reserve()?;
        if let Some(detail) = self.deadline.passed(reserve) {
            return stopped(StopRule::Until, detail);
        }
        if let Some(detail) = self.stop_file() {
            return stopped(StopRule::StopFile, detail);
        }
        if let Some(detail) = super::clock::disk_low(self.places.cache(), &self.settings.limits) {
            return stopped(StopRule::DiskLow, detail);
        }
        let rule = policy::stop(&self.counters(reserve), &self.settings.stop);
        rule.map_or(Ok(None), |(rule, detail)| stopped(rule, detail))
    }

    /// Returns the time that the end of the session needs: that of a validation where something kept waits for one, and
    /// that of the candidate which comes before it.
    fn reserve(&self) -> Result<Reserve, EngineError> {
        let timed = self.settings.stop.max_hours.is_some() || self.settings.stop.until.is_some();
        if !timed || !self.needs_validation()? {
            return Ok(Reserve::default());
        }
        let taken = self.recorder.state().validated().map_or(0.0, |validated| validated.seconds);
        let validation_s = self.validation_cost().max(taken);
        Ok(Reserve { validation_s, candidate_s: self.pace.seconds() })
    }

    /// Says that the file of `stop.file` is there.
    fn stop_file(&self) -> Option<String> {
        let file = join(&self.settings.folder, self.settings.stop.file.as_ref()?);
        let path = self.user.root().join(&file);
        path.exists().then(|| format!("{file} is there; remove it to go on"))
    }

    fn counters(&self, reserve: Reserve) -> Counters {
        let state = self.recorder.state();
        Counters {
            iterations: state.iterations(),
            hours: state.hours(Some(Timestamp::now())),
            since_keep: state.plateau(),
            check_failures: state.same_check().map(|same| CheckStreak { check: same.name.clone(), times: same.count }),
            crashes: state.crashes_in_a_row(),
            agent_cost: state.agent_cost(),
            best: self.best(),
            direction: self.settings.primary.direction,
            reserve,
        }
    }

    /// Says whether somebody asked for a stop: Ctrl-C, or `autoresearch stop` from another terminal.
    pub(super) fn stop_requested(&self) -> bool {
        self.interrupts.stop_requested() || self.places.stop_request().exists()
    }

    /// Stops between two steps where that was asked for; what was measured so far is kept and taken up again.
    pub(super) fn pause_point(&self) -> Result<(), EngineError> {
        if self.interrupts.abort_requested() {
            return Err(EngineError::Interrupted);
        }
        if self.stop_requested() { Err(EngineError::StopRequested) } else { Ok(()) }
    }

    /// Journals how a session ended; an error that is a stop rule of its own becomes one.
    pub(super) fn end(&mut self, ended: Result<Stopped, EngineError>) -> Result<Stopped, EngineError> {
        match ended {
            Ok(stopped) => {
                self.recorder.session(Event::Stopped(stopped.clone()), Durability::Synced)?;
                self.clear_request();
                Ok(stopped)
            }
            Err(error) => match self.stopped_by(&error)? {
                Some(stopped) if stopped.rule == StopRule::Requested => Ok(stopped),
                _ => Err(error),
            },
        }
    }

    /// Journals that the session rests, with nothing under way.
    pub fn rest(&mut self, detail: &str) -> Result<(), EngineError> {
        let stopped = Stopped { rule: StopRule::Requested, detail: detail.to_owned() };
        Ok(self.recorder.session(Event::Stopped(stopped), Durability::Synced)?)
    }

    /// Journals the stop that an error amounts to.
    pub(super) fn stopped_by(&mut self, error: &EngineError) -> Result<Option<Stopped>, EngineError> {
        let Some(rule) = error.stop_rule() else { return Ok(None) };
        let stopped = Stopped { rule, detail: error.to_string() };
        self.recorder.session(Event::Stopped(stopped.clone()), Durability::Synced)?;
        self.clear_request();
        Ok(Some(stopped))
    }

    fn clear_request(&self) {
        // A request that cannot be removed would stop the next session at once, which then says so.
        let _ = std::fs::remove_file(self.places.stop_request());
    }

    /// Waits until nothing else is measured or built on this host, and keeps it so.
    ///
    /// Nothing is under way meanwhile, so that a stop that is asked for once ends the wait too. A wait that a person
    /// would notice is told once.
    pub(super) fn host_lock(&mut self) -> Result<HostLock, EngineError> {
        let mut told = Ok(false);
        let lock = HostLock::acquire(|waited| {
            if matches!(told, Ok(false)) && waited >= SILENT_WAIT {
                told = self.tell_wait().map(|()| true);
            }
            if told.is_err() || self.pause_point().is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        told?;
        match lock {
            Err(HostError::WaitEnded { .. }) => self.pause_point().and(Err(EngineError::Interrupted)),
            lock => Ok(lock?),
        }
    }

    fn tell_wait(&mut self) -> Result<(), EngineError> {
        let lock = HostLock::path();
        let text = format!("another session builds or measures on this host; waiting for {}", lock.display());
        Ok(self.recorder.session(Event::Note(Note { text }), Durability::Written)?)
    }

    /// Returns the error budget of the present epoch.
    pub(super) fn budget(&self) -> Budget {
        let epoch = self.recorder.state().epoch();
        let mut budget = Budget::new(self.settings.decision.false_keep_share, epoch.size);
        for spent in 0..epoch.measured {
            budget.spend(spent < epoch.keeps);
        }
        budget
    }

    /// Returns the judge of the candidate under way. One whose goal is to simplify and which removes lines of code need
    /// only exclude a regression.
    pub(super) fn judge(&self) -> Result<Judge, EngineError> {
        let facts = self.recorder.facts();
        let simplify = facts.simplifies();
        let judge = match &facts.carried {
            Some(carried) => self.rings.judge_further(carried, simplify),
            None => self.rings.judge(self.budget().alpha(), simplify),
        };
        judge.ok_or(EngineError::NotCalibrated)
    }

    /// Returns the number that the next experiment gets.
    pub fn next_experiment(&self) -> ExperimentId {
        self.recorder.state().next_id()
    }
}
