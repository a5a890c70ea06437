//! When a knob is mapped: the values beside the present one were tried, and none was a gain.

use crate::domain::{ExperimentId, Strategy};

use super::point::{Ground, Outcome, Point};
use super::strategy::{beside, neighbours, points};

/// What is known of a value that the tip does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was measured without a gain.
    NoGain(ExperimentId),
    /// The tip had it, until this keep was better.
    Beaten(ExperimentId),
    /// It was refused because ideas.md closes it.
    Closed(ExperimentId),
    /// It failed, which says nothing of what it is worth.
    Failed(ExperimentId),
    /// It was not tried.
    Untried,
}

impl Fate {
    /// Says whether the value is known to be no gain.
    fn is_without_gain(self) -> bool {
        match self {
            Self::NoGain(_) | Self::Beaten(_) | Self::Closed(_) => true,
            Self::Failed(_) | Self::Untried => false,
        }
    }

    /// Returns the experiment that measured the value without a gain.
    pub fn measured(self) -> Option<ExperimentId> {
        match self {
            Self::NoGain(experiment) | Self::Beaten(experiment) => Some(experiment),
            Self::Closed(_) | Self::Failed(_) | Self::Untried => None,
        }
    }
}

/// A value of a knob, with what became of it where the other knobs are as on the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFate {
    /// The value.
    pub value: String,
    /// What became of it; several where a value of another knob is not known or not in its list.
    pub fates: Vec<Fate>,
}

impl ValueFate {
    fn is_without_gain(&self) -> bool {
        !self.fates.is_empty() && self.fates.iter().all(|fate| fate.is_without_gain())
    }

    /// Says whether the value is without gain, and was measured for it.
    pub fn is_measured(&self) -> bool {
        self.is_without_gain() && self.fates.iter().any(|fate| fate.measured().is_some())
    }

    /// Returns an experiment in which the value failed.
    pub fn failed(&self) -> Option<ExperimentId> {
        self.fates.iter().find_map(|fate| match fate {
            Fate::Failed(experiment) => Some(*experiment),
            Fate::NoGain(_) | Fate::Beaten(_) | Fate::Closed(_) | Fate::Untried => None,
        })
    }
}

/// What a sweep found out about one knob at the present point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Whether every value beside the present one was tried without a gain (of a knob whose present value is not known:
    /// every value).
    pub mapped: bool,
    /// The values beside the present one.
    pub beside: Vec<ValueFate>,
    /// All values without a gain, in the order of the list.
    pub without_gain: Vec<ValueFate>,
}

/// Says what a sweep found out about a knob, by its place.
pub fn mapping(ground: &Ground<'_>, knob: usize) -> Mapping {
    let values = &ground.sweep.knobs[knob].values;
    let present = ground.present[knob].as_deref();
    let fate = |place: usize| ValueFate { value: values[place].clone(), fates: fates(ground, knob, place) };
    let places: Vec<usize> = match present {
        Some(_) => neighbours(values, present).into_iter().flatten().collect(),
        None => (0..values.len()).collect(),
    };
    let beside: Vec<ValueFate> = places.into_iter().map(fate).collect();
    let mapped = !beside.is_empty() && beside.iter().all(ValueFate::is_without_gain);
    let others = (0..values.len()).map(fate).filter(ValueFate::is_without_gain);
    Mapping { mapped, beside, without_gain: others.collect() }
}

/// Returns what became of a value, at every point that has it and agrees with the tip in the other knobs.
fn fates(ground: &Ground<'_>, knob: usize, place: usize) -> Vec<Fate> {
    let here = points_with(ground, knob, place).into_iter().filter(|point| !point.is_at(ground.present));
    here.map(|point| fate(ground, &point)).collect()
}

fn points_with(ground: &Ground<'_>, knob: usize, place: usize) -> Vec<Point> {
    let value = &ground.sweep.knobs[knob].values[place];
    match ground.sweep.strategy {
        Strategy::Climb => beside(ground, knob, place).into_iter().collect(),
        Strategy::OneAtATime | Strategy::Grid => {
            let like_tip: Vec<bool> = (0..ground.present.len()).map(|other| is_listed(ground, other)).collect();
            let agrees = |point: &Point| {
                let mut wanted = point.clone();
                for other in (0..like_tip.len()).filter(|other| *other != knob && !like_tip[*other]) {
                    wanted.0[other] = None;
                }
                let mut tip = ground.present.to_vec();
                tip[knob] = Some(value.clone());
                point.0[knob].as_ref() == Some(value) && wanted.is_at(&tip)
            };
            points(ground.sweep).unwrap_or_default().into_iter().filter(agrees).collect()
        }
    }
}

/// Says whether a knob's present value is one of its list.
fn is_listed(ground: &Ground<'_>, knob: usize) -> bool {
    let there = |present: &String| ground.sweep.knobs[knob].values.iter().any(|v| super::point::same(v, present));
    ground.present[knob].as_ref().is_some_and(there)
}

fn fate(ground: &Ground<'_>, point: &Point) -> Fate {
    let settled = ground.settled(point);
    match (settled.map(|settled| (settled.outcome, settled.experiment)), ground.was_tip(point)) {
        (Some((Outcome::NoGain, experiment)), _) => Fate::NoGain(experiment),
        (Some((Outcome::Closed, experiment)), _) => Fate::Closed(experiment),
        (Some((Outcome::Kept, _)) | None, Some(better)) => Fate::Beaten(better),
        (Some((Outcome::Failed | Outcome::Kept, experiment)), _) => Fate::Failed(experiment),
        (None, None) => Fate::Untried,
    }
}
