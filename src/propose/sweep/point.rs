//! Points of a sweep, and what is known about them.

use crate::domain::{ExperimentId, ProposalSource, Sweep};

/// The values of a sweep's knobs at a commit, in the order of the knobs; `None` where a value is not known: an
/// environment or argument knob that is not set and has no default.
pub type Values = Vec<Option<String>>;

/// Values to try, in the order of the knobs; `None` leaves a knob as it is on the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point(pub Vec<Option<String>>);

impl Point {
    /// Returns the name by which the journal knows the point: `name=value`, several separated by blanks.
    pub fn source(&self, sweep: &Sweep) -> ProposalSource {
        let named = sweep.knobs.iter().zip(&self.0);
        let parts = named.filter_map(|(knob, value)| Some(format!("{}={}", knob.name, value.as_ref()?)));
        ProposalSource::Sweep(parts.collect::<Vec<_>>().join(" "))
    }

    /// Returns the point of one knob's value alone, by the knob's place.
    #[must_use]
    pub fn only(&self, knob: usize) -> Self {
        let alone = |(place, value): (usize, &Option<String>)| value.clone().filter(|_| place == knob);
        Self(self.0.iter().enumerate().map(alone).collect())
    }

    /// Says whether a commit with these values is at the point.
    pub fn is_at(&self, values: &[Option<String>]) -> bool {
        let agrees = |(own, there): (&Option<String>, &Option<String>)| match (own, there) {
            (None, _) => true,
            (Some(own), Some(there)) => same(own, there),
            (Some(_), None) => false,
        };
        self.0.iter().zip(values).all(agrees)
    }
}

/// What became of a settled point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was kept.
    Kept,
    /// It was measured, and not kept.
    NoGain,
    /// It was refused because ideas.md closes it.
    Closed,
    /// It failed, or was undone: that says nothing of what the value is worth.
    Failed,
}

/// A settled point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Its experiment.
    pub experiment: ExperimentId,
    /// What became of it.
    pub outcome: Outcome,
}

/// Values that the tip once had, and the keep that replaced them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The values.
    pub values: Values,
    /// The keep.
    pub replaced_by: ExperimentId,
}

/// What a strategy goes by.
pub struct Ground<'a> {
    /// The sweep.
    pub sweep: &'a Sweep,
    /// The values at the tip.
    pub present: &'a [Option<String>],
    /// The values of earlier tips of the session that are other ones, oldest first.
    pub earlier: &'a [Earlier],
    /// Returns what became of a point, by its name; `None` where it is not settled.
    pub settled: &'a dyn Fn(&ProposalSource) -> Option<Settled>,
}

impl Ground<'_> {
    /// Returns what became of a point.
    pub(super) fn settled(&self, point: &Point) -> Option<Settled> {
        (self.settled)(&point.source(self.sweep))
    }

    /// Returns the keep that replaced a tip at the point.
    pub(super) fn was_tip(&self, point: &Point) -> Option<ExperimentId> {
        self.earlier.iter().rev().find(|earlier| point.is_at(&earlier.values)).map(|earlier| earlier.replaced_by)
    }

    /// Says whether a point is worth a try: not the present one, never the tip, and not settled.
    pub(super) fn is_open(&self, point: &Point) -> bool {
        !point.is_at(self.present) && self.was_tip(point).is_none() && self.settled(point).is_none()
    }
}

/// Says whether two texts are one value: the same text, or the same number.
pub(super) fn same(a: &str, b: &str) -> bool {
    a == b || number(a).zip(number(b)).is_some_and(|(a, b)| a.total_cmp(&b).is_eq())
}

/// Reads a number as programs write it, digits grouped by `_` included.
pub(super) fn number(text: &str) -> Option<f64> {
    text.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite())
}
