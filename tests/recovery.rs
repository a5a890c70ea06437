//! Ends at any instant: killed, interrupted, cut off; the next run goes on and loses and doubles nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::process::{Child, Command};

use serde_json::json;
use support::{Answer, TestEnvironment, wait_for};

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// Says of a journal line whether it is an event of one kind and experiment.
fn is(line: &str, kind: &str, experiment: u64) -> bool {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["type"] == kind && line["experiment"] == experiment
}

/// Cuts the journal after its first event of a kind and experiment.
#[track_caller]
fn cut_after(env: &TestEnvironment, kind: &str, experiment: u64) {
    let text = env.journal_text("counting");
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().position(|line| is(line, kind, experiment)).expect("there is such an event");
    write_journal(env, &(lines[..=last].join("\n") + "\n"));
}

fn write_journal(env: &TestEnvironment, text: &str) {
    fs::write(env.state("counting").join("journal.jsonl"), text).unwrap();
}

/// Runs the session on and asserts that it ends as an undisturbed one: every experiment settled once, the keep on the branch.
#[track_caller]
fn goes_on(env: &TestEnvironment, expected: &[(&str, &str)]) {
    env.run(["run"]).expect(0);
    let verdicts = env.verdicts("counting");
    let plain: Vec<_> = verdicts.iter().map(|(name, status, _)| (name.as_str(), status.as_str())).collect();
    assert_eq!(plain, expected);
    let numbers: Vec<_> = env.events("counting", "run").iter().map(|run| run["run"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..=expected.len() as u64).collect::<Vec<_>>());
    let kept = env.events("counting", "run").into_iter().rev().find(|run| run["status"] == "keep").unwrap();
    assert_eq!(kept["commit"], env.rev(BRANCH));
    let keeps = expected.iter().filter(|(_, status)| *status == "keep").count();
    assert_eq!(env.git(["rev-list", "--count", &format!("main..{BRANCH}")]).trim(), keeps.to_string());
}

/// Makes a finished session of a win and a no-op.
fn finished() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    env
}

const BOTH: [(&str, &str); 2] = [("win", "keep"), ("no op", "discard")];

#[test]
fn a_keep_that_was_decided_and_moved_is_settled_by_the_next_run() {
    let env = finished();
    let kept = env.rev(BRANCH);
    cut_after(&env, "decided", 1);
    goes_on(&env, &BOTH);
    assert_eq!(env.rev(BRANCH), kept);
    assert!(env.events("counting", "recovered")[0]["action"].as_str().unwrap().contains("had moved"));
}

#[test]
fn a_keep_that_was_decided_but_not_moved_is_moved_by_the_next_run() {
    let env = finished();
    let kept = env.rev(BRANCH);
    cut_after(&env, "decided", 1);
    env.git(["update-ref", BRANCH, "main"]);
    goes_on(&env, &BOTH);
    assert_eq!(env.rev(BRANCH), kept, "the very commit that was decided");
    assert!(env.events("counting", "recovered")[0]["action"].as_str().unwrap().contains("moved the branch"));
}

#[test]
fn a_keep_that_was_decided_is_not_forced_over_somebody_elses_commit() {
    let env = finished();
    cut_after(&env, "decided", 1);
    env.git(["commit", "-q", "--allow-empty", "-m", "theirs"]);
    let theirs = env.rev("main");
    env.git(["update-ref", BRANCH, &theirs]);
    let answer = env.run(["run"]).expect(8);
    assert!(answer.stderr.contains("git branch -f autoresearch/counting"), "{}", answer.stderr);
    assert_eq!(env.rev(BRANCH), theirs);
    assert!(env.verdicts("counting").is_empty());
}

#[test]
fn a_drop_that_was_decided_is_settled_by_the_next_run() {
    let env = finished();
    cut_after(&env, "decided", 2);
    goes_on(&env, &BOTH);
    assert_eq!(env.events("counting", "pair").iter().filter(|pair| pair["experiment"] == 2).count(), {
        let run = env.settled("counting", "no op");
        usize::try_from(run["effect"]["pairs"].as_u64().unwrap()).unwrap()
    });
}

#[test]
fn a_journal_cut_within_any_line_goes_on_to_the_same_end() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let (whole, kept, base) = (env.journal_text("counting"), env.rev(BRANCH), env.rev("main"));
    let lines: Vec<&str> = whole.lines().collect();
    for n in 1..lines.len() {
        let done = lines[..n].iter().any(|line| is(line, "run", 1));
        let decided = lines[..n].iter().any(|line| is(line, "decided", 1));
        let configured = lines[..n].iter().any(|line| line.contains("\"type\":\"config\""));
        let tips: &[Option<&str>] = match (configured, decided, done) {
            (false, _, _) => &[None],
            (true, false, _) if n == 2 => &[None, Some(&base)],
            (true, false, _) => &[Some(&base)],
            (true, true, false) => &[Some(&base), Some(&kept)],
            (true, true, true) => &[Some(&kept)],
        };
        for tip in tips {
            let torn = &lines[n][..lines[n].len() / 2];
            write_journal(&env, &format!("{}\n{torn}", lines[..n].join("\n")));
            match tip {
                Some(tip) => env.git(["update-ref", BRANCH, tip]),
                None => env.git(["update-ref", "-d", BRANCH]),
            };
            eprintln!("cut after line {n}: {}", lines[n - 1]);
            goes_on(&env, &[("win", "keep")]);
            assert_eq!(env.git(["show", &format!("{BRANCH}:src/work")]), "900\n");
        }
    }
}

/// Makes a project whose bench waits, on the win only, until it is let go.
fn waiting_project() -> TestEnvironment {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| config["bench"]["timeoutSeconds"] = json!(300));
    env.patch("1-win.patch", "src/work", "900\n");
    env.hook(&format!(
        "if grep -q 900 src/work; then until [ -e {} ]; do sleep 0.01; done; fi\necho \"METRIC work=$(cat src/work)\"",
        env.beside("go").display()
    ));
    env
}

fn let_go(env: &TestEnvironment) {
    fs::write(env.beside("go"), "").unwrap();
}

fn wait_for_event(env: &TestEnvironment, kind: &str, experiment: u64) {
    wait_for(kind, || {
        let text = env.journal_text("counting");
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        complete.lines().any(|line| is(line, kind, experiment))
    });
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_session_killed_while_measuring_goes_on_and_leaves_no_process_behind() {
    let env = waiting_project();
    let before = env.belongings();
    let mut child = env.spawn(["run"]);
    wait_for_event(&env, "screened", 1);
    std::thread::sleep(std::time::Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    env.wait_for_quiet();
    assert!(env.verdicts("counting").is_empty());
    let_go(&env);
    goes_on(&env, &[("win", "keep")]);
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_session_killed_between_two_pairs_keeps_the_complete_ones() {
    let env = TestEnvironment::hooked_project();
    env.patch("1-win.patch", "src/work", "900\n");
    let journal = env.state("counting").join("journal.jsonl");
    env.hook(&format!(
        "if [ $(grep -c '\"type\":\"pair\"' {}) -ge 6 ]; then until [ -e {} ]; do sleep 0.01; done; fi\n\
         echo \"METRIC work=$(cat src/work)\"",
        journal.display(),
        env.beside("go").display()
    ));
    let mut child = env.spawn(["run"]);
    wait_for("two pairs", || env.journal_text("counting").matches("\"type\":\"pair\"").count() >= 6);
    std::thread::sleep(std::time::Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
    env.wait_for_quiet();
    let_go(&env);
    goes_on(&env, &[("win", "keep")]);
    let pairs = env.events("counting", "pair");
    let numbers: Vec<_> = pairs.iter().filter(|p| p["experiment"] == 1).map(|p| p["pair"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_session_killed_while_building_goes_on() {
    let env = TestEnvironment::counting_project();
    let go = env.beside("go");
    let build = format!("if grep -q 900 src/work; then until [ -e {} ]; do sleep 0.01; done; fi", go.display());
    env.configure(|config| config["build"] = json!({ "command": build, "timeoutSeconds": 300 }));
    env.patch("1-win.patch", "src/work", "900\n");
    let mut child = env.spawn(["run"]);
    wait_for_event(&env, "phase", 1);
    std::thread::sleep(std::time::Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
    env.wait_for_quiet();
    let_go(&env);
    goes_on(&env, &[("win", "keep")]);
}

#[test]
fn a_second_session_is_refused_with_the_pid_of_the_first() {
    let env = waiting_project();
    let child = env.spawn(["run"]);
    wait_for_event(&env, "screened", 1);
    for args in [&["run"][..], &["try", "candidates/1-win.patch"]] {
        let answer = env.run(args).expect(1);
        assert!(answer.stderr.contains(&format!("pid {}", child.id())), "{}", answer.stderr);
        assert!(answer.stderr.contains("autoresearch stop"), "{}", answer.stderr);
    }
    let_go(&env);
    Answer::from(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(env.verdicts("counting").len(), 1);
}

#[test]
fn one_interrupt_stops_after_the_step_and_the_next_run_goes_on() {
    let env = waiting_project();
    let child = env.spawn(["run"]);
    wait_for_event(&env, "screened", 1);
    std::thread::sleep(std::time::Duration::from_millis(200));
    signal(&child, "-INT");
    std::thread::sleep(std::time::Duration::from_millis(100));
    let_go(&env);
    let answer = Answer::from(child.wait_with_output().unwrap()).expect(0);
    assert!(answer.stdout.contains("requested"), "{}", answer.stdout);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "requested");
    let pairs = env.events("counting", "pair").iter().filter(|pair| pair["experiment"] == 1).count();
    assert_eq!(pairs, 1, "the pair under way was finished, and no other begun");
    goes_on(&env, &[("win", "keep")]);
    assert_eq!(env.events("counting", "pair").iter().filter(|pair| pair["experiment"] == 1).count(), 3);
}

#[test]
fn two_interrupts_end_the_session_at_once_with_the_journal_complete() {
    let env = waiting_project();
    let before = env.belongings();
    let child = env.spawn(["run"]);
    wait_for_event(&env, "screened", 1);
    std::thread::sleep(std::time::Duration::from_millis(200));
    signal(&child, "-INT");
    std::thread::sleep(std::time::Duration::from_millis(100));
    signal(&child, "-INT");
    let answer = Answer::from(child.wait_with_output().unwrap()).expect(130);
    assert!(answer.stderr.contains("'autoresearch run' goes on"), "{}", answer.stderr);
    env.wait_for_quiet();
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "interrupted");
    let_go(&env);
    goes_on(&env, &[("win", "keep")]);
    assert_eq!(env.belongings(), before);
}

#[test]
fn stop_from_another_terminal_ends_a_session_after_its_step() {
    let env = waiting_project();
    let child = env.spawn(["run"]);
    wait_for_event(&env, "screened", 1);
    env.run(["stop"]).expect(0);
    let_go(&env);
    Answer::from(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "requested");
    goes_on(&env, &[("win", "keep")]);
}

#[test]
fn a_try_beside_an_unfinished_experiment_leaves_it_to_the_next_run() {
    let env = waiting_project();
    let mut child = env.spawn(["run"]);
    wait_for_event(&env, "screened", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    env.wait_for_quiet();
    fs::create_dir(env.repo().join("tries")).unwrap();
    env.patch("no-op.patch", "src/other", "first\nsecond\nlast\n");
    fs::rename(env.repo().join("candidates/no-op.patch"), env.repo().join("tries/no-op.patch")).unwrap();
    env.run(["try", "tries/no-op.patch"]).expect(4);
    let_go(&env);
    env.run(["run"]).expect(0);
    let verdicts = env.verdicts("counting");
    let plain: Vec<_> = verdicts.iter().map(|(name, status, _)| (name.as_str(), status.as_str())).collect();
    assert_eq!(plain, [("no op", "discard"), ("win", "keep")]);
}

#[test]
fn two_experiments_left_at_once_are_both_finished_by_one_run() {
    let env = finished();
    let text = env.journal_text("counting");
    let left = |line: &&str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let before = ["proposed", "screened", "phase"].contains(&line["type"].as_str().unwrap());
        match line["experiment"].as_u64() {
            Some(0) => true,
            Some(1) => before || line["type"] == "pair",
            Some(_) => before,
            None => line["type"] != "stopped" && line["run"].as_u64().is_none_or(|run| run == 0),
        }
    };
    let kept: Vec<&str> = text.lines().filter(left).collect();
    write_journal(&env, &(kept.join("\n") + "\n"));
    env.git(["update-ref", BRANCH, "main"]);
    goes_on(&env, &BOTH);
    let recovered = env.events("counting", "recovered");
    let found: Vec<&str> = recovered.iter().map(|event| event["found"].as_str().unwrap()).collect();
    assert!(found.len() == 2 && found[0].contains("experiment 1") && found[1].contains("experiment 2"), "{found:?}");
}

#[test]
fn pairs_measured_with_another_harness_do_not_count_for_a_resumed_experiment() {
    let env = TestEnvironment::hooked_project();
    env.patch("1-worse.patch", "src/work", "1100\n");
    let journal = env.state("counting").join("journal.jsonl");
    env.hook(&format!(
        "if [ $(grep -c '\"type\":\"pair\"' {}) -ge 5 ]; then until [ -e {} ]; do sleep 0.01; done; fi\n\
         echo \"METRIC work=$((2000 - $(cat src/work)))\"",
        journal.display(),
        env.beside("go").display()
    ));
    let mut child = env.spawn(["run"]);
    wait_for("one pair", || env.journal_text("counting").matches("\"type\":\"pair\"").count() >= 5);
    child.kill().unwrap();
    child.wait().unwrap();
    env.wait_for_quiet();
    env.script("bench.sh", "#!/bin/sh\necho \"METRIC work=$(cat src/work)\"\n");
    env.run(["run"]).expect(0);
    let run = env.settled("counting", "worse");
    assert_eq!((&run["status"], &run["reason"]), (&json!("discard"), &json!("regressed")), "{run}");
    assert_eq!(run["metric"], 1100.0);
}

#[test]
fn a_damaged_line_in_the_journal_is_an_error_with_its_number_and_nothing_is_written() {
    let env = finished();
    let text = env.journal_text("counting");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[4] = "{\"type\":\"pair\",";
    let damaged = lines.join("\n") + "\n";
    write_journal(&env, &damaged);
    let answer = env.run(["run"]).expect(1);
    assert!(answer.stderr.contains("journal.jsonl, line 5"), "{}", answer.stderr);
    assert_eq!(env.journal_text("counting"), damaged);
}

#[test]
fn a_session_goes_on_from_its_own_tip_whatever_became_of_cache_objects_and_base_branch() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.write("elsewhere", "somebody works on main\n");
    env.git(["add", "elsewhere"]);
    env.git(["commit", "-q", "-m", "on main"]);
    env.git(["gc", "-q", "--prune=now"]);
    fs::remove_dir_all(env.beside("cache")).unwrap();
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", ""), ("no op", "discard", "no_effect", "")]);
    assert_eq!(env.settled("counting", "no op")["metric"], 900.0, "measured on the kept commit");
    assert_eq!(env.events("counting", "calibrated").len(), 1, "the calibration still serves");
    env.git(["fsck", "--strict"]);
}

#[test]
fn other_settings_begin_a_segment_with_its_own_calibration_on_the_same_branch() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.configure(|config| config["metrics"]["primary"]["minEffect"] = json!(0.2));
    env.patch("2-small.patch", "src/more", "1\n");
    env.run(["run"]).expect(0);
    let segments: Vec<_> =
        env.events("counting", "config").iter().map(|line| line["segment"].as_u64().unwrap()).collect();
    assert_eq!(segments, [0, 1]);
    assert_eq!(env.events("counting", "calibrated").len(), 2);
    assert_eq!(env.settled("counting", "small")["segment"], 1);
    assert_eq!(env.git(["rev-list", "--count", &format!("main..{BRANCH}")]).trim(), "1");
}
