//! The change of a metric as people read it: in percent or in the metric's unit, smaller or larger as it really is.

use std::fmt;

use super::{Direction, Scale};

/// A change of a metric with its interval; negative means the value went down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The estimate, in percent (ratio) or in the metric's unit (linear).
    pub value: f64,
    /// Lower limit of the interval.
    pub low: f64,
    /// Upper limit of the interval.
    pub high: f64,
    /// Whether the three are percentages.
    pub percent: bool,
}

impl Change {
    /// Converts an effect on the decision scale, where above 0 is better, into the change of the metric itself.
    ///
    /// Ratio: `100 (exp(-x) - 1)` % when lower is better, `100 (exp(x) - 1)` % when higher is (FORMATS section 4).
    pub fn of_effect(effect: (f64, f64, f64), scale: Scale, direction: Direction) -> Self {
        let (gain, low, high) = effect;
        let convert = |x: f64| {
            let signed = match direction {
                Direction::Lower => -x,
                Direction::Higher => x,
            };
            let change = match scale {
                Scale::Ratio => 100.0 * signed.exp_m1(),
                Scale::Linear => signed,
            };
            // No change is +0, also where a sign was turned.
            change + 0.0
        };
        let (a, b) = (convert(low), convert(high));
        Self { value: convert(gain), low: a.min(b), high: a.max(b), percent: scale == Scale::Ratio }
    }

    /// Writes the estimate alone: `-12.7 %`.
    pub fn short(&self) -> String {
        self.number(self.value)
    }

    fn number(&self, x: f64) -> String {
        if self.percent { format!("{:+.1} %", to_a_tenth(x)) } else { format!("{:+}", round_to_three(x)) }
    }
}

/// Rounds to a tenth, so that what is nothing at that precision is written `+0.0` and never `-0.0`.
fn to_a_tenth(x: f64) -> f64 {
    (10.0 * x).round() / 10.0 + 0.0
}

/// Rounds to three significant digits, so that units of any size read well.
fn round_to_three(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x + 0.0;
    }
    let scale = 10_f64.powf((2.0 - x.abs().log10().floor()).clamp(-300.0, 300.0));
    (x * scale).round() / scale
}

/// Writes a value with about five significant digits, and no exponent where it reads well without one.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return format!("{value}");
    }
    match size {
        10_000.0..1e15 => format!("{value:.0}"),
        1000.0..10_000.0 => format!("{value:.1}"),
        100.0..1000.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.4}"),
        0.1..1.0 => format!("{value:.5}"),
        0.001..0.1 => format!("{value:.6}"),
        _ => format!("{value:.4e}"),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = |x: f64| {
            if self.percent { format!("{:+.1}", to_a_tenth(x)) } else { format!("{:+}", round_to_three(x)) }
        };
        write!(f, "{} [{}, {}]", self.number(self.value), limit(self.low), limit(self.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_of_a_lower_is_better_metric_is_shown_as_a_fall() {
        let change = Change::of_effect((0.136, 0.123, 0.149), Scale::Ratio, Direction::Lower);
        assert_eq!(change.to_string(), "-12.7 % [-13.8, -11.6]");
        assert_eq!(change.short(), "-12.7 %");
    }

    #[test]
    fn a_gain_of_a_higher_is_better_metric_is_shown_as_a_rise() {
        let change = Change::of_effect((0.1, 0.05, 0.15), Scale::Ratio, Direction::Higher);
        assert_eq!(change.to_string(), "+10.5 % [+5.1, +16.2]");
    }

    #[test]
    fn no_change_has_no_minus_sign() {
        assert_eq!(
            Change::of_effect((0.0, 0.0, 0.0), Scale::Ratio, Direction::Lower).to_string(),
            "+0.0 % [+0.0, +0.0]"
        );
        assert_eq!(Change::of_effect((0.0, 0.0, 0.0), Scale::Linear, Direction::Lower).to_string(), "+0 [+0, +0]");
        assert_eq!(Change::of_effect((4e-4, 0.0, 0.1), Scale::Ratio, Direction::Lower).short(), "+0.0 %");
    }

    #[test]
    fn a_linear_change_stands_in_the_unit() {
        let change = Change::of_effect((631.25, 600.0, 650.0), Scale::Linear, Direction::Lower);
        assert_eq!(change.to_string(), "-631 [-650, -600]");
    }

    #[test]
    fn numbers_read_well_at_any_size() {
        assert_eq!(number(48.0), "48");
        assert_eq!(number(123_456.7), "123457");
        assert_eq!(number(100.048), "100.05");
        assert_eq!(number(12.345_67), "12.346");
        assert_eq!(number(0.001_234_4), "0.001234");
        assert_eq!(number(0.000_001_234_5), "1.2345e-6");
    }
}
