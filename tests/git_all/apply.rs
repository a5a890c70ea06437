//! Patches become trees: every rung of the ladder, every kind of change, every refusal.

use crate::room::{Room, git_in, numbered};
use autoresearch::domain::ObjectId;
use autoresearch::git::{Applied, ApplyError, NewCommit, PrivateRepository, Rejection, RejectionKind, Rung, TouchKind};

/// A change of the checkout.
type Edit = fn(&Room);

fn rejection(result: Result<Applied, ApplyError>) -> Rejection {
    match result {
        Err(ApplyError::Rejected(rejection)) => rejection,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

/// Applies on the tip and compares with the tree that git itself makes of the same patch.
fn same_as_git(room: &Room, patch: &[u8]) -> Applied {
    let private = room.private();
    let applied = private.apply(patch, &room.head(), &[]).unwrap();
    let file = room.dir.path().join("p.patch");
    std::fs::write(&file, patch).unwrap();
    room.git(&["apply", "--index", "--whitespace=nowarn", file.to_str().unwrap()]);
    let tree = room.git(&["write-tree"]);
    room.git(&["reset", "-q", "--hard"]);
    assert_eq!(applied.tree.as_str(), tree.trim());
    applied
}

fn patch_of(room: &Room, edit: impl Fn(&Room)) -> Vec<u8> {
    edit(room);
    room.take_patch()
}

fn file(private: &PrivateRepository, tree: &ObjectId, path: &str) -> Option<String> {
    private.read_file(tree, path).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn edits_creations_deletions_renames_modes_and_links_apply_as_git_applies_them() {
    let room = Room::new();
    let edits: [(&str, Edit); 9] = [
        ("edit", |r| r.write("src/main.txt", numbered(40).replace("line 20\n", "LINE 20\nmore\n"))),
        ("create", |r| r.write("new/deep/file.txt", "new\n")),
        ("create empty", |r| r.write("empty", "")),
        ("delete", |r| std::fs::remove_file(r.user_path().join("src/other.txt")).unwrap()),
        ("rename", |r| drop(r.git(&["mv", "src/main.txt", "moved name.txt"]))),
        ("mode", |r| drop(r.git(&["update-index", "--chmod=+x", "README"]))),
        ("link", |r| {
            std::fs::remove_file(r.user_path().join("link")).unwrap();
            std::os::unix::fs::symlink("run.sh", r.user_path().join("link")).unwrap();
        }),
        ("no newline", |r| r.write("README", "read me not")),
        ("binary", |r| r.write("data.bin", [9_u8, 0, 1, 2].repeat(70))),
    ];
    for (name, edit) in edits {
        edit(&room);
        if name != "mode" {
            room.git(&["add", "-A"]);
        }
        let patch = room.git_bytes(&["diff", "--cached", "--binary", "-M", "HEAD"]);
        room.git(&["reset", "-q", "--hard"]);
        assert!(!patch.is_empty(), "{name}");
        let applied = same_as_git(&room, &patch);
        assert_eq!(applied.rung, Rung::Strict, "{name}");
        assert!(!applied.diff.is_empty(), "{name}");
        let again = same_as_git(&room, &applied.diff);
        assert_eq!(again.tree, applied.tree, "{name}: the diff gives the same tree");
    }
}

#[test]
fn crlf_and_other_encodings_are_bytes_like_any_others() {
    let room = Room::new();
    room.write("dos.txt", "a\r\nb\r\nc\r\n");
    room.write("latin.txt", b"caf\xe9\nth\xe9\n");
    room.commit("encodings");
    let patch = patch_of(&room, |r| {
        r.write("dos.txt", "a\r\nB\r\nc\r\n");
        r.write("latin.txt", b"caf\xe9\nTH\xc9\n");
    });
    same_as_git(&room, &patch);
}

#[test]
fn a_patch_that_a_converter_gave_crlf_line_ends_applies_to_files_with_lf() {
    let room = Room::new();
    let patch = patch_of(&room, |r| r.write("README", "read it\n"));
    let crlf = String::from_utf8(patch).unwrap().replace('\n', "\r\n");
    let private = room.private();
    let applied = private.apply(crlf.as_bytes(), &room.head(), &[]).unwrap();
    assert_eq!(file(&private, &applied.tree, "README").unwrap(), "read it\n");
}

#[test]
fn a_plain_diff_without_git_headers_applies() {
    let room = Room::new();
    let private = room.private();
    let patch = "--- a/README\t2024-01-01\n+++ b/README\t2024-01-02\n@@ -1 +1 @@\n-read me\n+read you\n-- \n2.47\n";
    let applied = private.apply(patch.as_bytes(), &room.head(), &[]).unwrap();
    assert_eq!(file(&private, &applied.tree, "README").unwrap(), "read you\n");
    let create = "--- /dev/null\n+++ b/fresh\n@@ -0,0 +1 @@\n+fresh\n";
    let applied = private.apply(create.as_bytes(), &room.head(), &[]).unwrap();
    assert_eq!(file(&private, &applied.tree, "fresh").unwrap(), "fresh\n");
}

#[test]
fn a_patch_that_changes_nothing_gives_the_tips_tree_and_an_empty_diff() {
    let room = Room::new();
    let private = room.private();
    let tip_tree = private.tree_of(&room.head()).unwrap();
    let same = "--- a/README\n+++ b/README\n@@ -1 +1 @@\n-read me\n+read me\n";
    for patch in ["", "\n \n", "-- \n2.47.3\n", same] {
        let applied = private.apply(patch.as_bytes(), &room.head(), &[]).unwrap();
        assert_eq!((&applied.tree, applied.diff.len()), (&tip_tree, 0), "{patch:?}");
        assert_eq!(private.patch_id(&applied.diff).unwrap(), None);
    }
}

#[test]
fn a_patch_on_a_known_base_is_merged_onto_the_tip() {
    let room = Room::new();
    let base = room.head();
    let patch = patch_of(&room, |r| r.write("src/main.txt", numbered(40).replace("line 30\n", "LINE 30\n")));
    room.write("src/main.txt", format!("first\nsecond\n{}", numbered(40)));
    let tip = room.commit("kept");
    let private = room.private();
    let applied = private.apply(&patch, &tip, std::slice::from_ref(&base)).unwrap();
    assert_eq!(applied.rung, Rung::KnownBase);
    let expected = format!("first\nsecond\n{}", numbered(40).replace("line 30\n", "LINE 30\n"));
    assert_eq!(file(&private, &applied.tree, "src/main.txt").unwrap(), expected);
    assert_eq!(private.apply(&patch, &tip, &[]).unwrap().rung, Rung::Offset);
}

#[test]
fn a_merge_follows_a_file_that_was_renamed_since_the_base() {
    let room = Room::new();
    let base = room.head();
    let patch = patch_of(&room, |r| r.write("src/main.txt", numbered(40).replace("line 30\n", "LINE 30\n")));
    room.git(&["mv", "src/main.txt", "src/renamed.txt"]);
    let tip = room.commit("renamed");
    let private = room.private();
    let applied = private.apply(&patch, &tip, &[base]).unwrap();
    assert!(file(&private, &applied.tree, "src/renamed.txt").unwrap().contains("LINE 30"));
    assert_eq!(file(&private, &applied.tree, "src/main.txt"), None);
}

#[test]
fn a_conflict_with_a_keep_names_file_and_hunk() {
    let room = Room::new();
    let base = room.head();
    let patch = patch_of(&room, |r| {
        let text = numbered(40).replace("line 3\n", "LINE 3\n").replace("line 30\n", "LINE 30\n");
        r.write("src/main.txt", text);
    });
    room.write("src/main.txt", numbered(40).replace("line 30\n", "another 30\n"));
    let tip = room.commit("kept");
    let found = rejection(room.private().apply(&patch, &tip, &[base]));
    assert_eq!(
        found.to_string(),
        "the patch does not apply: src/main.txt, hunk 2: it changes the same place as a commit since its base"
    );
}

#[test]
fn a_hunk_moves_to_the_only_place_of_its_context_and_never_guesses() {
    let room = Room::new();
    let text = "--- a/src/main.txt\n+++ b/src/main.txt\n@@ -3,3 +3,3 @@\n line 20\n-line 21\n+LINE 21\n line 22\n";
    let private = room.private();
    let applied = private.apply(text.as_bytes(), &room.head(), &[]).unwrap();
    assert_eq!(applied.rung, Rung::Offset);
    let found = rejection(private.apply(text.replace("line 22", "line 99").as_bytes(), &room.head(), &[]));
    assert_eq!((found.file.as_deref(), found.hunk, found.why), (Some("src/main.txt"), Some(1), RejectionKind::Nowhere));
    room.write("twice", "a\nb\nc\n-\na\nb\nc\n");
    let tip = room.commit("twice");
    let text = "--- a/twice\n+++ b/twice\n@@ -9,3 +9,3 @@\n a\n-b\n+B\n c\n";
    let found = rejection(room.private().apply(text.as_bytes(), &tip, &[]));
    assert_eq!(found.why, RejectionKind::Ambiguous { places: 2 });
}

#[test]
fn blob_ids_in_the_index_lines_allow_a_three_way_merge_with_an_unknown_base() {
    let room = Room::new();
    let patch = patch_of(&room, |r| r.write("src/main.txt", numbered(40).replace("line 30\n", "LINE 30\n")));
    room.write("src/main.txt", format!("top\n{}", numbered(40).replace("line 27\n", "LINE 27\n")));
    let tip = room.commit("nearby");
    let private = room.private();
    let applied = private.apply(&patch, &tip, &[]).unwrap();
    assert_eq!(applied.rung, Rung::ThreeWay);
    let text = file(&private, &applied.tree, "src/main.txt").unwrap();
    assert!(text.contains("LINE 27\n") && text.contains("LINE 30\n"), "{text}");
}

#[test]
fn dangerous_paths_are_refused_before_anything_is_read() {
    let room = Room::new();
    let private = room.private();
    let patch = |path: &str| format!("--- a/{path}\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n");
    let why = |path: &str| rejection(private.apply(patch(path).as_bytes(), &room.head(), &[])).why;
    for path in ["../out", "src/../../out", "/etc/passwd", "src//main.txt", "./README"] {
        assert_eq!(why(path), RejectionKind::OutsideTheTree, "{path}");
    }
    for path in [".git/hooks/post-commit", "sub/.GIT/config"] {
        assert_eq!(why(path), RejectionKind::GitFolder, "{path}");
    }
    let absolute = "--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-x\n+y\n";
    assert_eq!(rejection(private.apply(absolute.as_bytes(), &room.head(), &[])).why, RejectionKind::OutsideTheTree);
    let renamed = "diff --git a/README b/x\nsimilarity index 100%\nrename from README\nrename to ../x\n";
    assert_eq!(rejection(private.apply(renamed.as_bytes(), &room.head(), &[])).why, RejectionKind::OutsideTheTree);
}

#[test]
fn broken_patches_say_what_is_wrong() {
    let room = Room::new();
    let private = room.private();
    let why = |patch: &str| rejection(private.apply(patch.as_bytes(), &room.head(), &[])).why;
    assert_eq!(why("just some words\n"), RejectionKind::NoDiff);
    let short = "--- a/README\n+++ b/README\n@@ -1,3 +1,3 @@\n-read me\n";
    assert_eq!(why(short), RejectionKind::Malformed { line: 5, what: "the end of the patch within a hunk" });
    let missing = "--- a/nothing\n+++ b/nothing\n@@ -1 +1 @@\n-a\n+b\n";
    assert_eq!(why(missing), RejectionKind::Missing);
    let exists = "--- /dev/null\n+++ b/README\n@@ -0,0 +1 @@\n+x\n";
    assert_eq!(why(exists), RejectionKind::Exists);
    let binary = "diff --git a/data.bin b/data.bin\nindex 1234567..89abcde 100644\nBinary files a/data.bin and b/data.bin differ\n";
    assert_eq!(why(binary), RejectionKind::BinaryWithoutContent);
    let gitlink = "diff --git a/sub b/sub\nnew file mode 160000\nindex 0000000..1234567\n--- /dev/null\n+++ b/sub\n@@ -0,0 +1 @@\n+Subproject commit 1234567\n";
    assert_eq!(why(gitlink), RejectionKind::Submodule);
    let partial = "--- a/src/main.txt\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-line 1\n-line 2\n";
    assert_eq!(why(partial), RejectionKind::NotEmptied);
}

#[test]
fn touched_names_every_path_with_its_kind() {
    let room = Room::new();
    let base = room.head();
    room.write("added", "added\n");
    room.write("README", "other\n");
    std::fs::remove_file(room.user_path().join("src/other.txt")).unwrap();
    room.git(&["mv", "src/main.txt", "src/moved.txt"]);
    std::fs::remove_file(room.user_path().join("link")).unwrap();
    std::os::unix::fs::symlink("elsewhere", room.user_path().join("link")).unwrap();
    room.git(&["add", "-A"]);
    room.git(&["update-index", "--chmod=-x", "run.sh"]);
    room.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{base},sub")]);
    room.git(&["commit", "-q", "-m", "all"]);
    let touched = room.private().touched(&base, &room.head()).unwrap();
    let kinds: Vec<(&str, Option<&str>, TouchKind)> =
        touched.iter().map(|t| (t.path.as_str(), t.old_path.as_deref(), t.kind)).collect();
    let mut expected = vec![
        ("README", None, TouchKind::Modified),
        ("added", None, TouchKind::Added),
        ("link", None, TouchKind::Symlink),
        ("run.sh", None, TouchKind::ModeChanged),
        ("src/moved.txt", Some("src/main.txt"), TouchKind::Renamed),
        ("src/other.txt", None, TouchKind::Deleted),
        ("sub", None, TouchKind::Submodule),
    ];
    let mut kinds = kinds;
    kinds.sort();
    expected.sort();
    assert_eq!(kinds, expected);
}

#[test]
fn a_diff_of_other_contents_applies_as_git_applies_it_and_keeps_modes() {
    let room = Room::new();
    let edited = numbered(40).replace("line 20\n", "LINE 20\n");
    let contents = [("src/main.txt", edited.as_str()), ("run.sh", "#!/bin/sh\nexit 3\n"), ("new/file", "new\n")];
    let contents = contents.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
    let diff = room.private().diff_of_contents(&room.head(), &contents).unwrap();
    let applied = same_as_git(&room, &diff);
    let touched = room.private().touched(&room.head(), &applied.tree).unwrap();
    let kinds: Vec<_> = touched.iter().map(|t| (t.path.as_str(), t.kind)).collect();
    let expected =
        [("new/file", TouchKind::Added), ("run.sh", TouchKind::Modified), ("src/main.txt", TouchKind::Modified)];
    assert_eq!(kinds, expected);
    let same = [("README".to_owned(), room.private().read_file(&room.head(), "README").unwrap().unwrap())].into();
    assert_eq!(room.private().diff_of_contents(&room.head(), &same).unwrap(), b"");
}

#[test]
fn the_patch_id_is_the_same_wherever_the_hunk_lands() {
    let room = Room::new();
    let patch = patch_of(&room, |r| r.write("src/main.txt", numbered(40).replace("line 30\n", "LINE 30\n")));
    let private = room.private();
    let first = private.patch_id(&private.apply(&patch, &room.head(), &[]).unwrap().diff).unwrap();
    room.write("src/main.txt", format!("top\n{}", numbered(40)));
    let tip = room.commit("moved");
    let second = private.patch_id(&private.apply(&patch, &tip, &[]).unwrap().diff).unwrap();
    assert!(first.is_some());
    assert_eq!(first, second);
}

#[test]
fn a_published_commit_is_whole_in_the_users_repository() {
    let room = Room::new();
    let patch = patch_of(&room, |r| r.write("deep/er/new.txt", "new\n"));
    let private = room.private();
    let tip = room.head();
    let tree = private.apply(&patch, &tip, &[]).unwrap().tree;
    let ada = crate::room::ada();
    let new = NewCommit { tree: &tree, parent: &tip, message: "Keep\n\nbody\n", author: &ada, committer: &ada };
    let commit = private.commit(&new).unwrap();
    assert!(!crate::room::git_says(&room.user_path(), &["cat-file", "-e", commit.as_str()]));
    private.publish(&commit, &tip).unwrap();
    assert_eq!(
        room.git(&["show", "-s", "--format=%an|%cn|%s|%P", commit.as_str()]),
        format!("Ada Test|Ada Test|Keep|{tip}\n")
    );
    assert_eq!(room.git(&["show", &format!("{commit}:deep/er/new.txt")]), "new\n");
    git_in(&room.user_path(), &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_part_that_is_left_out_need_not_apply() {
    let room = Room::new();
    let patch = patch_of(&room, |r| {
        r.write("src/main.txt", numbered(40).replace("line 20\n", "LINE 20\n"));
        r.write("README", "another\n");
        std::fs::remove_file(r.user_path().join("link")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", r.user_path().join("new-link")).unwrap();
        r.git(&["mv", "src/other.txt", "moved.txt"]);
    });
    let patch = String::from_utf8(patch).unwrap().replace("+another", "+another\n+one").into_bytes();
    let private = room.private();
    let mut seen = Vec::new();
    let applied = private.apply_parts(&patch, &room.head(), &[], &mut |part| {
        seen.push((part.path.clone(), part.old_path.clone(), part.link.clone()));
        part.path == "src/main.txt"
    });
    let touched = private.touched(&room.head(), &applied.unwrap().tree).unwrap();
    assert_eq!(touched.iter().map(|touched| touched.path.as_str()).collect::<Vec<_>>(), ["src/main.txt"]);
    let has = |path: &str, old: Option<&str>, link: Option<&str>| {
        seen.contains(&(path.to_owned(), old.map(str::to_owned), link.map(str::to_owned)))
    };
    assert!(has("README", None, None) && has("moved.txt", Some("src/other.txt"), None), "{seen:?}");
    assert!(has("new-link", None, Some("/etc/passwd")), "{seen:?}");
}
