//! Going on after any end: what still counts of what was measured, what does not, and that the session says which and why.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::TestEnvironment;

/// A project of a win and a no-op whose session came to its end.
fn finished() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    env
}

fn configs(env: &TestEnvironment) -> Vec<Value> {
    env.events("counting", "config")
}

fn calibrations(env: &TestEnvironment) -> usize {
    env.events("counting", "calibrated").len()
}

fn notes(env: &TestEnvironment) -> Vec<String> {
    let notes = env.events("counting", "note");
    notes.iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_session_that_goes_on_unchanged_says_that_its_calibration_serves() {
    let env = finished();
    env.patch("3-more.patch", "src/more", "1\n");
    let answer = env.run(["run"]).expect(0);
    assert!(answer.stderr.contains("; its calibration still serves"), "{}", answer.stderr);
    assert_eq!((configs(&env).len(), calibrations(&env)), (1, 1));
    assert_eq!(env.verdicts("counting").len(), 3);
}

#[test]
fn what_changes_only_the_candidates_and_the_end_opens_a_segment_and_keeps_calibration_and_plateau() {
    let env = finished();
    env.configure(|config| {
        config["stop"] = json!({ "maxIterations": 100, "plateau": 2, "maxHours": 7.5 });
        config["candidates"] = json!([{ "patches": "candidates" }, { "patches": "more" }]);
        config["scope"] = json!({ "allow": ["src/**", "lib/**"] });
    });
    fs::create_dir(env.repo().join("more")).unwrap();
    env.patch("3-more.patch", "src/more", "1\n");
    env.patch("4-late.patch", "src/late", "1\n");
    env.run(["run"]).expect(0);
    assert_eq!(calibrations(&env), 1);
    let config = configs(&env).pop().unwrap();
    assert_eq!((&config["segment"], &config["measured_since"]), (&json!(1), &json!(0)));
    let why = config["why"].as_str().unwrap();
    for key in ["stop.maxIterations", "stop.plateau", "stop.maxHours", "candidates[1].patches", "scope.allow"] {
        assert!(why.starts_with("the settings changed: ") && why.contains(key), "{why}");
    }
    assert!(!why.contains("bench") && !why.contains("harness"), "{why}");
    // The no-op of before counts: two iterations without a keep, over both segments.
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "plateau");
    assert_eq!(env.verdicts("counting").len(), 3);
    assert!(env.run(["log"]).expect(0).stdout.contains("more"));
}

#[test]
fn what_changes_the_measuring_calibrates_again_and_says_what_it_is() {
    let env = finished();
    env.configure(|config| {
        config["bench"]["warmup"] = json!(1);
        config["stop"] = json!({ "maxHours": 8.0 });
    });
    let answer = env.run(["run"]).expect(0);
    assert_eq!(configs(&env).last().unwrap()["why"], "the settings changed: bench.warmup, stop.maxHours");
    assert_eq!(configs(&env).last().unwrap()["measured_since"], json!(null));
    let told = "calibrating again: the settings changed: bench.warmup, stop.maxHours";
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
    assert_eq!((calibrations(&env), notes(&env)), (2, vec![told.to_owned()]));

    env.script("bench.sh", "#!/bin/sh\nset -eu\necho 'by another way' >&2\necho \"METRIC work=$(cat src/work)\"\n");
    let answer = env.run(["run"]).expect(0);
    assert!(answer.stderr.contains("calibrating again: the harness changed: bench.sh"), "{}", answer.stderr);
    assert_eq!(calibrations(&env), 3);
    env.run(["run"]).expect(0);
    assert_eq!((configs(&env).len(), calibrations(&env)), (3, 3), "and that is all");
}

#[test]
fn an_old_calibration_is_made_again_and_its_age_is_told() {
    let env = finished();
    let aged: Vec<String> = env
        .journal("counting")
        .into_iter()
        .map(|mut line| {
            if line["type"] == "calibrated" {
                line["at"] = json!("2020-01-01T00:00:00Z");
            }
            line.to_string()
        })
        .collect();
    fs::write(env.state("counting").join("journal.jsonl"), aged.join("\n") + "\n").unwrap();
    let answer = env.run(["run"]).expect(0);
    assert!(answer.stderr.contains("hours old, and one serves for 24"), "{}", answer.stderr);
    assert_eq!((configs(&env).len(), calibrations(&env)), (1, 2));
}

/// Cuts the journal after a number of pairs of experiment 1, as a kill would.
fn cut_within_a_race(env: &TestEnvironment, pairs: usize) {
    let text = env.journal_text("counting");
    let of_race = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["type"] == "pair" && line["experiment"] == 1
    };
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().enumerate().filter(|(_, line)| of_race(line)).nth(pairs - 1).unwrap().0;
    fs::write(env.state("counting").join("journal.jsonl"), lines[..=last].join("\n") + "\n").unwrap();
    env.git(["update-ref", "refs/heads/autoresearch/counting", "main"]);
}

#[test]
fn the_pairs_of_an_interrupted_race_count_after_a_change_of_its_end_and_not_after_one_of_its_bench() {
    let numbers = |env: &TestEnvironment| -> Vec<u64> {
        let pairs = env.events("counting", "pair").into_iter().filter(|pair| pair["experiment"] == 1);
        pairs.map(|pair| pair["pair"].as_u64().unwrap()).collect()
    };
    let env = finished();
    let undisturbed = numbers(&env);
    cut_within_a_race(&env, 2);
    env.configure(|config| config["stop"] = json!({ "maxHours": 8.0 }));
    env.run(["run"]).expect(0);
    assert_eq!(numbers(&env), undisturbed, "each pair was measured once");

    let env = finished();
    cut_within_a_race(&env, 2);
    env.configure(|config| config["bench"]["warmup"] = json!(1));
    env.run(["run"]).expect(0);
    let again: Vec<u64> = [&[1, 2], undisturbed.as_slice()].concat();
    assert_eq!(numbers(&env), again, "the race began anew");
}

#[test]
fn another_base_in_the_config_moves_nothing_and_says_how_to() {
    let env = finished();
    env.git(["branch", "elsewhere", "main"]);
    env.configure(|config| config["base"] = json!("elsewhere"));
    let answer = env.run(["run"]).expect(0);
    let base = &env.rev("main")[..10];
    let told = format!("the session's base stays {base}; 'autoresearch run --rebase REF' moves it");
    assert!(answer.stderr.contains(&told), "{}", answer.stderr);
    assert_eq!(calibrations(&env), 1);
}

/// Cuts the journal after the first event of a kind and experiment, as a kill would.
fn cut_after(env: &TestEnvironment, kind: &str, experiment: u64) {
    let text = env.journal_text("counting");
    let is = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["type"] == kind && line["experiment"] == experiment
    };
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().position(|line| is(line)).unwrap();
    fs::write(env.state("counting").join("journal.jsonl"), lines[..=last].join("\n") + "\n").unwrap();
}

#[test]
fn an_interrupted_refusal_of_what_is_no_candidate_is_settled_for_the_same_reason() {
    let env = TestEnvironment::counting_project();
    env.raw_patch("1-empty.patch", "From: a <a@b>\nSubject: [PATCH] nothing\n\nWhy.\n---\n");
    env.raw_patch("2-junk.patch", "no patch at all\n");
    env.run(["run"]).expect(0);
    let (whole, expected) = (env.journal_text("counting"), env.verdicts("counting"));
    let plain: Vec<_> = expected.iter().map(|(_, _, reason)| reason.as_str()).collect();
    assert_eq!(plain, ["empty", "apply_failed"]);
    for kind in ["proposed", "screened", "decided"] {
        for experiment in [1, 2] {
            fs::write(env.state("counting").join("journal.jsonl"), &whole).unwrap();
            cut_after(&env, kind, experiment);
            env.run(["run"]).expect(0);
            assert_eq!(env.verdicts("counting"), expected, "cut after {kind} of {experiment}");
            let screened = env.events("counting", "screened");
            assert_eq!(screened.len(), 2, "cut after {kind} of {experiment}: {screened:?}");
        }
    }
}

#[test]
fn sources_that_take_turns_go_on_with_the_next_ones_turn() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| {
        config["candidates"] = json!([{ "patches": "candidates" }, { "patches": "others" }]);
        config["candidatesOrder"] = json!("turns");
    });
    fs::create_dir(env.repo().join("others")).unwrap();
    for n in 1..=3 {
        env.patch(&format!("{n}-one.patch"), &format!("src/one{n}"), "1\n");
        env.patch("other.patch", &format!("src/other{n}"), "1\n");
        let other = env.repo().join(format!("others/{n}-other.patch"));
        fs::rename(env.repo().join("candidates/other.patch"), other).unwrap();
    }
    for most in 1..=6 {
        env.run(["run", "--max-iterations", &most.to_string()]).expect(0);
    }
    let names: Vec<String> = env.verdicts("counting").into_iter().map(|(name, _, _)| name).collect();
    assert_eq!(names, ["one", "other", "one", "other", "one", "other"]);
}
