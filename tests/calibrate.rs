//! `autoresearch calibrate` and the forecast: what they say, when a calibration is used again, and what it fixes.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::TestEnvironment;

/// A project whose bench counts its runs in each slot's home and prints the next of these numbers, over and over.
fn scripted(values: &[u32]) -> TestEnvironment {
    let env = TestEnvironment::hooked_project();
    let list = values.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    env.hook(&format!(
        "n=$(cat \"$HOME/count\" 2>/dev/null || echo 0); echo $((n + 1)) > \"$HOME/count\"\n\
         set -- {list}; shift $((n % $#)); echo METRIC work=$1"
    ));
    env.configure(|config| config["decision"] = json!({ "calibrationPairs": 10 }));
    env
}

fn calibrated(env: &TestEnvironment) -> Vec<Value> {
    env.events("counting", "calibrated")
}

#[test]
fn a_calibration_is_made_once_told_again_and_made_anew_when_asked() {
    let env = TestEnvironment::counting_project();
    let first = env.run(["calibrate", "--json"]).expect(0).json();
    assert_eq!((&first["reused"], &first["pairs"]), (&json!(false), &json!(4)));
    let metric = &first["metrics"][0];
    assert_eq!((&metric["metric"], &metric["median"], &metric["noise"]), (&json!("work"), &json!(1000.0), &json!(0.0)));
    assert_eq!(metric["runs"].as_array().unwrap().len(), 8);
    assert_eq!(metric["findings"], json!([]));
    assert_eq!(first["forecast"]["runs"], json!({ "no_op": 2.0, "win": 6.0, "inconclusive": 60.0 }));
    assert_eq!(env.events("counting", "stopped").len(), 1);
    let again = env.run(["calibrate", "--json"]).expect(0).json();
    assert_eq!((&again["reused"], &again["metrics"]), (&json!(true), &first["metrics"]));
    assert_eq!(calibrated(&env).len(), 1);
    env.run(["calibrate", "--pairs", "3"]).expect(2);
    let more = env.run(["calibrate", "--pairs", "6", "--json"]).expect(0).json();
    assert_eq!((&more["reused"], &more["pairs"]), (&json!(false), &json!(6)));
    env.run(["calibrate", "--fresh"]).expect(0);
    assert_eq!(calibrated(&env).len(), 3);
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    assert_eq!(calibrated(&env).len(), 3, "the session goes on from the calibration");
    assert_eq!(env.verdicts("counting")[0].1, "keep");
}

#[test]
fn a_calibration_without_a_set_number_takes_what_the_session_has_time_for() {
    let env = TestEnvironment::hooked_project();
    // Noise of a percent that differs between the slots; equal runs would need no more pairs.
    env.hook(
        "n=$(cat \"$HOME/count\" 2>/dev/null || echo 0); echo $((n + 1)) > \"$HOME/count\"\n\
         noise=$(echo \"$HOME $n\" | cksum | cut -d' ' -f1); echo METRIC work=$((1000 + noise % 10))",
    );
    env.configure(|config| {
        config["decision"] = json!({});
        config["stop"] = json!({ "maxHours": 100.0 });
    });
    assert_eq!(env.run(["calibrate", "--json"]).expect(0).json()["pairs"], 30, "they are seconds of a hundred hours");
    let shown = env.run(["config"]).expect(0).stdout;
    assert!(shown.contains("10 to 30, as the session has time"), "{shown}");
    env.configure(|config| config["stop"] = json!({ "maxHours": 0.001 }));
    assert_eq!(env.run(["calibrate", "--json"]).expect(0).json()["reused"], true, "when it ends changes no noise");
    let fresh = env.run(["calibrate", "--fresh", "--json"]).expect(0).json();
    assert_eq!(fresh["pairs"], 10, "more would be too large a share of it");
    env.configure(|config| config["decision"] = json!({ "calibrationPairs": 10 }));
    env.configure(|config| config["stop"] = json!({ "maxHours": 100.0 }));
    assert_eq!(env.run(["calibrate", "--json"]).expect(0).json()["pairs"], 10, "as it is set");
}

#[test]
fn an_old_calibration_is_made_anew() {
    let env = TestEnvironment::counting_project();
    env.run(["calibrate"]).expect(0);
    let text = env.journal_text("counting");
    let today = calibrated(&env)[0]["at"].as_str().unwrap()[..10].to_owned();
    std::fs::write(env.state("counting").join("journal.jsonl"), text.replace(&today, "2020-01-01")).unwrap();
    let answer = env.run(["calibrate", "--json"]).expect(0).json();
    assert_eq!(answer["reused"], false);
    assert_eq!(calibrated(&env).len(), 2);
}

#[test]
fn another_machine_calibrates_once_in_a_segment_of_its_own() {
    let env = TestEnvironment::counting_project();
    env.run(["calibrate"]).expect(0);
    let text = env.journal_text("counting");
    let arch = format!("\"arch\":\"{}\"", std::env::consts::ARCH);
    assert!(text.contains(&arch));
    std::fs::write(env.state("counting").join("journal.jsonl"), text.replace(&arch, "\"arch\":\"pdp11\"")).unwrap();
    assert_eq!(env.run(["calibrate", "--json"]).expect(0).json()["reused"], false);
    assert_eq!(env.events("counting", "config").last().unwrap()["why"], "the machine changed: arch");
    assert_eq!(env.run(["calibrate", "--json"]).expect(0).json()["reused"], true);
    assert_eq!(calibrated(&env).len(), 2);
}

#[test]
fn a_drifting_machine_is_told_so_with_a_plot() {
    let values: Vec<u32> = (0..10).map(|pair| 1000 + 10 * pair + 3 * (pair % 3)).collect();
    let env = scripted(&values);
    let answer = env.run(["calibrate"]).expect(0);
    let out = &answer.stdout;
    assert!(out.contains("worse from the first run to the last (p 0.0000)"), "{out}");
    assert!(out.contains("! runs became") && out.contains("-> pairs cancel it"), "{out}");
    let plot: Vec<&str> = out.lines().filter(|line| line.contains(" |")).collect();
    assert_eq!(plot.len(), 7, "{out}");
    assert!(out.is_ascii() && plot.iter().all(|line| line.len() <= 80), "{out}");
    assert!(plot[6].trim_start().starts_with("1000 |") && plot.iter().any(|line| line.contains('a')), "{out}");
    assert!(out.contains("a candidate takes about"), "{out}");
    let metric = &env.run(["calibrate", "--json"]).expect(0).json()["metrics"][0];
    assert_eq!(metric["drift"]["significant"], true);
    assert_eq!(metric["findings"].as_array().unwrap().len(), 1, "{metric:#}");
}

#[test]
fn a_night_with_a_stop_time_sizes_the_epoch_before_the_first_candidate() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["stop"] = json!({ "maxHours": 1000.0, "maxIterations": 50 }));
    for number in 1..=2 {
        env.patch(&format!("{number}.patch"), "src/other", &format!("{number}\n"));
    }
    let told = env.run(["run"]).expect(0).stderr;
    assert!(told.contains("about 2 candidates: 2 wait, and 'stop.maxIterations' leaves 50, and"), "{told}");
    assert!(told.contains("the smallest effect that they can show is"), "{told}");
    assert_eq!(calibrated(&env)[0]["epoch"], 20);
    let run = env.events("counting", "run").into_iter().find(|run| run["measured"] == true).unwrap();
    assert!((run["effect"]["alpha"].as_f64().unwrap() - 0.1 / 20.0).abs() < 1e-12, "{run}");
}

#[test]
fn a_short_night_is_warned_of_with_its_largest_cost() {
    let env = TestEnvironment::counting_project();
    env.script("checks/slow", "#!/bin/sh\nsleep 0.3\n");
    env.configure(|config| config["stop"] = json!({ "maxHours": 0.001 }));
    for number in 1..=30 {
        env.patch(&format!("{number}.patch"), "src/other", &format!("{number}\n"));
    }
    let answer = env.run(["run", "--dry-run"]).expect(0);
    assert!(answer.stdout.contains("before the stop; the checks take"), "{}", answer.stdout);
    let findings = env.run(["doctor", "--json"]).expect(0).json();
    let forecast = findings["findings"].as_array().unwrap().iter().find(|f| f["check"] == "forecast").unwrap();
    assert_eq!(forecast["verdict"], "warning");
    assert!(forecast["cure"].as_str().unwrap().contains("bench-first"), "{forecast}");
}

#[test]
fn an_exact_metric_reserves_three_pairs_for_the_validation_and_a_noisy_one_twenty() {
    let env = TestEnvironment::counting_project();
    // Without build, checks and warm-up there is little but pairs: those of the validation beside the 30 of the longest race.
    let share = |env: &TestEnvironment| {
        let forecast = env.run(["calibrate", "--fresh", "--json"]).expect(0).json()["forecast"].clone();
        let seconds = |key: &str| forecast[key].as_f64().unwrap();
        seconds("validation_s") / seconds("inconclusive_s")
    };
    assert!(share(&env) < 0.2, "3 of 30");
    env.script("bench.sh", "#!/bin/sh\nset -eu\necho \"METRIC work=$((100000 + $(od -An -N1 -tu1 /dev/urandom)))\"\n");
    assert!(share(&env) > 0.6, "20 of 30");
}

#[test]
fn a_broken_baseline_is_told_once() {
    let env = TestEnvironment::counting_project();
    env.script("checks/never", "#!/bin/sh\necho no >&2; exit 1\n");
    env.patch("1-win.patch", "src/work", "900\n");
    for command in ["calibrate", "run"] {
        let told = env.run([command]).expect(3).stderr;
        assert_eq!(told.matches("check never").count(), 1, "{told}");
    }
}
