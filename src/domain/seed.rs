//! The session's seed, from which every coin of every pair follows.

use serde::{Deserialize, Serialize};

use super::{ExperimentId, Order};

/// Seeds a session; the order of each pair is a pure function of it, so a resumed session tosses the same coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// Tosses the coin of one pair: the top bit of splitmix64 over seed, experiment and pair number.
    pub fn coin(self, experiment: ExperimentId, pair: u32) -> Order {
        let key = (u64::from(experiment.0) << 32) | u64::from(pair);
        let mixed = splitmix64(splitmix64(self.0) ^ splitmix64(key));
        if mixed >> 63 == 0 { Order::BaselineFirst } else { Order::CandidateFirst }
    }
}

/// Mixes 64 bits (the finaliser of `SplitMix64`; Steele, Lea and Flood 2014).
fn splitmix64(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
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
    fn successive_coins_are_independent() {
        let alike = (0..20_000).filter(|&k| Seed(5).coin(ExperimentId(2), k) == Seed(5).coin(ExperimentId(2), k + 1));
        assert!((9_700..10_300).contains(&alike.count()));
    }
}
