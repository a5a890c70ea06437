//! From plain readings to the decision scale.

use crate::domain::{Arm, Direction, MetricName, Pair, Scale};

/// Says why a pair has no value that can be compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// A run has no value of the metric.
    #[error("the {arm}'s run of pair {pair} has no metric '{metric}'; let the bench print it in every run")]
    Missing {
        /// The pair's number.
        pair: u32,
        /// The arm that lacks it.
        arm: Arm,
        /// The metric.
        metric: MetricName,
    },
    /// The scale cannot hold a value.
    #[error(
        "the {arm}'s run of pair {pair} has '{metric}' = {value}, which the {} scale cannot hold; {}",
        scale_word(*.scale),
        cure(*.scale)
    )]
    OffScale {
        /// The pair's number.
        pair: u32,
        /// The arm that has it.
        arm: Arm,
        /// The metric.
        metric: MetricName,
        /// The value as measured.
        value: f64,
        /// The scale on which it was to be compared.
        scale: Scale,
    },
}

fn scale_word(scale: Scale) -> &'static str {
    match scale {
        Scale::Ratio => "ratio",
        Scale::Linear => "linear",
    }
}

fn cure(scale: Scale) -> &'static str {
    match scale {
        Scale::Ratio => "give the metric \"scale\": \"linear\" if it may be 0 or less",
        Scale::Linear => "let the bench print finite numbers",
    }
}

/// Returns both arms' plain values of a metric, baseline first.
pub(super) fn plain(pair: &Pair, metric: &MetricName) -> Result<(f64, f64), ValueError> {
    let of = |arm| {
        let missing = || ValueError::Missing { pair: pair.number, arm, metric: metric.clone() };
        pair.reading(arm).metrics.get(metric).copied().ok_or_else(missing)
    };
    Ok((of(Arm::Baseline)?, of(Arm::Candidate)?))
}

/// Returns `(y_baseline, y_candidate)` of one pair on the decision scale ([`Scale::y`]).
pub(super) fn y_pair(
    pair: &Pair,
    metric: &MetricName,
    scale: Scale,
    direction: Direction,
) -> Result<(f64, f64), ValueError> {
    let (baseline, candidate) = plain(pair, metric)?;
    let y = |arm, value| {
        let off = || ValueError::OffScale { pair: pair.number, arm, metric: metric.clone(), value, scale };
        scale.y(value, direction).ok_or_else(off)
    };
    Ok((y(Arm::Baseline, baseline)?, y(Arm::Candidate, candidate)?))
}

/// Returns `(y_baseline, y_candidate)` of each pair on the decision scale, as [`Ring::record`](super::Ring::record)
/// takes them.
pub fn y_pairs(
    pairs: &[Pair],
    metric: &MetricName,
    scale: Scale,
    direction: Direction,
) -> Result<Vec<(f64, f64)>, ValueError> {
    pairs.iter().map(|pair| y_pair(pair, metric, scale, direction)).collect()
}

/// Returns `d = y_baseline - y_candidate` of each pair; `d > 0` is better.
pub fn differences(y_pairs: &[(f64, f64)]) -> Vec<f64> {
    y_pairs.iter().map(|(baseline, candidate)| baseline - candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Order, Reading};

    fn pair(baseline: Option<f64>, candidate: Option<f64>) -> Pair {
        let reading = |value: Option<f64>| Reading {
            metrics: value.map(|v| (MetricName::new("t_ms").unwrap(), v)).into_iter().collect(),
            invariants: Vec::new(),
        };
        Pair { number: 7, order: Order::BaselineFirst, baseline: reading(baseline), candidate: reading(candidate) }
    }

    #[test]
    fn a_faster_candidate_has_a_difference_above_zero_whatever_the_direction() {
        let metric = MetricName::new("t_ms").unwrap();
        let d = |b, c, direction| {
            differences(&y_pairs(&[pair(Some(b), Some(c))], &metric, Scale::Ratio, direction).unwrap())[0]
        };
        assert!((d(2.0, 1.0, Direction::Lower) - 2.0_f64.ln()).abs() < 1e-15);
        assert!((d(1.0, 2.0, Direction::Higher) - 2.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn the_linear_scale_compares_signed_values_and_zero_by_their_difference() {
        let metric = MetricName::new("t_ms").unwrap();
        let d = |b, c, direction| {
            differences(&y_pairs(&[pair(Some(b), Some(c))], &metric, Scale::Linear, direction).unwrap())[0]
        };
        assert!((d(-5.0, 2.0, Direction::Higher) - 7.0).abs() < 1e-15);
        assert!((d(-5.0, -9.0, Direction::Lower) - 4.0).abs() < 1e-15);
        assert!((d(3.0, 0.0, Direction::Lower) - 3.0).abs() < 1e-15);
        assert!((Scale::Linear.setting(2.0) - 2.0).abs() < 1e-15, "and settings are in the metric's unit");
    }

    #[test]
    fn a_value_off_the_scale_is_named_with_its_arm() {
        let metric = MetricName::new("t_ms").unwrap();
        let error = y_pair(&pair(Some(1.0), Some(0.0)), &metric, Scale::Ratio, Direction::Lower).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the candidate's run of pair 7 has 't_ms' = 0, which the ratio scale cannot hold; \
             give the metric \"scale\": \"linear\" if it may be 0 or less"
        );
    }

    #[test]
    fn a_missing_value_is_named_with_its_arm() {
        let metric = MetricName::new("t_ms").unwrap();
        let error = plain(&pair(None, Some(1.0)), &metric).unwrap_err();
        assert_eq!(error, ValueError::Missing { pair: 7, arm: Arm::Baseline, metric });
    }
}
