//! Noise models: what benchmark runs look like on machines good and bad, for simulations of the rule.

/// A model of one machine's noise on `ln v` (statistics section 4).
#[derive(Debug, Clone, Copy, PartialEq)]
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
}

/// Successive runs on one simulated machine.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    noise: Noise,
    rng: Rng,
    level: f64,
    in_burst: bool,
}

impl Machine {
    pub(super) fn new(noise: Noise, seed: u64) -> Self {
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
            | Noise::Exact => 0.0,
        };
        Self { noise, rng, level, in_burst: false }
    }

    /// Runs the same program twice, back to back.
    #[cfg(test)]
    pub(super) fn in_order(&mut self) -> (f64, f64) {
        (self.run(0.0, false), self.run(0.0, true))
    }

    /// Runs one pair in the order of a fair coin; the candidate is better by `effect`. Returns `(y_base, y_cand)`.
    pub(super) fn pair(&mut self, effect: f64) -> (f64, f64) {
        if self.rng.chance(0.5) {
            let baseline = self.run(0.0, false);
            (baseline, self.run(effect, true))
        } else {
            let candidate = self.run(effect, false);
            (self.run(0.0, true), candidate)
        }
    }

    fn run(&mut self, effect: f64, second: bool) -> f64 {
        let noise = self.next_noise(second);
        match self.noise {
            Noise::Quantised => (25.0 * (noise - effect).exp()).round().ln(),
            Noise::Iid(_)
            | Noise::Ar1
            | Noise::RandomWalk
            | Noise::Heavy
            | Noise::Bimodal
            | Noise::Steps
            | Noise::Bursts
            | Noise::Order(_)
            | Noise::Exact => noise - effect,
        }
    }

    fn next_noise(&mut self, second: bool) -> f64 {
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
            Noise::Exact => 0.0,
        }
    }
}

/// Pseudo-random numbers: xoshiro256++ (Blackman and Vigna 2019), seeded by splitmix64.
#[derive(Debug, Clone)]
struct Rng {
    state: [u64; 4],
}

impl Rng {
    fn new(seed: u64) -> Self {
        let mut x = seed;
        let mut next = || {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Self { state: [next(), next(), next(), next()] }
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Returns a number in \[0, 1).
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Returns a standard normal number (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut rng = Rng::new(1);
        let n = 20_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let z = rng.normal();
            sum += z;
            squares += z * z;
        }
        assert!((sum / f64::from(n)).abs() < 0.03);
        assert!((squares / f64::from(n) - 1.0).abs() < 0.04);
    }

    #[test]
    fn the_same_seed_gives_the_same_machine() {
        let runs = |seed| {
            let mut machine = Machine::new(Noise::Bursts, seed);
            (0..20).map(|_| machine.pair(0.02)).collect::<Vec<_>>()
        };
        assert_eq!(runs(3), runs(3));
        assert_ne!(runs(3), runs(4));
    }

    #[test]
    fn the_order_model_slows_the_second_run_of_either_arm() {
        let mut machine = Machine::new(Noise::Order(0.0), 1);
        let d: Vec<f64> =
            (0..100).map(|_| machine.pair(0.0)).map(|(baseline, candidate)| baseline - candidate).collect();
        assert!(d.iter().all(|d| (d.abs() - 0.02).abs() < 1e-12));
        assert!((30..70).contains(&d.iter().filter(|d| **d > 0.0).count()));
    }
}
