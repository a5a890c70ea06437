//! Strategies on programs whose speed is a function of their knobs; every step is taken by a process that knows nothing
//! but what was settled before.

use std::collections::BTreeMap;

use crate::domain::{ExperimentId, Knob, KnobPlace, ProposalSource, Strategy, Sweep};

use super::point::same;
use super::{Earlier, Fate, Ground, Mapping, Outcome, Settled, Values, count, mapping, next, points};

fn knob(name: &str, values: &[&str]) -> Knob {
    let place = KnobPlace::File { file: "options".into(), pattern: format!("{name}=(.*)") };
    Knob { name: name.into(), place, values: values.iter().map(|v| (*v).to_owned()).collect(), default: None }
}

fn sweep(strategy: Strategy, knobs: &[(&str, &[&str])]) -> Sweep {
    Sweep { knobs: knobs.iter().map(|(name, values)| knob(name, values)).collect(), strategy }
}

fn known(values: &[&str]) -> Values {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

/// Says what becomes of values beside the present ones.
type Judge<'a> = &'a dyn Fn(&[Option<String>], &[Option<String>]) -> Outcome;

/// All that a session writes down of a sweep.
struct Journal {
    sweep: Sweep,
    present: Values,
    earlier: Vec<Earlier>,
    settled: BTreeMap<String, Settled>,
    order: Vec<String>,
}

impl Journal {
    fn new(sweep: Sweep, present: &[&str]) -> Self {
        let present = known(present);
        Self { sweep, present, earlier: Vec::new(), settled: BTreeMap::new(), order: Vec::new() }
    }

    fn ground<T>(&self, ask: impl FnOnce(&Ground<'_>) -> T) -> T {
        let settled = |source: &ProposalSource| self.settled.get(&source.to_string()).copied();
        let (sweep, present, earlier) = (&self.sweep, self.present.as_slice(), self.earlier.as_slice());
        ask(&Ground { sweep, present, earlier, settled: &settled })
    }

    /// Tries the next point by a judge of values; returns whether there was one.
    fn step(&mut self, judge: Judge<'_>) -> bool {
        let Some(point) = self.ground(next) else { return false };
        let mixed = point.0.iter().zip(&self.present).map(|(own, present)| own.clone().or_else(|| present.clone()));
        let values: Values = mixed.collect();
        let outcome = judge(&self.present, &values);
        let name = point.source(&self.sweep).to_string();
        let experiment = ExperimentId(u32::try_from(self.order.len()).unwrap() + 1);
        assert!(self.settled.insert(name.clone(), Settled { experiment, outcome }).is_none(), "{name} twice");
        self.order.push(name);
        if outcome == Outcome::Kept {
            let values = std::mem::replace(&mut self.present, values);
            self.earlier.push(Earlier { values, replaced_by: experiment });
        }
        true
    }

    fn run(mut self, judge: Judge<'_>) -> Self {
        while self.step(judge) {
            assert!(self.order.len() < 1000, "it does not end: {:?}", self.order);
        }
        self
    }

    fn mapping(&self, knob: usize) -> Mapping {
        self.ground(|ground| mapping(ground, knob))
    }

    fn mapped(&self, knob: usize) -> (bool, Vec<(String, Vec<Fate>)>) {
        let found = self.mapping(knob);
        (found.mapped, found.without_gain.into_iter().map(|value| (value.value, value.fates)).collect())
    }
}

fn number(value: Option<&String>) -> f64 {
    value.unwrap().parse().unwrap()
}

/// Keeps what has the lower cost.
fn by_cost(cost: impl Fn(&[f64]) -> f64) -> impl Fn(&[Option<String>], &[Option<String>]) -> Outcome {
    move |before, after| {
        let cost = |values: &[Option<String>]| cost(&values.iter().map(|v| number(v.as_ref())).collect::<Vec<_>>());
        if cost(after) < cost(before) { Outcome::Kept } else { Outcome::NoGain }
    }
}

fn id(number: u32) -> ExperimentId {
    ExperimentId(number)
}

#[test]
fn a_grid_is_every_combination_and_of_one_knob_every_value() {
    let names = |sweep: &Sweep| {
        points(sweep).unwrap().iter().map(|point| point.source(sweep).to_string()).collect::<Vec<_>>().join(", ")
    };
    let two = sweep(Strategy::Grid, &[("a", &["1", "2"]), ("b", &["x", "y"])]);
    assert_eq!(names(&two), "a=1 b=x, a=1 b=y, a=2 b=x, a=2 b=y");
    assert_eq!(count(&two), 4);
    assert_eq!(names(&sweep(Strategy::Grid, &[("a", &["1", "2", "4"])])), "a=1, a=2, a=4");
    assert_eq!(names(&sweep(Strategy::OneAtATime, &[("a", &["1", "2"]), ("b", &["x", "y"])])), "a=1, a=2, b=x, b=y");
    assert_eq!(points(&sweep(Strategy::Climb, &[("a", &["1"])])), None);
}

#[test]
fn neither_the_present_point_nor_one_that_the_tip_was_at_is_tried() {
    let grid = sweep(Strategy::Grid, &[("a", &["1", "2", "4"]), ("b", &["1", "2"])]);
    let done = Journal::new(grid, &["2", "1"]).run(&by_cost(|v| (v[0] - 4.0).abs() + v[1]));
    assert_eq!(done.order, ["a=1 b=1", "a=1 b=2", "a=2 b=2", "a=4 b=1", "a=4 b=2"]);
    assert_eq!(done.present, known(&["4", "1"]));
    // What is the same number is the same value.
    let grid = sweep(Strategy::Grid, &[("a", &["1.0", "20"])]);
    assert_eq!(Journal::new(grid, &["1"]).run(&by_cost(|v| v[0])).order, ["a=20"]);
    let text = sweep(Strategy::Grid, &[("a", &["on", "off"])]);
    assert_eq!(Journal::new(text, &["off"]).run(&|_, _| Outcome::NoGain).order, ["a=on"]);
}

#[test]
fn one_at_a_time_goes_on_from_kept_values_and_tries_each_value_once() {
    let single = sweep(Strategy::OneAtATime, &[("a", &["1", "2", "4"]), ("b", &["1", "2"])]);
    let done = Journal::new(single, &["2", "1"]).run(&by_cost(|v| (v[0] - 4.0).abs() + v[1]));
    assert_eq!(done.order, ["a=1", "a=4", "b=2"]);
    assert_eq!(
        done.mapped(0),
        (true, vec![("1".into(), vec![Fate::NoGain(id(1))]), ("2".into(), vec![Fate::Beaten(id(2))])])
    );
    assert_eq!(done.mapped(1), (true, vec![("2".into(), vec![Fate::NoGain(id(3))])]));
}

#[test]
fn a_climb_finds_the_best_point_of_a_function_with_one_and_tries_no_point_twice() {
    let values = ["1", "2", "4", "8", "16", "32", "64", "128"];
    for best in 0..values.len() {
        for start in 0..values.len() {
            let optimum: f64 = values[best].parse().unwrap();
            let climb = sweep(Strategy::Climb, &[("a", &values)]);
            let done = Journal::new(climb, &[values[start]]).run(&by_cost(|v| (v[0].log2() - optimum.log2()).abs()));
            assert_eq!(done.present, known(&[values[best]]), "from {start}: {:?}", done.order);
            assert!(done.order.len() <= start.abs_diff(best) + 2, "from {start} to {best}: {:?}", done.order);
            assert!(done.mapping(0).mapped);
        }
    }
}

#[test]
fn a_climb_of_two_knobs_comes_back_to_the_first_when_the_second_moved() {
    let values: &[&str] = &["1", "2", "3", "4", "5"];
    let climb = sweep(Strategy::Climb, &[("a", values), ("b", values)]);
    // A valley that runs aslant: what is best of a depends on b.
    let cost = |v: &[f64]| (v[0] - v[1]).powi(2) * 2.0 + (v[0] + v[1] - 8.0).powi(2);
    let done = Journal::new(climb, &["1", "1"]).run(&by_cost(cost));
    assert_eq!(done.present, known(&["4", "4"]), "{:?}", done.order);
    assert_eq!(done.order[0], "a=2 b=1");
    let mapped = done.mapped(0);
    assert!(mapped.0, "{mapped:?}");
    assert_eq!(mapped.1.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), ["3", "5"]);
}

#[test]
fn a_session_that_stops_and_goes_on_after_any_step_takes_the_same_way() {
    let values: &[&str] = &["1", "2", "4", "8", "16", "32"];
    for strategy in [Strategy::Climb, Strategy::OneAtATime, Strategy::Grid] {
        let make = || Journal::new(sweep(strategy, &[("a", values), ("b", values)]), &["2", "8"]);
        // One point in five fails, by its name alone, so that a failure stays one.
        let judge = |before: &[Option<String>], after: &[Option<String>]| {
            let sum: f64 = after.iter().map(|value| number(value.as_ref())).sum();
            if sum.rem_euclid(5.0) == 0.0 {
                return Outcome::Failed;
            }
            by_cost(|v| (v[0] - 16.0).abs() + (v[1] - 4.0).abs())(before, after)
        };
        let straight = make().run(&judge);
        assert!(straight.settled.values().any(|settled| settled.outcome == Outcome::Failed));
        for stop in 0..straight.order.len() {
            let mut first = make();
            for _ in 0..stop {
                assert!(first.step(&judge));
            }
            // The next process knows the present values, the keeps and what was settled.
            let Journal { present, earlier, settled, order, .. } = first;
            let rest =
                Journal { sweep: sweep(strategy, &[("a", values), ("b", values)]), present, earlier, settled, order };
            let rest = rest.run(&judge);
            assert_eq!((&rest.order, &rest.present), (&straight.order, &straight.present));
        }
    }
}

#[test]
fn a_failure_beside_the_present_value_keeps_the_knob_open() {
    let judge = |_: &[Option<String>], after: &[Option<String>]| {
        if same(after[0].as_ref().unwrap(), "8") { Outcome::Failed } else { Outcome::NoGain }
    };
    let done = Journal::new(sweep(Strategy::Climb, &[("a", &["2", "4", "8"])]), &["4"]).run(&judge);
    let found = done.mapping(0);
    assert!(!found.mapped);
    assert_eq!(found.beside.iter().map(super::ValueFate::failed).collect::<Vec<_>>(), [None, Some(id(2))]);
    // What lies further off may fail.
    let done = Journal::new(sweep(Strategy::Grid, &[("a", &["1", "2", "4", "8"])]), &["1"]).run(&judge);
    assert!(done.mapping(0).mapped);
    assert_eq!(done.mapped(0).1.len(), 2);
}

#[test]
fn a_refusal_because_of_a_closed_idea_counts_but_measures_nothing() {
    let done = Journal::new(sweep(Strategy::Climb, &[("a", &["2", "4", "8"])]), &["4"]).run(&|_, _| Outcome::Closed);
    let found = done.mapping(0);
    assert!(found.mapped);
    assert!(found.without_gain.iter().all(|value| !value.is_measured()));
}

#[test]
fn a_present_value_that_the_list_lacks_lies_between_its_neighbours() {
    let order = |present: &str| {
        let climb = sweep(Strategy::Climb, &[("a", &["1", "2", "4", "8"])]);
        Journal::new(climb, &[present]).run(&|_, _| Outcome::NoGain).order.join(" ")
    };
    assert_eq!(order("3"), "a=2 a=4");
    assert_eq!(order("100"), "a=8");
    assert_eq!(order("0.5"), "a=1");
    assert_eq!(order("auto"), "a=1");
}

#[test]
fn a_value_that_is_not_known_is_mapped_when_every_value_is() {
    let grid = sweep(Strategy::Grid, &[("a", &["1", "2"]), ("b", &["1", "2"])]);
    let mut journal = Journal::new(grid, &["1", "1"]);
    journal.present = vec![None, None];
    let done = journal.run(&|_, _| Outcome::NoGain);
    assert_eq!(done.order.len(), 4);
    assert_eq!(done.mapped(0).1[0], ("1".into(), vec![Fate::NoGain(id(1)), Fate::NoGain(id(2))]));
    assert!(done.mapping(0).mapped && done.mapping(1).mapped);
}

#[test]
fn a_grid_maps_a_knob_by_the_points_that_agree_with_the_tip() {
    let grid = sweep(Strategy::Grid, &[("a", &["1", "2", "3"]), ("b", &["1", "2"])]);
    let done = Journal::new(grid, &["2", "1"]).run(&by_cost(|v| (v[0] - 2.0).abs() + v[1]));
    // a=1 b=1 is point 1, a=3 b=1 point 4.
    assert_eq!(
        done.mapped(0),
        (true, vec![("1".into(), vec![Fate::NoGain(id(1))]), ("3".into(), vec![Fate::NoGain(id(4))])])
    );
}
