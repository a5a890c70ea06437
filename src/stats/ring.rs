//! What calibration knows of one metric: how far two runs of the same program fall apart.

use std::collections::VecDeque;
use std::f64::consts::SQRT_2;

use super::estimate::{MAD_TO_SD, median, pooled_spread};
use super::hodges_lehmann;

/// Values that a ring holds.
const CAPACITY: usize = 64;

/// Values that survive a keep, and new values after which they are compared with what came since.
const AFTER_KEEP: usize = 10;

/// A jump must pass the largest calibrated difference, or its 90 % quantile, by this factor.
const THRESHOLD_FACTOR: f64 = 1.25;

/// How far pairs of the same program fall apart, on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairScale {
    /// Robust standard deviation `s` of a pair's difference; 0 for an exact metric.
    pub s: f64,
    /// A difference `T` that pairs of the same program rarely pass.
    pub threshold: f64,
}

impl PairScale {
    /// Learns the scale from differences of the same program; `None` when there are none.
    ///
    /// `a = sorted |ring|`, `s = 1.4826 median(a)` (if 0: its root mean square),
    /// `T = 1.25 (max a if n < 20 else a[ceil(.9 (n + 1)) - 1])` (statistics section 3).
    pub fn of(ring: &[f64]) -> Option<Self> {
        let n = ring.len();
        let mut a: Vec<f64> = ring.iter().map(|v| v.abs()).collect();
        a.sort_by(f64::total_cmp);
        let largest = *a.last()?;
        let quantile = if n < 20 { largest } else { a[(9 * (n + 1)).div_ceil(10).min(n) - 1] };
        Some(Self { s: spread(&a), threshold: THRESHOLD_FACTOR * quantile })
    }

    /// Says whether every difference was 0, so that pairs are compared plainly.
    pub fn is_exact(self) -> bool {
        self.s == 0.0
    }
}

/// Returns `1.4826 median` of absolute values, or their root mean square where that is 0.
pub(super) fn spread(absolute: &[f64]) -> f64 {
    let robust = MAD_TO_SD * median(absolute);
    if robust > 0.0 {
        return robust;
    }
    (absolute.iter().map(|v| v * v).sum::<f64>() / absolute.len() as f64).sqrt()
}

/// What remains to be checked after a keep.
#[derive(Debug, Clone, Copy, PartialEq)]
struct KeepCheck {
    /// `1.4826 median |v|` of the values before the keep.
    old_scale: f64,
    /// Values that came since.
    new: usize,
}

/// The last 64 differences of the same program, for one metric.
///
/// It starts with the A/A pairs and then learns from every experiment for nothing: successive pairs of one experiment
/// differ by noise alone. A ring must not change while a candidate is raced; take its [`Ring::scale`] at the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    values: VecDeque<f64>,
    after_keep: Option<KeepCheck>,
    baseline: Option<f64>,
    candidate: Option<f64>,
}

impl Ring {
    /// Starts with A/A differences, the oldest first, and the baseline's value on the decision scale, where known.
    pub fn new(differences: impl IntoIterator<Item = f64>, baseline: Option<f64>) -> Self {
        let mut ring = Self { values: VecDeque::new(), after_keep: None, baseline, candidate: None };
        differences.into_iter().for_each(|d| ring.push(d));
        ring
    }

    /// Returns the values, the oldest first.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().copied()
    }

    /// Returns the pair scale and jump threshold; `None` while the ring is empty.
    pub fn scale(&self) -> Option<PairScale> {
        PairScale::of(&self.values().collect::<Vec<_>>())
    }

    /// Learns from the pairs `(y_baseline, y_candidate)` of one finished experiment, in their order.
    ///
    /// Appends `(d_i - d_(i-1)) / sqrt 2` of successive pairs; for an exact metric first any change of the baseline's
    /// value since the last experiment on that commit, undivided (statistics section 3).
    pub fn record(&mut self, pairs: &[(f64, f64)]) {
        let (Some(&(first, _)), Some(&(last, candidate))) = (pairs.first(), pairs.last()) else { return };
        let change = self.baseline.map_or(0.0, |before| first - before);
        if change != 0.0 && self.scale().is_some_and(PairScale::is_exact) {
            self.push(change);
        }
        for next in pairs.windows(2) {
            let d = |pair: (f64, f64)| pair.0 - pair.1;
            self.push((d(next[1]) - d(next[0])) / SQRT_2);
        }
        self.baseline = Some(last);
        self.candidate = Some(candidate);
    }

    /// Reacts to a keep: the last recorded candidate is the baseline now, and only the last ten values stay.
    ///
    /// When ten new ones have come their scale is compared once with the old, and outside \[.5, 2\] the old ones go.
    pub fn keep(&mut self) {
        self.values.drain(..self.values.len().saturating_sub(AFTER_KEEP));
        let old_scale = robust_scale(self.values());
        self.after_keep = Some(KeepCheck { old_scale, new: 0 });
        self.baseline = self.candidate;
    }

    /// Reacts to a new baseline that no candidate was: as to a keep, and its value is not known.
    pub fn restart(&mut self) {
        self.keep();
        self.baseline = None;
    }

    fn push(&mut self, value: f64) {
        if self.values.len() == CAPACITY {
            self.values.pop_front();
        }
        self.values.push_back(value);
        if let Some(check) = &mut self.after_keep {
            check.new += 1;
            if check.new == AFTER_KEEP {
                self.compare_new_with_old();
            }
        }
    }

    fn compare_new_with_old(&mut self) {
        let Some(check) = self.after_keep.take() else { return };
        let old = self.values.len() - check.new;
        let new_scale = robust_scale(self.values().skip(old));
        let alike = new_scale >= 0.5 * check.old_scale && new_scale <= 2.0 * check.old_scale;
        if !alike {
            self.values.drain(..old);
        }
    }
}

/// Returns `1.4826 median |v|`.
fn robust_scale(values: impl Iterator<Item = f64>) -> f64 {
    MAD_TO_SD * median(&values.map(f64::abs).collect::<Vec<_>>())
}

/// How much better one slot is than the other for the same program, on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotBias {
    /// Hodges-Lehmann estimate of the A/A differences.
    pub mu: f64,
    /// Its standard error.
    pub se: f64,
}

impl SlotBias {
    /// Estimates the bias from A/A differences; `None` when there are none.
    pub fn of(differences: &[f64]) -> Option<Self> {
        let s = PairScale::of(differences)?.s;
        let mu = hodges_lehmann(differences);
        Some(Self { mu, se: pooled_spread(differences, mu, s, s) / (differences.len() as f64).sqrt() })
    }

    /// Says whether the bias is more than two standard errors, and must be shown.
    pub fn is_significant(self) -> bool {
        self.mu.abs() > 2.0 * self.se
    }
}

/// Returns the effect that evidence must exceed: half the minimum effect, and at least a significant slot bias.
///
/// Half the minimum effect absorbs the luck of code layout (statistics sections 2 and 3).
pub fn delta0(min_effect: f64, bias: Option<SlotBias>) -> f64 {
    let floor = bias.filter(|bias| bias.is_significant()).map_or(0.0, |bias| bias.mu.abs());
    floor.max(min_effect / 2.0)
}

/// Returns the smallest effect that `max_pairs` pairs can resolve (the MDE), on the decision scale:
/// `delta0 + s sqrt(2 ln(4 / alpha) / n_max)` (statistics section 3).
pub fn resolvable_effect(delta0: f64, s: f64, alpha: f64, max_pairs: u32) -> f64 {
    delta0 + s * (2.0 * (4.0 / alpha).ln() / f64::from(max_pairs)).sqrt()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    fn alternating(size: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| if i % 2 == 0 { size } else { -size }).collect()
    }

    /// Pairs whose successive differences are exactly `size * sqrt 2` apart, so that the ring gets `+-size`.
    fn pairs(size: f64, count: usize) -> Vec<(f64, f64)> {
        alternating(size / SQRT_2, count).into_iter().map(|d| (d, 0.0)).collect()
    }

    #[test]
    fn an_empty_ring_has_no_scale_and_a_ring_of_zeros_is_exact() {
        assert_eq!(Ring::new([], None).scale(), None);
        assert!(Ring::new([0.0; 10], None).scale().unwrap().is_exact());
        assert!(!Ring::new([0.0, 0.0, 0.0, 1.0], None).scale().unwrap().is_exact());
    }

    #[test]
    fn the_ring_holds_the_last_64_values() {
        let ring = Ring::new((0..100).map(f64::from), None);
        assert_eq!(ring.values().collect::<Vec<_>>(), (36..100).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn from_twenty_values_on_the_threshold_is_a_quantile() {
        let of = |n: i32| PairScale::of(&(1..=n).map(f64::from).collect::<Vec<_>>()).unwrap().threshold;
        assert_eq!(of(19), 1.25 * 19.0);
        assert_eq!(of(20), 1.25 * 19.0);
        assert_eq!(of(64), 1.25 * 59.0);
    }

    #[test]
    fn an_experiment_adds_its_successive_differences() {
        let mut ring = Ring::new([], None);
        ring.record(&[(1.0, 0.0), (3.0, 0.0), (3.0, 1.0)]);
        assert_eq!(ring.values().collect::<Vec<_>>(), [2.0 / SQRT_2, -1.0 / SQRT_2]);
        ring.record(&[]);
        ring.record(&[(5.0, 0.0)]);
        assert_eq!(ring.values().count(), 2);
    }

    #[test]
    fn a_changed_baseline_ends_the_exactness_of_an_exact_metric() {
        let mut ring = Ring::new([0.0; 10], Some(7.0));
        ring.record(&[(7.0, 6.0)]);
        assert!(ring.scale().unwrap().is_exact());
        ring.record(&[(7.5, 6.0)]);
        assert_eq!(ring.values().last(), Some(0.5));
        assert!(!ring.scale().unwrap().is_exact());
        ring.record(&[(9.0, 6.0)]);
        assert_eq!(ring.values().last(), Some(0.5), "a noisy metric learns nothing from its baseline's drift");
    }

    #[test]
    fn after_a_keep_the_kept_value_is_what_the_baseline_is_compared_with() {
        let mut ring = Ring::new([0.0; 10], Some(7.0));
        ring.record(&[(7.0, 6.0), (7.0, 6.0), (7.0, 6.0)]);
        ring.keep();
        ring.record(&[(6.0, 5.0)]);
        assert!(ring.scale().unwrap().is_exact());
    }

    #[test]
    fn a_keep_leaves_ten_values() {
        let mut ring = Ring::new((0..40).map(f64::from), None);
        ring.keep();
        assert_eq!(ring.values().collect::<Vec<_>>(), (30..40).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn ten_new_values_of_another_size_drop_the_old_ones_once() {
        for (size, stays) in [(0.4, false), (0.6, true), (1.9, true), (2.1, false)] {
            let mut ring = Ring::new(alternating(1.0, 20), None);
            ring.keep();
            ring.record(&pairs(size, 10));
            assert_eq!(ring.values().count(), 19, "nine new values are not looked at");
            ring.record(&pairs(size, 2));
            assert_eq!(ring.values().count() == 20, stays, "{size}");
            let before = ring.values().count();
            ring.record(&pairs(100.0, 12));
            assert_eq!(ring.values().count(), before + 11, "the comparison is made once");
        }
    }

    #[test]
    fn a_bias_within_two_standard_errors_leaves_delta0_alone() {
        let quiet = SlotBias::of(&alternating(0.01, 10)).unwrap();
        assert!(!quiet.is_significant());
        assert_eq!(delta0(0.01, Some(quiet)), 0.005);
        let biased: Vec<f64> = alternating(0.01, 10).iter().map(|d| d + 0.03).collect();
        let bias = SlotBias::of(&biased).unwrap();
        assert!(bias.is_significant());
        assert_eq!(delta0(0.01, Some(bias)), bias.mu.abs());
        assert_eq!(delta0(0.01, None), 0.005);
    }

    #[test]
    fn the_resolvable_effect_of_a_quiet_machine_is_under_two_percent() {
        let mde = resolvable_effect(0.005, 0.0141, 0.005, 30);
        assert!((mde - 0.014_414).abs() < 1e-5, "{mde}");
    }
}
