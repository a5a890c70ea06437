//! The two slots of a session, which of them holds the baseline, and the commands that run in them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{Arm, Calibrated, Command, Exit, MetricName, ObjectId, Phase, Prepare, Reading, Reason, Settings};
use crate::git::{Applied, ApplyError, DeviationKind, PrivateRepository, Slot, SlotName};
use crate::measure::{self, MetricPlan, RunFiles, RunReading};

use super::EngineError;
use super::harness::Harness;
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
}

impl TimeLimits {
    /// Resolves the configured limits with what a calibration found, in seconds by command.
    pub(super) fn resolve(settings: &Settings, learned: &BTreeMap<String, f64>) -> Self {
        let of = |command: &str| learned.get(command).copied();
        Self {
            build: settings.build.as_ref().map_or(Duration::ZERO, |b| b.timeout.resolve(of("build"))),
            bench: settings.bench.timeout.resolve(of("bench")),
            check: settings.checks.timeout.resolve(of("check")),
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
    /// Which metrics of a run matter; the first run fixes globs and line counts.
    pub plan: MetricPlan,
    /// Bytes of an environment variable that every run of the bench sees; 0 is none.
    pub padding: usize,
    /// Lines of each judged metric in one run.
    pub lines: BTreeMap<MetricName, u32>,
}

impl<'a> Workbench<'a> {
    /// Makes both slots in the private repository and puts them at the tip.
    pub(super) fn open(
        runner: Runner<'a>,
        (settings, places, root): (&'a Settings, &'a Places, &Path),
        private: PrivateRepository,
        harness: Harness,
        tip: ObjectId,
    ) -> Result<Self, EngineError> {
        let private_tip = private.private_commit(&tip, harness.files())?;
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
            padding: 0,
            lines: BTreeMap::new(),
            root: root.to_owned(),
        };
        for arm in [Arm::Baseline, Arm::Candidate] {
            bench.reset_to_tip(arm)?;
        }
        Ok(bench)
    }

    /// Returns the private repository.
    pub(super) fn private(&self) -> &PrivateRepository {
        &self.private
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
        }
        let private = self.private_of(arm).clone();
        Ok(self.slots[index].reset(&private, &keep)?)
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
            let private = self.private.private_commit(commit, self.harness.files())?;
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
        let index = self.index(Arm::Candidate);
        self.slots[index].lay(tree)?;
        self.laid = Some(tree.clone());
        Ok(())
    }

    /// Makes the candidate the baseline: the slots swap roles, and nothing is rebuilt.
    pub(super) fn swap(&mut self, new_tip: ObjectId) -> Result<(), EngineError> {
        self.private_tip = self.private.private_commit(&new_tip, self.harness.files())?;
        self.tip = new_tip;
        self.baseline = 1 - self.baseline;
        self.slots[self.baseline].stand(&self.private_tip)?;
        self.reset_to_tip(Arm::Candidate)
    }

    /// Lets the arms change slots: each is laid out in the other's, and nothing is built. A keep's [`Self::swap`] goes by
    /// roles, so that it needs no other care afterwards.
    pub(super) fn change_slots(&mut self, tree: &ObjectId) -> Result<(), EngineError> {
        self.baseline = 1 - self.baseline;
        self.reset_to_tip(Arm::Baseline)?;
        self.lay(tree)
    }

    /// Removes an arm's warm caches, so that its next build starts from nothing.
    pub(super) fn empty_caches(&mut self, arm: Arm) -> Result<(), EngineError> {
        for folder in self.kept_folders() {
            let path = self.root(arm).join(&folder);
            match std::fs::remove_dir_all(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(EngineError::io("remove folder", &path, source));
                }
                _ => {}
            }
        }
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
        Ok(result.map(Some))
    }

    /// Runs one check in an arm's slot.
    pub(super) fn check(&mut self, arm: Arm, check: &str, log: PathBuf) -> Attempt<Exit> {
        let path = self.root(arm).join(check);
        let command = Command::Argv(vec![path.to_string_lossy().into_owned()]);
        let errand = Errand {
            phase: Phase::Check,
            command: &command,
            limit: self.limits.check,
            log,
            network: false,
            env: Vec::new(),
        };
        let result = self.run(arm, &errand)?;
        self.runner.trim_logs(&errand)?;
        Ok(result)
    }

    /// Runs the bench once in an arm's slot and reads its metrics.
    pub(super) fn bench(&mut self, arm: Arm, log: PathBuf) -> Attempt<(Reading, Exit)> {
        let metrics = self.settings.bench.metrics_file.then(|| self.home(arm).join("metrics"));
        let env = metrics.iter().map(|path| (OsString::from("AUTORESEARCH_METRICS"), path.clone().into_os_string()));
        let errand = Errand {
            phase: Phase::Measure,
            command: &self.settings.bench.command,
            limit: self.limits.bench,
            log,
            network: false,
            env: env.chain(self.padding()).collect(),
        };
        if let Some(path) = &metrics {
            let home = self.home(arm);
            std::fs::create_dir_all(&home).map_err(|source| EngineError::io("create folder", &home, source))?;
            std::fs::write(path, b"").map_err(|source| EngineError::io("empty file", path, source))?;
        }
        let exit = match self.run(arm, &errand)? {
            Ok(exit) => exit,
            Err(failure) => return Ok(Err(failure)),
        };
        let (stdout, stderr) = (errand.stdout(), errand.stderr());
        let files = RunFiles { stdout: &stdout, stderr: &stderr, metrics_file: metrics.as_deref() };
        let run = measure::read_run(files, &exit.usage, &self.plan)?;
        self.runner.trim_logs(&errand)?;
        Ok(match run.outcome.clone() {
            Ok(reading) => {
                self.learn(run);
                Ok((reading, exit))
            }
            Err(failure) => Err(Failure { reason: failure.reason(), detail: failure.to_string(), exit: Some(exit) }),
        })
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
        self.places.slot_home(self.slots[self.index(arm)].name().as_str())
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
    }
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
