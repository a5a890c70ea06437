//! The published figures of the rule (statistics section 4), which a simulation of the implementation must reproduce.

use super::Noise;

/// The smallest effect worth keeping, in all published figures.
pub(super) const MIN_EFFECT: f64 = 0.01;

/// Largest distance of a simulated power from the published one.
pub(super) const TOLERANCE: f64 = 0.03;

/// A table of powers: of each noise, the published power at each of the table's effects.
pub(super) struct Table<const EFFECTS: usize> {
    /// Error budget of each race.
    pub(super) alpha: f64,
    /// True effects, in ln units.
    pub(super) effects: [f64; EFFECTS],
    /// P(keep) at each effect.
    pub(super) rows: &'static [(Noise, [f64; EFFECTS])],
}

/// The table at alpha .005.
pub(super) const USUAL: Table<6> = Table {
    alpha: 0.005,
    effects: [0.0, 0.01, 0.02, 0.05, 0.10, 0.20],
    rows: &[
        (Noise::Iid(0.01), [0.000, 0.055, 0.821, 1.0, 1.0, 1.0]),
        (Noise::Iid(0.03), [0.000, 0.005, 0.055, 0.821, 0.995, 1.0]),
        (Noise::Iid(0.10), [0.001, 0.002, 0.004, 0.038, 0.353, 0.928]),
        (Noise::Ar1, [0.000, 0.024, 0.659, 0.999, 1.0, 1.0]),
        (Noise::RandomWalk, [0.000, 0.046, 0.796, 1.0, 1.0, 1.0]),
        (Noise::Heavy, [0.000, 0.006, 0.103, 0.891, 0.982, 0.987]),
        (Noise::Bimodal, [0.000, 0.004, 0.043, 0.465, 0.988, 1.0]),
        (Noise::Steps, [0.000, 0.018, 0.385, 0.986, 1.0, 1.0]),
        (Noise::Bursts, [0.000, 0.024, 0.510, 0.929, 0.980, 0.999]),
        (Noise::Order(0.01), [0.000, 0.009, 0.197, 0.995, 1.0, 1.0]),
        (Noise::Quantised, [0.000, 0.004, 0.099, 0.943, 1.0, 1.0]),
        (Noise::Exact, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
};

/// The table at alpha .001.
pub(super) const CAREFUL: Table<5> = Table {
    alpha: 0.001,
    effects: [0.0, 0.02, 0.05, 0.10, 0.20],
    rows: &[
        (Noise::Iid(0.01), [0.000, 0.735, 1.0, 1.0, 1.0]),
        (Noise::Iid(0.03), [0.000, 0.019, 0.735, 0.993, 1.0]),
        (Noise::Iid(0.10), [0.000, 0.001, 0.014, 0.207, 0.909]),
        (Noise::Ar1, [0.000, 0.507, 0.999, 1.0, 1.0]),
        (Noise::Heavy, [0.000, 0.039, 0.822, 0.977, 0.983]),
        (Noise::Bimodal, [0.000, 0.016, 0.311, 0.981, 1.0]),
        (Noise::Steps, [0.000, 0.224, 0.984, 1.0, 1.0]),
        (Noise::Bursts, [0.000, 0.372, 0.910, 0.980, 0.999]),
    ],
};

/// The noise of the published ones at which a sentinel with a tolerance of 5 % cannot be guarded: 20 pairs do not tell a
/// regression of 10 % from it, whatever the rule, once the error is shared among the tests. A calibration names it.
pub(super) const UNGUARDED: Noise = Noise::Iid(0.10);

/// Mean runs of a no-op where they are more than the wanted 7.5, and the largest distance from them.
///
/// The published table says 7.4. That is no other rule: the specification's reference, raced on the same noise with its
/// own random numbers, costs 7.67 (20 000 races, standard error .06), and this implementation the same. One run of 4000
/// races has a standard error of .14, so 7.4 was a low draw. Neither warm-up nor calibration runs are counted.
pub(super) static NO_OP_RUNS_BEYOND: (Noise, f64, f64) = (Noise::Iid(0.10), 7.7, 0.3);
