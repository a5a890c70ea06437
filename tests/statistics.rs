//! Holds the decision rule to the worked cases of `tests/golden/decision.json`, made by an independent implementation.

use autoresearch::stats::{
    Call, Look, PairScale, Race, RaceRule, differences, lower_bound, report_effect, sentinel_test, validation_interval,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    format: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    ring: Vec<f64>,
    s: f64,
    threshold: f64,
    alpha: f64,
    min_effect: f64,
    delta0: f64,
    n_min: u32,
    n_max: u32,
    patience: f64,
    pairs: Vec<(f64, f64)>,
    expect: Expected,
    report: ExpectedReport,
    #[serde(default)]
    sentinels: Vec<SentinelCase>,
    validation: ExpectedInterval,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    verdict: String,
    pairs: u32,
    effect: f64,
    ln_e: Option<f64>,
    jump: bool,
    scale: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedReport {
    effect: f64,
    se: f64,
    gain: f64,
    low: f64,
    high: f64,
    bound: Option<f64>,
}

/// Differences are those of the first `pairs` pairs, negated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentinelCase {
    pairs: usize,
    tolerance: f64,
    count: u32,
    expect: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedInterval {
    effect: f64,
    low: f64,
    high: f64,
}

fn cases() -> Vec<Case> {
    let golden: Golden = serde_json::from_str(include_str!("golden/decision.json")).expect("the worked cases parse");
    assert_eq!((golden.format, golden.cases.len()), (2, 133));
    golden.cases
}

#[track_caller]
fn same(case: &Case, what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9, "{}: {what} {found} for {expected}", case.name);
}

#[track_caller]
fn same_option(case: &Case, what: &str, found: Option<f64>, expected: Option<f64>) {
    assert_eq!(found.is_some(), expected.is_some(), "{}: {what} {found:?} for {expected:?}", case.name);
    if let (Some(found), Some(expected)) = (found, expected) {
        same(case, what, found, expected);
    }
}

/// Runs a case's race to its verdict.
fn raced(case: &Case) -> Race {
    let rule = RaceRule {
        alpha: case.alpha,
        min_effect: case.min_effect,
        delta0: case.delta0,
        max_pairs: case.n_max,
        patience: case.patience,
        strict: false,
    };
    let mut race = Race::new(rule, PairScale { s: case.s, threshold: case.threshold });
    for &(baseline, candidate) in &case.pairs {
        if race.push(baseline, candidate) != Call::Undecided {
            break;
        }
    }
    race
}

#[test]
fn every_ring_gives_the_scale_of_its_worked_case() {
    for case in cases() {
        let scale = PairScale::of(&case.ring).unwrap();
        same(&case, "s", scale.s, case.s);
        same(&case, "threshold", scale.threshold, case.threshold);
    }
}

#[test]
fn every_race_ends_as_its_worked_case() {
    for case in cases() {
        assert_eq!(case.n_min, 3, "the rule fixes it");
        let standing = raced(&case).standing();
        let verdict = match standing.call {
            Call::Undecided => "undecided",
            Call::Keep => "keep",
            Call::Discard => "discard",
            Call::Inconclusive => "inconclusive",
        };
        assert_eq!((verdict, standing.pairs), (case.expect.verdict.as_str(), case.expect.pairs), "{}", case.name);
        assert_eq!(standing.jump, case.expect.jump, "{}: jump", case.name);
        same(&case, "effect", standing.mu, case.expect.effect);
        same_option(&case, "ln E", standing.ln_e, case.expect.ln_e);
        same(&case, "scale", standing.s, case.expect.scale.unwrap_or(case.s));
    }
}

#[test]
fn every_report_and_bound_is_that_of_its_worked_case() {
    for case in cases() {
        let race = raced(&case);
        let report = race.report().unwrap();
        same(&case, "reported effect", report.mu, case.report.effect);
        same(&case, "se", report.se, case.report.se);
        same(&case, "gain", report.gain, case.report.gain);
        same(&case, "low", report.low, case.report.low);
        same(&case, "high", report.high, case.report.high);
        same_option(&case, "bound", race.bound(), case.report.bound);
    }
}

#[test]
fn report_and_bound_of_bare_differences_are_those_of_the_race() {
    for case in cases() {
        let race = raced(&case);
        let standing = race.standing();
        assert_eq!(Some(report_effect(race.differences(), standing.s)), race.report(), "{}", case.name);
        if standing.s > 0.0 {
            let scale = PairScale { s: standing.s, threshold: case.threshold };
            assert_eq!(lower_bound(race.differences(), scale, standing.jump), race.bound(), "{}", case.name);
        }
    }
}

#[test]
fn every_sentinel_says_what_its_worked_case_says() {
    let mut looked = 0;
    for case in cases() {
        let d: Vec<f64> = differences(&case.pairs).iter().map(|d| -d).collect();
        let s = raced(&case).standing().s;
        for sentinel in &case.sentinels {
            let found = match sentinel_test(&d[..sentinel.pairs], s, sentinel.tolerance, sentinel.count) {
                Look::Pass => "pass",
                Look::Fail => "fail",
                Look::More => "more",
                Look::Unresolved => "unresolved",
            };
            assert_eq!(found, sentinel.expect, "{}: {} pairs, {}", case.name, sentinel.pairs, sentinel.tolerance);
            looked += 1;
        }
    }
    assert_eq!(looked, 440);
}

#[test]
fn every_validation_interval_is_that_of_its_worked_case() {
    for case in cases() {
        let interval = validation_interval(&differences(&case.pairs[..20])).unwrap();
        same(&case, "validation effect", interval.mu, case.validation.effect);
        same(&case, "validation low", interval.low, case.validation.low);
        same(&case, "validation high", interval.high, case.validation.high);
    }
}
