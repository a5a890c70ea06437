//! Commit ranges as candidates: which commits of a branch help, what is skipped and why, and how it goes on after an end.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::TestEnvironment;

/// A counting project whose candidates are the commits of `main..perf`; the checkout is on a new branch `perf`.
fn project(drop_sealed: bool) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["candidates"] = json!([{ "commits": "main..perf", "dropSealed": drop_sealed }]));
    env.commit("take the commits of a branch");
    env.git(["checkout", "-q", "-b", "perf"]);
    env
}

/// Commits new content of files, and returns the commit.
fn commit(env: &TestEnvironment, message: &str, files: &[(&str, &str)]) -> String {
    for (path, content) in files {
        if *path == "bench.sh" { env.script(path, content) } else { env.write(path, content) }
    }
    env.commit(message);
    env.rev("HEAD")
}

/// Runs the session from the branch main.
#[track_caller]
fn run(env: &TestEnvironment) -> String {
    env.git(["checkout", "-q", "main"]);
    env.run(["run"]).expect(0).stdout
}

/// Returns the line of a table that is about a commit.
#[track_caller]
fn row<'t>(table: &'t str, commit: &str) -> &'t str {
    let found = table.lines().find(|line| line.starts_with(&commit[..10]));
    found.unwrap_or_else(|| panic!("no line of {commit} in:\n{table}"))
}

fn proposed(env: &TestEnvironment, description: &str) -> Value {
    let mut all = env.events("counting", "proposed");
    all.retain(|line| line["description"] == description);
    all.remove(0)
}

const BENCH: &str = "#!/bin/sh\nset -eu\necho \"METRIC work=$(cat src/work)\"\n# edited\n";

/// Commits one change of each kind on the branch perf and on main, and returns those of the range.
fn commits_of_each_kind(env: &TestEnvironment) -> [String; 8] {
    let win = commit(
        env,
        "Do less work (-25 %)\n\nOnce is enough.\n\n{\"mechanism\": \"fewer rounds\"}\n\nIdea: rounds\n",
        &[("src/work", "700\n")],
    );
    let tidy = commit(env, "Tidy up, 5% faster", &[("src/other", "first\nsecond\nlast\n")]);
    let empty = commit(env, "Say something", &[]);
    env.git(["checkout", "-q", "-b", "side", &win]);
    let side = commit(env, "Write on the side", &[("src/side", "side\n")]);
    env.git(["checkout", "-q", "perf"]);
    env.git(["merge", "-q", "--no-ff", "-m", "Merge the side", "side"]);
    let merge = env.rev("HEAD");
    let sealed = commit(env, "Edit the bench, 2x faster", &[("bench.sh", BENCH), ("src/work", "600\n")]);
    let conflict = commit(env, "Do still less", &[("src/work", "500\n")]);
    let again = commit(env, "Add a file that main has", &[("src/both", "both\n")]);
    env.git(["checkout", "-q", "main"]);
    commit(env, "the same file", &[("src/both", "both\n")]);
    [win, tidy, empty, side, merge, sealed, conflict, again]
}

#[test]
fn each_commit_of_a_branch_is_tried_on_the_tip_and_measured_against_what_it_claims() {
    let env = project(false);
    let [win, tidy, empty, side, merge, sealed, conflict, again] = commits_of_each_kind(&env);
    let before = env.belongings();
    let table = env.run(["run"]).expect(0).stdout;
    let parents = format!("{} and {}", &empty[..10], &side[..10]);
    env.expect_verdicts(
        "counting",
        &[
            ("Do less work (-25 %)", "keep", "improved", ""),
            ("Tidy up, 5% faster", "discard", "no_effect", ""),
            ("Say something", "discard", "empty", &format!("commit {} changes no file", &empty[..10])),
            ("Write on the side", "discard", "no_effect", ""),
            (
                "Merge the side",
                "crash",
                "apply_failed",
                &format!("commit {} is a merge of {parents}, and was skipped", &merge[..10]),
            ),
            ("Edit the bench, 2x faster", "checks_failed", "sealed_path", "bench.sh"),
            (
                "Do still less",
                "crash",
                "apply_failed",
                &format!("commit {}: the patch does not apply: src/work, hunk 1", &conflict[..10]),
            ),
            ("Add a file that main has", "discard", "empty", "changes nothing on the present tip"),
        ],
    );
    assert_eq!(env.verdicts("counting").len(), 8);
    assert_eq!(env.belongings(), before);

    let line = proposed(&env, "Do less work (-25 %)");
    assert_eq!(
        (&line["source"], &line["base_commit"]),
        (&json!({"commit": win}), &json!(env.rev(&format!("{win}~1"))))
    );
    assert_eq!((&line["idea"], &line["hypothesis"]), (&json!("rounds"), &json!("Once is enough.")));
    assert_eq!(line["asi"], json!({"mechanism": "fewer rounds", "claimed": "-25 %"}));
    assert_eq!(line["author"]["name"], "Test Person");

    for (commit, told) in [
        (&win, vec!["-25 %", "-30.0 % [", "keep (improved)"]),
        (&tidy, vec!["5% faster", "+0.0 % [", "discard (no_effect)"]),
        (&empty, vec!["nothing", "  -  ", "discard (empty)"]),
        (&merge, vec!["crash (apply_failed)"]),
        (&sealed, vec!["2x faster", "  -  ", "checks_failed (sealed_path)"]),
        (&conflict, vec!["nothing", "crash (apply_failed)"]),
        (&again, vec!["nothing", "discard (empty)"]),
    ] {
        let row = row(&table, commit);
        assert!(told.iter().all(|told| row.contains(told)), "{row}\nexpected {told:?}");
    }
    assert!(table.contains("1 of 8 commits helps\n"), "{table}");
    let claims = env.run(["log", "--json"]).expect(0).json()["claims"].clone();
    assert_eq!((&claims[0]["source"], &claims[0]["claimed"]), (&json!(win), &json!("-25 %")));
    assert_eq!(env.run(["status", "--json"]).expect(0).json()["claims"], claims);
}

#[test]
fn what_is_sealed_is_left_out_of_a_commit_where_that_is_wanted_and_said() {
    let env = project(true);
    let edited = commit(&env, "Edit the bench and the work", &[("bench.sh", BENCH), ("src/work", "900\n")]);
    let more = BENCH.replace("edited", "edited again");
    // Its change of the bench would conflict with the tip, which has none.
    commit(&env, "Edit both again", &[("bench.sh", &more), ("src/work", "800\n"), ("README.md", "words\n")]);
    commit(&env, "Edit the bench alone", &[("bench.sh", "#!/bin/sh\necho METRIC work=1\n")]);
    let table = run(&env);
    env.expect_verdicts(
        "counting",
        &[
            ("Edit the bench and the work", "keep", "improved", ""),
            ("Edit both again", "keep", "improved", ""),
            (
                "Edit the bench alone",
                "discard",
                "empty",
                "nothing is left of it without what dropSealed leaves out: bench.sh",
            ),
        ],
    );
    let screened = env.events("counting", "screened");
    let warning = |n: usize| screened[n]["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning(0).starts_with("left out (dropSealed): bench.sh: "), "{}", warning(0));
    assert!(
        warning(1).contains("README.md: outside scope.allow") && warning(1).contains("bench.sh: "),
        "{}",
        warning(1)
    );
    assert_eq!(screened[1]["touched"], json!(["src/work"]));
    assert_eq!(env.git(["diff", "--name-only", "main", "autoresearch/counting"]), "src/work\n");
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "800\n");
    assert!(table.contains("2 of 3 commits help\n"), "{table}");
    assert_eq!(proposed(&env, "Edit the bench and the work")["drop_sealed"], true);
    let show = env.run(["show", "1"]).expect(0).stdout;
    assert!(show.contains("left out (dropSealed): bench.sh") && show.contains(&edited[..10]), "{show}");
}

#[test]
fn a_root_commit_is_a_change_of_nothing() {
    let env = project(false);
    env.git(["checkout", "-q", "--orphan", "island"]);
    env.git(["rm", "-q", "-r", "-f", "."]);
    commit(&env, "Begin elsewhere", &[("src/more", "more\n"), ("src/other", "first\nsecond\nthird\n")]);
    env.git(["checkout", "-q", "perf"]);
    env.git(["merge", "-q", "--no-edit", "--allow-unrelated-histories", "-m", "Bring it in", "island"]);
    run(&env);
    env.expect_verdicts(
        "counting",
        &[("Begin elsewhere", "discard", "no_effect", ""), ("Bring it in", "crash", "apply_failed", "is a merge of")],
    );
    assert_eq!(env.events("counting", "screened")[0]["touched"], json!(["src/more"]));
}

#[test]
fn an_end_that_is_not_there_is_said_before_anything_is_built() {
    for (range, named) in [("main..nope", "nope"), ("nope..perf", "nope"), ("v1..", "v1")] {
        let env = project(false);
        env.configure(|config| config["candidates"] = json!([{ "commits": range }]));
        let answer = env.run(["run"]).expect(1);
        let expected =
            format!("'candidates[0].commits': the commits of '{range}' cannot be listed: '{named}' names no commit");
        assert!(
            answer.stderr.contains(&expected) && answer.stderr.contains("git log --oneline --all"),
            "{}",
            answer.stderr
        );
        assert!(!env.state("counting").join("journal.jsonl").exists());
    }
}

#[test]
fn a_session_that_starts_at_the_end_of_its_range_says_that_it_has_the_commits_already() {
    let env = project(false);
    commit(&env, "Do less", &[("src/work", "700\n")]);
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("Do less", "discard", "empty", "the session's base has commit")]);
}

#[test]
fn a_session_goes_on_with_the_commits_that_it_did_not_try_and_with_new_ones() {
    let env = project(false);
    let subjects = ["Do less", "Say less", "Merge it", "Say nothing", "Do even less"];
    commit(&env, subjects[0], &[("src/work", "900\n")]);
    env.git(["checkout", "-q", "-b", "side", "main"]);
    commit(&env, subjects[1], &[("src/other", "first\n")]);
    env.git(["checkout", "-q", "perf"]);
    env.git(["merge", "-q", "--no-ff", "-m", subjects[2], "side"]);
    commit(&env, subjects[3], &[]);
    env.git(["checkout", "-q", "main"]);
    env.run(["run", "--max-iterations", "1"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 1);
    env.run(["run"]).expect(0);
    env.git(["checkout", "-q", "perf"]);
    commit(&env, subjects[4], &[("src/work", "800\n")]);
    let table = run(&env);
    let before = env.verdicts("counting");
    run(&env);
    assert_eq!(env.verdicts("counting"), before, "nothing is tried twice");
    env.expect_verdicts(
        "counting",
        &[
            (subjects[0], "keep", "improved", ""),
            (subjects[1], "discard", "no_effect", ""),
            (subjects[2], "crash", "apply_failed", "is a merge of"),
            (subjects[3], "discard", "empty", "changes no file"),
            (subjects[4], "keep", "improved", ""),
        ],
    );
    assert!(table.contains("2 of 5 commits help\n"), "{table}");
}

#[test]
fn a_merge_and_an_empty_commit_that_a_kill_left_half_recorded_come_to_the_same_verdict() {
    let env = project(false);
    commit(&env, "Do less", &[("src/work", "900\n")]);
    env.git(["checkout", "-q", "-b", "side", "main"]);
    commit(&env, "Say less", &[("src/other", "first\n")]);
    env.git(["checkout", "-q", "perf"]);
    env.git(["merge", "-q", "--no-ff", "-m", "Merge it", "side"]);
    commit(&env, "Say nothing", &[]);
    run(&env);
    let (whole, expected) = (env.journal_text("counting"), env.verdicts("counting"));
    for description in ["Merge it", "Say nothing"] {
        let of_it = |line: &str| line.contains("\"type\":\"proposed\"") && line.contains(description);
        let proposal = whole.lines().position(of_it).unwrap();
        for kept in [proposal + 1, proposal + 2] {
            let cut: String = whole.split_inclusive('\n').take(kept).collect();
            fs::write(env.state("counting").join("journal.jsonl"), cut).unwrap();
            run(&env);
            assert_eq!(env.verdicts("counting"), expected, "{description} after {kept} lines");
        }
    }
}

#[test]
fn a_dry_run_screens_every_commit() {
    let env = project(true);
    let first = commit(&env, "Do less", &[("src/work", "700\n"), ("bench.sh", BENCH)]);
    commit(&env, "Say nothing", &[]);
    env.git(["checkout", "-q", "main"]);
    let told = env.run(["run", "--dry-run"]).expect(0).stdout;
    assert!(told.contains(&format!("{} Do less", &first[..10])), "{told}");
    assert!(told.contains("left out (dropSealed): bench.sh") && told.contains("changes no file"), "{told}");
}
