//! The noise rings of a session: one for each judged metric, fed by the pairs that every experiment measures anyway.

use std::collections::BTreeMap;

use crate::domain::{
    Calibrated, Event, ExperimentId, MetricName, MetricTerms, Objective, Pair, Scale, Settings, Status,
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

/// All rings of a session; a fold over calibrations, pairs and settling lines.
#[derive(Debug, Clone)]
pub(super) struct Rings {
    settings: Settings,
    roles: Roles,
    metrics: BTreeMap<MetricName, MetricRings>,
    /// Facts of experiments whose settling line has not come yet, while a journal is read.
    open: BTreeMap<ExperimentId, ExperimentFacts>,
}

impl Rings {
    /// Starts without any noise known.
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), roles: Roles::default(), metrics: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// Says whether an event type matters to this fold.
    pub(super) fn wants(kind: &str) -> bool {
        matches!(kind, "config" | "calibrated" | "pair" | "decided" | "run" | "undone")
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
            (Event::Configured(_), _) => self.open.values_mut().for_each(|facts| facts.apply(event)),
            (event, Some(id)) if id != ExperimentId::BASELINE => {
                self.open.entry(id).or_insert_with(|| ExperimentFacts::new(id)).apply(event);
            }
            _ => {}
        }
    }

    /// Starts anew from a calibration.
    pub(super) fn calibrate(&mut self, calibrated: &Calibrated) {
        self.roles = Roles::of_calibration(&self.settings, calibrated);
        self.metrics = calibrated
            .metrics
            .iter()
            .map(|metric| {
                let absolute = (!metric.ring_abs.is_empty()).then(|| Ring::new(metric.ring_abs.iter().copied(), None));
                let bias = Some(SlotBias { mu: metric.bias, se: metric.bias_se });
                let baseline = self.on_scale(&metric.metric, metric.median);
                let ring = Ring::new(metric.ring.iter().copied(), baseline.filter(|_| metric.s == 0.0));
                (metric.metric.clone(), MetricRings { ring, absolute, bias })
            })
            .collect();
    }

    /// Keeps only the newest values of each ring, after the baseline became a commit that no candidate was.
    pub(super) fn restart(&mut self) {
        for rings in self.metrics.values_mut() {
            rings.ring.restart();
            rings.absolute.iter_mut().for_each(Ring::restart);
        }
    }

    /// Returns the calibrated scale of the primary's pairs, or `None` before any calibration.
    pub(super) fn primary_scale(&self) -> Option<PairScale> {
        self.metrics.get(&self.settings.primary.name)?.ring.scale()
    }

    /// Adds what a settled experiment's pairs say about noise; after a keep only the newest values stay.
    pub(super) fn settle(&mut self, facts: &ExperimentFacts, kept: bool) {
        let pairs = facts.own_pairs();
        let names: Vec<MetricName> = self.metrics.keys().cloned().collect();
        for name in names {
            let (direction, scale) = self.roles.lens(&self.settings, &name);
            let on_scale = values(&pairs, &name, |v| scale.y(v, direction));
            let plain = values(&pairs, &name, |v| Scale::Linear.y(v, direction));
            let Some(rings) = self.metrics.get_mut(&name) else { continue };
            rings.ring.record(&on_scale);
            if let Some(absolute) = &mut rings.absolute {
                absolute.record(&plain);
            }
            if kept {
                rings.ring.keep();
                rings.absolute.iter_mut().for_each(Ring::keep);
            }
        }
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
        let mut members = numbers.flat_map(|number| self.roles.members(number).map(move |metric| (number, metric)));
        members.all(|(number, metric)| carried.of(number, metric).is_some())
    }

    /// Returns the metric of the primary, or the first of its suite.
    pub(super) fn first_metric(&self) -> &MetricName {
        self.roles.members(0).next().unwrap_or(&self.settings.primary.name)
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
            sentinels: self.sentinel_plans(),
        })
    }

    fn goal(&self, objective: &Objective, number: u32) -> Option<GoalPlan> {
        let min_effect = objective.scale.setting(objective.min_effect);
        let member = |metric: &MetricName| {
            let rings = self.metrics.get(metric)?;
            let delta0 = stats::delta0(min_effect, rings.bias);
            Some(Member { metric: metric.clone(), scale: rings.ring.scale()?, delta0 })
        };
        let members = self.roles.members(number).map(member).collect::<Option<Vec<_>>>()?;
        (!members.is_empty()).then(|| GoalPlan { objective: objective.clone(), members })
    }

    fn sentinel_plans(&self) -> Vec<SentinelPlan> {
        let judged = self.metrics.iter().filter_map(|(name, rings)| {
            let sentinel = self.roles.sentinel(name)?;
            let s = rings.ring.scale().map_or(0.0, |scale| scale.s);
            let s_abs = rings.absolute.as_ref().and_then(Ring::scale).map_or(0.0, |scale| scale.s);
            Some(SentinelPlan::new(name.clone(), sentinel, s, s_abs))
        });
        judged.collect()
    }

    /// Returns the role of each judged metric.
    pub(super) fn roles(&self) -> &Roles {
        &self.roles
    }

    fn on_scale(&self, metric: &MetricName, value: f64) -> Option<f64> {
        let (direction, scale) = self.roles.lens(&self.settings, metric);
        scale.y(value, direction)
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
