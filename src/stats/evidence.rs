//! The evidence that a candidate is better: a mixture of bets that no machine drift can win against.

use super::PairScale;

/// `(kappa, c)` of the tanh bets. c < 1 is essential: with c = 1 one outlier would kill the evidence for good.
const BETS: [(f64, f64); 4] = [(0.5, 0.95), (1.0, 0.9), (2.0, 0.8), (2.0, 0.95)];

/// Share of the stake on the jump bet.
const JUMP_WEIGHT: f64 = 0.4;

/// The jump bet assumes that a pair without effect passes the threshold at most this often.
const JUMP_RATE: f64 = 0.15;

/// The evidence of one race, pair by pair, in natural logarithms.
///
/// `E = .4 prod(.15 + (.85 / .15) [x > T]) + .15 sum_k prod(1 + c_k tanh(kappa_k x / s))` over `x = d - delta0`
/// (statistics section 3). The tanh bets are an e-process whatever the machine does, because each pair's coin makes
/// `x` symmetric about a value of at most 0, and tanh is odd.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    scale: PairScale,
    bets: [f64; BETS.len()],
    jump: f64,
}

impl Evidence {
    /// Starts with no pairs on a calibrated scale, whose `s` must be above 0.
    pub fn new(scale: PairScale) -> Self {
        Self { scale, bets: [0.0; BETS.len()], jump: 0.0 }
    }

    /// Takes the next excess `x = d - delta0`.
    pub fn push(&mut self, x: f64) {
        for (sum, (kappa, c)) in self.bets.iter_mut().zip(BETS) {
            *sum += (c * (kappa * x / self.scale.s).tanh()).ln_1p();
        }
        let won = if x > self.scale.threshold { (1.0 - JUMP_RATE) / JUMP_RATE } else { 0.0 };
        self.jump += (JUMP_RATE + won).ln();
    }

    /// Returns `ln E`; `jump` says whether the jump bet still counts.
    pub fn ln_e(&self, jump: bool) -> f64 {
        let share = ((1.0 - JUMP_WEIGHT) / BETS.len() as f64).ln();
        let mut terms: Vec<f64> = self.bets.iter().map(|sum| sum + share).collect();
        if jump {
            terms.push(self.jump + JUMP_WEIGHT.ln());
        }
        let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        top + terms.iter().map(|term| (term - top).exp()).sum::<f64>().ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: PairScale = PairScale { s: 0.01, threshold: 0.02 };

    #[test]
    fn before_the_first_pair_the_evidence_is_the_stake() {
        assert!(Evidence::new(SCALE).ln_e(true).abs() < 1e-12);
        assert!((Evidence::new(SCALE).ln_e(false) - 0.6_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_clear_win_is_told_in_four_pairs_with_the_jump_bet_and_in_more_without() {
        let after = |n: usize, jump: bool| {
            let mut evidence = Evidence::new(SCALE);
            (0..n).for_each(|_| evidence.push(0.1));
            evidence.ln_e(jump)
        };
        assert!(after(4, true) >= 200_f64.ln());
        assert!(after(4, false) < 200_f64.ln());
        assert!(after(12, false) >= 200_f64.ln());
    }

    #[test]
    fn one_outlier_does_not_kill_the_evidence() {
        let mut evidence = Evidence::new(SCALE);
        (0..12).for_each(|_| evidence.push(0.1));
        let before = evidence.ln_e(false);
        evidence.push(-100.0);
        assert!(before - evidence.ln_e(false) < 3.1);
    }
}
