//! Whole sessions of the program with a scripted bench: what is kept, what is dropped, what is left alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::{TestEnvironment, fingerprint};

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
