//! The judge of one candidate: the contests of its primaries and the looks at its sentinels, over whole pairs.

use crate::domain::{
    CoPrimary, Comparison, Effect, MetricTerms, Pair, Patience, SentinelOutcome, SentinelState, Verdict,
};

use super::contest::{Contest, Member, Terms};
use super::guard::{CAP, ERROR, Guard};
use super::sentinel::{Sample, Watch};
use super::values::{plain, y_pair};
use super::{Call, GoalPlan, Race, SentinelPlan, ValueError, family};

/// Pairs between two looks at the sentinels.
pub(super) const LOOK_EVERY: u32 = 2;

/// Says why a pair was not taken. The judge is unchanged then.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum JudgeError {
    /// The pair has no value that can be compared.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A pair came out of turn.
    #[error("pair {got} came where pair {expected} is due; push complete pairs in the order of their numbers")]
    OutOfTurn {
        /// The number that is due.
        expected: u32,
        /// The number that came.
        got: u32,
    },
    /// The verdict stands already.
    #[error("pair {pair} came after the verdict; start a new judge with a larger maxPairs to resume the race")]
    Finished {
        /// The number that came.
        pair: u32,
    },
}

/// What a candidate is judged by; fixed before its first pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The metrics to improve, the first one first; at least one. The error budget is divided among them.
    pub primaries: Vec<GoalPlan>,
    /// The candidate's error budget.
    pub alpha: f64,
    /// Pairs after which the race ends anyhow.
    pub max_pairs: u32,
    /// How soon a hopeless race ends.
    pub patience: Patience,
    /// Whether the jump bet is left out.
    pub strict: bool,
    /// Whether the candidate makes the code simpler, so that it need only exclude a regression.
    pub simplify: bool,
    /// The sentinels, globs expanded; their tests share the error probability.
    pub sentinels: Vec<SentinelPlan>,
}

impl Plan {
    /// Says what each metric is judged by, where they are several.
    fn several_terms(&self) -> Vec<MetricTerms> {
        let of_goal = |(goal, primary): (&'_ GoalPlan, u32)| {
            let of_member = |member: &Member| MetricTerms {
                metric: member.metric.clone(),
                primary,
                delta0: member.delta0,
                s: member.scale.s,
                threshold: member.scale.threshold,
            };
            goal.members.iter().map(of_member).collect::<Vec<_>>()
        };
        let all: Vec<MetricTerms> = self.primaries.iter().zip(0..).flat_map(of_goal).collect();
        if all.len() > 1 { all } else { Vec::new() }
    }

    fn terms(&self) -> Terms {
        Terms {
            alpha: self.alpha,
            primaries: u32::try_from(self.primaries.len()).unwrap_or(u32::MAX).max(1),
            max_pairs: self.max_pairs,
            patience: self.patience.z(),
            strict: self.strict,
            simplify: self.simplify,
        }
    }
}

/// What comes after a pair.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Another pair.
    Continue,
    /// Nothing more: the verdict stands.
    Done(Box<Comparison>),
}

/// The running estimate of the primary's effect, on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Shrunk estimate.
    pub gain: f64,
    /// Lower limit of its interval.
    pub low: f64,
    /// Upper limit of it.
    pub high: f64,
    /// Natural logarithm of the evidence, where there is any.
    pub ln_e: Option<f64>,
}

/// What the pairs have shown once the sentinels are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// A primary won.
    Win,
    /// A regression by the minimum effect is excluded on every primary of a simplification.
    NotWorse,
}

/// The looks at the sentinels, from the pair that brought the claim.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Looks {
    claim: Claim,
    guard: Guard,
    next: u32,
}

/// Judges one candidate pair by pair.
///
/// An exact sentinel that differs ends the race at once. The other sentinels are looked at when a primary's evidence
/// is latched, then after each two further pairs until each has passed, one has failed, or pair 20 is reached. Primaries
/// that did not win are looked at as sentinels whose tolerance is their minimum effect, and count in `K`; the race is
/// futile only when every primary is (statistics section 3). `worst(...)` wins when every metric of its suite has the
/// evidence: whichever of them does not gain, its own evidence bounds the error, so `alpha` is not divided among them.
///
/// A simplification that no primary's win decides is kept when a race at `delta0 = -m` (`x = d + m`) brings evidence of
/// `1 / alpha` on every primary, and each sentinel passes with error probability `alpha` in place of .05. A false keep
/// needs that evidence on the very primary that regressed, so `alpha` is not divided here; and since `E` falls as
/// `delta0` rises, a win by the usual rule is no second chance.
///
/// Pushing the same pairs again gives the same verdict, so a recorded race is resumed by pushing its pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    plan: Plan,
    contests: Vec<Contest>,
    watches: Vec<Watch>,
    looks: Option<Looks>,
    finished: bool,
}

impl Judge {
    /// Starts with no pairs.
    pub fn new(plan: Plan) -> Self {
        let terms = plan.terms();
        let contests = plan.primaries.iter().map(|goal| Contest::new(goal, terms)).collect();
        let watches = plan.sentinels.iter().cloned().map(Watch::new).collect();
        Self { plan, contests, watches, looks: None, finished: false }
    }

    /// Takes the next complete pair, whose numbers run from 1 without a gap.
    pub fn push(&mut self, pair: &Pair) -> Result<Step, JudgeError> {
        self.check_turn(pair)?;
        let values =
            self.contests.iter().map(|contest| contest.values(pair)).collect::<Result<Vec<_>, ValueError>>()?;
        let samples =
            self.watches.iter().map(|watch| sample(pair, watch.plan())).collect::<Result<Vec<_>, ValueError>>()?;
        self.contests.iter_mut().zip(values).for_each(|(contest, values)| contest.push(values));
        self.watches.iter_mut().zip(samples).for_each(|(watch, sample)| watch.push(sample));
        Ok(self.step())
    }

    /// Returns the number of pairs taken.
    pub fn pairs(&self) -> u32 {
        self.race().standing().pairs
    }

    /// Returns the first primary's race.
    pub fn race(&self) -> &Race {
        self.first().race()
    }

    fn first(&self) -> &Contest {
        self.contests.first().unwrap_or_else(|| unreachable!("a plan has one primary at least"))
    }

    /// Returns the running estimate of the first primary; `None` before the first pair.
    pub fn estimate(&self) -> Option<Estimate> {
        let report = self.race().report()?;
        Some(Estimate { gain: report.gain, low: report.low, high: report.high, ln_e: self.race().standing().ln_e })
    }

    /// Returns the first primary's effect so far; `None` before the first pair.
    pub fn effect(&self) -> Option<Effect> {
        self.first().effect()
    }

    fn check_turn(&self, pair: &Pair) -> Result<(), JudgeError> {
        let expected = self.pairs() + 1;
        if self.finished {
            return Err(JudgeError::Finished { pair: pair.number });
        }
        if pair.number != expected {
            return Err(JudgeError::OutOfTurn { expected, got: pair.number });
        }
        Ok(())
    }

    fn step(&mut self) -> Step {
        if self.watches.iter().any(Watch::differs) {
            return self.done(self.differing());
        }
        if self.looks.is_none() {
            match self.standing() {
                Standing::Open => return Step::Continue,
                Standing::Over => return self.done(Vec::new()),
                Standing::Shown(claim) => {
                    self.looks = Some(Looks { claim, guard: self.guard(claim), next: self.pairs() });
                }
            }
        }
        match self.looks {
            Some(looks) if looks.next == self.pairs() => self.look(looks),
            Some(_) | None => Step::Continue,
        }
    }

    /// Says what the primaries have shown: a win of any comes first, and what is not a win yet may still become one.
    fn standing(&self) -> Standing {
        let calls: Vec<Call> = self.contests.iter().map(Contest::call).collect();
        if calls.contains(&Call::Keep) {
            return Standing::Shown(Claim::Win);
        }
        if calls.contains(&Call::Undecided) {
            return Standing::Open;
        }
        if !self.plan.simplify {
            return Standing::Over;
        }
        let tolerated: Vec<Call> = self.contests.iter().map(Contest::tolerated).collect();
        if tolerated.iter().all(|call| *call == Call::Keep) {
            Standing::Shown(Claim::NotWorse)
        } else if tolerated.iter().any(|call| matches!(call, Call::Discard | Call::Inconclusive)) {
            Standing::Over
        } else {
            Standing::Open
        }
    }

    /// Fixes `K` when the claim is there: the sentinels with a test, and after a win the primaries that did not win.
    fn guard(&self, claim: Claim) -> Guard {
        let family = family(&self.plan.sentinels);
        match claim {
            Claim::Win => {
                let losers = self.contests.iter().filter(|contest| contest.call() != Call::Keep);
                Guard { family: family + losers.map(Contest::size).sum::<u32>(), pass_error: ERROR }
            }
            Claim::NotWorse => Guard { family, pass_error: self.plan.alpha.min(ERROR) },
        }
    }

    fn look(&mut self, looks: Looks) -> Step {
        let guard = looks.guard;
        let mut outcomes = Vec::new();
        if looks.claim == Claim::Win {
            for contest in self.contests.iter_mut().filter(|contest| contest.call() != Call::Keep) {
                let states = contest.look(guard);
                outcomes.extend(
                    contest.watches().zip(states).map(|(watch, state)| (lost(watch.outcome(state, guard)), state)),
                );
            }
        }
        let watched = self.watches.iter_mut().map(|watch| {
            let state = watch.look(guard);
            (watch.outcome(state, guard), state)
        });
        outcomes.extend(watched);
        let blocked = outcomes.iter().filter_map(|(_, state)| *state).any(SentinelState::blocks);
        if blocked || outcomes.iter().all(|(_, state)| state.is_some()) {
            return self.done(outcomes.into_iter().map(|(outcome, _)| outcome).collect());
        }
        let pairs = self.pairs();
        self.looks = Some(Looks { next: (pairs + LOOK_EVERY).min(CAP.max(pairs + 1)), ..looks });
        Step::Continue
    }

    fn differing(&self) -> Vec<SentinelOutcome> {
        let guard = self.looks.map_or_else(|| self.guard(Claim::Win), |looks| looks.guard);
        let different = self.watches.iter().filter(|watch| watch.differs());
        different.map(|watch| watch.outcome(Some(SentinelState::NotEqual), guard)).collect()
    }

    fn done(&mut self, sentinels: Vec<SentinelOutcome>) -> Step {
        let Some(primary) = self.effect() else { return Step::Continue };
        self.finished = true;
        let (first, others) = self.contests.split_first().unwrap_or_else(|| unreachable!("a plan has a primary"));
        let co_primary = |contest: &Contest| {
            Some(CoPrimary { metric: contest.metric().clone(), verdict: contest.verdict(), effect: contest.effect()? })
        };
        let mut comparison = Comparison {
            verdict: self.verdict(),
            primary,
            primary_verdict: (!others.is_empty()).then(|| first.verdict()),
            co_primaries: others.iter().filter_map(co_primary).collect(),
            sentinels,
            bound: None,
            terms: self.plan.several_terms(),
        };
        let told = comparison.told().0 as usize;
        comparison.bound = self.contests.get(told).and_then(|contest| contest.race().bound());
        Step::Done(Box::new(comparison))
    }

    /// Joins what the primaries say.
    fn verdict(&self) -> Verdict {
        let verdicts: Vec<Verdict> = self.contests.iter().map(Contest::verdict).collect();
        let says = |wanted: Verdict| verdicts.contains(&wanted);
        let claim = self.looks.map(|looks| looks.claim);
        if claim == Some(Claim::NotWorse) {
            let still = self.contests.iter().all(|contest| contest.tolerated() == Call::Keep);
            return if still { Verdict::NotWorse } else { Verdict::Inconclusive };
        }
        if says(Verdict::Improved) {
            Verdict::Improved
        } else if says(Verdict::Inconclusive) {
            Verdict::Inconclusive
        } else if says(Verdict::Regressed) {
            Verdict::Regressed
        } else if self.plan.simplify {
            // No gain was asked for, and a regression could not be excluded.
            Verdict::Inconclusive
        } else {
            Verdict::NoEffect
        }
    }
}

/// Where the primaries stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// More pairs are needed.
    Open,
    /// Nothing can be shown any more.
    Over,
    /// Something is shown, if the sentinels agree.
    Shown(Claim),
}

/// Words the outcome of a primary that did not win.
fn lost(outcome: SentinelOutcome) -> SentinelOutcome {
    SentinelOutcome { rule: format!("a primary that did not win, {}", outcome.rule), ..outcome }
}

/// Reads one sentinel's values of a pair: plain, and on the scale of each of its tests.
pub(super) fn sample(pair: &Pair, plan: &SentinelPlan) -> Result<Sample, ValueError> {
    let (baseline, candidate) = plain(pair, &plan.metric)?;
    let d = plan.tests.iter().map(|test| {
        let (y_baseline, y_candidate) = y_pair(pair, &plan.metric, test.scale, plan.direction)?;
        Ok(y_baseline - y_candidate)
    });
    Ok(Sample { baseline, candidate, d: d.collect::<Result<_, ValueError>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Arm, Direction, MetricName, Objective, Order, Reading, Reduce, Scale};
    use crate::stats::simulation::{Machine, Noise};
    use crate::stats::{PairScale, ToleranceTest};

    fn name(text: &str) -> MetricName {
        MetricName::new(text).unwrap()
    }

    fn plan(sentinels: Vec<SentinelPlan>) -> Plan {
        let primary = Objective {
            name: name("t_ms"),
            unit: "ms".to_owned(),
            direction: Direction::Lower,
            scale: Scale::Ratio,
            min_effect: 0.01,
            reduce: Reduce::Median,
        };
        let scale = PairScale { s: 0.01, threshold: 0.02 };
        let min_effect = 0.01_f64.ln_1p();
        let (delta0, patience) = (min_effect / 2.0, Patience::Thorough);
        let primaries = vec![GoalPlan::single(primary, scale, delta0)];
        Plan { primaries, alpha: 0.005, max_pairs: 30, patience, strict: false, simplify: false, sentinels }
    }

    fn rss(tolerance: f64, s: f64) -> SentinelPlan {
        let tests = vec![ToleranceTest { scale: Scale::Ratio, tolerance, s }];
        SentinelPlan { metric: name("rss"), direction: Direction::Lower, tests, max: None, min: None, exact: false }
    }

    fn reading(t_ms: f64, rss: f64) -> Reading {
        Reading { metrics: [(name("t_ms"), t_ms), (name("rss"), rss)].into(), invariants: Vec::new() }
    }

    fn pair(number: u32, baseline: (f64, f64), candidate: (f64, f64)) -> Pair {
        let (baseline, candidate) = (reading(baseline.0, baseline.1), reading(candidate.0, candidate.1));
        Pair { number, order: Order::BaselineFirst, baseline, candidate }
    }

    /// Pushes equal pairs until the verdict.
    fn judge(plan: Plan, baseline: (f64, f64), candidate: (f64, f64)) -> Comparison {
        judge_by(plan, |number| pair(number, baseline, candidate))
    }

    fn judge_by(plan: Plan, mut pair: impl FnMut(u32) -> Pair) -> Comparison {
        let mut judge = Judge::new(plan);
        for number in 1..=40 {
            if let Step::Done(comparison) = judge.push(&pair(number)).unwrap() {
                return *comparison;
            }
        }
        panic!("no verdict after 40 pairs");
    }

    #[test]
    fn a_win_without_sentinels_ends_when_its_evidence_is_there() {
        let comparison = judge(plan(Vec::new()), (100.0, 1.0), (90.0, 1.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 4));
        assert!((comparison.primary.mu - (100.0_f64 / 90.0).ln()).abs() < 1e-12);
        assert!(comparison.primary.ln_e.unwrap() >= 200.0_f64.ln());
        assert!(comparison.bound.is_none_or(|bound| bound < comparison.primary.mu));
    }

    #[test]
    fn a_metric_that_should_rise_is_improved_by_rising() {
        let mut rising = plan(Vec::new());
        rising.primaries[0].objective.direction = Direction::Higher;
        assert_eq!(judge(rising.clone(), (100.0, 1.0), (120.0, 1.0)).verdict, Verdict::Improved);
        assert_eq!(judge(rising, (100.0, 1.0), (80.0, 1.0)).verdict, Verdict::Regressed);
    }

    #[test]
    fn no_effect_and_regression_are_told_apart_by_the_interval() {
        let none = judge(plan(Vec::new()), (100.0, 1.0), (100.0, 1.0));
        assert_eq!((none.verdict, none.sentinels.len()), (Verdict::NoEffect, 0));
        assert_eq!(judge(plan(Vec::new()), (100.0, 1.0), (110.0, 1.0)).verdict, Verdict::Regressed);
    }

    #[test]
    fn a_quiet_sentinel_passes_at_the_first_look() {
        let comparison = judge(plan(vec![rss(0.05, 0.001)]), (100.0, 50.0), (90.0, 51.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 4));
        assert_eq!(comparison.sentinels[0].state, SentinelState::Passed);
    }

    #[test]
    fn a_regressed_sentinel_fails_at_the_first_look_from_pair_six() {
        let comparison = judge(plan(vec![rss(0.05, 0.001)]), (100.0, 50.0), (90.0, 60.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 6));
        assert_eq!(comparison.sentinels[0].state, SentinelState::Failed);
    }

    #[test]
    fn an_exact_win_is_looked_at_from_pair_three_in_steps_of_two() {
        let exact = PairScale { s: 0.0, threshold: 0.0 };
        let mut plan = plan(vec![rss(0.05, 0.0)]);
        plan.primaries[0].members[0].scale = exact;
        let comparison = judge(plan.clone(), (100.0, 50.0), (90.0, 60.0));
        assert_eq!(comparison.primary.pairs, 7);
        assert_eq!(comparison.primary.ln_e, None);
        assert_eq!(judge(plan, (100.0, 50.0), (90.0, 50.0)).primary.pairs, 3);
    }

    #[test]
    fn a_sentinel_on_the_edge_is_unresolved_after_twenty_pairs() {
        let wobble = |number: u32| {
            let rss = if number.is_multiple_of(2) { 52.5 * 1.01 } else { 52.4 / 1.01 };
            pair(number, (100.0, 50.0), (90.0, rss))
        };
        let comparison = judge_by(plan(vec![rss(0.05, 0.001)]), wobble);
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 20));
        assert_eq!(comparison.sentinels[0].state, SentinelState::Unresolved);
    }

    #[test]
    fn a_gain_that_melts_while_a_sentinel_is_watched_is_inconclusive() {
        let melting = |number: u32| {
            let rss = if number.is_multiple_of(2) { 52.5 * 1.01 } else { 52.4 / 1.01 };
            pair(number, (100.0, 50.0), (if number <= 4 { 90.0 } else { 100.0 }, rss))
        };
        let comparison = judge_by(plan(vec![rss(0.05, 0.001)]), melting);
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Inconclusive, 20));
        assert!(comparison.primary.ln_e.unwrap() >= 200.0_f64.ln(), "the evidence stays latched");
    }

    #[test]
    fn an_exact_sentinel_that_differs_ends_the_race_at_once() {
        let exact = SentinelPlan { exact: true, tests: Vec::new(), ..rss(0.05, 0.0) };
        let comparison =
            judge_by(plan(vec![exact]), |number| pair(number, (100.0, 50.0), (90.0, 50.0 - f64::from(number / 2))));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Inconclusive, 2));
        assert_eq!(comparison.sentinels[0].state, SentinelState::NotEqual);
    }

    #[test]
    fn a_broken_limit_blocks_at_the_look() {
        let limited = SentinelPlan { max: Some(55.0), tests: Vec::new(), ..rss(0.05, 0.0) };
        let comparison = judge(plan(vec![limited]), (100.0, 50.0), (90.0, 56.0));
        assert_eq!((comparison.verdict, comparison.primary.pairs), (Verdict::Improved, 4));
        assert_eq!(comparison.sentinels[0].state, SentinelState::LimitBroken);
    }

    #[test]
    fn pushing_the_recorded_pairs_again_gives_the_same_judge() {
        let pairs: Vec<Pair> = (1..=3).map(|number| pair(number, (100.0, 50.0), (90.0, 50.0))).collect();
        let replay = || {
            let mut judge = Judge::new(plan(vec![rss(0.05, 0.001)]));
            for pair in &pairs {
                assert_eq!(judge.push(pair), Ok(Step::Continue));
            }
            judge
        };
        assert_eq!(replay(), replay());
        assert!(replay().estimate().unwrap().low < replay().effect().unwrap().mu);
    }

    #[test]
    fn a_value_that_the_scale_cannot_hold_leaves_the_judge_unchanged() {
        let mut judge = Judge::new(plan(vec![rss(0.05, 0.001)]));
        let before = judge.clone();
        let error = judge.push(&pair(1, (100.0, 50.0), (90.0, 0.0))).unwrap_err();
        let off =
            ValueError::OffScale { pair: 1, arm: Arm::Candidate, metric: name("rss"), value: 0.0, scale: Scale::Ratio };
        assert_eq!(error, JudgeError::Value(off));
        assert_eq!(judge, before);
    }

    #[test]
    fn a_pair_out_of_turn_or_after_the_verdict_is_refused() {
        let mut judge = Judge::new(plan(Vec::new()));
        let bad = pair(2, (100.0, 1.0), (110.0, 1.0));
        assert_eq!(judge.push(&bad), Err(JudgeError::OutOfTurn { expected: 1, got: 2 }));
        for number in 1..=2 {
            judge.push(&pair(number, (100.0, 1.0), (101.5, 1.0))).unwrap();
            if judge.finished {
                let next = judge.pairs() + 1;
                let late = pair(next, (100.0, 1.0), (101.5, 1.0));
                assert_eq!(judge.push(&late), Err(JudgeError::Finished { pair: next }));
                return;
            }
        }
        panic!("a regression of 1.5 % is out of reach within two pairs");
    }

    /// A second primary, `rss`, worth keeping from 1 % on.
    fn with_co_primary(sentinels: Vec<SentinelPlan>) -> Plan {
        let mut plan = plan(sentinels);
        let mut co = plan.primaries[0].clone();
        co.objective.name = name("rss");
        co.members[0].metric = name("rss");
        plan.primaries.push(co);
        plan
    }

    #[test]
    fn a_win_on_a_co_primary_counts_and_is_what_is_told() {
        let comparison = judge(with_co_primary(Vec::new()), (100.0, 50.0), (100.0, 40.0));
        assert_eq!(comparison.verdict, Verdict::Improved);
        assert_eq!(comparison.primary_verdict, Some(Verdict::NoEffect));
        assert_eq!(comparison.co_primaries[0].verdict, Verdict::Improved);
        let (number, effect) = comparison.told();
        assert_eq!((number, effect.pairs), (1, comparison.primary.pairs));
        assert!((effect.mu - 1.25_f64.ln()).abs() < 1e-12);
        let watched = &comparison.sentinels[0];
        assert_eq!((watched.metric.as_str(), watched.state), ("t_ms", SentinelState::Passed));
        assert!(watched.rule.starts_with("a primary that did not win, tolerance 1.00 %"), "{}", watched.rule);
    }

    #[test]
    fn what_each_of_several_metrics_was_judged_by_is_told() {
        let comparison = judge(with_co_primary(Vec::new()), (100.0, 50.0), (100.0, 40.0));
        let terms: Vec<_> = comparison.terms.iter().map(|t| (t.metric.as_str(), t.primary, t.s, t.threshold)).collect();
        assert_eq!(terms, [("t_ms", 0, 0.01, 0.02), ("rss", 1, 0.01, 0.02)]);
        assert!(judge(plan(Vec::new()), (100.0, 50.0), (100.0, 40.0)).terms.is_empty(), "the effect says it");
    }

    #[test]
    fn a_primary_that_loses_more_than_its_minimum_effect_blocks_the_win_of_another() {
        let comparison = judge(with_co_primary(Vec::new()), (100.0, 50.0), (104.0, 40.0));
        assert_eq!(comparison.verdict, Verdict::Improved);
        let blocked = comparison.sentinels.iter().find(|outcome| outcome.state.blocks()).unwrap();
        assert_eq!((blocked.metric.as_str(), blocked.state), ("t_ms", SentinelState::Failed));
        assert_eq!(comparison.primary.pairs, 6, "no test fails before pair 6");
    }

    #[test]
    fn the_budget_is_divided_among_the_primaries() {
        let comparison = judge(with_co_primary(Vec::new()), (100.0, 50.0), (90.0, 50.0));
        assert_eq!(comparison.told().0, 0);
        assert!((comparison.primary.alpha - 0.0025).abs() < 1e-15);
        assert!(comparison.primary.ln_e.unwrap() >= 400.0_f64.ln());
    }

    #[test]
    fn the_race_is_futile_only_when_every_primary_is() {
        let alone = judge(plan(Vec::new()), (100.0, 50.0), (100.0, 50.0));
        let wobbling = |number: u32| {
            let rss = if number.is_multiple_of(2) { 48.6 } else { 49.0 };
            pair(number, (100.0, 50.0), (100.0, rss))
        };
        let both = judge_by(with_co_primary(Vec::new()), wobbling);
        assert_eq!((both.verdict, both.told().0), (Verdict::Improved, 1));
        assert!(both.primary.pairs > alone.primary.pairs);
        assert_eq!(judge(with_co_primary(Vec::new()), (100.0, 50.0), (103.0, 52.0)).verdict, Verdict::Regressed);
        assert_eq!(judge(with_co_primary(Vec::new()), (100.0, 50.0), (100.0, 50.0)).verdict, Verdict::NoEffect);
    }

    #[test]
    fn primaries_that_did_not_win_count_in_the_family() {
        let judge = Judge::new(with_co_primary(vec![rss(0.05, 0.001)]));
        assert_eq!(judge.guard(Claim::Win).family, 3, "neither has won before the first pair");
        assert_eq!(judge.guard(Claim::NotWorse).family, 1);
    }

    #[test]
    fn the_worst_of_a_suite_wins_only_when_every_metric_of_it_does() {
        let mut suite = plan(Vec::new());
        suite.primaries[0].objective.name = name("worst(*)");
        let member = Member { metric: name("rss"), ..suite.primaries[0].members[0].clone() };
        suite.primaries[0].members.push(member);
        let both = judge(suite.clone(), (100.0, 50.0), (80.0, 45.0));
        assert_eq!(both.verdict, Verdict::Improved);
        assert!(
            (both.primary.mu - (50.0_f64 / 45.0).ln()).abs() < 1e-12,
            "that of the metric that gained least is told"
        );
        let one = judge(suite.clone(), (100.0, 50.0), (80.0, 50.0));
        assert_eq!(one.verdict, Verdict::NoEffect);
        assert_eq!(judge(suite, (100.0, 50.0), (80.0, 56.0)).verdict, Verdict::Regressed);
    }

    fn simplifying(s: f64, sentinels: Vec<SentinelPlan>) -> Plan {
        let mut plan = Plan { simplify: true, ..plan(sentinels) };
        plan.primaries[0].members[0].scale = PairScale { s, threshold: 2.0 * s };
        plan
    }

    #[test]
    fn a_simplification_is_no_worse_when_a_regression_is_excluded() {
        let same = judge(simplifying(0.001, vec![rss(0.05, 0.001)]), (100.0, 50.0), (100.0, 50.0));
        assert_eq!(same.verdict, Verdict::NotWorse);
        assert_eq!(same.sentinels[0].state, SentinelState::Passed);
        assert_eq!(judge(simplifying(0.001, Vec::new()), (100.0, 50.0), (103.0, 50.0)).verdict, Verdict::Regressed);
        assert_eq!(judge(simplifying(0.001, Vec::new()), (100.0, 50.0), (90.0, 50.0)).verdict, Verdict::Improved);
    }

    #[test]
    fn an_exact_simplification_may_lose_less_than_the_minimum_effect() {
        let verdict = |candidate| judge(simplifying(0.0, Vec::new()), (100.0, 1.0), (candidate, 1.0)).verdict;
        assert_eq!(verdict(100.0), Verdict::NotWorse);
        assert_eq!(verdict(100.9), Verdict::NotWorse);
        assert_eq!(verdict(101.1), Verdict::Regressed);
        assert_eq!(verdict(95.0), Verdict::Improved);
    }

    #[test]
    fn a_sentinel_of_a_simplification_passes_by_the_error_budget_of_the_candidate() {
        let noisy = |number: u32| {
            let rss = 51.2 + [0.9, -0.9, 0.3, -0.3][number as usize % 4];
            pair(number, (100.0, 50.0), (100.0, rss))
        };
        let usual = judge_by(plan(vec![rss(0.05, 0.02)]), |n| Pair {
            candidate: reading(90.0, noisy(n).candidate.metrics[&name("rss")]),
            ..noisy(n)
        });
        assert_eq!(usual.sentinels[0].state, SentinelState::Passed);
        let simpler = judge_by(simplifying(0.001, vec![rss(0.05, 0.02)]), noisy);
        assert!(
            simpler.sentinels[0].state != SentinelState::Passed || simpler.primary.pairs > usual.primary.pairs,
            "{simpler:?}"
        );
    }

    /// Returns the share of simplifications of a true effect that are kept, of any kind, and of those told as improved.
    fn kept(noise: &Noise, effect: f64, alpha: f64, races: u64) -> (f64, f64) {
        let (mut kept, mut improved) = (0_u32, 0_u32);
        for race in 0..races {
            let mut machine = Machine::new(noise, 77_000 + race);
            let ring: Vec<f64> = (0..10).map(|_| machine.contest(0.0)).map(|(a, b)| a - b).collect();
            let mut plan = simplifying(0.0, Vec::new());
            plan.alpha = alpha;
            plan.primaries[0].members[0].scale = PairScale::of(&ring).unwrap();
            let comparison = judge_by(plan, |number| {
                let (baseline, candidate) = machine.contest(effect);
                pair(number, (baseline.exp(), 1.0), (candidate.exp(), 1.0))
            });
            kept += u32::from(matches!(comparison.verdict, Verdict::NotWorse | Verdict::Improved));
            improved += u32::from(comparison.verdict == Verdict::Improved);
        }
        (f64::from(kept) / races as f64, f64::from(improved) / races as f64)
    }

    #[test]
    fn a_simplification_without_effect_is_often_kept_and_one_that_costs_more_than_is_tolerated_hardly_ever() {
        let alpha = 0.02;
        assert!(kept(&Noise::Iid(0.005), 0.0, alpha, 300).0 > 0.7);
        for noise in [&Noise::Iid(0.005), &Noise::Iid(0.01), &Noise::Ar1] {
            assert!(kept(noise, -0.02, alpha, 1000).0 <= alpha, "{noise:?}");
            assert!(kept(noise, -0.01_f64.ln_1p(), alpha, 1000).0 <= alpha, "{noise:?} at the tolerance");
        }
    }

    #[test]
    fn a_simplification_that_gains_is_told_as_improved() {
        let (kept, improved) = kept(&Noise::Iid(0.005), 0.05, 0.005, 200);
        assert!(kept > 0.99 && improved > 0.99, "{kept} {improved}");
    }
}
