//! The contest of one primary: the races of its metrics, and the watch over it while another primary wins.

use crate::domain::{Effect, MetricName, Objective, Pair, Verdict};

use super::guard::Guard;
use super::sentinel::{Sample, Watch};
use super::values::y_pair;
use super::{Call, PairScale, Race, RaceRule, SentinelPlan, ToleranceTest, ValueError};

/// One primary as the race needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct GoalPlan {
    /// What to improve.
    pub objective: Objective,
    /// The metrics that it is judged by: itself, or for `worst(...)` every metric of the suite, which must all win.
    pub members: Vec<Member>,
}

/// One metric that a primary is judged by, as the calibration left it when the candidate started.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The metric.
    pub metric: MetricName,
    /// Its ring's scale.
    pub scale: PairScale,
    /// Effect that the evidence must exceed, on the decision scale ([`delta0`](super::delta0)).
    pub delta0: f64,
}

impl GoalPlan {
    /// Plans a primary that is one metric.
    pub fn single(objective: Objective, scale: PairScale, delta0: f64) -> Self {
        let members = vec![Member { metric: objective.name.clone(), scale, delta0 }];
        Self { objective, members }
    }

    /// Returns the minimum effect on the decision scale.
    pub fn min_effect(&self) -> f64 {
        self.objective.scale.setting(self.objective.min_effect)
    }
}

/// What all contests of a candidate share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Terms {
    /// Error budget of the candidate.
    pub(super) alpha: f64,
    /// Primaries among which it is divided.
    pub(super) primaries: u32,
    pub(super) max_pairs: u32,
    pub(super) patience: f64,
    pub(super) strict: bool,
    /// Whether excluding a regression is enough.
    pub(super) simplify: bool,
}

impl Terms {
    /// Error budget of one primary's win: `alpha / K` (statistics section 3).
    fn share(&self) -> f64 {
        self.alpha / f64::from(self.primaries)
    }

    fn rule(&self, min_effect: f64, delta0: f64, alpha: f64) -> RaceRule {
        let Self { max_pairs, patience, strict, .. } = *self;
        RaceRule { alpha, min_effect, delta0, max_pairs, patience, strict }
    }

    /// The rule under which the claim is only that the effect is above `-m`: `E` over `x = d + m`, and futility about
    /// `-m` (statistics section 3 with `delta0 = -m`). A slot bias that is shown counts against it as usual.
    fn tolerance_rule(&self, min_effect: f64, delta0: f64) -> RaceRule {
        let bias = if delta0 > min_effect / 2.0 { delta0 } else { 0.0 };
        self.rule((-min_effect).next_up(), bias - min_effect, self.alpha)
    }
}

/// One metric of a contest.
#[derive(Debug, Clone, PartialEq)]
struct Entrant {
    member: Member,
    race: Race,
    /// The race against a regression, for a simplification.
    tolerance: Option<Race>,
    watch: Watch,
}

/// One primary during a race.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contest {
    objective: Objective,
    min_effect: f64,
    terms: Terms,
    entrants: Vec<Entrant>,
}

impl Contest {
    pub(super) fn new(plan: &GoalPlan, terms: Terms) -> Self {
        let min_effect = plan.min_effect();
        let entrant = |member: &Member| Entrant {
            race: Race::new(terms.rule(min_effect, member.delta0, terms.share()), member.scale),
            tolerance: terms.simplify.then(|| Race::new(terms.tolerance_rule(min_effect, member.delta0), member.scale)),
            watch: Watch::new(watch_plan(&plan.objective, member)),
            member: member.clone(),
        };
        let entrants = plan.members.iter().map(entrant).collect();
        Self { objective: plan.objective.clone(), min_effect, terms, entrants }
    }

    pub(super) fn metric(&self) -> &MetricName {
        &self.objective.name
    }

    /// Returns the number of metrics that it is judged by.
    pub(super) fn size(&self) -> u32 {
        u32::try_from(self.entrants.len()).unwrap_or(u32::MAX)
    }

    /// Reads a pair's values of every metric on the decision scale, without taking them.
    pub(super) fn values(&self, pair: &Pair) -> Result<Vec<(f64, f64)>, ValueError> {
        let Objective { scale, direction, .. } = self.objective;
        self.entrants.iter().map(|entrant| y_pair(pair, &entrant.member.metric, scale, direction)).collect()
    }

    /// Takes the values of one pair.
    pub(super) fn push(&mut self, values: Vec<(f64, f64)>) {
        for (entrant, (baseline, candidate)) in self.entrants.iter_mut().zip(values) {
            entrant.race.push(baseline, candidate);
            if let Some(race) = &mut entrant.tolerance {
                race.push(baseline, candidate);
            }
            entrant.watch.push(Sample { baseline, candidate, d: vec![baseline - candidate] });
        }
    }

    /// Says where the win stands: every metric must win, and one that cannot ends it.
    pub(super) fn call(&self) -> Call {
        self.joined(self.entrants.iter().map(|entrant| entrant.race.standing().call))
    }

    /// Says whether a regression by the minimum effect is excluded for every metric.
    pub(super) fn tolerated(&self) -> Call {
        let calls = self.entrants.iter().filter_map(|entrant| entrant.tolerance.as_ref());
        self.joined(calls.map(|race| race.standing().call))
    }

    fn joined(&self, calls: impl Iterator<Item = Call>) -> Call {
        let calls: Vec<Call> = calls.collect();
        if calls.contains(&Call::Discard) {
            Call::Discard
        } else if calls.iter().all(|call| *call == Call::Keep) {
            Call::Keep
        } else if self.race().standing().pairs >= self.terms.max_pairs {
            Call::Inconclusive
        } else {
            Call::Undecided
        }
    }

    /// Returns the race that is told: that of the metric which gained least.
    pub(super) fn race(&self) -> &Race {
        &self.told().race
    }

    fn told(&self) -> &Entrant {
        let mu = |entrant: &&Entrant| entrant.race.standing().mu;
        let least = self.entrants.iter().min_by(|a, b| mu(a).total_cmp(&mu(b)));
        least.unwrap_or_else(|| unreachable!("a primary is judged by one metric at least"))
    }

    /// Returns the effect so far; `None` before the first pair.
    pub(super) fn effect(&self) -> Option<Effect> {
        let Entrant { member, race, .. } = self.told();
        let (report, standing) = (race.report()?, race.standing());
        Some(Effect {
            mu: report.mu,
            se: report.se,
            gain: report.gain,
            low: report.low,
            high: report.high,
            pairs: standing.pairs,
            ln_e: standing.ln_e,
            alpha: self.terms.share(),
            scale: self.objective.scale,
            delta0: member.delta0,
            min_effect: self.min_effect,
            s: standing.s,
            threshold: member.scale.threshold,
        })
    }

    /// Says what the primary says by itself; a futile race is a regression when its interval is below 0.
    pub(super) fn verdict(&self) -> Verdict {
        match self.call() {
            Call::Keep => Verdict::Improved,
            Call::Discard if self.effect().is_some_and(|effect| effect.high < 0.0) => Verdict::Regressed,
            Call::Discard => Verdict::NoEffect,
            Call::Inconclusive | Call::Undecided => Verdict::Inconclusive,
        }
    }

    /// Returns what watches each of its metrics while it does not win.
    pub(super) fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.entrants.iter().map(|entrant| &entrant.watch)
    }

    /// Looks at each of its metrics as at a sentinel whose tolerance is the minimum effect.
    pub(super) fn look(&mut self, guard: Guard) -> Vec<Option<crate::domain::SentinelState>> {
        self.entrants.iter_mut().map(|entrant| entrant.watch.look(guard)).collect()
    }
}

fn watch_plan(objective: &Objective, member: &Member) -> SentinelPlan {
    let test = ToleranceTest { scale: objective.scale, tolerance: objective.min_effect, s: member.scale.s };
    SentinelPlan {
        metric: member.metric.clone(),
        direction: objective.direction,
        tests: vec![test],
        max: None,
        min: None,
        exact: false,
    }
}
