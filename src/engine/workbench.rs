//! The two slots of a session, which of them holds the baseline, and the commands that run in them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{
    Arm, Calibrated, Command, Exit, Inventory, MetricName, ObjectId, Phase, Prepare, Reading, Reason, Settings,
};
use crate::gate::{self, CheckOutput, JunitFiles, TestInventory};
use crate::git::{self, Applied, ApplyError, DeviationKind, PrivateRepository, Slot, SlotName};
use crate::measure::{self, MetricPlan, RunFiles, RunReading};

use super::EngineError;
use super::harness::Harness;
use super::holdout::{HeldFiles, HeldOut};
use super::home;
use super::inventory::Checked;
use super::metrics_file::MetricsFile;
use super::places::Places;
use super::reach::Ease;
use super::runner::{Errand, Failure, Runner, SlotPlace};

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
            let private = [places.journal(), places.held_out_logs()];
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

    /// Applies a patch to the tip's tree; no file is touched.
    pub(super) fn apply(&self, patch: &[u8], bases: &[ObjectId]) -> Result<Applied, ApplyError> {
        self.private.apply(patch, &self.tip, bases)
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

    /// Runs `prepare` in an arm's slot, on base code only, and remembers what it made.
    pub(super) fn prepare(&mut self, arm: Arm, log: PathBuf) -> Attempt<()> {
        let Some(prepare) = self.prepare_settings() else { return Ok(Ok(())) };
        let index = self.index(arm);
        self.unmark_prepared(arm)?;
        self.slots[index].forget_prepared()?;
        self.reset_to_tip(arm)?;
        super::harness::copy_untracked((&self.root, self.settings), &prepare.copy, self.root(arm))?;
        for held in self.harness.held().absent() {
            super::harness::remove_file_if_any(&self.root(arm).join(held))?;
        }
        let errand = Errand {
            phase: Phase::Prepare,
            command: &prepare.command,
            limit: prepare.timeout.resolve(None),
            log,
            network: prepare.network,
            env: Vec::new(),
        };
        if let Err(failure) = self.run(arm, &errand)? {
            return Ok(Err(failure));
        }
        let keep = self.kept_folders();
        self.slots[index].record_prepared(&keep)?;
        self.mark_prepared(arm, prepare)?;
        Ok(Ok(()))
    }

    /// Returns how slots are prepared, where they are.
    pub(super) fn prepare_settings(&self) -> Option<&'a Prepare> {
        self.settings.prepare.as_ref()
    }

    /// Returns the config's folder, relative to the repository root.
    pub(super) fn folder(&self) -> &str {
        &self.settings.folder
    }

    /// Lets everything that a build left in an arm's slot survive resets, as a warm cache.
    pub(super) fn keep_built(&mut self, arm: Arm) -> Result<(), EngineError> {
        let keep = self.kept_folders();
        let index = self.index(arm);
        Ok(self.slots[index].record_prepared(&keep)?)
    }

    /// Builds an arm; `None` where nothing needs building.
    pub(super) fn build(&mut self, arm: Arm, log: PathBuf) -> Attempt<Option<Exit>> {
        let Some(build) = &self.settings.build else { return Ok(Ok(None)) };
        let errand = Errand {
            phase: Phase::Build,
            command: &build.command,
            limit: self.limits.build,
            log,
            network: false,
            env: Vec::new(),
        };
        let result = self.run(arm, &errand)?;
        self.runner.trim_logs(&errand)?;
        if arm == Arm::Candidate {
            let made = self.loose(arm)?;
            self.lasting.extend(made);
            self.lasting_at_home = self.strangers_at_home()?;
        }
        Ok(result.map(Some))
    }

    fn loose(&mut self, arm: Arm) -> Result<BTreeSet<Vec<u8>>, EngineError> {
        let (index, keep) = (self.index(arm), self.kept_folders());
        Ok(self.slots[index].loose(&keep)?)
    }

    /// Removes what checks and runs of the candidate left in its slot and its build did not make, unless the baseline's
    /// leave the same: what one run computes for the next is no speed.
    fn sweep(&mut self) -> Result<(), EngineError> {
        self.sweep_home()?;
        let left = self.loose(Arm::Candidate)?;
        if left.is_subset(&self.lasting) {
            return Ok(());
        }
        let usual = self.loose(Arm::Baseline)?;
        self.lasting.extend(usual);
        Ok(self.slots[self.index(Arm::Candidate)].sweep(left.difference(&self.lasting))?)
    }

    /// Runs one check in an arm's slot and reads which tests it ran.
    pub(super) fn check(&mut self, arm: Arm, check: &str, log: PathBuf) -> Attempt<Checked> {
        let junit = self.home(arm).join("junit.xml");
        let before = JunitFiles::before_run(&self.root(arm).join(&self.settings.working_dir), &junit)?;
        let path = self.root(arm).join(check);
        let command = Command::Argv(vec![path.to_string_lossy().into_owned()]);
        let errand = Errand {
            phase: Phase::Check,
            command: &command,
            limit: self.limits.check,
            log,
            network: false,
            env: vec![("AUTORESEARCH_JUNIT".into(), junit.into_os_string())],
        };
        let exit = match self.run(arm, &errand)? {
            Ok(exit) => exit,
            Err(failure) => {
                self.runner.trim_logs(&errand)?;
                return Ok(Err(failure));
            }
        };
        let tests = self.tests_of(arm, &errand, &before)?;
        self.runner.trim_logs(&errand)?;
        Ok(Ok(Checked { exit, tests }))
    }

    /// Reads which tests a check ran; paths that differ between the slots are the same word in their names.
    fn tests_of(&self, arm: Arm, errand: &Errand<'_>, before: &JunitFiles) -> Result<TestInventory, EngineError> {
        if self.settings.checks.inventory == Inventory::Off {
            return Ok(TestInventory::default());
        }
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let folders = [(text(self.root(arm)), "{slot}"), (text(&self.home(arm)), "{home}")];
        let (stdout, stderr) = (errand.stdout(), errand.stderr());
        Ok(gate::read_inventory(CheckOutput { stdout: &stdout, stderr: &stderr, before, folders: &folders })?)
    }

    /// Runs the bench once in an arm's slot and reads its metrics.
    pub(super) fn bench(&mut self, arm: Arm, log: PathBuf) -> Attempt<(Reading, Exit)> {
        let metrics = self.metrics_file(arm)?;
        let errand = Errand {
            phase: Phase::Measure,
            command: &self.settings.bench.command,
            limit: self.limits.bench,
            log,
            network: false,
            env: Self::metrics_variable(metrics.as_ref()).chain(self.padding()).collect(),
        };
        self.sweep_candidate(arm)?;
        let exit = match self.run_measured(arm, &errand, metrics.as_ref())? {
            Ok(exit) => exit,
            Err(failure) => return Ok(Err(failure)),
        };
        let run = self.read(&errand, metrics.as_ref(), &exit, &self.plan)?;
        Ok(match run.outcome.clone() {
            Ok(reading) => {
                self.learn(run);
                Ok((reading, exit))
            }
            Err(failure) => Err(Failure { reason: failure.reason(), detail: failure.to_string(), exit: Some(exit) }),
        })
    }

    /// Removes from the slot of a candidate on trial what its runs keep for the next.
    pub(super) fn sweep_candidate(&mut self, arm: Arm) -> Result<(), EngineError> {
        if arm == Arm::Candidate && self.laid.is_some() { self.sweep() } else { Ok(()) }
    }

    /// Does the same in its private home.
    fn sweep_home(&self) -> Result<(), EngineError> {
        let home = self.home(Arm::Candidate);
        let strangers = self.strangers_at_home()?;
        strangers.difference(&self.lasting_at_home).try_for_each(|path| Ok(git::remove_below(&home, path)?))
    }

    fn strangers_at_home(&self) -> Result<BTreeSet<PathBuf>, EngineError> {
        home::strangers(&self.home(Arm::Candidate), &self.home(Arm::Baseline))
    }

    /// Returns an empty file for metrics, where they come from one.
    pub(super) fn metrics_file(&self, arm: Arm) -> Result<Option<MetricsFile>, EngineError> {
        self.settings.bench.metrics_file.then(|| MetricsFile::renew(&self.home(arm))).transpose()
    }

    /// Returns the variable that names that file.
    pub(super) fn metrics_variable(file: Option<&MetricsFile>) -> impl Iterator<Item = (OsString, OsString)> {
        file.map(|file| (OsString::from("AUTORESEARCH_METRICS"), file.path().into())).into_iter()
    }

    /// Runs a command that measures; a metrics file beyond all bounds is its failure.
    pub(super) fn run_measured(
        &mut self,
        arm: Arm,
        errand: &Errand<'_>,
        metrics: Option<&MetricsFile>,
    ) -> Attempt<Exit> {
        let exit = match self.run(arm, errand)? {
            Ok(exit) => exit,
            Err(failure) => return Ok(Err(failure)),
        };
        let excess = metrics.and_then(|file| file.excess(self.settings.limits.output_bytes));
        Ok(match excess {
            None => Ok(exit),
            Some(detail) => Err(Failure { reason: Reason::ResourceLimit, detail, exit: Some(exit) }),
        })
    }

    /// Reads what a run that ended well printed, by a plan of its metrics, and trims its logs.
    pub(super) fn read(
        &self,
        errand: &Errand<'_>,
        metrics: Option<&MetricsFile>,
        exit: &Exit,
        plan: &MetricPlan,
    ) -> Result<RunReading, EngineError> {
        let (stdout, stderr) = (errand.stdout(), errand.stderr());
        let files = RunFiles { stdout: &stdout, stderr: &stderr, metrics_file: metrics.map(MetricsFile::path) };
        let run = measure::read_run(files, &exit.usage, plan)?;
        self.runner.trim_logs(errand)?;
        Ok(run)
    }

    /// Returns the variable that moves the stack of a run, where there is to be one.
    fn padding(&self) -> Option<(OsString, OsString)> {
        (self.padding > 0).then(|| ("AUTORESEARCH_PADDING".into(), "x".repeat(self.padding).into()))
    }

    /// Runs a command in an arm's slot and looks at both slots afterwards.
    fn run(&mut self, arm: Arm, errand: &Errand<'_>) -> Attempt<Exit> {
        let result = self.runner.run(self.place(arm), errand)?;
        let found = [self.tampering(Arm::Candidate, errand)?, self.tampering(Arm::Baseline, errand)?];
        match found.into_iter().flatten().next() {
            Some(failure) => Ok(Err(failure)),
            None => Ok(result),
        }
    }

    /// Looks for a tracked file that a command rewrote in an arm's slot, and puts all tracked files right.
    ///
    /// At once, so that the same is not found again after the next command, which would take the blame. What was built
    /// in the slot stays.
    fn tampering(&mut self, arm: Arm, errand: &Errand<'_>) -> Result<Option<Failure>, EngineError> {
        let index = self.index(arm);
        let Some(deviation) = self.slots[index].verify()?.into_iter().next() else { return Ok(None) };
        let private = self.private_of(arm).clone();
        self.slots[index].stand(&private)?;
        if let Some(tree) = self.laid.as_ref().filter(|_| arm == Arm::Candidate) {
            self.slots[index].lay(tree)?;
        }
        let reason = if self.harness.seals(&deviation.path) { Reason::HarnessChanged } else { Reason::TreeChanged };
        let detail = format!("'{}' {} tracked file {}", errand.command, deed(deviation.kind), deviation.path);
        Ok(Some(Failure { reason, detail, exit: None }))
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

    /// Fixes metric names and line counts by the first run that is read after a start or a new plan.
    fn learn(&mut self, run: RunReading) {
        if !self.plan.is_fixed() {
            self.plan = self.plan.fixed_by(&run.lines);
            self.lines = run.lines;
        }
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

/// Says what a command did to a tracked file.
fn deed(kind: DeviationKind) -> &'static str {
    match kind {
        DeviationKind::Rewritten => "rewrote",
        DeviationKind::Missing => "removed",
        DeviationKind::TypeChanged | DeviationKind::ModeChanged => "changed the mode or type of",
        DeviationKind::HeadMoved => "moved HEAD:",
        DeviationKind::IndexChanged => "changed the index entry of",
        DeviationKind::LinkChanged => "rewrote the worktree's link",
    }
}
