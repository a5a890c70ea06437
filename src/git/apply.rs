//! The ladder on which a patch becomes a tree: known bases with a merge, strict, with offsets, three-way by blob ids.

use std::collections::BTreeMap;

use git2::{Diff, Index, ObjectType, Oid, Tree};

use crate::domain::ObjectId;

use super::error::Doing;
use super::hunks::{self, Placement};
use super::objects::{EXECUTABLE, FILE, Found, GITLINK, Node, SYMLINK, Updates, lookup, to_os, update_tree};
use super::part::PatchPart;
use super::patch::{Body, FilePatch, Hunk, parse};
use super::private::{object_id, oid};
use super::range::EMPTY_TREE;
use super::rejection::{Rejection, RejectionKind};
use super::{ApplyError, GitError, PrivateRepository};

/// The rung of the ladder on which a patch applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// Exactly on a known base, then merged three-way onto the tip.
    KnownBase,
    /// Exactly on the tip.
    Strict,
    /// On the tip, each hunk at the one place where its whole context stands.
    Offset,
    /// Merged three-way from the blobs that the patch's index lines name.
    ThreeWay,
}

impl Rung {
    /// Returns the rung's name in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::KnownBase => "known_base",
            Self::Strict => "strict",
            Self::Offset => "offset",
            Self::ThreeWay => "three_way",
        }
    }
}

/// A patch that became a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The tip's tree with the change; the tip's own tree when the patch changes nothing.
    pub tree: ObjectId,
    /// How it got there.
    pub rung: Rung,
    /// The change against the tip as a git diff with full ids, renames found and binary content; empty = no change.
    pub diff: Vec<u8>,
}

impl PrivateRepository {
    /// Turns a patch into a tree on the tip, by the first rung of the ladder that takes it.
    ///
    /// `bases` are commits that the patch may have been made on, the likeliest first; unknown ones are passed over. The
    /// first on which it applies exactly decides: a conflict of that merge with the tip is an error and not tried around.
    pub fn apply(&self, patch: &[u8], tip: &ObjectId, bases: &[ObjectId]) -> Result<Applied, ApplyError> {
        self.apply_parts(patch, tip, bases, &mut |_| true)
    }

    /// Turns those parts of a patch into a tree that are wanted. What is left out need not apply.
    pub fn apply_parts(
        &self,
        patch: &[u8],
        tip: &ObjectId,
        bases: &[ObjectId],
        wanted: &mut dyn FnMut(&PatchPart) -> bool,
    ) -> Result<Applied, ApplyError> {
        let mut files = parse(patch)?;
        files.retain(|file| wanted(&PatchPart::of(file)));
        let onto = self.tree(tip)?;
        let (tree, rung) = self.climb(&files, &onto, bases)?;
        self.hold(tree, onto.id())?;
        let diff = self.diff(onto.id(), tree)?;
        Ok(Applied { tree: object_id(tree)?, rung, diff })
    }

    fn climb(&self, files: &[FilePatch], tip: &Tree<'_>, bases: &[ObjectId]) -> Result<(Oid, Rung), ApplyError> {
        for base in self.known_trees(bases)? {
            let Some(updates) = taken(self.lay_patch(files, &base, Placement::Strict))? else { continue };
            let rung = if base.id() == tip.id() { Rung::Strict } else { Rung::KnownBase };
            return Ok((self.merge(&base, &updates, tip, files)?, rung));
        }
        let strict = match self.lay_patch(files, tip, Placement::Strict) {
            Ok(updates) => return Ok((self.grow(tip, &updates)?, Rung::Strict)),
            Err(ApplyError::Rejected(misfit)) => misfit,
            Err(ApplyError::Git(e)) => return Err(e.into()),
        };
        let offset = match self.lay_patch(files, tip, Placement::Offset) {
            Ok(updates) => return Ok((self.grow(tip, &updates)?, Rung::Offset)),
            Err(ApplyError::Rejected(misfit)) => misfit,
            Err(ApplyError::Git(e)) => return Err(e.into()),
        };
        if let Some(tree) = self.three_way(files, tip)? {
            return Ok((tree, Rung::ThreeWay));
        }
        let only_elsewhere = matches!(strict.why, RejectionKind::NotThere { .. });
        Err(ApplyError::Rejected(if only_elsewhere { offset } else { strict }))
    }

    /// Changes paths of a tree; a file where a folder stays, or below a file that stays, is the patch's fault.
    fn grow(&self, tree: &Tree<'_>, updates: &Updates) -> Result<Oid, ApplyError> {
        update_tree(&self.repo, Some(tree.id()), updates).map_err(|error| match error {
            GitError::DirectoryConflict { path } => {
                ApplyError::Rejected(Rejection { file: Some(path), hunk: None, why: RejectionKind::Exists })
            }
            other => ApplyError::Git(other),
        })
    }

    /// Reads the trees of those bases that are in the object store, each once.
    fn known_trees(&self, bases: &[ObjectId]) -> Result<Vec<Tree<'_>>, GitError> {
        let mut trees: Vec<Tree<'_>> = Vec::new();
        if bases.iter().any(|base| base.as_str() == EMPTY_TREE) {
            // Git knows it without having it; the library does not.
            update_tree(&self.repo, None, &Updates::new())?;
        }
        for base in bases {
            let Ok(object) = self.repo.find_object(oid(base)?, None) else { continue };
            let Ok(tree) = object.peel_to_tree() else { continue };
            if trees.iter().all(|known| known.id() != tree.id()) {
                trees.push(tree);
            }
        }
        Ok(trees)
    }

    /// Lays every file of a patch over a tree.
    fn lay_patch(&self, files: &[FilePatch], tree: &Tree<'_>, placement: Placement) -> Result<Updates, ApplyError> {
        let mut view = View { private: self, tree, updates: Updates::new() };
        for file in files {
            view.take(file, placement)?;
        }
        let unchanged = |path: &[u8], new: Option<Node>| -> Result<bool, GitError> {
            Ok(lookup(&self.repo, tree, path)? == new.map_or(Found::Nothing, Found::File))
        };
        let mut updates = Updates::new();
        for (path, new) in view.updates {
            if !unchanged(&path, new)? {
                updates.insert(path, new);
            }
        }
        Ok(updates)
    }

    /// Merges a change of a base onto the tip, file by file; renames on the tip are found by the library's merge.
    fn merge(
        &self,
        base: &Tree<'_>,
        updates: &Updates,
        tip: &Tree<'_>,
        files: &[FilePatch],
    ) -> Result<Oid, ApplyError> {
        let mut merged = Updates::new();
        for (path, theirs) in updates {
            let at = |tree: &Tree<'_>| lookup(&self.repo, tree, path);
            match self.merge_path(at(base)?, at(tip)?, *theirs)? {
                PathMerge::Settled(node) => drop(merged.insert(path.clone(), node)),
                PathMerge::Conflict => return self.merge_whole(base, updates, tip, files),
            }
        }
        match update_tree(&self.repo, Some(tip.id()), &merged) {
            Err(GitError::DirectoryConflict { .. }) => self.merge_whole(base, updates, tip, files),
            other => Ok(other?),
        }
    }

    /// Merges one path.
    fn merge_path(&self, base: Found, ours: Found, theirs: Option<Node>) -> Result<PathMerge, GitError> {
        let their_found = theirs.map_or(Found::Nothing, Found::File);
        if ours == base || ours == their_found {
            return Ok(PathMerge::Settled(theirs));
        }
        let (Found::File(base), Found::File(ours), Some(theirs)) = (base, ours, theirs) else {
            return Ok(PathMerge::Conflict);
        };
        let Some(mode) = merge_three(base.mode, ours.mode, theirs.mode) else { return Ok(PathMerge::Conflict) };
        if let Some(id) = merge_three(base.id, ours.id, theirs.id) {
            return Ok(PathMerge::Settled(Some(Node { mode, id })));
        }
        if [base, ours, theirs].iter().any(|node| !matches!(node.mode, FILE | EXECUTABLE)) {
            return Ok(PathMerge::Conflict);
        }
        let Some(content) = self.merge_content([base.id, ours.id, theirs.id])? else {
            return Ok(PathMerge::Conflict);
        };
        let id = self.repo.blob(&content).doing("write a blob", self.path())?;
        Ok(PathMerge::Settled(Some(Node { mode, id })))
    }

    fn merge_content(&self, ids: [Oid; 3]) -> Result<Option<Vec<u8>>, GitError> {
        let [base, ours, theirs] = ids.map(|id| self.repo.find_blob(id).doing("read a blob", self.path()));
        let (base, ours, theirs) = (base?, ours?, theirs?);
        if [&base, &ours, &theirs].iter().any(|blob| blob.is_binary()) {
            return Ok(None);
        }
        let mut inputs = [git2::MergeFileInput::new(), git2::MergeFileInput::new(), git2::MergeFileInput::new()];
        inputs[0].content(base.content());
        inputs[1].content(ours.content());
        inputs[2].content(theirs.content());
        let merged = git2::merge_file(&inputs[0], &inputs[1], &inputs[2], None).doing("merge a file", self.path())?;
        Ok(merged.is_automergeable().then(|| merged.content().to_vec()))
    }

    /// Merges whole trees, with renames found; a conflict names its file and hunk.
    fn merge_whole(
        &self,
        base: &Tree<'_>,
        updates: &Updates,
        tip: &Tree<'_>,
        files: &[FilePatch],
    ) -> Result<Oid, ApplyError> {
        let theirs = self.grow(base, updates)?;
        let theirs = self.repo.find_tree(theirs).doing("read a tree", self.path())?;
        let mut options = git2::MergeOptions::new();
        options.find_renames(true);
        let mut index = self.repo.merge_trees(base, tip, &theirs, Some(&options)).doing("merge trees", self.path())?;
        if !index.has_conflicts() {
            return Ok(index.write_tree_to(&self.repo).doing("write a tree", self.path())?);
        }
        let first = index.conflicts().doing("read conflicts", self.path())?.find_map(Result::ok);
        let entry = first.and_then(|c| c.their.or(c.our).or(c.ancestor));
        let path = entry.map(|e| String::from_utf8_lossy(&e.path).into_owned());
        let hunk = path.as_deref().map(|path| self.conflicting_hunk(path, files, tip)).transpose()?.flatten();
        Err(ApplyError::Rejected(Rejection { file: path, hunk, why: RejectionKind::Conflict }))
    }

    /// Finds the first hunk of a file that does not fit the tip.
    fn conflicting_hunk(&self, path: &str, files: &[FilePatch], tip: &Tree<'_>) -> Result<Option<u32>, GitError> {
        let Some(file) = files.iter().find(|f| f.path() == path) else { return Ok(None) };
        let alone = std::slice::from_ref(file);
        match self.lay_patch(alone, tip, Placement::Offset) {
            Err(ApplyError::Rejected(misfit)) => Ok(misfit.hunk),
            Err(ApplyError::Git(e)) => Err(e),
            Ok(_) => Ok(None),
        }
    }

    /// Merges from the blobs that the patch's index lines name; `None` when one is unknown or the merge conflicts.
    fn three_way(&self, files: &[FilePatch], tip: &Tree<'_>) -> Result<Option<Oid>, ApplyError> {
        let mut base = Updates::new();
        for file in files {
            let Some(old) = &file.old else { continue };
            let known =
                file.old_id.as_deref().and_then(|id| self.repo.find_object_by_prefix(id, Some(ObjectType::Blob)).ok());
            let Found::File(now) = lookup(&self.repo, tip, old.as_bytes())? else { return Ok(None) };
            match known {
                Some(blob) => drop(base.insert(old.clone().into_bytes(), Some(Node { mode: now.mode, id: blob.id() }))),
                None if matches!(&file.body, Body::Text(hunks) if hunks.is_empty()) => {}
                None => return Ok(None),
            }
        }
        let base = update_tree(&self.repo, Some(tip.id()), &base)?;
        let base = self.repo.find_tree(base).doing("read a tree", self.path())?;
        let Some(updates) = taken(self.lay_patch(files, &base, Placement::Strict))? else { return Ok(None) };
        taken(self.merge(&base, &updates, tip, files))
    }
}

/// What a path is after a merge.
enum PathMerge {
    /// This; `None` = deleted.
    Settled(Option<Node>),
    /// Both sides changed it at the same place.
    Conflict,
}

/// Takes the value of two sides and their base, when only one side changed it or both agree.
fn merge_three<T: PartialEq + Copy>(base: T, ours: T, theirs: T) -> Option<T> {
    if ours == theirs || theirs == base { Some(ours) } else { (ours == base).then_some(theirs) }
}

/// Turns a rejection into `None`.
fn taken<T>(result: Result<T, ApplyError>) -> Result<Option<T>, ApplyError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ApplyError::Rejected(_)) => Ok(None),
        Err(ApplyError::Git(e)) => Err(e.into()),
    }
}

/// A tree with the files of a patch that were laid over it so far.
struct View<'a> {
    private: &'a PrivateRepository,
    tree: &'a Tree<'a>,
    updates: BTreeMap<Vec<u8>, Option<Node>>,
}

impl View<'_> {
    fn get(&self, path: &str) -> Result<Found, GitError> {
        match self.updates.get(path.as_bytes()) {
            Some(Some(node)) => Ok(Found::File(*node)),
            Some(None) => Ok(Found::Nothing),
            None => lookup(&self.private.repo, self.tree, path.as_bytes()),
        }
    }

    /// Lays one file of the patch.
    fn take(&mut self, file: &FilePatch, placement: Placement) -> Result<(), ApplyError> {
        let rejected = |hunk: Option<u32>, why: RejectionKind| {
            ApplyError::Rejected(Rejection { file: Some(file.path().to_owned()), hunk, why })
        };
        let old = self.old_node(file).map_err(|e| e.into_apply(&rejected))?;
        if let Some(new) = &file.new
            && (old.is_none() || file.old.as_deref() != Some(new))
            && matches!(self.get(new)?, Found::File(_))
        {
            return Err(rejected(None, RejectionKind::Exists));
        }
        let mode = file.new_mode.or(old.map(|n| n.mode)).or(file.old_mode).unwrap_or(FILE);
        let id = match &file.body {
            Body::Binary(section) => {
                self.binary(file, old, section)?.ok_or_else(|| rejected(None, RejectionKind::BinaryMismatch))?
            }
            Body::Text(hunks) => {
                let new = self.text(file, old, hunks, placement)?.map_err(|m| rejected(Some(m.hunk), m.why))?;
                if file.new.is_none() && !new.is_empty() {
                    return Err(rejected(None, RejectionKind::NotEmptied));
                }
                self.private.repo.blob(&new).doing("write a blob", self.private.path())?
            }
        };
        if let Some(old) = file.old.as_ref().filter(|_| !file.copy) {
            self.updates.insert(old.clone().into_bytes(), None);
        }
        if let Some(new) = &file.new {
            self.updates.insert(new.clone().into_bytes(), Some(Node { mode, id }));
        }
        Ok(())
    }

    /// Finds the file that is to change; `None` for a new one.
    fn old_node(&self, file: &FilePatch) -> Result<Option<Node>, Obstacle> {
        let Some(old) = &file.old else { return Ok(None) };
        match self.get(old)? {
            Found::File(node) if node.mode == GITLINK => Err(Obstacle::Kind(RejectionKind::Submodule)),
            Found::File(node) => {
                let link = |mode: u32| mode == SYMLINK;
                if file.old_mode.is_some_and(|mode| link(mode) != link(node.mode)) {
                    return Err(Obstacle::Kind(RejectionKind::TypeDiffers));
                }
                Ok(Some(node))
            }
            Found::Folder => Err(Obstacle::Kind(RejectionKind::TypeDiffers)),
            Found::Nothing if creates(file) => Ok(None),
            Found::Nothing => Err(Obstacle::Kind(RejectionKind::Missing)),
        }
    }

    fn text(
        &self,
        file: &FilePatch,
        old: Option<Node>,
        hunks: &[Hunk],
        placement: Placement,
    ) -> Result<Result<Vec<u8>, hunks::Misfit>, GitError> {
        let blob = old
            .map(|node| self.private.repo.find_blob(node.id).doing("read a blob", self.private.path()))
            .transpose()?;
        let content = blob.as_ref().map_or(&[][..], |blob| blob.content());
        let named = |node: Node| file.old_id.as_deref().is_some_and(|id| node.id.to_string().starts_with(id));
        let certain = old.is_none_or(named);
        if file.converted && !content.windows(2).any(|pair| pair == b"\r\n") {
            let plain: Vec<Hunk> = hunks.iter().map(without_returns).collect();
            return Ok(hunks::lay(content, &plain, placement, certain));
        }
        Ok(hunks::lay(content, hunks, placement, certain))
    }

    /// Lets the library apply a binary section to a tree that holds nothing but its file.
    fn binary(&self, file: &FilePatch, old: Option<Node>, section: &[u8]) -> Result<Option<Oid>, GitError> {
        let repo = &self.private.repo;
        let before = file.old.as_ref().zip(old).map(|(path, node)| (path.clone().into_bytes(), Some(node)));
        let small = update_tree(repo, None, &before.into_iter().collect())?;
        let small = repo.find_tree(small).doing("read a tree", self.private.path())?;
        let Ok(diff) = Diff::from_buffer(section) else { return Ok(None) };
        let Ok(index) = repo.apply_to_tree(&small, &diff, None) else { return Ok(None) };
        match &file.new {
            Some(new) => Ok(entry_id(&index, new)),
            None => repo.blob(b"").map(Some).doing("write a blob", self.private.path()),
        }
    }
}

fn entry_id(index: &Index, path: &str) -> Option<Oid> {
    index.get_path(to_os(path.as_bytes()), 0).map(|entry| entry.id)
}

/// Says whether a plain diff creates its file (`@@ -0,0`), though it names an old one.
fn creates(file: &FilePatch) -> bool {
    let Body::Text(hunks) = &file.body else { return false };
    file.old == file.new && matches!(hunks.as_slice(), [only] if only.old_start == 0 && only.old_count == 0)
}

/// Takes the CR out of every line end of a hunk.
fn without_returns(hunk: &Hunk) -> Hunk {
    let plain = |line: &Vec<u8>| match line.strip_suffix(b"\r\n") {
        Some(text) => [text, b"\n"].concat(),
        None => line.strip_suffix(b"\r").unwrap_or(line).to_vec(),
    };
    let lines = hunk.lines.iter().map(|(origin, line)| (*origin, plain(line))).collect();
    Hunk { lines, ..hunk.clone() }
}

/// What keeps a file from being read for a patch.
enum Obstacle {
    Kind(RejectionKind),
    Git(GitError),
}

impl From<GitError> for Obstacle {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl Obstacle {
    fn into_apply(self, rejected: &impl Fn(Option<u32>, RejectionKind) -> ApplyError) -> ApplyError {
        match self {
            Self::Kind(why) => rejected(None, why),
            Self::Git(error) => ApplyError::Git(error),
        }
    }
}
