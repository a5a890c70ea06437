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

/// Published P(block) of a harmless patch under heavy tails, by the number of sentinels.
pub(super) const HARMLESS_BLOCKED: [(usize, f64); 2] = [(4, 0.011), (12, 0.020)];

/// Where the rule itself blocks more harmless patches than the wanted 5 %: noise, sentinels, share.
///
/// Eight looks at each sentinel add up where its noise is far above its tolerance. The specification's reference does
/// the same on the two noises where it was compared, iid 10 % and bimodal. The shares were simulated with
/// `simulate --sentinels K --races 2000`; a calibration names such sentinels as ones that it cannot guard.
pub(super) static HARMLESS_BEYOND: [(Noise, usize, f64); 7] = [
    (Noise::Iid(0.10), 4, 0.14),
    (Noise::Iid(0.10), 12, 0.16),
    (Noise::Iid(0.10), 40, 0.18),
    (Noise::Heavy, 40, 0.055),
    (Noise::Bimodal, 12, 0.095),
    (Noise::Bimodal, 40, 0.19),
    (Noise::Bursts, 40, 0.055),
];

/// Where the rule itself blocks fewer patches with a regression of 10 % than the wanted 95 %: the tolerance is widened
/// to about as much there.
pub(super) static HARMFUL_BEYOND: [(Noise, usize, f64); 3] =
    [(Noise::Iid(0.10), 4, 0.77), (Noise::Iid(0.10), 12, 0.65), (Noise::Iid(0.10), 40, 0.53)];

/// Largest distance of a simulated share from one of [`HARMLESS_BEYOND`] and [`HARMFUL_BEYOND`].
pub(super) const BEYOND_TOLERANCE: f64 = 0.05;

/// Mean runs of a no-op where they are more than the wanted 7.5, and the largest distance from them.
pub(super) static NO_OP_RUNS_BEYOND: (Noise, f64, f64) = (Noise::Iid(0.10), 7.7, 0.3);
