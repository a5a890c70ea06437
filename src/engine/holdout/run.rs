//! One run of the holdout's command in one slot.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::domain::{Arm, Exit, HoldoutCalibration, KnobCommand, MetricName, Phase, Reading, Settings};
use crate::engine::EngineError;
use crate::engine::runner::{Errand, Failure};
use crate::engine::workbench::{Attempt, Workbench};
use crate::measure::{MetricPlan, RunReading};

/// Names the folder of the files of a holdout outside the repository.
const FOLDER_VARIABLE: &str = "AUTORESEARCH_HOLDOUT_DIR";

/// What a run of the holdout must print, as far as it is known.
#[derive(Debug, Clone)]
pub(in crate::engine) struct HeldOut {
    /// Which of its metrics matter; the first run fixes globs and line counts.
    pub(super) plan: MetricPlan,
    /// Lines of each of them in one run.
    pub(super) lines: BTreeMap<MetricName, u32>,
}

impl HeldOut {
    /// Plans the metrics of the holdout, where there is one.
    pub(in crate::engine) fn new(settings: &Settings) -> Result<Option<Self>, EngineError> {
        let Some(holdout) = &settings.holdout else { return Ok(None) };
        Ok(Some(Self { plan: MetricPlan::of_holdout(holdout)?, lines: BTreeMap::new() }))
    }

    /// Takes over names and line counts that a calibration fixed.
    pub(in crate::engine) fn adopt(&mut self, calibrated: &HoldoutCalibration) {
        self.plan = self.plan.restored_from(&calibrated.metrics, &calibrated.parts);
    }

    /// Returns the lines of each metric that stands only in a `geomean(...)`.
    pub(super) fn parts(&self) -> BTreeMap<MetricName, u32> {
        let judged: Vec<&MetricName> = self.plan.metrics().map(|(name, _)| name).collect();
        let parts = self.lines.iter().filter(|(name, _)| !judged.contains(name));
        parts.map(|(name, lines)| (name.clone(), *lines)).collect()
    }

    fn learn(&mut self, run: &RunReading) {
        if !self.plan.is_fixed() {
            self.plan = self.plan.fixed_by(&run.lines);
            self.lines.clone_from(&run.lines);
        }
    }
}

impl Workbench<'_> {
    /// Runs the holdout once in an arm's slot and reads its metrics; its files are there meanwhile, and only then.
    pub(super) fn hold_out(&mut self, arm: Arm, log: PathBuf) -> Attempt<(Reading, Exit)> {
        self.sweep_candidate(arm)?;
        let laid = self.harness().held().lay(self.root(arm), &self.home(arm))?;
        let result = self.hold_out_with(arm, log, &laid);
        laid.take_away()?;
        result
    }

    fn hold_out_with(&mut self, arm: Arm, log: PathBuf, laid: &super::files::Laid) -> Attempt<(Reading, Exit)> {
        let (Some(holdout), Some(held)) = (&self.settings().holdout, self.held.clone()) else {
            return Err(EngineError::NotCalibrated);
        };
        let command = self.harness().held().command(holdout, laid);
        // It measures what the bench does; arguments behind its command might mean something else there.
        let (_, knobs) = self.with_knobs(arm, KnobCommand::Bench, &holdout.command)?;
        let metrics = self.metrics_file(arm)?;
        let folder =
            laid.outside.iter().map(|folder| (OsString::from(FOLDER_VARIABLE), folder.clone().into_os_string()));
        let errand = Errand {
            phase: Phase::Holdout,
            command: &command,
            limit: self.limits.holdout,
            log,
            network: false,
            env: folder.chain(Self::metrics_variable(metrics.as_ref())).chain(knobs).collect(),
        };
        let exit = match self.run_measured(arm, &errand, metrics.as_ref())? {
            Ok(exit) => exit,
            Err(failure) => return Ok(Err(failure)),
        };
        let run = self.read(&errand, metrics.as_ref(), &exit, &held.plan)?;
        Ok(match &run.outcome {
            Ok(reading) => {
                self.held.iter_mut().for_each(|held| held.learn(&run));
                Ok((reading.clone(), exit))
            }
            Err(failure) => Err(Failure { reason: failure.reason(), detail: failure.to_string(), exit: Some(exit) }),
        })
    }
}
