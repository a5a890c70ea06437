//! Deciding about keeps: by commands, and in a dialogue on a terminal.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot be set up has failed, and says what it skips"
)]

mod support;

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::{Answer, TestEnvironment, wait_for};

/// Makes a session with three keeps: 1 and 3 touch `src/work`, 2 touches `src/more`.
fn kept() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.write("src/more", "1000\n");
    env.script("bench.sh", "#!/bin/sh\nset -eu\necho \"METRIC work=$(($(sed -n 1p src/work) + $(cat src/more)))\"\n");
    env.write("src/work", "1000\n\n\n\n\n\n\n\nend\n");
    env.commit("a sum");
    env.patch("1-work.patch", "src/work", "700\n\n\n\n\n\n\n\nend\n");
    env.patch("2-more.patch", "src/more", "500\n");
    let more = env.read("candidates/2-more.patch");
    let told = "Subject: read less\n\nHalf of it is never used.\n\nIdea: halves\nAsi-mechanism: fewer reads\n---\n";
    env.raw_patch("2-more.patch", told.to_owned() + &more);
    env.raw_patch("3-work.patch", "--- a/src/work\n+++ b/src/work\n@@ -1,2 +1,2 @@\n-700\n+600\n \n");
    assert!(env.run(["run"]).expect(0).stdout.contains("3 tried, 3 kept"));
    env
}

/// Starts the program on a pseudo terminal of its own; `None` where there is no program that gives one.
fn on_terminal(env: &TestEnvironment, args: &[&str]) -> Option<Child> {
    if !Command::new("script").arg("--version").output().is_ok_and(|answer| answer.status.success()) {
        eprintln!("SKIPPED: there is no 'script' of util-linux, so no terminal to ask on");
        return None;
    }
    let inner = env.command(args);
    let words = [inner.get_program()].into_iter().chain(inner.get_args());
    let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut command = Command::new("script");
    command.args(["-qec", &line.join(" "), "/dev/null"]).current_dir(env.repo()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("SHELL", "/bin/sh");
    Some(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// Types lines, then ends the input.
fn typed(env: &TestEnvironment, args: &[&str], lines: &str) -> Option<Answer> {
    let mut child = on_terminal(env, args)?;
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    Some(Answer::from(child.wait_with_output().unwrap()))
}

/// Returns the decisions in the journal: which keep, what, and why.
fn decisions(env: &TestEnvironment) -> Vec<(u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = env.journal("counting").into_iter().filter(|line| line["type"] == "reviewed");
    lines.map(|line| (line["experiment"].as_u64().unwrap(), text(&line["review"]), text(&line["because"]))).collect()
}

fn decision(number: u64, review: &str, because: &str) -> (u64, String, String) {
    (number, review.to_owned(), because.to_owned())
}

#[test]
fn a_dialogue_takes_each_keep_in_the_order_of_the_table_and_ends_with_the_next_step() {
    let env = kept();
    let lines = "a\nr\n\nnot what it seems\nl\n";
    let Some(answer) = typed(&env, &["review", "--interactive"], lines) else { return };
    let answer = answer.expect(0);
    assert_eq!(
        decisions(&env),
        [decision(2, "accepted", ""), decision(1, "rejected", "not what it seems"), decision(3, "later", "")]
    );
    for part in [
        "2 of 3 give 85 % of the gain in 4 lines",
        "1 of 3   #2 read less",
        "  effect      work -29.4 % [-29.4, -29.4], as it was raced",
        "  cost        2 lines in 1 file: src/more",
        "  hypothesis  Half of it is never used.",
        "  mechanism   fewer reads",
        "#2 [a]ccept [r]eject [l]ater [p]atch [s]how [b]ack [q]uit [?] ",
        "a rejection needs its reason",
        "1 accepted, 1 rejected, 1 later, 0 not answered",
        "'autoresearch finalize --preview' shows the review branches",
    ] {
        assert!(answer.stdout.contains(part), "no '{part}' in:\n{}", answer.stdout);
    }
    assert!(env.read("ideas.md").contains("rejected by a person: not what it seems"));
    // What touches the file of the rejected one was looked at again, and the session stands as it stood.
    assert!(answer.stdout.contains("later keeps of the same files"), "{}", answer.stdout);
    assert_eq!(env.events("counting", "stopped").pop().unwrap()["rule"], "candidates_exhausted");
}

#[test]
fn a_later_dialogue_asks_about_what_is_left_and_shows_what_is_asked_for() {
    let env = kept();
    env.run(["accept", "2"]).expect(0);
    env.run(["later", "1"]).expect(0);
    let Some(answer) = typed(&env, &["review", "-i"], "p\ns\nb\nq\n") else { return };
    let answer = answer.expect(0);
    assert!(!answer.stdout.contains("#2 [a]ccept"), "{}", answer.stdout);
    for part in
        ["1 of 2   #1 work", "  decided     later", "  -1000\r\n  +700", "experiment 1: work", "this is the first"]
    {
        assert!(answer.stdout.contains(part), "no '{part}' in:\n{}", answer.stdout);
    }
    assert!(answer.stdout.contains("0 accepted, 0 rejected, 0 later, 2 not answered"), "{}", answer.stdout);
    assert_eq!(decisions(&env).len(), 2, "looking decides nothing");
    env.run(["accept", "1", "3"]).expect(0);
    let done = typed(&env, &["review", "-i"], "").unwrap().expect(0);
    assert!(done.stdout.contains("every keep is decided"), "{}", done.stdout);
}

#[test]
fn each_answer_is_in_the_journal_before_the_next_question() {
    let env = kept();
    let Some(mut child) = on_terminal(&env, &["review", "-i", "--no-retest"]) else { return };
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(b"a\n").unwrap();
    wait_for("the first decision", || decisions(&env).len() == 1);
    keyboard.write_all(b"r no\n").unwrap();
    wait_for("the second decision", || decisions(&env).len() == 2);
    wait_for("the closed idea", || env.repo().join("ideas.md").exists());
    // The terminal goes away in the middle of a question.
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(decisions(&env), [decision(2, "accepted", ""), decision(1, "rejected", "no")]);
    let rows = env.run(["review", "--json"]).expect(0).json();
    let decided: Vec<&Value> = rows["rows"].as_array().unwrap().iter().map(|row| &row["review"]).collect();
    assert_eq!(decided, [&json!("accepted"), &json!("rejected"), &Value::Null]);
    env.run(["later", "3"]).expect(0);
}

#[test]
fn without_a_terminal_the_dialogue_names_the_commands_that_need_none() {
    let env = kept();
    let refused = env.run(["review", "--interactive"]).expect(2);
    for part in ["asks on a terminal", "autoresearch accept", "autoresearch reject", "autoresearch later"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    env.run(["review", "--interactive", "--json"]).expect(2);
    assert_eq!(decisions(&env), []);
}

#[test]
fn several_keeps_are_decided_by_one_command_and_one_that_is_none_decides_nothing() {
    let env = kept();
    env.run(["accept", "1", "7"]).expect(1);
    env.run(["reject", "3", "7", "--because", "no"]).expect(1);
    assert_eq!(decisions(&env), []);
    env.run(["accept", "2", "#2"]).expect(0);
    env.run(["reject", "3", "1", "--because", "not now", "--no-retest"]).expect(0);
    assert_eq!(
        decisions(&env),
        [decision(2, "accepted", ""), decision(3, "rejected", "not now"), decision(1, "rejected", "not now")]
    );
    let ideas = env.read("ideas.md");
    assert!(ideas.contains("keep-3") && ideas.contains("keep-1"), "{ideas}");
}

#[test]
fn a_rejection_measures_later_keeps_of_its_files_and_keeps_the_guard_of_the_session() {
    let env = TestEnvironment::counting_project();
    env.write("src/work", "1000\n\n\n\n\n\n0\n");
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nsum=0\nfor n in $(cat src/work); do sum=$((sum + n)); done\necho \"METRIC work=$sum\"\n",
    );
    env.commit("two numbers");
    env.write("src/work", "1000\n\n\n\n\n\n500\n");
    env.commit("larger");
    env.raw_patch("1-first.patch", "--- a/src/work\n+++ b/src/work\n@@ -1,2 +1,2 @@\n-1000\n+800\n \n");
    env.raw_patch("2-second.patch", "--- a/src/work\n+++ b/src/work\n@@ -6,2 +6,2 @@\n \n-500\n+100\n");
    let guard = env.beside("guard.json");
    let holdout = json!({ "command": "./bench.sh", "metrics": [{ "name": "work", "tolerance": 0.01 }] });
    std::fs::write(&guard, holdout.to_string()).unwrap();
    assert!(env.run(["run", "--holdout", guard.to_str().unwrap()]).expect(0).stdout.contains("2 tried, 2 kept"));
    let answer = env.run(["reject", "1", "--because", "no"]).expect(0);
    assert!(answer.stdout.contains("work -26.7 % [-26.7, -26.7]: still pays"), "{}", answer.stdout);
    assert_eq!(env.events("counting", "config").len(), 1, "no settings changed, the holdout is still there");
}
