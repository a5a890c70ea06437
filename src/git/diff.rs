//! What differs between the tip and a candidate's tree: as a diff, as touched paths, as a patch id.

use std::collections::BTreeMap;

use git2::{Delta, Diff, DiffDelta, DiffFindOptions, DiffFormat, DiffOptions, FileMode, Oid, Tree};

use crate::domain::{ObjectId, PatchId};

use super::error::Doing;
use super::objects::{FILE, Found, Node, Updates, lookup, tree_delta, update_tree};
use super::patch::{self, Body, Origin};
use super::{GitError, PrivateRepository};

/// How a path is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TouchKind {
    /// A new file.
    Added,
    /// A deleted file.
    Deleted,
    /// Other content (and perhaps another mode).
    Modified,
    /// Another path (and perhaps other content).
    Renamed,
    /// Only another mode.
    ModeChanged,
    /// A symbolic link, added, changed or deleted, or a file that became one or was one.
    Symlink,
    /// A submodule, in any way.
    Submodule,
}

/// A path that a candidate touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The path in the candidate (in the tip, when it is deleted), relative to the root.
    pub path: String,
    /// The path in the tip, where it is another one.
    pub old_path: Option<String>,
    /// How it is touched.
    pub kind: TouchKind,
}

impl PrivateRepository {
    /// Lists every path that differs between two commits or trees, renames found; judge both paths of a rename.
    pub fn touched(&self, tip: &ObjectId, tree: &ObjectId) -> Result<Vec<Touched>, GitError> {
        let (before, after) = self.differing(self.tree(tip)?.id(), self.tree(tree)?.id())?;
        let diff = self.small_diff(&before, &after)?;
        Ok(diff.deltas().map(|delta| touched(&delta)).collect())
    }

    /// Renders the change from one tree to another as a git diff with full ids and binary content.
    pub(super) fn diff(&self, old: Oid, new: Oid) -> Result<Vec<u8>, GitError> {
        if old == new {
            return Ok(Vec::new());
        }
        let (before, after) = self.differing(old, new)?;
        let diff = self.small_diff(&before, &after)?;
        let mut text = Vec::new();
        let printed = diff.print(DiffFormat::Patch, |_, _, line| {
            if matches!(line.origin(), '+' | '-' | ' ') {
                text.push(u8::try_from(line.origin()).unwrap_or(b' '));
            }
            text.extend_from_slice(line.content());
            true
        });
        printed.doing("print a diff", self.path())?;
        Ok(text)
    }

    /// Renders what is to change in a commit or tree for some files to have other contents, as a git diff with full ids;
    /// a file keeps its mode, and a path that is not there becomes an ordinary file.
    pub fn diff_of_contents(&self, tip: &ObjectId, contents: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, GitError> {
        let tree = self.tree(tip)?;
        let mut updates = Updates::new();
        for (path, bytes) in contents {
            let mode = match lookup(&self.repo, &tree, path.as_bytes())? {
                Found::File(node) => node.mode,
                Found::Folder | Found::Nothing => FILE,
            };
            let id = self.repo.blob(bytes).doing("write a blob", self.path())?;
            updates.insert(path.clone().into_bytes(), Some(Node { mode, id }));
        }
        self.diff(tree.id(), update_tree(&self.repo, Some(tree.id()), &updates)?)
    }

    /// Writes two small trees that hold nothing but the paths that differ, so that a diff costs what the change is.
    fn differing(&self, old: Oid, new: Oid) -> Result<(Tree<'_>, Tree<'_>), GitError> {
        let (mut before, mut after) = (Updates::new(), Updates::new());
        for change in tree_delta(&self.repo, Some(old), Some(new))? {
            if let Some(node) = change.old {
                before.insert(change.path.clone(), Some(node));
            }
            if let Some(node) = change.new {
                after.insert(change.path, Some(node));
            }
        }
        let tree = |updates: &Updates| -> Result<Tree<'_>, GitError> {
            let id = update_tree(&self.repo, None, updates)?;
            self.repo.find_tree(id).doing("read a tree", self.path())
        };
        Ok((tree(&before)?, tree(&after)?))
    }

    fn small_diff(&self, before: &Tree<'_>, after: &Tree<'_>) -> Result<Diff<'_>, GitError> {
        let mut options = DiffOptions::new();
        options.show_binary(true).id_abbrev(40).include_typechange(true);
        let diff = self.repo.diff_tree_to_tree(Some(before), Some(after), Some(&mut options));
        let mut diff = diff.doing("compare trees", self.path())?;
        diff.find_similar(Some(DiffFindOptions::new().renames(true))).doing("find renames", self.path())?;
        Ok(diff)
    }

    /// Computes the stable patch id of a diff, as `git patch-id --stable`; `None` when it changes nothing.
    pub fn patch_id(&self, diff: &[u8]) -> Result<Option<PatchId>, GitError> {
        let line = self.git().args(["patch-id", "--stable"]).stdin(diff).line()?;
        let id = line.split(' ').next().filter(|id| !id.is_empty());
        Ok(id.map(ObjectId::new).transpose()?.map(PatchId))
    }
}

/// Counts the lines that are not blank which a diff removes, less those that it adds; binary files count nothing.
///
/// Comments count: a file's language is not known here, and what people no longer have to read is simpler too. A line
/// that is only moved counts on both sides.
pub fn lines_removed(diff: &[u8]) -> i64 {
    let Ok(files) = patch::parse(diff) else { return 0 };
    let hunks = files.iter().flat_map(|file| match &file.body {
        Body::Text(hunks) => hunks.as_slice(),
        Body::Binary(_) => &[],
    });
    let weight = |(origin, line): &(Origin, Vec<u8>)| match origin {
        _ if line.trim_ascii().is_empty() => 0,
        Origin::Removed => 1,
        Origin::Added => -1,
        Origin::Context => 0,
    };
    hunks.flat_map(|hunk| &hunk.lines).map(weight).sum()
}

/// What a diff does to the lines of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedLines {
    /// Its path before; `None` for a new file.
    pub old: Option<String>,
    /// Its path after; `None` for a deleted file.
    pub new: Option<String>,
    /// The lines that go, without line ends; none of a binary file.
    pub removed: Vec<Vec<u8>>,
    /// The lines that come, without line ends; none of a binary file.
    pub added: Vec<Vec<u8>>,
}

/// Returns what a diff does to the lines of each file.
pub fn changed_lines(diff: &[u8]) -> Vec<ChangedLines> {
    let of_file = |file: patch::FilePatch| {
        let hunks = match file.body {
            Body::Text(hunks) => hunks,
            Body::Binary(_) => Vec::new(),
        };
        let lines: Vec<(Origin, Vec<u8>)> = hunks.into_iter().flat_map(|hunk| hunk.lines).collect();
        let of = |origin: Origin| {
            let own = lines.iter().filter(move |(other, _)| *other == origin);
            own.map(|(_, line)| line.trim_ascii_end().to_vec()).collect()
        };
        ChangedLines { removed: of(Origin::Removed), added: of(Origin::Added), old: file.old, new: file.new }
    };
    patch::parse(diff).unwrap_or_default().into_iter().map(of_file).collect()
}

fn touched(delta: &DiffDelta<'_>) -> Touched {
    let text = |path: Option<&[u8]>| path.map(|p| String::from_utf8_lossy(p).into_owned());
    let (old, new) = (delta.old_file(), delta.new_file());
    let (old_path, new_path) = (text(old.path_bytes()), text(new.path_bytes()));
    let either = |mode: FileMode| old.mode() == mode || new.mode() == mode;
    let kind = if either(FileMode::Commit) {
        TouchKind::Submodule
    } else if either(FileMode::Link) {
        TouchKind::Symlink
    } else {
        match delta.status() {
            Delta::Added | Delta::Copied | Delta::Untracked => TouchKind::Added,
            Delta::Deleted => TouchKind::Deleted,
            Delta::Renamed => TouchKind::Renamed,
            Delta::Modified if old.id() == new.id() => TouchKind::ModeChanged,
            Delta::Modified
            | Delta::Typechange
            | Delta::Unmodified
            | Delta::Ignored
            | Delta::Unreadable
            | Delta::Conflicted => TouchKind::Modified,
        }
    };
    let path = new_path.or_else(|| old_path.clone()).unwrap_or_default();
    Touched { old_path: old_path.filter(|old| *old != path), path, kind }
}

#[cfg(test)]
mod tests {
    use super::{ChangedLines, changed_lines, lines_removed};

    #[test]
    fn the_lines_of_each_file_are_told_apart() {
        let diff = b"diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n--- a/x\n+++ b/y\n\
            @@ -1,2 +1,2 @@\n one\n-two\r\n+three\ndiff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n\
            +++ /dev/null\n@@ -1 +0,0 @@\n-\xff\n";
        let text = |path: &str| Some(path.to_owned());
        let moved = ChangedLines {
            old: text("x"),
            new: text("y"),
            removed: vec![b"two".to_vec()],
            added: vec![b"three".to_vec()],
        };
        let gone = ChangedLines { old: text("gone"), new: None, removed: vec![b"\xff".to_vec()], added: vec![] };
        assert_eq!(changed_lines(diff), [moved, gone]);
        assert_eq!(changed_lines(b"no diff"), []);
    }

    #[test]
    fn lines_that_go_count_less_those_that_come_and_blank_ones_never() {
        let diff = b"--- a/x\n+++ b/x\n@@ -1,5 +1,4 @@\n one\n-two\n-\n--- three\n+new\n+\n four\n";
        assert_eq!(lines_removed(diff), 1);
        let grown = b"--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-one\n+one more\n+two\n";
        assert_eq!(lines_removed(grown), -1);
        assert_eq!(lines_removed(b""), 0);
    }
}
