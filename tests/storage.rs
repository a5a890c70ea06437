//! A disk that fills up at any step, and folders that may not be written: named, nobody's fault, and gone on from.
//!
//! Each room is laid out in a mount namespace of its own; where the machine allows none, the tests say so and pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::process::Command;

use serde_json::json;
use support::facts::{assert_same_facts, facts};
use support::{Answer, TestEnvironment, fingerprint};

/// The folders of a room that are laid on the small disk, beside the files that stay outside.
const LAID: &str = "repo cache tmp home";

/// A project with a win, which names an idea, and a no-op.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["limits"] = json!({ "diskFreeBytes": 262_144 }));
    env.write("ideas.md", "## To try\n\n- [ ] **less** Less work.\n\n## Tried\n");
    env.commit("ideas");
    let diff = "diff --git a/src/work b/src/work\n--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-1000\n+900\n";
    let head = "From: Ann Other <ann@example.org>\nSubject: [PATCH] win\n\nBecause.\n\nIdea: less\n---\n";
    env.raw_patch("1-win.patch", format!("{head}{diff}"));
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env
}

/// Runs a script in the room with mounts of its own. `None` where the machine allows none.
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn with_mounts(env: &TestEnvironment, script: &str) -> Option<Answer> {
    if !Command::new("unshare").args(["-Urm", "true"]).output().is_ok_and(|made| made.status.success()) {
        eprintln!("SKIPPED: this machine allows no mount namespaces (unshare -Urm)");
        return None;
    }
    let run = env.command(["run"]);
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-euc", script, "sh"]).arg(run.get_program()).arg(env.beside(""));
    command.current_dir(env.beside("")).env_clear();
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(command.output().unwrap().into())
}

/// Runs with so many KiB free, then with room enough; returns the two answers and leaves the outcome in the room.
fn run_on_a_small_disk(env: &TestEnvironment, free_kib: u32) -> Option<[Answer; 2]> {
    let script = format!(
        "root=${{2%/}}; mkdir disk; mount -t tmpfs -o size=64m small disk
         cp -a {LAID} disk/
         for part in {LAID}; do mount --bind disk/$part $part; done
         used=$(df -k --output=used disk | tail -n 1)
         mount -o remount,size=$((used + {free_kib}))k disk
         first=0; (cd \"$root/repo\" && \"$1\" run) >first.out 2>first.err || first=$?
         mount -o remount,size=64m disk
         second=0; (cd \"$root/repo\" && \"$1\" run) >second.out 2>second.err || second=$?
         mkdir after; cp -a disk/repo disk/cache after/
         echo $first $second"
    );
    let codes = with_mounts(env, &script)?.expect(0).stdout;
    for part in ["repo", "cache"] {
        fs::remove_dir_all(env.beside(part)).unwrap();
        fs::rename(env.beside("after").join(part), env.beside(part)).unwrap();
    }
    let read = |name: &str| fs::read_to_string(env.beside(name)).unwrap();
    let mut codes = codes.split_whitespace().map(|code| code.parse().unwrap());
    let mut answer = |name: &str| Answer {
        code: codes.next().unwrap(),
        stdout: read(&format!("{name}.out")),
        stderr: read(&format!("{name}.err")),
    };
    Some([answer("first"), answer("second")])
}

#[test]
fn a_disk_that_fills_up_at_any_step_is_named_and_the_session_goes_on_when_there_is_room() {
    let undisturbed = project();
    undisturbed.run(["run"]).expect(0);
    let expected = facts(&undisturbed);
    let mut ends = Vec::new();
    for free_kib in [0, 4, 12, 40, 100, 270, 300, 330, 400, 700, 2000] {
        let env = project();
        let Some([first, second]) = run_on_a_small_disk(&env, free_kib) else { return };
        let said = format!("with {free_kib} KiB free: {}", first.stderr);
        assert!([0, 1, 8].contains(&first.code), "exit code {} {said}", first.code);
        if first.code != 0 {
            let names = ["the disk is low", "disk_low", "No space left"];
            assert!(names.iter().any(|name| first.stderr.contains(name)), "{said}");
            assert!(first.stderr.contains('/'), "a file or folder is named {said}");
        }
        ends.push(first.code);
        assert_eq!(second.code, 0, "{said}\nthen: {}", second.stderr);
        assert_same_facts(&facts(&env), &expected, &said);
        env.git(["fsck", "--strict"]);
    }
    assert!(ends.contains(&1) && ends.contains(&8) && ends.contains(&0), "each kind of end was met: {ends:?}");
}

/// Runs while a folder may not be written, and then again when it may.
fn run_read_only(env: &TestEnvironment, folder: &str) -> Option<Answer> {
    let script =
        format!("mount --bind {folder} {folder}; mount -o remount,ro,bind {folder} {folder}; cd repo; exec \"$1\" run");
    with_mounts(env, &script)
}

#[test]
fn a_state_folder_that_may_not_be_written_is_named() {
    let env = project();
    let held = env.beside("2-no-op.patch");
    fs::rename(env.repo().join("candidates/2-no-op.patch"), &held).unwrap();
    env.run(["run"]).expect(0);
    fs::rename(held, env.repo().join("candidates/2-no-op.patch")).unwrap();
    let before = fingerprint(&env.repo(), &[]);
    let Some(answer) = run_read_only(&env, "repo/.git/autoresearch") else { return };
    let answer = answer.expect(1);
    assert!(answer.stderr.contains("/.git/autoresearch/counting/"), "{}", answer.stderr);
    assert!(answer.stderr.contains("Read-only file system"), "{}", answer.stderr);
    assert_eq!(fingerprint(&env.repo(), &[]), before);
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 2);
}

#[test]
fn a_cache_folder_that_may_not_be_written_is_named() {
    let env = project();
    let Some(answer) = run_read_only(&env, "cache") else { return };
    let answer = answer.expect(1);
    assert!(answer.stderr.contains("/cache/autoresearch"), "{}", answer.stderr);
    assert!(answer.stderr.contains("Read-only file system"), "{}", answer.stderr);
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 2);
}

#[test]
fn a_repository_that_may_not_be_written_is_named() {
    let env = project();
    let before = fingerprint(&env.repo(), &[]);
    let Some(answer) = run_read_only(&env, "repo") else { return };
    let answer = answer.expect(1);
    assert!(answer.stderr.contains("/repo/.git/autoresearch"), "{}", answer.stderr);
    assert!(answer.stderr.contains("Read-only file system"), "{}", answer.stderr);
    assert_eq!(fingerprint(&env.repo(), &[]), before);
}

#[test]
fn an_ideas_file_that_may_not_be_replaced_waits_for_its_edit_and_the_session_goes_on() {
    let undisturbed = project();
    undisturbed.run(["run"]).expect(0);
    let env = project();
    let ideas = env.read("ideas.md");
    let Some(answer) = run_read_only(&env, "repo/ideas.md") else { return };
    let answer = answer.expect(0);
    assert!(answer.stderr.contains("/ideas.md"), "the edit that waits is told: {}", answer.stderr);
    assert_eq!(env.read("ideas.md"), ideas);
    env.run(["run"]).expect(0);
    assert_same_facts(&facts(&env), &facts(&undisturbed), "once the file can be written");
}
