//! What a session does with a bad config, a bad repository state and a bad bench: a clear message, and nothing harmed.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::json;
use support::{Answer, TestEnvironment, fingerprint, wait_for};

/// Runs the program where it must refuse: the exit code, every part of the message, and an untouched repository.
#[track_caller]
fn refused(env: &TestEnvironment, args: &[&str], code: i32, parts: &[&str]) {
    let before = fingerprint(&env.repo(), &[]);
    let answer = env.run(args).expect(code);
    for part in parts {
        assert!(answer.stderr.contains(part), "'{part}' is not in: {}", answer.stderr);
    }
    assert_eq!(answer.stdout, "");
    assert_eq!(fingerprint(&env.repo(), &[]), before, "a refusal changes nothing in the repository");
}

/// A counting project with an empty queue.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    std::fs::create_dir(env.repo().join("candidates")).unwrap();
    env
}

#[test]
fn a_config_that_is_not_json_is_refused_with_file_and_line() {
    let env = TestEnvironment::counting_project();
    env.write("autoresearch.config.json", "{ \"name\": \"x\",\n  bench }");
    refused(&env, &["run"], 1, &["autoresearch.config.json:2:", "not valid JSON"]);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["bench"]["timeoutSecond"] = json!(3));
    refused(
        &env,
        &["run"],
        1,
        &["autoresearch.config.json:1:", "'bench.timeoutSecond'", "did you mean 'bench.timeoutSeconds'?"],
    );
}

#[test]
fn a_config_without_a_bench_is_refused() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| drop(config.as_object_mut().unwrap().remove("bench")));
    refused(&env, &["run"], 1, &["autoresearch.config.json", "required key 'bench' is missing"]);
}

#[test]
fn without_a_config_the_message_names_init() {
    let env = TestEnvironment::unborn();
    env.write("src/work", "1\n");
    env.commit("no config");
    refused(&env, &["run"], 1, &["autoresearch.config.json", "'autoresearch init'"]);
}

#[test]
fn without_a_repository_the_message_names_git_init() {
    let env = TestEnvironment::empty();
    refused(&env, &["run"], 1, &["is in no git repository", "'git init'"]);
}

#[test]
fn a_repository_without_a_commit_is_refused() {
    let env = TestEnvironment::unborn();
    env.write("autoresearch.config.json", r#"{"bench":{"command":"true"},"metrics":{"primary":{"name":"work"}}}"#);
    refused(&env, &["run"], 1, &["has no commit yet", "git commit"]);
}

#[test]
fn without_an_identity_the_message_names_the_commands_that_set_it() {
    let env = project();
    std::fs::write(env.beside("gitconfig"), "").unwrap();
    refused(&env, &["run"], 1, &["git config --global user.name", "git config --global user.email"]);
}

#[test]
fn a_session_works_on_a_detached_head() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.git(["checkout", "-q", "--detach"]);
    let before = env.belongings();
    env.run(["run"]).expect(0);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_branch_that_no_session_made_is_refused() {
    let env = project();
    env.git(["branch", "autoresearch/counting"]);
    refused(
        &env,
        &["run"],
        1,
        &["branch 'autoresearch/counting' exists already", "git branch -D autoresearch/counting"],
    );
}

#[test]
fn a_branch_in_whose_way_another_one_stands_is_refused_with_both_names() {
    let env = project();
    env.git(["branch", "autoresearch"]);
    refused(
        &env,
        &["run"],
        1,
        &["'autoresearch/counting' cannot be made beside branch 'autoresearch'", "git branch -m"],
    );
}

#[test]
fn a_branch_that_is_checked_out_somewhere_is_refused_with_the_place() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let other = env.beside("other");
    env.git(["worktree", "add", "-q", other.to_str().unwrap(), "autoresearch/counting"]);
    env.patch("2-win.patch", "src/work", "800\n");
    let journal = env.journal_bytes("counting");
    let answer = env.run(["run"]).expect(1);
    assert!(answer.stderr.contains("is checked out in") && answer.stderr.contains("/other"), "{}", answer.stderr);
    assert!(answer.stderr.contains("git -C"), "{}", answer.stderr);
    assert_eq!(env.journal_bytes("counting"), journal);
    assert_eq!(std::fs::read_to_string(other.join("src/work")).unwrap(), "900\n");
}

#[test]
fn a_branch_that_somebody_moved_between_two_runs_is_left_where_it_is() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let (kept, main) = (env.rev("autoresearch/counting"), env.rev("main"));
    env.git(["branch", "-f", "autoresearch/counting", "main"]);
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    let journal = env.journal_bytes("counting");
    let answer = env.run(["run"]).expect(8);
    assert!(answer.stderr.contains(&format!("git branch -f autoresearch/counting {kept}")), "{}", answer.stderr);
    assert!(env.journal_bytes("counting").starts_with(&journal));
    assert_eq!(env.rev("autoresearch/counting"), main);
    env.git(["branch", "-f", "autoresearch/counting", &kept]);
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", ""), ("no op", "discard", "no_effect", "")]);
}

#[test]
fn a_branch_that_somebody_moves_during_the_session_stops_it_and_loses_nothing() {
    let env = TestEnvironment::hooked_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.git(["branch", "theirs"]);
    env.git(["commit", "-q", "--allow-empty", "-m", "theirs"]);
    let (base, theirs) = (env.rev("theirs"), env.rev("main"));
    env.git(["reset", "-q", "--soft", &base]);
    let go = env.beside("go");
    env.hook(&format!(
        "if grep -q 900 src/work; then until [ -e {} ]; do sleep 0.01; done; fi\n\
         echo \"METRIC work=$(cat src/work)\"",
        go.display()
    ));
    let before = env.belongings();
    let child = env.spawn(["run"]);
    wait_for("the proposal", || env.journal_text("counting").contains("\"type\":\"proposed\""));
    env.git(["update-ref", "refs/heads/autoresearch/counting", &theirs]);
    std::fs::write(&go, "").unwrap();
    let answer = Answer::from(child.wait_with_output().unwrap()).expect(8);
    assert!(answer.stderr.contains("git branch -f autoresearch/counting"), "{}", answer.stderr);
    assert_eq!(env.rev("autoresearch/counting"), theirs, "the other's commit stays");
    assert_eq!(env.belongings(), before);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "branch_moved");
    assert!(env.verdicts("counting").is_empty());
    env.unhook();
    env.run(["run"]).expect(8);
    env.git(["branch", "-f", "autoresearch/counting", &base]);
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");
}

#[test]
fn a_baseline_whose_bench_fails_stops_the_session_until_it_is_mended() {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| config["bench"]["timeoutSeconds"] = json!(2));
    env.patch("1-win.patch", "src/work", "900\n");
    let before = env.belongings();
    let cases = [
        ("exit 0", "work"),
        ("echo METRIC work=NaN", "METRIC work=NaN"),
        ("echo METRIC other=5", "work"),
        ("echo out of order >&2; exit 9", "exit code 9: out of order"),
        ("sleep 60", "did not end within 2.0 s"),
    ];
    for (hook, part) in cases {
        env.hook(hook);
        let answer = env.run(["run"]).expect(3);
        assert!(answer.stderr.contains("the baseline is broken"), "{hook}: {}", answer.stderr);
        assert!(answer.stderr.contains(part), "{hook}: {}", answer.stderr);
        assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "baseline_broken");
        assert!(env.events("counting", "run").is_empty());
        assert_eq!(env.rev("autoresearch/counting"), env.rev("main"));
    }
    env.unhook();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("baseline", "keep", "improved", ""), ("win", "keep", "improved", "")]);
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_candidate_whose_bench_fails_is_a_crash_and_never_a_number() {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| {
        config["bench"]["timeoutSeconds"] = json!(4);
        config["limits"] = json!({ "outputBytes": 1_000_000 });
    });
    env.hook(
        "case $(cat src/work) in\n\
         901) ;;\n902) echo METRIC other=1;;\n903) echo METRIC work=NaN;;\n904) echo METRIC work=0;;\n\
         905) echo broken >&2; exit 7;;\n906) sleep 60;;\n907) yes;;\n\
         908) echo METRIC work=1; echo METRIC work=1;;\n\
         *) echo \"METRIC work=$(cat src/work)\";;\nesac",
    );
    let names = ["silent", "other", "nan", "zero", "failing", "endless", "loud", "twice", "good"];
    for (n, name) in names.iter().enumerate() {
        env.patch(&format!("{}-{name}.patch", n + 1), "src/work", &format!("{}\n", 901 + n));
    }
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("silent", "crash", "metric_missing", "work"),
            ("other", "crash", "metric_missing", "work"),
            ("nan", "crash", "metric_invalid", "NaN"),
            ("zero", "crash", "metric_invalid", "work"),
            ("failing", "crash", "bench_failed", "exit code 7: broken"),
            ("endless", "crash", "bench_timeout", "did not end within 4.0 s"),
            ("loud", "crash", "resource_limit", "output limit"),
            ("twice", "crash", "metric_invalid", "work"),
            ("good", "keep", "improved", ""),
        ],
    );
    for name in &names[..8] {
        assert!(env.settled("counting", name)["metric"].is_null(), "{name}");
    }
    assert_eq!(env.git(["rev-list", "--count", "main..autoresearch/counting"]).trim(), "1");
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_bench_that_starts_failing_in_both_arms_stops_the_session_and_the_experiment_goes_on_later() {
    let env = TestEnvironment::hooked_project();
    env.patch("1-win.patch", "src/work", "900\n");
    // Four pairs of calibration and one of the candidate succeed.
    env.hook(&format!(
        "if [ $(grep -c '\"type\":\"pair\"' {}) -ge 5 ]; then echo no space >&2; exit 1; fi\n\
         echo \"METRIC work=$(cat src/work)\"",
        env.state("counting").join("journal.jsonl").display()
    ));
    let before = env.belongings();
    let answer = env.run(["run"]).expect(3);
    assert!(answer.stderr.contains("exit code 1: no space"), "{}", answer.stderr);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "baseline_broken");
    assert!(env.verdicts("counting").is_empty(), "the experiment is unfinished");
    assert!(env.events("counting", "decided").is_empty());
    let pairs = env.events("counting", "pair");
    assert_eq!(pairs.iter().filter(|p| p["experiment"] == 1 && !p["void"].is_null()).count(), 3);
    env.unhook();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    let pairs = env.events("counting", "pair");
    let complete: Vec<_> = pairs
        .iter()
        .filter(|p| p["experiment"] == 1 && p["void"].is_null())
        .map(|p| p["pair"].as_u64().unwrap())
        .collect();
    assert_eq!(complete, [1, 2, 3], "the first pair is that of the first process");
    assert_eq!(env.settled("counting", "win")["effect"]["pairs"], 3);
    assert_eq!(env.belongings(), before);
}

#[test]
fn an_empty_queue_is_a_planned_stop() {
    let env = project();
    let answer = env.run(["run"]).expect(0);
    assert!(answer.stdout.contains("candidates_exhausted"), "{}", answer.stdout);
    assert_eq!(env.rev("autoresearch/counting"), env.rev("main"));
}

#[test]
fn a_missing_candidate_folder_is_refused_with_its_name() {
    let env = TestEnvironment::counting_project();
    refused(&env, &["run"], 1, &["candidates does not exist", "*.patch"]);
}

#[test]
fn a_disk_with_too_little_room_is_named_and_nothing_is_blamed_on_the_baseline() {
    let env = project();
    env.configure(|config| config["limits"] = json!({ "diskFreeBytes": 1_u64 << 60 }));
    let answer = env.run(["run"]).expect(8);
    for part in ["the disk is low", "limits.diskFreeBytes is 1152921504606846976", "make room"] {
        assert!(answer.stderr.contains(part), "{}", answer.stderr);
    }
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "disk_low");
    env.configure(|config| config["limits"] = json!({ "diskFreeBytes": 1 }));
    env.run(["run"]).expect(0);
}

#[test]
fn an_experiment_that_is_no_number_is_refused_with_where_to_find_one() {
    let env = project();
    refused(&env, &["show", "first"], 2, &["autoresearch log"]);
}

#[test]
fn a_session_that_could_not_begin_begins_when_the_cause_is_mended() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    std::fs::remove_dir(env.beside("cache")).unwrap();
    std::fs::write(env.beside("cache"), "in the way").unwrap();
    let answer = env.run(["run"]).expect(1);
    assert!(answer.stderr.contains("/cache"), "{}", answer.stderr);
    std::fs::remove_file(env.beside("cache")).unwrap();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
}
