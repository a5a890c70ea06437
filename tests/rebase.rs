//! A session that goes on from another base: what it kept is saved, tried again there first, and nothing old counts as kept.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::TestEnvironment;

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// A project whose work is the sum of several files, so that changes of it meet in no line.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    for (file, work) in [("a", 300), ("b", 300), ("c", 400)] {
        env.write(&format!("src/{file}"), format!("{work}\n"));
    }
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\necho \"METRIC work=$(cat src/a src/b src/c | awk '{s+=$1} END {print s}')\"\n",
    );
    env.write("ideas.md", "# Ideas\n\n## To try\n\n- [ ] **less-a** Less of a.\n\n## Tried\n");
    env.commit("work in parts");
    let mail = format!(
        "From {} Mon Sep 17 00:00:00 2001\nFrom: Ann Other <ann@example.org>\nSubject: [PATCH] less of a\n\nBecause.\n\n\
         Idea: less-a\n---\n\n--- a/src/a\n+++ b/src/a\n@@ -1 +1 @@\n-300\n+250\n-- \n2.47.3\n",
        "1".repeat(40)
    );
    env.raw_patch("1-less-of-a.patch", mail);
    env.patch("2-less-of-b.patch", "src/b", "200\n");
    env.patch("3-less-of-c.patch", "src/c", "350\n");
    env.patch("4-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env
}

/// Moves `main` to a commit that has the change of `b`, another value of `c`, and a file of its own.
fn move_main(env: &TestEnvironment) {
    env.write("src/b", "200\n");
    env.write("src/c", "500\n");
    env.write("src/theirs", "theirs\n");
    env.git(["add", "src"]);
    env.git(["commit", "-q", "-m", "the others went on"]);
}

/// Returns what became of each candidate since the last move of the base.
fn since_rebase(env: &TestEnvironment) -> Vec<(String, String, String)> {
    let lines = env.journal("counting");
    let moved = lines.iter().rposition(|line| line["type"] == "rebased").unwrap();
    let runs = lines[moved..].iter().filter(|line| line["type"] == "run" && line["run"] != 0);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    runs.map(|run| (text(&run["description"]), text(&run["status"]), text(&run["reason"]))).collect()
}

fn expected() -> Vec<(String, String, String)> {
    let all =
        [("less of a", "keep", "improved"), ("less of b", "discard", "empty"), ("less of c", "crash", "apply_failed")];
    all.map(|(name, status, reason)| (name.to_owned(), status.to_owned(), reason.to_owned())).into()
}

#[test]
fn a_session_goes_on_from_another_base_with_its_keeps_tried_again_first() {
    let env = project();
    env.run(["run"]).expect(0);
    let (old_base, old_tip) = (env.rev("main"), env.rev(BRANCH));
    assert_eq!(env.git(["rev-list", "--count", &format!("main..{BRANCH}")]).trim(), "3");
    move_main(&env);
    env.patch("5-new.patch", "src/a", "100\n");
    let before = env.belongings();
    let answer = env.run(["run", "--rebase", "main"]).expect(0);

    let base = env.rev("main");
    let saved = format!("autoresearch/counting-before-{}", &base[..10]);
    assert_eq!(env.rev(&saved), old_tip, "what was kept before is on a branch of its own");
    let mut found = since_rebase(&env);
    // Made on the old base, it meets the keep that was tried again before it.
    assert_eq!(found.pop().unwrap().0, "new");
    assert_eq!(found, expected());
    let sources: Vec<Value> =
        env.events("counting", "proposed").into_iter().map(|line| line["source"].clone()).collect();
    assert_eq!(sources[4..7], [json!({ "again": 1 }), json!({ "again": 2 }), json!({ "again": 3 })]);
    let again = env.events("counting", "proposed").remove(4);
    assert_eq!(
        (&again["hypothesis"], &again["idea"], &again["author"]["name"]),
        (&json!("Because."), &json!("less-a"), &json!("Ann Other"))
    );

    let config = env.events("counting", "config").pop().unwrap();
    assert_eq!(
        (&config["why"], &config["base"], &config["segment"]),
        (&json!("rebased onto main"), &json!(base), &json!(1))
    );
    assert_eq!(env.events("counting", "calibrated").len(), 2);
    assert!(answer.stderr.contains("calibrating again: rebased onto main"), "{}", answer.stderr);
    assert_eq!(env.events("counting", "run").iter().filter(|run| run["run"] == 0).count(), 2);
    let validated = env.events("counting", "validated").pop().unwrap();
    assert_eq!((&validated["base"], &validated["tip"]), (&json!(base), &json!(env.rev(BRANCH))));
    assert_eq!(env.git(["log", "--format=%s", &format!("{base}..{BRANCH}")]), "less of a\n");
    assert!(answer.stdout.contains(&format!("git log {}..autoresearch/counting", &base[..10])), "{}", answer.stdout);
    assert!(answer.stdout.contains(", 1 kept on branch"), "{}", answer.stdout);
    assert_eq!(env.belongings().0.len(), before.0.len());
    assert_ne!(base, old_base);

    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!(
        (&status["base"], &status["counts"]["kept"], &status["counts"]["earlier_base"]),
        (&json!(base), &json!(1), &json!(3))
    );
    let log = env.run(["log"]).expect(0).stdout;
    assert!(log.contains("keep (earlier base)"), "{log}");
    env.run(["run"]).expect(0);
    assert_eq!(since_rebase(&env).len(), 4, "each once");
    let retests = env.run(["validate", "--leave-one-out", "--json"]).expect(0).json()["retests"].clone();
    assert_eq!(retests.as_array().unwrap().len(), 1, "of the keeps on this base only: {retests}");
    assert!(env.read("ideas.md").contains("less-a"));
}

#[test]
fn a_dry_run_lists_the_keeps_that_are_tried_again_first() {
    let env = project();
    env.run(["run"]).expect(0);
    move_main(&env);
    let limit = env.events("counting", "run").iter().filter(|run| run["iteration"] == true).count() + 1;
    env.run(["run", "--rebase", "main", "--max-iterations", &limit.to_string()]).expect(0);
    let (journal, tried) = (env.journal("counting").len(), since_rebase(&env).len());
    assert_eq!(tried, 1, "the others wait");
    env.patch("5-more.patch", "src/work", "1\n");
    let told = env.run(["run", "--dry-run"]).expect(0).stdout;
    let rows: Vec<&str> = told.lines().skip_while(|line| !line.starts_with("candidate ")).skip(1).take(3).collect();
    assert!(rows[0].contains("keep #2 again") && rows[0].contains("empty"), "{told}");
    assert!(rows[1].contains("keep #3 again") && rows[1].contains("apply_failed"), "{told}");
    assert!(rows[2].contains("5-more.patch") && rows[2].contains("accepted"), "{told}");
    assert!(told.contains("Candidates: 3; accepted by the screen: 1; tried already: 4."), "{told}");
    assert!(told.contains("about 1 candidates: 1 waits"), "{told}");
    assert_eq!(env.journal("counting").len(), journal);
}

/// Returns the byte offsets after each line from the move of the base on.
fn ends_since_rebase(text: &str) -> Vec<usize> {
    let mut at = 0;
    let ends = text.split_inclusive('\n').map(|line| {
        at += line.len();
        (at, line)
    });
    ends.skip_while(|(_, line)| !line.contains(r#""type":"rebased""#)).map(|(end, _)| end).collect()
}

#[test]
fn a_kill_at_any_step_of_the_move_is_completed_by_the_next_run() {
    let env = project();
    env.run(["run"]).expect(0);
    let old_tip = env.rev(BRANCH);
    move_main(&env);
    env.run(["run", "--rebase", "main"]).expect(0);
    let (whole, new_tip) = (env.journal_text("counting"), env.rev(BRANCH));
    let base = env.rev("main");
    let saved = format!("refs/heads/autoresearch/counting-before-{}", &base[..10]);
    let ends = ends_since_rebase(&whole);
    // Journalled and nothing done; the branch saved; the branch moved; then the first lines of the new segment.
    let steps: [(usize, bool, &str); 5] = [
        (ends[0], false, &old_tip),
        (ends[0], true, &old_tip),
        (ends[0], true, &base),
        (ends[1], true, &base),
        (ends[4], true, &base),
    ];
    for (end, is_saved, tip) in steps {
        fs::write(env.state("counting").join("journal.jsonl"), &whole[..end]).unwrap();
        env.git(["update-ref", BRANCH, tip]);
        if is_saved {
            env.git(["update-ref", &saved, &old_tip]);
        } else {
            env.git(["update-ref", "-d", &saved]);
        }
        env.run(["run"]).expect(0);
        let when = format!("cut at {end}, saved {is_saved}, branch at {tip}");
        assert_eq!(since_rebase(&env), expected(), "{when}");
        assert_eq!(env.rev(&saved), old_tip, "{when}");
        assert_eq!(env.git(["rev-parse", &format!("{BRANCH}^")]).trim(), base, "{when}");
        assert_eq!(env.rev(&format!("{BRANCH}^{{tree}}")), env.rev(&format!("{new_tip}^{{tree}}")), "{when}");
        assert_eq!(env.events("counting", "config").last().unwrap()["why"], "rebased onto main", "{when}");
    }
}

#[test]
fn a_second_move_tries_again_what_stood_before_it_and_not_what_was_replaced() {
    let env = project();
    env.run(["run"]).expect(0);
    let first = env.rev("main");
    move_main(&env);
    env.run(["run", "--rebase", "main"]).expect(0);
    // Back to a base without any of the changes: what was refused on the one between is tried, and what replaced a keep.
    env.git(["checkout", "-q", "--detach", &first]);
    env.write("src/more", "more\n");
    env.git(["add", "src"]);
    env.git(["commit", "-q", "-m", "another way"]);
    env.git(["branch", "another"]);
    env.run(["run", "--rebase", "another"]).expect(0);
    let found = since_rebase(&env);
    let plain: Vec<_> = found.iter().map(|(name, status, _)| (name.as_str(), status.as_str())).collect();
    assert_eq!(plain, [("less of b", "keep"), ("less of c", "keep"), ("less of a", "keep")]);
}

#[test]
fn a_move_that_cannot_be_is_refused_and_changes_nothing() {
    let env = project();
    let refused = |args: &[&str], code: i32, part: &str| {
        let answer = env.run(args).expect(code);
        assert!(answer.stderr.contains(part), "{}", answer.stderr);
    };
    refused(&["run", "--rebase", "main"], 1, "has not run yet");
    env.run(["run"]).expect(0);
    let journal = env.journal_text("counting");
    refused(&["run", "--rebase", "nowhere"], 1, "nowhere");
    refused(&["run", "--rebase", "main"], 1, "'main' is the session's base already");
    refused(&["run", "--rebase", "main", "--new"], 2, "cannot be used with");
    move_main(&env);
    env.git(["worktree", "add", "-q", env.beside("other").to_str().unwrap(), "autoresearch/counting"]);
    refused(&["run", "--rebase", "main"], 1, "is checked out in");
    env.git(["worktree", "remove", env.beside("other").to_str().unwrap()]);
    let tip = env.rev(BRANCH);
    env.git(["update-ref", BRANCH, "main"]);
    refused(&["run", "--rebase", "main"], 8, "git branch -f autoresearch/counting");
    env.git(["update-ref", BRANCH, &tip]);
    assert_eq!(env.events("counting", "rebased"), Vec::<Value>::new());
    assert!(env.journal_text("counting").starts_with(&journal));
    env.run(["run"]).expect(0);
}
