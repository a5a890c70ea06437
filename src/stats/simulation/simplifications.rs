//! Simulation of simplifications: how often one that costs nothing is kept, and one that does cost something.

use super::noise::{Machine, Noise};
use super::races::{calibrate, scale_of};
use super::random::seed_of;
use super::{Frequency, WatchError, parallel};
use crate::domain::{Direction, MetricName, Objective, Order, Pair, Patience, Reading, Reduce, Scale, Verdict};
use crate::stats::{GoalPlan, Judge, JudgeError, PairScale, Plan, RaceRule, Step};

/// Races that one thread does at a time.
const PART: u32 = 250;

/// Candidates that make the code simpler, judged one after another, each on its own machine after ten A/A pairs there.
#[derive(Debug, Clone, PartialEq)]
pub struct Simplification {
    /// The machine.
    pub noise: Noise,
    /// True effect on the decision scale, below 0 worse.
    pub effect: f64,
    /// The rule of each race.
    pub rule: RaceRule,
    /// Simulated races.
    pub races: u32,
    /// Seed that the seeds of the races follow from.
    pub seed: u64,
}

/// Judges simplifications by the program's own [`Judge`]; kept is what is not worse, or better.
pub fn simplified(plans: &[Simplification]) -> Result<Vec<Frequency>, WatchError> {
    let metric = MetricName::new("primary")?;
    let parts: Vec<(usize, u32)> =
        plans.iter().enumerate().flat_map(|(i, p)| (0..p.races.div_ceil(PART)).map(move |part| (i, part))).collect();
    let counts = parallel::map(parallel::threads(), parts.len(), |number| {
        let (plan, part) = parts[number];
        plans[plan].count(&metric, part)
    });
    let mut totals = vec![(0, 0); plans.len()];
    for ((plan, _), found) in parts.iter().zip(counts) {
        let (keeps, runs) = found?;
        totals[*plan].0 += keeps;
        totals[*plan].1 += runs;
    }
    Ok(plans.iter().zip(totals).map(|(plan, (keeps, runs))| plan.frequency(keeps, runs)).collect())
}

impl Simplification {
    fn frequency(&self, keeps: u32, runs: u64) -> Frequency {
        let races = f64::from(self.races.max(1));
        Frequency { keeps: f64::from(keeps) / races, runs: runs as f64 / races }
    }

    /// Does one part of the races; returns how many ended in a keep, and all benchmark runs.
    fn count(&self, metric: &MetricName, part: u32) -> Result<(u32, u64), JudgeError> {
        let (mut keeps, mut runs) = (0, 0);
        for number in part * PART..self.races.min((part + 1) * PART) {
            let (kept, pairs) = self.judge_once(metric, seed_of(self.seed, u64::from(number)))?;
            keeps += u32::from(kept);
            runs += 2 * u64::from(pairs);
        }
        Ok((keeps, runs))
    }

    fn judge_once(&self, metric: &MetricName, seed: u64) -> Result<(bool, u32), JudgeError> {
        let mut machine = Machine::new(&self.noise, seed);
        let mut judge = Judge::new(self.plan(metric, scale_of(&calibrate(&mut machine))));
        for number in 1.. {
            let (baseline, candidate) = machine.contest(self.effect);
            if let Step::Done(comparison) = judge.push(&pair(number, metric, baseline, candidate))? {
                return Ok((matches!(comparison.verdict, Verdict::NotWorse | Verdict::Improved), number));
            }
        }
        Ok((false, self.rule.max_pairs))
    }

    fn plan(&self, metric: &MetricName, scale: PairScale) -> Plan {
        let RaceRule { alpha, min_effect, delta0, max_pairs, patience, strict } = self.rule;
        // The machine's values are on the decision scale, which the linear scale leaves as it is.
        let objective = Objective {
            name: metric.clone(),
            unit: String::new(),
            direction: Direction::Lower,
            scale: Scale::Linear,
            min_effect,
            reduce: Reduce::Median,
        };
        Plan {
            primaries: vec![GoalPlan::single(objective, scale, delta0)],
            alpha,
            max_pairs,
            patience: nearest(patience),
            strict,
            simplify: true,
            sentinels: Vec::new(),
        }
    }
}

/// Returns the setting behind a race's patience `z`.
fn nearest(z: f64) -> Patience {
    let distance = |patience: &Patience| (patience.z() - z).abs();
    let all = [Patience::Thorough, Patience::Normal, Patience::Thrifty];
    all.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or_default()
}

fn pair(number: u32, metric: &MetricName, baseline: f64, candidate: f64) -> Pair {
    let reading = |value| Reading { metrics: [(metric.clone(), value)].into(), invariants: Vec::new() };
    Pair { number, order: Order::BaselineFirst, baseline: reading(baseline), candidate: reading(candidate) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::usual_rule;

    fn plan(noise: Noise, effect: f64, races: u32) -> Simplification {
        Simplification { noise, effect, rule: usual_rule(0.005), races, seed: 4 }
    }

    #[test]
    fn a_simplification_is_kept_when_it_costs_nothing_and_not_when_it_costs_the_minimum_effect() {
        let quiet = Noise::Iid(0.003);
        let found = simplified(&[plan(quiet.clone(), 0.0, 300), plan(quiet, -0.01, 1000)]).unwrap();
        assert!(found[0].keeps >= 0.97 && found[0].runs < 30.0, "{found:?}");
        assert!(found[1].keeps <= 0.01, "{found:?}");
    }

    #[test]
    fn an_exact_metric_decides_at_once() {
        let found = simplified(&[plan(Noise::Exact, 0.0, 5), plan(Noise::Exact, -0.01, 5)]).unwrap();
        assert!((found[0].keeps - 1.0).abs() < 1e-12 && (found[0].runs - 6.0).abs() < 1e-12, "{found:?}");
        assert!(found[1].keeps == 0.0 && (found[1].runs - 2.0).abs() < 1e-12, "{found:?}");
    }
}
