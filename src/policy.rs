//! What the loop does about what it found: verdicts, failures and counters become reasons, flags and stops.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{
    Asi, Comparison, Direction, Flag, MetricName, Outcome, Phase, Reason, SentinelOutcome, SentinelState, Stop,
    StopRule, Verdict,
};

/// What is to be done about a measured candidate. The status follows from the reason ([`Reason::status`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Why.
    pub reason: Reason,
    /// Remarks on a keep.
    pub flags: Vec<Flag>,
    /// What exactly, in one line for people.
    pub detail: String,
}

/// Decides about a candidate whose measurement is finished.
///
/// A blocking sentinel comes first, whatever the primary says; then the verdict; then unresolved sentinels, which flag
/// a keep, or forbid it under `decision.strict` (FORMATS section 4).
pub fn decide(comparison: &Comparison, strict: bool) -> Judgement {
    let without_flags = |reason, detail| Judgement { reason, flags: Vec::new(), detail };
    let blocking = named(comparison, SentinelState::blocks);
    if !blocking.is_empty() {
        return without_flags(Reason::SentinelRegressed, blocking);
    }
    let pairs = comparison.primary.pairs;
    match comparison.verdict {
        Verdict::Improved => improved(comparison, strict),
        Verdict::Regressed => without_flags(Reason::Regressed, format!("worse, told after {}", count(pairs, "pair"))),
        Verdict::NoEffect => {
            without_flags(Reason::NoEffect, format!("no effect worth keeping in reach after {}", count(pairs, "pair")))
        }
        Verdict::NotWorse => simpler(comparison),
        Verdict::Inconclusive => {
            without_flags(Reason::Inconclusive, format!("not told within {}", count(pairs, "pair")))
        }
    }
}

fn improved(comparison: &Comparison, strict: bool) -> Judgement {
    let unresolved = named(comparison, |state| state == SentinelState::Unresolved);
    let (reason, flags) = match (unresolved.is_empty(), strict) {
        (true, _) => (Reason::Improved, Vec::new()),
        (false, false) => (Reason::Improved, vec![Flag::SentinelUnresolved]),
        (false, true) => (Reason::SentinelUnresolved, Vec::new()),
    };
    let (_, effect) = comparison.told();
    let told = format!("{}better, told after {}", winners(comparison), count(effect.pairs, "pair"));
    let detail = if unresolved.is_empty() { told } else { format!("{told}; {unresolved}") };
    Judgement { reason, flags, detail }
}

/// Keeps a simplification whose regression is excluded on every primary; each sentinel must have passed too.
fn simpler(comparison: &Comparison) -> Judgement {
    let unresolved = named(comparison, |state| state == SentinelState::Unresolved);
    let told = format!("no worse, told after {}", count(comparison.primary.pairs, "pair"));
    let (reason, detail) = if unresolved.is_empty() {
        (Reason::Simpler, told)
    } else {
        (Reason::SentinelUnresolved, format!("{told}; {unresolved}"))
    };
    Judgement { reason, flags: Vec::new(), detail }
}

/// Decides about a candidate that was to be kept for `reason`, by its held-out metrics.
///
/// As with sentinels, a blocked one drops it; an unresolved one flags a keep, or forbids it under `decision.strict` and of
/// a simplification. The detail is read by proposers, so it names neither metric nor figure.
pub fn hold_out(outcomes: &[SentinelOutcome], reason: Reason, strict: bool) -> Judgement {
    let any = |wanted: &dyn Fn(SentinelState) -> bool| outcomes.iter().any(|outcome| wanted(outcome.state));
    let judged = |reason, flags, detail: &str| Judgement { reason, flags, detail: detail.to_owned() };
    if any(&SentinelState::blocks) {
        return judged(Reason::HoldoutRegressed, Vec::new(), "better where it was measured, but not on the holdout");
    }
    if !any(&|state| state == SentinelState::Unresolved) {
        return judged(reason, Vec::new(), "the holdout agrees");
    }
    if strict || reason == Reason::Simpler {
        return judged(Reason::SentinelUnresolved, Vec::new(), "the holdout is unresolved");
    }
    judged(reason, vec![Flag::SentinelUnresolved], "the holdout is unresolved")
}

/// Names the primaries that won where there are several: `commits: ` or `the primary and commits: `.
fn winners(comparison: &Comparison) -> String {
    let Some(first) = comparison.primary_verdict else { return String::new() };
    let others = comparison.co_primaries.iter().map(|co| (co.verdict, co.metric.to_string()));
    let all = std::iter::once((first, "the primary".to_owned())).chain(others);
    let won: Vec<String> = all.filter(|(verdict, _)| *verdict == Verdict::Improved).map(|(_, name)| name).collect();
    if won.is_empty() { String::new() } else { format!("{}: ", won.join(" and ")) }
}

/// Names the sentinels of some states with what became of them and their rules.
fn named(comparison: &Comparison, wanted: impl Fn(SentinelState) -> bool) -> String {
    let chosen = comparison.sentinels.iter().filter(|outcome| wanted(outcome.state));
    chosen.map(sentence).collect::<Vec<_>>().join("; ")
}

fn sentence(outcome: &SentinelOutcome) -> String {
    let became = match outcome.state {
        SentinelState::Passed => "passed",
        SentinelState::Failed => "regressed",
        SentinelState::Unresolved => "unresolved",
        SentinelState::LimitBroken => "broke its limit",
        SentinelState::NotEqual => "differs",
    };
    format!("{} {became}: {}", outcome.metric, outcome.rule)
}

fn count(n: u32, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// Which way a hypothesis says that a metric will move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Up,
    Down,
    Either,
}

/// Says whether a keep is to be flagged because nothing that its hypothesis predicted moved.
///
/// `predicted` of the ASI is an object from metric to `up` / `higher`, `down` / `lower`, or a number (or a text that
/// starts with a sign) whose sign counts; anything else means either way. `effects` holds the interval `(low, high)` of
/// each metric's raw change, candidate less baseline, so above 0 is up; a metric moved when its interval excludes 0 on
/// the predicted side. `None` where nothing was predicted.
pub fn mechanism_unconfirmed(asi: &Asi, effects: &BTreeMap<MetricName, (f64, f64)>) -> Option<Flag> {
    let predicted = asi.get("predicted")?.as_object()?;
    let moved = predicted.iter().any(|(metric, way)| {
        let effect = MetricName::new(metric).ok().and_then(|name| effects.get(&name).copied());
        effect.is_some_and(|interval| has_moved(interval, predicted_move(way)))
    });
    (!predicted.is_empty() && !moved).then_some(Flag::MechanismUnconfirmed)
}

fn predicted_move(way: &Value) -> Move {
    let by_sign = |number: f64| match number {
        n if n > 0.0 => Move::Up,
        n if n < 0.0 => Move::Down,
        _ => Move::Either,
    };
    match way {
        Value::Number(number) => number.as_f64().map_or(Move::Either, by_sign),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "up" | "higher" => Move::Up,
            "down" | "lower" => Move::Down,
            word if word.starts_with('+') => Move::Up,
            word if word.starts_with(['-', '\u{2212}']) => Move::Down,
            _ => Move::Either,
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Move::Either,
    }
}

fn has_moved((low, high): (f64, f64), way: Move) -> bool {
    match way {
        Move::Up => low > 0.0,
        Move::Down => high < 0.0,
        Move::Either => low > 0.0 || high < 0.0,
    }
}

/// How a command failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Failed,
    TimedOut,
    Limit,
}

/// Names the reason that a failed command of a phase gives, once the baseline was found not to fail the same way.
///
/// `None` where the candidate is not to blame: the command succeeded or was aborted, or the phase runs none of the
/// candidate's code.
pub fn failure(phase: Phase, outcome: Outcome) -> Option<Reason> {
    let failure = match outcome {
        Outcome::Code(0) | Outcome::Aborted => return None,
        Outcome::Code(_) | Outcome::Signal(_) => Failure::Failed,
        Outcome::TimedOut => Failure::TimedOut,
        Outcome::LimitBroken(_) => Failure::Limit,
    };
    match phase {
        Phase::Screen | Phase::Prepare | Phase::Decide | Phase::Settle => None,
        Phase::Apply => Some(Reason::ApplyFailed),
        Phase::Build => Some(reason(failure, Reason::BuildFailed, Reason::BuildTimeout)),
        // What builds with a warm cache and not from an empty one is another program.
        // The same holds for what builds in one of two equal folders only.
        Phase::VerifyClean | Phase::Confirm => Some(reason(failure, Reason::StaleBuild, Reason::BuildTimeout)),
        Phase::Check => Some(reason(failure, Reason::CheckFailed, Reason::CheckTimeout)),
        Phase::Warmup | Phase::Measure | Phase::Holdout => {
            Some(reason(failure, Reason::BenchFailed, Reason::BenchTimeout))
        }
    }
}

fn reason(failure: Failure, failed: Reason, timed_out: Reason) -> Reason {
    match failure {
        Failure::Failed => failed,
        Failure::TimedOut => timed_out,
        Failure::Limit => Reason::ResourceLimit,
    }
}

/// The same check failing in experiment after experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckStreak {
    /// The check.
    pub check: String,
    /// Times in a row.
    pub times: u32,
}

/// What the stop rules look at, over all starts of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Counters {
    /// Settled experiments that reached Build.
    pub iterations: u32,
    /// Hours of the session.
    pub hours: f64,
    /// Iterations since the last keep, or since the start.
    pub since_keep: u32,
    /// The check that failed last, where the last gated experiment failed one.
    pub check_failures: Option<CheckStreak>,
    /// Iterations in a row that crashed.
    pub crashes: u32,
    /// What the agents cost so far, in the unit that they print.
    pub agent_cost: f64,
    /// Best median of the primary so far, in its unit: that of the last keep, or of the baseline where that is later.
    pub best: Option<f64>,
    /// Which way the primary is better.
    pub direction: Direction,
    /// The time to keep for the end.
    pub reserve: Reserve,
}

/// The time that a session keeps for its end, in seconds: nothing where nothing new would be validated.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reserve {
    /// What the validation takes.
    pub validation_s: f64,
    /// What one more candidate would take before it.
    pub candidate_s: f64,
}

impl Reserve {
    /// Returns all of it, in seconds.
    pub fn seconds(self) -> f64 {
        self.validation_s + self.candidate_s
    }

    /// Says what is kept and for what, after a rule that would have held later: `, 12 min kept for the validation`.
    pub fn words(self) -> String {
        let kept = if self.validation_s < 90.0 {
            format!("{:.0} s", self.validation_s)
        } else {
            format!("{:.0} min", self.validation_s / 60.0)
        };
        format!(", {kept} kept for the validation")
    }
}

/// Names the configured rule that stops the session before its next candidate, and says in one line what it met.
///
/// The goal comes first, then the failures, then the limits. `stop.until` is a time of day and `stop.file` a file, and
/// so not decided here.
pub fn stop(counters: &Counters, stop: &Stop) -> Option<(StopRule, String)> {
    let Stop { max_iterations, max_hours, plateau, consecutive_check_failures, target, .. } = stop;
    target_reached(counters, *target)
        .or_else(|| failing_check(counters, *consecutive_check_failures))
        .or_else(|| {
            stop.consecutive_crashes.filter(|&n| counters.crashes >= n)?;
            Some((StopRule::ConsecutiveCrashes, format!("{} in a row crashed", count(counters.crashes, "iteration"))))
        })
        .or_else(|| {
            let most = stop.agent_cost.filter(|&most| counters.agent_cost >= most)?;
            Some((StopRule::AgentCost, format!("the agents cost {:.2} of {most}", counters.agent_cost)))
        })
        .or_else(|| {
            let reached = max_iterations.filter(|&max| counters.iterations >= max)?;
            Some((StopRule::MaxIterations, format!("{} of {reached} iterations", counters.iterations)))
        })
        .or_else(|| {
            let reached = max_hours.filter(|&max| counters.hours + counters.reserve.seconds() / 3600.0 >= max)?;
            let kept = if counters.hours < reached { counters.reserve.words() } else { String::new() };
            Some((StopRule::MaxHours, format!("{:.2} of {reached} hours{kept}", counters.hours)))
        })
        .or_else(|| {
            plateau.filter(|&n| counters.since_keep >= n)?;
            Some((StopRule::Plateau, format!("{} without a keep", count(counters.since_keep, "iteration"))))
        })
}

/// Share of the time since the last validation that one between experiments may cost.
const CHECKPOINT_SHARE: f64 = 0.10;

/// Seconds of work after which a validation between experiments tells anybody anything.
const CHECKPOINT_LEAST: f64 = 600.0;

/// Says whether a session with a new keep is validated before it goes on: where that costs less than a tenth of the
/// time at work since the last validation, or since the start. Both in seconds.
pub fn validates_between(cost: f64, since: f64) -> bool {
    since >= CHECKPOINT_LEAST && cost < CHECKPOINT_SHARE * since
}

/// Says whether a session that ends by a rule is validated first.
///
/// Not where somebody asked for the end, who waits for it, and not where nothing can be measured any more.
pub fn validates_at_end(rule: StopRule) -> bool {
    match rule {
        StopRule::CandidatesExhausted
        | StopRule::MaxIterations
        | StopRule::MaxHours
        | StopRule::Until
        | StopRule::Plateau
        | StopRule::Target
        | StopRule::ConsecutiveCheckFailures
        | StopRule::ConsecutiveCrashes
        | StopRule::AgentCost
        | StopRule::AgentUnavailable => true,
        StopRule::Requested
        | StopRule::StopFile
        | StopRule::Interrupted
        | StopRule::BaselineBroken
        | StopRule::DiskLow
        | StopRule::BranchMoved
        | StopRule::UndoConflict => false,
    }
}

/// What a re-test says of a keep on the final code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// Its effect is above zero still.
    Pays,
    /// Its effect is below what is worth keeping.
    NoLonger,
    /// The pairs do not tell.
    Untold,
}

/// Judges a keep by the interval `(low, high)` of its remaining effect and the smallest effect worth keeping, both on
/// the decision scale.
pub fn remaining((low, high): (f64, f64), min_effect: f64) -> Remaining {
    if high < min_effect {
        Remaining::NoLonger
    } else if low > 0.0 {
        Remaining::Pays
    } else {
        Remaining::Untold
    }
}

fn target_reached(counters: &Counters, target: Option<f64>) -> Option<(StopRule, String)> {
    let (best, target) = (counters.best?, target?);
    let reached = match counters.direction {
        Direction::Lower => best <= target,
        Direction::Higher => best >= target,
    };
    reached.then(|| (StopRule::Target, format!("the primary's median {best} reached the target {target}")))
}

fn failing_check(counters: &Counters, limit: Option<u32>) -> Option<(StopRule, String)> {
    let (CheckStreak { check, times }, limit) = (counters.check_failures.as_ref()?, limit?);
    let detail = || format!("check '{check}' failed {times} times in a row");
    (*times >= limit).then(|| (StopRule::ConsecutiveCheckFailures, detail()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{CoPrimary, Effect, LimitKind, Scale, Status};

    #[test]
    fn a_validation_between_experiments_costs_less_than_a_tenth_of_the_time_since_the_last() {
        assert!(validates_between(59.0, 600.0));
        assert!(!validates_between(60.0, 600.0));
        assert!(!validates_between(1.0, 599.0), "too early to tell anybody anything");
        assert!(!validates_between(3600.0, 4.0 * 3600.0));
        assert!(validates_between(3600.0, 11.0 * 3600.0));
    }

    #[test]
    fn planned_ends_are_validated_and_ends_that_somebody_waits_for_are_not() {
        assert!(validates_at_end(StopRule::Until) && validates_at_end(StopRule::CandidatesExhausted));
        assert!(!validates_at_end(StopRule::Requested) && !validates_at_end(StopRule::BaselineBroken));
    }

    #[test]
    fn a_keep_no_longer_pays_when_its_interval_excludes_what_is_worth_keeping() {
        assert_eq!(remaining((-0.02, 0.009), 0.01), Remaining::NoLonger);
        assert_eq!(remaining((0.002, 0.008), 0.01), Remaining::NoLonger);
        assert_eq!(remaining((0.002, 0.02), 0.01), Remaining::Pays);
        assert_eq!(remaining((-0.002, 0.02), 0.01), Remaining::Untold);
    }

    fn comparison(verdict: Verdict, states: &[SentinelState]) -> Comparison {
        let primary = Effect {
            mu: 0.1,
            se: 0.01,
            gain: 0.1,
            low: 0.07,
            high: 0.13,
            pairs: 5,
            ln_e: Some(7.0),
            alpha: 0.005,
            scale: Scale::Ratio,
            delta0: 0.005,
            min_effect: 0.01,
            s: 0.01,
            threshold: 0.02,
        };
        let outcome = |(i, &state)| SentinelOutcome {
            metric: MetricName::new(&format!("m{i}")).unwrap(),
            state,
            rule: "tolerance 5 %".to_owned(),
            mu: None,
        };
        Comparison {
            verdict,
            primary,
            primary_verdict: None,
            co_primaries: Vec::new(),
            sentinels: states.iter().enumerate().map(outcome).collect(),
            bound: None,
            terms: Vec::new(),
        }
    }

    #[test]
    fn an_improvement_is_kept_and_an_unresolved_sentinel_flags_it() {
        let clean = decide(&comparison(Verdict::Improved, &[SentinelState::Passed]), false);
        assert_eq!((clean.reason, clean.flags.as_slice()), (Reason::Improved, [].as_slice()));
        let flagged =
            decide(&comparison(Verdict::Improved, &[SentinelState::Passed, SentinelState::Unresolved]), false);
        assert_eq!(
            (flagged.reason, flagged.flags.as_slice()),
            (Reason::Improved, [Flag::SentinelUnresolved].as_slice())
        );
        assert_eq!(flagged.detail, "better, told after 5 pairs; m1 unresolved: tolerance 5 %");
    }

    #[test]
    fn a_simplification_is_kept_as_simpler_only_when_every_sentinel_passed() {
        let kept = decide(&comparison(Verdict::NotWorse, &[SentinelState::Passed]), false);
        assert_eq!((kept.reason, kept.detail.as_str()), (Reason::Simpler, "no worse, told after 5 pairs"));
        let open = decide(&comparison(Verdict::NotWorse, &[SentinelState::Unresolved]), false);
        assert_eq!((open.reason, open.reason.status()), (Reason::SentinelUnresolved, Status::Discard));
        let blocked = decide(&comparison(Verdict::NotWorse, &[SentinelState::Failed]), false);
        assert_eq!(blocked.reason, Reason::SentinelRegressed);
    }

    #[test]
    fn the_primaries_that_won_are_named() {
        let mut both = comparison(Verdict::Improved, &[]);
        let metric = MetricName::new("commits").unwrap();
        both.co_primaries = vec![CoPrimary { metric, verdict: Verdict::Improved, effect: both.primary }];
        both.primary_verdict = Some(Verdict::NoEffect);
        assert_eq!(decide(&both, false).detail, "commits: better, told after 5 pairs");
        both.primary_verdict = Some(Verdict::Improved);
        assert_eq!(decide(&both, false).detail, "the primary and commits: better, told after 5 pairs");
    }

    #[test]
    fn strict_drops_an_improvement_with_an_unresolved_sentinel() {
        let dropped = decide(&comparison(Verdict::Improved, &[SentinelState::Unresolved]), true);
        assert_eq!((dropped.reason, dropped.reason.status()), (Reason::SentinelUnresolved, Status::Discard));
        assert!(dropped.flags.is_empty());
        assert_eq!(decide(&comparison(Verdict::Improved, &[]), true).reason, Reason::Improved);
    }

    #[test]
    fn a_blocking_sentinel_is_named_whatever_the_primary_says() {
        for (state, words) in [
            (SentinelState::Failed, "m1 regressed: tolerance 5 %"),
            (SentinelState::LimitBroken, "m1 broke its limit: tolerance 5 %"),
            (SentinelState::NotEqual, "m1 differs: tolerance 5 %"),
        ] {
            for verdict in [Verdict::Improved, Verdict::Inconclusive, Verdict::NoEffect, Verdict::Regressed] {
                let judgement = decide(&comparison(verdict, &[SentinelState::Unresolved, state]), false);
                assert_eq!((judgement.reason, judgement.detail.as_str()), (Reason::SentinelRegressed, words));
            }
        }
    }

    #[test]
    fn other_verdicts_are_discards_under_their_own_names() {
        for (verdict, reason) in [
            (Verdict::NoEffect, Reason::NoEffect),
            (Verdict::Regressed, Reason::Regressed),
            (Verdict::Inconclusive, Reason::Inconclusive),
        ] {
            let judgement = decide(&comparison(verdict, &[SentinelState::Unresolved]), false);
            assert_eq!((judgement.reason, judgement.reason.status()), (reason, Status::Discard));
            assert!(judgement.flags.is_empty());
        }
    }

    #[test]
    fn a_holdout_drops_flags_or_agrees_and_tells_no_figure() {
        use SentinelState::{Failed, LimitBroken, NotEqual, Passed, Unresolved};
        let held = |states: &[SentinelState], reason, strict| {
            let judged = hold_out(&comparison(Verdict::Improved, states).sentinels, reason, strict);
            assert!(!judged.detail.contains("m0") && !judged.detail.contains('%'), "{}", judged.detail);
            (judged.reason, judged.flags)
        };
        for blocked in [Failed, LimitBroken, NotEqual] {
            let dropped = (Reason::HoldoutRegressed, Vec::new());
            assert_eq!(held(&[Passed, Unresolved, blocked], Reason::Improved, false), dropped);
        }
        assert_eq!(Reason::HoldoutRegressed.status(), Status::Discard);
        assert_eq!(held(&[Passed], Reason::Improved, true), (Reason::Improved, Vec::new()));
        assert_eq!(held(&[Unresolved], Reason::Improved, false), (Reason::Improved, vec![Flag::SentinelUnresolved]));
        assert_eq!(held(&[Unresolved], Reason::Improved, true), (Reason::SentinelUnresolved, Vec::new()));
        assert_eq!(held(&[Unresolved], Reason::Simpler, false), (Reason::SentinelUnresolved, Vec::new()));
    }

    fn flag(predicted: Value) -> Option<Flag> {
        let mut asi = Asi::new();
        asi.insert("predicted".to_owned(), predicted);
        let effects = [("rose", (1.0, 2.0)), ("fell", (-2.0, -1.0)), ("stayed", (-1.0, 1.0))];
        let effects = effects.map(|(name, interval)| (MetricName::new(name).unwrap(), interval));
        mechanism_unconfirmed(&asi, &effects.into())
    }

    #[test]
    fn a_mechanism_is_confirmed_by_one_metric_that_moved_as_predicted() {
        for confirmed in [
            json!({"rose": "up"}),
            json!({"rose": "higher"}),
            json!({"rose": 3}),
            json!({"rose": "+5 %"}),
            json!({"fell": "down"}),
            json!({"fell": "Lower"}),
            json!({"fell": -0.5}),
            json!({"fell": "-20%"}),
            json!({"fell": "a lot"}),
            json!({"stayed": "up", "fell": "down"}),
        ] {
            assert_eq!(flag(confirmed.clone()), None, "{confirmed}");
        }
    }

    #[test]
    fn a_mechanism_is_unconfirmed_when_nothing_predicted_moved() {
        for unconfirmed in [
            json!({"rose": "down"}),
            json!({"fell": "up"}),
            json!({"stayed": "up"}),
            json!({"stayed": null}),
            json!({"unknown": "up"}),
            json!({"rose": -1, "fell": 1}),
        ] {
            assert_eq!(flag(unconfirmed.clone()), Some(Flag::MechanismUnconfirmed), "{unconfirmed}");
        }
    }

    #[test]
    fn no_prediction_raises_no_flag() {
        assert_eq!(mechanism_unconfirmed(&Asi::new(), &BTreeMap::new()), None);
        assert_eq!(flag(json!({})), None);
        assert_eq!(flag(json!("faster")), None);
    }

    #[test]
    fn each_phase_names_its_own_failures() {
        let limit = Outcome::LimitBroken(LimitKind::Output);
        for (phase, failed, timed_out) in [
            (Phase::Build, Reason::BuildFailed, Reason::BuildTimeout),
            (Phase::VerifyClean, Reason::StaleBuild, Reason::BuildTimeout),
            (Phase::Check, Reason::CheckFailed, Reason::CheckTimeout),
            (Phase::Warmup, Reason::BenchFailed, Reason::BenchTimeout),
            (Phase::Measure, Reason::BenchFailed, Reason::BenchTimeout),
            (Phase::Holdout, Reason::BenchFailed, Reason::BenchTimeout),
        ] {
            assert_eq!(failure(phase, Outcome::Code(1)), Some(failed), "{phase}");
            assert_eq!(failure(phase, Outcome::Signal(11)), Some(failed), "{phase}");
            assert_eq!(failure(phase, Outcome::TimedOut), Some(timed_out), "{phase}");
            assert_eq!(failure(phase, limit), Some(Reason::ResourceLimit), "{phase}");
            assert_eq!(failure(phase, Outcome::Aborted), None, "{phase}");
            assert_eq!(failure(phase, Outcome::Code(0)), None, "{phase}");
        }
    }

    #[test]
    fn a_failing_prepare_is_not_the_candidates_fault() {
        assert_eq!(failure(Phase::Prepare, Outcome::Code(1)), None);
        assert_eq!(failure(Phase::Prepare, Outcome::TimedOut), None);
    }

    fn counters() -> Counters {
        Counters {
            iterations: 10,
            hours: 2.5,
            since_keep: 4,
            check_failures: Some(CheckStreak { check: "10-tests".to_owned(), times: 3 }),
            crashes: 2,
            agent_cost: 1.5,
            best: Some(100.0),
            direction: Direction::Lower,
            reserve: Reserve::default(),
        }
    }

    #[test]
    fn hours_end_early_enough_for_the_validation_of_what_was_kept() {
        let stop_at = |hours| Stop { max_hours: Some(hours), ..Stop::default() };
        let keeping = Counters { reserve: Reserve { validation_s: 720.0, candidate_s: 180.0 }, ..counters() };
        let said = |hours| stop(&keeping, &stop_at(hours)).map(|(_, detail)| detail);
        assert_eq!(said(2.76), None);
        assert_eq!(said(2.75).as_deref(), Some("2.50 of 2.75 hours, 12 min kept for the validation"));
        assert_eq!(said(2.5).as_deref(), Some("2.50 of 2.5 hours"), "nothing is left to keep");
        assert_eq!(Reserve { validation_s: 40.0, candidate_s: 1.0 }.words(), ", 40 s kept for the validation");
    }

    #[test]
    fn without_rules_nothing_stops() {
        assert_eq!(stop(&counters(), &Stop::default()), None);
    }

    #[test]
    fn each_rule_stops_at_its_number_and_not_before() {
        let none = Stop::default;
        let iterations = |n| Stop { max_iterations: Some(n), ..none() };
        let hours = |h| Stop { max_hours: Some(h), ..none() };
        let plateau = |n| Stop { plateau: Some(n), ..none() };
        let failures = |n| Stop { consecutive_check_failures: Some(n), ..none() };
        let target = |t| Stop { target: Some(t), ..none() };
        let crashes = |n| Stop { consecutive_crashes: Some(n), ..none() };
        let cost = |c| Stop { agent_cost: Some(c), ..none() };
        for (reached, not_yet, rule, detail) in [
            (iterations(10), iterations(11), StopRule::MaxIterations, "10 of 10 iterations"),
            (hours(2.5), hours(2.6), StopRule::MaxHours, "2.50 of 2.5 hours"),
            (plateau(4), plateau(5), StopRule::Plateau, "4 iterations without a keep"),
            (failures(3), failures(4), StopRule::ConsecutiveCheckFailures, "check '10-tests' failed 3 times in a row"),
            (crashes(2), crashes(3), StopRule::ConsecutiveCrashes, "2 iterations in a row crashed"),
            (cost(1.5), cost(1.51), StopRule::AgentCost, "the agents cost 1.50 of 1.5"),
            (target(100.0), target(99.0), StopRule::Target, "the primary's median 100 reached the target 100"),
        ] {
            assert_eq!(stop(&counters(), &reached), Some((rule, detail.to_owned())));
            assert_eq!(stop(&counters(), &not_yet), None, "{rule}");
        }
    }

    #[test]
    fn a_target_of_a_metric_that_should_rise_is_reached_from_below() {
        let rising = Counters { direction: Direction::Higher, ..counters() };
        let target = |t| Stop { target: Some(t), ..Stop::default() };
        assert_eq!(stop(&rising, &target(101.0)), None);
        assert!(stop(&rising, &target(99.0)).is_some());
        assert_eq!(stop(&Counters { best: None, ..rising }, &target(99.0)), None);
    }

    #[test]
    fn the_goal_comes_before_every_limit() {
        let all = Stop {
            max_iterations: Some(1),
            max_hours: Some(0.1),
            until: Some("07:30".to_owned()),
            plateau: Some(1),
            consecutive_check_failures: Some(1),
            target: Some(200.0),
            ..Stop::default()
        };
        assert_eq!(stop(&counters(), &all).map(|(rule, _)| rule), Some(StopRule::Target));
        let missed = Stop { target: Some(1.0), ..all };
        assert_eq!(stop(&counters(), &missed).map(|(rule, _)| rule), Some(StopRule::ConsecutiveCheckFailures));
    }
}
