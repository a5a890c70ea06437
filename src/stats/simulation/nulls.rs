//! Simulation of sessions in which nothing is better, on machines that break what a calibration learned.

use super::noise::{Machine, Noise};
use super::parallel;
use super::races::{calibrate, usual_rule};
use super::random::seed_of;
use crate::stats::{Call, PairScale, Race, Ring};

/// Candidates in one session.
const CANDIDATES: u32 = 20;

/// A machine on which the rule must keep no more no-ops than its error budget allows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trap {
    /// What it is called.
    pub(super) name: &'static str,
    /// The noise of its runs.
    pub(super) noise: Noise,
    /// Factor on the noise of candidates.
    pub(super) candidate: f64,
    /// Factor on the noise of the calibration.
    pub(super) calibration: f64,
}

/// Returns the traps of statistics section 4.
pub(super) fn traps() -> [Trap; 4] {
    let trap = |name, noise, candidate, calibration| Trap { name, noise, candidate, calibration };
    [
        trap("candidate ten times noisier", Noise::Iid(0.01), 10.0, 1.0),
        trap("interference every second run", Noise::Interference, 1.0, 1.0),
        trap("alternating noise", Noise::Alternating, 1.0, 1.0),
        trap("calibration twenty times quieter", Noise::Iid(0.01), 1.0, 0.05),
    ]
}

/// No-ops raced in sessions of 20 at one error budget.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ordeal {
    pub(super) trap: Trap,
    pub(super) alpha: f64,
    /// No-ops, rounded up to whole sessions.
    pub(super) races: u32,
    pub(super) seed: u64,
}

/// Returns the share of no-ops that each ordeal's sessions keep; the ring learns from every candidate.
pub(super) fn keep_rates(ordeals: &[Ordeal]) -> Vec<f64> {
    let sessions = |ordeal: &Ordeal| ordeal.races.div_ceil(CANDIDATES);
    let parts: Vec<(usize, u32)> =
        ordeals.iter().enumerate().flat_map(|(i, o)| (0..sessions(o)).map(move |session| (i, session))).collect();
    let keeps = parallel::map(parallel::threads(), parts.len(), |number| {
        let (ordeal, session) = parts[number];
        keeps(&ordeals[ordeal], session)
    });
    let mut totals = vec![0; ordeals.len()];
    parts.iter().zip(keeps).for_each(|((ordeal, _), keeps)| totals[*ordeal] += keeps);
    let rate = |(ordeal, keeps): (&Ordeal, u32)| f64::from(keeps) / f64::from(CANDIDATES * sessions(ordeal).max(1));
    ordeals.iter().zip(totals).map(rate).collect()
}

fn keeps(ordeal: &Ordeal, session: u32) -> u32 {
    let mut machine = Machine::new(&ordeal.trap.noise, seed_of(ordeal.seed, u64::from(session)));
    let a_a = calibrate(&mut machine);
    let mut ring = Ring::new(a_a.iter().map(|d| d * ordeal.trap.calibration), None);
    let mut keeps = 0;
    for _ in 0..CANDIDATES {
        let Some(scale) = ring.scale() else { break };
        let (call, pairs) = race(ordeal, scale, &mut machine);
        ring.record(&pairs);
        if call == Call::Keep {
            keeps += 1;
            ring.keep();
        }
    }
    keeps
}

fn race(ordeal: &Ordeal, scale: PairScale, machine: &mut Machine) -> (Call, Vec<(f64, f64)>) {
    let mut race = Race::new(usual_rule(ordeal.alpha), scale);
    let mut pairs = Vec::new();
    loop {
        let draw = machine.pair();
        let pair = (draw.baseline, draw.candidate * ordeal.trap.candidate);
        pairs.push(pair);
        let call = race.push(pair.0, pair.1);
        if call != Call::Undecided {
            return (call, pairs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_trap_makes_the_rule_keep_more_than_its_error_budget() {
        let ordeals = traps().map(|trap| Ordeal { trap, alpha: 0.02, races: 2000, seed: 3 });
        for (ordeal, rate) in ordeals.iter().zip(keep_rates(&ordeals)) {
            assert!(rate <= 0.02, "{}: {rate}", ordeal.trap.name);
        }
    }
}
