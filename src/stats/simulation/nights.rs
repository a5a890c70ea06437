//! Simulation of whole sessions: what is kept over many candidates, beside keeping what beats the best number of one run.

use super::noise::{Draw, Machine, Noise};
use super::parallel;
use super::races::calibrate;
use super::random::{Rng, seed_of};
use crate::stats::{
    Budget, Call, Race, RaceRule, Ring, SlotBias, delta0, differences, epoch_size, validation_interval,
};

/// Fresh pairs of the original baseline and the final commit, which a session's gain is read from.
const VALIDATION_PAIRS: usize = 20;

/// What candidates a session is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// One in ten is 2 to 6 units better, 4 on average, two in ten are as much worse, the rest change nothing.
    Usual,
    /// None changes anything.
    Null,
}

/// Sessions to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Night {
    /// The machine, one for the whole session.
    pub noise: Noise,
    /// The rule of each race; its alpha and `delta0` come from the budget and the calibration.
    pub rule: RaceRule,
    /// Wanted share of false keeps, `q`.
    pub share: f64,
    /// What is offered.
    pub mix: Mix,
    /// The unit of what is offered, on the decision scale: .01 for percents of a ratio.
    pub unit: f64,
    /// Candidates in one session.
    pub candidates: u32,
    /// Simulated sessions.
    pub sessions: u32,
    /// Seed that the seeds of the sessions follow from.
    pub seed: u64,
}

/// What one way to decide did, as the mean of a session.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ledger {
    /// Candidates kept.
    pub keeps: f64,
    /// Of them, those that are no better than what they were compared with.
    pub false_keeps: f64,
    /// True effect of all that was kept together, on the decision scale.
    pub gain: f64,
    /// The gain that is reported: 20 fresh pairs of the first baseline against the last commit, or the difference of the
    /// best numbers.
    pub reported: f64,
    /// Benchmark runs; calibration, warm-up and validation are not counted.
    pub runs: f64,
}

impl Ledger {
    /// Returns which share of the keeps is false; `None` where nothing was kept.
    pub fn false_share(&self) -> Option<f64> {
        (self.keeps > 0.0).then(|| self.false_keeps / self.keeps)
    }

    fn add(&mut self, other: &Self) {
        self.keeps += other.keeps;
        self.false_keeps += other.false_keeps;
        self.gain += other.gain;
        self.reported += other.reported;
        self.runs += other.runs;
    }

    fn per(self, sessions: f64) -> Self {
        let Self { keeps, false_keeps, gain, reported, runs } = self;
        Self {
            keeps: keeps / sessions,
            false_keeps: false_keeps / sessions,
            gain: gain / sessions,
            reported: reported / sessions,
            runs: runs / sessions,
        }
    }

    fn keep(&mut self, effect: f64) {
        self.keeps += 1.0;
        self.false_keeps += f64::from(u8::from(effect <= 0.0));
        self.gain += effect;
    }
}

/// What came of simulated sessions, as means of a session.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NightFigures {
    /// True effect of all winners on offer together.
    pub offered: f64,
    /// The rule.
    pub rule: Ledger,
    /// Keeping what beats the best number of one run, on the same noise.
    pub one_run: Ledger,
}

/// Simulates sessions as the engine runs them: ten A/A pairs, the ring fed by every candidate, the error budget's
/// epochs, and the baseline that moves with each keep.
pub fn nights(plans: &[Night]) -> Vec<NightFigures> {
    nights_on(parallel::threads(), plans)
}

fn nights_on(threads: usize, plans: &[Night]) -> Vec<NightFigures> {
    let parts: Vec<(usize, u32)> =
        plans.iter().enumerate().flat_map(|(i, plan)| (0..plan.sessions).map(move |session| (i, session))).collect();
    let sessions = parallel::map(threads, parts.len(), |number| {
        let (plan, session) = parts[number];
        Session::new(&plans[plan], session).run()
    });
    let mut totals = vec![NightFigures::default(); plans.len()];
    for ((plan, _), found) in parts.iter().zip(sessions) {
        totals[*plan].offered += found.offered;
        totals[*plan].rule.add(&found.rule);
        totals[*plan].one_run.add(&found.one_run);
    }
    plans.iter().zip(totals).map(|(plan, total)| total.per(f64::from(plan.sessions.max(1)))).collect()
}

impl NightFigures {
    fn per(self, sessions: f64) -> Self {
        Self { offered: self.offered / sessions, rule: self.rule.per(sessions), one_run: self.one_run.per(sessions) }
    }
}

/// One session under way.
struct Session<'p> {
    plan: &'p Night,
    machine: Machine,
    /// Draws the candidates, apart from the machine, so that every noise is offered the same ones.
    offers: Rng,
    ring: Ring,
    delta0: f64,
    budget: Budget,
    figures: NightFigures,
    /// Where one-run-vs-best started, and its best number, on the decision scale.
    first: f64,
    best: f64,
}

impl<'p> Session<'p> {
    fn new(plan: &'p Night, number: u32) -> Self {
        let seed = seed_of(plan.seed, u64::from(number));
        let mut machine = Machine::new(&plan.noise, seed);
        let a_a = calibrate(&mut machine);
        let first = machine.pair().baseline;
        let first = machine.shown(first, 0.0);
        Self {
            plan,
            offers: Rng::new(seed_of(seed, 1)),
            ring: Ring::new(a_a.iter().copied(), a_a.iter().all(|d| *d == 0.0).then_some(first)),
            delta0: delta0(plan.rule.min_effect, SlotBias::of(&a_a)),
            budget: Budget::new(plan.share, epoch_size(None, Some(plan.candidates), None)),
            figures: NightFigures::default(),
            first,
            best: first,
            machine,
        }
    }

    fn run(mut self) -> NightFigures {
        self.figures.one_run.runs = 1.0;
        for _ in 0..self.plan.candidates {
            let effect = self.offer();
            self.figures.offered += effect.max(0.0);
            self.try_candidate(effect);
        }
        self.figures.rule.reported = self.validate();
        self.figures.one_run.reported = self.first - self.best;
        self.figures
    }

    fn offer(&mut self) -> f64 {
        let size = self.plan.unit * (2.0 + 4.0 * self.offers.uniform());
        match (self.plan.mix, self.offers.uniform()) {
            (Mix::Usual, kind) if kind < 0.1 => size,
            (Mix::Usual, kind) if kind < 0.3 => -size,
            (Mix::Usual | Mix::Null, _) => 0.0,
        }
    }

    /// Races a candidate to its verdict; the noise of its first run is what one-run-vs-best sees.
    fn try_candidate(&mut self, effect: f64) {
        let gain = self.figures.rule.gain;
        let scale = self.ring.scale().unwrap_or(crate::stats::PairScale { s: 0.0, threshold: 0.0 });
        let rule = RaceRule { alpha: self.budget.alpha(), delta0: self.delta0, ..self.plan.rule };
        let mut race = Race::new(rule, scale);
        let mut pairs = Vec::new();
        let call = loop {
            let Draw { baseline, candidate } = self.machine.pair();
            if pairs.is_empty() {
                self.look_once(candidate, effect);
            }
            pairs.push((self.machine.shown(baseline, gain), self.machine.shown(candidate, gain + effect)));
            let (baseline, candidate) = pairs[pairs.len() - 1];
            let call = race.push(baseline, candidate);
            if call != Call::Undecided {
                break call;
            }
        };
        self.settle(call == Call::Keep, effect, &pairs);
    }

    fn look_once(&mut self, noise: f64, effect: f64) {
        let shown = self.machine.shown(noise, self.figures.one_run.gain + effect);
        self.figures.one_run.runs += 1.0;
        if shown < self.best {
            self.best = shown;
            self.figures.one_run.keep(effect);
        }
    }

    fn settle(&mut self, kept: bool, effect: f64, pairs: &[(f64, f64)]) {
        self.figures.rule.runs += 2.0 * pairs.len() as f64;
        self.ring.record(pairs);
        self.budget.spend(kept);
        if kept {
            self.ring.keep();
            self.figures.rule.keep(effect);
        }
    }

    fn validate(&mut self) -> f64 {
        let gain = self.figures.rule.gain;
        if self.figures.rule.keeps == 0.0 {
            return 0.0;
        }
        let mut pair = || {
            let draw = self.machine.pair();
            (self.machine.shown(draw.baseline, 0.0), self.machine.shown(draw.candidate, gain))
        };
        let pairs: Vec<_> = (0..VALIDATION_PAIRS).map(|_| pair()).collect();
        validation_interval(&differences(&pairs)).map_or(0.0, |interval| interval.mu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::usual_rule;

    fn night(noise: Noise, mix: Mix, sessions: u32) -> Night {
        Night { noise, rule: usual_rule(0.0), share: 0.1, mix, unit: 0.01, candidates: 20, sessions, seed: 4 }
    }

    #[test]
    fn the_figures_do_not_depend_on_the_number_of_threads() {
        let plans = [night(Noise::Heavy, Mix::Usual, 12), night(Noise::Iid(0.01), Mix::Null, 5)];
        assert_eq!(nights_on(1, &plans), nights_on(3, &plans));
    }

    #[test]
    fn of_an_exact_metric_both_ways_keep_every_winner_and_nothing_else() {
        let found = nights(&[night(Noise::Exact, Mix::Usual, 60)])[0];
        for ledger in [found.rule, found.one_run] {
            assert!(ledger.false_keeps == 0.0 && (ledger.gain - found.offered).abs() < 1e-12, "{found:?}");
            assert!((ledger.reported - ledger.gain).abs() < 1e-12, "{found:?}");
        }
        assert!((found.one_run.runs - 21.0).abs() < 1e-12 && found.rule.runs > 40.0, "{found:?}");
        assert!((found.offered / 20.0 - 0.004).abs() < 0.001, "one in ten, 4 % each: {found:?}");
    }

    #[test]
    fn on_a_noisy_machine_one_run_keeps_what_is_false_and_the_rule_does_not() {
        let found = nights(&[night(Noise::Iid(0.03), Mix::Null, 100)])[0];
        assert!(found.rule.false_keeps < 0.1 && found.one_run.false_keeps > 1.0, "{found:?}");
        assert!(found.one_run.reported > 0.02 && found.one_run.gain == 0.0, "{found:?}");
    }
}
