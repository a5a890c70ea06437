//! Each rule that ends a session: named in the journal and at the end, counted over restarts, and met at a start it ends
//! that at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Answer, TestEnvironment, wait_for};

/// One candidate of each kind: its file's content is a number that the project's bench and check know.
const WIN: &str = "900\n";
const NO_OP: &str = "1000 \n";
const CRASH: &str = "7\n";
const WRONG: &str = "8\n";

/// A rule, its setting, the candidates of a first and of a second start, and what ends the second.
struct Case {
    stop: Value,
    first: &'static [&'static str],
    second: &'static [&'static str],
    rule: &'static str,
    detail: &'static str,
    code: i32,
    /// How many of the candidates are settled then.
    settled: usize,
}

/// A project whose bench fails on [`CRASH`] and whose check fails on [`WRONG`], with other words for each candidate.
fn project(stop: &Value) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nread -r work < src/work\n[ $work -gt 7 ]\necho \"METRIC work=$work\"\n",
    );
    env.script("checks/limit", "#!/bin/sh\nread -r work < src/work\ncat src/other >&2\n[ $work -ne 8 ]\n");
    env.configure(|config| {
        config["stop"] = stop.clone();
        config["checks"] = json!({ "inventory": "off" });
    });
    env.write("candidates/.keep", "");
    env
}

/// Queues candidates behind those that are there.
fn queue(env: &TestEnvironment, contents: &[&str]) {
    let there = std::fs::read_dir(env.repo().join("candidates")).unwrap().count();
    for (at, content) in contents.iter().enumerate() {
        // Each another patch: the same one twice would be a duplicate.
        env.change(&format!("{}-candidate.patch", there + at), |env| {
            env.write("src/work", content);
            env.write("src/other", format!("variant {}\n", there + at));
        });
    }
}

/// Asserts that a start ended by a rule, as the journal and the program's last words tell it.
#[track_caller]
fn expect_stop(env: &TestEnvironment, answer: Answer, (rule, detail, code): (&str, &str, i32)) {
    let answer = answer.expect(code);
    let stopped = env.events("counting", "stopped").pop().unwrap();
    assert_eq!((stopped["rule"].as_str(), stopped["detail"].as_str()), (Some(rule), Some(detail)));
    assert!(answer.stdout.starts_with(&format!("stopped: {rule} ({detail})\n")), "{}", answer.stdout);
    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["standing"], json!({ "state": "stopped", "rule": rule, "detail": detail }));
}

/// Counts the lines of the journal that say that a command ran.
fn phases(env: &TestEnvironment) -> usize {
    env.events("counting", "phase").len()
}

fn judge(case: &Case) {
    let env = project(&case.stop);
    env.commit("a project with a limit");
    queue(&env, case.first);
    let answer = env.run(["run"]);
    expect_stop(&env, answer, ("candidates_exhausted", "every candidate was tried", 0));
    assert_eq!(env.verdicts("counting").len(), case.first.len());

    queue(&env, case.second);
    let end = (case.rule, case.detail, case.code);
    let answer = env.run(["run"]);
    expect_stop(&env, answer, end);
    assert_eq!(env.verdicts("counting").len(), case.settled, "{}", case.rule);

    let before = phases(&env);
    let answer = env.run(["run"]);
    expect_stop(&env, answer, end);
    assert_eq!(phases(&env), before, "nothing is built to find out that {} holds already", case.rule);
}

#[test]
fn iterations_are_counted_over_restarts() {
    judge(&Case {
        stop: json!({ "maxIterations": 2 }),
        first: &[NO_OP],
        second: &[CRASH, NO_OP],
        rule: "max_iterations",
        detail: "2 of 2 iterations",
        code: 0,
        settled: 2,
    });
}

#[test]
fn iterations_without_a_keep_are_counted_over_restarts() {
    judge(&Case {
        stop: json!({ "plateau": 2 }),
        first: &[CRASH],
        second: &[WRONG, NO_OP],
        rule: "plateau",
        detail: "2 iterations without a keep",
        code: 0,
        settled: 2,
    });
}

#[test]
fn failures_of_the_same_check_are_counted_over_restarts() {
    judge(&Case {
        stop: json!({ "consecutiveCheckFailures": 2 }),
        first: &[NO_OP, WRONG],
        second: &[WRONG, NO_OP],
        rule: "consecutive_check_failures",
        detail: "check 'limit' failed 2 times in a row",
        code: 8,
        settled: 3,
    });
}

#[test]
fn crashes_are_counted_over_restarts() {
    judge(&Case {
        stop: json!({ "consecutiveCrashes": 2 }),
        first: &[CRASH, NO_OP, CRASH],
        second: &[CRASH, NO_OP],
        rule: "consecutive_crashes",
        detail: "2 iterations in a row crashed",
        code: 8,
        settled: 4,
    });
}

#[test]
fn a_target_is_reached_by_a_keep_and_stays_so() {
    judge(&Case {
        stop: json!({ "target": 950.0 }),
        first: &[NO_OP],
        second: &[WIN, NO_OP],
        rule: "target",
        detail: "the primary's median 900 reached the target 950",
        code: 0,
        settled: 2,
    });
}

#[test]
fn a_target_that_the_baseline_reaches_leaves_nothing_to_try() {
    let env = project(&json!({}));
    env.commit("a project with a limit");
    queue(&env, &[WIN]);
    let answer = env.run(["run", "--target", "1000"]);
    expect_stop(&env, answer, ("target", "the primary's median 1000 reached the target 1000", 0));
    assert!(env.verdicts("counting").is_empty());
}

#[test]
fn the_plateau_can_be_given_for_one_start() {
    let env = project(&json!({ "plateau": 9 }));
    env.commit("a project with a limit");
    queue(&env, &[NO_OP, NO_OP]);
    let answer = env.run(["run", "--plateau", "1"]);
    expect_stop(&env, answer, ("plateau", "1 iteration without a keep", 0));
}

#[test]
fn hours_are_counted_over_restarts() {
    let env = project(&json!({ "maxHours": 1.0 }));
    env.commit("a project with a limit");
    queue(&env, &[NO_OP]);
    env.run(["run"]).expect(0);
    // The first start began two hours earlier than it did.
    let began = env.journal("counting")[1]["at"].as_str().unwrap().to_owned();
    let earlier = began.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_hours(2);
    let text = env.journal_text("counting").replacen(&began, &earlier.to_string(), 1);
    std::fs::write(env.state("counting").join("journal.jsonl"), text).unwrap();
    queue(&env, &[WIN]);
    let before = phases(&env);
    let answer = env.run(["run"]);
    expect_stop(&env, answer, ("max_hours", "2.00 of 1 hours", 0));
    assert_eq!((env.verdicts("counting").len(), phases(&env)), (1, before));
}

#[test]
fn a_time_of_day_ends_a_session_that_waits_for_candidates() {
    let env = project(&json!({}));
    env.commit("a project with a limit");
    // A time zone in which the next minute begins in fifteen seconds.
    let into_minute = jiff::Timestamp::now().as_second().rem_euclid(60);
    let shift = (45 - into_minute).rem_euclid(60);
    let local = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(shift + 30);
    let until = local.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M").to_string();
    let answer =
        env.command(["run", "--follow", "--until", &until]).env("TZ", format!("TST-00:00:{shift:02}")).output();
    let answer: Answer = answer.unwrap().into();
    expect_stop(&env, answer, ("until", &format!("it is {until}"), 0));
}

#[test]
fn a_file_ends_a_session_and_each_later_one_until_it_is_removed() {
    let env = project(&json!({ "file": "STOP" }));
    env.commit("a project with a limit");
    queue(&env, &[NO_OP]);
    env.write("STOP", "");
    let end = ("stop_file", "STOP is there; remove it to go on", 0);
    let answer = env.run(["run"]);
    expect_stop(&env, answer, end);
    assert_eq!(phases(&env), 0);
    std::fs::remove_file(env.repo().join("STOP")).unwrap();
    let child = env.spawn(["run", "--follow"]);
    wait_for("the first candidate", || env.verdicts("counting").len() == 1);
    env.write("STOP", "");
    expect_stop(&env, child.wait_with_output().unwrap().into(), end);
}

#[test]
fn a_low_disk_ends_a_session_with_the_cure() {
    let env = project(&json!({}));
    env.configure(|config| config["limits"] = json!({ "diskFreeBytes": 1_u64 << 60 }));
    env.commit("a project with a limit");
    let answer = env.run(["run"]).expect(8);
    assert!(answer.stderr.contains("'autoresearch clean'"), "{}", answer.stderr);
    assert_eq!(env.events("counting", "stopped").pop().unwrap()["rule"], "disk_low");
}

#[test]
fn a_request_and_a_ctrl_c_end_a_session_that_waits_for_candidates() {
    for by_signal in [false, true] {
        let env = project(&json!({}));
        env.commit("a project with a limit");
        queue(&env, &[NO_OP]);
        let child = env.spawn(["run", "--follow"]);
        wait_for("the first candidate", || {
            env.state("counting").join("journal.jsonl").exists() && env.verdicts("counting").len() == 1
        });
        if by_signal {
            assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        } else {
            env.run(["stop"]).expect(0);
        }
        expect_stop(&env, child.wait_with_output().unwrap().into(), ("requested", "asked to stop", 0));
        let answer = env.run(["run"]);
        expect_stop(&env, answer, ("candidates_exhausted", "every candidate was tried", 0));
    }
}

#[test]
fn a_session_without_any_candidate_says_where_it_looked() {
    let env = TestEnvironment::counting_project();
    let stopped = |env: &TestEnvironment| {
        let answer = env.run(["run"]).expect(0);
        let last = env.events("counting", "stopped").pop().unwrap();
        assert_eq!(last["rule"], "candidates_exhausted");
        let detail = last["detail"].as_str().unwrap().to_owned();
        assert!(answer.stdout.contains(&detail), "{}", answer.stdout);
        (detail, answer.stderr)
    };
    env.write("candidates/1-win.txt", "not taken\n");
    let (detail, told) = stopped(&env);
    assert_eq!(detail, "nothing to try: there is no *.patch or *.diff file in candidates");
    assert!(told.contains("no candidate waits"), "{told}");
    env.configure(|config| {
        config["candidates"] = json!([{ "patches": "candidates" }, { "commits": "main..main" },
            { "sweep": { "file": "src/work", "pattern": "(\\d+)", "name": "work", "values": [1000] } }]);
    });
    let expected = "no *.patch or *.diff file in candidates, and no commit in main..main, and no value of work other than the present one";
    assert_eq!(stopped(&env).0, format!("nothing to try: there is {expected}"));
    env.patch("2-win.patch", "src/work", WIN);
    let rest = "no commit in main..main, and no value of work other than the present one";
    assert_eq!(stopped(&env).0, format!("every candidate was tried; there is {rest}"));
    env.configure(|config| config["candidates"] = json!([]));
    assert_eq!(stopped(&env).0, "nothing to try: the config names no source under 'candidates'");
}
