//! Measuring a candidate: warm-up, pairs, the judge after each, until the rule has its verdict.

use std::path::PathBuf;

use crate::domain::{Arm, CandidateRun, Comparison, Event, HostReading, Pair, Phase, Reading, Reason};
use crate::host::PairWatch;
use crate::measure::{self, Bench, BenchFailure, NextPair, PairAttempt, VoidCount};
use crate::stats::{Judge, Step as Judged};

use super::EngineError;
use super::pipeline::{Dropped, Step, step};
use super::recorder::Durability;
use super::runner::Failure;
use super::session::Session;
use super::workbench::Workbench;

impl Session<'_, '_> {
    /// Warms both arms up and measures pairs until the rule has its verdict.
    pub(super) fn race(&mut self) -> Step<Comparison> {
        step!(self.warm_up());
        let mut judge = self.judge()?;
        let recorded = self.recorder.facts().pairs();
        for pair in &recorded {
            if let Some(difference) = measure::invariant_difference(&pair.baseline, &pair.candidate) {
                return Ok(Err(Dropped::by(Reason::InvariantChanged, difference.to_string())));
            }
            if let Judged::Done(comparison) = judge.push(pair)? {
                return Ok(Ok(*comparison));
            }
        }
        loop {
            let estimate = judge.estimate().map(|e| (e.gain, e.low, e.high));
            let (pair, host) = step!(self.measured_pair(judge.pairs() + 1, &|event| event.estimate = estimate));
            let judged = judge.push(&pair)?;
            self.record_pair(&pair, host, &judge)?;
            if let Some(difference) = measure::invariant_difference(&pair.baseline, &pair.candidate) {
                return Ok(Err(Dropped::by(Reason::InvariantChanged, difference.to_string())));
            }
            if let Judged::Done(comparison) = judged {
                return Ok(Ok(*comparison));
            }
        }
    }

    pub(super) fn warm_up(&mut self) -> Step<()> {
        for turn in 0..self.settings.bench.warmup {
            step!(self.blamed(Phase::Warmup, None, |session, arm| {
                let log = session.log(Phase::Warmup, Some(&format!("{turn}-{arm}")));
                session.one_run(arm, log)
            }));
            self.warm_up_baseline_once(turn)?;
        }
        Ok(Ok(()))
    }

    /// Runs the baseline once for its caches; one failure may be the machine's, as many as end a pair are its own.
    fn warm_up_baseline_once(&mut self, turn: u32) -> Result<(), EngineError> {
        let mut detail = String::new();
        for _ in 0..measure::VOIDS_MAX {
            let log = self.log(Phase::Warmup, Some(&format!("{turn}-{}", Arm::Baseline)));
            match self.one_run(Arm::Baseline, log)? {
                Ok(_) => return Ok(()),
                Err(failure) => detail = failure.detail,
            }
        }
        Err(self.broken(detail))
    }

    /// Measures one complete pair; attempts that fail by the baseline's fault are void and tried again. `add` completes
    /// what the journal keeps of a void one.
    pub(super) fn measured_pair(&mut self, number: u32, add: &dyn Fn(&mut CandidateRun)) -> Step<(Pair, HostReading)> {
        let mut voids = VoidCount::default();
        loop {
            self.pause_point()?;
            self.wait_for_quiet()?;
            let (attempt, host) = self.attempt(number)?;
            let next = voids.record(&attempt);
            match attempt {
                PairAttempt::Complete(pair) => return Ok(Ok((pair, host))),
                PairAttempt::CandidateFailed(failure) => {
                    let dropped = Dropped::by(failure.reason, failure.detail);
                    self.log_failed_run(number, &dropped)?;
                    return Ok(Err(dropped));
                }
                PairAttempt::Void(ref void) | PairAttempt::Suspended(ref void) => {
                    let mut event = attempt.to_event(number, self.coin(number));
                    event.host = Some(host);
                    add(&mut event);
                    let detail = void.why.clone();
                    self.recorder.experiment(Event::Pair(Box::new(event)), Durability::Written)?;
                    if next == NextPair::BaselineBroken {
                        return Err(self.broken(detail));
                    }
                }
            }
        }
    }

    fn attempt(&mut self, number: u32) -> Result<(PairAttempt, HostReading), EngineError> {
        self.attempt_named(number, format!("{number:02}"))
    }

    /// Runs one pair whose logs bear a name of their own, and watches the machine meanwhile.
    pub(super) fn attempt_named(
        &mut self,
        number: u32,
        name: String,
    ) -> Result<(PairAttempt, HostReading), EngineError> {
        self.attempt_ordered(number, self.coin(number), name)
    }

    /// Runs one pair in a given order.
    pub(super) fn attempt_ordered(
        &mut self,
        number: u32,
        order: crate::domain::Order,
        name: String,
    ) -> Result<(PairAttempt, HostReading), EngineError> {
        let _host = self.host_lock()?;
        let run_dir = self.places.run(self.current_id());
        let watch = PairWatch::begin();
        self.weather.looked(watch.first());
        let mut bench = PairBench { bench: &mut self.bench, run_dir, name, watch };
        let attempt = measure::run_pair(number, order, &mut bench)?;
        Ok((attempt.unless_suspended(bench.watch.suspended()), bench.watch.reading()))
    }

    fn coin(&self, number: u32) -> crate::domain::Order {
        self.settings.decision.seed.coin(self.current_id(), number)
    }

    fn record_pair(&mut self, pair: &Pair, host: HostReading, judge: &Judge) -> Result<(), EngineError> {
        let mut event = PairAttempt::Complete(pair.clone()).to_event(pair.number, pair.order);
        event.host = Some(host);
        let estimate = judge.estimate();
        event.estimate = estimate.map(|e| (e.gain, e.low, e.high));
        event.ln_e = estimate.and_then(|e| e.ln_e);
        Ok(self.recorder.experiment(Event::Pair(Box::new(event)), Durability::Written)?)
    }

    /// Leaves the failed run in the record as a phase that ended badly.
    fn log_failed_run(&mut self, number: u32, dropped: &Dropped) -> Result<(), EngineError> {
        let what = format!("{number:02}-{}", Arm::Candidate);
        let failure = Failure { reason: dropped.reason, detail: dropped.detail.clone(), exit: None };
        let _: Result<(), Failure> = self.phase(Phase::Measure, Some(&what), |_| Ok(Err(failure)))?;
        Ok(())
    }
}

/// Runs the two arms of one pair in their slots.
struct PairBench<'b, 'a> {
    bench: &'b mut Workbench<'a>,
    run_dir: PathBuf,
    /// What the pair's logs are called.
    name: String,
    /// The watch over the machine.
    watch: PairWatch,
}

impl Bench for PairBench<'_, '_> {
    type Error = EngineError;

    fn run(&mut self, arm: Arm) -> Result<Result<Reading, BenchFailure>, EngineError> {
        let log = self.run_dir.join(super::logs::stem(Phase::Measure, Some(&format!("{}-{arm}", self.name))));
        let result = self.bench.bench(arm, log)?;
        self.watch.ran(arm, result.as_ref().ok().and_then(|(reading, _)| measure::cpu_seconds(reading)));
        Ok(result.map(|(reading, _)| reading).map_err(|failure| BenchFailure {
            reason: failure.reason,
            detail: failure.detail,
            exit: failure.exit,
        }))
    }
}
