//! The session's seed, from which every coin of every pair follows.

use serde::{Deserialize, Serialize};

use super::{ExperimentId, Order};

/// Seeds a session; the order of each pair is a pure function of it, so a resumed session tosses the same coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// Tells the coins of validations from those of experiments.
const VALIDATION: u64 = 0x7661_6c69_6461_7465;

/// Tells the coins of the holdout from those of the race.
const HOLDOUT: u64 = 0x0068_6f6c_646f_7574;

impl Seed {
    /// Tosses the coin of one pair: the top bit of splitmix64 over seed, experiment and pair number.
    pub fn coin(self, experiment: ExperimentId, pair: u32) -> Order {
        self.toss((u64::from(experiment.0) << 32) | u64::from(pair), 0)
    }

    /// Tosses the coin of one pair of a validation, from a sequence that no experiment has a part in.
    pub fn validation_coin(self, validation: u32, pair: u32) -> Order {
        self.toss((u64::from(validation) << 32) | u64::from(pair), VALIDATION)
    }

    /// Tosses the coin of one pair of the holdout of an experiment, from a sequence of its own.
    pub fn holdout_coin(self, experiment: ExperimentId, pair: u32) -> Order {
        self.toss((u64::from(experiment.0) << 32) | u64::from(pair), HOLDOUT)
    }

    fn toss(self, key: u64, sequence: u64) -> Order {
        let mixed = splitmix64(splitmix64(self.0) ^ splitmix64(key) ^ sequence);
        if mixed >> 63 == 0 { Order::BaselineFirst } else { Order::CandidateFirst }
    }
}

/// Returns the first number of `SplitMix64` from a state (Steele, Lea and Flood 2014).
pub fn splitmix64(state: u64) -> u64 {
    mix64(state.wrapping_add(GOLDEN_GAMMA))
}

/// Adds to the state of `SplitMix64` for each number.
pub const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes 64 bits: the finaliser of `SplitMix64`.
pub fn mix64(x: u64) -> u64 {
    let mut z = x;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coin_is_a_function_of_seed_experiment_and_pair() {
        let toss = |n| Seed(7).coin(ExperimentId(3), n);
        assert_eq!((1..40).map(toss).collect::<Vec<_>>(), (1..40).map(toss).collect::<Vec<_>>());
    }

    #[test]
    fn the_coin_is_fair_over_experiments_and_over_pairs() {
        let heads = |n: &dyn Fn(u32) -> Order| (0..20_000).filter(|&k| n(k) == Order::CandidateFirst).count();
        for count in [
            heads(&|k| Seed(1).coin(ExperimentId(k), 1)),
            heads(&|k| Seed(1).coin(ExperimentId(1), k)),
            heads(&|k| Seed(u64::from(k)).coin(ExperimentId(1), 1)),
        ] {
            assert!((9_700..10_300).contains(&count), "{count} of 20000");
        }
    }

    #[test]
    fn validations_and_holdouts_have_fair_coins_of_their_own() {
        let of_validations = |n: u32| Seed(3).validation_coin(1, n);
        let of_holdouts = |n: u32| Seed(3).holdout_coin(ExperimentId(1), n);
        for toss in [&of_validations as &dyn Fn(u32) -> Order, &of_holdouts] {
            let heads = (0..20_000).filter(|&n| toss(n) == Order::CandidateFirst).count();
            let alike = (0..20_000).filter(|&n| toss(n) == Seed(3).coin(ExperimentId(1), n)).count();
            assert!((9_700..10_300).contains(&heads) && (9_700..10_300).contains(&alike), "{heads}, {alike}");
        }
    }

    #[test]
    fn successive_coins_are_independent() {
        let alike = (0..20_000).filter(|&k| Seed(5).coin(ExperimentId(2), k) == Seed(5).coin(ExperimentId(2), k + 1));
        assert!((9_700..10_300).contains(&alike.count()));
    }
}
