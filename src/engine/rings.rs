//! The noise rings of a session: one for each judged metric, fed by the pairs that every experiment measures anyway.

use std::collections::BTreeMap;

use crate::domain::{
    Calibrated, Event, ExperimentId, MetricCalibration, MetricName, MetricTerms, Objective, Pair, Scale, Settings,
    Status,
};
use crate::stats::{self, GoalPlan, Judge, Member, PairScale, Plan, Ring, SentinelPlan, SlotBias};

use super::carry::Carried;
use super::experiment::ExperimentFacts;
use super::roles::Roles;

/// The scale of a metric's pairs, twice where a sentinel also has an absolute tolerance.
#[derive(Debug, Clone)]
struct MetricRings {
    ring: Ring,
    absolute: Option<Ring>,
    bias: Option<SlotBias>,
}

/// The rings of one command's metrics, with the role of each.
#[derive(Debug, Clone, Default)]
struct Watched {
    roles: Roles,
    metrics: BTreeMap<MetricName, MetricRings>,
}

impl Watched {
    /// Starts from what a calibration says of each metric.
    fn new(settings: &Settings, roles: Roles, metrics: &[MetricCalibration]) -> Self {
        let rings = |metric: &MetricCalibration| {
            let absolute = (!metric.ring_abs.is_empty()).then(|| Ring::new(metric.ring_abs.iter().copied(), None));
            let bias = Some(SlotBias { mu: metric.bias, se: metric.bias_se });
            let (direction, scale) = roles.lens(settings, &metric.metric);
            let baseline = scale.y(metric.median, direction).filter(|_| metric.s == 0.0);
            let ring = Ring::new(metric.ring.iter().copied(), baseline);
            (metric.metric.clone(), MetricRings { ring, absolute, bias })
        };
        let metrics = metrics.iter().map(rings).collect();
        Self { roles, metrics }
    }

    fn restart(&mut self) {
        for rings in self.metrics.values_mut() {
            rings.ring.restart();
            rings.absolute.iter_mut().for_each(Ring::restart);
        }
    }

    /// Adds what the pairs of a settled experiment say; after a keep only the newest values stay.
    fn settle(&mut self, settings: &Settings, pairs: &[Pair], kept: bool) {
        for (name, rings) in &mut self.metrics {
            let (direction, scale) = self.roles.lens(settings, name);
            rings.ring.record(&values(pairs, name, |v| scale.y(v, direction)));
            if let Some(absolute) = &mut rings.absolute {
                absolute.record(&values(pairs, name, |v| Scale::Linear.y(v, direction)));
            }
            if kept {
                rings.ring.keep();
                rings.absolute.iter_mut().for_each(Ring::keep);
            }
        }
    }

    /// Returns the plan of each metric that is watched as a sentinel.
    fn sentinel_plans(&self) -> Vec<SentinelPlan> {
        let judged = self.metrics.iter().filter_map(|(name, rings)| {
            let sentinel = self.roles.sentinel(name)?;
            let s = rings.ring.scale().map_or(0.0, |scale| scale.s);
            let s_abs = rings.absolute.as_ref().and_then(Ring::scale).map_or(0.0, |scale| scale.s);
            Some(SentinelPlan::new(name.clone(), sentinel, s, s_abs))
        });
        judged.collect()
    }
}

/// All rings of a session; a fold over calibrations, pairs and settling lines.
#[derive(Debug, Clone)]
pub(super) struct Rings {
    settings: Settings,
    bench: Watched,
    /// Those of the holdout, fed by its own pairs.
    holdout: Watched,
    /// Facts of experiments whose settling line has not come yet, while a journal is read.
    open: BTreeMap<ExperimentId, ExperimentFacts>,
}

impl Rings {
    /// Starts without any noise known.
    pub(super) fn new(settings: &Settings) -> Self {
        let (bench, holdout) = (Watched::default(), Watched::default());
        Self { settings: settings.clone(), bench, holdout, open: BTreeMap::new() }
    }

    /// Says whether an event type matters to this fold.
    pub(super) fn wants(kind: &str) -> bool {
        matches!(kind, "config" | "calibrated" | "pair" | "decided" | "run" | "undone" | "rebased")
    }

    /// Takes in one event while a journal is read back.
    pub(super) fn apply(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        match (event, experiment) {
            (Event::Calibrated(calibrated), _) => self.calibrate(calibrated),
            (Event::Undone(_), _) => self.restart(),
            (Event::Run(run), Some(id)) => {
                if let Some(facts) = self.open.remove(&id) {
                    let moved = facts.decided.as_ref().is_some_and(|d| d.moves_branch && d.commit.is_some());
                    self.settle(&facts, run.status == Status::Keep && moved);
                }
            }
            (Event::Configured(_) | Event::Rebased(_), _) => {
                self.open.values_mut().for_each(|facts| facts.apply(event));
            }
            (event, Some(id)) if id != ExperimentId::BASELINE => {
                self.open.entry(id).or_insert_with(|| ExperimentFacts::new(id)).apply(event);
            }
            _ => {}
        }
    }

    /// Starts anew from a calibration.
    pub(super) fn calibrate(&mut self, calibrated: &Calibrated) {
        let settings = &self.settings;
        self.bench = Watched::new(settings, Roles::of_calibration(settings, calibrated), &calibrated.metrics);
        let held = calibrated.holdout.as_ref().map_or(&[][..], |holdout| &holdout.metrics);
        let roles = Roles::of_holdout(settings, held.iter().map(|m| (&m.metric, m.role.as_str())));
        self.holdout = Watched::new(settings, roles, held);
    }

    /// Keeps only the newest values of each ring, after the baseline became a commit that no candidate was.
    pub(super) fn restart(&mut self) {
        self.bench.restart();
        self.holdout.restart();
    }

    /// Returns the calibrated scale of the primary's pairs, or `None` before any calibration.
    pub(super) fn primary_scale(&self) -> Option<PairScale> {
        self.bench.metrics.get(&self.settings.primary.name)?.ring.scale()
    }

    /// Adds what a settled experiment's pairs say about noise; after a keep only the newest values stay.
    pub(super) fn settle(&mut self, facts: &ExperimentFacts, kept: bool) {
        self.bench.settle(&self.settings, &facts.own_pairs(), kept);
        self.holdout.settle(&self.settings, &facts.holdout_pairs(), kept);
    }

    /// Returns the plan of each metric of the holdout.
    pub(super) fn holdout_plans(&self) -> Vec<SentinelPlan> {
        self.holdout.sentinel_plans()
    }

    /// Returns the judge of the next candidate, or `None` before any calibration. `simplify` says that it removes code
    /// and need only exclude a regression.
    pub(super) fn judge(&self, alpha: f64, simplify: bool) -> Option<Judge> {
        self.plan(alpha, simplify).map(Judge::new)
    }

    /// Returns the judge of an experiment that goes on: the rule that its first pairs were judged by, and as many pairs
    /// more as any candidate gets; `None` where what a metric was judged by is not on record.
    pub(super) fn judge_further(&self, carried: &Carried, simplify: bool) -> Option<Judge> {
        let before = u32::try_from(carried.pairs.len()).unwrap_or(u32::MAX);
        // On record is the budget of each primary; a plan divides that of the candidate.
        let alpha = carried.alpha * self.settings.objectives().count() as f64;
        let mut plan = self.plan(alpha, simplify)?;
        plan.max_pairs = before.saturating_add(plan.max_pairs);
        for (goal, primary) in plan.primaries.iter_mut().zip(0..) {
            for member in &mut goal.members {
                let MetricTerms { delta0, s, threshold, .. } = *carried.of(primary, &member.metric)?;
                (member.delta0, member.scale) = (delta0, PairScale { s, threshold });
            }
        }
        Some(Judge::new(plan))
    }

    /// Says whether what each metric of every primary was judged by is on record.
    pub(super) fn are_all_in(&self, carried: &Carried) -> bool {
        let numbers = self.settings.objectives().zip(0..).map(|(_, number)| number);
        let mut members = numbers.flat_map(|number| self.roles().members(number).map(move |metric| (number, metric)));
        members.all(|(number, metric)| carried.of(number, metric).is_some())
    }

    /// Returns the metric of the primary, or the first of its suite.
    pub(super) fn first_metric(&self) -> &MetricName {
        self.roles().members(0).next().unwrap_or(&self.settings.primary.name)
    }

    fn plan(&self, alpha: f64, simplify: bool) -> Option<Plan> {
        let decision = &self.settings.decision;
        let goals = self.settings.objectives().zip(0..).map(|(objective, number)| self.goal(objective, number));
        Some(Plan {
            primaries: goals.collect::<Option<_>>()?,
            alpha,
            max_pairs: decision.max_pairs,
            patience: decision.patience,
            strict: decision.strict,
            simplify,
            sentinels: self.bench.sentinel_plans(),
        })
    }

    fn goal(&self, objective: &Objective, number: u32) -> Option<GoalPlan> {
        let min_effect = objective.scale.setting(objective.min_effect);
        let member = |metric: &MetricName| {
            let rings = self.bench.metrics.get(metric)?;
            let delta0 = stats::delta0(min_effect, rings.bias);
            Some(Member { metric: metric.clone(), scale: rings.ring.scale()?, delta0 })
        };
        let members = self.bench.roles.members(number).map(member).collect::<Option<Vec<_>>>()?;
        (!members.is_empty()).then(|| GoalPlan { objective: objective.clone(), members })
    }

    /// Returns the role of each judged metric.
    pub(super) fn roles(&self) -> &Roles {
        &self.bench.roles
    }
}

/// Returns both arms' values of a metric on a scale, pair by pair.
fn values(pairs: &[Pair], metric: &MetricName, y: impl Fn(f64) -> Option<f64>) -> Vec<(f64, f64)> {
    let both = |pair: &Pair| {
        let (baseline, candidate) = pair.values(metric)?;
        Some((y(baseline)?, y(candidate)?))
    };
    pairs.iter().filter_map(both).collect()
}
