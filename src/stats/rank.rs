//! Rank tests for small samples: the exact signed-rank test, and Mann's trend test with the slope of Theil and Sen.

use statrs::distribution::{ContinuousCDF, Normal};

use super::median;

/// Differences up to which the signed-rank distribution is counted out; beyond, the normal one is near enough.
const EXACT_MAX: usize = 60;

/// Returns the two-sided probability that differences symmetric about 0 look at least this lopsided.
///
/// The exact distribution of the signed-rank sum (Wilcoxon 1945) given the ranks at hand, so that ties are no
/// approximation; zeros are left out. 1 where nothing is left; the normal approximation beyond 60 differences.
pub(super) fn signed_rank_p(d: &[f64]) -> f64 {
    let doubled = doubled_ranks(d);
    let total: usize = doubled.iter().map(|(rank, _)| rank).sum();
    let positive: usize = doubled.iter().filter(|(_, up)| *up).map(|(rank, _)| rank).sum();
    let extreme = positive.max(total - positive);
    if doubled.len() > EXACT_MAX {
        let variance: f64 = doubled.iter().map(|(rank, _)| (*rank as f64).powi(2) / 4.0).sum();
        return two_sided((extreme as f64 - total as f64 / 2.0) / variance.sqrt());
    }
    // chance[w]: how likely a sum of w is when each rank counts with a fair coin.
    let mut chance = vec![0.0; total + 1];
    chance[0] = 1.0;
    for (rank, _) in &doubled {
        for sum in (0..=total).rev() {
            let with = if sum >= *rank { chance[sum - rank] } else { 0.0 };
            chance[sum] = f64::midpoint(chance[sum], with);
        }
    }
    (2.0 * chance[extreme..].iter().sum::<f64>()).min(1.0)
}

/// Returns twice the mid-rank of each absolute value, and whether the value is above 0; zeros are left out.
fn doubled_ranks(d: &[f64]) -> Vec<(usize, bool)> {
    let below = |v: f64| d.iter().filter(|o| **o != 0.0 && o.abs() < v.abs()).count();
    let equal = |v: f64| d.iter().filter(|o| o.abs().total_cmp(&v.abs()).is_eq()).count();
    d.iter().filter(|v| **v != 0.0).map(|&v| (2 * below(v) + equal(v) + 1, v > 0.0)).collect()
}

/// A trend over equally spaced values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trend {
    /// Change from one value to the next: the median of the slopes of all pairs of values (Theil 1950, Sen 1968).
    pub(super) slope: f64,
    /// Two-sided probability of such a trend in exchangeable values (Mann 1945; normal approximation with the tie
    /// correction of Kendall 1975).
    pub(super) p: f64,
}

/// Estimates the trend of values in order of time; `None` of fewer than two.
pub(super) fn trend(values: &[f64]) -> Option<Trend> {
    let n = values.len();
    let mut slopes = Vec::with_capacity(n * n.saturating_sub(1) / 2);
    let mut score = 0.0;
    for (i, &from) in values.iter().enumerate() {
        for (steps, &to) in values[i + 1..].iter().enumerate() {
            slopes.push((to - from) / (steps + 1) as f64);
            score += f64::from(i8::from(to > from) - i8::from(to < from));
        }
    }
    if slopes.is_empty() {
        return None;
    }
    let weight = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let variance = (weight(n as f64) - ties(values).map(weight).sum::<f64>()) / 18.0;
    // One step towards 0: the continuity correction.
    let z = if score == 0.0 || variance <= 0.0 { 0.0 } else { (score.abs() - 1.0) / variance.sqrt() };
    Some(Trend { slope: median(&slopes), p: two_sided(z) })
}

/// Returns how often each value occurs.
fn ties(values: &[f64]) -> impl Iterator<Item = f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let counts: Vec<f64> = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|same| same.len() as f64).collect();
    counts.into_iter()
}

fn two_sided(z: f64) -> f64 {
    (2.0 * Normal::standard().sf(z.abs())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_rank_test_agrees_with_published_tables() {
        // All of n values on one side: 2 / 2^n.
        assert!((signed_rank_p(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 2.0 / 32.0).abs() < 1e-12);
        // n = 10, smaller sum 8: the two-sided 5 % limit of the tables, p = 0.0488.
        let d = [-1.0, -7.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 9.0, 10.0];
        assert!((signed_rank_p(&d) - 0.048_828_125).abs() < 1e-12, "{}", signed_rank_p(&d));
        assert!((signed_rank_p(&[0.0, 0.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn ties_share_their_ranks() {
        // Ranks 2, 2, 2 of three equal sizes: both extremes have 1/8.
        assert!((signed_rank_p(&[1.0, 1.0, 1.0]) - 0.25).abs() < 1e-12);
        assert!((signed_rank_p(&[1.0, -1.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn many_values_use_the_normal_distribution() {
        let d: Vec<f64> = (1..=100).map(|i| if i % 2 == 0 { f64::from(i) } else { -f64::from(i) }).collect();
        assert!(signed_rank_p(&d) > 0.5);
        assert!(signed_rank_p(&d.iter().map(|v| v.abs()).collect::<Vec<_>>()) < 1e-9);
    }

    #[test]
    fn a_trend_has_its_slope_and_no_trend_has_none() {
        let up: Vec<f64> = (0..20).map(|i| 0.5 * f64::from(i)).collect();
        let found = trend(&up).unwrap();
        assert!((found.slope - 0.5).abs() < 1e-12 && found.p < 1e-8, "{found:?}");
        let flat = trend(&[1.0; 20]).unwrap();
        assert!(flat.slope.abs() < 1e-12 && flat.p > 0.99, "{flat:?}");
        assert_eq!(trend(&[1.0]), None);
    }

    #[test]
    fn the_trend_test_agrees_with_a_worked_example() {
        // S = 8, variance 8 7 21 / 18 = 65.33, z = 7 / 8.083 = 0.866, p = 0.386.
        let found = trend(&[1.0, 3.0, 2.0, 4.0, 8.0, 5.0, 7.0, 0.5]).unwrap();
        assert!((found.p - 0.3865).abs() < 0.001, "{found:?}");
    }
}
