//! The stage between Decide and Settle: a candidate about to be kept is asked on the holdout.

use std::path::PathBuf;

use crate::domain::{
    Arm, Comparison, Event, Flag, HostReading, Order, Pair, Phase, Reading, Reason, SentinelOutcome, Status,
};
use crate::engine::EngineError;
use crate::engine::logs;
use crate::engine::pipeline::{Dropped, ExitOf, Step};
use crate::engine::recorder::Durability;
use crate::engine::runner::Failure;
use crate::engine::session::Session;
use crate::engine::workbench::{Attempt, Workbench};
use crate::host::PairWatch;
use crate::measure::{self, Bench, BenchFailure, NextPair, PairAttempt, VoidCount};
use crate::policy::{self, Judgement};
use crate::stats::HoldoutJudge;

/// What the holdout says of a candidate that may be kept.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Held {
    /// What became of each of its metrics, for people only.
    pub(in crate::engine) outcomes: Vec<SentinelOutcome>,
    /// Remarks on the keep.
    pub(in crate::engine) flags: Vec<Flag>,
    /// What to add to the verdict; without a figure.
    pub(in crate::engine) detail: Option<String>,
}

/// A journalled holdout is told by its pairs.
impl ExitOf for Vec<SentinelOutcome> {
    fn exit(&self) -> Option<crate::domain::Exit> {
        None
    }
}

impl Session<'_, '_> {
    /// Measures a candidate about to be kept on the holdout, in pairs of its own, and drops it where that got worse.
    pub(in crate::engine) fn hold_out(&mut self, decision: &Judgement, comparison: &Comparison) -> Step<Held> {
        let simplifies = decision.reason == Reason::Simpler;
        let pass_error = simplifies.then_some(comparison.primary.alpha);
        let Some(plans) = self.settings.holdout.as_ref().map(|_| self.rings.holdout_plans()) else {
            return Ok(Ok(Held::default()));
        };
        let judge = HoldoutJudge::new(plans, pass_error);
        let comparison = Some(comparison.clone());
        let outcomes = match self.phase(Phase::Holdout, None, |session| session.held_outcomes(judge))? {
            Ok(outcomes) => outcomes,
            Err(Failure { reason, .. }) => {
                // The failure's own words are in the journal; these are for those who propose.
                let detail = format!("{reason} on the holdout");
                return Ok(Err(Dropped { comparison, ..Dropped::by(reason, detail) }));
            }
        };
        let judged = policy::hold_out(&outcomes, decision.reason, self.settings.decision.strict);
        if judged.reason.status() != Status::Keep {
            return Ok(Err(Dropped { comparison, holdout: outcomes, ..Dropped::by(judged.reason, judged.detail) }));
        }
        Ok(Ok(Held { outcomes, flags: judged.flags, detail: Some(judged.detail) }))
    }

    /// Judges the pairs that an interrupted session left, then further ones, until every metric is told.
    fn held_outcomes(&mut self, mut judge: HoldoutJudge) -> Attempt<Vec<SentinelOutcome>> {
        for pair in self.recorder.facts().holdout_pairs() {
            if let Some(failure) = difference(&pair) {
                return Ok(Err(failure));
            }
            if let Some(outcomes) = judge.push(&pair)? {
                return Ok(Ok(outcomes));
            }
        }
        for turn in 0..self.settings.bench.warmup {
            if let Err(failure) = self.held_pair(0, &format!("warmup-{turn}"))? {
                return Ok(Err(failure));
            }
        }
        loop {
            let number = judge.pairs() + 1;
            let pair = match self.held_pair(number, &format!("{number:02}"))? {
                Ok(pair) => pair,
                Err(failure) => return Ok(Err(failure)),
            };
            if let Some(failure) = difference(&pair) {
                return Ok(Err(failure));
            }
            if let Some(outcomes) = judge.push(&pair)? {
                return Ok(Ok(outcomes));
            }
        }
    }

    /// Measures one complete pair and journals every attempt; number 0 is a warm-up, which is no evidence.
    fn held_pair(&mut self, number: u32, name: &str) -> Attempt<Pair> {
        let order = self.settings.decision.seed.holdout_coin(self.current_id(), number);
        let mut voids = VoidCount::default();
        loop {
            self.pause_point()?;
            self.wait_for_quiet()?;
            let (attempt, host) = self.held_attempt(number, order, name)?;
            let next = voids.record(&attempt);
            if number > 0 {
                let mut event = attempt.to_event(number, order);
                (event.host, event.holdout) = (Some(host), true);
                self.recorder.experiment(Event::Pair(Box::new(event)), Durability::Written)?;
            }
            match attempt {
                PairAttempt::Complete(pair) => return Ok(Ok(pair)),
                PairAttempt::CandidateFailed(BenchFailure { reason, detail, exit }) => {
                    return Ok(Err(Failure { reason, detail, exit }));
                }
                PairAttempt::Void(_) | PairAttempt::Suspended(_) if next != NextPair::BaselineBroken => {}
                PairAttempt::Void(_) | PairAttempt::Suspended(_) => {
                    let logs = self.places.held_out(self.current_id());
                    let detail = format!("the holdout fails on it; its output is in {}", logs.display());
                    return Err(self.broken(detail));
                }
            }
        }
    }

    fn held_attempt(
        &mut self,
        number: u32,
        order: Order,
        name: &str,
    ) -> Result<(PairAttempt, HostReading), EngineError> {
        let _host = self.host_lock()?;
        let logs = self.places.held_out(self.current_id());
        let watch = PairWatch::begin();
        self.weather.looked(watch.first());
        let mut bench = HeldBench { bench: &mut self.bench, logs, name, watch };
        let attempt = measure::run_pair(number, order, &mut bench)?;
        Ok((attempt.unless_suspended(bench.watch.suspended()), bench.watch.reading()))
    }
}

/// Says what is wrong with a pair whose arms print other invariants.
fn difference(pair: &Pair) -> Option<Failure> {
    let found = measure::invariant_difference(&pair.baseline, &pair.candidate)?;
    Some(Failure { reason: Reason::InvariantChanged, detail: found.to_string(), exit: None })
}

/// Runs the two arms of one pair of the holdout in their slots.
struct HeldBench<'b, 'a, 'n> {
    bench: &'b mut Workbench<'a>,
    logs: PathBuf,
    /// What the pair's logs are called.
    name: &'n str,
    /// The watch over the machine.
    watch: PairWatch,
}

impl Bench for HeldBench<'_, '_, '_> {
    type Error = EngineError;

    fn run(&mut self, arm: Arm) -> Result<Result<Reading, BenchFailure>, EngineError> {
        let log = self.logs.join(logs::stem(Phase::Holdout, Some(&format!("{}-{arm}", self.name))));
        let result = self.bench.hold_out(arm, log)?;
        self.watch.ran(arm, result.as_ref().ok().and_then(|(reading, _)| measure::cpu_seconds(reading)));
        Ok(result.map(|(reading, _)| reading).map_err(|failure| BenchFailure {
            reason: failure.reason,
            detail: failure.detail,
            exit: failure.exit,
        }))
    }
}
