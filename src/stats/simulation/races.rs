//! Simulation of single races: how often the rule keeps a candidate of a known effect, and what that costs.

use super::noise::{Machine, Noise};
use super::random::seed_of;
use super::{parallel, published};
use crate::stats::{Call, PairScale, Race, RaceRule, delta0};

/// A/A pairs before each simulated race.
pub(super) const CALIBRATION_PAIRS: usize = 10;

/// Races that one thread does at a time.
const PART: u32 = 250;

/// One cell of a power table.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The machine.
    pub noise: Noise,
    /// The candidate's true effect on the decision scale, above 0 better.
    pub effect: f64,
    /// The rule of each race.
    pub rule: RaceRule,
    /// Simulated races.
    pub races: u32,
    /// Seed that the seeds of the races follow from.
    pub seed: u64,
}

/// What came of a cell's races.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency {
    /// Share of races that ended in a keep.
    pub keeps: f64,
    /// Mean number of benchmark runs of a race; calibration and warm-up runs are not counted.
    pub runs: f64,
}

/// Returns the rule at its defaults: minimum effect .01, `delta0` half of it, at most 30 pairs (statistics section 4).
pub fn usual_rule(alpha: f64) -> RaceRule {
    let min_effect = published::MIN_EFFECT;
    RaceRule { alpha, min_effect, delta0: delta0(min_effect, None), max_pairs: 30, patience: 1.0, strict: false }
}

/// Races one candidate after another, each on its own machine after ten A/A pairs there.
pub fn power(cells: &[Cell]) -> Vec<Frequency> {
    power_on(parallel::threads(), cells)
}

fn power_on(threads: usize, cells: &[Cell]) -> Vec<Frequency> {
    let parts: Vec<(usize, u32)> = cells
        .iter()
        .enumerate()
        .flat_map(|(i, cell)| (0..cell.races.div_ceil(PART)).map(move |part| (i, part)))
        .collect();
    let counts = parallel::map(threads, parts.len(), |number| {
        let (cell, part) = parts[number];
        races(&cells[cell], part)
    });
    let mut totals = vec![(0, 0); cells.len()];
    for ((cell, _), (keeps, runs)) in parts.iter().zip(counts) {
        totals[*cell].0 += keeps;
        totals[*cell].1 += runs;
    }
    cells.iter().zip(totals).map(|(cell, (keeps, runs))| cell.frequency(keeps, runs)).collect()
}

impl Cell {
    fn frequency(&self, keeps: u32, runs: u64) -> Frequency {
        let races = f64::from(self.races.max(1));
        Frequency { keeps: f64::from(keeps) / races, runs: runs as f64 / races }
    }
}

/// Does one part of a cell's races; returns how many ended in a keep, and all benchmark runs.
fn races(cell: &Cell, part: u32) -> (u32, u64) {
    let (mut keeps, mut runs) = (0, 0);
    for number in part * PART..cell.races.min((part + 1) * PART) {
        let (ended, pairs) = race_once(cell, Machine::new(&cell.noise, seed_of(cell.seed, u64::from(number))));
        keeps += u32::from(ended == Call::Keep);
        runs += 2 * u64::from(pairs);
    }
    (keeps, runs)
}

fn race_once(cell: &Cell, mut machine: Machine) -> (Call, u32) {
    let mut race = Race::new(cell.rule, scale_of(&calibrate(&mut machine)));
    loop {
        let draw = machine.pair();
        let now = race.push(machine.shown(draw.baseline, 0.0), machine.shown(draw.candidate, cell.effect));
        if now != Call::Undecided {
            return (now, race.standing().pairs);
        }
    }
}

/// Returns the differences of the A/A pairs that a machine shows.
pub(super) fn calibrate(machine: &mut Machine) -> Vec<f64> {
    let mut difference = || {
        let draw = machine.pair();
        machine.shown(draw.baseline, 0.0) - machine.shown(draw.candidate, 0.0)
    };
    (0..CALIBRATION_PAIRS).map(|_| difference()).collect()
}

/// Returns the scale of A/A differences.
pub(super) fn scale_of(differences: &[f64]) -> PairScale {
    PairScale::of(differences).unwrap_or(PairScale { s: 0.0, threshold: 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(noise: Noise, effect: f64, alpha: f64, races: u32) -> Cell {
        Cell { noise, effect, rule: usual_rule(alpha), races, seed: 11 }
    }

    #[test]
    fn the_figures_do_not_depend_on_the_number_of_threads() {
        let cells = [cell(Noise::Heavy, 0.05, 0.005, 600), cell(Noise::Bursts, 0.0, 0.02, 251)];
        let alone = power_on(1, &cells);
        assert_eq!(power_on(3, &cells), alone);
        assert!(alone[0].keeps > 0.5 && alone[1].keeps < 0.1, "{alone:?}");
    }

    #[test]
    fn a_strict_race_costs_a_clear_win_twice_the_pairs() {
        let usual = cell(Noise::Iid(0.01), 0.1, 0.005, 400);
        let strict = Cell { rule: RaceRule { strict: true, ..usual.rule }, ..usual.clone() };
        let found = power(&[usual, strict]);
        assert!(found.iter().all(|frequency| frequency.keeps > 0.99), "{found:?}");
        assert!(found[0].runs < 10.0 && (17.0..20.0).contains(&found[1].runs), "{found:?}");
    }

    #[test]
    fn a_regression_is_kept_less_often_than_a_tenth_of_the_error_budget() {
        let cells = [Noise::Iid(0.01), Noise::Heavy, Noise::Quantised].map(|noise| cell(noise, -0.02, 0.02, 2000));
        for (cell, found) in cells.iter().zip(power(&cells)) {
            assert!(found.keeps <= 0.002, "{}: {found:?}", cell.noise);
        }
    }
}
