//! Makes the baseline ready: prepare, build and check it, measure its noise, record it as run 0.

use std::time::Instant;

use crate::domain::{Arm, CandidateRun, Decided, Event, ExperimentId, Order, Pair, Phase, Reading, Reason, Status};
use crate::host::PairWatch;
use crate::measure::{self, PairAttempt};

use super::EngineError;
use super::calibrate::SetupTimes;
use super::experiment::ExperimentFacts;
use super::pipeline::ExitOf;
use super::recorder::Durability;
use super::roles::is_worst;
use super::serving::Wanted;
use super::session::{Purpose, Session};
use super::workbench::Attempt;

impl Session<'_, '_> {
    /// Builds both slots, checks the baseline and calibrates, unless an earlier calibration serves.
    ///
    /// One serves that was made as things are measured now, on this machine, and within the last 24 hours. Where another
    /// one is made, the session says why.
    pub fn ready(&mut self) -> Result<(), EngineError> {
        self.ready_as(Wanted::default())
    }

    /// Does the same for a calibration as it is wanted.
    pub fn ready_as(&mut self, wanted: Wanted) -> Result<(), EngineError> {
        self.recorder.begin(ExperimentFacts::new(ExperimentId::BASELINE));
        let result = self.room_for_work().and_then(|()| self.bring_up(wanted));
        self.recorder.begin(ExperimentFacts::default());
        if let Err(error) = &result {
            self.stopped_by(error)?;
        }
        result
    }

    /// Refuses to begin on a disk that would end the first command.
    fn room_for_work(&self) -> Result<(), EngineError> {
        match super::clock::disk_low(self.places.cache(), &self.settings.limits) {
            Some(free) => Err(EngineError::DiskLow { free, after: None }),
            None => Ok(()),
        }
    }

    fn bring_up(&mut self, wanted: Wanted) -> Result<(), EngineError> {
        let mut times = SetupTimes::default();
        for arm in [Arm::Baseline, Arm::Candidate] {
            self.prepare_where_due(arm)?;
            let clock = Instant::now();
            self.build_baseline(arm)?;
            times.build = times.build.max(clock.elapsed().as_secs_f64());
        }
        let serving = wanted.accept(self.calibration());
        self.check_baseline(&mut times, serving.is_err())?;
        match serving {
            Ok(calibrated) => {
                self.bench.adopt(&calibrated);
                return Ok(());
            }
            Err(unserved) => unserved.told().map_or(Ok(()), |why| self.note(why))?,
        }
        self.try_holdout()?;
        self.warm_up_baseline()?;
        self.calibrate(wanted.pairs, times, &mut |_, _| {})?;
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

    pub(super) fn prepare_where_due(&mut self, arm: Arm) -> Result<(), EngineError> {
        if !self.bench.prepare_is_due(arm)? {
            return Ok(());
        }
        let log = self.log(Phase::Prepare, Some(&arm.to_string()));
        let result = self.phase(Phase::Prepare, Some(&arm.to_string()), |session| session.bench.prepare(arm, log))?;
        self.healthy(result)
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
        self.healthy(result.map(|_| ()))?;
        if self.purpose == Purpose::Comparison { self.bench.keep_built(arm) } else { Ok(()) }
    }

    /// Runs every check on the baseline and notes what they take and which tests they run.
    fn check_baseline(&mut self, times: &mut SetupTimes, twice: bool) -> Result<(), EngineError> {
        for check in self.bench.harness().checks() {
            let log = self.log(Phase::Check, Some(&check.name));
            let result = self.phase(Phase::Check, Some(&check.name), |session| {
                session.bench.check(Arm::Baseline, &check.path, log)
            })?;
            match result {
                Ok(checked) => {
                    times.add_check(checked.exit.usage.wall_s);
                    self.take_inventory(&check, checked.tests, twice)?;
                }
                Err(failure) => {
                    let detail = format!("check {}: {}", check.name, failure.detail);
                    return Err(self.broken(detail));
                }
            }
        }
        Ok(())
    }

    fn warm_up_baseline(&mut self) -> Result<(), EngineError> {
        for arm in [Arm::Baseline, Arm::Candidate] {
            for turn in 0..self.settings.bench.warmup {
                let log = self.log(Phase::Warmup, Some(&format!("{turn}-{arm}")));
                let result = self.phase(Phase::Warmup, Some(&arm.to_string()), |session| session.one_run(arm, log))?;
                self.healthy(result.map(|_| ()))?;
            }
        }
        Ok(())
    }

    /// Runs the bench once, alone on this host.
    pub(super) fn one_run(&mut self, arm: Arm, log: std::path::PathBuf) -> Attempt<(Reading, crate::domain::Exit)> {
        let _host = self.host_lock()?;
        self.bench.bench(arm, log)
    }

    /// Runs one of the calibration's pairs and journals it.
    pub(super) fn next_identical_pair(&mut self, number: u32) -> Result<Option<Pair>, EngineError> {
        self.pause_point()?;
        let attempt = self.identical_pair(number)?;
        let pair = attempt.complete();
        self.weather.learn(&attempt);
        self.recorder.experiment(Event::Pair(Box::new(attempt)), Durability::Written)?;
        Ok(pair)
    }

    fn identical_pair(&mut self, number: u32) -> Result<CandidateRun, EngineError> {
        let order = self.settings.decision.seed.coin(ExperimentId::BASELINE, number);
        self.identical_attempt(number, order, &mut |session, arm| {
            let log = session.log(Phase::Measure, Some(&format!("{number:02}-{arm}")));
            let (reading, _) = session.one_run(arm, log)?.map_err(|failure| session.broken(failure.detail))?;
            Ok(reading)
        })
    }

    /// Runs the same code once in each slot, in an order, and watches the machine meanwhile.
    pub(super) fn identical_attempt(
        &mut self,
        number: u32,
        order: Order,
        run: &mut dyn FnMut(&mut Self, Arm) -> Result<Reading, EngineError>,
    ) -> Result<CandidateRun, EngineError> {
        let mut watch = PairWatch::begin();
        let (mut baseline, mut candidate) = (None, None);
        for arm in order.arms() {
            let reading = run(self, arm)?;
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

    /// Writes the baseline's own settling line, `run: 0`.
    fn record_baseline(&mut self) -> Result<(), EngineError> {
        let decided = Decided {
            status: Status::Keep,
            reason: Reason::Improved,
            detail: "the baseline".to_owned(),
            flags: Vec::new(),
            comparison: None,
            holdout: Vec::new(),
            commit: None,
            tip: self.bench.tip().clone(),
            moves_branch: false,
        };
        let run_dir = self.places.run(ExperimentId::BASELINE);
        let context = self.summary_context(&run_dir);
        let mut run = super::summary::run_summary(self.recorder.facts(), &decided, context);
        (run.iteration, run.measured) = (false, false);
        if is_worst(&self.settings.primary.name) {
            // The worst of a suite is told as its ratio to this very calibration.
            run.metric = Some(1.0);
            run.metrics.insert(self.settings.primary.name.clone(), 1.0);
        }
        self.recorder.experiment(Event::Run(Box::new(run)), Durability::Synced)?;
        Ok(())
    }

    /// Takes the result of a command on the baseline, whose failure is nobody's but the baseline's or the disk's.
    pub(super) fn healthy<T: ExitOf>(&self, result: Result<T, super::runner::Failure>) -> Result<(), EngineError> {
        result.map(|_| ()).map_err(|failure| self.broken(failure.detail))
    }

    /// Says what ends the session when a command fails on the baseline: a full disk, or the baseline itself.
    pub(super) fn broken(&self, detail: String) -> EngineError {
        match super::clock::disk_low(self.places.cache(), &self.settings.limits) {
            Some(free) => EngineError::DiskLow { free, after: Some(detail) },
            None => EngineError::BaselineBroken { detail },
        }
    }
}
