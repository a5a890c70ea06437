//! The two slots of a session, and which of them holds the baseline.

mod commands;
mod knobs;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{Arm, Calibrated, MetricName, ObjectId, Prepare, Settings};
use crate::git::{self, PrivateRepository, Slot, SlotName};
use crate::measure::MetricPlan;

use super::EngineError;
use super::harness::Harness;
use super::holdout::{HeldFiles, HeldOut};
use super::home;
use super::places::Places;
use super::reach::Ease;
use super::runner::{Failure, Runner, SlotPlace};

/// What a command in a slot came to: its result, or a failure that a candidate could be blamed for.
pub(super) type Attempt<T> = Result<Result<T, Failure>, EngineError>;

/// Time limits as they apply now.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// The build's.
    pub build: Duration,
    /// One bench run's.
    pub bench: Duration,
    /// One check's.
    pub check: Duration,
    /// One run's of the holdout.
    pub holdout: Duration,
}

impl TimeLimits {
    /// Resolves the configured limits with what a calibration found, in seconds by command.
    pub(super) fn resolve(settings: &Settings, learned: &BTreeMap<String, f64>) -> Self {
        let of = |command: &str| learned.get(command).copied();
        Self {
            build: settings.build.as_ref().map_or(Duration::ZERO, |b| b.timeout.resolve(of("build"))),
            bench: settings.bench.timeout.resolve(of("bench")),
            check: settings.checks.timeout.resolve(of("check")),
            holdout: settings.holdout.as_ref().map_or(Duration::ZERO, |h| h.timeout.resolve(of("holdout"))),
        }
    }
}

/// A commit that an arm stands at, with the private one that lays the harness over it.
struct Stand {
    commit: ObjectId,
    private: ObjectId,
}

/// Two worktrees at equal path length; one holds the current best, the other the change on trial.
pub(super) struct Workbench<'a> {
    settings: &'a Settings,
    places: &'a Places,
    root: PathBuf,
    runner: Runner<'a>,
    private: PrivateRepository,
    slots: [Slot; 2],
    baseline: usize,
    harness: Harness,
    tip: ObjectId,
    private_tip: ObjectId,
    /// Two commits that the arms stand at in place of the tip, while they are compared.
    opposed: Option<[Stand; 2]>,
    /// Time limits of the commands; the calibration tightens them.
    pub limits: TimeLimits,
    /// The tree laid over the candidate's slot.
    laid: Option<ObjectId>,
    /// Files and folders that may be left from one run of the candidate to the next.
    lasting: BTreeSet<Vec<u8>>,
    /// The same in its private home.
    lasting_at_home: BTreeSet<PathBuf>,
    /// Which metrics of a run matter; the first run fixes globs and line counts.
    pub plan: MetricPlan,
    /// Bytes of an environment variable that every run of the bench sees; 0 is none.
    pub padding: usize,
    /// Lines of each judged metric in one run.
    pub lines: BTreeMap<MetricName, u32>,
    /// What is known of the holdout, where there is one.
    pub held: Option<HeldOut>,
}

impl<'a> Workbench<'a> {
    /// Makes both slots in the private repository and puts them at the tip.
    pub(super) fn open(
        mut runner: Runner<'a>,
        (settings, places, root): (&'a Settings, &'a Places, &Path),
        private: PrivateRepository,
        harness: Harness,
        tip: ObjectId,
    ) -> Result<Self, EngineError> {
        if settings.holdout.is_some() {
            let private = places.private();
            runner.keep_secret(harness.held().originals().iter().cloned().chain(private).collect());
        }
        let private_tip = over(&private, &harness, &tip)?;
        let slots = [
            Slot::open_or_create(&private, SlotName::A, &private_tip)?,
            Slot::open_or_create(&private, SlotName::B, &private_tip)?,
        ];
        let limits = TimeLimits::resolve(settings, &BTreeMap::new());
        let plan = MetricPlan::new(settings)?;
        let mut bench = Self {
            settings,
            places,
            runner,
            private,
            slots,
            baseline: 0,
            harness,
            tip,
            private_tip,
            opposed: None,
            limits,
            plan,
            laid: None,
            lasting: BTreeSet::new(),
            lasting_at_home: BTreeSet::new(),
            padding: 0,
            lines: BTreeMap::new(),
            held: HeldOut::new(settings)?,
            root: root.to_owned(),
        };
        for arm in [Arm::Baseline, Arm::Candidate] {
            bench.reset_to_tip(arm)?;
            HeldFiles::clear(&bench.home(arm))?;
        }
        Ok(bench)
    }

    /// Returns the private repository.
    pub(super) fn private(&self) -> &PrivateRepository {
        &self.private
    }

    /// Returns the session's settings.
    pub(super) fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// Returns the sealed files.
    pub(super) fn harness(&self) -> &Harness {
        &self.harness
    }

    /// Returns the commit that the baseline is built from.
    pub(super) fn tip(&self) -> &ObjectId {
        &self.tip
    }

    /// Returns the commit that slots stand at for the tip: its tree with the harness over it, without the holdout's files.
    pub(super) fn private_tip(&self) -> &ObjectId {
        &self.private_tip
    }

    /// Returns the root folder of the slot that holds an arm.
    pub(super) fn root(&self, arm: Arm) -> &Path {
        self.slots[self.index(arm)].root()
    }

    fn index(&self, arm: Arm) -> usize {
        match arm {
            Arm::Baseline => self.baseline,
            Arm::Candidate => 1 - self.baseline,
        }
    }

    fn kept_folders(&self) -> Vec<String> {
        let folders = self.settings.build.iter().flat_map(|build| &build.keep);
        folders.map(|folder| join(&self.settings.folder, folder)).collect()
    }

    /// Puts an arm's slot at the tip with the harness laid over it; only warm caches and `prepare`'s files survive.
    pub(super) fn reset_to_tip(&mut self, arm: Arm) -> Result<(), EngineError> {
        let keep = self.kept_folders();
        let index = self.index(arm);
        if arm == Arm::Candidate {
            self.laid = None;
            self.lasting.clear();
            self.lasting_at_home.clear();
        }
        let private = self.private_of(arm).clone();
        Ok(self.slots[index].reset(&private, &keep)?)
    }

    /// Says whether the arms stand at two commits that are compared, neither of them a candidate.
    pub(super) fn is_opposed(&self) -> bool {
        self.opposed.is_some()
    }

    /// Returns the commit that an arm stands at.
    pub(super) fn stands_at(&self, arm: Arm) -> &ObjectId {
        self.opposed_stand(arm).map_or(&self.tip, |stand| &stand.commit)
    }

    fn private_of(&self, arm: Arm) -> &ObjectId {
        self.opposed_stand(arm).map_or(&self.private_tip, |stand| &stand.private)
    }

    fn opposed_stand(&self, arm: Arm) -> Option<&Stand> {
        let [baseline, candidate] = self.opposed.as_ref()?;
        Some(match arm {
            Arm::Baseline => baseline,
            Arm::Candidate => candidate,
        })
    }

    /// Puts each arm at a commit of its own, with empty caches; [`Workbench::reunite`] ends that.
    pub(super) fn oppose(&mut self, baseline: &ObjectId, candidate: &ObjectId) -> Result<(), EngineError> {
        let stand = |commit: &ObjectId| {
            let private = over(&self.private, &self.harness, commit)?;
            Ok::<_, EngineError>(Stand { commit: commit.clone(), private })
        };
        self.opposed = Some([stand(baseline)?, stand(candidate)?]);
        for arm in [Arm::Baseline, Arm::Candidate] {
            self.empty_caches(arm)?;
            self.reset_to_tip(arm)?;
        }
        Ok(())
    }

    /// Puts both arms back at the tip; what was the candidate is the baseline, as it holds the build of the tip.
    pub(super) fn reunite(&mut self) -> Result<(), EngineError> {
        self.opposed = None;
        self.swap(self.tip.clone())
    }

    /// Takes a commit as the tip that nothing is built of.
    pub(super) fn restart(&mut self, tip: ObjectId) -> Result<(), EngineError> {
        self.opposed = None;
        self.swap(tip)?;
        self.reset_to_tip(Arm::Baseline)
    }

    /// Puts the candidate's slot at the tip and lays a tree over it.
    pub(super) fn lay(&mut self, tree: &ObjectId) -> Result<(), EngineError> {
        self.reset_to_tip(Arm::Candidate)?;
        self.sweep_home()?;
        home::forget_settings(&self.home(Arm::Candidate))?;
        let index = self.index(Arm::Candidate);
        self.slots[index].lay(tree)?;
        self.laid = Some(tree.clone());
        Ok(())
    }

    /// Makes the candidate the baseline: the slots swap roles, and nothing is rebuilt.
    pub(super) fn swap(&mut self, new_tip: ObjectId) -> Result<(), EngineError> {
        self.private_tip = over(&self.private, &self.harness, &new_tip)?;
        self.tip = new_tip;
        self.baseline = 1 - self.baseline;
        self.slots[self.baseline].stand(&self.private_tip)?;
        self.reset_to_tip(Arm::Candidate)
    }

    /// Lets the arms change slots: each is laid out in the other's, and nothing is built. A keep's [`Self::swap`] goes by
    /// roles, so that it needs no other care afterwards.
    pub(super) fn change_slots(&mut self, tree: &ObjectId) -> Result<(), EngineError> {
        self.lasting_at_home.clear();
        self.sweep_home()?;
        self.baseline = 1 - self.baseline;
        self.reset_to_tip(Arm::Baseline)?;
        self.lay(tree)
    }

    /// Removes an arm's warm caches, so that its next build starts from nothing.
    pub(super) fn empty_caches(&mut self, arm: Arm) -> Result<(), EngineError> {
        self.kept_folders().iter().try_for_each(|folder| git::remove_below(self.root(arm), folder))?;
        self.runner.drop_caches(self.place(arm).name)
    }

    /// Returns the runner of this bench's commands.
    pub(super) fn runner(&self) -> &Runner<'a> {
        &self.runner
    }

    /// Grants commands more than the settings from now on, for a trial; the default ends that.
    pub(super) fn ease(&mut self, ease: Ease) {
        self.runner.ease(ease);
    }

    /// Returns how slots are prepared, where they are.
    pub(super) fn prepare_settings(&self) -> Option<&'a Prepare> {
        self.settings.prepare.as_ref()
    }

    /// Returns the config's folder, relative to the repository root.
    pub(super) fn folder(&self) -> &str {
        &self.settings.folder
    }

    fn place(&self, arm: Arm) -> SlotPlace<'_> {
        let slot = &self.slots[self.index(arm)];
        SlotPlace { name: slot.name().as_str(), root: slot.root() }
    }

    pub(super) fn home(&self, arm: Arm) -> PathBuf {
        self.places.slot_home(self.slot_name(arm))
    }

    /// Returns the name of the slot that holds an arm.
    pub(super) fn slot_name(&self, arm: Arm) -> &'static str {
        self.slots[self.index(arm)].name().as_str()
    }

    /// Returns the path of a file that lies beside the slots, where no command writes.
    pub(super) fn beside_slots(&self, name: &str) -> PathBuf {
        self.places.cache().join(name)
    }

    /// Returns the lines of each metric that stands only in a `geomean(...)`.
    pub(super) fn parts(&self) -> BTreeMap<MetricName, u32> {
        let judged: Vec<&MetricName> = self.plan.metrics().map(|(name, _)| name).collect();
        let parts = self.lines.iter().filter(|(name, _)| !judged.contains(name));
        parts.map(|(name, lines)| (name.clone(), *lines)).collect()
    }

    /// Takes over what a calibration fixed: names, line counts, time limits.
    pub(super) fn adopt(&mut self, calibrated: &Calibrated) {
        self.limits = TimeLimits::resolve(self.settings, &calibrated.limits);
        self.plan = self.plan.restored(calibrated);
        if let (Some(held), Some(calibrated)) = (&mut self.held, &calibrated.holdout) {
            held.adopt(calibrated);
        }
    }
}

/// Writes the commit that a slot stands at for a commit of the user's: the harness over it, the holdout's files out of it.
fn over(private: &PrivateRepository, harness: &Harness, commit: &ObjectId) -> Result<ObjectId, EngineError> {
    Ok(private.private_commit_without(commit, harness.files(), &harness.held().absent())?)
}

/// Joins a folder of the config with a path relative to it; `""` is the repository root.
pub(super) fn join(folder: &str, path: &str) -> String {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}
