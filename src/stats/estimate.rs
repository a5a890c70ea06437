//! Estimates of an effect from its paired differences, and their intervals as people see them.

use super::{Evidence, PairScale, quantile};

/// Makes a median absolute deviation estimate the standard deviation of a normal distribution: `1 / z(3/4)`.
pub(super) const MAD_TO_SD: f64 = 1.4826;

/// Evidence at which the anytime lower bound stands: a false bound has probability 1/20 at most.
const BOUND_E: f64 = 20.0;

/// Returns the middle value, or the mean of the two middle ones; NaN when there are none.
pub fn median(values: &[f64]) -> f64 {
    median_in_place(&mut values.to_vec())
}

/// Returns the median of values that it may reorder.
pub(super) fn median_in_place(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    if n % 2 == 1 {
        return upper;
    }
    f64::midpoint(below.iter().copied().fold(f64::NEG_INFINITY, f64::max), upper)
}

/// Returns all `n (n + 1) / 2` Walsh averages `(d_i + d_j) / 2`, i <= j, unsorted.
fn walsh(d: &[f64]) -> Vec<f64> {
    (0..d.len()).flat_map(|i| d[i..].iter().map(move |&other| f64::midpoint(d[i], other))).collect()
}

/// Estimates the centre of symmetric differences: the median of their Walsh averages (Hodges and Lehmann 1963).
pub fn hodges_lehmann(d: &[f64]) -> f64 {
    median_in_place(&mut walsh(d))
}

/// Returns the spread `s_l` of differences around `mu`: the root mean square of the residuals clamped at `3 clamp`,
/// with four prior observations of size `prior` (statistics section 3, estimate).
pub(super) fn pooled_spread(d: &[f64], mu: f64, clamp: f64, prior: f64) -> f64 {
    let residual = |v: &f64| (v - mu).clamp(-3.0 * clamp, 3.0 * clamp).powi(2);
    ((4.0 * prior * prior + d.iter().map(residual).sum::<f64>()) / (d.len() as f64 + 3.0)).sqrt()
}

/// An effect as people see it, on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Hodges-Lehmann estimate.
    pub mu: f64,
    /// Its standard error.
    pub se: f64,
    /// Estimate shrunk against the luck that ended the race.
    pub gain: f64,
    /// Lower limit of the interval around `gain`.
    pub low: f64,
    /// Upper limit of it.
    pub high: f64,
}

/// Returns the effect of a race, finished or not, whose pairs scatter by `s`; there must be at least one difference.
///
/// `gain = mu max(0, 1 - 2 se^2 / mu^2)`, interval `gain +- 1.25 t(.975, n + 3) se`, residuals clamped at
/// `3 max(s, 1.4826 MAD)`: it covers the truth at .95 to .99 although the race stopped when it liked (statistics
/// section 3, `report_effect`).
pub fn report_effect(d: &[f64], s: f64) -> Report {
    let mu = hodges_lehmann(d);
    let deviation = MAD_TO_SD * median(&d.iter().map(|v| (v - mu).abs()).collect::<Vec<_>>());
    let se = pooled_spread(d, mu, s.max(deviation), s) / (d.len() as f64).sqrt();
    let gain = if mu == 0.0 { 0.0 } else { mu * (1.0 - 2.0 * se * se / (mu * mu)).max(0.0) };
    let half = 1.25 * quantile::t_upper(0.025, degrees_of_freedom(d.len())) * se;
    Report { mu, se, gain, low: gain - half, high: gain + half }
}

/// Returns the standard error behind an interval that [`report_effect`] made of so many pairs.
pub fn reported_se(low: f64, high: f64, pairs: u32) -> f64 {
    (high - low) / (2.0 * 1.25 * quantile::t_upper(0.025, degrees_of_freedom(pairs as usize)))
}

/// Returns `n + 3`: the pairs, and the four prior observations less the estimated centre.
pub(super) fn degrees_of_freedom(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX - 3) + 3
}

/// Returns the anytime lower bound `sup { theta : E_n(delta0 := theta) >= 20 }` of the effect, by bisection; `None`
/// where so few pairs give no such evidence for any theta, or there are none (statistics section 3).
pub fn lower_bound(d: &[f64], scale: PairScale, jump: bool) -> Option<f64> {
    let enough = |theta: f64| {
        let mut evidence = Evidence::new(scale);
        for v in d {
            evidence.push(v - theta);
        }
        evidence.ln_e(jump) >= BOUND_E.ln()
    };
    let least = d.iter().copied().min_by(f64::total_cmp)?;
    let mut low = least - 1000.0 * scale.s.max(scale.threshold).max(1e-12);
    let mut high = d.iter().copied().max_by(f64::total_cmp)?;
    if !enough(low) {
        return None;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if enough(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// An estimate with its 95 % interval, on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Hodges-Lehmann estimate.
    pub mu: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// Returns the exact signed-rank interval of fresh pairs whose number was fixed beforehand; `None` below 6 pairs.
///
/// The fair coin of each pair alone makes it valid. For 20 pairs the limits are the Walsh averages w\[52\] and w\[157\]
/// (statistics section 3; Hollander and Wolfe, Nonparametric Statistical Methods, 3.3).
pub fn validation_interval(d: &[f64]) -> Option<Interval> {
    let critical = signed_rank_critical(d.len(), 0.025)?;
    let mut averages = walsh(d);
    averages.sort_by(f64::total_cmp);
    let last = averages.len() - 1;
    Some(Interval { mu: median(&averages), low: averages[critical], high: averages[last - critical] })
}

/// Returns the largest `c` with `P(W <= c) <= tail` for the signed-rank statistic of `n` fair coins, if there is one.
fn signed_rank_critical(n: usize, tail: f64) -> Option<usize> {
    let mut ways = vec![0.0_f64; n * (n + 1) / 2 + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for w in (rank..ways.len()).rev() {
            ways[w] += ways[w - rank];
        }
    }
    let allowed = tail * ways.iter().sum::<f64>();
    let within = ways.iter().scan(0.0, |total, count| {
        *total += count;
        Some(*total)
    });
    within.take_while(|total| *total <= allowed).count().checked_sub(1)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_hardly_moves_the_estimate() {
        let quiet = [0.9, 1.0, 1.1, 1.0, 0.95, 1.05];
        let spoiled = [0.9, 1.0, 1.1, 1.0, 0.95, 50.0];
        assert!((hodges_lehmann(&quiet) - 1.0).abs() < 1e-12);
        assert!((hodges_lehmann(&spoiled) - 1.0).abs() < 0.06);
    }

    #[test]
    fn twenty_pairs_take_the_walsh_averages_52_and_157() {
        assert_eq!(signed_rank_critical(20, 0.025), Some(52));
        let d: Vec<f64> = (0..20).map(f64::from).collect();
        let mut averages = walsh(&d);
        averages.sort_by(f64::total_cmp);
        let interval = validation_interval(&d).unwrap();
        assert_eq!((interval.low, interval.high), (averages[52], averages[157]));
    }

    #[test]
    fn five_pairs_are_too_few_for_an_interval() {
        assert_eq!(validation_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]), None);
        assert!(validation_interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).is_some());
    }

    #[test]
    fn a_noisy_effect_is_shrunk_to_nothing_and_an_exact_one_is_not() {
        assert_eq!(report_effect(&[0.001, -0.02, 0.03], 0.05).gain, 0.0);
        let exact = report_effect(&[0.25, 0.25, 0.25], 0.0);
        assert_eq!((exact.gain, exact.low, exact.high), (0.25, 0.25, 0.25));
        assert_eq!(report_effect(&[0.0], 0.0).gain, 0.0);
    }

    #[test]
    fn the_standard_error_is_read_back_from_the_interval() {
        let d = [0.01, 0.03, 0.02, 0.05, -0.01];
        let report = report_effect(&d, 0.02);
        assert!((reported_se(report.low, report.high, 5) - report.se).abs() < 1e-12);
    }

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert!(median(&[]).is_nan());
    }
}
