//! The user's programs around each experiment: what they are told, what of them is kept, and that none stops a session.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::{Answer, TestEnvironment, wait_for};

/// A project of a win and a no-op with these hooks, each a script of that name.
fn project(hooks: &[(&str, &str)]) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    for (moment, script) in hooks {
        env.script(&format!("hooks/{moment}.sh"), script);
        env.configure(|config| config["hooks"][*moment] = json!(format!("hooks/{moment}.sh")));
    }
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env
}

/// Returns what hooks wrote to a file beside the repository, line by line.
fn told(env: &TestEnvironment) -> Vec<Value> {
    let text = std::fs::read_to_string(env.beside("told")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the calls in the journal as (moment, experiment).
fn calls(env: &TestEnvironment) -> Vec<(String, u64)> {
    let named = |line: &Value| (line["moment"].as_str().unwrap().to_owned(), line["experiment"].as_u64().unwrap());
    env.events("counting", "hook").iter().map(named).collect()
}

fn both(first: u64, last: u64) -> Vec<(String, u64)> {
    (first..=last).flat_map(|n| [("before".to_owned(), n), ("after".to_owned(), n)]).collect()
}

#[test]
fn hooks_are_told_the_session_and_its_settling_lines_in_the_keys_of_old() {
    let script = "#!/bin/sh\ncat >> ../told\n";
    let env = project(&[("before", script), ("after", script)]);
    env.run(["run"]).expect(0);
    assert_eq!(calls(&env), both(1, 2));
    let [first, win, second, no_op] = told(&env).try_into().unwrap();
    let cwd = std::fs::canonicalize(env.repo()).unwrap();
    let session = |best: f64, count: u32| {
        json!({ "metric_name": "work", "metric_unit": "", "direction": "lower", "baseline_metric": 1000.0,
                "best_metric": best, "run_count": count, "goal": "work, lower is better" })
    };
    assert_eq!((&first["event"], &first["cwd"]), (&json!("before"), &json!(cwd)));
    assert_eq!((&first["next_run"], &first["last_run"]["run"]), (&json!(1), &json!(0)));
    assert_eq!(first["last_run"]["description"], "baseline");
    assert_eq!(first["session"], session(1000.0, 0));
    assert!(first.get("run_entry").is_none() && win.get("last_run").is_none(), "{first} {win}");
    assert_eq!((&win["event"], &win["session"]), (&json!("after"), &session(900.0, 1)));
    let line = &env.events("counting", "run")[1];
    for key in ["type", "run", "commit", "metric", "metrics", "status", "description", "timestamp", "segment", "asi"] {
        assert_eq!(win["run_entry"][key], line[key], "{key}");
    }
    assert_eq!((&second["next_run"], &second["last_run"]), (&json!(2), &win["run_entry"]));
    assert_eq!((&no_op["run_entry"]["status"], &no_op["session"]), (&json!("discard"), &session(900.0, 2)));
}

#[test]
fn the_first_of_the_output_is_kept_and_only_settling_lines_have_a_numeric_run() {
    let after = "#!/bin/sh\necho \"$AUTORESEARCH_EVENT $AUTORESEARCH_RUN $AUTORESEARCH_STATUS $AUTORESEARCH_CHANGE\"\n\
                 head -c 20000 /dev/zero | tr '\\0' x\n";
    let env = project(&[("after", after)]);
    env.run(["run"]).expect(0);
    let lines = env.events("counting", "hook");
    let output = lines[0]["output"].as_str().unwrap();
    assert!(output.starts_with("after 1 keep -10.0 % [-10.0, -10.0]\nxxx"), "{output}");
    assert_eq!(output.len(), 8192);
    assert!(lines[1]["output"].as_str().unwrap().starts_with("after 2 discard "), "{}", lines[1]);
    for line in env.journal("counting").iter().filter(|line| line["type"] != "run") {
        assert!(!line["run"].is_number(), "{line}");
    }
}

#[test]
fn a_hook_that_fails_is_told_and_stops_nothing() {
    let env = project(&[("after", "#!/bin/sh\necho some >&2\necho 'no such channel' >&2\nexit 3\n")]);
    env.configure(|config| config["hooks"]["before"] = json!(["./no-such-hook"]));
    let answer = env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 2);
    let failures: Vec<Value> = env.events("counting", "hook").iter().map(|line| line["failure"].clone()).collect();
    assert_eq!(failures[1], "after 'hooks/after.sh' ended with exit code 3: no such channel");
    assert!(
        failures[0].as_str().unwrap().starts_with("before './no-such-hook' ended with exit code 127: "),
        "{failures:?}"
    );
    assert!(answer.stderr.contains("hook: after 'hooks/after.sh' ended with exit code 3: no such channel"));
    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["last_error"]["what"], format!("hook: {}", failures[1].as_str().unwrap()));
    assert_eq!(status["last_error"]["experiment"], 2);
}

#[test]
fn a_second_ctrl_c_ends_a_hook_with_all_that_it_started_and_the_experiment_stays_settled() {
    let env = project(&[("after", "#!/bin/sh\nsleep 100 &\n: > ../waits\nsleep 100\n")]);
    let child = env.spawn(["run"]);
    wait_for("the hook", || env.beside("waits").exists());
    for _ in 0..2 {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Answer::from(child.wait_with_output().unwrap()).expect(130);
    env.wait_for_quiet();
    assert_eq!(env.settled("counting", "win")["status"], "keep");
    assert_eq!(env.events("counting", "hook")[0]["failure"], "after 'hooks/after.sh' was ended with the session");
    env.script("hooks/after.sh", "#!/bin/sh\n");
    env.run(["run"]).expect(0);
    assert_eq!(calls(&env), [("after".to_owned(), 1), ("after".to_owned(), 2)], "once for each");
}

#[test]
fn a_session_that_goes_on_tells_the_last_line_of_the_one_before() {
    let script = "#!/bin/sh\ncat >> ../told\n";
    let env = project(&[("before", script)]);
    std::fs::rename(env.repo().join("candidates/2-no-op.patch"), env.beside("held.patch")).unwrap();
    env.run(["run"]).expect(0);
    std::fs::rename(env.beside("held.patch"), env.repo().join("candidates/2-no-op.patch")).unwrap();
    env.run(["run"]).expect(0);
    let told = told(&env);
    assert_eq!((told.len(), &told[1]["last_run"]["description"]), (2, &json!("win")));
}

#[test]
fn a_trial_of_one_candidate_calls_no_hooks() {
    let env = project(&[("before", "#!/bin/sh\n: > ../called\n"), ("after", "#!/bin/sh\n: > ../called\n")]);
    env.run(["try", "candidates/1-win.patch"]).expect(0);
    env.run(["run", "--dry-run"]).expect(0);
    assert!(!env.beside("called").exists() && env.events("counting", "hook").is_empty());
}

#[test]
fn a_hook_that_cannot_be_started_is_told_before_it_is_needed() {
    let env = project(&[("after", "#!/bin/sh\n")]);
    env.write("hooks/plain.sh", "#!/bin/sh\n");
    env.configure(|config| {
        config["hooks"]["before"] = json!("hooks/plain.sh --now");
        config["candidates"] = json!([]);
    });
    let told = "'hooks.before' starts hooks/plain.sh, which is not executable";
    let doctor = env.run(["doctor", "--json"]).expect(0).json();
    let warnings: Vec<&Value> = doctor["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["check"] == "commands" && f["verdict"] == "warning")
        .collect();
    assert_eq!(warnings.len(), 1, "the hook that can be started is not told: {doctor}");
    assert_eq!((&warnings[0]["detail"], &warnings[0]["cure"]), (&json!(told), &json!("chmod +x hooks/plain.sh")));
    let run = env.run(["run"]).expect(0);
    assert!(run.stderr.contains(&format!("warning: {told}; chmod +x hooks/plain.sh\n")), "{}", run.stderr);
    assert!(env.events("counting", "hook").is_empty(), "no experiment, no call");
}

/// Returns the script below a heading of docs/hooks.md.
fn example(heading: &str) -> String {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hooks.md")).unwrap();
    let (_, below) = text.split_once(&format!("\n### {heading}\n")).unwrap();
    let (_, script) = below.split_once("```sh\n").unwrap();
    script.split_once("```").unwrap().0.to_owned()
}

/// Returns a search path on which `autoresearch` is this program.
fn path(env: &TestEnvironment) -> OsString {
    let tools = env.beside("tools");
    std::fs::create_dir_all(&tools).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_autoresearch"), tools.join("autoresearch")).unwrap();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&rest))).unwrap()
}

fn run_with_program(env: &TestEnvironment) -> Answer {
    env.command(["run"]).env("PATH", path(env)).output().unwrap().into()
}

#[test]
fn the_documents_example_tags_what_was_kept() {
    let env = project(&[("after", &example("Tag the winners"))]);
    run_with_program(&env).expect(0);
    assert_eq!(env.git(["tag"]), "kept/counting/1\n");
    assert_eq!(env.rev("kept/counting/1"), env.rev("refs/heads/autoresearch/counting"));
    assert!(env.events("counting", "hook").iter().all(|line| line["failure"].is_null()));
}

#[test]
fn the_documents_examples_stop_a_session_on_a_condition() {
    let env = project(&[("after", &example("Stop on a condition, by a file"))]);
    env.configure(|config| config["stop"] = json!({ "file": "STOP" }));
    let answer = run_with_program(&env).expect(0);
    assert!(answer.stdout.starts_with("stopped: stop_file (STOP is there; remove it to go on)\n"), "{}", answer.stdout);
    assert_eq!(env.verdicts("counting").len(), 1);

    let env = project(&[("after", &example("Stop on a condition, by a command"))]);
    env.script("bench.sh", "#!/bin/sh\n[ $(cat src/work) != 900 ] || exit 1\necho \"METRIC work=$(cat src/work)\"\n");
    let answer = run_with_program(&env).expect(0);
    assert!(answer.stdout.starts_with("stopped: requested (asked to stop)\n"), "{}", answer.stdout);
    assert_eq!(env.verdicts("counting").len(), 1);
    assert!(env.events("counting", "hook")[0]["output"].as_str().unwrap().starts_with("asked session 'counting'"));
}
