//! Which point of a sweep is tried next.

use crate::domain::{Strategy, Sweep};

use super::point::{Ground, Point, number, same};

/// Returns the point that is tried next; `None` where nothing is left to try.
///
/// The present point is never tried, nor one that the tip was at before, nor one that is settled.
pub fn next(ground: &Ground<'_>) -> Option<Point> {
    match ground.sweep.strategy {
        Strategy::Grid | Strategy::OneAtATime => listed(ground.sweep).find(|point| ground.is_open(point)),
        Strategy::Climb => around(ground).find(|point| ground.is_open(point)),
    }
}

/// Lists the points of a sweep that are known beforehand; `None` for a climb, which finds its way.
pub fn points(sweep: &Sweep) -> Option<Vec<Point>> {
    match sweep.strategy {
        Strategy::Grid | Strategy::OneAtATime => Some(listed(sweep).collect()),
        Strategy::Climb => None,
    }
}

/// Counts the combinations of all values.
pub fn count(sweep: &Sweep) -> usize {
    sweep.knobs.iter().map(|knob| knob.values.len()).fold(1, usize::saturating_mul)
}

fn listed(sweep: &Sweep) -> Box<dyn Iterator<Item = Point> + '_> {
    match sweep.strategy {
        Strategy::Grid => Box::new((0..count(sweep)).map(|index| combination(sweep, index))),
        Strategy::OneAtATime | Strategy::Climb => Box::new(singles(sweep)),
    }
}

/// Returns a point of the grid; the last knob's value changes with every step.
fn combination(sweep: &Sweep, mut index: usize) -> Point {
    let mut values: Vec<_> = sweep
        .knobs
        .iter()
        .rev()
        .map(|knob| {
            let value = knob.values[index % knob.values.len()].clone();
            index /= knob.values.len();
            Some(value)
        })
        .collect();
    values.reverse();
    Point(values)
}

/// Lists each value of each knob, the others as on the tip.
fn singles(sweep: &Sweep) -> impl Iterator<Item = Point> {
    let single = |knob: usize, value: &String| {
        let mut values = vec![None; sweep.knobs.len()];
        values[knob] = Some(value.clone());
        Point(values)
    };
    let knobs = sweep.knobs.iter().enumerate();
    knobs.flat_map(move |(index, knob)| knob.values.iter().map(move |value| single(index, value)))
}

/// Lists the neighbours of the present point, knob by knob, the lower one first.
fn around<'a>(ground: &'a Ground<'_>) -> impl Iterator<Item = Point> + 'a {
    (0..ground.sweep.knobs.len()).flat_map(move |knob| {
        let places = neighbours(&ground.sweep.knobs[knob].values, ground.present[knob].as_deref());
        places.into_iter().flatten().filter_map(move |place| beside(ground, knob, place))
    })
}

/// Returns the present point with another value of one knob; `None` where a present value is not known.
pub(super) fn beside(ground: &Ground<'_>, knob: usize, place: usize) -> Option<Point> {
    let mut values = ground.present.to_vec();
    values[knob] = Some(ground.sweep.knobs[knob].values[place].clone());
    values.iter().all(Option::is_some).then_some(Point(values))
}

/// Returns the places in a list of the values below and above a present one.
///
/// A present value that the list does not have lies between its numeric neighbours; where it is no number, or not
/// known, the list begins after it.
pub(super) fn neighbours(values: &[String], present: Option<&str>) -> [Option<usize>; 2] {
    let Some(present) = present else { return [None, Some(0)] };
    if let Some(place) = values.iter().position(|value| same(value, present)) {
        return [place.checked_sub(1), Some(place + 1).filter(|above| *above < values.len())];
    }
    let Some(present) = number(present) else { return [None, Some(0)] };
    let numbers = || values.iter().enumerate().filter_map(|(place, value)| Some((place, number(value)?)));
    let below = numbers().filter(|(_, value)| *value < present).max_by(|a, b| a.1.total_cmp(&b.1));
    let above = numbers().filter(|(_, value)| *value > present).min_by(|a, b| a.1.total_cmp(&b.1));
    [below.map(|(place, _)| place), above.map(|(place, _)| place)]
}
