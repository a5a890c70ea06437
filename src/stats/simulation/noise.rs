//! Noise models: what benchmark runs look like on machines good and bad, for simulations of the rule.

use std::fmt;
use std::sync::Arc;

use super::random::Rng;
use super::recorded::Recorded;

/// A model of one machine's noise on `ln v` (statistics section 4).
#[derive(Debug, Clone, PartialEq)]
pub enum Noise {
    /// Independent normal noise of this coefficient of variation.
    Iid(f64),
    /// A slow drift that returns: correlation .95, sd .03, plus independent .01.
    Ar1,
    /// A drift that does not return: steps of sd .003, plus independent .01.
    RandomWalk,
    /// Independent .02, and one run in twenty is 1.2 to 2 times slower.
    Heavy,
    /// Independent .01, and every third run is slower by .08.
    Bimodal,
    /// A new level of sd .05 every fiftieth run, plus independent .015.
    Steps,
    /// Spells, some seven runs long, four times as noisy and slower by .12; outside independent .01.
    Bursts,
    /// The second run of a pair is slower by .02, plus independent noise of this coefficient of variation.
    Order(f64),
    /// A clock with a tick of 1 for a true value of 25, coefficient of variation .02.
    Quantised,
    /// No noise.
    Exact,
    /// Independent .01, and every second run is hit by something that makes it slower by .05.
    Interference,
    /// Independent, and every second pair is five times as noisy: .01 and .05.
    Alternating,
    /// What a session measured: recorded pairs, resampled.
    Measured(Arc<Recorded>),
}

impl Noise {
    /// The models of the published tables (statistics section 4), in their order.
    pub const PUBLISHED: [Self; 12] = [
        Self::Iid(0.01),
        Self::Iid(0.03),
        Self::Iid(0.10),
        Self::Ar1,
        Self::RandomWalk,
        Self::Heavy,
        Self::Bimodal,
        Self::Steps,
        Self::Bursts,
        Self::Order(0.01),
        Self::Quantised,
        Self::Exact,
    ];
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iid(cv) => write!(f, "iid {:.0} %", 100.0 * cv),
            Self::Ar1 => f.write_str("AR(1)"),
            Self::RandomWalk => f.write_str("random walk"),
            Self::Heavy => f.write_str("heavy tails"),
            Self::Bimodal => f.write_str("bimodal"),
            Self::Steps => f.write_str("steps"),
            Self::Bursts => f.write_str("bursts"),
            Self::Order(_) => f.write_str("order 2 %"),
            Self::Quantised => f.write_str("quantised"),
            Self::Exact => f.write_str("exact"),
            Self::Interference => f.write_str("interference"),
            Self::Alternating => f.write_str("alternating"),
            Self::Measured(_) => f.write_str("measured"),
        }
    }
}

/// Successive runs on one simulated machine.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    noise: Noise,
    rng: Rng,
    level: f64,
    in_burst: bool,
    pairs: u64,
    /// Race and pair of the recorded pair that comes next.
    next: (usize, usize),
}

/// The noise of one pair's two runs, on `ln v`, before anything is known of the programs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Draw {
    /// Of the baseline's run.
    pub(super) baseline: f64,
    /// Of the candidate's run.
    pub(super) candidate: f64,
}

/// Recorded pairs that are replayed one after another, on average, before another place is taken up.
const REPLAYED: f64 = 8.0;

/// The clock's reading of a program without noise or gain, under [`Noise::Quantised`].
const TICKS: f64 = 25.0;

impl Machine {
    pub(super) fn new(noise: &Noise, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let level = match noise {
            Noise::Ar1 => 0.03 * rng.normal(),
            Noise::Steps => 0.05 * rng.normal(),
            Noise::Iid(_)
            | Noise::RandomWalk
            | Noise::Heavy
            | Noise::Bimodal
            | Noise::Bursts
            | Noise::Order(_)
            | Noise::Quantised
            | Noise::Exact
            | Noise::Interference
            | Noise::Alternating
            | Noise::Measured(_) => 0.0,
        };
        Self { noise: noise.clone(), rng, level, in_burst: false, pairs: 0, next: (0, usize::MAX) }
    }

    /// Runs one pair in the order of a fair coin.
    pub(super) fn pair(&mut self) -> Draw {
        self.pairs += 1;
        let baseline_first = self.rng.chance(0.5);
        let (first, second) = match &self.noise {
            Noise::Measured(recorded) => {
                let recorded = Arc::clone(recorded);
                self.replay(&recorded)
            }
            _ => (self.run(false), self.run(true)),
        };
        let (baseline, candidate) = if baseline_first { (first, second) } else { (second, first) };
        Draw { baseline, candidate }
    }

    /// Returns what the machine shows on the decision scale for a run with this noise of a program better by `gain`.
    pub(super) fn shown(&self, noise: f64, gain: f64) -> f64 {
        match self.noise {
            Noise::Quantised => (TICKS * (noise - gain).exp()).round().max(1.0).ln(),
            _ => noise - gain,
        }
    }

    /// Takes the recorded pair after the last one, or any other where that one was the last or by chance: drift and
    /// spells of the session stay, its course does not.
    fn replay(&mut self, recorded: &Recorded) -> (f64, f64) {
        let (race, pair) = self.next;
        let goes_on = pair < recorded.race(race).len() && !self.rng.chance(1.0 / REPLAYED);
        let (race, pair) = if goes_on { (race, pair) } else { self.any_pair(recorded) };
        self.next = (race, pair + 1);
        recorded.race(race)[pair]
    }

    /// Picks a recorded pair, each with the same chance.
    fn any_pair(&mut self, recorded: &Recorded) -> (usize, usize) {
        let mut pair = self.rng.index(recorded.pairs());
        let mut race = 0;
        while pair >= recorded.race(race).len() {
            pair -= recorded.race(race).len();
            race += 1;
        }
        (race, pair)
    }

    fn run(&mut self, second: bool) -> f64 {
        let z = self.rng.normal();
        match self.noise {
            Noise::Iid(cv) => cv * z,
            Noise::Ar1 => {
                self.level = 0.95 * self.level + 0.03 * (1.0_f64 - 0.95 * 0.95).sqrt() * self.rng.normal();
                self.level + 0.01 * z
            }
            Noise::RandomWalk => {
                self.level += 0.003 * self.rng.normal();
                self.level + 0.01 * z
            }
            Noise::Heavy if self.rng.chance(0.05) => 0.02 * z + (1.2 + 0.8 * self.rng.uniform()).ln(),
            Noise::Heavy | Noise::Quantised => 0.02 * z,
            Noise::Bimodal if self.rng.chance(0.35) => 0.01 * z + 0.08,
            Noise::Bimodal => 0.01 * z,
            Noise::Steps => {
                if self.rng.chance(0.02) {
                    self.level = 0.05 * self.rng.normal();
                }
                self.level + 0.015 * z
            }
            Noise::Bursts => {
                let switches = self.rng.chance(if self.in_burst { 0.15 } else { 0.03 });
                self.in_burst ^= switches;
                if self.in_burst { 0.04 * z + 0.12 } else { 0.01 * z }
            }
            Noise::Order(cv) => cv * z + if second { 0.02 } else { 0.0 },
            Noise::Interference => 0.01 * z + if second { 0.05 } else { 0.0 },
            Noise::Alternating => (if self.pairs.is_multiple_of(2) { 0.05 } else { 0.01 }) * z,
            Noise::Exact | Noise::Measured(_) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_machine() {
        let runs = |seed| {
            let mut machine = Machine::new(&Noise::Bursts, seed);
            (0..20).map(|_| machine.pair()).collect::<Vec<_>>()
        };
        assert_eq!(runs(3), runs(3));
        assert_ne!(runs(3), runs(4));
    }

    #[test]
    fn the_order_model_slows_the_second_run_of_either_arm() {
        let mut machine = Machine::new(&Noise::Order(0.0), 1);
        let d: Vec<f64> = (0..100).map(|_| machine.pair()).map(|draw| draw.baseline - draw.candidate).collect();
        assert!(d.iter().all(|d| (d.abs() - 0.02).abs() < 1e-12));
        assert!((30..70).contains(&d.iter().filter(|d| **d > 0.0).count()));
    }

    #[test]
    fn a_clock_shows_whole_ticks_of_what_a_better_program_takes() {
        let machine = Machine::new(&Noise::Quantised, 1);
        assert!((machine.shown(0.0, 0.1).exp() - 23.0).abs() < 1e-9);
        assert!((machine.shown(0.0, 9.0).exp() - 1.0).abs() < 1e-9);
        assert!((Machine::new(&Noise::Exact, 1).shown(0.25, 0.5) + 0.25).abs() < 1e-12);
    }

    #[test]
    fn measured_noise_replays_what_was_recorded_in_either_order() {
        let pairs: Vec<(f64, f64)> = (0..8).map(|i| (f64::from(i), f64::from(10 * i))).collect();
        let recorded = Recorded::new(&[pairs], &[]).unwrap();
        let known = recorded.race(0).to_vec();
        let mut machine = Machine::new(&Noise::Measured(Arc::new(recorded)), 5);
        let draws: Vec<(f64, f64)> = (0..400).map(|_| machine.pair()).map(|d| (d.baseline, d.candidate)).collect();
        let straight = draws.iter().filter(|draw| known.contains(draw)).count();
        let swapped = draws.iter().filter(|(b, c)| known.contains(&(*c, *b))).count();
        assert_eq!(straight + swapped, 400);
        assert!((150..250).contains(&straight), "{straight}");
        let place = |(b, c): &(f64, f64)| known.iter().position(|k| k == &(*b, *c) || k == &(*c, *b)).unwrap();
        let follows = draws.windows(2).filter(|two| place(&two[1]) == place(&two[0]) + 1).count();
        assert!(follows > 250, "{follows} of 399 pairs follow the one before");
    }
}
