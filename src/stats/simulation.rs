//! Simulation of whole races on noise models: how often the rule keeps, and what that costs.

use super::noise::Machine;
use super::{Call, Noise, PairScale, Race, RaceRule, delta0};

/// A/A pairs before each simulated race.
const CALIBRATION_PAIRS: usize = 10;

/// One cell of a power table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The machine.
    pub noise: Noise,
    /// The candidate's true effect in ln units, above 0 better.
    pub effect: f64,
    /// Error budget of each race.
    pub alpha: f64,
    /// Simulated races.
    pub races: u32,
    /// Seed of the first race; the others follow from it.
    pub seed: u64,
}

/// What came of a cell's races.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency {
    /// Share of races that ended in a keep.
    pub keeps: f64,
    /// Mean number of benchmark runs of a race, calibration not counted.
    pub runs: f64,
}

/// Races one candidate after another at the defaults: minimum effect .01, `delta0` half of it, at most 30 pairs, ten
/// A/A pairs on the same machine before each race (statistics section 4).
pub fn simulate(cell: &Cell) -> Frequency {
    let (mut keeps, mut runs) = (0, 0);
    for race in 0..u64::from(cell.races) {
        let seed = cell.seed.wrapping_mul(1_000_003).wrapping_add(race);
        let (verdict, pairs) = race_once(cell, Machine::new(cell.noise, seed));
        keeps += u32::from(verdict == Call::Keep);
        runs += 2 * pairs;
    }
    let races = f64::from(cell.races);
    Frequency { keeps: f64::from(keeps) / races, runs: f64::from(runs) / races }
}

fn race_once(cell: &Cell, mut machine: Machine) -> (Call, u32) {
    let ring: Vec<f64> = (0..CALIBRATION_PAIRS).map(|_| machine.pair(0.0)).map(|(a, b)| a - b).collect();
    let scale = PairScale::of(&ring).unwrap_or(PairScale { s: 0.0, threshold: 0.0 });
    let min_effect = 0.01;
    let delta0 = delta0(min_effect, None);
    let rule = RaceRule { alpha: cell.alpha, min_effect, delta0, max_pairs: 30, patience: 1.0, strict: false };
    let mut race = Race::new(rule, scale);
    loop {
        let (baseline, candidate) = machine.pair(cell.effect);
        let verdict = race.push(baseline, candidate);
        if verdict != Call::Undecided {
            return (verdict, race.standing().pairs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that the share of keeps is within .03 of the published table, and the mean runs near it.
    fn agrees(noise: Noise, table: &[(f64, f64, f64)]) {
        for &(effect, keeps, runs) in table {
            let found = simulate(&Cell { noise, effect, alpha: 0.005, races: 1000, seed: 11 });
            assert!((found.keeps - keeps).abs() <= 0.03, "{noise:?} {effect}: keeps {} for {keeps}", found.keeps);
            assert!((found.runs / runs - 1.0).abs() < 0.12, "{noise:?} {effect}: runs {} for {runs}", found.runs);
        }
    }

    #[test]
    fn a_quiet_machine_keeps_what_the_table_says() {
        agrees(Noise::Iid(0.01), &[(0.0, 0.0, 4.6), (0.02, 0.821, 29.0), (0.05, 1.0, 14.0)]);
    }

    #[test]
    fn a_noisy_machine_keeps_what_the_table_says() {
        agrees(Noise::Iid(0.03), &[(0.0, 0.0, 6.5), (0.05, 0.821, 29.0), (0.2, 1.0, 9.7)]);
    }

    #[test]
    fn heavy_tails_keep_what_the_table_says() {
        agrees(Noise::Heavy, &[(0.0, 0.0, 6.8), (0.02, 0.103, 22.0), (0.1, 0.982, 23.0)]);
    }

    #[test]
    fn an_order_effect_keeps_what_the_table_says() {
        agrees(Noise::Order(0.01), &[(0.0, 0.0, 6.1), (0.02, 0.197, 25.0), (0.1, 1.0, 9.4)]);
    }

    #[test]
    fn drifting_and_bursting_machines_keep_what_the_table_says() {
        agrees(Noise::Ar1, &[(0.0, 0.0, 5.1), (0.02, 0.659, 31.0)]);
        agrees(Noise::RandomWalk, &[(0.02, 0.796, 29.0)]);
        agrees(Noise::Bimodal, &[(0.05, 0.465, 32.0)]);
        agrees(Noise::Steps, &[(0.02, 0.385, 29.0)]);
        agrees(Noise::Bursts, &[(0.02, 0.510, 29.0)]);
        agrees(Noise::Quantised, &[(0.02, 0.099, 24.0), (0.1, 1.0, 15.0)]);
    }

    #[test]
    fn an_exact_metric_needs_one_pair_to_drop_and_three_to_keep() {
        agrees(Noise::Exact, &[(0.0, 0.0, 2.0), (0.02, 1.0, 6.0)]);
    }

    #[test]
    fn false_keeps_stay_below_the_error_budget() {
        let found = simulate(&Cell { noise: Noise::Iid(0.01), effect: 0.0, alpha: 0.02, races: 4000, seed: 5 });
        assert!(found.keeps <= 0.02, "{}", found.keeps);
    }
}
