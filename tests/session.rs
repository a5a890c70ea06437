//! Whole sessions of the program with a scripted bench: what is kept, what is dropped, what is left alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::json;
use support::{Answer, TestEnvironment, fingerprint};

#[test]
fn a_win_is_committed_to_the_sessions_branch_and_a_no_op_is_not() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.patch("3-worse.patch", "src/work", "1100\n");
    env.run(["run"]).expect(0);
    let verdicts = env.verdicts("counting");
    let plain: Vec<_> = verdicts.iter().map(|(_, s, r)| (s.as_str(), r.as_str())).collect();
    assert_eq!(plain[..2], [("keep", "improved"), ("discard", "no_effect")]);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");
    assert_eq!(env.git(["rev-list", "--count", "main..autoresearch/counting"]).trim(), "1");
}

#[test]
fn a_kept_commit_says_what_was_measured() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let message = env.git(["log", "-1", "--format=%B", "autoresearch/counting"]);
    assert!(message.starts_with("win\n"), "{message}");
    assert!(message.contains("Effect: -10.0 % [-10.0, -10.0], 3 pairs"), "{message}");
    assert!(message.contains("Result: {\"status\":\"keep\","), "{message}");
    let trailers = env.git(["log", "-1", "--format=%(trailers:key=Experiment,valueonly)", "autoresearch/counting"]);
    assert_eq!(trailers.trim(), "1");
}

#[test]
fn the_users_checkout_index_stash_config_and_refs_are_as_they_were() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.write("src/other", "stashed\n");
    env.git(["stash", "-q"]);
    env.write("staged.txt", "staged\n");
    env.git(["add", "staged.txt"]);
    env.write("src/other", "first\nsecond\nthird, dirty\n");
    env.write("untracked.txt", "mine\n");
    let refs = |env: &TestEnvironment| env.git(["for-each-ref"]);
    let (before, before_refs) = (fingerprint(&env.repo(), &skipped()), refs(&env));
    env.run(["run"]).expect(0);
    assert_eq!(fingerprint(&env.repo(), &skipped()), before);
    let after: Vec<String> =
        refs(&env).lines().filter(|l| !l.ends_with("refs/heads/autoresearch/counting")).map(str::to_owned).collect();
    assert_eq!(after, before_refs.lines().collect::<Vec<_>>());
    env.git(["fsck", "--strict"]);
}

/// Returns what a session may write in a repository: objects, its branch with the reflog, its own state.
fn skipped() -> [&'static str; 4] {
    [".git/objects", ".git/autoresearch", ".git/refs/heads/autoresearch", ".git/logs/refs/heads/autoresearch"]
}

#[test]
fn the_harness_is_that_of_the_checkout_and_not_of_the_commit() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.script("bench.sh", "#!/bin/sh\necho \"METRIC work=$(($(cat src/work) * 2))\"\n");
    env.script("checks/untracked", "#!/bin/sh\ntest -z \"$(git status --porcelain checks bench.sh)\"\n");
    let before = env.belongings();
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "baseline")["metric"], 2000.0);
    assert_eq!(env.settled("counting", "win")["metric"], 1800.0);
    assert_eq!(env.git(["diff", "--name-only", "main", "autoresearch/counting"]), "src/work\n");
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_config_and_checks_that_were_never_committed_work() {
    let env = TestEnvironment::unborn();
    env.write("src/work", "1000\n");
    env.commit("only the program");
    env.script("bench.sh", "#!/bin/sh\necho \"METRIC work=$(cat src/work)\"\n");
    env.script("checks/positive", "#!/bin/sh\ntest $(cat src/work) -gt 0\n");
    env.write(
        "autoresearch.config.json",
        r#"{ "name": "counting", "bench": { "command": "./bench.sh" }, "metrics": { "primary": { "name": "work" } },
             "candidates": [ { "patches": "candidates" } ] }"#,
    );
    env.patch("1-win.patch", "src/work", "900\n");
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    assert_eq!(env.git(["diff", "--name-only", "main", "autoresearch/counting"]), "src/work\n");
    assert_eq!(env.belongings(), before);
}

#[test]
fn what_init_writes_runs_without_a_commit() {
    let env = TestEnvironment::unborn();
    env.write("work", "1000\n");
    env.write(
        "Makefile",
        "all:\n\tcp work built\nbench: all\n\t@echo METRIC work=`cat built`\ntest:\n\ttest -s built\n",
    );
    env.write(".gitignore", "/built\n");
    env.commit("a project with a Makefile");
    env.run(["init"]).expect(0);
    assert!(env.git(["status", "--porcelain"]).contains("?? autoresearch.config.json"));
    env.configure(|config| {
        config["name"] = json!("counting");
        config["metrics"]["primary"] = json!({ "name": "work" });
        config["metrics"]["sentinels"] = json!([]);
    });
    env.patch("1-win.patch", "work", "900\n");
    env.patch("2-no-op.patch", "new", "of no use\n");
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", ""), ("no op", "discard", "no_effect", "")]);
    assert_eq!(env.git(["diff", "--name-only", "main", "autoresearch/counting"]), "work\n");
    assert_eq!(env.belongings(), before);
}

#[test]
fn try_judges_a_file_standard_input_the_checkout_and_a_commit() {
    let env = TestEnvironment::counting_project();
    env.patch("win.patch", "src/work", "900\n");
    env.run(["try", "candidates/win.patch"]).expect(0);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");

    env.patch("no-op.patch", "src/other", "first\nsecond\nlast\n");
    let mut command = env.command(["try", "-", "--json"]);
    command.stdin(std::fs::File::open(env.repo().join("candidates/no-op.patch")).unwrap());
    let answer = Answer::from(command.output().unwrap()).expect(4).json();
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("discard"), &json!("no_effect")));

    env.git(["checkout", "-q", "-b", "side"]);
    env.write("src/work", "700\n");
    env.git(["commit", "-q", "-am", "Do less\n\nBecause less is more."]);
    env.git(["checkout", "-q", "main"]);
    let answer = env.run(["try", "side", "--no-commit", "--json"]).expect(5).json();
    assert_eq!(answer["reason"], "apply_failed", "it changes what the keep changed");

    env.git(["checkout", "-q", "autoresearch/counting", "--", "src/work"]);
    env.git(["reset", "-q"]);
    env.run(["try", "--worktree", "-m", "what is on the branch already"]).expect(4);
    env.write("src/work", "800\n");
    let (before, tip) = (env.belongings(), env.rev("autoresearch/counting"));
    let answer = env.run(["try", "--worktree", "--json"]).expect(5).json();
    assert_eq!(answer["reason"], "apply_failed", "made on another base than the tip");
    assert_eq!(env.rev("autoresearch/counting"), tip);
    assert_eq!(env.belongings(), before);
}

#[test]
fn try_takes_the_uncommitted_change_and_leaves_it_where_it_is() {
    let env = TestEnvironment::counting_project();
    env.write("src/work", "800\n");
    env.write("src/new", "a new file\n");
    env.script("bench.sh", "#!/bin/sh\necho 'edited beside it' >&2\necho \"METRIC work=$(cat src/work)\"\n");
    let before = env.belongings();
    let answer = env.run(["try", "--worktree", "--json", "-m", "Less work"]).expect(0).json();
    assert_eq!(env.belongings(), before);
    assert_eq!(answer["commit"], env.rev("autoresearch/counting"));
    assert_eq!(env.git(["diff", "--name-only", "main", "autoresearch/counting"]), "src/new\nsrc/work\n");
    assert_eq!(env.git(["log", "-1", "--format=%s", "autoresearch/counting"]), "Less work\n");
}

#[test]
fn try_without_commit_judges_and_leaves_the_branch() {
    let env = TestEnvironment::counting_project();
    env.patch("win.patch", "src/work", "900\n");
    let answer = env.run(["try", "candidates/win.patch", "--no-commit", "--json"]).expect(0).json();
    assert_eq!(env.rev("autoresearch/counting"), env.rev("main"));
    assert_eq!(
        (&answer["status"], &answer["reason"], &answer["commit"]),
        (&json!("keep"), &json!("improved"), &json!(null))
    );
    assert_eq!(answer["metric"], 900.0);
    let keys = [
        "experiment",
        "status",
        "reason",
        "why",
        "metric",
        "effect",
        "change",
        "commit",
        "flags",
        "asi",
        "closed_ideas",
    ];
    for key in keys {
        assert!(answer.as_object().unwrap().contains_key(key), "{key}");
    }
    assert_eq!(answer["change"]["unit"], "%");
    assert!((answer["change"]["value"].as_f64().unwrap() + 10.0).abs() < 1e-6, "{answer}");
    env.run(["try", "candidates/win.patch"]).expect(0);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");
}

#[test]
fn try_tells_a_crash_and_a_failed_check_by_its_exit_code() {
    let env = TestEnvironment::counting_project();
    env.script("checks/limit", "#!/bin/sh\nif [ $(cat src/work) = 901 ]; then echo wrong >&2; exit 1; fi\n");
    env.script("bench.sh", "#!/bin/sh\n[ $(cat src/work) != 902 ] || exit 1\necho \"METRIC work=$(cat src/work)\"\n");
    env.patch("wrong.patch", "src/work", "901\n");
    env.patch("crash.patch", "src/work", "902\n");
    let answer = env.run(["try", "candidates/wrong.patch", "--json"]).expect(6).json();
    assert_eq!(answer["reason"], "check_failed");
    assert!(answer["why"].as_str().unwrap().contains("wrong"), "{answer}");
    let answer = env.run(["try", "candidates/crash.patch", "--json"]).expect(5).json();
    assert_eq!(answer["reason"], "bench_failed");
    assert!(answer["metric"].is_null());
}

#[test]
fn try_refuses_what_is_no_candidate_at_all() {
    let env = TestEnvironment::counting_project();
    let nothing = env.run(["try", "--worktree"]).expect(1);
    assert!(nothing.stderr.contains("the checkout's change contains no change"), "{}", nothing.stderr);
    let unknown = env.run(["try", "no-such-thing"]).expect(1);
    assert!(unknown.stderr.contains("no-such-thing"), "{}", unknown.stderr);
    assert!(!env.has_rev("autoresearch/counting"));
    env.run(["try"]).expect(2);
}

/// Says whether a wall stands on this machine, by what the session wrote down.
fn stands(env: &TestEnvironment, wall: &str) -> bool {
    let enforced = &env.events("counting", "sandbox")[0]["enforced"];
    enforced[wall].as_str().unwrap().starts_with("works")
}

/// Returns everything that runs of a session wrote to standard output.
fn outputs(env: &TestEnvironment) -> String {
    let mut folders = vec![env.state("counting").join("runs")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "out") {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

#[test]
fn a_bench_sees_neither_checkout_nor_journal_nor_references_nor_home_nor_the_other_slot() {
    let env = TestEnvironment::counting_project();
    std::fs::create_dir_all(env.beside("home/.ssh")).unwrap();
    std::fs::write(env.beside("home/.ssh/key"), "secret\n").unwrap();
    let places = [
        env.beside("home/.ssh/key"),
        env.repo().join("src/work"),
        env.repo().join(".git/config"),
        env.repo().join(".git/refs/heads/main"),
        env.state("counting").join("journal.jsonl"),
    ];
    let list = places.map(|path| format!("'{}'", path.display())).join(" ");
    let bench = format!(
        "#!/bin/sh\nset -eu\nfor f in {list} ../a/src/work ../b/src/work; do\n\
         if cat \"$f\" > /dev/null 2>&1; then echo \"saw $f\"; fi\ndone\n\
         if git rev-parse -q --verify HEAD^{{tree}} > /dev/null; then echo git works; fi\n\
         echo \"METRIC work=$(cat src/work)\"\n"
    );
    env.script("bench.sh", &bench);
    env.commit("a curious bench");
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let seen = outputs(&env);
    assert!(seen.contains("git works"), "{seen}");
    if stands(&env, "reading") {
        let saw: std::collections::BTreeSet<&str> = seen.lines().filter(|line| line.starts_with("saw ")).collect();
        // Each run sees its own slot by that way, and no other.
        assert_eq!(saw, ["saw ../a/src/work", "saw ../b/src/work"].into());
        let runs = seen.matches("METRIC").count();
        assert_eq!(seen.matches("saw ").count(), runs, "one slot for each run");
    }
}

#[test]
fn a_file_that_grows_too_large_is_a_broken_limit() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["limits"] = json!({ "fileBytes": 100_000 }));
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nhead -c $(cat src/work)00 /dev/zero > \"$TMPDIR/big\" || exit 4\necho METRIC work=1\n",
    );
    env.commit("a bench that writes");
    env.patch("1-large.patch", "src/work", "2000\n");
    env.run(["run"]).expect(0);
    let settled = env.settled("counting", "large");
    assert_eq!(
        (settled["status"].as_str(), settled["reason"].as_str()),
        (Some("crash"), Some("resource_limit")),
        "{settled}"
    );
}

#[test]
fn objects_that_the_repository_borrows_stay_in_sight() {
    let env = TestEnvironment::counting_project();
    let lender = env.beside("home/lender.git");
    env.git(["clone", "-q", "--bare", ".", lender.to_str().unwrap()]);
    std::fs::write(env.repo().join(".git/objects/info/alternates"), format!("{}/objects\n", lender.display())).unwrap();
    env.git(["repack", "-q", "-a", "-d", "-l"]);
    env.script("bench.sh", "#!/bin/sh\nset -eu\ngit cat-file -e HEAD:src/other\necho METRIC work=$(cat src/work)\n");
    env.commit("a bench that asks git");
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "win")["status"], "keep");
}
