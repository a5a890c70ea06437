//! Validation: the session's gain in fresh pairs of two builds from empty caches, used for no decision.

use std::time::Instant;

use crate::domain::{
    Arm, Claimed, Event, ExperimentId, Note, ObjectId, Pair, Phase, PhaseStarted, Reason, Stopped, Validated,
};
use crate::measure::{self, NextPair, PairAttempt, VoidCount};
use crate::policy;
use crate::stats::{self, Interval, PairScale};

use super::EngineError;
use super::experiment::ExperimentFacts;
use super::pipeline::{Dropped, Step, step};
use super::recorder::Durability;
use super::retest::{Retest, Retests};
use super::session::Session;
use super::undo::Undoing;

/// Pairs of a validation (statistics section 3).
const PAIRS: u32 = 20;

/// Equal pairs after which a metric that calibration found exact needs no more.
const EXACT_PAIRS: u32 = 3;

/// Returns the pairs that a validation is expected to take.
pub(super) fn expected_pairs(exact: bool) -> u32 {
    if exact { EXACT_PAIRS } else { PAIRS }
}

/// What a validated figure does not say (statistics section 5).
const REMARK: &str = "two builds were compared: the interval does not cover the luck of their code layout";

/// What a validation found.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// The gain; `None` where nothing that is kept is left to validate, or the tip fails.
    pub validated: Option<Validated>,
    /// How the tip differs or fails when it is built from an empty cache, where no single keep is to blame.
    pub failed: Option<String>,
    /// Keeps that were another program when built from an empty cache, and were reverted.
    pub undone: Vec<Undoing>,
    /// Keeps that were re-tested.
    pub retests: Vec<Retest>,
}

/// Two commits about to be compared afresh.
#[derive(Debug, Clone)]
pub(super) struct Opposed {
    /// The number that seeds the coins.
    pub number: u32,
    /// The keep that the first lacks; `None` for the session's base.
    pub without: Option<ExperimentId>,
    /// The commit measured as baseline.
    pub base: ObjectId,
    /// The commit measured as candidate.
    pub tip: ObjectId,
}

/// What fresh pairs said.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    interval: Interval,
    values: Vec<(f64, f64)>,
    seconds: f64,
}

impl Session<'_, '_> {
    /// Builds base and tip from empty caches and measures the session's gain in fresh pairs.
    ///
    /// Where the tip then differs from what its keeps claim, the keeps that were never built from an empty cache are
    /// rebuilt one by one; one that is another program is reverted, and the rest is validated again. What stands in
    /// the slots afterwards is the tip.
    pub fn validate(&mut self, retests: Retests) -> Result<Validation, EngineError> {
        self.recorder.begin(ExperimentFacts::default());
        let mut found = Validation::default();
        while self.has_gained()? {
            let opposed = self.opposed(None, self.base.clone());
            let measured = self.compare_afresh(&opposed)?;
            let doubtful = measured.as_ref().map_or(true, |measured| self.validated(&opposed, measured).falls_short());
            let due: Vec<ExperimentId> = self.recorder.state().rebuilds_due().map(|record| record.id).collect();
            let stale = if doubtful { self.find_stale(&due)? } else { None };
            let sound = due.iter().copied().take_while(|id| stale.as_ref().is_none_or(|stale| stale.experiment != *id));
            match measured {
                Ok(measured) => {
                    let validated = Validated { rebuilt: sound.collect(), ..self.validated(&opposed, &measured) };
                    found.validated = Some(self.record_validated(validated)?);
                }
                Err(dropped) if stale.is_none() => found.failed = Some(self.note_failed(&dropped)?),
                Err(_) => {}
            }
            match stale {
                Some(stale) => found.undone.push(self.undo(&stale)?),
                None => break,
            }
        }
        found.retests = self.retest(retests, found.validated.as_ref())?;
        Ok(found)
    }

    /// Says whether something is kept that no validation has seen, or that waits for its clean rebuild.
    pub fn needs_validation(&self) -> Result<bool, EngineError> {
        let state = self.recorder.state();
        let seen = state.validated().is_some_and(|validated| validated.tip == *self.bench.tip());
        Ok((!seen || state.rebuilds_due().next().is_some()) && self.has_gained()?)
    }

    /// Brings up what a validation needs: the calibration that serves, else all that a session begins with.
    pub fn ready_to_validate(&mut self) -> Result<(), EngineError> {
        match self.serving_calibration() {
            Some(calibrated) => {
                self.bench.adopt(&calibrated);
                Ok(())
            }
            None => self.ready(),
        }
    }

    /// Validates as a command of its own, after which the session stands as it `stood` before.
    pub fn validate_alone(&mut self, retests: Retests, stood: Option<Stopped>) -> Result<Validation, EngineError> {
        let result = self.validate(retests);
        match (&result, stood) {
            (Err(error), _) => drop(self.stopped_by(error)?),
            (Ok(_), Some(stood)) => self.recorder.session(Event::Stopped(stood), Durability::Synced)?,
            (Ok(_), None) => {}
        }
        result
    }

    /// Validates at the end of a session where its rule allows that; what it cannot do is told and ends nothing.
    pub(super) fn validate_at_end(&mut self, stopped: Stopped) -> Result<Stopped, EngineError> {
        if !policy::validates_at_end(stopped.rule) || !self.needs_validation()? {
            return Ok(stopped);
        }
        let why = match self.validate(Retests::Doubted) {
            Ok(_) => return Ok(stopped),
            Err(EngineError::StopRequested) => "stopped as asked".to_owned(),
            Err(EngineError::BaselineBroken { detail }) => detail,
            Err(error) => return Err(error),
        };
        self.note(format!("the gain was not validated: {why}; 'autoresearch validate' tries again"))?;
        Ok(stopped)
    }

    /// Validates between two experiments where that costs little of the time at work.
    pub(super) fn checkpoint(&mut self) -> Result<(), EngineError> {
        let state = self.recorder.state();
        let since = 3600.0 * (state.hours(Some(jiff::Timestamp::now())) - state.validated_hours());
        if self.checkpoints_off
            || !policy::validates_between(self.validation_cost(), since)
            || !self.needs_validation()?
        {
            return Ok(());
        }
        let detail = match self.validate(Retests::None) {
            Ok(Validation { failed: None, .. }) => None,
            Ok(Validation { failed, .. }) => {
                return Err(EngineError::BaselineBroken { detail: failed.unwrap_or_default() });
            }
            Err(EngineError::BaselineBroken { detail }) => Some(detail),
            Err(error) => return Err(error),
        };
        if let Some(detail) = detail {
            self.checkpoints_off = true;
            self.note(format!("the gain cannot be validated: {detail}"))?;
        }
        self.prepare_after_keep()?;
        self.build_baseline(Arm::Baseline)
    }

    /// Estimates what a validation takes, in seconds, from the calibration.
    pub fn validation_cost(&self) -> f64 {
        let Some(calibrated) = self.recorder.state().calibrated() else { return f64::INFINITY };
        let checks = self.bench.harness().checks().len() as f64;
        let slowest = calibrated.limits.get("check").copied().unwrap_or(0.0);
        let runs = 2.0 * f64::from(self.settings.bench.warmup + expected_pairs(self.is_exact()));
        2.0 * calibrated.build_s + checks * slowest + runs * calibrated.run_s
    }

    /// Says whether the tip holds anything that the base does not.
    fn has_gained(&self) -> Result<bool, EngineError> {
        let private = self.bench.private();
        Ok(private.tree_of(self.bench.tip())? != private.tree_of(&self.base)?)
    }

    fn is_exact(&self) -> bool {
        self.rings.primary_scale().is_some_and(PairScale::is_exact)
    }

    /// Opposes a commit to the tip, under the next number.
    pub(super) fn opposed(&self, without: Option<ExperimentId>, base: ObjectId) -> Opposed {
        let number = self.recorder.state().validations() + 1;
        Opposed { number, without, base, tip: self.bench.tip().clone() }
    }

    /// Builds two commits from empty caches and measures them in fresh pairs; afterwards the slots are at the tip.
    pub(super) fn compare_afresh(&mut self, opposed: &Opposed) -> Step<Measured> {
        self.announce(&match opposed.without {
            None => "the validation of the gain".to_owned(),
            Some(keep) => format!("the re-test of keep #{keep}: the tip without it against the tip"),
        })?;
        self.compare_opposed(opposed)
    }

    /// Does the same for what is announced already, whichever two commits they are.
    pub(super) fn compare_opposed(&mut self, opposed: &Opposed) -> Step<Measured> {
        let clock = Instant::now();
        self.bench.oppose(&opposed.base, &opposed.tip)?;
        let result = self.build_and_measure(opposed, PAIRS);
        self.bench.reunite()?;
        let values = match result? {
            Ok(pairs) => pairs,
            Err(dropped) => return Ok(Err(dropped)),
        };
        let d: Vec<f64> = values.iter().filter_map(|pair| self.difference(pair, 0)).collect();
        let Some(interval) = interval(&d) else {
            let detail = format!("only {} pairs can be compared", d.len());
            return Ok(Err(Dropped::by(Reason::MetricInvalid, detail)));
        };
        let values = values.iter().filter_map(|pair| pair.values(&self.settings.primary.name)).collect();
        Ok(Ok(Measured { interval, values, seconds: clock.elapsed().as_secs_f64() }))
    }

    /// Journals what is measured from here on, which belongs to no experiment.
    pub(super) fn announce(&mut self, what: &str) -> Result<(), EngineError> {
        let started = PhaseStarted { phase: Phase::Measure, what: Some(what.to_owned()) };
        Ok(self.recorder.session(Event::PhaseStarted(started), Durability::Written)?)
    }

    /// Builds both opposed commits, checks the second, and measures at most so many pairs.
    pub(super) fn build_and_measure(&mut self, opposed: &Opposed, most: u32) -> Step<Vec<Pair>> {
        step!(self.build_and_check(opposed));
        step!(self.warm_up());
        let mut pairs: Vec<Pair> = Vec::new();
        for number in 1..=most {
            pairs.push(step!(self.fresh_pair(opposed, number)));
            let d: Vec<f64> = pairs.iter().filter_map(|pair| self.difference(pair, 0)).collect();
            if number == EXACT_PAIRS && self.is_exact() && are_equal(&d) {
                break;
            }
        }
        Ok(Ok(pairs))
    }

    /// Builds both opposed commits from empty caches and checks the second.
    pub(super) fn build_and_check(&mut self, opposed: &Opposed) -> Step<()> {
        for arm in [Arm::Baseline, Arm::Candidate] {
            self.prepare_where_due(arm)?;
        }
        if let Err(dropped) = self.build_afresh(opposed, Arm::Baseline)? {
            let detail = format!("{} built from an empty cache: {}", opposed.base.short(), dropped.detail);
            return Err(EngineError::BaselineBroken { detail });
        }
        step!(self.build_afresh(opposed, Arm::Candidate));
        self.check_candidate()
    }

    fn build_afresh(&mut self, opposed: &Opposed, arm: Arm) -> Step<()> {
        if self.settings.build.is_none() {
            return Ok(Ok(()));
        }
        let what = format!("validation-{}-{arm}", opposed.number);
        let log = self.log(Phase::Build, Some(&what));
        let built = self.phase(Phase::Build, Some(&what), |session| {
            let _host = session.host_lock()?;
            session.bench.build(arm, log)
        })?;
        Ok(built.map(|_| ()).map_err(Dropped::from))
    }

    /// Measures one complete pair and journals every attempt; both arms must print the same invariants.
    fn fresh_pair(&mut self, opposed: &Opposed, number: u32) -> Step<Pair> {
        let order = self.settings.decision.seed.validation_coin(opposed.number, number);
        let mut voids = VoidCount::default();
        loop {
            self.pause_point()?;
            self.wait_for_quiet()?;
            let name = format!("validation-{}-{number:02}", opposed.number);
            let (attempt, host) = self.attempt_ordered(number, order, name)?;
            let next = voids.record(&attempt);
            let mut event = attempt.to_event(number, order);
            event.host = Some(host);
            self.recorder.session(Event::Pair(Box::new(event)), Durability::Written)?;
            match attempt {
                PairAttempt::Complete(pair) => {
                    return Ok(match measure::invariant_difference(&pair.baseline, &pair.candidate) {
                        None => Ok(pair),
                        Some(difference) => Err(Dropped::by(Reason::InvariantChanged, difference.to_string())),
                    });
                }
                PairAttempt::CandidateFailed(failure) => {
                    return Ok(Err(Dropped::by(failure.reason, failure.detail)));
                }
                PairAttempt::Void(void) | PairAttempt::Suspended(void) => {
                    if next == NextPair::BaselineBroken {
                        return Err(self.broken(void.why));
                    }
                }
            }
        }
    }

    /// Makes the record of what fresh pairs said.
    pub(super) fn validated(&self, opposed: &Opposed, measured: &Measured) -> Validated {
        let primary = &self.settings.primary;
        let Interval { mu, low, high } = measured.interval;
        Validated {
            number: opposed.number,
            without: opposed.without,
            base: opposed.base.clone(),
            tip: opposed.tip.clone(),
            metric: primary.name.clone(),
            direction: primary.direction,
            scale: primary.scale,
            pairs: u32::try_from(measured.values.len()).unwrap_or(u32::MAX),
            gain: mu,
            low,
            high,
            claimed: if opposed.without.is_none() { self.claimed(measured.interval) } else { None },
            rebuilt: Vec::new(),
            values: measured.values.clone(),
            seconds: measured.seconds,
            remark: REMARK.to_owned(),
        }
    }

    /// Adds up what the keeps claim, with the standard error of the difference to a validated gain.
    fn claimed(&self, interval: Interval) -> Option<Claimed> {
        let keeps = self.recorder.state().comparable_keeps()?;
        let effects: Vec<_> = keeps.iter().filter_map(|record| record.effect).collect();
        let error = |effect: &crate::state::EffectSummary| stats::reported_se(effect.low, effect.high, effect.pairs);
        let own = (interval.high - interval.low) / (2.0 * stats::z_upper(0.025));
        let variance: f64 = effects.iter().map(|effect| error(effect).powi(2)).sum::<f64>() + own * own;
        let gain = effects.iter().map(|effect| effect.gain).sum();
        (!effects.is_empty()).then(|| Claimed { gain, se: variance.sqrt() })
    }

    /// Journals a validation, and warns where the keeps claim more.
    pub(super) fn record_validated(&mut self, validated: Validated) -> Result<Validated, EngineError> {
        self.recorder.session(Event::Validated(Box::new(validated.clone())), Durability::Synced)?;
        if validated.falls_short() {
            self.note(
                "the validated gain is below the sum of what the keeps claim, by more than two standard errors; \
                 'autoresearch validate --leave-one-out' re-tests each keep"
                    .to_owned(),
            )?;
        }
        Ok(validated)
    }

    fn note_failed(&mut self, dropped: &Dropped) -> Result<String, EngineError> {
        let detail = format!("the tip, built from an empty cache: {} ({})", dropped.detail, dropped.reason);
        self.note(detail.clone())?;
        Ok(detail)
    }

    pub(super) fn note(&mut self, text: String) -> Result<(), EngineError> {
        Ok(self.recorder.session(Event::Note(Note { text }), Durability::Written)?)
    }
}

/// Returns the estimate and its interval; equal differences are their own.
fn interval(d: &[f64]) -> Option<Interval> {
    let first = *d.first()?;
    if are_equal(d) && d.len() >= EXACT_PAIRS as usize {
        return Some(Interval { mu: first, low: first, high: first });
    }
    stats::validation_interval(d)
}

fn are_equal(d: &[f64]) -> bool {
    d.windows(2).all(|two| two[0].to_bits() == two[1].to_bits())
}
