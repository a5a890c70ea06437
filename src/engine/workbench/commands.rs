//! The project's commands as they run in a slot, and the look at both slots after each.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::domain::{Arm, Command, Exit, Inventory, KnobCommand, Phase, Reading, Reason};
use crate::engine::EngineError;
use crate::engine::inventory::Checked;
use crate::engine::metrics_file::MetricsFile;
use crate::engine::runner::{Errand, Failure};
use crate::gate::{self, CheckOutput, JunitFiles, TestInventory};
use crate::git::DeviationKind;
use crate::measure::{self, MetricPlan, RunFiles, RunReading};

use super::{Attempt, Workbench};

impl Workbench<'_> {
    /// Runs `prepare` in an arm's slot, on base code only, and remembers what it made.
    pub(in crate::engine) fn prepare(&mut self, arm: Arm, log: PathBuf) -> Attempt<()> {
        let Some(prepare) = self.prepare_settings() else { return Ok(Ok(())) };
        let index = self.index(arm);
        self.unmark_prepared(arm)?;
        self.slots[index].forget_prepared()?;
        self.reset_to_tip(arm)?;
        crate::engine::harness::copy_untracked((&self.root, self.settings), &prepare.copy, self.root(arm))?;
        for held in self.harness.held().absent() {
            crate::engine::harness::remove_file_if_any(&self.root(arm).join(held))?;
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

    /// Lets everything that a build left in an arm's slot survive resets, as a warm cache.
    pub(in crate::engine) fn keep_built(&mut self, arm: Arm) -> Result<(), EngineError> {
        let keep = self.kept_folders();
        let index = self.index(arm);
        Ok(self.slots[index].record_prepared(&keep)?)
    }

    /// Builds an arm; `None` where nothing needs building.
    pub(in crate::engine) fn build(&mut self, arm: Arm, log: PathBuf) -> Attempt<Option<Exit>> {
        let Some(build) = &self.settings.build else { return Ok(Ok(None)) };
        let (command, env) = self.with_knobs(arm, KnobCommand::Build, &build.command)?;
        let errand =
            Errand { phase: Phase::Build, command: &command, limit: self.limits.build, log, network: false, env };
        let result = self.run(arm, &errand)?;
        self.runner.trim_logs(&errand)?;
        if arm == Arm::Candidate {
            let made = self.loose(arm)?;
            self.lasting.extend(made);
            self.lasting_at_home = self.strangers_at_home()?;
        }
        Ok(result.map(Some))
    }

    /// Runs one check in an arm's slot and reads which tests it ran.
    pub(in crate::engine) fn check(&mut self, arm: Arm, check: &str, log: PathBuf) -> Attempt<Checked> {
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
    pub(in crate::engine) fn bench(&mut self, arm: Arm, log: PathBuf) -> Attempt<(Reading, Exit)> {
        let metrics = self.metrics_file(arm)?;
        let (command, knobs) = self.with_knobs(arm, KnobCommand::Bench, &self.settings.bench.command)?;
        let errand = Errand {
            phase: Phase::Measure,
            command: &command,
            limit: self.limits.bench,
            log,
            network: false,
            env: Self::metrics_variable(metrics.as_ref()).chain(self.padding()).chain(knobs).collect(),
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

    /// Returns an empty file for metrics, where they come from one.
    pub(in crate::engine) fn metrics_file(&self, arm: Arm) -> Result<Option<MetricsFile>, EngineError> {
        self.settings.bench.metrics_file.then(|| MetricsFile::renew(&self.home(arm))).transpose()
    }

    /// Returns the variable that names that file.
    pub(in crate::engine) fn metrics_variable(
        file: Option<&MetricsFile>,
    ) -> impl Iterator<Item = (OsString, OsString)> {
        file.map(|file| (OsString::from("AUTORESEARCH_METRICS"), file.path().into())).into_iter()
    }

    /// Runs a command that measures; a metrics file beyond all bounds is its failure.
    pub(in crate::engine) fn run_measured(
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
    pub(in crate::engine) fn read(
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

    /// Fixes metric names and line counts by the first run that is read after a start or a new plan.
    fn learn(&mut self, run: RunReading) {
        if !self.plan.is_fixed() {
            self.plan = self.plan.fixed_by(&run.lines);
            self.lines = run.lines;
        }
    }
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
