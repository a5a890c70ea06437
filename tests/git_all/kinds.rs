//! Kinds of repositories: what works gives the files that git gives, what cannot work is refused with the cure.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use autoresearch::git::{
    BranchMove, Conversion, GitError, NewCommit, PrivateRepository, RefStorage, Slot, SlotName, UserRepository,
    remove_workspace, workspace_size,
};

use crate::room::{Room, ada, contents, git_in, git_says, numbered};

/// Runs a candidate through a slot and compares every step with the files that git writes in the user's checkout.
fn round_trip(room: &Room, edit: impl Fn(&Room)) {
    let private = room.private();
    edit(room);
    let patch = room.user().worktree_patch(&[]).unwrap();
    room.git(&["reset", "-q", "--hard"]);
    room.git(&["clean", "-q", "-f", "-d"]);
    let (mut slot, commit) = room.slot(&private, &[]);
    let checkout = contents(&room.user_path(), &[".git"]);
    assert_eq!(contents(slot.root(), &[".git"]), checkout);
    assert_eq!(status(slot.root()), "");
    let tip = room.head();
    let tree = private.apply(&patch, &tip, &[]).unwrap().tree;
    slot.lay(&tree).unwrap();
    assert_eq!(slot.verify().unwrap(), []);
    let new = NewCommit { tree: &tree, parent: &tip, message: "keep", author: &ada(), committer: &ada() };
    let kept = private.commit(&new).unwrap();
    private.publish(&kept, &tip).unwrap();
    room.git(&["checkout", "-q", kept.as_str()]);
    assert_eq!(contents(slot.root(), &[".git"]), contents(&room.user_path(), &[".git"]));
    slot.reset(&commit, &[]).unwrap();
    assert_eq!(contents(slot.root(), &[".git"]), checkout);
    assert_eq!(slot.verify().unwrap(), []);
    drop(slot);
    let mut again = Slot::open_or_create(&private, SlotName::A, &commit).unwrap();
    again.reset(&commit, &[]).unwrap();
    assert_eq!(contents(again.root(), &[".git"]), checkout);
}

fn status(root: &Path) -> String {
    String::from_utf8(git_in(root, &["status", "--porcelain"])).unwrap()
}

fn edit(room: &Room) {
    room.write("src/main.txt", numbered(40).replace("line 20\n", "LINE 20\n"));
    room.write("src/new.txt", "new\n");
}

#[test]
fn a_plain_repository_is_plain() {
    let room = Room::new();
    assert!(room.user().survey(&room.head()).unwrap().plain());
    round_trip(&room, edit);
}

#[test]
fn autocrlf_gives_the_line_ends_that_git_gives() {
    let room = Room::new();
    room.git(&["config", "core.autocrlf", "true"]);
    room.git(&["rm", "-q", "-r", "--cached", "."]);
    room.git(&["reset", "-q", "--hard"]);
    assert!(fs::read_to_string(room.user_path().join("README")).unwrap().ends_with("\r\n"));
    let survey = room.user().survey(&room.head()).unwrap();
    assert!(!survey.plain() && survey.conversions.contains(&Conversion::AutoCrlf));
    round_trip(&room, |r| {
        r.write("src/main.txt", numbered(40).replace("line 20\n", "LINE 20\n").replace('\n', "\r\n"));
        r.write("src/new.txt", "new\r\n");
    });
}

#[test]
fn attributes_for_line_ends_and_identifiers_are_followed() {
    let room = Room::new();
    room.write(".gitattributes", "*.dos text eol=crlf\n*.id ident\n");
    room.write("file.dos", "a\r\nb\r\n");
    room.write("file.id", "$Id$\n");
    room.commit("attributes");
    room.git(&["rm", "-q", "-r", "--cached", "."]);
    room.git(&["reset", "-q", "--hard"]);
    let survey = room.user().survey(&room.head()).unwrap();
    assert_eq!(survey.conversions.len(), 2, "{survey:?}");
    round_trip(&room, |r| {
        r.write("file.dos", "a\r\nB\r\n");
        edit(r);
    });
}

#[test]
fn a_filter_like_that_of_large_files_gives_the_content_and_not_the_pointer() {
    let room = Room::new();
    room.git(&["config", "filter.shout.clean", "tr A-Z a-z"]);
    room.git(&["config", "filter.shout.smudge", "tr a-z A-Z"]);
    room.git(&["config", "filter.shout.required", "true"]);
    room.write(".gitattributes", "*.loud filter=shout\n");
    room.write("file.loud", "HELLO\n");
    room.commit("filter");
    assert_eq!(room.git(&["show", "HEAD:file.loud"]), "hello\n");
    let survey = room.user().survey(&room.head()).unwrap();
    assert_eq!(survey.conversions.first(), Some(&Conversion::Filter("shout".to_owned())));
    assert_eq!(survey.filtered, ["file.loud"]);
    let (slot, _) = room.slot(&room.private(), &[]);
    assert_eq!(fs::read_to_string(slot.root().join("file.loud")).unwrap(), "HELLO\n");
    drop(slot);
    round_trip(&room, |r| {
        r.write("file.loud", "HELLO YOU\n");
        edit(r);
    });
}

/// Makes a script of the repository that leaves a mark beside it when it runs.
fn marking(room: &Room, path: &str, body: &str) {
    let mark = room.dir.path().join("mark");
    room.write(path, format!("#!/bin/sh\necho {path} >> '{}'\n{body}\n", mark.display()));
    fs::set_permissions(room.user_path().join(path), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_filter_that_lies_in_the_repository_is_the_users_whatever_a_candidate_makes_of_it() {
    let room = Room::new();
    room.git(&["config", "filter.shout.clean", "tr A-Z a-z"]);
    room.git(&["config", "filter.shout.smudge", "./tool"]);
    room.write(".gitattributes", "*.loud filter=shout\n");
    room.write("file.loud", "HELLO\n");
    room.write("tool", "#!/bin/sh\nexec tr a-z A-Z\n");
    fs::set_permissions(room.user_path().join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    room.commit("filter");
    let private = room.private();
    let (mut slot, commit) = room.slot(&private, &[]);
    marking(&room, "tool", "exec cat");
    room.write("new.loud", "Mine\n");
    room.git(&["add", "-A"]);
    let patch = room.git_bytes(&["diff", "--cached", "--binary", "HEAD"]);
    room.git(&["reset", "-q", "--hard"]);
    let tree = private.apply(&patch, &room.head(), &[]).unwrap().tree;
    slot.lay(&tree).unwrap();
    assert_eq!(fs::read_to_string(slot.root().join("new.loud")).unwrap(), "mine\n", "as the candidate has it");
    fs::write(slot.root().join("file.loud"), "spoilt").unwrap();
    slot.reset(&commit, &[]).unwrap();
    assert_eq!(fs::read_to_string(slot.root().join("file.loud")).unwrap(), "HELLO\n");
    // The candidate's script is the tip's now; the user's checkout still has the old one.
    let new = NewCommit { tree: &tree, parent: &room.head(), message: "keep", author: &ada(), committer: &ada() };
    let kept = private.commit(&new).unwrap();
    let stand = private.private_commit(&kept, &[]).unwrap();
    drop(slot);
    let mut other = Slot::open_or_create(&private, SlotName::B, &stand).unwrap();
    other.reset(&stand, &[]).unwrap();
    assert_eq!(fs::read_to_string(other.root().join("file.loud")).unwrap(), "HELLO\n");
    assert!(!room.dir.path().join("mark").exists(), "the candidate's script ran");
}

#[test]
fn no_hook_monitor_text_converter_or_helper_of_the_repository_is_ever_run() {
    let room = Room::new();
    room.write(".gitattributes", "*.txt diff=odd\n");
    for hook in ["post-checkout", "post-index-change", "reference-transaction", "pre-commit", "fsmonitor-watchman"] {
        marking(&room, &format!("hooks/{hook}"), "exit 0");
    }
    for tool in ["textconv", "external", "monitor", "helper", "pager"] {
        marking(&room, tool, "cat \"$1\"");
    }
    room.commit("tools");
    for (key, value) in [
        ("core.hooksPath", "hooks"),
        ("core.fsmonitor", "./monitor"),
        ("core.pager", "./pager"),
        ("credential.helper", "!./helper"),
        ("diff.odd.textconv", "./textconv"),
        ("diff.external", "./external"),
    ] {
        room.git(&["config", key, value]);
    }
    fs::remove_file(room.dir.path().join("mark")).unwrap_or_default();
    room.write("src/main.txt", numbered(41));
    let user = room.user();
    let patch = user.worktree_patch(&[]).unwrap();
    let (private, head) = (room.private(), user.require_commit().unwrap());
    let (mut slot, commit) = room.slot(&private, &[]);
    let tree = private.apply(&patch, &head, &[]).unwrap().tree;
    slot.lay(&tree).unwrap();
    slot.verify().unwrap();
    slot.reset(&commit, &[]).unwrap();
    let new = NewCommit { tree: &tree, parent: &head, message: "keep", author: &ada(), committer: &ada() };
    let kept = private.commit(&new).unwrap();
    private.publish(&kept, &head).unwrap();
    user.create_branch("kept", &head, "starts").unwrap();
    user.move_branch(&BranchMove { name: "kept", from: &head, to: &kept, reflog: "moves" }).unwrap();
    assert!(user.is_dirty().unwrap());
    user.commit_patch("kept").unwrap();
    let ran = fs::read_to_string(room.dir.path().join("mark")).unwrap_or_default();
    assert_eq!(ran, "", "these ran");
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    let room = Room::new();
    room.write("out/side.txt", "outside\n");
    room.commit("outside");
    room.git(&["sparse-checkout", "set", "--cone", "src"]);
    assert!(!room.user_path().join("out").exists());
    assert!(room.user().survey(&room.head()).unwrap().sparse);
    round_trip(&room, edit);
    let private = room.private();
    let (mut slot, _) = room.slot(&private, &[]);
    let outside = "--- a/out/side.txt\n+++ b/out/side.txt\n@@ -1 +1 @@\n-outside\n+changed\n--- /dev/null\n+++ b/out/new.txt\n@@ -0,0 +1 @@\n+x\n";
    let tree = private.apply(outside.as_bytes(), &room.head(), &[]).unwrap().tree;
    slot.lay(&tree).unwrap();
    assert!(!slot.root().join("out").exists());
    assert_eq!(slot.verify().unwrap(), []);
}

#[test]
fn a_shallow_clone_works() {
    let origin = Room::new();
    origin.write("README", "second\n");
    origin.commit("second");
    let room = Room { dir: tempfile::tempdir().unwrap() };
    let from = format!("file://{}", origin.user_path().display());
    git_in(room.dir.path(), &["clone", "-q", "--depth", "1", &from, "user"]);
    room.pin();
    assert!(room.user().survey(&room.head()).unwrap().shallow);
    let (slot, _) = room.slot(&room.private(), &[]);
    assert_eq!(git_in(slot.root(), &["rev-list", "--count", "HEAD"]), b"2\n");
    drop(slot);
    round_trip(&room, edit);
}

#[test]
fn a_reftable_repository_works() {
    let room = Room { dir: tempfile::tempdir().unwrap() };
    if !git_says(room.dir.path(), &["init", "-q", "-b", "main", "--ref-format=reftable", "user"]) {
        return; // git before 2.45 cannot make one, and so nobody has one
    }
    room.pin();
    room.write("src/main.txt", numbered(40));
    let first = room.commit("base");
    let user = room.user();
    assert_eq!(user.survey(&first).unwrap().ref_storage, RefStorage::Reftable);
    round_trip(&room, edit);
    let kept = room.head();
    user.create_branch("autoresearch/x", &first, "start").unwrap();
    user.move_branch(&BranchMove { name: "autoresearch/x", from: &first, to: &kept, reflog: "keep" }).unwrap();
    assert_eq!(user.branch_tip("autoresearch/x").unwrap(), Some(kept));
}

#[test]
fn object_ids_of_sha256_are_refused_with_the_way_out() {
    let room = Room::empty(&["--object-format=sha256"]);
    let message = UserRepository::open(&room.user_path()).unwrap_err().to_string();
    assert!(message.contains("SHA-256") && message.contains("git fast-export"), "{message}");
}

#[test]
fn a_partial_clone_without_the_base_tree_is_refused_with_the_cure() {
    let origin = Room::new();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let room = Room { dir: tempfile::tempdir().unwrap() };
    let from = format!("file://{}", origin.user_path().display());
    git_in(room.dir.path(), &["clone", "-q", "--filter=blob:none", "--no-checkout", &from, "user"]);
    let survey = room.user().survey(&room.head()).unwrap();
    assert!(survey.promisor && survey.missing_objects.len() > 3);
    let error = PrivateRepository::open_or_create(&room.workspace(), &room.user(), &survey).err().unwrap();
    assert!(matches!(error, GitError::Refused { .. }));
    assert!(error.to_string().contains(&format!("git checkout {}", room.head())), "{error}");
    room.git(&["checkout", "-q", "main"]);
    assert_eq!(room.user().survey(&room.head()).unwrap().refusals(), []);
}

#[test]
fn a_checked_out_submodule_is_refused_and_an_empty_one_is_not() {
    let library = Room::new();
    let room = Room::new();
    let from = library.user_path();
    room.git(&["submodule", "--quiet", "add", from.to_str().unwrap(), "lib"]);
    let head = room.commit("submodule");
    let refusals = room.user().survey(&head).unwrap().refusals();
    assert!(refusals[0].reason.contains("submodules (lib)"), "{refusals:?}");
    room.git(&["submodule", "--quiet", "deinit", "-f", "lib"]);
    assert_eq!(room.user().survey(&head).unwrap().refusals(), []);
    round_trip(&room, edit);
}

#[test]
fn a_linked_worktree_is_a_checkout_like_any_other() {
    let room = Room::new();
    let linked = room.dir.path().join("linked");
    room.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let user = UserRepository::open(&linked).unwrap();
    assert_eq!(user.common_dir(), room.user_path().join(".git").canonicalize().unwrap());
    let survey = user.survey(&room.head()).unwrap();
    let private = PrivateRepository::open_or_create(&room.workspace(), &user, &survey).unwrap();
    let (slot, _) = room.slot(&private, &[]);
    assert_eq!(contents(slot.root(), &[".git"]), contents(&linked, &[".git"]));
}

#[test]
fn commands_in_a_slot_see_tags_and_nothing_they_could_move() {
    let room = Room::new();
    room.git(&["tag", "-a", "v1", "-m", "v1"]);
    room.git(&["tag", "light"]);
    let private = room.private();
    let (slot, _) = room.slot(&private, &[]);
    assert_eq!(git_in(slot.root(), &["describe", "--tags", "HEAD~1"]), b"v1\n");
    let refs = String::from_utf8(git_in(slot.root(), &["for-each-ref", "--format=%(refname)"])).unwrap();
    assert_eq!(refs, "refs/heads/main\nrefs/tags/light\nrefs/tags/v1\n");
    git_in(slot.root(), &["tag", "-d", "v1"]);
    assert_eq!(room.git(&["tag", "-l"]), "light\nv1\n");
    private.refresh().unwrap();
    assert_eq!(git_in(slot.root(), &["tag", "-l"]), b"light\nv1\n");
}

#[test]
fn a_workspace_is_measured_and_removed() {
    let room = Room::new();
    let (slot, _) = room.slot(&room.private(), &[]);
    let locked = slot.root().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    let size = workspace_size(&room.workspace()).unwrap();
    assert!(size.a > 0 && size.repository > 0 && size.b == 0 && size.total() == size.a + size.repository);
    remove_workspace(&room.workspace()).unwrap();
    assert!(!room.workspace().exists());
    remove_workspace(&room.workspace()).unwrap();
}

#[test]
fn inherited_variables_of_git_point_it_nowhere_else() {
    let this = std::env::current_exe().unwrap();
    let filter = "kinds::a_filter_like_that_of_large_files_gives_the_content_and_not_the_pointer";
    let mut again = std::process::Command::new(this);
    again.args(["--exact", filter]).env("GIT_DIR", "/nonexistent").env("GIT_INDEX_FILE", "/nonexistent/index");
    let out = again.output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && text.contains("1 passed"), "{text}");
}
