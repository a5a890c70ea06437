//! What settings do to whole sessions: where commands start, what they are given, and when a session ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::json;
use support::TestEnvironment;

fn patches(env: &TestEnvironment, count: u32) {
    for n in 1..=count {
        env.patch(&format!("{n}-no-op.patch"), "src/other", &format!("{n}\n"));
    }
}

#[test]
fn a_session_stops_at_its_number_of_iterations_and_does_not_begin_another() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["stop"] = json!({ "maxIterations": 2 }));
    env.raw_patch("0-junk.patch", "refused at the screen, which is no iteration");
    patches(&env, 4);
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 3);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "max_iterations");
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 3);
}

#[test]
fn a_session_stops_on_a_plateau_and_at_its_target() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["stop"] = json!({ "plateau": 2, "target": 800.0 }));
    patches(&env, 3);
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 2);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "plateau");

    let env = TestEnvironment::counting_project();
    env.configure(|config| config["stop"] = json!({ "plateau": 2, "target": 800.0 }));
    env.patch("0-win.patch", "src/work", "750\n");
    patches(&env, 1);
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 1);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "target");
}

#[test]
fn the_same_check_failing_again_and_again_stops_the_session_with_8() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["stop"] = json!({ "consecutiveCheckFailures": 2 }));
    env.script("checks/strict", "#!/bin/sh\ngrep -q second src/other\n");
    patches(&env, 4);
    env.run(["run"]).expect(8);
    assert_eq!(env.verdicts("counting").len(), 2);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "consecutive_check_failures");
}

#[test]
fn an_experiment_in_a_folder_of_its_own_finds_its_files_there() {
    let env = TestEnvironment::unborn();
    env.write("src/work", "1000\n");
    env.write("experiments/one/local", "in the experiment's folder\n");
    env.script(
        "experiments/one/bench.sh",
        "#!/bin/sh\nset -eu\ntest -f local\necho \"METRIC work=$(cat ../../src/work)\"\n",
    );
    env.script("experiments/one/checks/positive", "#!/bin/sh\ntest -f local\n");
    env.write(
        "experiments/one/autoresearch.config.json",
        r#"{ "bench": { "command": "./bench.sh" }, "metrics": { "primary": { "name": "work" } },
             "candidates": [ { "patches": "candidates" } ], "scope": { "allow": ["src/**"] } }"#,
    );
    env.commit("an experiment");
    env.patch("1-win.patch", "src/work", "900\n");
    std::fs::rename(env.repo().join("candidates"), env.repo().join("experiments/one/candidates")).unwrap();
    let before = env.belongings();
    env.run(["--config", "experiments/one/autoresearch.config.json", "run"]).expect(0);
    env.expect_verdicts("one", &[("win", "keep", "improved", "")]);
    env.run(["-C", "experiments/one", "run"]).expect(0);
    assert_eq!(env.verdicts("one").len(), 1);
    assert_eq!(env.git(["show", "autoresearch/one:src/work"]), "900\n");
    assert_eq!(env.belongings(), before);
}

#[test]
fn what_prepare_makes_is_there_for_every_candidate() {
    let env = TestEnvironment::counting_project();
    env.write(".gitignore", "/deps\n/secret\n/data\n");
    env.git(["add", ".gitignore"]);
    env.git(["commit", "-q", "-m", "ignore"]);
    env.write("secret", "copied\n");
    env.write("data/in/deep", "copied\n");
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\ntest -f deps/made\ntest -f secret\ntest -f data/in/deep\necho \"METRIC work=$(cat src/work)\"\n",
    );
    env.configure(|config| {
        config["prepare"] = json!({ "command": "mkdir -p deps && cp secret deps/made", "copy": ["secret", "data"] });
    });
    env.patch("1-win.patch", "src/work", "900\n");
    patches(&env, 1);
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", ""), ("no op", "discard", "no_effect", "")]);
    env.patch("3-more.patch", "src/more", "1\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("more", "discard", "no_effect", "")]);
}

#[test]
fn metrics_come_from_the_file_alone_where_that_is_asked() {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\necho METRIC work=1\necho \"METRIC work=$(cat src/work)\" >> \"$AUTORESEARCH_METRICS\"\n",
    );
    env.configure(|config| config["bench"]["metricsFile"] = json!(true));
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "win")["metric"], 900.0);
}

#[test]
fn a_sentinel_that_must_stay_the_same_drops_a_candidate_that_changes_it() {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\necho \"METRIC work=$(cat src/work)\"\necho \"METRIC lines=$(wc -l < src/other)\"\n",
    );
    env.configure(|config| config["metrics"]["sentinels"] = json!([{ "name": "lines", "exact": true }]));
    env.commit("a sentinel");
    env.change("1-shorter.patch", |env| {
        env.write("src/work", "900\n");
        env.write("src/other", "first\n");
    });
    env.patch("2-right.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[("shorter", "discard", "sentinel_regressed", "lines"), ("right", "keep", "improved", "")],
    );
}

#[test]
fn checks_may_follow_the_bench_and_still_forbid_a_keep() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["checks"] = json!({ "order": "bench-first" }));
    env.script("checks/limit", "#!/bin/sh\ntest $(cat src/work) != 900\n");
    env.patch("1-wrong.patch", "src/work", "900\n");
    env.patch("2-right.patch", "src/work", "910\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[("wrong", "checks_failed", "check_failed", "limit"), ("right", "keep", "improved", "")],
    );
    let pairs = env.events("counting", "pair").into_iter().filter(|pair| pair["experiment"] == 1).count();
    assert_eq!(pairs, 3, "it was measured before it was checked");
}
