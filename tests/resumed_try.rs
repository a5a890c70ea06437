//! `try --resume`: an inconclusive candidate gets further pairs for the same evidence, and no second chance.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::TestEnvironment;

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// Makes a project whose runs scatter by a percent, and a race of nine pairs: too short for any evidence without the bet
/// on jumps.
fn short_races() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nn=$(cat \"$HOME/n\" 2>/dev/null || echo 0)\necho $((n + 1)) > \"$HOME/n\"\n\
         echo \"METRIC work=$(($(cat src/work) + (n * 7) % 11))\"\n",
    );
    env.configure(|config| config["decision"] = json!({ "calibrationPairs": 6, "maxPairs": 9, "strict": true }));
    env.patch("1-win.patch", "src/work", "900\n");
    env
}

fn effect(run: &Value) -> &Value {
    &run["effect"]
}

fn run_line(env: &TestEnvironment, number: u64) -> Value {
    env.events("counting", "run").into_iter().find(|run| run["run"] == number).unwrap()
}

#[test]
fn an_inconclusive_candidate_goes_on_with_its_pairs_at_its_alpha_and_is_kept() {
    let env = short_races();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "discard", "inconclusive", "")]);
    let before = env.run(["status", "--json"]).expect(0).json();
    let answer = env.run(["try", "--resume", "1", "--json"]).expect(0).json();
    assert_eq!((&answer["experiment"], &answer["status"]), (&json!(2), &json!("keep")), "{answer}");
    let (first, second) = (run_line(&env, 1), run_line(&env, 2));
    for key in ["alpha", "delta0", "s", "threshold"] {
        assert_eq!(effect(&first)[key], effect(&second)[key], "{key}");
    }
    assert!(effect(&second)["pairs"].as_u64().unwrap() > 9 && effect(&second)["pairs"].as_u64().unwrap() <= 18);
    let own: Vec<u64> = env
        .events("counting", "pair")
        .iter()
        .filter(|pair| pair["experiment"] == 2 && pair["swapped"] != true)
        .map(|pair| pair["pair"].as_u64().unwrap())
        .collect();
    assert_eq!((own[0], own.len() as u64), (10, effect(&second)["pairs"].as_u64().unwrap() - 9), "{own:?}");
    let proposed = env.events("counting", "proposed").pop().unwrap();
    assert_eq!((&proposed["resumes"], &proposed["description"]), (&json!(1), &json!("win")));
    assert_eq!((&first["measured"], &second["measured"]), (&json!(true), &json!(false)), "one index for both");
    let after = env.run(["status", "--json"]).expect(0).json();
    assert_eq!(before["budget"]["measured"], after["budget"]["measured"]);
    assert_eq!(second["commit"], env.rev(BRANCH));
    assert!(env.git(["log", "-1", "--format=%B", BRANCH]).contains("pairs"));
}

#[test]
fn evidence_is_resumed_once_and_only_on_its_own_ground() {
    let env = short_races();
    let answer = env.run(["try", "--resume", "1"]).expect(1);
    assert!(answer.stderr.contains("has not run yet") && !env.has_rev(BRANCH), "{}", answer.stderr);
    env.run(["run"]).expect(0);
    let refused = |number: &str, part: &str| {
        let lines = env.events("counting", "proposed").len();
        let answer = env.run(["try", "--resume", number]).expect(1);
        assert!(answer.stderr.contains(part), "{}", answer.stderr);
        assert_eq!(env.events("counting", "proposed").len(), lines, "nothing was proposed");
    };
    refused("7", "there is no settled experiment 7");
    refused("0", "there is no settled experiment 0");
    env.patch("2-broken.patch", "src/work", "no number\n");
    env.run(["run"]).expect(0);
    refused("2", "only an inconclusive one can be resumed");
    env.run(["try", "--resume", "1", "--no-commit"]).expect(0);
    refused("1", "experiment 3 went on with experiment 1 already");
    env.run(["try"]).expect(2);
    let answer = env.run(["try", "--resume", "first"]).expect(2);
    assert!(answer.stderr.contains("autoresearch log"), "{}", answer.stderr);
    env.run(["try", "--resume", "1", "candidates/1-win.patch"]).expect(2);
}

#[test]
fn a_tip_that_moved_or_settings_that_changed_make_the_evidence_void() {
    let env = short_races();
    env.run(["run"]).expect(0);
    env.configure(|config| config["decision"]["maxPairs"] = json!(30));
    env.patch("2-more.patch", "src/more", "of no use\n");
    let answer = env.run(["try", "--resume", "1"]).expect(1);
    assert!(answer.stderr.contains("settings or harness changed since experiment 1"), "{}", answer.stderr);
    env.patch("3-great.patch", "src/work", "100\n");
    env.run(["try", "candidates/3-great.patch"]).expect(0);
    let answer = env.run(["try", "--resume", "1"]).expect(1);
    assert!(answer.stderr.contains("but the tip is"), "{}", answer.stderr);
    assert!(answer.stderr.contains("given.patch"), "{}", answer.stderr);
}

#[test]
fn a_resumed_candidate_that_is_interrupted_goes_on_with_both_its_parts() {
    let env = short_races();
    env.run(["run"]).expect(0);
    env.run(["try", "--resume", "1"]).expect(0);
    let (kept, text) = (run_line(&env, 2), env.journal_text("counting"));
    let lines: Vec<&str> = text.lines().collect();
    let eleventh = lines.iter().position(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["type"] == "pair" && line["experiment"] == 2 && line["pair"] == 11
    });
    fs::write(env.state("counting").join("journal.jsonl"), lines[..=eleventh.unwrap()].join("\n") + "\n").unwrap();
    env.git(["update-ref", BRANCH, "main"]);
    env.run(["run"]).expect(0);
    let again = run_line(&env, 2);
    assert_eq!(again["status"], "keep", "{again}");
    assert_eq!(effect(&again)["alpha"], effect(&kept)["alpha"]);
    assert_eq!(again["measured"], json!(false));
    let pairs = env.events("counting", "pair");
    let own: Vec<&Value> = pairs
        .iter()
        .filter(|pair| pair["experiment"] == 2 && pair["swapped"] != true)
        .map(|pair| &pair["pair"])
        .collect();
    assert_eq!(own[..2], [&json!(10), &json!(11)], "{own:?}");
    assert_eq!(effect(&again)["pairs"].as_u64().unwrap(), 9 + own.len() as u64);
}

/// Makes short races judged by several metrics: a bench that prints them, and how they are judged.
fn several(bench: &str, metrics: &Value) -> TestEnvironment {
    let env = short_races();
    env.script(
        "bench.sh",
        &format!(
            "#!/bin/sh\nset -eu\nn=$(cat \"$HOME/n\" 2>/dev/null || echo 0)\necho $((n + 1)) > \"$HOME/n\"\n\
             w=$(($(cat src/work) + (n * 7) % 11))\n{bench}\n"
        ),
    );
    env.configure(|config| config["metrics"] = metrics.clone());
    env
}

/// Resumes the first experiment of several metrics, and asserts that each is judged as before.
#[track_caller]
fn goes_on_by_the_same_terms(env: &TestEnvironment, metrics: &[(&str, u64)]) {
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "discard", "inconclusive", "")]);
    let whole = env.journal_text("counting");
    forget_terms(env);
    let answer = env.run(["try", "--resume", "1"]).expect(1);
    assert!(answer.stderr.contains("whose races are not all on record"), "{}", answer.stderr);
    assert!(answer.stderr.contains("given.patch"), "{}", answer.stderr);
    fs::write(env.state("counting").join("journal.jsonl"), whole).unwrap();
    let answer = env.run(["try", "--resume", "1", "--json"]).expect(0).json();
    assert_eq!((&answer["experiment"], &answer["status"]), (&json!(2), &json!("keep")), "{answer}");
    let terms: Vec<Value> =
        env.events("counting", "decided").iter().map(|line| line["comparison"]["terms"].clone()).collect();
    assert_eq!(terms[0], terms[1]);
    let named: Vec<_> =
        terms[0].as_array().unwrap().iter().map(|t| (t["metric"].clone(), t["primary"].clone())).collect();
    assert_eq!(named, metrics.iter().map(|(name, of)| (json!(name), json!(of))).collect::<Vec<_>>());
    let (first, second) = (run_line(env, 1), run_line(env, 2));
    assert_eq!(effect(&first)["alpha"], effect(&second)["alpha"]);
    assert!(effect(&second)["pairs"].as_u64().unwrap() > 9, "{second}");
    assert_eq!(second["measured"], json!(false));
}

/// Makes the journal one of before, which says of several metrics only how the first was judged.
fn forget_terms(env: &TestEnvironment) {
    let lines = env.journal("counting").into_iter().map(|mut line| {
        if let Some(comparison) = line["comparison"].as_object_mut() {
            comparison.remove("terms");
        }
        line.to_string() + "\n"
    });
    let text: String = lines.collect();
    fs::write(env.state("counting").join("journal.jsonl"), text).unwrap();
}

#[test]
fn a_candidate_of_several_primaries_goes_on_too() {
    let bench = "echo METRIC work=$w\necho METRIC size=$((5000 + (n * 3) % 7))";
    let metrics = json!({ "primary": { "name": "work" }, "coPrimary": [{ "name": "size" }] });
    goes_on_by_the_same_terms(&several(bench, &metrics), &[("work", 0), ("size", 1)]);
}

#[test]
fn a_candidate_of_a_suite_goes_on_too() {
    let bench = "echo METRIC q.a=$w\necho METRIC q.b=$((2 * w + (n * 5) % 13))";
    let metrics = json!({ "primary": { "name": "worst(q.*)" } });
    goes_on_by_the_same_terms(&several(bench, &metrics), &[("q.a", 0), ("q.b", 0)]);
}
