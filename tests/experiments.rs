//! A repository with several targets, each with a config, a session and slots of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::json;
use support::{Answer, TestEnvironment};

/// Makes a repository with experiments that count different files, and no config at its root.
fn project(names: &[&str]) -> TestEnvironment {
    let env = TestEnvironment::unborn();
    for name in names {
        env.write(&format!("src/{name}"), "1000\n");
        env.script(
            &format!("experiments/{name}/bench.sh"),
            &format!("#!/bin/sh\nset -eu\necho \"METRIC work=$(cat ../../src/{name})\"\n"),
        );
        let config = json!({
            "bench": { "command": "./bench.sh", "warmup": 0 },
            "metrics": { "primary": { "name": "work" } },
            "scope": { "allow": ["src/**"] },
            "candidates": [{ "patches": "candidates" }],
            "decision": { "calibrationPairs": 4 },
        });
        env.write(&format!("experiments/{name}/autoresearch.config.json"), config.to_string());
        env.write(&format!("experiments/{name}/candidates/notes.txt"), "what is tried\n");
    }
    env.commit("experiments");
    for name in names {
        env.patch("win.patch", &format!("src/{name}"), "900\n");
        env.patch("no-op.patch", "src/none", "of no use\n");
        for (from, to) in [("win", "1-win"), ("no-op", "2-no-op")] {
            let to = env.repo().join(format!("experiments/{name}/candidates/{to}.patch"));
            std::fs::rename(env.repo().join(format!("candidates/{from}.patch")), to).unwrap();
        }
    }
    env
}

const DONE: [(&str, &str, &str, &str); 2] = [("win", "keep", "improved", ""), ("no op", "discard", "no_effect", "")];

#[test]
fn an_experiment_is_named_and_an_unknown_one_is_told_those_that_there_are() {
    let env = project(&["fast", "small"]);
    env.run(["run", "--experiment", "fast"]).expect(0);
    env.run(["--experiment", "small", "run"]).expect(0);
    for name in ["fast", "small"] {
        env.expect_verdicts(name, &DONE);
        assert_eq!(env.git(["show", &format!("autoresearch/{name}:src/{name}")]), "900\n");
        assert!(env.run(["log", "--experiment", name]).expect(0).stdout.contains("win"));
    }
    let unknown = env.run(["run", "--experiment", "none"]).expect(1);
    assert!(
        unknown.stderr.contains("no experiment 'none'") && unknown.stderr.contains("fast, small"),
        "{}",
        unknown.stderr
    );
    let unnamed = env.run(["run"]).expect(1);
    assert!(unnamed.stderr.contains("'--experiment NAME': fast, small"), "{}", unnamed.stderr);
    let config = "experiments/fast/autoresearch.config.json";
    env.run(["run", "--config", config, "--experiment", "fast"]).expect(2);
    env.run(["--config", config, "run", "--experiment", "fast"]).expect(2);
    let sessions = env.run(["log", "--session", "none"]).expect(1);
    assert!(sessions.stderr.contains("there are: fast, small"), "{}", sessions.stderr);
}

#[test]
fn the_only_experiment_is_used_and_said_and_a_config_at_the_root_goes_first() {
    let env = project(&["fast"]);
    let answer = env.run(["run"]).expect(0);
    assert!(answer.stderr.contains("using the only experiment here, '--experiment fast'"), "{}", answer.stderr);
    env.expect_verdicts("fast", &DONE);
    let status = env.run(["status", "--json"]).expect(0);
    assert_eq!(status.json()["name"], "fast");
    env.write("bench.sh", "#!/bin/sh\n");
    let root =
        json!({ "name": "root", "bench": { "command": "sh bench.sh" }, "metrics": { "primary": { "name": "work" } } });
    env.write("autoresearch.config.json", root.to_string());
    let other = env.run(["status"]).expect(1);
    assert!(other.stderr.contains("session 'root' has not run yet"), "{}", other.stderr);
    assert!(!other.stderr.contains("only experiment"), "{}", other.stderr);
}

#[test]
fn two_experiments_of_one_repository_run_at_the_same_time() {
    let env = project(&["fast", "small"]);
    let children = ["fast", "small"].map(|name| env.spawn(["run", "--experiment", name]));
    let answers = children.map(|child| Answer::from(child.wait_with_output().unwrap()));
    for answer in answers {
        answer.expect(0);
    }
    for name in ["fast", "small"] {
        env.expect_verdicts(name, &DONE);
        assert_eq!(env.git(["rev-list", "--count", &format!("main..autoresearch/{name}")]).trim(), "1");
    }
    env.git(["fsck", "--strict"]);
    env.wait_for_quiet();
}

#[test]
fn an_experiment_that_takes_the_name_of_another_ones_session_is_refused() {
    let env = project(&["fast", "small"]);
    env.run(["run", "--experiment", "fast"]).expect(0);
    let path = "experiments/small/autoresearch.config.json";
    let mut config: serde_json::Value = serde_json::from_str(&env.read(path)).unwrap();
    config["name"] = json!("fast");
    env.write(path, config.to_string());
    let refused = env.run(["run", "--experiment", "small"]).expect(1);
    assert!(
        refused.stderr.contains("session 'fast' is that of experiments/fast/autoresearch.config.json"),
        "{}",
        refused.stderr
    );
    env.expect_verdicts("fast", &DONE);
}

#[test]
fn next_steps_name_the_experiment_that_the_person_named() {
    let env = project(&["fast", "small"]);
    let named = |command: &str| format!("autoresearch --experiment fast {command}");
    let none = env.run(["status", "--experiment", "fast"]).expect(1);
    for command in ["doctor' checks", "run' starts it"] {
        assert!(none.stderr.contains(&named(command)), "{}", none.stderr);
    }
    let doctor = env.run(["doctor", "--experiment", "fast"]).expect(0);
    assert!(doctor.stdout.contains(&format!("'{}' starts the session", named("run"))), "{}", doctor.stdout);
    let run = env.run(["run", "--experiment", "fast"]).expect(0);
    assert!(run.stdout.contains(&format!("\n  {}\n", named("log"))), "{}", run.stdout);
    let review = env.run(["review", "--experiment", "fast"]).expect(0);
    for command in ["validate --leave-one-out'", "accept N...'", "show N'"] {
        assert!(review.stdout.contains(&named(command)), "{}", review.stdout);
    }
    let finalize = env.run(["finalize", "--experiment", "fast"]).expect(1);
    assert!(finalize.stderr.contains(&named("review'")), "{}", finalize.stderr);
    let reject = env.run(["reject", "--experiment", "fast", "1", "--because", "no"]).expect(0);
    assert!(reject.stdout.contains(&named("finalize' leaves it out")), "{}", reject.stdout);
    // As it was typed, and with quotes where a shell needs them.
    std::fs::rename(env.repo().join("experiments/small"), env.repo().join("experiments/so small")).unwrap();
    let config = "experiments/so small/autoresearch.config.json";
    let none = env.run(["validate", "--config", config]).expect(1);
    assert!(none.stderr.contains(&format!("'autoresearch --config \"{config}\" run' starts it")), "{}", none.stderr);
    let root = env.repo();
    let outside = env.run(["-C", root.to_str().unwrap(), "show", "--session", "fast", "99"]).expect(1);
    assert!(outside.stderr.contains(&format!("'autoresearch -C {} log' lists", root.display())), "{}", outside.stderr);
}
