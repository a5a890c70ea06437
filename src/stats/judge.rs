//! The judge of one candidate: the race of its primary and the looks at its sentinels, over whole pairs.

use crate::domain::{Comparison, Effect, Objective, Pair, Patience, SentinelOutcome, SentinelState, Verdict};

use super::sentinel::{CAP, Sample, Watch};
use super::values::{plain, y_pair};
use super::{Call, PairScale, Race, RaceRule, SentinelPlan, ValueError, family};

/// Pairs between two looks at the sentinels.
const LOOK_EVERY: u32 = 2;

/// Says why a pair was not taken. The judge is unchanged then.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum JudgeError {
    /// The pair has no value that can be compared.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A pair came out of turn.
    #[error("pair {got} came where pair {expected} is due; push complete pairs in the order of their numbers")]
    OutOfTurn {
        /// The number that is due.
        expected: u32,
        /// The number that came.
        got: u32,
    },
    /// The verdict stands already.
    #[error("pair {pair} came after the verdict; start a new judge with a larger maxPairs to resume the race")]
    Finished {
        /// The number that came.
        pair: u32,
    },
}

/// What a candidate is judged by; fixed before its first pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The metric to improve.
    pub primary: Objective,
    /// Its ring's scale when the candidate started.
    pub scale: PairScale,
    /// Effect that the evidence must exceed, on the decision scale ([`delta0`](super::delta0)).
    pub delta0: f64,
    /// The candidate's error budget.
    pub alpha: f64,
    /// Pairs after which the race ends anyhow.
    pub max_pairs: u32,
    /// How soon a hopeless race ends.
    pub patience: Patience,
    /// Whether the jump bet is left out.
    pub strict: bool,
    /// The sentinels, globs expanded; their tests share the error probability.
    pub sentinels: Vec<SentinelPlan>,
}

impl Plan {
    /// Returns the primary's minimum effect on the decision scale.
    pub fn min_effect(&self) -> f64 {
        self.primary.scale.setting(self.primary.min_effect)
    }

    fn rule(&self) -> RaceRule {
        RaceRule {
            alpha: self.alpha,
            min_effect: self.min_effect(),
            delta0: self.delta0,
            max_pairs: self.max_pairs,
            patience: self.patience.z(),
            strict: self.strict,
        }
    }
}

/// What comes after a pair.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Another pair.
    Continue,
    /// Nothing more: the verdict stands.
    Done(Box<Comparison>),
}

/// The running estimate of the primary's effect, on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Shrunk estimate.
    pub gain: f64,
    /// Lower limit of its interval.
    pub low: f64,
    /// Upper limit of it.
    pub high: f64,
    /// Natural logarithm of the evidence, where there is any.
    pub ln_e: Option<f64>,
}

/// Judges one candidate pair by pair.
///
/// An exact sentinel that differs ends the race at once. The other sentinels are looked at when the primary's evidence
/// is latched, then after each two further pairs until each has passed, one has failed, or pair 20 is reached
/// (statistics section 3). Pushing the same pairs again gives the same verdict, so a recorded race is resumed by
/// pushing its pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    plan: Plan,
    race: Race,
    watches: Vec<Watch>,
    family: u32,
    next_look: Option<u32>,
    finished: bool,
}

impl Judge {
    /// Starts with no pairs.
    pub fn new(plan: Plan) -> Self {
        let race = Race::new(plan.rule(), plan.scale);
        let watches = plan.sentinels.iter().cloned().map(Watch::new).collect();
        let family = family(&plan.sentinels);
        Self { plan, race, watches, family, next_look: None, finished: false }
    }

    /// Takes the next complete pair, whose numbers run from 1 without a gap.
    pub fn push(&mut self, pair: &Pair) -> Result<Step, JudgeError> {
        self.check_turn(pair)?;
        let primary = &self.plan.primary;
        let (baseline, candidate) = y_pair(pair, &primary.name, primary.scale, primary.direction)?;
        let samples =
            self.watches.iter().map(|watch| sample(pair, watch.plan())).collect::<Result<Vec<_>, ValueError>>()?;
        let call = self.race.push(baseline, candidate);
        self.watches.iter_mut().zip(samples).for_each(|(watch, sample)| watch.push(sample));
        Ok(self.step(call))
    }

    /// Returns the number of pairs taken.
    pub fn pairs(&self) -> u32 {
        self.race.standing().pairs
    }

    /// Returns the primary's race.
    pub fn race(&self) -> &Race {
        &self.race
    }

    /// Returns the running estimate; `None` before the first pair.
    pub fn estimate(&self) -> Option<Estimate> {
        let report = self.race.report()?;
        Some(Estimate { gain: report.gain, low: report.low, high: report.high, ln_e: self.race.standing().ln_e })
    }

    /// Returns the primary's effect so far; `None` before the first pair.
    pub fn effect(&self) -> Option<Effect> {
        let report = self.race.report()?;
        let standing = self.race.standing();
        Some(Effect {
            mu: report.mu,
            se: report.se,
            gain: report.gain,
            low: report.low,
            high: report.high,
            pairs: standing.pairs,
            ln_e: standing.ln_e,
            alpha: self.plan.alpha,
            scale: self.plan.primary.scale,
            delta0: self.plan.delta0,
            min_effect: self.plan.min_effect(),
            s: standing.s,
            threshold: self.plan.scale.threshold,
        })
    }

    fn check_turn(&self, pair: &Pair) -> Result<(), JudgeError> {
        let expected = self.pairs() + 1;
        if self.finished {
            return Err(JudgeError::Finished { pair: pair.number });
        }
        if pair.number != expected {
            return Err(JudgeError::OutOfTurn { expected, got: pair.number });
        }
        Ok(())
    }

    fn step(&mut self, call: Call) -> Step {
        if self.watches.iter().any(Watch::differs) {
            return self.done(call, self.differing());
        }
        if self.next_look.is_none() {
            match call {
                Call::Undecided => return Step::Continue,
                Call::Discard | Call::Inconclusive => return self.done(call, Vec::new()),
                Call::Keep => self.next_look = Some(self.pairs()),
            }
        }
        if self.next_look == Some(self.pairs()) { self.look(call) } else { Step::Continue }
    }

    fn look(&mut self, call: Call) -> Step {
        let family = self.family;
        let states: Vec<_> = self.watches.iter_mut().map(|watch| watch.look(family)).collect();
        let blocked = states.iter().flatten().copied().any(SentinelState::blocks);
        if blocked || states.iter().all(Option::is_some) {
            let outcomes = self.watches.iter().zip(states).map(|(watch, state)| watch.outcome(state, family));
            let outcomes = outcomes.collect();
            return self.done(call, outcomes);
        }
        let pairs = self.pairs();
        self.next_look = Some((pairs + LOOK_EVERY).min(CAP.max(pairs + 1)));
        Step::Continue
    }

    fn differing(&self) -> Vec<SentinelOutcome> {
        let different = self.watches.iter().filter(|watch| watch.differs());
        different.map(|watch| watch.outcome(Some(SentinelState::NotEqual), self.family)).collect()
    }

    fn done(&mut self, call: Call, sentinels: Vec<SentinelOutcome>) -> Step {
        let Some(primary) = self.effect() else { return Step::Continue };
        self.finished = true;
        let verdict = verdict(call, &primary);
        Step::Done(Box::new(Comparison { verdict, primary, sentinels, bound: self.race.bound() }))
    }
}

/// Turns what the race says at its end into a verdict; a futile race is a regression when its interval is below 0.
fn verdict(call: Call, effect: &Effect) -> Verdict {
    match call {
        Call::Keep => Verdict::Improved,
        Call::Discard if effect.high < 0.0 => Verdict::Regressed,
        Call::Discard => Verdict::NoEffect,
        Call::Inconclusive | Call::Undecided => Verdict::Inconclusive,
    }
}

/// Reads one sentinel's values of a pair: plain, and on the scale of each of its tests.
fn sample(pair: &Pair, plan: &SentinelPlan) -> Result<Sample, ValueError> {
    let (baseline, candidate) = plain(pair, &plan.metric)?;
    let d = plan.tests.iter().map(|test| {
        let (y_baseline, y_candidate) = y_pair(pair, &plan.metric, test.scale, plan.direction)?;
        Ok(y_baseline - y_candidate)
    });
    Ok(Sample { baseline, candidate, d: d.collect::<Result<_, ValueError>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Arm, Direction, MetricName, Order, Reading, Reduce, Scale};
    use crate::stats::ToleranceTest;

    fn name(text: &str) -> MetricName {
        MetricName::new(text).unwrap()
    }

    fn plan(sentinels: Vec<SentinelPlan>) -> Plan {
        let primary = Objective {
            name: name("t_ms"),
            unit: "ms".to_owned(),
            direction: Direction::Lower,
            scale: Scale::Ratio,
            min_effect: 0.01,
            reduce: Reduce::Median,
        };
        let scale = PairScale { s: 0.01, threshold: 0.02 };
        let min_effect = 0.01_f64.ln_1p();
        let (delta0, patience) = (min_effect / 2.0, Patience::Thorough);
        Plan { primary, scale, delta0, alpha: 0.005, max_pairs: 30, patience, strict: false, sentinels }
    }

    fn rss(tolerance: f64, s: f64) -> SentinelPlan {
        let tests = vec![ToleranceTest { scale: Scale::Ratio, tolerance, s }];
        SentinelPlan { metric: name("rss"), direction: Direction::Lower, tests, max: None, min: None, exact: false }
    }

    fn reading(t_ms: f64, rss: f64) -> Reading {
        Reading { metrics: [(name("t_ms"), t_ms), (name("rss"), rss)].into(), invariants: Vec::new() }
    }

    fn pair(number: u32, baseline: (f64, f64), candidate: (f64, f64)) -> Pair {
        let (baseline, candidate) = (reading(baseline.0, baseline.1), reading(candidate.0, candidate.1));
        Pair { number, order: Order::BaselineFirst, baseline, candidate }
    }

    /// Pushes equal pairs until the verdict.
    fn judge(plan: Plan, baseline: (f64, f64), candidate: (f64, f64)) -> Comparison {
        judge_by(plan, |number| pair(number, baseline, candidate))
    }

    fn judge_by(plan: Plan, pair: impl Fn(u32) -> Pair) -> Comparison {
        let mut judge = Judge::new(plan);
        for number in 1..=40 {
            if let Step::Done(comparison) = judge.push(&pair(number)).unwrap() {
                return *comparison;
            }
        }
        panic!("no verdict after 40 pairs");
    }

    #[test]
    fn a_win_without_sentinels_ends_when_its_evidence_is_there() {
        let comparison = judge(plan(Vec::new()), (100.0, 1.0), (90.0, 1.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 4));
        assert!((comparison.primary.mu - (100.0_f64 / 90.0).ln()).abs() < 1e-12);
        assert!(comparison.primary.ln_e.unwrap() >= 200.0_f64.ln());
        assert!(comparison.bound.is_none_or(|bound| bound < comparison.primary.mu));
    }

    #[test]
    fn a_metric_that_should_rise_is_improved_by_rising() {
        let mut rising = plan(Vec::new());
        rising.primary.direction = Direction::Higher;
        assert_eq!(judge(rising.clone(), (100.0, 1.0), (120.0, 1.0)).verdict, Verdict::Improved);
        assert_eq!(judge(rising, (100.0, 1.0), (80.0, 1.0)).verdict, Verdict::Regressed);
    }

    #[test]
    fn no_effect_and_regression_are_told_apart_by_the_interval() {
        let none = judge(plan(Vec::new()), (100.0, 1.0), (100.0, 1.0));
        assert_eq!((none.verdict, none.sentinels.len()), (Verdict::NoEffect, 0));
        assert_eq!(judge(plan(Vec::new()), (100.0, 1.0), (110.0, 1.0)).verdict, Verdict::Regressed);
    }

    #[test]
    fn a_quiet_sentinel_passes_at_the_first_look() {
        let comparison = judge(plan(vec![rss(0.05, 0.001)]), (100.0, 50.0), (90.0, 51.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 4));
        assert_eq!(comparison.sentinels[0].state, SentinelState::Passed);
    }

    #[test]
    fn a_regressed_sentinel_fails_at_the_first_look_from_pair_six() {
        let comparison = judge(plan(vec![rss(0.05, 0.001)]), (100.0, 50.0), (90.0, 60.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 6));
        assert_eq!(comparison.sentinels[0].state, SentinelState::Failed);
    }

    #[test]
    fn an_exact_win_is_looked_at_from_pair_three_in_steps_of_two() {
        let exact = PairScale { s: 0.0, threshold: 0.0 };
        let plan = Plan { scale: exact, ..plan(vec![rss(0.05, 0.0)]) };
        let comparison = judge(plan.clone(), (100.0, 50.0), (90.0, 60.0));
        assert_eq!(comparison.primary.pairs, 7);
        assert_eq!(comparison.primary.ln_e, None);
        assert_eq!(judge(plan, (100.0, 50.0), (90.0, 50.0)).primary.pairs, 3);
    }

    #[test]
    fn a_sentinel_on_the_edge_is_unresolved_after_twenty_pairs() {
        let wobble = |number: u32| {
            let rss = if number.is_multiple_of(2) { 52.5 * 1.01 } else { 52.4 / 1.01 };
            pair(number, (100.0, 50.0), (90.0, rss))
        };
        let comparison = judge_by(plan(vec![rss(0.05, 0.001)]), wobble);
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 20));
        assert_eq!(comparison.sentinels[0].state, SentinelState::Unresolved);
    }

    #[test]
    fn a_gain_that_melts_while_a_sentinel_is_watched_is_inconclusive() {
        let melting = |number: u32| {
            let rss = if number.is_multiple_of(2) { 52.5 * 1.01 } else { 52.4 / 1.01 };
            pair(number, (100.0, 50.0), (if number <= 4 { 90.0 } else { 100.0 }, rss))
        };
        let comparison = judge_by(plan(vec![rss(0.05, 0.001)]), melting);
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Inconclusive, 20));
        assert!(comparison.primary.ln_e.unwrap() >= 200.0_f64.ln(), "the evidence stays latched");
    }

    #[test]
    fn an_exact_sentinel_that_differs_ends_the_race_at_once() {
        let exact = SentinelPlan { exact: true, tests: Vec::new(), ..rss(0.05, 0.0) };
        let comparison =
            judge_by(plan(vec![exact]), |number| pair(number, (100.0, 50.0), (90.0, 50.0 - f64::from(number / 2))));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Inconclusive, 2));
        assert_eq!(comparison.sentinels[0].state, SentinelState::NotEqual);
    }

    #[test]
    fn a_broken_limit_blocks_at_the_look() {
        let limited = SentinelPlan { max: Some(55.0), tests: Vec::new(), ..rss(0.05, 0.0) };
        let comparison = judge(plan(vec![limited]), (100.0, 50.0), (90.0, 56.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 4));
        assert_eq!(comparison.sentinels[0].state, SentinelState::LimitBroken);
    }

    #[test]
    fn pushing_the_recorded_pairs_again_gives_the_same_judge() {
        let pairs: Vec<Pair> = (1..=3).map(|number| pair(number, (100.0, 50.0), (90.0, 50.0))).collect();
        let replay = || {
            let mut judge = Judge::new(plan(vec![rss(0.05, 0.001)]));
            for pair in &pairs {
                assert_eq!(judge.push(pair), Ok(Step::Continue));
            }
            judge
        };
        assert_eq!(replay(), replay());
        assert!(replay().estimate().unwrap().low < replay().effect().unwrap().mu);
    }

    #[test]
    fn a_value_that_the_scale_cannot_hold_leaves_the_judge_unchanged() {
        let mut judge = Judge::new(plan(vec![rss(0.05, 0.001)]));
        let before = judge.clone();
        let error = judge.push(&pair(1, (100.0, 50.0), (90.0, 0.0))).unwrap_err();
        let off =
            ValueError::OffScale { pair: 1, arm: Arm::Candidate, metric: name("rss"), value: 0.0, scale: Scale::Ratio };
        assert_eq!(error, JudgeError::Value(off));
        assert_eq!(judge, before);
    }

    #[test]
    fn a_pair_out_of_turn_or_after_the_verdict_is_refused() {
        let mut judge = Judge::new(plan(Vec::new()));
        let bad = pair(2, (100.0, 1.0), (110.0, 1.0));
        assert_eq!(judge.push(&bad), Err(JudgeError::OutOfTurn { expected: 1, got: 2 }));
        for number in 1..=2 {
            judge.push(&pair(number, (100.0, 1.0), (101.5, 1.0))).unwrap();
            if judge.finished {
                let next = judge.pairs() + 1;
                let late = pair(next, (100.0, 1.0), (101.5, 1.0));
                assert_eq!(judge.push(&late), Err(JudgeError::Finished { pair: next }));
                return;
            }
        }
        panic!("a regression of 1.5 % is out of reach within two pairs");
    }
}
