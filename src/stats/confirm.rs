//! Whether further pairs, measured with the slots swapped, agree that a win is one.

use super::hodges_lehmann;

/// Swapped pairs after which a win is confirmed or not.
pub const CONFIRM_PAIRS: usize = 5;

/// Swapped pairs before which nothing is said.
const FEWEST: usize = 3;

/// What the swapped pairs say of a win whose evidence is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// More pairs are needed.
    Undecided,
    /// They agree.
    Confirmed,
    /// They contradict it: what made the candidate faster was the place it ran in.
    Contradicted,
}

/// Judges the differences of the swapped pairs, on the decision scale, above 0 better.
///
/// With `h` their Hodges-Lehmann estimate and `se = s / sqrt(k)`: confirmed from the third pair on when
/// `h > delta0 + se`, and at the fifth when `h > delta0 - se`; else contradicted. The evidence of the race stands, so
/// that this asks only whether the swapped pairs speak against it. Simulated (the tests below): of true wins of 2 % at
/// CV 1 % some 1 % are contradicted, of those at the minimum effect of 1 % about one in twenty; of keeps that luck
/// of sd .5 % alone made, drawn anew in the other place, two in three are caught at CV .5 % and below, half at CV 1 %.
/// Luck that a build carries in itself is not drawn anew, and none of it is caught (`experiments/layout`).
pub fn confirmation(d: &[f64], s: f64, delta0: f64) -> Confirmation {
    if d.len() < FEWEST {
        return Confirmation::Undecided;
    }
    let (h, se) = (hodges_lehmann(d), s / (d.len() as f64).sqrt());
    if h > delta0 + se {
        Confirmation::Confirmed
    } else if d.len() < CONFIRM_PAIRS {
        Confirmation::Undecided
    } else if h > delta0 - se {
        Confirmation::Confirmed
    } else {
        Confirmation::Contradicted
    }
}

#[cfg(test)]
mod tests {
    use super::super::simulation::{Machine, Noise};
    use super::super::{Call, PairScale, Race, RaceRule};
    use super::*;

    const MIN_EFFECT: f64 = 0.01;
    const DELTA0: f64 = MIN_EFFECT / 2.0;
    const LAYOUT_SD: f64 = 0.005;

    /// Keeps of one kind of candidate, and how many of them the swapped pairs contradicted after how many pairs.
    #[derive(Debug, Default)]
    struct Tally {
        keeps: u32,
        contradicted: u32,
        pairs: usize,
    }

    impl Tally {
        fn share(&self) -> f64 {
            f64::from(self.contradicted) / f64::from(self.keeps)
        }
    }

    /// Races a candidate of one effect until it is kept or dropped; returns the scale of a keep.
    fn kept(machine: &mut Machine, effect: f64) -> Option<f64> {
        let ring: Vec<f64> = (0..10).map(|_| machine.contest(0.0)).map(|(a, b)| a - b).collect();
        let scale = PairScale::of(&ring).unwrap();
        let rule = RaceRule {
            alpha: 0.005,
            min_effect: MIN_EFFECT,
            delta0: DELTA0,
            max_pairs: 30,
            patience: 1.0,
            strict: false,
        };
        let mut race = Race::new(rule, scale);
        loop {
            let (baseline, candidate) = machine.contest(effect);
            match race.push(baseline, candidate) {
                Call::Undecided => {}
                Call::Keep => return Some(scale.s),
                Call::Discard | Call::Inconclusive => return None,
            }
        }
    }

    /// Confirms keeps of a true effect whose build adds luck of `LAYOUT_SD` anew at each place, where `luck` says so.
    fn tally(cv: f64, effect: f64, luck: bool, keeps: u32) -> Tally {
        let mut layout = Machine::new(&Noise::Iid(LAYOUT_SD), 77);
        let mut place = || if luck { layout.contest(0.0).0 } else { 0.0 };
        let mut tally = Tally::default();
        for seed in 0.. {
            let mut machine = Machine::new(&Noise::Iid(cv), seed);
            let Some(s) = kept(&mut machine, effect + place()) else { continue };
            let elsewhere = effect + place();
            let mut d = Vec::new();
            let answer = loop {
                let (baseline, candidate) = machine.contest(elsewhere);
                d.push(baseline - candidate);
                match confirmation(&d, s, DELTA0) {
                    Confirmation::Undecided => {}
                    answer => break answer,
                }
            };
            tally.keeps += 1;
            tally.pairs += d.len();
            tally.contradicted += u32::from(answer == Confirmation::Contradicted);
            if tally.keeps == keeps {
                break;
            }
        }
        tally
    }

    #[test]
    fn true_wins_are_rarely_contradicted() {
        for (cv, effect, most) in
            [(0.002, 0.01, 0.01), (0.005, 0.01, 0.02), (0.01, 0.02, 0.02), (0.01, 0.01, 0.07), (0.03, 0.05, 0.02)]
        {
            let tally = tally(cv, effect, false, 400);
            assert!(tally.share() <= most, "cv {cv}, effect {effect}: {tally:?}");
        }
    }

    #[test]
    fn keeps_made_by_the_luck_of_a_place_are_mostly_caught_where_the_machine_can_see_them() {
        for (cv, least) in [(0.002, 0.65), (0.005, 0.55), (0.01, 0.35)] {
            let tally = tally(cv, 0.0, true, 100);
            assert!(tally.share() >= least, "cv {cv}: {tally:?}");
        }
    }

    #[test]
    fn a_clear_win_needs_three_swapped_pairs_and_an_unclear_one_five() {
        assert_eq!(tally(0.005, 0.05, false, 50).pairs, 150);
        assert_eq!(confirmation(&[0.02; 2], 0.001, DELTA0), Confirmation::Undecided);
        assert_eq!(confirmation(&[0.02; 3], 0.001, DELTA0), Confirmation::Confirmed);
        assert_eq!(confirmation(&[0.0; 4], 0.001, DELTA0), Confirmation::Undecided);
        assert_eq!(confirmation(&[0.0; 5], 0.001, DELTA0), Confirmation::Contradicted);
        assert_eq!(confirmation(&[0.002; 5], 0.01, DELTA0), Confirmation::Confirmed);
    }
}
