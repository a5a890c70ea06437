//! How one metric is read: its unit, which way is better, and changes of it in people's terms.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Change, Direction, MetricName, Objective, Scale, Settings, number};

/// How a metric is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lens {
    /// The metric.
    pub metric: MetricName,
    /// Its unit; may be empty.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// The scale on which it is compared.
    pub scale: Scale,
}

impl From<&Objective> for Lens {
    fn from(objective: &Objective) -> Self {
        Self {
            metric: objective.name.clone(),
            unit: objective.unit.clone(),
            direction: objective.direction,
            scale: objective.scale,
        }
    }
}

/// How every primary of some settings is read, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lenses(Vec<Lens>);

impl From<&Settings> for Lenses {
    fn from(settings: &Settings) -> Self {
        Self(settings.objectives().map(Lens::from).collect())
    }
}

impl Lenses {
    /// Returns how the primary of a number is read; one that is not there is read as the first.
    pub fn of(&self, number: u32) -> &Lens {
        let first = || self.0.first().unwrap_or_else(|| unreachable!("settings have a primary"));
        self.0.get(number as usize).unwrap_or_else(first)
    }
}

impl Lens {
    /// Converts an effect `(gain, low, high)` on the decision scale, above 0 is better, into a change of the metric.
    pub fn change(&self, effect: (f64, f64, f64)) -> ChangeView {
        ChangeView::new(Change::of_effect(effect, self.scale, self.direction), &self.unit)
    }

    /// Returns the change from one value of the metric to another; `None` where the scale cannot hold one of them.
    pub fn step(&self, baseline: f64, candidate: f64) -> Option<f64> {
        let effect = self.scale.y(baseline, self.direction)? - self.scale.y(candidate, self.direction)?;
        Some(Change::of_effect((effect, effect, effect), self.scale, self.direction).value)
    }

    /// Returns how much better a change is, above 0 where it is a gain, for an order among changes of this metric.
    pub fn gain_of(&self, change: &ChangeView) -> f64 {
        match self.direction {
            Direction::Lower => -change.value,
            Direction::Higher => change.value,
        }
    }

    /// Returns the unit of [`Lens::step`]: `%`, or that of the metric.
    pub fn step_unit(&self) -> &str {
        match self.scale {
            Scale::Ratio => "%",
            Scale::Linear => &self.unit,
        }
    }

    /// Converts a size on the decision scale into percent, or into the metric's unit; its unit is [`Lens::step_unit`].
    pub fn magnitude(&self, size: f64) -> f64 {
        match self.scale {
            Scale::Ratio => 100.0 * size.exp_m1(),
            Scale::Linear => size,
        }
    }

    /// Writes a size on the decision scale, such as a noise, without a sign: `1.2 %`.
    pub fn size(&self, size: f64) -> String {
        match self.scale {
            Scale::Ratio => format!("{:.1} %", 100.0 * size.exp_m1()),
            Scale::Linear => with_unit(&trimmed(size), &self.unit),
        }
    }

    /// Writes a value of the metric with its unit.
    pub fn value(&self, value: f64) -> String {
        with_unit(&number(value), &self.unit)
    }
}

/// Writes a number without the zeros that only line columns up.
fn trimmed(value: f64) -> String {
    let text = number(value);
    let fraction = text.contains('.') && !text.contains('e');
    if fraction { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Puts a unit behind a number where there is one.
pub(super) fn with_unit(number: &str, unit: &str) -> String {
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}

/// A change of a metric with its interval, in percent or in the metric's unit; negative means that the value fell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeView {
    /// The estimate.
    pub value: f64,
    /// Lower limit of the interval.
    pub low: f64,
    /// Upper limit of the interval.
    pub high: f64,
    /// `%`, or the unit of the metric; may be empty.
    pub unit: String,
}

impl ChangeView {
    /// Takes a change; `unit` is that of the metric.
    pub fn new(change: Change, unit: &str) -> Self {
        let unit = if change.percent { "%" } else { unit };
        Self { value: change.value, low: change.low, high: change.high, unit: unit.to_owned() }
    }
}

impl ChangeView {
    /// Writes the estimate alone, with its unit: `-12.7 %`.
    pub fn short(&self) -> String {
        let change = Change { value: self.value, low: self.low, high: self.high, percent: self.unit == "%" };
        if change.percent { change.short() } else { with_unit(&change.short(), &self.unit) }
    }
}

impl fmt::Display for ChangeView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.unit == "%";
        Change { value: self.value, low: self.low, high: self.high, percent }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(scale: Scale, direction: Direction, unit: &str) -> Lens {
        Lens { metric: MetricName::new("m").unwrap(), unit: unit.to_owned(), direction, scale }
    }

    #[test]
    fn a_step_between_two_values_is_the_plain_change_whichever_way_is_better() {
        for direction in [Direction::Lower, Direction::Higher] {
            assert!((lens(Scale::Ratio, direction, "ms").step(200.0, 150.0).unwrap() + 25.0).abs() < 1e-9);
            assert!((lens(Scale::Linear, direction, "ms").step(200.0, 150.0).unwrap() + 50.0).abs() < 1e-9);
        }
        assert_eq!(lens(Scale::Ratio, Direction::Lower, "ms").step(200.0, 0.0), None);
    }

    #[test]
    fn sizes_stand_in_percent_or_in_the_unit() {
        assert_eq!(lens(Scale::Ratio, Direction::Lower, "ms").size(0.0198), "2.0 %");
        assert_eq!(lens(Scale::Linear, Direction::Lower, "calls").size(3.0), "3 calls");
        assert_eq!(lens(Scale::Linear, Direction::Lower, "calls").size(0.5), "0.5 calls");
        assert_eq!(lens(Scale::Linear, Direction::Lower, "").step_unit(), "");
    }
}
