//! Positions on a drawing: values to places, and the round values that an axis names.

/// A span of values laid over a span of a drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// Lays the span of some values over `from..to`; equal values stand in the middle.
    pub(super) fn over(values: impl IntoIterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let span = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), span);
        match (low.is_finite(), high > low) {
            (true, true) => Self { low, high, from, to },
            (true, false) => {
                let margin = if low == 0.0 { 1.0 } else { 0.05 * low.abs() };
                Self { low: low - margin, high: low + margin, from, to }
            }
            (false, _) => Self { low: 0.0, high: 1.0, from, to },
        }
    }

    /// Returns the place of a value; one outside of the span stands at its border.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        let place = self.from + share * (self.to - self.from);
        (10.0 * place).round() / 10.0
    }

    /// Returns about this many round values within the span.
    pub(super) fn ticks(&self, count: u32) -> Vec<f64> {
        let raw = (self.high - self.low) / f64::from(count.max(1));
        let size = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * size).find(|step| *step >= raw).unwrap_or(raw);
        let first = (self.low / step).ceil();
        let ticks = (0..=2 * count).map(|n| (first + f64::from(n)) * step);
        ticks.take_while(|tick| *tick <= self.high + 1e-9 * step).map(|tick| tick + 0.0).collect()
    }

    /// Writes a tick with as many decimals as its neighbours need.
    pub(super) fn label(&self, tick: f64, count: u32) -> String {
        let step = (self.high - self.low) / f64::from(count.max(1));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to 9")]
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        format!("{tick:.decimals$}")
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn values_lie_between_the_ends_and_outliers_at_them() {
        let axis = Axis::over([10.0, 20.0], (100.0, 0.0));
        assert_eq!((axis.at(10.0), axis.at(15.0), axis.at(20.0), axis.at(99.0)), (100.0, 50.0, 0.0, 0.0));
    }

    #[test]
    fn ticks_are_round_and_within() {
        let axis = Axis::over([0.0, 47.0], (0.0, 1.0));
        assert_eq!(axis.ticks(5), [0.0, 10.0, 20.0, 30.0, 40.0]);
        let small = Axis::over([0.991, 1.004], (0.0, 1.0));
        let labels: Vec<String> = small.ticks(4).into_iter().map(|tick| small.label(tick, 4)).collect();
        assert_eq!(labels, ["0.995", "1.000"]);
    }

    #[test]
    fn one_value_or_none_has_an_axis_too() {
        assert_eq!(Axis::over([7.0, 7.0], (0.0, 10.0)).at(7.0), 5.0);
        assert_eq!(Axis::over([f64::NAN], (0.0, 10.0)).at(0.5), 5.0);
        assert_eq!(Axis::over([0.0], (0.0, 10.0)).at(0.0), 5.0);
    }
}
