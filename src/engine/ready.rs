//! Makes the baseline ready: prepare, build and check it, measure its noise, record it as run 0.

use std::time::Instant;

use crate::domain::{Arm, Calibrated, CandidateRun, Decided, Event, ExperimentId, Pair, Phase, Reason, Status};
use crate::host::PairWatch;
use crate::measure::{self, PairAttempt};

use super::EngineError;
use super::calibrate::SetupTimes;
use super::experiment::ExperimentFacts;
use super::pipeline::ExitOf;
use super::recorder::Durability;
use super::session::{Purpose, Session};
use super::workbench::Attempt;

impl Session<'_, '_> {
    /// Builds both slots, checks the baseline and calibrates, unless a calibration of this machine and segment serves.
    pub fn ready(&mut self) -> Result<(), EngineError> {
        self.recorder.begin(ExperimentFacts::new(ExperimentId::BASELINE));
        let result = self.bring_up();
        self.recorder.begin(ExperimentFacts::default());
        if let Err(error) = &result {
            self.stopped_by(error)?;
        }
        result
    }

    fn bring_up(&mut self) -> Result<(), EngineError> {
        let mut times = SetupTimes::default();
        for arm in [Arm::Baseline, Arm::Candidate] {
            self.prepare_where_due(arm)?;
            let clock = Instant::now();
            self.build_baseline(arm)?;
            times.build_s = times.build_s.max(clock.elapsed().as_secs_f64());
        }
        times.check_s = self.check_baseline()?;
        if let Some(calibrated) = self.serving_calibration() {
            self.bench.adopt(&calibrated);
            return Ok(());
        }
        self.warm_up_baseline()?;
        self.calibrate(times)?;
        self.record_baseline()
    }

    /// Prepares both slots again and rebuilds the baseline, where a keep changed a file of `prepare.rerunWhen`.
    pub(super) fn prepare_after_keep(&mut self) -> Result<(), EngineError> {
        if !self.bench.prepare_is_due(Arm::Baseline)? && !self.bench.prepare_is_due(Arm::Candidate)? {
            return Ok(());
        }
        for arm in [Arm::Baseline, Arm::Candidate] {
            self.prepare_where_due(arm)?;
        }
        self.build_baseline(Arm::Baseline)
    }

    fn prepare_where_due(&mut self, arm: Arm) -> Result<(), EngineError> {
        if !self.bench.prepare_is_due(arm)? {
            return Ok(());
        }
        let log = self.log(Phase::Prepare, Some(&arm.to_string()));
        let result = self.phase(Phase::Prepare, Some(&arm.to_string()), |session| session.bench.prepare(arm, log))?;
        healthy(result)
    }

    pub(super) fn build_baseline(&mut self, arm: Arm) -> Result<(), EngineError> {
        if self.settings.build.is_none() {
            return Ok(());
        }
        let log = self.log(Phase::Build, Some(&arm.to_string()));
        let result = self.phase(Phase::Build, Some(&arm.to_string()), |session| {
            let _host = session.host_lock()?;
            session.bench.build(arm, log)
        })?;
        healthy(result.map(|_| ()))?;
        if self.purpose == Purpose::Comparison { self.bench.keep_built(arm) } else { Ok(()) }
    }

    /// Runs every check on the baseline and returns the seconds of the slowest.
    fn check_baseline(&mut self) -> Result<f64, EngineError> {
        let mut slowest: f64 = 0.0;
        for check in self.bench.harness().checks() {
            let log = self.log(Phase::Check, Some(&check.name));
            let result = self.phase(Phase::Check, Some(&check.name), |session| {
                session.bench.check(Arm::Baseline, &check.path, log)
            })?;
            match result {
                Ok(exit) => slowest = slowest.max(exit.usage.wall_s),
                Err(failure) => {
                    let detail = format!("check {}: {}", check.name, failure.detail);
                    return Err(EngineError::BaselineBroken { detail });
                }
            }
        }
        Ok(slowest)
    }

    fn warm_up_baseline(&mut self) -> Result<(), EngineError> {
        for arm in [Arm::Baseline, Arm::Candidate] {
            for turn in 0..self.settings.bench.warmup {
                let log = self.log(Phase::Warmup, Some(&format!("{turn}-{arm}")));
                let result = self.phase(Phase::Warmup, Some(&arm.to_string()), |session| session.one_run(arm, log))?;
                healthy(result.map(|_| ()))?;
            }
        }
        Ok(())
    }

    /// Runs the bench once, alone on this host.
    pub(super) fn one_run(
        &mut self,
        arm: Arm,
        log: std::path::PathBuf,
    ) -> Attempt<(crate::domain::Reading, crate::domain::Exit)> {
        let _host = self.host_lock()?;
        self.bench.bench(arm, log)
    }

    /// Runs the calibration's pairs: the same code in both slots, a fair coin for each order.
    pub(super) fn identical_pairs(&mut self) -> Result<Vec<Pair>, EngineError> {
        let mut pairs = Vec::new();
        for number in 1..=self.settings.decision.calibration_pairs {
            let mut pair = None;
            // A pair across which the machine was suspended is void, and runs again.
            while pair.is_none() {
                self.pause_point()?;
                let attempt = self.identical_pair(number)?;
                pair = attempt.complete();
                self.weather.learn(&attempt);
                self.recorder.experiment(Event::Pair(Box::new(attempt)), Durability::Written)?;
            }
            pairs.extend(pair);
        }
        Ok(pairs)
    }

    fn identical_pair(&mut self, number: u32) -> Result<CandidateRun, EngineError> {
        let order = self.settings.decision.seed.coin(ExperimentId::BASELINE, number);
        let mut watch = PairWatch::begin();
        let (mut baseline, mut candidate) = (None, None);
        for arm in order.arms() {
            let log = self.log(Phase::Measure, Some(&format!("{number:02}-{arm}")));
            let (reading, _) =
                self.one_run(arm, log)?.map_err(|failure| EngineError::BaselineBroken { detail: failure.detail })?;
            watch.ran(arm, measure::cpu_seconds(&reading));
            match arm {
                Arm::Baseline => baseline = Some(reading),
                Arm::Candidate => candidate = Some(reading),
            }
        }
        let (baseline, candidate) = (baseline.unwrap_or_default(), candidate.unwrap_or_default());
        let attempt = PairAttempt::Complete(Pair { number, order, baseline, candidate });
        let mut event = attempt.unless_suspended(watch.suspended()).to_event(number, order);
        event.host = Some(watch.reading());
        Ok(event)
    }

    /// Returns the last calibration where it was of this machine and this segment.
    fn serving_calibration(&self) -> Option<Calibrated> {
        let state = self.recorder.state();
        let (configured, calibrated) = (state.configured()?, state.calibrated()?);
        let same_segment = state.calibrated_segment() == Some(configured.segment);
        // An end between the calibration and the baseline's own settling line leaves the latter to a new calibration.
        let recorded = state.experiments().iter().any(|record| record.id == ExperimentId::BASELINE);
        (recorded && same_segment && configured.environment == crate::host::fingerprint()).then(|| calibrated.clone())
    }

    /// Writes the baseline's own settling line, `run: 0`.
    fn record_baseline(&mut self) -> Result<(), EngineError> {
        let decided = Decided {
            status: Status::Keep,
            reason: Reason::Improved,
            detail: "the baseline".to_owned(),
            flags: Vec::new(),
            comparison: None,
            commit: None,
            tip: self.bench.tip().clone(),
            moves_branch: false,
        };
        let run_dir = self.places.run(ExperimentId::BASELINE);
        let context = self.summary_context(&run_dir);
        let mut run = super::summary::run_summary(self.recorder.facts(), &decided, context);
        (run.iteration, run.measured) = (false, false);
        self.recorder.experiment(Event::Run(Box::new(run)), Durability::Synced)?;
        Ok(())
    }
}

/// Takes the result of a command on the baseline, whose failure is nobody's but the baseline's.
pub(super) fn healthy<T: ExitOf>(result: Result<T, super::runner::Failure>) -> Result<(), EngineError> {
    match result {
        Ok(_) => Ok(()),
        Err(failure) => Err(EngineError::BaselineBroken { detail: failure.detail }),
    }
}
