//! Simulation of sentinels: how often a harmless patch is blocked, and how often a harmful one is.

use super::noise::{Machine, Noise};
use super::parallel;
use super::published::MIN_EFFECT;
use super::races::{calibrate, scale_of};
use super::random::seed_of;
use crate::domain::{
    Direction, MetricName, MetricNameError, Objective, Order, Pair, Patience, Reading, Reduce, Scale, SentinelState,
};
use crate::stats::{GoalPlan, Judge, JudgeError, Plan, SentinelPlan, Step, ToleranceTest, family};

/// Races that one thread does at a time.
const PART: u32 = 50;

/// Noise of the primary, whose win is clear, so that every race comes to the sentinels.
const PRIMARY_NOISE: Noise = Noise::Iid(0.01);

/// True effect of the candidate on the primary, in ln units.
const WIN: f64 = 0.2;

/// Largest tolerated regression of each sentinel.
const TOLERANCE: f64 = 0.05;

/// Says why a simulated patch could not be judged; a fault of the simulation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WatchError {
    /// A made-up name is none.
    #[error("the simulation made up a bad name: {0}")]
    Name(#[from] MetricNameError),
    /// A made-up pair was refused.
    #[error("the simulation made up a bad pair: {0}")]
    Judge(#[from] JudgeError),
}

/// Patches that win clearly, watched by sentinels.
#[derive(Debug, Clone, PartialEq)]
pub struct Watching {
    /// The noise of every sentinel, each on its own: the worst case for false alarms.
    pub noise: Noise,
    /// Sentinels.
    pub sentinels: usize,
    /// True regression of the first sentinel in ln units, above 0 worse; the others do not change.
    pub harm: f64,
    /// The candidate's error budget.
    pub alpha: f64,
    /// Simulated races.
    pub races: u32,
    /// Seed that the seeds of the races follow from.
    pub seed: u64,
}

/// What sentinels did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watched {
    /// Share of the patches that they blocked.
    pub blocked: f64,
    /// Share that they let pass with a flag, because one stayed unresolved at pair 20.
    pub unresolved: f64,
    /// Mean number of pairs.
    pub pairs: f64,
    /// Share in which the calibration had named the first sentinel as one that cannot be guarded.
    pub named: f64,
    /// Share that they let pass, flagged or not, though the calibration had not named the first sentinel.
    pub unwarned: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    blocked: u32,
    unresolved: u32,
    pairs: u64,
    named: u32,
    unwarned: u32,
}

/// What came of one patch.
#[derive(Debug, Clone)]
struct Judged {
    states: Vec<SentinelState>,
    pairs: u32,
    named: bool,
}

impl Count {
    fn take(&mut self, judged: &Judged) {
        let blocked = judged.states.iter().any(|state| state.blocks());
        self.pairs += u64::from(judged.pairs);
        self.blocked += u32::from(blocked);
        self.unresolved += u32::from(!blocked && judged.states.contains(&SentinelState::Unresolved));
        self.named += u32::from(judged.named);
        self.unwarned += u32::from(!blocked && !judged.named);
    }

    fn add(&mut self, other: Self) {
        self.blocked += other.blocked;
        self.unresolved += other.unresolved;
        self.pairs += other.pairs;
        self.named += other.named;
        self.unwarned += other.unwarned;
    }
}

/// Judges patches by the program's own [`Judge`] until a verdict; sentinels are calibrated with ten A/A pairs each.
pub fn watches(plans: &[Watching]) -> Result<Vec<Watched>, WatchError> {
    let parts: Vec<(usize, u32)> =
        plans.iter().enumerate().flat_map(|(i, p)| (0..p.races.div_ceil(PART)).map(move |part| (i, part))).collect();
    let counts = parallel::map(parallel::threads(), parts.len(), |number| {
        let (plan, part) = parts[number];
        count(&plans[plan], part)
    });
    let mut totals = vec![Count::default(); plans.len()];
    for ((plan, _), found) in parts.iter().zip(counts) {
        totals[*plan].add(found?);
    }
    Ok(plans.iter().zip(totals).map(|(plan, total)| plan.share(total)).collect())
}

impl Watching {
    fn share(&self, count: Count) -> Watched {
        let races = f64::from(self.races.max(1));
        let share = |races_of_it: u32| f64::from(races_of_it) / races;
        Watched {
            blocked: share(count.blocked),
            unresolved: share(count.unresolved),
            pairs: count.pairs as f64 / races,
            named: share(count.named),
            unwarned: share(count.unwarned),
        }
    }
}

fn count(plan: &Watching, part: u32) -> Result<Count, WatchError> {
    let names = Names::new(plan.sentinels)?;
    let mut count = Count::default();
    for race in part * PART..plan.races.min((part + 1) * PART) {
        count.take(&Bench::new(plan, &names, seed_of(plan.seed, u64::from(race))).judge()?);
    }
    Ok(count)
}

struct Names {
    primary: MetricName,
    sentinels: Vec<MetricName>,
}

impl Names {
    fn new(sentinels: usize) -> Result<Self, MetricNameError> {
        let sentinels = (1..=sentinels).map(|number| MetricName::new(&format!("sentinel.{number}")));
        Ok(Self { primary: MetricName::new("primary")?, sentinels: sentinels.collect::<Result<_, _>>()? })
    }
}

/// A machine for each metric, and the judge of one patch.
struct Bench<'p> {
    plan: &'p Watching,
    names: &'p Names,
    primary: Machine,
    sentinels: Vec<Machine>,
    judge: Judge,
    named: bool,
}

impl<'p> Bench<'p> {
    fn new(plan: &'p Watching, names: &'p Names, seed: u64) -> Self {
        let mut primary = Machine::new(&PRIMARY_NOISE, seed_of(seed, 0));
        let mut sentinels: Vec<_> =
            (1..=plan.sentinels as u64).map(|number| Machine::new(&plan.noise, seed_of(seed, number))).collect();
        let plans: Vec<SentinelPlan> =
            names.sentinels.iter().zip(&mut sentinels).map(|(name, machine)| sentinel(name, machine)).collect();
        let unguarded =
            plans.iter().flat_map(|first| &first.tests).take(1).any(|test| test.unguarded(family(&plans)).is_some());
        let judge = Judge::new(Plan {
            primaries: vec![GoalPlan::single(
                objective(&names.primary),
                scale_of(&calibrate(&mut primary)),
                MIN_EFFECT / 2.0,
            )],
            alpha: plan.alpha,
            max_pairs: 30,
            patience: Patience::Thorough,
            strict: false,
            simplify: false,
            sentinels: plans,
        });
        Self { plan, names, primary, sentinels, judge, named: unguarded }
    }

    fn judge(mut self) -> Result<Judged, JudgeError> {
        let mut pair = Pair {
            number: 0,
            order: Order::BaselineFirst,
            baseline: Reading::default(),
            candidate: Reading::default(),
        };
        loop {
            self.measure(&mut pair);
            if let Step::Done(comparison) = self.judge.push(&pair)? {
                let states = comparison.sentinels.iter().map(|outcome| outcome.state).collect();
                return Ok(Judged { states, pairs: pair.number, named: self.named });
            }
        }
    }

    fn measure(&mut self, pair: &mut Pair) {
        pair.number += 1;
        put(pair, &self.names.primary, &mut self.primary, WIN);
        for (number, (name, machine)) in self.names.sentinels.iter().zip(&mut self.sentinels).enumerate() {
            put(pair, name, machine, if number == 0 { -self.plan.harm } else { 0.0 });
        }
    }
}

/// Writes what a metric's machine shows in both arms of the next pair.
fn put(pair: &mut Pair, name: &MetricName, machine: &mut Machine, effect: f64) {
    let draw = machine.pair();
    for (reading, noise, gain) in
        [(&mut pair.baseline, draw.baseline, 0.0), (&mut pair.candidate, draw.candidate, effect)]
    {
        let value = machine.shown(noise, gain).exp();
        match reading.metrics.get_mut(name) {
            Some(known) => *known = value,
            None => {
                reading.metrics.insert(name.clone(), value);
            }
        }
    }
}

fn sentinel(name: &MetricName, machine: &mut Machine) -> SentinelPlan {
    let s = scale_of(&calibrate(machine)).s;
    let test = ToleranceTest { scale: Scale::Ratio, tolerance: TOLERANCE, s };
    let (metric, direction) = (name.clone(), Direction::Lower);
    SentinelPlan { metric, direction, tests: vec![test], max: None, min: None, exact: false }
}

fn objective(name: &MetricName) -> Objective {
    Objective {
        name: name.clone(),
        unit: String::new(),
        direction: Direction::Lower,
        scale: Scale::Ratio,
        min_effect: MIN_EFFECT,
        reduce: Reduce::Median,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watching(noise: Noise, sentinels: usize, harm: f64, races: u32) -> Watching {
        Watching { noise, sentinels, harm, alpha: 0.005, races, seed: 6 }
    }

    #[test]
    fn a_harmless_patch_passes_and_a_harmful_one_is_blocked() {
        let plans = [watching(Noise::Heavy, 4, 0.0, 200), watching(Noise::Heavy, 4, 0.1, 200)];
        let found = watches(&plans).unwrap();
        assert!(found[0].blocked <= 0.04 && found[1].blocked >= 0.95, "{found:?}");
        assert!(found[1].pairs >= 6.0, "no test fails before pair 6: {found:?}");
    }

    #[test]
    fn a_regression_that_may_go_unseen_is_named_by_the_calibration_and_a_quiet_sentinel_is_not() {
        let at = |noise, sentinels| watching(noise, sentinels, 0.1, 300);
        let found = watches(&[at(Noise::Iid(0.1), 4), at(Noise::Iid(0.1), 12), at(Noise::Iid(0.01), 12)]).unwrap();
        assert!(found[..2].iter().all(|noisy| noisy.blocked < 0.8 && noisy.named > 0.8), "{found:?}");
        assert!(found.iter().all(|watched| watched.unwarned < 0.08), "{found:?}");
        assert!(found[2].named == 0.0 && found[2].unwarned == 0.0, "{found:?}");
    }

    #[test]
    fn forty_sentinels_at_two_speeds_block_few_harmless_patches() {
        let found = watches(&[watching(Noise::Bimodal, 40, 0.0, 200)]).unwrap();
        assert!(found[0].blocked <= 0.07, "{found:?}");
    }

    #[test]
    fn sentinels_without_noise_cost_no_pair_and_see_everything() {
        let found = watches(&[watching(Noise::Exact, 3, 0.0, 20), watching(Noise::Exact, 3, 0.1, 20)]).unwrap();
        assert!(found[0].blocked == 0.0 && found[0].pairs < 6.0, "{found:?}");
        assert!((found[1].blocked - 1.0).abs() < 1e-12, "{found:?}");
    }
}
