//! Sentinels: secondary metrics that must not get worse by more than they tolerate.

use crate::domain::{Direction, MetricName, Scale, Sentinel, SentinelOutcome, SentinelState};

use super::estimate::{degrees_of_freedom, median, pooled_spread};
use super::guard::{CAP, Guard};
use super::race::{SCALE_PAIRS, learned_scale, same};
use super::{effective_tolerance, hodges_lehmann, t_upper};

/// What a sentinel's test says at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A regression beyond the tolerance is excluded.
    Pass,
    /// It regressed beyond the tolerance.
    Fail,
    /// More pairs are needed.
    More,
    /// The pairs ran out before it was clear.
    Unresolved,
}

/// Tests one sentinel of a `family` of `K` after the differences `d` (`d > 0` better) of pairs that scatter by `s`.
///
/// `tolerance` is on the decision scale. FAIL if `hi < -g_eff` and `hi + t(1 - .05 / (8 K)) se < 0` with
/// `hi = max(mu, median)`, not before pair 6 nor pair `log2(2 K / .05)`; PASS if `lo - t(.95) se > -g_eff` with
/// `lo = min(mu, median)`; at pair 20 FAIL if `hi <= -g_eff` and `hi + t(1 - .05 / (2 K)) se < 0`, else unresolved
/// (statistics section 3, with the error shared among the looks). A metric calibrated exact that varies all the same gets
/// its scale from its first four pairs.
pub fn sentinel_test(d: &[f64], s: f64, tolerance: f64, family: u32) -> Look {
    guarded_test(d, s, tolerance, Guard::usual(family))
}

/// The test with an error probability of its own for a pass.
fn guarded_test(d: &[f64], s: f64, tolerance: f64, guard: Guard) -> Look {
    let Guard { family, pass_error } = guard;
    let Some(s) = usable_scale(d, s) else { return Look::More };
    let n = d.len();
    let (mu, middle) = (hodges_lehmann(d), median(d));
    let spread = pooled_spread(d, mu, s, s);
    let se = spread / (n as f64).sqrt();
    let (high, low) = (mu.max(middle), mu.min(middle));
    let g = effective_tolerance(tolerance, family, spread);
    let last = n >= CAP as usize;
    let beyond = if last { high <= -g } else { high < -g };
    if beyond && guard.failing(n).is_some_and(|t| high + t * se < 0.0) {
        Look::Fail
    } else if low - t_upper(pass_error, degrees_of_freedom(n)) * se > -g {
        Look::Pass
    } else if last {
        Look::Unresolved
    } else {
        Look::More
    }
}

/// Returns the scale that the test stands on; `None` while an exact metric that varies has too few pairs to set one.
fn usable_scale(d: &[f64], s: f64) -> Option<f64> {
    let first = *d.first()?;
    if s > 0.0 || d.iter().all(|&v| same(v, first)) {
        return Some(s);
    }
    d.get(..SCALE_PAIRS).map(learned_scale)
}

/// One statistical test of a sentinel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToleranceTest {
    /// The scale on which it compares.
    pub scale: Scale,
    /// Largest tolerated regression as configured: relative (ratio) or in the metric's unit (linear).
    pub tolerance: f64,
    /// Calibrated pair scale on `scale`.
    pub s: f64,
}

impl ToleranceTest {
    fn look(&self, d: &[f64], guard: Guard) -> Look {
        guarded_test(d, self.s, self.scale.setting(self.tolerance), guard)
    }

    /// Words the tolerance, and the wider one that the pairs allow, for people.
    fn rule(&self, d: &[f64], family: u32) -> String {
        let asked = self.scale.setting(self.tolerance);
        let spread = usable_scale(d, self.s).map_or(self.s, |s| pooled_spread(d, hodges_lehmann(d), s, s));
        let told = effective_tolerance(asked, family, if d.is_empty() { self.s } else { spread });
        if told > asked {
            return format!(
                "tolerance {}, widened to the {} that 20 pairs can tell",
                self.word(asked),
                self.word(told)
            );
        }
        format!("tolerance {}", self.word(asked))
    }

    fn word(&self, g: f64) -> String {
        match self.scale {
            Scale::Ratio => format!("{:.2} %", 100.0 * g.exp_m1()),
            Scale::Linear => format!("{g} absolute"),
        }
    }
}

/// One sentinel as the race watches it: a metric, globs expanded, and all its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct SentinelPlan {
    /// The metric.
    pub metric: MetricName,
    /// Which way is better.
    pub direction: Direction,
    /// The tests for `tolerance` and `toleranceAbs`. With both, it fails only when both fail and passes when either
    /// passes.
    pub tests: Vec<ToleranceTest>,
    /// Largest allowed median of all candidate runs, in the metric's unit.
    pub max: Option<f64>,
    /// Smallest allowed median of them.
    pub min: Option<f64>,
    /// Whether both arms of every pair must have the same value.
    pub exact: bool,
}

impl SentinelPlan {
    /// Makes the plan of one metric from its setting; `s` and `s_abs` are its calibrated pair scales for `tolerance` and
    /// `toleranceAbs`.
    pub fn new(metric: MetricName, setting: &Sentinel, s: f64, s_abs: f64) -> Self {
        let relative = setting.tolerance.map(|tolerance| ToleranceTest { scale: setting.scale, tolerance, s });
        let absolute =
            setting.tolerance_abs.map(|tolerance| ToleranceTest { scale: Scale::Linear, tolerance, s: s_abs });
        Self {
            metric,
            direction: setting.direction,
            tests: relative.into_iter().chain(absolute).collect(),
            max: setting.max,
            min: setting.min,
            exact: setting.exact,
        }
    }
}

/// Returns `K`, the number of sentinels with a statistical test, which share the error probability.
pub fn family(sentinels: &[SentinelPlan]) -> u32 {
    sentinels.iter().map(|sentinel| u32::from(!sentinel.tests.is_empty())).sum()
}

/// A pair in which an exact sentinel differed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Difference {
    pair: usize,
    baseline: f64,
    candidate: f64,
}

/// One sentinel during a race.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Watch {
    plan: SentinelPlan,
    /// Differences of each test, on its own scale.
    d: Vec<Vec<f64>>,
    candidates: Vec<f64>,
    difference: Option<Difference>,
    passed: bool,
}

/// One pair's values of a sentinel: plain, and as differences on the scale of each test.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) baseline: f64,
    pub(super) candidate: f64,
    pub(super) d: Vec<f64>,
}

impl Watch {
    pub(super) fn new(plan: SentinelPlan) -> Self {
        let d = vec![Vec::new(); plan.tests.len()];
        Self { plan, d, candidates: Vec::new(), difference: None, passed: false }
    }

    pub(super) fn plan(&self) -> &SentinelPlan {
        &self.plan
    }

    pub(super) fn push(&mut self, sample: Sample) {
        self.candidates.push(sample.candidate);
        self.d.iter_mut().zip(sample.d).for_each(|(test, d)| test.push(d));
        if self.plan.exact && self.difference.is_none() && !same(sample.baseline, sample.candidate) {
            let Sample { baseline, candidate, d: _ } = sample;
            self.difference = Some(Difference { pair: self.candidates.len(), baseline, candidate });
        }
    }

    /// Says whether an exact sentinel has differed, which ends the race at once.
    pub(super) fn differs(&self) -> bool {
        self.difference.is_some()
    }

    /// Looks at the sentinel; `None` when it needs more pairs. A passed test is not asked again, limits always are.
    pub(super) fn look(&mut self, guard: Guard) -> Option<SentinelState> {
        if self.differs() {
            return Some(SentinelState::NotEqual);
        }
        if self.limit_broken() {
            return Some(SentinelState::LimitBroken);
        }
        if self.passed || self.plan.tests.is_empty() {
            return Some(SentinelState::Passed);
        }
        let state = joined(self.plan.tests.iter().zip(&self.d).map(|(test, d)| test.look(d, guard)));
        self.passed = state == Some(SentinelState::Passed);
        state
    }

    fn limit_broken(&self) -> bool {
        let middle = median(&self.candidates);
        self.plan.max.is_some_and(|max| middle > max) || self.plan.min.is_some_and(|min| middle < min)
    }

    /// Words the outcome; `state` is `None` where the sentinel was still waiting for pairs.
    pub(super) fn outcome(&self, state: Option<SentinelState>, guard: Guard) -> SentinelOutcome {
        SentinelOutcome {
            metric: self.plan.metric.clone(),
            state: state.unwrap_or(SentinelState::Unresolved),
            rule: self.rule(guard.family),
            mu: self.d.first().filter(|d| !d.is_empty()).map(|d| hodges_lehmann(d)),
        }
    }

    fn rule(&self, family: u32) -> String {
        let middle = median(&self.candidates);
        let tests = self.plan.tests.iter().zip(&self.d).map(|(test, d)| test.rule(d, family)).collect::<Vec<_>>();
        let mut clauses = if tests.is_empty() { Vec::new() } else { vec![tests.join(" or ")] };
        clauses.extend(self.plan.max.map(|max| format!("median at most {max} (is {middle})")));
        clauses.extend(self.plan.min.map(|min| format!("median at least {min} (is {middle})")));
        if self.plan.exact {
            clauses.push(match self.difference {
                None => "equal in both arms of every pair".to_owned(),
                Some(Difference { pair, baseline, candidate }) => {
                    format!(
                        "equal in both arms of every pair (pair {pair}: baseline {baseline}, candidate {candidate})"
                    )
                }
            });
        }
        clauses.join("; ")
    }
}

/// Joins the looks of a sentinel's tests: it passes when any passes, and fails only when all fail.
fn joined(looks: impl Iterator<Item = Look>) -> Option<SentinelState> {
    let (mut more, mut unresolved) = (false, false);
    for look in looks {
        match look {
            Look::Pass => return Some(SentinelState::Passed),
            Look::Fail => {}
            Look::More => more = true,
            Look::Unresolved => unresolved = true,
        }
    }
    if more {
        None
    } else if unresolved {
        Some(SentinelState::Unresolved)
    } else {
        Some(SentinelState::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(tests: Vec<ToleranceTest>) -> SentinelPlan {
        let metric = MetricName::new("rss").unwrap();
        SentinelPlan { metric, direction: Direction::Lower, tests, max: None, min: None, exact: false }
    }

    fn watch(plan: SentinelPlan, runs: &[(f64, f64)]) -> Watch {
        let mut watch = Watch::new(plan);
        for &(baseline, candidate) in runs {
            let y = |test: &ToleranceTest, v| test.scale.y(v, Direction::Lower).unwrap();
            let d = watch.plan.tests.iter().map(|test| y(test, baseline) - y(test, candidate)).collect();
            watch.push(Sample { baseline, candidate, d });
        }
        watch
    }

    const RELATIVE: ToleranceTest = ToleranceTest { scale: Scale::Ratio, tolerance: 0.05, s: 0.001 };
    const ABSOLUTE: ToleranceTest = ToleranceTest { scale: Scale::Linear, tolerance: 2.0, s: 0.001 };

    #[test]
    fn no_test_fails_before_pair_six() {
        let d = [-0.5; 6];
        assert_eq!(sentinel_test(&d[..5], 0.001, 0.05, 1), Look::More);
        assert_eq!(sentinel_test(&d, 0.001, 0.05, 1), Look::Fail);
    }

    #[test]
    fn a_regression_that_is_clear_to_one_test_is_not_yet_clear_to_one_of_forty() {
        let d: Vec<f64> = (0..20).map(|i| -0.07 + if i % 2 == 0 { 0.02 } else { -0.02 }).collect();
        assert_eq!(sentinel_test(&d[..6], 0.02, 0.05, 1), Look::Fail);
        assert_eq!(sentinel_test(&d[..10], 0.02, 0.05, 40), Look::More);
        assert_eq!(sentinel_test(&d[..12], 0.02, 0.05, 40), Look::Fail);
    }

    #[test]
    fn what_is_beyond_the_tolerance_at_the_last_pair_must_also_be_clear_of_zero() {
        let d = [-0.051; 20];
        assert_eq!(sentinel_test(&d, 0.09, 0.05, 1), Look::Fail);
        assert_eq!(sentinel_test(&d, 0.27, 0.05, 1), Look::Unresolved);
    }

    #[test]
    fn exactly_the_tolerance_is_a_failure_only_when_the_pairs_run_out() {
        assert_eq!(sentinel_test(&[-0.05; 19], 0.0, 0.05, 1), Look::More);
        assert_eq!(sentinel_test(&[-0.05; 20], 0.0, 0.05, 1), Look::Fail);
        assert_eq!(sentinel_test(&[-0.049; 3], 0.0, 0.05, 1), Look::Pass);
    }

    #[test]
    fn an_exact_metric_that_varies_waits_for_four_pairs() {
        let d = [0.0, -0.01, 0.01, 0.0];
        assert_eq!(sentinel_test(&d[..3], 0.0, 0.5, 1), Look::More);
        assert_eq!(sentinel_test(&d, 0.0, 0.5, 1), Look::Pass);
    }

    #[test]
    fn with_both_tolerances_either_may_pass() {
        let small_counter = [(10.0, 11.0); 6];
        assert_eq!(watch(plan(vec![RELATIVE]), &small_counter).look(Guard::usual(1)), Some(SentinelState::Failed));
        assert_eq!(
            watch(plan(vec![RELATIVE, ABSOLUTE]), &small_counter).look(Guard::usual(1)),
            Some(SentinelState::Passed)
        );
        assert_eq!(
            watch(plan(vec![RELATIVE, ABSOLUTE]), &[(10.0, 13.0); 6]).look(Guard::usual(1)),
            Some(SentinelState::Failed)
        );
    }

    #[test]
    fn a_limit_is_judged_on_the_median_of_all_candidate_runs_at_every_look() {
        let limited = SentinelPlan { max: Some(4096.0), ..plan(vec![RELATIVE]) };
        let mut watch = watch(limited, &[(4096.0, 4096.0); 3]);
        assert_eq!(watch.look(Guard::usual(1)), Some(SentinelState::Passed));
        for _ in 0..4 {
            watch.push(Sample { baseline: 4096.0, candidate: 5000.0, d: vec![-0.2] });
        }
        assert_eq!(watch.look(Guard::usual(1)), Some(SentinelState::LimitBroken));
        let outcome = watch.outcome(Some(SentinelState::LimitBroken), Guard::usual(1));
        assert!(outcome.rule.ends_with("median at most 4096 (is 5000)"), "{}", outcome.rule);
    }

    #[test]
    fn an_exact_sentinel_differs_in_either_direction() {
        let exact = || SentinelPlan { exact: true, ..plan(Vec::new()) };
        assert!(!watch(exact(), &[(3.0, 3.0), (4.0, 4.0)]).differs());
        for runs in [[(3.0, 3.0), (3.0, 4.0)], [(3.0, 3.0), (3.0, 2.0)]] {
            let watch = watch(exact(), &runs);
            assert!(watch.differs());
            assert!(watch.outcome(Some(SentinelState::NotEqual), Guard::usual(0)).rule.contains("pair 2: baseline 3"));
        }
    }

    #[test]
    fn only_sentinels_with_a_test_share_the_error_probability() {
        let exact = SentinelPlan { exact: true, ..plan(Vec::new()) };
        assert_eq!(family(&[exact, plan(vec![RELATIVE, ABSOLUTE]), plan(vec![RELATIVE])]), 2);
    }

    #[test]
    fn a_noisy_sentinel_says_that_its_tolerance_is_wider() {
        let rule = ToleranceTest { s: 0.2, ..RELATIVE }.rule(&[], 4);
        assert!(rule.starts_with("tolerance 5.00 %, widened to the 11.6"), "{rule}");
    }
}
