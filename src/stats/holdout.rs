//! The judge of a holdout: its metrics are watched as sentinels are, over pairs of their own.

use crate::domain::{Pair, SentinelOutcome, SentinelState};

use super::estimate::degrees_of_freedom;
use super::guard::{CAP, ERROR, Guard};
use super::judge::{LOOK_EVERY, sample};
use super::sentinel::Watch;
use super::{JudgeError, SentinelPlan, ValueError, effective_tolerance, family, t_upper};

/// The pair at which the metrics are looked at first: no fewer bring any other keep.
const FIRST_LOOK: u32 = 3;

/// Judges a candidate by its holdout, pair by pair.
///
/// An exact metric that differs ends it at once. The others are looked at after pair 3 and each two further ones, until
/// each has passed, one has failed, or pair 20 is reached: the looks of the sentinels of a race whose evidence was there
/// at its third pair. Pushing the same pairs again gives the same outcome, so a recorded holdout is resumed by pushing
/// its pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldoutJudge {
    watches: Vec<Watch>,
    guard: Guard,
    pairs: u32,
    next_look: u32,
    finished: bool,
}

impl HoldoutJudge {
    /// Starts with no pairs. `pass_error` is the error probability of a pass where it is not the usual one: the alpha of
    /// a simplification, which claims nothing but that it does no harm.
    pub fn new(plans: Vec<SentinelPlan>, pass_error: Option<f64>) -> Self {
        let usual = Guard::usual(family(&plans));
        let guard = Guard { pass_error: pass_error.map_or(usual.pass_error, |error| error.min(ERROR)), ..usual };
        let watches = plans.into_iter().map(Watch::new).collect();
        Self { watches, guard, pairs: 0, next_look: FIRST_LOOK, finished: false }
    }

    /// Returns the number of pairs taken.
    pub fn pairs(&self) -> u32 {
        self.pairs
    }

    /// Takes the next complete pair, whose numbers run from 1 without a gap; returns every metric's outcome at the end.
    pub fn push(&mut self, pair: &Pair) -> Result<Option<Vec<SentinelOutcome>>, JudgeError> {
        self.check_turn(pair)?;
        let samples =
            self.watches.iter().map(|watch| sample(pair, watch.plan())).collect::<Result<Vec<_>, ValueError>>()?;
        self.watches.iter_mut().zip(samples).for_each(|(watch, sample)| watch.push(sample));
        self.pairs += 1;
        if self.pairs < self.next_look && !self.watches.iter().any(Watch::differs) {
            return Ok(None);
        }
        Ok(self.look())
    }

    fn check_turn(&self, pair: &Pair) -> Result<(), JudgeError> {
        let expected = self.pairs + 1;
        if self.finished {
            return Err(JudgeError::Finished { pair: pair.number });
        }
        if pair.number != expected {
            return Err(JudgeError::OutOfTurn { expected, got: pair.number });
        }
        Ok(())
    }

    fn look(&mut self) -> Option<Vec<SentinelOutcome>> {
        let states: Vec<Option<SentinelState>> = self.watches.iter_mut().map(|watch| watch.look(self.guard)).collect();
        let blocked = states.iter().flatten().any(|state| state.blocks());
        if !blocked && states.iter().any(Option::is_none) {
            self.next_look = (self.pairs + LOOK_EVERY).min(CAP.max(self.pairs + 1));
            return None;
        }
        self.finished = true;
        let outcomes = self.watches.iter().zip(states).map(|(watch, state)| watch.outcome(state, self.guard));
        Some(outcomes.collect())
    }
}

/// Returns after how many pairs a metric passes whose differences scatter by `s` about 0, for a forecast.
///
/// `tolerance` is on the decision scale, `family` the metrics with a test.
pub fn pairs_to_pass(s: f64, tolerance: f64, family: u32) -> u32 {
    let g = effective_tolerance(tolerance, family, s);
    let error = |n: u32| t_upper(ERROR, degrees_of_freedom(n as usize)) * s / f64::from(n).sqrt();
    (FIRST_LOOK..CAP).step_by(LOOK_EVERY as usize).find(|&n| s == 0.0 || error(n) < g).unwrap_or(CAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Direction, MetricName, Order, Reading, Scale};
    use crate::stats::ToleranceTest;
    use crate::stats::simulation::{Machine, Noise};

    fn name() -> MetricName {
        MetricName::new("held").unwrap()
    }

    fn plan(tolerance: f64, s: f64) -> SentinelPlan {
        let tests = vec![ToleranceTest { scale: Scale::Ratio, tolerance, s }];
        SentinelPlan { metric: name(), direction: Direction::Lower, tests, max: None, min: None, exact: false }
    }

    fn pair(number: u32, baseline: f64, candidate: f64) -> Pair {
        let reading = |value| Reading { metrics: [(name(), value)].into(), invariants: Vec::new() };
        Pair { number, order: Order::BaselineFirst, baseline: reading(baseline), candidate: reading(candidate) }
    }

    /// Pushes pairs until the outcome; returns it with the number of pairs.
    fn judged(plan: SentinelPlan, mut values: impl FnMut() -> (f64, f64)) -> (SentinelState, u32) {
        let mut judge = HoldoutJudge::new(vec![plan], None);
        for number in 1..=CAP {
            let (baseline, candidate) = values();
            if let Some(outcomes) = judge.push(&pair(number, baseline, candidate)).unwrap() {
                return (outcomes[0].state, judge.pairs());
            }
        }
        panic!("no outcome at the cap");
    }

    #[test]
    fn a_quiet_holdout_passes_after_three_pairs_and_fails_not_before_six() {
        assert_eq!(judged(plan(0.03, 0.001), || (100.0, 100.0)), (SentinelState::Passed, 3));
        assert_eq!(judged(plan(0.03, 0.001), || (100.0, 110.0)), (SentinelState::Failed, 7));
        assert_eq!(judged(plan(0.03, 0.001), || (100.0, 80.0)), (SentinelState::Passed, 3));
    }

    #[test]
    fn an_exact_metric_that_differs_ends_the_holdout_at_once() {
        let exact = SentinelPlan { tests: Vec::new(), exact: true, ..plan(0.0, 0.0) };
        assert_eq!(judged(exact.clone(), || (7.0, 8.0)), (SentinelState::NotEqual, 1));
        assert_eq!(judged(exact, || (7.0, 7.0)), (SentinelState::Passed, 3));
    }

    #[test]
    fn a_limit_is_looked_at_with_the_tests() {
        let limited = SentinelPlan { max: Some(90.0), ..plan(0.5, 0.001) };
        assert_eq!(judged(limited, || (80.0, 95.0)), (SentinelState::LimitBroken, 3));
    }

    #[test]
    fn a_simplification_needs_more_pairs_to_pass_than_a_win() {
        let mut noise = [0.985, 1.0, 1.015, 1.0].into_iter().cycle();
        let values: Vec<(f64, f64)> = (0..CAP).map(|_| (100.0, 100.0 * noise.next().unwrap())).collect();
        let pairs = |error| {
            let mut judge = HoldoutJudge::new(vec![plan(0.03, 0.015)], error);
            (1..).zip(&values).find_map(|(n, v)| judge.push(&pair(n, v.0, v.1)).unwrap()).unwrap();
            judge.pairs()
        };
        assert!(pairs(Some(0.002)) > pairs(None), "{} {}", pairs(Some(0.002)), pairs(None));
        assert_eq!(pairs(Some(0.9)), pairs(None), "never less sure than usual");
    }

    #[test]
    fn pairs_out_of_turn_and_after_the_end_are_refused() {
        let mut judge = HoldoutJudge::new(vec![plan(0.03, 0.001)], None);
        assert_eq!(judge.push(&pair(2, 1.0, 1.0)), Err(JudgeError::OutOfTurn { expected: 1, got: 2 }));
        for number in 1..=3 {
            judge.push(&pair(number, 1.0, 1.0)).unwrap();
        }
        assert_eq!(judge.push(&pair(4, 1.0, 1.0)), Err(JudgeError::Finished { pair: 4 }));
    }

    #[test]
    fn a_harmless_candidate_is_rarely_blocked_and_a_regression_of_ten_percent_is() {
        let blocked = |effect: f64| {
            let one = |seed| {
                let mut machine = Machine::new(&Noise::Iid(0.01), seed);
                let values = || {
                    let (b, c) = machine.contest(effect);
                    (b.exp(), c.exp())
                };
                judged(plan(0.03, 0.014), values).0.blocks()
            };
            (0..500).filter(|&seed| one(seed)).count()
        };
        assert!(blocked(0.0) <= 2, "{}", blocked(0.0));
        assert!(blocked(-0.1) >= 495, "{}", blocked(-0.1));
    }

    #[test]
    fn the_forecast_of_a_noisy_metric_takes_more_pairs() {
        assert_eq!(pairs_to_pass(0.0, 0.03, 1), 3);
        assert_eq!(pairs_to_pass(0.01, 0.03, 1), 3);
        assert!((5..20).contains(&pairs_to_pass(0.04, 0.03, 1)), "{}", pairs_to_pass(0.04, 0.03, 1));
    }
}
