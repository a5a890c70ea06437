//! The worktree of whoever proposes: the files of a commit, a git folder that shares nothing, and what was changed in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::room::{Room, contents, git_in, git_says, write};

const LITTER: &[&str] = &["/.agent/", ".helper*"];

fn log(root: &Path) -> String {
    String::from_utf8(git_in(root, &["log", "--all", "--format=%s"])).unwrap()
}

#[test]
fn it_holds_the_files_and_one_commit_and_nothing_else_of_the_users() {
    let room = Room::new();
    room.write("secret.txt", "held out\n");
    room.commit("a secret");
    let private = room.private();
    let commit = private.private_commit_without(&room.head(), &[], &["secret.txt".to_owned()]).unwrap();
    let scratch = private.scratch(&room.dir.path().join("agent"), LITTER);
    scratch.reset(&commit).unwrap();
    let mut expected = contents(&room.user_path(), &[".git"]);
    expected.remove("secret.txt");
    assert_eq!(contents(scratch.root(), &[".git"]), expected);
    assert_eq!(git_in(scratch.root(), &["status", "--porcelain"]), b"");
    assert_eq!(log(scratch.root()), "The program as it is now\n");
    let all = String::from_utf8(git_in(scratch.root(), &["cat-file", "--batch-check", "--batch-all-objects"])).unwrap();
    let blob = room.git(&["rev-parse", "HEAD:secret.txt"]);
    assert!(!all.contains(blob.trim()) && !all.contains(room.head().as_str()), "{all}");
    assert!(git_says(scratch.root(), &["fsck", "--strict"]));
}

#[test]
fn what_was_changed_becomes_a_patch_that_applies_whatever_was_done_to_the_git_folder() {
    let room = Room::new();
    let private = room.private();
    let commit = private.private_commit(&room.head(), &[]).unwrap();
    let scratch = private.scratch(&room.dir.path().join("agent"), LITTER);
    scratch.reset(&commit).unwrap();
    assert_eq!(scratch.patch(&commit, &[]).unwrap(), b"");
    let tree = scratch.root();
    write(&tree.join("src/other.txt"), "changed\n");
    git_in(tree, &["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "the agent's own"]);
    fs::remove_file(tree.join("README")).unwrap();
    write(&tree.join("src/new.bin"), [0_u8, 1, 255]);
    for passed_over in ["asi.json", "built.o", "target/x", ".agent/state", "deep/.helper.cache"] {
        write(&tree.join(passed_over), "no part of it\n");
    }
    git_in(tree, &["init", "-q", "nested"]);
    write(
        &tree.join(".git/config"),
        "[core]\n\trepositoryformatversion = 0\n[filter \"x\"]\n\tclean = touch ran; cat\n",
    );
    write(&tree.join(".git/info/attributes"), "* filter=x\n");
    let patch = scratch.patch(&commit, &["asi.json"]).unwrap();
    let applied = private.apply(&patch, &room.head(), &[]).unwrap();
    let touched = private.touched(&room.head(), &applied.tree).unwrap();
    let paths: Vec<&str> = touched.iter().map(|touched| touched.path.as_str()).collect();
    assert_eq!(paths, ["README", "src/new.bin", "src/other.txt"]);
    assert!(!tree.join("ran").exists(), "no filter of the worktree's ran");

    fs::remove_dir_all(tree.join("src")).unwrap();
    symlink("/tmp", tree.join("src")).unwrap();
    scratch.reset(&commit).unwrap();
    assert!(tree.join("target/x").exists() && tree.join(".agent/state").exists(), "builds and memories stay");
    assert!(!tree.join("nested").exists() && !tree.join("asi.json").exists());
    assert_eq!(fs::read_to_string(tree.join("src/other.txt")).unwrap(), "other\n");
    assert!(!tree.join("src").is_symlink());
    assert_eq!(log(tree), "The program as it is now\n");
    assert_eq!(scratch.patch(&commit, &["asi.json"]).unwrap(), b"");
}

#[test]
fn it_follows_the_tip_and_is_mended_when_its_git_folder_is_gone() {
    let room = Room::new();
    let private = room.private();
    let scratch = private.scratch(&room.dir.path().join("agent"), LITTER);
    for n in 0..3 {
        room.write("src/other.txt", format!("other {n}\n"));
        let commit = private.private_commit(&room.commit("next"), &[]).unwrap();
        scratch.reset(&commit).unwrap();
        assert_eq!(fs::read_to_string(scratch.root().join("src/other.txt")).unwrap(), format!("other {n}\n"));
        assert_eq!(git_in(scratch.root(), &["status", "--porcelain"]), b"");
        if n == 1 {
            fs::remove_dir_all(scratch.root().join(".git")).unwrap();
        }
    }
    assert!(git_says(scratch.root(), &["fsck", "--strict"]));
}

#[test]
fn line_ends_of_the_users_checkout_are_those_of_the_worktree() {
    let room = Room::new();
    room.git(&["config", "core.autocrlf", "true"]);
    let private = room.private();
    let commit = private.private_commit(&room.head(), &[]).unwrap();
    let scratch = private.scratch(&room.dir.path().join("agent"), LITTER);
    scratch.reset(&commit).unwrap();
    let path = scratch.root().join("src/other.txt");
    assert_eq!(fs::read(&path).unwrap(), b"other\r\n");
    assert_eq!(git_in(scratch.root(), &["status", "--porcelain"]), b"");
    fs::write(&path, b"another\r\n").unwrap();
    let applied = private.apply(&scratch.patch(&commit, &[]).unwrap(), &room.head(), &[]).unwrap();
    assert_eq!(private.read_file(&applied.tree, "src/other.txt").unwrap().unwrap(), b"another\n");
}
