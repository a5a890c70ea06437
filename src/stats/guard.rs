//! The error probability of a candidate's sentinels: how tests and looks share it, and what it leaves unguarded.

use crate::domain::Scale;

use super::estimate::degrees_of_freedom;
use super::{ToleranceTest, t_upper, z_upper};

/// Pairs after which a sentinel gets no more.
pub(super) const CAP: u32 = 20;

/// Pair before which no sentinel fails by its test.
const FAIL_PAIRS: f64 = 6.0;

/// Error probability of all tests of a candidate together.
pub(super) const ERROR: f64 = 0.05;

/// How far an effective tolerance stays above what the pairs can just tell.
const MARGIN: f64 = 1.1;

/// A look before the last may spend this part of a test's error: there are up to seven, each much like the one before.
const EARLY_PART: f64 = 1.0 / 8.0;

/// The look at the last pair may spend this part of it.
const LAST_PART: f64 = 1.0 / 2.0;

/// Standard errors beyond the limit of a failure at which 95 of 100 regressions are beyond it as well: 1.645 of an
/// estimate that is as good as the mean, and what the larger of Hodges-Lehmann estimate and median adds.
const CERTAIN: f64 = 1.9;

/// A sentinel whose noise hides regressions beyond this share is of little use.
const COARSE: f64 = 0.10;

/// How sure the looks at a candidate's sentinels must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guard {
    /// `K`, the tests among which the error probability of a block is divided.
    pub(super) family: u32,
    /// Error probability of a pass.
    pub(super) pass_error: f64,
}

impl Guard {
    /// The usual rule for `K` tests.
    pub(super) fn usual(family: u32) -> Self {
        Self { family, pass_error: ERROR }
    }

    /// Error probability of one test, over all its looks: `.05 / K`.
    fn share(self) -> f64 {
        ERROR / f64::from(self.family.max(1))
    }

    /// Returns the standard errors by which a test must be worse to fail after `n` pairs; `None` where it is too early.
    ///
    /// Nothing fails before `2^-n` is down to half its share: the coin alone makes that many pairs of a metric with two
    /// speeds all fall to the worse side so often, whatever a t quantile says.
    pub(super) fn failing(self, n: usize) -> Option<f64> {
        let quantile = |part: f64| t_upper(part * self.share(), degrees_of_freedom(n));
        if n >= CAP as usize {
            return Some(quantile(LAST_PART));
        }
        let earliest = FAIL_PAIRS.max(-(LAST_PART * self.share()).log2());
        (n as f64 >= earliest).then(|| quantile(EARLY_PART))
    }
}

/// Returns the tolerance widened to what 20 pairs of this spread can tell, on the decision scale.
///
/// `g_eff = max(g, 1.1 z(1 - .05 / K) s_l / sqrt 20)`; `family` is `K`, the sentinels with a test (statistics
/// section 3). At calibration `spread` is the pair scale `s`.
pub fn effective_tolerance(tolerance: f64, family: u32, spread: f64) -> f64 {
    tolerance.max(MARGIN * z_upper(Guard::usual(family).share()) * spread / f64::from(CAP).sqrt())
}

/// Returns the smallest regression that is blocked 95 times in 100, on the decision scale, where pairs scatter by `s`.
fn surely_blocked(tolerance: f64, family: u32, s: f64) -> f64 {
    let se = s / f64::from(CAP).sqrt();
    let failing = Guard::usual(family).failing(CAP as usize).unwrap_or(f64::INFINITY);
    effective_tolerance(tolerance, family, s).max(failing * se) + CERTAIN * se
}

impl ToleranceTest {
    /// Returns the smallest regression that this test, one of a `family`, is sure to block, where that is so large that
    /// it hardly guards: beyond twice its tolerance, or beyond both 10 % and one and a half of it.
    ///
    /// On the decision scale; `None` where it does guard.
    pub fn unguarded(&self, family: u32) -> Option<f64> {
        let asked = self.scale.setting(self.tolerance);
        let useful = match self.scale {
            Scale::Ratio => (2.0 * asked).min(COARSE.ln_1p().max(1.5 * asked)),
            Scale::Linear => 2.0 * asked,
        };
        let sure = surely_blocked(asked, family, self.s);
        (sure > useful).then_some(sure)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_more_tests_there_are_the_later_one_of_them_can_fail() {
        for (family, earliest) in [(0, 6), (1, 6), (4, 8), (12, 9), (40, 11), (1000, 16)] {
            let guard = Guard::usual(family);
            assert_eq!((1..20).find(|&n| guard.failing(n).is_some()), Some(earliest), "{family} tests");
        }
        assert!(Guard::usual(1_000_000).failing(19).is_none() && Guard::usual(1_000_000).failing(20).is_some());
    }

    #[test]
    fn a_look_before_the_last_must_be_four_times_surer_than_the_last() {
        let guard = Guard::usual(4);
        assert_eq!(guard.failing(19), Some(t_upper(0.05 / 32.0, 22)));
        assert_eq!(guard.failing(20), Some(t_upper(0.05 / 8.0, 23)));
    }

    #[test]
    fn a_noisy_test_gets_a_wider_tolerance() {
        assert_eq!(effective_tolerance(0.05, 4, 0.01), 0.05);
        assert!((effective_tolerance(0.05, 4, 0.2) - 0.110_26).abs() < 1e-4);
    }

    #[test]
    fn what_cannot_be_guarded_is_told_with_the_regression_that_is_sure_to_be_seen() {
        let test = |tolerance, s| ToleranceTest { scale: Scale::Ratio, tolerance, s };
        for (family, tolerance, s) in [(40, 0.05, 0.042), (40, 0.05, 0.0), (4, 0.02, 0.02), (1, 0.10, 0.02)] {
            assert_eq!(test(tolerance, s).unguarded(family), None, "{family} of {tolerance}, noise {s}");
        }
        let iid_10_percent = 0.1 * 2.0_f64.sqrt();
        let sure = [1, 4, 12, 40].map(|family| test(0.05, iid_10_percent).unguarded(family).unwrap());
        assert!(sure.is_sorted() && sure[0] > 0.12 && sure[3] < 0.18, "{sure:?}");
        let linear = ToleranceTest { scale: Scale::Linear, tolerance: 2.0, s: 4.0 };
        assert!(linear.unguarded(1).is_none() && ToleranceTest { s: 5.0, ..linear }.unguarded(1).is_some());
    }
}
