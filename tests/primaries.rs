//! Co-primaries, suites and simplifications, with a bench that prints counters.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::json;
use support::TestEnvironment;

/// A project whose bench prints every file of `src/metrics` as a metric, and some code beside it.
fn suite_project(metrics: serde_json::Value) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    for (name, value) in [("work", "1000"), ("commits", "40"), ("q.a", "200"), ("q.b", "5000"), ("q.c", "30")] {
        env.write(&format!("src/metrics/{name}"), format!("{value}\n"));
    }
    env.write("src/code", "one\ntwo\nthree\nfour\n");
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nfor file in src/metrics/*; do echo \"METRIC ${file##*/}=$(cat \"$file\")\"; done\n",
    );
    env.configure(|config| config["metrics"] = metrics);
    env.commit("a suite");
    env
}

/// Makes a candidate that sets metrics.
fn set(env: &TestEnvironment, patch: &str, values: &[(&str, &str)]) {
    env.change(patch, |env| {
        for (name, value) in values {
            env.write(&format!("src/metrics/{name}"), format!("{value}\n"));
        }
    });
}

fn co_primary() -> serde_json::Value {
    json!({
        "primary": { "name": "work" },
        "coPrimary": [ { "name": "commits", "unit": "fsyncs", "scale": "linear", "minEffect": 1 } ],
    })
}

#[test]
fn a_win_on_a_co_primary_is_kept_unless_the_primary_loses_more_than_its_minimum_effect() {
    let env = suite_project(co_primary());
    set(&env, "1-same.patch", &[("q.a", "201")]);
    set(&env, "2-loses.patch", &[("commits", "20"), ("work", "1030")]);
    set(&env, "3-wins.patch", &[("commits", "30"), ("work", "1005")]);
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("same", "discard", "no_effect", "no effect"),
            ("loses", "discard", "sentinel_regressed", "work regressed: a primary that did not win, tolerance 1.00 %"),
            ("wins", "keep", "improved", "commits: better"),
        ],
    );
    let won = env.settled("counting", "wins");
    assert_eq!(won["effect_of"], 1);
    assert_eq!(won["effect"]["scale"], "linear");
    assert_eq!(won["effect"]["mu"], 10.0);
    assert_eq!(won["metric"], 1005.0, "existing readers see the first primary");
    let message = env.git(["log", "-1", "--format=%B", won["commit"].as_str().unwrap()]);
    assert!(message.contains("Effect: -10 [-10, -10] fsyncs, 3 pairs of commits"), "{message}");
    for name in ["work", "commits"] {
        let rows = message.lines().filter(|line| line.trim_start().starts_with(&format!("{name} "))).count();
        assert_eq!(rows, 1, "{name}: {message}");
    }
    let configured = &env.events("counting", "config")[0];
    assert_eq!((&configured["metricName"], &configured["bestDirection"]), (&json!("work"), &json!("lower")));
    let log = env.run(["log"]).expect(0).stdout;
    assert!(log.contains("-10 [-10, -10] commits"), "{log}");
    let shown = env.run(["show", "3"]).expect(0).stdout;
    assert!(shown.contains("commits -10 [-10, -10] over 3 pairs: improved"), "{shown}");
    assert!(shown.contains("work +0.5 % [+0.5, +0.5] over 3 pairs: regressed"), "{shown}");
    let json = env.run(["show", "3", "--json"]).expect(0).json();
    assert!(json.to_string().contains("\"co_primaries\""), "{json}");
    assert!(env.run(["status"]).expect(0).stdout.contains("commits, lower is better"));
}

#[test]
fn a_geometric_mean_is_a_primary_and_its_parts_may_be_sentinels() {
    let env = suite_project(json!({
        "primary": { "name": "geomean(q.*)" },
        "sentinels": [ { "name": "q.*", "tolerance": 0.1, "toleranceAbs": 5 }, { "name": "commits", "max": 50 },
                       { "name": "wor?", "exact": true } ],
    }));
    set(&env, "1-one-worse.patch", &[("q.a", "100"), ("q.b", "3000"), ("q.c", "40")]);
    set(&env, "2-limit.patch", &[("q.a", "100"), ("commits", "51")]);
    set(&env, "3-exact.patch", &[("q.a", "100"), ("work", "999")]);
    env.change("4-missing.patch", |env| std::fs::remove_file(env.repo().join("src/metrics/q.c")).unwrap());
    set(&env, "5-better.patch", &[("q.a", "150"), ("q.b", "4000"), ("q.c", "33")]);
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("better", "keep", "improved", ""),
            ("one worse", "discard", "sentinel_regressed", "q.c regressed"),
            ("limit", "discard", "sentinel_regressed", "commits broke its limit"),
            ("exact", "discard", "sentinel_regressed", "work differs"),
            ("missing", "crash", "metric_missing", "q.c"),
        ],
    );
    let better = env.settled("counting", "better");
    let expected = (150.0_f64 * 4000.0 * 33.0).cbrt();
    assert!((better["metric"].as_f64().unwrap() - expected).abs() < 1e-6, "{better}");
}

#[test]
fn the_parts_of_a_geometric_mean_are_fixed_by_the_calibration_also_after_a_restart() {
    let env = suite_project(json!({ "primary": { "name": "geomean(q.*)" } }));
    set(&env, "1-new.patch", &[("q.new", "1")]);
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("new", "discard", "no_effect", "")]);
    env.change("2-missing.patch", |env| std::fs::remove_file(env.repo().join("src/metrics/q.c")).unwrap());
    set(&env, "3-win.patch", &[("q.c", "20")]);
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("missing", "crash", "metric_missing", "q.c"), ("win", "keep", "improved", "")]);
    assert_eq!(env.events("counting", "calibrated").len(), 1);
}

#[test]
fn the_worst_of_a_suite_improves_only_when_every_metric_does() {
    let env = suite_project(
        json!({ "primary": { "name": "worst(q.*)" }, "sentinels": [ { "name": "worst(c*)", "tolerance": 0.05 } ] }),
    );
    set(&env, "1-two.patch", &[("q.a", "100"), ("q.b", "2500")]);
    set(&env, "2-sentinel.patch", &[("q.a", "100"), ("q.b", "3000"), ("q.c", "10"), ("commits", "50")]);
    set(&env, "3-all.patch", &[("q.a", "150"), ("q.b", "4500"), ("q.c", "24")]);
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("two", "discard", "no_effect", ""),
            ("sentinel", "discard", "sentinel_regressed", "commits regressed"),
            ("all", "keep", "improved", ""),
        ],
    );
    let all = env.settled("counting", "all");
    assert!((all["metric"].as_f64().unwrap() - 0.9).abs() < 1e-12, "q.b gained least: {all}");
    assert!((all["effect"]["mu"].as_f64().unwrap() - (5000.0_f64 / 4500.0).ln()).abs() < 1e-12);
    assert_eq!(env.events("counting", "run")[0]["metric"], 1.0);
    let message = env.git(["log", "-1", "--format=%B", "autoresearch/counting"]);
    assert!(
        ["worst(q.*) ", "q.a ", "q.b ", "q.c "].iter().all(|name| message.contains(&format!("    {name}"))),
        "{message}"
    );
}

/// Writes a candidate whose goal is to simplify.
fn simplify(env: &TestEnvironment, name: &str, change: impl FnOnce(&TestEnvironment)) {
    let (diff, _) = env.diff_of(change);
    let diff = String::from_utf8(diff).unwrap();
    let subject = name.trim_end_matches(".patch");
    let mail = format!(
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A Person <a@example.com>\n\
         Date: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: [PATCH] {subject}\n\nLess to read.\n\nGoal: simplify\n---\n\n{diff}-- \n2.43.0\n"
    );
    env.raw_patch(name, mail);
}

#[test]
fn a_simplification_is_kept_as_simpler_when_it_costs_less_than_the_minimum_effect() {
    let env = suite_project(json!({
        "primary": { "name": "work" },
        "sentinels": [ { "name": "commits", "tolerance": 0.05 } ],
    }));
    simplify(&env, "1-costs.patch", |env| {
        env.write("src/code", "one\n");
        env.write("src/metrics/work", "1020\n");
    });
    simplify(&env, "2-grows.patch", |env| env.write("src/code", "one\ntwo\nthree\nfour\nfive\n"));
    simplify(&env, "3-sentinel.patch", |env| {
        env.write("src/code", "two\n");
        env.write("src/metrics/commits", "50\n");
    });
    env.change("4-no-goal.patch", |env| env.write("src/code", "three\n"));
    simplify(&env, "5-simpler.patch", |env| {
        env.write("src/code", "one\ntwo\n");
        env.write("src/metrics/work", "1005\n");
    });
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("1-costs", "discard", "regressed", "worse"),
            ("2-grows", "discard", "no_effect", ""),
            ("3-sentinel", "discard", "sentinel_regressed", "commits regressed"),
            ("no goal", "discard", "no_effect", ""),
            ("5-simpler", "keep", "simpler", "no worse, told after 3 pairs"),
        ],
    );
    let screened = env.events("counting", "screened");
    let grows = screened.iter().find(|line| line["experiment"] == 2).unwrap();
    assert!(grows["warnings"][0].as_str().unwrap().contains("removes no more lines than it adds"), "{grows}");
    assert_eq!(screened.iter().find(|line| line["experiment"] == 5).unwrap()["lines_removed"], 2);
    assert_eq!(env.git(["show", "autoresearch/counting:src/code"]), "one\ntwo\n");
}

#[test]
fn a_simplification_that_gains_is_an_improvement() {
    let env = suite_project(json!({ "primary": { "name": "work" } }));
    simplify(&env, "1-faster.patch", |env| {
        env.write("src/code", "one\n");
        env.write("src/metrics/work", "900\n");
    });
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("1-faster", "keep", "improved", "")]);
}
