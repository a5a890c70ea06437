//! The user's repository: found, read, and written only by branch.

use std::fs;

use autoresearch::domain::ObjectId;
use autoresearch::git::{BranchMove, GitError, Head, UserRepository};

use crate::room::{Room, numbered};

#[test]
fn what_is_no_usable_repository_is_refused_with_the_reason() {
    let plain = tempfile::tempdir().unwrap();
    let open = |path: &std::path::Path| UserRepository::open(path).unwrap_err();
    assert!(matches!(open(plain.path()), GitError::NoRepository { .. }));
    let bare = Room::empty(&["--bare"]);
    assert!(matches!(open(&bare.user_path()), GitError::Bare { .. }));
    let unborn = Room::empty(&[]);
    let user = unborn.user();
    assert_eq!(user.head().unwrap(), Head::Unborn { name: "main".to_owned() });
    let message = user.require_commit().unwrap_err().to_string();
    assert!(message.contains("has no commit yet"), "{message}");
}

#[test]
fn a_repository_is_found_from_a_folder_below_and_its_head_is_told() {
    let room = Room::new();
    let user = UserRepository::open(&room.user_path().join("src")).unwrap();
    assert_eq!(user.root(), room.user_path().canonicalize().unwrap());
    let commit = room.head();
    assert_eq!(user.head().unwrap(), Head::Branch { name: "main".to_owned(), commit: commit.clone() });
    room.git(&["checkout", "-q", "--detach"]);
    assert_eq!(user.head().unwrap(), Head::Detached { commit: commit.clone() });
    assert_eq!(user.resolve("main~0").unwrap(), commit);
    for wrong in ["no-such", "-x", "main:README"] {
        assert!(matches!(user.resolve(wrong), Err(GitError::NoSuchRevision { .. })), "{wrong}");
    }
}

#[test]
fn an_identity_comes_from_the_configuration_and_is_never_guessed() {
    let room = Room::new();
    assert_eq!(room.user().identity().unwrap(), crate::room::ada());
    room.git(&["config", "user.name", ""]);
    room.git(&["config", "user.email", ""]);
    let message = room.user().identity().unwrap_err().to_string();
    assert!(message.contains("git config --global user.name"), "{message}");
}

#[test]
fn a_branch_moves_only_from_where_it_is_believed_to_be() {
    let room = Room::new();
    let first = room.head();
    room.write("README", "second\n");
    let second = room.commit("second");
    let user = room.user();
    user.create_branch("autoresearch/x", &first, "autoresearch: start").unwrap();
    let again = user.create_branch("autoresearch/x", &second, "again").unwrap_err();
    assert!(matches!(again, GitError::BranchExists { found, .. } if found == first));
    let step = BranchMove { name: "autoresearch/x", from: &first, to: &second, reflog: "autoresearch: keep 1" };
    user.move_branch(&step).unwrap();
    assert_eq!(user.branch_tip("autoresearch/x").unwrap(), Some(second.clone()));
    let error = user.move_branch(&step).unwrap_err();
    assert!(matches!(error, GitError::BranchMoved { found: Some(found), .. } if found == second));
    let reflog = room.git(&["reflog", "show", "--format=%gs", "autoresearch/x"]);
    assert_eq!(reflog, "autoresearch: keep 1\nautoresearch: start\n");
    room.git(&["branch", "-q", "-D", "autoresearch/x"]);
    assert!(matches!(user.move_branch(&step), Err(GitError::BranchMoved { found: None, .. })));
}

#[test]
fn names_that_block_one_another_and_checkouts_of_a_branch_are_found() {
    let room = Room::new();
    let user = room.user();
    assert_eq!(user.blocking_branch("autoresearch/x").unwrap(), None);
    room.git(&["branch", "autoresearch"]);
    room.git(&["branch", "a/b/c"]);
    assert_eq!(user.blocking_branch("autoresearch/x").unwrap().as_deref(), Some("autoresearch"));
    assert_eq!(user.blocking_branch("a/b").unwrap().as_deref(), Some("a/b/c"));
    assert_eq!(user.blocking_branch("a/b/c").unwrap(), None);
    assert_eq!(user.checked_out_in("main").unwrap().as_deref(), Some(user.root()));
    assert_eq!(user.checked_out_in("autoresearch").unwrap(), None);
    let other = room.dir.path().join("other");
    room.git(&["worktree", "add", "-q", other.to_str().unwrap(), "autoresearch"]);
    assert_eq!(user.checked_out_in("autoresearch").unwrap(), Some(other.canonicalize().unwrap()));
}

#[test]
fn the_uncommitted_change_becomes_a_patch_that_gives_the_same_tree() {
    let room = Room::new();
    room.write("src/main.txt", numbered(40).replace("line 7\n", "LINE 7\n"));
    room.write("data.bin", [0_u8, 3].repeat(99));
    room.write("fresh/new file.txt", "new\n");
    room.write("ignored.o", "no\n");
    room.write("ideas.md", "left out\n");
    room.git(&["rm", "-q", "src/other.txt"]);
    room.git(&["config", "diff.noprefix", "true"]);
    room.git(&["config", "diff.mnemonicPrefix", "true"]);
    fs::create_dir(room.user_path().join("nested")).unwrap();
    crate::room::git_in(&room.user_path().join("nested"), &["init", "-q"]);
    let patch = room.user().worktree_patch(&["ideas.md".to_owned()]).unwrap();
    let private = room.private();
    let applied = private.apply(&patch, &room.head(), &[]).unwrap();
    fs::remove_dir_all(room.user_path().join("nested")).unwrap();
    fs::remove_file(room.user_path().join("ideas.md")).unwrap();
    room.git(&["add", "-A"]);
    assert_eq!(applied.tree.as_str(), room.git(&["write-tree"]).trim());
}

#[test]
fn a_commit_becomes_a_patch_with_author_and_message() {
    let room = Room::new();
    room.write("README", "other\n");
    room.git(&["add", "-A"]);
    room.git(&["commit", "-q", "-m", "Subject\n\nBody", "--author", "Émile B <e@b.c>"]);
    let taken = room.user().commit_patch("main").unwrap();
    assert_eq!((taken.author.name.as_str(), taken.author.email.as_str()), ("Émile B", "e@b.c"));
    assert_eq!(taken.message, "Subject\n\nBody");
    let parent = room.user().resolve("main~1").unwrap();
    let private = room.private();
    let applied = private.apply(&taken.patch, &parent, &[]).unwrap();
    assert_eq!(applied.tree, private.tree_of(&room.head()).unwrap());
    let first = room.user().commit_patch("main~1").unwrap();
    assert!(String::from_utf8_lossy(&first.patch).contains("new file mode 120000"));
}

#[test]
fn the_commits_of_a_range_are_listed_oldest_first_with_merges_and_roots() {
    let room = Room::new();
    let commit = |message: &str| {
        room.git(&["add", "-A"]);
        room.git(&["commit", "-q", "--allow-empty", "-m", message]);
        room.head()
    };
    let base = room.head();
    room.git(&["checkout", "-q", "-b", "work"]);
    let first = commit("first");
    room.git(&["checkout", "-q", "--orphan", "island"]);
    room.git(&["rm", "-q", "-r", "-f", "."]);
    room.write("island", "alone\n");
    let island = commit("island");
    room.git(&["checkout", "-q", "work"]);
    room.git(&["merge", "-q", "--no-edit", "--allow-unrelated-histories", "island"]);
    let merge = room.head();
    let last = commit("last");
    let user = room.user();
    let listed = user.commits_between(&base, &last).unwrap();
    let place = |id: &ObjectId| listed.iter().position(|listed| listed == id).unwrap();
    assert_eq!(listed.len(), 4);
    assert!(place(&first) < place(&merge) && place(&island) < place(&merge) && place(&merge) < place(&last));
    assert!(user.commits_between(&last, &base).unwrap().is_empty());
    assert!(user.reaches(&last, &island).unwrap() && !user.reaches(&base, &first).unwrap());
    let parents = |id: &ObjectId| user.commit_words(id).unwrap().parents;
    assert_eq!((parents(&island), parents(&first), parents(&merge)), (vec![], vec![base], vec![first, island.clone()]));
    assert!(user.change_of(&user.commit_words(&last).unwrap()).unwrap().is_empty());

    // A commit without a parent is merged as a change of nothing: what the tip has already is no conflict.
    let words = user.commit_words(&island).unwrap();
    let empty = ObjectId::new(words.base()).unwrap();
    let private = room.private();
    let applied = private.apply(&user.change_of(&words).unwrap(), &last, &[empty]).unwrap();
    assert_eq!(applied.tree, private.tree_of(&last).unwrap());
}

#[test]
fn what_git_does_not_version_is_listed_with_folders_as_one() {
    let room = Room::new();
    room.write("target/a/b", "x");
    room.write("x.o", "x");
    room.write("loose/y", "x");
    let listed: Vec<(String, bool)> =
        room.user().unversioned().unwrap().into_iter().map(|u| (u.path, u.ignored)).collect();
    let expected = [("loose/", false), ("target/", true), ("x.o", true)];
    assert_eq!(listed, expected.map(|(path, ignored)| (path.to_owned(), ignored)));
}

#[test]
fn an_object_id_must_exist_to_be_a_tip() {
    let room = Room::new();
    let unknown = ObjectId::new("1".repeat(40)).unwrap();
    assert!(room.private().private_commit(&unknown, &[]).is_err());
}
