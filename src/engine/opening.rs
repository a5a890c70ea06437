//! Opens a session: journal and fold, branch, harness, slots; nothing of the project runs yet.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::{
    Arm, Base, Configured, Event, ObjectId, Observer, Recovered, Resumed, SandboxApplied, SessionId, Settings,
};
use crate::gate::ScopeRules;
use crate::git::{PrivateRepository, Survey, UserRepository};
use crate::journal::{Journal, Reader};
use crate::state::{self, SessionState};
use crate::stats::{self, Supply};
use crate::{host, process};

use super::EngineError;
use super::aside;
use super::carry;
use super::clock::Deadline;
use super::experiment::ExperimentFacts;
use super::harness::Harness;
use super::hooks::HookMemory;
use super::idea_book::OwedEdit;
use super::inventory::Inventories;
use super::power::PowerWatch;
use super::reach::Reach;
use super::rebase;
use super::recorder::{Durability, Recorder};
use super::recover::{self, Ground};
use super::rings::Rings;
use super::runner::Runner;
use super::segments::Beginning;
use super::session::{Context, Pace, Purpose, Session};
use super::sources::Sources;
use super::weather::Weather;
use super::workbench::{Workbench, join};

/// Candidates of one alpha epoch where their number is not known beforehand.
const VERSION: &str = concat!("autoresearch ", env!("CARGO_PKG_VERSION"));

/// What a journal says when it is read back: the fold, the noise, and the experiment that was left unfinished.
pub(super) struct ReadBack {
    /// The fold.
    pub state: SessionState,
    /// The noise rings.
    pub rings: Rings,
    /// Facts of the unfinished experiments, oldest first.
    pub unfinished: Vec<ExperimentFacts>,
    /// Edits of ideas.md that settled experiments owe, oldest first.
    pub owed: Vec<OwedEdit>,
    /// What calibration saw of the machine.
    pub weather: Weather,
    /// Which tests the checks ran.
    pub inventory: Inventories,
}

/// Reads a journal back in one pass.
pub(super) fn read_back(path: &Path, settings: &Settings) -> Result<ReadBack, EngineError> {
    let reader = Reader::open(path)?;
    let mut state = SessionState::new(reader.header().session);
    let mut rings = Rings::new(settings);
    let mut owed: Vec<OwedEdit> = Vec::new();
    let mut weather = Weather::default();
    let mut inventory = Inventories::default();
    let mut open: BTreeMap<crate::domain::ExperimentId, ExperimentFacts> = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let wanted = state::wants(record.kind())
            || Rings::wants(record.kind())
            || ["phase", "inventory"].contains(&record.kind());
        let event = if wanted { record.event()? } else { None };
        let Some(event) = event else {
            state.pass_over(record.at);
            continue;
        };
        if state::wants(record.kind()) {
            state.apply(record.experiment, record.at, &event);
        } else {
            state.pass_over(record.at);
        }
        rings.apply(record.experiment, &event);
        weather.apply(record.experiment, &event);
        inventory.apply(&event);
        match (&event, record.experiment) {
            (Event::Run(run), Some(id)) => {
                let facts = open.remove(&id).unwrap_or_default();
                owed.extend(OwedEdit::of(facts.proposed.as_ref(), run, settings, &state));
                if facts.moved_branch(&event) {
                    open.values_mut().for_each(ExperimentFacts::forget_attempts);
                }
            }
            (Event::IdeaEdited(edit), Some(id)) if edit.written => owed.retain(|owed| !owed.is(id, edit)),
            (Event::IdeaEdited(_), _) => {}
            (Event::Undone(_), id) => {
                open.values_mut().for_each(ExperimentFacts::forget_attempts);
                let record = id.and_then(|id| state.experiment(id));
                owed.extend(record.and_then(|record| OwedEdit::of_undone(record, settings)));
            }
            (Event::Configured(_) | Event::Rebased(_), None) => open.values_mut().for_each(|facts| facts.apply(&event)),
            (event, Some(id)) => open.entry(id).or_insert_with(|| ExperimentFacts::new(id)).apply(event),
            (_, None) => {}
        }
    }
    let mut unfinished: Vec<ExperimentFacts> =
        state.all_unfinished().filter_map(|left| open.remove(&left.id)).collect();
    for facts in unfinished.iter_mut().filter(|facts| !facts.evidence_lost) {
        if let Some(earlier) = facts.proposed.as_ref().and_then(|proposed| proposed.resumes) {
            facts.carried = carry::evidence_of(path, earlier, rings.first_metric())?.map(Box::new);
        }
    }
    Ok(ReadBack { state, rings, unfinished, owed, weather, inventory })
}

impl<'a, 'o> Session<'a, 'o> {
    /// Opens a new session, or the one that the journal holds; completes or undoes what a crash left behind.
    ///
    /// What git cannot do on a disk that is low is the disk's fault.
    pub fn open(context: &Context<'a>, observers: Vec<&'o mut dyn Observer>) -> Result<Self, EngineError> {
        Self::open_onto(context, observers, None)
    }

    /// Opens a session that goes on from another base where a revision is named. What it kept before is saved as a branch, and tried
    /// again there.
    pub fn open_onto(
        context: &Context<'a>,
        observers: Vec<&'o mut dyn Observer>,
        onto: Option<&str>,
    ) -> Result<Self, EngineError> {
        Self::opened(context, observers, onto).map_err(|error| match error {
            EngineError::Git(git) => match super::clock::disk_low(context.places.cache(), &context.settings.limits) {
                Some(free) => EngineError::DiskLow { free, after: Some(git.to_string()) },
                None => git.into(),
            },
            other => other,
        })
    }

    fn opened(
        context: &Context<'a>,
        observers: Vec<&'o mut dyn Observer>,
        onto: Option<&str>,
    ) -> Result<Self, EngineError> {
        let Context { settings, places, user, .. } = *context;
        let fresh = !places.journal().exists();
        let base = onto.map_or_else(|| base_commit(user, settings), |onto| Ok(user.resolve(onto)?))?;
        let identity = match context.purpose {
            Purpose::Session => Some(user.identity()?),
            Purpose::Rehearsal | Purpose::Comparison => None,
        };
        let survey = surveyed(user, &base, settings)?;
        if fresh && context.purpose == Purpose::Session {
            refuse_taken_branch(user, &settings.branch)?;
        }
        let journal = open_journal(&places.journal(), fresh)?;
        let torn = journal.torn().map(|torn| Recovered { found: torn.to_string(), action: "cut it".to_owned() });
        let ReadBack { state, mut rings, unfinished, mut owed, weather, inventory } =
            read_back(&places.journal(), settings)?;
        let unbegun = state.configured().is_none();
        refuse_by_record(context, &state, fresh)?;
        let mut recorder = Recorder::new(journal, state, observers);
        torn.map_or(Ok(()), |torn| recorder.session(Event::Recovered(torn), Durability::Written))?;
        std::fs::create_dir_all(places.cache())
            .map_err(|source| EngineError::io("create folder", places.cache(), source))?;
        let private = PrivateRepository::open_or_create(places.cache(), user, &survey)?;
        let ground = Ground { settings, places, user, private: &private };
        owed.extend(catch_up(&mut recorder, unfinished, ground, &mut rings)?);
        onto.map_or(Ok(()), |onto| rebase::rebase(&mut recorder, ground, onto))?;
        let base = present_base(recorder.state()).unwrap_or(base);
        let tip = recorder.state().tip().cloned().unwrap_or_else(|| base.clone());
        let harness = Harness::collect(user.root(), settings)?;
        let scope = ScopeRules::new(settings, harness.snapshot())?;
        let runner = runner(context, &private);
        let bench = Workbench::open(runner, (settings, places, user.root()), private, harness, tip)?;
        let deadline = Deadline::next(settings.stop.until.as_deref(), &jiff::Zoned::now());
        let interrupts = context.interrupts;
        let purpose = context.purpose;
        let mut session = Self {
            settings,
            places,
            user,
            interrupts,
            identity,
            base,
            bench,
            recorder,
            rings,
            owed,
            scope,
            converts: survey.converts(),
            deadline,
            purpose,
            checkpoints_off: false,
            weather,
            inventory,
            pace: Pace::default(),
            hooks: HookMemory::default(),
            power: PowerWatch::begin(),
            giving: None,
        };
        session.begin(unbegun, context)?;
        session.write_owed()?;
        Ok(session)
    }

    /// Journals the start: settings where they are new, else that the session goes on; then the branch exists.
    fn begin(&mut self, unbegun: bool, context: &Context<'_>) -> Result<(), EngineError> {
        let harness = self.bench.harness().hashes();
        if let Some(beginning) = self.beginning(&harness) {
            self.tell_unmoved_base()?;
            let configured = self.configured(beginning, harness);
            let event = Event::Configured(Box::new(configured));
            let moved = self.recorder.state().rebasing().is_some();
            self.inventory.apply(&event);
            self.recorder.session(event, Durability::Synced)?;
            if moved {
                // What was built on the base before is no warm cache of this one.
                [Arm::Baseline, Arm::Candidate].into_iter().try_for_each(|arm| self.bench.empty_caches(arm))?;
            }
        }
        if self.purpose == Purpose::Session && (unbegun || self.lacks_branch()?) {
            let reflog = "autoresearch: the session starts";
            self.user.create_branch(&self.settings.branch, &self.base, reflog)?;
        } else if !unbegun {
            self.expect_branch()?;
            let reused = self.serving_calibration().is_some();
            let resumed = Resumed { tip: self.bench.tip().clone(), calibration_reused: reused };
            self.recorder.session(Event::Resumed(resumed), Durability::Synced)?;
        }
        let enforced = process::probe(context.supervisor)?;
        if self.settings.sandbox.require {
            require_sandbox(&enforced)?;
        }
        self.recorder.session(Event::SandboxApplied(SandboxApplied { enforced }), Durability::Written)?;
        Ok(())
    }

    /// Says whether an earlier process ended between its first line and the making of the branch.
    fn lacks_branch(&self) -> Result<bool, EngineError> {
        let began = self.recorder.state().calibrated().is_some();
        Ok(!began && self.user.branch_tip(&self.settings.branch)?.is_none())
    }

    fn configured(&self, beginning: Beginning, harness: BTreeMap<String, String>) -> Configured {
        let state = self.recorder.state();
        let old = state.configured();
        let primary = &self.settings.primary;
        let epoch = old.map_or_else(|| self.epoch_size(), |old| old.epoch);
        Configured {
            name: self.settings.name.clone(),
            metric_name: primary.name.clone(),
            metric_unit: primary.unit.clone(),
            best_direction: primary.direction,
            segment: old.map_or(0, |old| old.segment + 1),
            why: beginning.why,
            settings: Box::new(self.settings.clone()),
            harness,
            base: self.base.clone(),
            epoch,
            environment: host::fingerprint(),
            version: VERSION.to_owned(),
            measured_since: (!beginning.anew).then(|| state.measured_since()),
        }
    }

    /// Returns `A` of statistics section 3: the candidates listed, else the iterations allowed, within 20 and 100.
    fn epoch_size(&self) -> u32 {
        let listed = Sources::new(self.settings, self.user).and_then(|sources| sources.supply(self.user, None));
        // What cannot be read is told where candidates are taken from it.
        let listed = listed.ok().and_then(Supply::listed);
        stats::epoch_size(None, listed, self.settings.stop.max_iterations)
    }

    /// Refuses to go on when the branch is not where the session left it, or somebody works on it.
    fn expect_branch(&self) -> Result<(), EngineError> {
        let branch = &self.settings.branch;
        let found = self.user.branch_tip(branch)?;
        if found.as_ref() != Some(self.bench.tip()) {
            let expected = self.bench.tip().clone();
            return Err(EngineError::BranchMoved { branch: branch.clone(), found, expected });
        }
        refuse_checked_out(self.user, branch)
    }
}

/// Makes what runs commands, with all that they can reach.
fn runner<'a>(context: &Context<'a>, private: &PrivateRepository) -> Runner<'a> {
    let place = (context.settings, context.places);
    let inherited = context.inherited.clone();
    let reach = Reach::new(place, context.user, private.path(), &inherited);
    Runner::new(place, reach, context.supervisor, context.interrupts, inherited)
}

/// Completes or undoes the steps that a crash left behind; returns the edits of ideas.md that this owes.
fn catch_up(
    recorder: &mut Recorder<'_>,
    unfinished: Vec<ExperimentFacts>,
    ground: Ground<'_>,
    rings: &mut Rings,
) -> Result<Vec<OwedEdit>, EngineError> {
    let mut owed = Vec::new();
    for done in recover::complete_all(recorder, unfinished, ground, rings.roles())? {
        rings.apply(Some(done.id), &Event::Run(Box::new(done.run)));
        owed.extend(done.owed);
    }
    recover::complete_revert(recorder, ground)?;
    rebase::complete(recorder, ground)?;
    Ok(owed)
}

/// Returns the commit that the session stands on: what it was moved to last, else where it started.
fn present_base(state: &SessionState) -> Option<ObjectId> {
    let moved = state.rebasing().map(|rebased| rebased.base.clone());
    moved.or_else(|| state.configured().map(|configured| configured.base.clone()))
}

fn open_journal(path: &Path, fresh: bool) -> Result<Journal, EngineError> {
    if !fresh {
        return Ok(Journal::open(path)?);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| EngineError::io("create folder", folder, source))?;
    }
    Ok(Journal::create(path, SessionId::generate(), VERSION)?)
}

/// Refuses to pin runs to cores that this process may not use.
fn refuse_pin(settings: &Settings) -> Result<(), EngineError> {
    let reason = settings.host.pin.as_ref().and_then(host::refuse_pin);
    let cure = || "name other cores with --pin or 'host.pin', or leave it out".to_owned();
    reason.map_or(Ok(()), |reason| Err(EngineError::Refused { reason, cure: cure() }))
}

/// Refuses a machine that cannot enforce what `sandbox.require` asks for.
fn require_sandbox(enforced: &BTreeMap<String, String>) -> Result<(), EngineError> {
    let missing = enforced.iter().find(|(_, state)| state.starts_with("missing"));
    match missing {
        None => Ok(()),
        Some((means, state)) => Err(EngineError::Refused {
            reason: format!("this machine cannot enforce the sandbox: {means} is {state}"),
            cure: "set sandbox.require to false to run with what there is, or use another machine".to_owned(),
        }),
    }
}

/// Returns the commit that a new session starts from.
pub(super) fn base_commit(user: &UserRepository, settings: &Settings) -> Result<ObjectId, EngineError> {
    user.require_commit()?;
    Ok(match &settings.base {
        Base::Current => user.require_commit()?,
        Base::Revision(revision) => user.resolve(revision)?,
    })
}

/// Looks at the repository and the machine, and refuses what a session cannot work with.
fn surveyed(user: &UserRepository, base: &ObjectId, settings: &Settings) -> Result<Survey, EngineError> {
    let survey = user.survey(base)?;
    refuse(&survey)?;
    refuse_pin(settings)?;
    Ok(survey)
}

/// Turns the first refusal of a survey into an error.
pub(super) fn refuse(survey: &Survey) -> Result<(), EngineError> {
    match survey.refusals().into_iter().next() {
        Some(refusal) => Err(EngineError::Refused { reason: refusal.reason, cure: refusal.cure }),
        None => Ok(()),
    }
}

/// Refuses a session whose record says that it is another one's, was moved aside half, or never came to a branch.
fn refuse_by_record(context: &Context<'_>, state: &SessionState, fresh: bool) -> Result<(), EngineError> {
    let Context { settings, places, user, .. } = *context;
    if context.purpose != Purpose::Session {
        return Ok(());
    }
    aside::refuse_half_moved(user, places, &settings.branch)?;
    refuse_namesake(user, state, settings)?;
    if state.configured().is_none() && !fresh { refuse_taken_branch(user, &settings.branch) } else { Ok(()) }
}

/// Refuses the session of a config in another folder that is there still: it would share journal and branch with this one.
fn refuse_namesake(user: &UserRepository, state: &SessionState, settings: &Settings) -> Result<(), EngineError> {
    let Some(old) = state.configured().map(|configured| &configured.settings) else { return Ok(()) };
    let other = join(&old.folder, &old.file);
    if old.folder == settings.folder || !user.root().join(&other).is_file() {
        return Ok(());
    }
    let name = &settings.name;
    Err(EngineError::Refused {
        reason: format!(
            "session '{name}' is that of {other}, and {} names it too",
            join(&settings.folder, &settings.file)
        ),
        cure: "give one of them another 'name'".to_owned(),
    })
}

pub(super) fn refuse_taken_branch(user: &UserRepository, branch: &str) -> Result<(), EngineError> {
    refuse_checked_out(user, branch)?;
    if let Some(blocking) = user.blocking_branch(branch)? {
        return Err(EngineError::Refused {
            reason: format!("branch '{branch}' cannot be made beside branch '{blocking}'"),
            cure: format!("rename it with 'git branch -m {blocking} NEW-NAME', or set another 'branch' in the config"),
        });
    }
    match user.branch_tip(branch)? {
        None => Ok(()),
        Some(tip) => Err(EngineError::Refused {
            reason: format!("branch '{branch}' exists already at {} but there is no session of that name", tip.short()),
            cure: format!("delete it with 'git branch -D {branch}', or set another 'branch' in the config"),
        }),
    }
}

pub(super) fn refuse_checked_out(user: &UserRepository, branch: &str) -> Result<(), EngineError> {
    match user.checked_out_in(branch)? {
        None => Ok(()),
        Some(checkout) => Err(EngineError::Refused {
            reason: format!("branch '{branch}' is checked out in {}", checkout.display()),
            cure: format!("switch that checkout to another branch ('git -C {} switch -')", checkout.display()),
        }),
    }
}
