//! A record of a session proves its branch: every verdict follows from its pairs, every commit from its line, and whoever
//! changes either is found out.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use support::TestEnvironment;

/// A session with two keeps, a drop and a failed check, on the branch autoresearch/counting.
fn session() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.patch("01-less.patch", "src/work", "700\n");
    env.patch("02-same.patch", "src/other", "first\nsecond\nlast\n");
    env.patch("03-more.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env
}

/// Copies the repository with its branches, but without the session's state: somebody else's machine.
fn elsewhere(env: &TestEnvironment) -> TestEnvironment {
    let other = TestEnvironment::unborn();
    let from = env.repo();
    other.git(["fetch", "-q", "--update-head-ok", from.to_str().unwrap(), "+refs/heads/*:refs/heads/*"]);
    other
}

fn rewrite(env: &TestEnvironment, from: &str, to: &str) {
    let path = env.state("counting").join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in the journal:\n{text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_record_holds_here_and_on_another_machine() {
    let env = session();
    let said = env.run(["verify"]).expect(0).stdout;
    assert!(said.contains("verdicts follow from their pairs") && said.contains("the record holds"), "{said}");
    let file = env.beside("session.bundle");
    let told = env.run(["bundle", file.to_str().unwrap()]).expect(0).stdout;
    assert!(told.contains("refs/autoresearch-records/counting"), "{told}");
    let other = elsewhere(&env);
    let branch = "autoresearch/counting";
    let answer = other.run(["verify", branch, "--bundle", file.to_str().unwrap(), "--json"]).expect(0).json();
    assert_eq!(answer["holds"], true, "{answer}");
    assert_eq!(answer["missing"].as_array().unwrap().len(), 0, "{answer}");
    let commits = answer["commits"].as_array().unwrap();
    assert!(!commits.is_empty() && commits.iter().all(|commit| commit["fault"].is_null()), "{answer}");
    assert!(answer["verdicts"].as_array().unwrap().len() >= 2, "{answer}");
}

#[test]
fn a_pushed_ref_is_as_good_as_a_file() {
    let env = session();
    env.run(["bundle"]).expect(0);
    let other = elsewhere(&env);
    let record = "refs/autoresearch-records/counting";
    other.git(["fetch", "-q", env.repo().to_str().unwrap(), &format!("{record}:{record}")]);
    let said = other.run(["verify", "autoresearch/counting", "--ref", record]).expect(0).stdout;
    assert!(said.contains("the record holds"), "{said}");
}

#[test]
fn a_changed_measurement_is_found_out() {
    let env = session();
    rewrite(&env, r#""work":700.0"#, r#""work":1000.0"#);
    let said = env.run(["verify"]).expect(7).stdout;
    assert!(said.contains("but its pairs") && said.contains("does not hold"), "{said}");
}

#[test]
fn a_commit_that_says_or_does_something_else_is_found_out() {
    let env = session();
    env.git(["checkout", "-q", "-b", "sold", "autoresearch/counting"]);
    let message = env.git(["log", "-1", "--format=%B"]);
    let better = message.replace("\nEffect: -", "\nEffect: -9");
    assert_ne!(message, better);
    env.git(["commit", "-q", "--amend", "-m", &better]);
    let said = env.run(["verify", "sold"]).expect(7).stdout;
    assert!(said.contains("its Effect says -9"), "{said}");
    env.git(["commit", "-q", "--amend", "-m", &message]);
    env.run(["verify", "sold"]).expect(0);
    env.write("src/other", "smuggled\n");
    env.git(["commit", "-q", "-a", "--amend", "--no-edit"]);
    let said = env.run(["verify", "sold"]).expect(7).stdout;
    assert!(said.contains("its change is patch"), "{said}");
    env.git(["reset", "-q", "--hard", "autoresearch/counting"]);
    env.write("src/other", "more\n");
    env.git(["commit", "-q", "-a", "-m", "One more thing"]);
    let said = env.run(["verify", "sold"]).expect(7).stdout;
    assert!(said.contains("it carries no experiment"), "{said}");
}
