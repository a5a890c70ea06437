//! The race of one metric: pair after pair until the numbers say keep or discard.

use super::estimate::{median, median_in_place, pooled_spread};
use super::ring::spread;
use super::{Evidence, PairScale, Report, lower_bound, report_effect};

/// Pairs before which nothing is kept; equal pairs that an exact metric needs.
const KEEP_PAIRS: u32 = 3;

/// First pairs of a metric calibrated as exact that varies all the same: they only set its scale.
const BURN_IN: usize = 4;

/// Pair from which no outlier holds futility back any more.
const HOLD_PAIRS: u32 = 6;

/// Smallest learned scale, for a metric that was equal in its first four pairs and then was not.
const SMALLEST_SCALE: f64 = 1e-12;

/// What a race was told before its first pair; effects are on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RaceRule {
    /// The candidate's error budget: a keep needs evidence of `1 / alpha`.
    pub alpha: f64,
    /// Smallest effect worth keeping, `m`.
    pub min_effect: f64,
    /// Effect that the evidence must exceed ([`delta0`](super::delta0)).
    pub delta0: f64,
    /// Pairs after which the race ends anyhow, `n_max`.
    pub max_pairs: u32,
    /// Patience `z` of the futility rule.
    pub patience: f64,
    /// Whether the jump bet, the only one with an assumption about the machine, is left out.
    pub strict: bool,
}

/// What a race says after a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// More pairs are needed.
    Undecided,
    /// The evidence for a keep is there, and latched.
    Keep,
    /// A keep is out of reach.
    Discard,
    /// The pairs ran out, or the estimate fell below the minimum effect after the evidence was latched.
    Inconclusive,
}

/// Where a race stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// What it says.
    pub call: Call,
    /// Pairs so far.
    pub pairs: u32,
    /// Hodges-Lehmann estimate of the effect.
    pub mu: f64,
    /// Natural logarithm of the evidence, at its latching once it is latched; `None` while pairs are compared plainly
    /// or a scale is being learned.
    pub ln_e: Option<f64>,
    /// Whether the jump bet still counts.
    pub jump: bool,
    /// The calibrated pair scale, or the one learned in its place; 0 while pairs are compared plainly.
    pub s: f64,
}

/// The claim of a keep, which later pairs do not touch.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Latch {
    /// Evidence at that pair; `None` where pairs were compared plainly.
    ln_e: Option<f64>,
}

/// One race: takes pairs `(y_baseline, y_candidate)` one by one (statistics section 3, steps 1 to 4).
///
/// Pushing the same pairs again gives the same race, so a recorded one is resumed by pushing its pairs. After a keep
/// the evidence is latched: further pairs, taken for sentinels, change the estimate, and only `mu >= m` is asked again.
#[derive(Debug, Clone, PartialEq)]
pub struct Race {
    rule: RaceRule,
    calibrated: PairScale,
    pairs: u32,
    d: Vec<f64>,
    walsh: Vec<f64>,
    mu: f64,
    last_candidate: Option<f64>,
    varies: bool,
    jump: bool,
    evidence: Option<Evidence>,
    weighed: usize,
    scale: PairScale,
    latched: Option<Latch>,
    call: Call,
}

impl Race {
    /// Starts a race on the scale that calibration left when the candidate started.
    pub fn new(rule: RaceRule, scale: PairScale) -> Self {
        Self {
            rule,
            calibrated: scale,
            pairs: 0,
            d: Vec::new(),
            walsh: Vec::new(),
            mu: 0.0,
            last_candidate: None,
            varies: false,
            jump: !rule.strict,
            evidence: None,
            weighed: 0,
            scale,
            latched: None,
            call: Call::Undecided,
        }
    }

    /// Takes the next pair's values on the decision scale and says where the race stands.
    pub fn push(&mut self, y_baseline: f64, y_candidate: f64) -> Call {
        self.take(y_baseline, y_candidate);
        let call = if self.compares_plainly() {
            self.plain_call()
        } else if self.weigh() {
            self.weighed_call()
        } else {
            Call::Undecided
        };
        self.call = self.latch(call);
        self.call
    }

    /// Returns where the race stands.
    pub fn standing(&self) -> Standing {
        let ln_e = self.latched.map_or_else(|| self.ln_e(), |latch| latch.ln_e);
        Standing { call: self.call, pairs: self.pairs, mu: self.mu, ln_e, jump: self.jump, s: self.scale.s }
    }

    /// Returns the differences so far, `d > 0` better.
    pub fn differences(&self) -> &[f64] {
        &self.d
    }

    /// Returns the effect as people see it; `None` before the first pair.
    pub fn report(&self) -> Option<Report> {
        (self.pairs > 0).then(|| report_effect(&self.d, self.scale.s))
    }

    /// Returns the anytime lower bound of the effect, where the pairs give one and scatter at all.
    pub fn bound(&self) -> Option<f64> {
        (self.scale.s > 0.0).then(|| lower_bound(&self.d, self.scale, self.jump)).flatten()
    }

    fn take(&mut self, y_baseline: f64, y_candidate: f64) {
        let d = y_baseline - y_candidate;
        let differs = self.d.first().is_some_and(|&first| !same(first, d));
        self.varies |= differs;
        self.pairs += 1;
        self.d.push(d);
        self.walsh.extend(self.d.iter().map(|&other| f64::midpoint(other, d)));
        self.mu = median_in_place(&mut self.walsh);
        let last = self.last_candidate.replace(y_candidate);
        // A candidate that jumps about by itself breaks what the jump bet assumes.
        if last.is_some_and(|last| (y_candidate - last).abs() > self.calibrated.threshold) && !self.compares_plainly() {
            self.jump = false;
        }
    }

    /// Says whether calibration and all pairs so far found no noise at all.
    fn compares_plainly(&self) -> bool {
        self.calibrated.is_exact() && !self.varies
    }

    fn plain_call(&self) -> Call {
        if self.mu < self.rule.min_effect {
            Call::Discard
        } else if self.pairs >= KEEP_PAIRS {
            Call::Keep
        } else {
            Call::Undecided
        }
    }

    /// Weighs the pairs not yet weighed; `false` while the first four still have to set a scale.
    fn weigh(&mut self) -> bool {
        if self.calibrated.is_exact() {
            self.jump = false;
            if self.d.len() < BURN_IN {
                return false;
            }
        }
        if self.evidence.is_none() && self.calibrated.is_exact() {
            self.scale.s = learned_scale(&self.d[..BURN_IN]);
            self.weighed = BURN_IN;
        }
        let evidence = self.evidence.get_or_insert_with(|| Evidence::new(self.scale));
        for d in &self.d[self.weighed..] {
            evidence.push(d - self.rule.delta0);
        }
        self.weighed = self.d.len();
        true
    }

    fn ln_e(&self) -> Option<f64> {
        self.evidence.as_ref().map(|evidence| evidence.ln_e(self.jump))
    }

    fn weighed_call(&self) -> Call {
        let proven = self.ln_e().is_some_and(|ln_e| ln_e >= (1.0 / self.rule.alpha).ln());
        if self.pairs >= KEEP_PAIRS && proven && self.mu >= self.rule.min_effect {
            Call::Keep
        } else if self.is_futile() && !self.is_held_back() {
            Call::Discard
        } else if self.pairs >= self.rule.max_pairs {
            Call::Inconclusive
        } else {
            Call::Undecided
        }
    }

    /// Says whether even an optimistic estimate stays below what the remaining pairs could prove.
    fn is_futile(&self) -> bool {
        let RaceRule { alpha, min_effect, delta0, max_pairs, patience, strict: _ } = self.rule;
        let spread = pooled_spread(&self.d, self.mu, self.scale.s, self.scale.s);
        let provable = delta0 + spread * (2.0 * (4.0 / alpha).ln() / f64::from(max_pairs)).sqrt();
        let hoped = self.mu.max(median(&self.d)) + patience * spread / f64::from(self.pairs).sqrt();
        hoped < min_effect.max(provable)
    }

    /// Says whether one outlier among the first pairs may be what makes the race look futile.
    fn is_held_back(&self) -> bool {
        let least = self.d.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.d.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if self.pairs == 1 {
            return least < self.rule.delta0 - 3.0 * self.scale.s;
        }
        self.pairs < HOLD_PAIRS && most - least > 6.0 * self.scale.s && most > self.rule.min_effect
    }

    fn latch(&mut self, call: Call) -> Call {
        if self.latched.is_some() {
            return if self.mu >= self.rule.min_effect { Call::Keep } else { Call::Inconclusive };
        }
        if call == Call::Keep {
            self.latched = Some(Latch { ln_e: self.ln_e() });
        }
        call
    }
}

/// Learns the scale of a metric that was calibrated exact and varies: 1.4826 MAD of its first four differences, else
/// their root mean square, at least 1e-12 (statistics section 3, step 1).
pub(super) fn learned_scale(first_four: &[f64]) -> f64 {
    let centre = median(first_four);
    spread(&first_four.iter().map(|v| (v - centre).abs()).collect::<Vec<_>>()).max(SMALLEST_SCALE)
}

/// Number of pairs that [`learned_scale`] needs.
pub(super) const SCALE_PAIRS: usize = BURN_IN;

/// Says whether two values are the same number.
#[expect(clippy::float_cmp, reason = "exact metrics are compared exactly on purpose")]
pub(super) fn same(a: f64, b: f64) -> bool {
    a == b
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: RaceRule =
        RaceRule { alpha: 0.005, min_effect: 0.01, delta0: 0.005, max_pairs: 30, patience: 1.0, strict: false };
    const NOISY: PairScale = PairScale { s: 0.01, threshold: 0.02 };
    const EXACT: PairScale = PairScale { s: 0.0, threshold: 0.0 };

    fn run(rule: RaceRule, scale: PairScale, d: &[f64]) -> Race {
        let mut race = Race::new(rule, scale);
        for v in d {
            race.push(3.0, 3.0 - v);
        }
        race
    }

    #[test]
    fn an_exact_win_is_kept_after_three_pairs_and_an_exact_loss_dropped_after_one() {
        let mut race = Race::new(RULE, EXACT);
        assert_eq!(race.push(1.0, 0.9), Call::Undecided);
        assert_eq!(race.push(1.0, 0.9), Call::Undecided);
        assert_eq!(race.push(1.0, 0.9), Call::Keep);
        assert_eq!(race.standing().ln_e, None);
        assert_eq!(Race::new(RULE, EXACT).push(1.0, 1.0), Call::Discard);
    }

    #[test]
    fn strict_drops_the_jump_bet_and_needs_more_pairs() {
        let pairs_to_keep = |rule| {
            let mut race = Race::new(rule, NOISY);
            (1..=30).find(|_| race.push(1.0, 0.9) == Call::Keep)
        };
        assert_eq!(pairs_to_keep(RULE), Some(4));
        assert_eq!(pairs_to_keep(RaceRule { strict: true, ..RULE }), Some(9));
    }

    #[test]
    fn a_candidate_that_jumps_loses_the_jump_bet_for_good() {
        let mut race = Race::new(RULE, NOISY);
        race.push(1.0, 0.9);
        race.push(1.0, 0.8);
        race.push(1.0, 0.8);
        assert!(!race.standing().jump);
    }

    #[test]
    fn latched_evidence_survives_bad_pairs_but_the_minimum_effect_is_asked_again() {
        let mut race = run(RULE, NOISY, &[0.1; 4]);
        let latched = race.standing();
        assert_eq!(latched.call, Call::Keep);
        assert_eq!(race.push(3.0, 3.0), Call::Keep);
        assert_eq!(race.push(3.0, 3.0), Call::Keep);
        assert_eq!(race.standing().ln_e, latched.ln_e);
        assert!(race.standing().mu < latched.mu);
        for _ in 0..6 {
            race.push(3.0, 3.2);
        }
        assert_eq!(race.standing().call, Call::Inconclusive);
    }

    #[test]
    fn an_exact_metric_that_varies_after_its_keep_gets_a_scale_for_the_report() {
        let race = run(RULE, EXACT, &[0.1, 0.1, 0.1, 0.12, 0.1]);
        let standing = race.standing();
        assert_eq!((standing.call, standing.ln_e), (Call::Keep, None));
        assert!(standing.s > 0.0);
        assert!(race.report().unwrap().se > 0.0);
    }

    #[test]
    fn a_metric_calibrated_exact_that_varies_learns_a_scale_from_four_pairs_and_needs_nine_more_to_be_kept() {
        let d: Vec<f64> = (0..30).map(|i| 0.1 + if i % 2 == 0 { 0.004 } else { -0.004 }).collect();
        let mut race = Race::new(RULE, EXACT);
        let calls: Vec<Call> = d.iter().map(|v| race.push(3.0, 3.0 - v)).collect();
        assert!(calls[..12].iter().all(|call| *call == Call::Undecided), "{calls:?}");
        assert_eq!(calls[12], Call::Keep, "four pairs for the scale, nine tanh bets, no jump bet: {calls:?}");
        let standing = race.standing();
        assert!(!standing.jump && (standing.s - 1.4826 * 0.004).abs() < 1e-12, "{standing:?}");
    }

    #[test]
    fn a_clock_of_coarse_ticks_is_kept_when_every_pair_shows_the_win() {
        // Ticks of 4 %: most A/A pairs agree, a few differ by a tick.
        let tick = 0.04;
        let ring: Vec<f64> = [0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0].map(|ticks| ticks * tick).to_vec();
        let scale = PairScale::of(&ring).unwrap();
        assert!((scale.s - tick * 0.3_f64.sqrt()).abs() < 1e-12, "the root mean square, as the median is 0");
        let won = run(RULE, scale, &[3.0, 2.0, 3.0, 3.0, 4.0, 3.0, 3.0, 3.0, 3.0].map(|ticks| ticks * tick));
        assert_eq!(won.standing().call, Call::Keep);
        assert_eq!(run(RULE, scale, &[0.0, 0.0, -tick, 0.0]).standing().call, Call::Discard);
    }

    #[test]
    fn the_race_ends_at_its_last_pair() {
        let d: Vec<f64> = (0..30).map(|i| 0.0145 + if i % 2 == 0 { 0.03 } else { -0.03 }).collect();
        let mut race = Race::new(RULE, PairScale { s: 0.002, threshold: 0.1 });
        let calls: Vec<Call> = d.iter().map(|v| race.push(3.0, 3.0 - v)).collect();
        assert_eq!(calls[28..], [Call::Undecided, Call::Inconclusive]);
    }

    #[test]
    fn an_early_outlier_holds_futility_back() {
        assert_eq!(run(RULE, NOISY, &[-1.0]).standing().call, Call::Undecided);
        assert_eq!(run(RULE, NOISY, &[-0.01]).standing().call, Call::Discard);
        assert_eq!(run(RULE, NOISY, &[-1.0, 0.05]).standing().call, Call::Undecided);
    }
}
