//! What the runs of the same program say about a machine: drift, order, two levels, outliers.
//!
//! Each question has one robust estimator and one test at 1 %, so that a healthy machine is rarely called ill: of four
//! questions, about one calibration in thirty raises a false alarm. No answer enters a decision; they say what to mend.

use super::estimate::{MAD_TO_SD, median};
use super::hodges_lehmann;
use super::rank::{signed_rank_p, trend};

/// Error probability of each test.
const LEVEL: f64 = 0.01;

/// Runs below which nothing is called a drift or two levels: the tests could hardly answer otherwise.
const FEWEST_RUNS: usize = 8;

/// Share of the runs that the smaller of two levels must have, and the fewest of them.
const LEVEL_SHARE: f64 = 0.15;
const LEVEL_RUNS: usize = 3;

/// Sarle's coefficient of a uniform distribution; two levels have more, one peak less.
const SARLE: f64 = 5.0 / 9.0;

/// Distance of two levels in units of their spread above which they are told apart. Ashman, Bird and Zepf (1994) ask
/// for 2 of a fitted mixture; levels found by the widest gap look farther apart than they are, hence more.
const SEPARATION: f64 = 5.0;

/// Robust deviations beyond which a run is an outlier: 3.5 (Iglewicz and Hoaglin 1993).
const OUTLYING: f64 = 3.5;

/// Two runs of the same program, back to back, on the scale of [`Scale::y`](crate::domain::Scale::y).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwinRuns {
    /// The run that came first.
    pub first: f64,
    /// The run that came second.
    pub second: f64,
}

/// A size on the decision scale, above 0 worse, and how likely chance alone makes one like it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The size.
    pub size: f64,
    /// Two-sided probability.
    pub p: f64,
}

impl Tested {
    /// Says whether chance is a poor explanation.
    pub fn is_significant(self) -> bool {
        self.p < LEVEL
    }
}

/// Two levels that runs jump between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// Distance between their means.
    pub distance: f64,
    /// Share of the runs on the worse level.
    pub worse_share: f64,
}

/// What the runs of a calibration say of one metric; sizes are on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diagnosis {
    /// Runs.
    pub runs: usize,
    /// Standard deviation of a run; on the ratio scale the coefficient of variation.
    pub spread: f64,
    /// Change from the first run to the last: the slope of Theil and Sen with Mann's test.
    pub drift: Tested,
    /// How much worse the second run of a pair is: Hodges-Lehmann with the exact signed-rank test.
    pub order: Tested,
    /// Two levels, where the runs have two.
    pub levels: Option<Levels>,
    /// Runs far from all others.
    pub outliers: usize,
}

impl Diagnosis {
    /// Looks at pairs in order of time; `None` where there are none.
    ///
    /// Drift: Theil (1950), Sen (1968), Mann (1945), claimed of eight runs and more. Order: Wilcoxon (1945). Levels:
    /// both Sarle's coefficient (SAS Institute 1990) above 5/9 and the halves beside the widest gap at least five of
    /// their own deviations apart (after Ashman et al. 1994), each with 15 % of the runs; a level that comes up in
    /// fewer runs is seen as outliers, and a step in the middle of the calibration as two levels. Outliers: 3.5 robust
    /// deviations from the median (Iglewicz and Hoaglin 1993); none where half of the runs are equal.
    pub fn of(pairs: &[TwinRuns]) -> Option<Self> {
        let runs: Vec<f64> = pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
        let trend = trend(&runs)?;
        let seconds: Vec<f64> = pairs.iter().map(|pair| pair.second - pair.first).collect();
        let enough = runs.len() >= FEWEST_RUNS;
        let levels = enough.then(|| levels(&runs)).flatten();
        Some(Self {
            runs: runs.len(),
            spread: moments(&runs).map_or(0.0, |moments| moments.variance.sqrt()),
            drift: Tested { size: trend.slope * (runs.len() - 1) as f64, p: if enough { trend.p } else { 1.0 } },
            order: Tested { size: hodges_lehmann(&seconds), p: signed_rank_p(&seconds) },
            levels,
            // What belongs to a level is no outlier.
            outliers: if levels.is_some() { 0 } else { outliers(&runs) },
        })
    }

    /// Returns the share of outliers among the runs.
    pub fn outlier_share(&self) -> f64 {
        self.outliers as f64 / self.runs as f64
    }
}

/// Sample moments as Sarle's coefficient takes them.
struct Moments {
    variance: f64,
    /// Bias-corrected skewness `G1` and excess kurtosis `G2`.
    skewness: f64,
    kurtosis: f64,
}

/// Returns the moments of at least four values that are not all equal.
fn moments(values: &[f64]) -> Option<Moments> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let central = |power: i32| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / n;
    let m2 = central(2);
    if values.len() < 4 || m2 <= f64::EPSILON * f64::EPSILON * mean * mean {
        return None;
    }
    let g1 = central(3) / m2.powf(1.5);
    let g2 = central(4) / (m2 * m2) - 3.0;
    Some(Moments {
        variance: m2 * n / (n - 1.0),
        skewness: g1 * (n * (n - 1.0)).sqrt() / (n - 2.0),
        kurtosis: (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * g2 + 6.0),
    })
}

/// Returns Sarle's coefficient `(G1^2 + 1) / (G2 + 3 (n - 1)^2 / ((n - 2)(n - 3)))`.
fn sarle(moments: &Moments, n: f64) -> f64 {
    let kurtosis = moments.kurtosis + 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0));
    (moments.skewness.powi(2) + 1.0) / kurtosis
}

/// Finds two levels: the values beside the widest gap, where both halves hold enough of them and lie far apart.
fn levels(runs: &[f64]) -> Option<Levels> {
    let n = runs.len();
    let all = moments(runs)?;
    if sarle(&all, n as f64) <= SARLE {
        return None;
    }
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let fewest = LEVEL_RUNS.max((LEVEL_SHARE * n as f64).ceil() as usize);
    let gap = |&split: &usize| sorted[split] - sorted[split - 1];
    let split = (fewest..=n.checked_sub(fewest)?).max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
    let (low, high) = sorted.split_at(split);
    let mean = |half: &[f64]| half.iter().sum::<f64>() / half.len() as f64;
    let squares = |half: &[f64]| half.iter().map(|v| (v - mean(half)).powi(2)).sum::<f64>();
    let within = ((squares(low) + squares(high)) / (n - 2) as f64).sqrt();
    let distance = mean(high) - mean(low);
    let found = Levels { distance, worse_share: high.len() as f64 / n as f64 };
    (distance > SEPARATION * within).then_some(found)
}

fn outliers(runs: &[f64]) -> usize {
    let middle = median(runs);
    let deviations: Vec<f64> = runs.iter().map(|v| (v - middle).abs()).collect();
    let spread = MAD_TO_SD * median(&deviations);
    deviations.iter().filter(|deviation| spread > 0.0 && **deviation > OUTLYING * spread).count()
}

#[cfg(test)]
mod tests {
    use super::super::simulation::{Machine, Noise};
    use super::*;

    /// Ten pairs of one program on a made-up machine; `shift` adds to run number i.
    fn runs(noise: &Noise, seed: u64, shift: impl Fn(usize) -> f64) -> Diagnosis {
        let mut machine = Machine::new(noise, seed);
        let pair = |i: usize| {
            let (first, second) = machine.in_order();
            TwinRuns { first: first + shift(2 * i), second: second + shift(2 * i + 1) }
        };
        Diagnosis::of(&(0..10).map(pair).collect::<Vec<_>>()).unwrap()
    }

    /// Share of a thousand machines that a finding is made on.
    fn share(noise: &Noise, shift: impl Fn(usize) -> f64, found: impl Fn(&Diagnosis) -> bool) -> f64 {
        let count = (0..1000).filter(|&seed| found(&runs(noise, seed, &shift))).count();
        count as f64 / 1000.0
    }

    #[test]
    fn a_healthy_machine_rarely_raises_an_alarm() {
        let iid = |found: fn(&Diagnosis) -> bool| share(&Noise::Iid(0.01), |_| 0.0, found);
        let (drift, order) = (iid(|d| d.drift.is_significant()), iid(|d| d.order.is_significant()));
        let levels = iid(|d| d.levels.is_some());
        let outliers = iid(|d| d.outlier_share() >= 0.1);
        assert!(drift < 0.02 && order < 0.02, "{drift} {order}");
        assert!(levels < 0.02, "{levels}");
        assert!(outliers < 0.08, "{outliers}");
    }

    #[test]
    fn a_drift_is_found_with_its_size() {
        let slide = |i: usize| 0.05 * i as f64 / 19.0;
        assert!(share(&Noise::Iid(0.01), slide, |d| d.drift.is_significant()) > 0.95);
        let mean = (0..200).map(|seed| runs(&Noise::Iid(0.01), seed, slide).drift.size).sum::<f64>() / 200.0;
        assert!((mean - 0.05).abs() < 0.003, "{mean}");
    }

    #[test]
    fn a_slower_second_run_is_found_and_no_drift_is() {
        let noise = Noise::Order(0.005);
        assert!(share(&noise, |_| 0.0, |d| d.order.is_significant()) > 0.95);
        assert!(share(&noise, |_| 0.0, |d| d.drift.is_significant()) < 0.02);
        let size = runs(&noise, 1, |_| 0.0).order.size;
        assert!((size - 0.02).abs() < 0.01, "{size}");
    }

    #[test]
    fn two_levels_are_found_where_both_came_up_often_enough() {
        let found = share(&Noise::Bimodal, |_| 0.0, |d| d.levels.is_some());
        assert!(found > 0.9, "{found}");
        let every_third = |i: usize| if i.is_multiple_of(3) { 0.08 } else { 0.0 };
        let levels = runs(&Noise::Iid(0.005), 3, every_third).levels.unwrap();
        assert!((levels.distance - 0.08).abs() < 0.01 && (levels.worse_share - 0.35).abs() < 0.01, "{levels:?}");
    }

    #[test]
    fn outliers_are_counted_and_are_not_a_level() {
        let two_of_twenty = |i: usize| if i == 4 || i == 15 { 0.3 } else { 0.0 };
        let found = runs(&Noise::Iid(0.01), 7, two_of_twenty);
        assert_eq!((found.outliers, found.levels), (2, None));
        assert!((found.outlier_share() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn the_spread_of_a_run_is_its_coefficient_of_variation() {
        let mean = (0..200).map(|seed| runs(&Noise::Iid(0.03), seed, |_| 0.0).spread).sum::<f64>() / 200.0;
        assert!((mean - 0.03).abs() < 0.001, "{mean}");
    }

    #[test]
    fn an_exact_metric_has_nothing_to_tell() {
        let found = runs(&Noise::Exact, 1, |_| 7.0);
        assert!(!found.drift.is_significant() && !found.order.is_significant());
        assert_eq!((found.levels, found.outliers), (None, 0));
        assert!(found.spread.abs() < 1e-15, "{found:?}");
        assert_eq!(Diagnosis::of(&[]), None);
    }

    #[test]
    fn too_few_runs_claim_no_drift() {
        let pairs: Vec<TwinRuns> =
            (0..3).map(|i| TwinRuns { first: f64::from(2 * i), second: f64::from(2 * i + 1) }).collect();
        let found = Diagnosis::of(&pairs).unwrap();
        assert!(!found.drift.is_significant() && !found.order.is_significant(), "{found:?}");
    }
}
