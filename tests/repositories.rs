//! Whole sessions in repositories out of the ordinary: a win is kept and the slots hold what git checks out, or a refusal.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::{TestEnvironment, fingerprint};

/// Runs a session with one win, asserts that it is kept and that the user's things are as they were.
#[track_caller]
fn keeps_a_win(env: &TestEnvironment) {
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]).trim(), "900");
    assert_eq!(env.git(["diff", "--name-only", "main", "autoresearch/counting"]), "src/work\n");
    assert_eq!(env.belongings(), before);
    env.git(["fsck", "--connectivity-only"]);
}

/// Runs the program where it must refuse, with an untouched repository.
#[track_caller]
fn refused(env: &TestEnvironment, parts: &[&str]) {
    let before = fingerprint(&env.repo(), &[]);
    let answer = env.run(["run"]).expect(1);
    for part in parts {
        assert!(answer.stderr.contains(part), "'{part}' is not in: {}", answer.stderr);
    }
    assert_eq!(fingerprint(&env.repo(), &[]), before, "a refusal changes nothing in the repository");
}

/// Adds a check that compares a file of the slot with a copy of the one that git wrote in the user's checkout, which no
/// check can see.
fn compare(env: &TestEnvironment, file: &str) {
    let there = env.beside("expected");
    std::fs::copy(env.repo().join(file), &there).unwrap();
    env.script(
        &format!("checks/same-{}", file.replace('/', "-")),
        &format!("#!/bin/sh\ncmp {file} {}\n", there.display()),
    );
}

#[test]
fn a_sparse_checkout_works() {
    let env = TestEnvironment::counting_project();
    env.write("outside/big", "not checked out\n");
    env.commit("outside");
    env.git(["sparse-checkout", "set", "--cone", "src"]);
    env.patch("1-win.patch", "src/work", "900\n");
    env.script("checks/sparse", "#!/bin/sh\ntest ! -e outside && test -f src/other\n");
    keeps_a_win(&env);
    assert_eq!(env.git(["show", "autoresearch/counting:outside/big"]), "not checked out\n");
}

#[test]
fn a_shallow_clone_works() {
    let env = TestEnvironment::counting_project();
    env.write("src/other", "second\n");
    env.commit("second");
    let full = env.beside("full");
    std::fs::rename(env.repo(), &full).unwrap();
    std::fs::create_dir(env.repo()).unwrap();
    env.git(["clone", "-q", "--depth", "1", &format!("file://{}", full.display()), "."]);
    assert_eq!(env.git(["rev-list", "--count", "HEAD"]).trim(), "1");
    env.patch("1-win.patch", "src/work", "900\n");
    keeps_a_win(&env);
}

#[test]
fn a_clean_and_smudge_filter_gives_the_content_and_not_the_pointer() {
    let env = TestEnvironment::counting_project();
    env.git(["config", "filter.shout.clean", "tr A-Z a-z"]);
    env.git(["config", "filter.shout.smudge", "tr a-z A-Z"]);
    env.git(["config", "filter.shout.required", "true"]);
    env.write(".gitattributes", "*.loud filter=shout\n");
    env.write("src/file.loud", "HELLO\n");
    env.commit("a filter");
    assert_eq!(env.git(["show", "HEAD:src/file.loud"]), "hello\n");
    env.patch("1-win.patch", "src/work", "900\n");
    compare(&env, "src/file.loud");
    keeps_a_win(&env);
}

#[test]
fn autocrlf_gives_the_line_ends_of_the_checkout() {
    let env = TestEnvironment::counting_project();
    env.git(["config", "core.autocrlf", "true"]);
    env.write(".gitattributes", "*.sh text eol=lf\ncandidates/* -text\n");
    env.git(["add", ".gitattributes"]);
    env.git(["commit", "-q", "-m", "scripts have plain line ends"]);
    env.git(["rm", "-q", "-r", "--cached", "."]);
    env.git(["reset", "-q", "--hard"]);
    assert!(env.read("src/other").ends_with("third\r\n"));
    env.patch("1-win.patch", "src/work", "900\r\n");
    compare(&env, "src/other");
    keeps_a_win(&env);
}

#[test]
fn a_reftable_repository_works() {
    let env = TestEnvironment::empty();
    let made = env.git_says(["init", "-q", "-b", "main", "--ref-format=reftable"]);
    if !made {
        eprintln!("skipped: this git cannot make a reftable repository (2.45 can)");
        return;
    }
    env.counting_files();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");
    assert_eq!(env.git(["status", "--porcelain"]), "?? candidates/\n");
    assert_eq!(env.git(["symbolic-ref", "HEAD"]), "refs/heads/main\n");
}

#[test]
fn object_ids_of_sha256_are_refused_with_the_way_out() {
    let env = TestEnvironment::empty();
    env.git(["init", "-q", "-b", "main", "--object-format=sha256"]);
    env.counting_files();
    env.patch("1-win.patch", "src/work", "900\n");
    refused(&env, &["SHA-256", "--object-format=sha1"]);
}

#[test]
fn a_checked_out_submodule_is_refused_and_an_empty_one_is_left_empty() {
    let env = TestEnvironment::counting_project();
    let library = TestEnvironment::counting_project();
    let from = library.repo();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", from.to_str().unwrap(), "lib"];
    env.git(add);
    env.commit("a submodule");
    env.patch("1-win.patch", "src/work", "900\n");
    refused(&env, &["submodules (lib)", "git submodule deinit lib"]);
    env.git(["submodule", "--quiet", "deinit", "-f", "lib"]);
    keeps_a_win(&env);
}

#[test]
fn a_linked_worktree_is_a_checkout_like_any_other() {
    let env = TestEnvironment::counting_project();
    let linked = env.beside("linked");
    env.git(["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    env.patch("1-win.patch", "src/work", "900\n");
    std::fs::rename(env.repo().join("candidates"), linked.join("candidates")).unwrap();
    let before = env.belongings();
    env.run(["-C", linked.to_str().unwrap(), "run"]).expect(0);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_bare_repository_is_refused() {
    let env = TestEnvironment::counting_project();
    let bare = env.beside("bare.git");
    env.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let answer = env.run(["-C", bare.to_str().unwrap(), "run"]).expect(1);
    assert!(answer.stderr.contains("bare repository") && answer.stderr.contains("git clone"), "{}", answer.stderr);
}

#[test]
fn a_path_with_blanks_quotes_and_letters_of_every_kind_works() {
    let env = TestEnvironment::counting_project();
    env.write("src/a file 'with' \"quotes\" & \u{e9}", "x\n");
    env.commit("odd names");
    let odd = env.beside("an 'odd' \u{e9} $folder");
    env.git(["clone", "-q", ".", odd.to_str().unwrap()]);
    env.patch("1-win.patch", "src/work", "900\n");
    std::fs::rename(env.repo().join("candidates"), odd.join("candidates")).unwrap();
    env.run(["-C", odd.to_str().unwrap(), "run"]).expect(0);
    let shown = env.git(["-C", odd.to_str().unwrap(), "show", "autoresearch/counting:src/work"]);
    assert_eq!(shown, "900\n");
}
