//! Noise as a session measured it: the recorded pairs without their effects.

use crate::stats::median;

/// Fewest pairs of an experiment whose noise can be told from its effect.
const FEWEST_PAIRS: usize = 4;

/// Why recorded measurements cannot serve as a noise model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no experiment with at least {FEWEST_PAIRS} pairs is recorded, and no calibration with as many; run one first")]
pub struct TooFewPairs;

/// The noise of recorded pairs, on the decision scale, in runs of successive pairs.
///
/// An experiment's noise is each arm's values less that arm's median over the experiment: the effect goes, drift and
/// outliers stay. (With n normal values that keeps `1 - .43 / n` of the variance; the mean would keep `1 - 1 / n`.)
/// Experiments of fewer than four pairs say too little. Of a calibration only the A/A differences `d_i` are known; each
/// is divided between the arms with another one, `(d_j + d_i) / 2` and `(d_j - d_i) / 2`, `j` half a turn away, which
/// gives runs and successive runs the scatter that they have when runs are independent.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    races: Vec<Vec<(f64, f64)>>,
}

impl Recorded {
    /// Takes the pairs `(y_baseline, y_candidate)` of each experiment and the A/A differences of each calibration.
    pub fn new(experiments: &[Vec<(f64, f64)>], calibrations: &[Vec<f64>]) -> Result<Self, TooFewPairs> {
        let split = calibrations.iter().map(|d| split(d));
        let all = experiments.iter().cloned().chain(split);
        let races: Vec<_> = all.filter(|pairs| pairs.len() >= FEWEST_PAIRS).map(|pairs| centred(&pairs)).collect();
        if races.is_empty() { Err(TooFewPairs) } else { Ok(Self { races }) }
    }

    /// Returns how many pairs there are.
    pub fn pairs(&self) -> usize {
        self.races.iter().map(Vec::len).sum()
    }

    /// Returns how many experiments and calibrations they come from.
    pub fn races(&self) -> usize {
        self.races.len()
    }

    pub(super) fn race(&self, number: usize) -> &[(f64, f64)] {
        &self.races[number]
    }
}

fn split(d: &[f64]) -> Vec<(f64, f64)> {
    let half_a_turn = d.len() / 2;
    let other = |i: usize| d[(i + half_a_turn) % d.len()];
    d.iter().enumerate().map(|(i, d)| ((other(i) + d) / 2.0, (other(i) - d) / 2.0)).collect()
}

fn centred(pairs: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (baselines, candidates): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (baseline, candidate) = (median(&baselines), median(&candidates));
    pairs.iter().map(|(b, c)| (b - baseline, c - candidate)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effect_of_an_experiment_is_taken_out_and_its_outlier_is_not() {
        let pairs = vec![(5.0, 3.0), (5.5, 3.5), (5.0, 9.0), (4.5, 3.0), (5.0, 3.0)];
        let recorded = Recorded::new(&[pairs], &[]).unwrap();
        assert_eq!(recorded.race(0), [(0.0, 0.0), (0.5, 0.5), (0.0, 6.0), (-0.5, 0.0), (0.0, 0.0)]);
    }

    #[test]
    fn the_differences_of_a_calibration_are_found_again_in_its_pairs() {
        let d = vec![0.5, -0.25, 0.0, 0.25, -0.5, 0.0];
        let recorded = Recorded::new(&[], std::slice::from_ref(&d)).unwrap();
        let found: Vec<f64> = recorded.race(0).iter().map(|(b, c)| b - c).collect();
        assert_eq!(found, d);
        assert_eq!((recorded.pairs(), recorded.races()), (6, 1));
    }

    #[test]
    fn three_pairs_are_no_noise_model() {
        assert_eq!(Recorded::new(&[vec![(1.0, 1.0); 3]], &[vec![0.0; 3]]), Err(TooFewPairs));
    }
}
