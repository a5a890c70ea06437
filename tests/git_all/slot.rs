//! Slots hold exactly what git checks out, show candidates as uncommitted changes, and come back clean.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::room::{Room, contents, git_in, git_says, numbered};
use autoresearch::domain::ObjectId;
use autoresearch::git::{Deviation, DeviationKind, GitError, HarnessFile, NewCommit, Slot, SlotName};

fn harness() -> Vec<HarnessFile> {
    vec![HarnessFile { path: "bench.sh".to_owned(), executable: true, content: b"#!/bin/sh\n".to_vec() }]
}

fn deviation(path: &str, kind: DeviationKind) -> Deviation {
    Deviation { path: path.to_owned(), kind }
}

fn status(slot: &Slot) -> String {
    String::from_utf8(git_in(slot.root(), &["status", "--porcelain", "--ignored"])).unwrap()
}

/// Lays a patch on the slot; returns the tree.
fn lay(room: &Room, slot: &mut Slot, patch: &[u8]) -> ObjectId {
    let tree = room.private().apply(patch, &room.head(), &[]).unwrap().tree;
    slot.lay(&tree).unwrap();
    tree
}

fn everything(r: &Room) {
    r.write("src/main.txt", numbered(40).replace("line 20\n", "LINE 20\n"));
    r.write("fresh/new.txt", "new\n");
    r.write("ignored.o", "object\n");
    r.git(&["add", "-f", "ignored.o"]);
    fs::remove_file(r.user_path().join("src/other.txt")).unwrap();
    fs::set_permissions(r.user_path().join("README"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_slot_holds_what_git_checks_out_and_is_clean() {
    let room = Room::new();
    let (mut slot, _) = room.slot(&room.private(), &[]);
    assert_eq!(contents(slot.root(), &[".git"]), contents(&room.user_path(), &[".git"]));
    assert_eq!(status(&slot), "");
    assert!(git_says(slot.root(), &["diff-index", "--quiet", "HEAD"]));
    assert_eq!(slot.verify().unwrap(), []);
}

#[test]
fn a_candidate_is_an_uncommitted_change_with_new_files_as_intent_to_add() {
    let room = Room::new();
    everything(&room);
    let patch = room.take_patch();
    let (mut slot, commit) = room.slot(&room.private(), &harness());
    lay(&room, &mut slot, &patch);
    assert_eq!(slot.verify().unwrap(), []);
    assert_eq!(status(&slot), " M README\n A fresh/new.txt\n A ignored.o\n M src/main.txt\n D src/other.txt\n");
    assert!(!git_says(slot.root(), &["diff", "--quiet", "--", "fresh/new.txt"]));
    assert!(git_says(slot.root(), &["diff", "--quiet", "--", "bench.sh"]));
    slot.reset(&commit, &[]).unwrap();
    assert_eq!(status(&slot), "");
    assert!(git_says(slot.root(), &["diff-index", "--quiet", "HEAD"]));
    let mut expected = contents(&room.user_path(), &[".git"]);
    let mut found = contents(slot.root(), &[".git"]);
    assert_eq!(found.remove("bench.sh").unwrap().0, "100755");
    expected.remove("bench.sh");
    assert_eq!(found, expected);
}

#[test]
fn a_reset_removes_all_but_keep_folders_and_what_prepare_made() {
    let room = Room::new();
    let (mut slot, commit) = room.slot(&room.private(), &[]);
    let at = |path: &str| slot.root().join(path);
    let put = |path: &str| crate::room::write(&at(path), "x");
    put("node_modules/pkg/index.js");
    put("src/generated.txt");
    let keep = ["target/".to_owned(), "deep/cache".to_owned()];
    let top = slot.root().to_owned();
    slot.record_prepared(&keep).unwrap();
    let put = |path: &str| crate::room::write(&top.join(path), "x");
    for path in
        ["target/debug/app", "deep/cache/x", "deep/loose", "loose.txt", "src/loose.o", "junk/a/b", "readonly/sub/x"]
    {
        put(path);
    }
    fs::set_permissions(top.join("readonly/sub"), fs::Permissions::from_mode(0o500)).unwrap();
    slot.reset(&commit, &keep).unwrap();
    let left: Vec<String> = contents(&top, &[".git"]).into_keys().filter(|p| top.join(p).is_file()).collect();
    let tracked = String::from_utf8(git_in(&top, &["ls-files"])).unwrap();
    let mut expected: Vec<String> = tracked.lines().map(str::to_owned).collect();
    let survivors = ["node_modules/pkg/index.js", "src/generated.txt", "target/debug/app", "deep/cache/x"];
    expected.extend(survivors.map(str::to_owned));
    expected.sort();
    assert_eq!(left, expected);
    slot.forget_prepared().unwrap();
    slot.reset(&commit, &keep).unwrap();
    assert!(!top.join("node_modules").exists() && !top.join("src/generated.txt").exists());
    assert!(top.join("target/debug/app").exists());
}

#[test]
fn what_prepare_made_is_remembered_by_the_next_session() {
    let room = Room::new();
    let private = room.private();
    let (mut slot, commit) = room.slot(&private, &[]);
    crate::room::write(&slot.root().join("node_modules/x"), "x");
    slot.record_prepared(&[]).unwrap();
    crate::room::write(&slot.root().join("README"), "tampered\n");
    drop(slot);
    let mut slot = Slot::open_or_create(&private, SlotName::A, &commit).unwrap();
    slot.reset(&commit, &[]).unwrap();
    assert!(slot.root().join("node_modules/x").exists());
    assert_eq!(fs::read_to_string(slot.root().join("README")).unwrap(), "read me\n");
    assert_eq!(status(&slot), "!! node_modules/\n");
}

#[test]
fn verify_finds_every_deviation_and_the_next_reset_mends_it() {
    let room = Room::new();
    let (mut slot, commit) = room.slot(&room.private(), &[]);
    let top = slot.root().to_owned();
    fs::write(top.join("README"), "read yo\n").unwrap();
    fs::remove_file(top.join("src/other.txt")).unwrap();
    fs::remove_file(top.join("link")).unwrap();
    fs::write(top.join("link"), "README").unwrap();
    fs::set_permissions(top.join("run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    git_in(&top, &["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "--allow-empty", "-m", "moved"]);
    git_in(&top, &["rm", "-q", "--cached", "data.bin"]);
    let found = slot.verify().unwrap();
    let expected = [
        deviation("HEAD", DeviationKind::HeadMoved),
        deviation("README", DeviationKind::Rewritten),
        deviation("data.bin", DeviationKind::IndexChanged),
        deviation("link", DeviationKind::TypeChanged),
        deviation("run.sh", DeviationKind::ModeChanged),
        deviation("src/other.txt", DeviationKind::Missing),
    ];
    assert_eq!(found, expected);
    slot.reset(&commit, &[]).unwrap();
    assert_eq!(slot.verify().unwrap(), []);
    assert_eq!(contents(&top, &[".git"]), contents(&room.user_path(), &[".git"]));
    assert_eq!(status(&slot), "");
}

#[test]
fn a_rewrite_of_the_same_length_right_after_lay_is_found() {
    let room = Room::new();
    room.write("README", "READ ME\n");
    let patch = room.take_patch();
    let (mut slot, _) = room.slot(&room.private(), &[]);
    lay(&room, &mut slot, &patch);
    fs::write(slot.root().join("README"), "READ YO\n").unwrap();
    assert_eq!(slot.verify().unwrap(), [deviation("README", DeviationKind::Rewritten)]);
}

#[test]
fn a_refreshed_index_and_a_touched_file_are_no_deviation() {
    let room = Room::new();
    let (mut slot, commit) = room.slot(&room.private(), &[]);
    let readme = fs::File::options().append(true).open(slot.root().join("README")).unwrap();
    readme.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(9)).unwrap();
    git_in(slot.root(), &["update-index", "--refresh"]);
    assert_eq!(slot.verify().unwrap(), []);
    slot.reset(&commit, &[]).unwrap();
    assert!(git_says(slot.root(), &["diff-index", "--quiet", "HEAD"]));
}

#[test]
fn a_link_planted_by_a_command_is_never_written_through() {
    let room = Room::new();
    let (mut slot, commit) = room.slot(&room.private(), &[]);
    let outside = room.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("victim"), "untouched\n").unwrap();
    let top = slot.root().to_owned();
    fs::remove_file(top.join("README")).unwrap();
    std::os::unix::fs::symlink(outside.join("victim"), top.join("README")).unwrap();
    fs::remove_dir_all(top.join("src")).unwrap();
    std::os::unix::fs::symlink(&outside, top.join("src")).unwrap();
    std::os::unix::fs::symlink(&outside, top.join("loose")).unwrap();
    slot.reset(&commit, &[]).unwrap();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(outside.join("victim")).unwrap(), "untouched\n");
    assert_eq!(contents(&top, &[".git"]), contents(&room.user_path(), &[".git"]));
}

#[test]
fn leftover_locks_and_half_merges_are_removed() {
    let room = Room::new();
    let private = room.private();
    let (mut slot, commit) = room.slot(&private, &[]);
    let admin = private.path().join("worktrees/a");
    for name in ["index.lock", "MERGE_HEAD", "config.worktree"] {
        fs::write(admin.join(name), "x").unwrap();
    }
    fs::remove_file(slot.root().join(".git")).unwrap();
    assert_eq!(slot.verify().unwrap(), [deviation(".git", DeviationKind::LinkChanged)]);
    slot.reset(&commit, &[]).unwrap();
    assert_eq!(status(&slot), "");
    assert!(!admin.join("index.lock").exists() && !admin.join("MERGE_HEAD").exists());
}

#[test]
fn a_keep_moves_the_slot_without_rewriting_its_files() {
    let room = Room::new();
    everything(&room);
    let patch = room.take_patch();
    let private = room.private();
    let tip = room.head();
    let (mut slot, _) = room.slot(&private, &harness());
    let tree = lay(&room, &mut slot, &patch);
    let ada = crate::room::ada();
    let new = NewCommit { tree: &tree, parent: &tip, message: "k", author: &ada, committer: &ada };
    let kept = private.commit(&new).unwrap();
    let time = |slot: &Slot| fs::metadata(slot.root().join("src/main.txt")).unwrap().modified().unwrap();
    let before = time(&slot);
    let next = private.private_commit(&kept, &harness()).unwrap();
    slot.reset(&next, &[]).unwrap();
    assert_eq!(time(&slot), before);
    assert_eq!(status(&slot), "");
    assert!(git_says(slot.root(), &["diff-index", "--quiet", "HEAD"]));
    assert_eq!(slot.verify().unwrap(), []);
    let mut other = Slot::open_or_create(&private, SlotName::B, &next).unwrap();
    other.reset(&next, &[]).unwrap();
    assert_eq!(contents(slot.root(), &[".git"]), contents(other.root(), &[".git"]));
}

#[test]
fn a_file_that_becomes_a_folder_and_back_is_laid_and_reset() {
    let room = Room::new();
    fs::remove_file(room.user_path().join("README")).unwrap();
    room.write("README/part", "part\n");
    fs::remove_dir_all(room.user_path().join("src")).unwrap();
    room.write("src", "a file now\n");
    let patch = room.take_patch();
    let (mut slot, commit) = room.slot(&room.private(), &[]);
    lay(&room, &mut slot, &patch);
    assert_eq!(fs::read_to_string(slot.root().join("README/part")).unwrap(), "part\n");
    assert_eq!(fs::read_to_string(slot.root().join("src")).unwrap(), "a file now\n");
    assert_eq!(slot.verify().unwrap(), []);
    slot.reset(&commit, &[]).unwrap();
    assert_eq!(contents(slot.root(), &[".git"]), contents(&room.user_path(), &[".git"]));
    assert_eq!(status(&slot), "");
}

#[test]
fn a_second_candidate_needs_a_reset() {
    let room = Room::new();
    room.write("README", "other\n");
    let patch = room.take_patch();
    let (mut slot, _) = room.slot(&room.private(), &[]);
    let tree = lay(&room, &mut slot, &patch);
    assert!(matches!(slot.lay(&tree), Err(GitError::SlotOccupied { .. })));
}

#[test]
fn the_users_repository_and_checkout_are_untouched_by_slots() {
    let room = Room::new();
    room.write("README", "dirty\n");
    room.write("src/main.txt", "staged\n");
    room.git(&["add", "src/main.txt"]);
    room.git(&["stash", "push", "-q"]);
    room.git(&["stash", "apply", "-q", "--index"]);
    room.write("untracked.txt", "untracked\n");
    let before = contents(&room.user_path(), &[]);
    let private = room.private();
    let user = room.user();
    let patch = user.worktree_patch(&["untracked.txt".to_owned()]).unwrap();
    assert!(user.is_dirty().unwrap());
    let (mut slot, commit) = room.slot(&private, &harness());
    lay(&room, &mut slot, &patch);
    assert_eq!(fs::read_to_string(slot.root().join("README")).unwrap(), "dirty\n");
    assert!(!slot.root().join("untracked.txt").exists());
    slot.verify().unwrap();
    slot.reset(&commit, &[]).unwrap();
    user.identity().unwrap();
    user.unversioned().unwrap();
    assert_eq!(contents(&room.user_path(), &[]), before);
}
