//! The two persistent working trees in which candidates and baselines are built and run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use git2::Oid;

use crate::domain::ObjectId;

use super::command::records;
use super::error::Doing;
use super::manifest::{Folder, Tracked};
use super::materialise::Writer;
use super::objects::{Change, Found, GITLINK, Node, lookup, to_os, tree_delta};
use super::private::{Bytes, Traits, oid, write_atomic};
use super::scan::{DeviationKind, Findings, Protected, Scan, remove, remove_with_folders};
use super::slot_admin::Admin;
use super::slot_index::SlotIndex;
use super::{GitError, PrivateRepository};

/// Which of the two slots; the names have equal length, so that paths do not tell the arms apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotName {
    /// The slot in folder `a`.
    A,
    /// The slot in folder `b`.
    B,
}

impl SlotName {
    /// Returns the folder's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// Returns the other slot.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Something in a slot that is not as it was laid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deviation {
    /// The path relative to the slot's root, or `HEAD`, or `.git`.
    pub path: String,
    /// How it differs.
    pub kind: DeviationKind,
}

/// One slot: HEAD and index at a private commit, perhaps a candidate's change in the files.
pub struct Slot {
    name: SlotName,
    writer: Writer,
    admin: Admin,
    index: SlotIndex,
    manifest: Folder,
    standing: Standing,
    /// Paths that the candidate in the slot changes.
    laid: BTreeSet<Vec<u8>>,
    /// Files that were found right, but with another state than the index has.
    restated: BTreeSet<Vec<u8>>,
    prepared: Prepared,
    traits: Traits,
    pass: u32,
}

/// The private commit that a slot stands at.
struct Standing {
    commit: ObjectId,
    tree: Oid,
    /// The tip's tree: the private commit without the harness.
    tip: Oid,
    /// What the harness changes of the tip.
    harness: BTreeSet<Vec<u8>>,
    /// Submodules, whose folders are left alone.
    gitlinks: BTreeSet<Vec<u8>>,
    /// Paths that a sparse checkout leaves out.
    excluded: BTreeSet<Vec<u8>>,
}

/// What `prepare` made, and the file that remembers it.
struct Prepared {
    file: PathBuf,
    paths: BTreeSet<Vec<u8>>,
}

impl Slot {
    /// Opens a slot, checking the private commit out when it is new. Reset it before its first use.
    ///
    /// Nothing that an earlier session left is trusted: every tracked file is read again at the first reset.
    pub fn open_or_create(private: &PrivateRepository, name: SlotName, commit: &ObjectId) -> Result<Self, GitError> {
        let root = private.folder().join(name.as_str());
        let admin = Admin::new(private.path(), &root, name, private.traits.sparse);
        let ready = private.path().join("autoresearch").join(format!("ready-{}", name.as_str()));
        let converts = private.traits.bytes != Bytes::OfTheBlob;
        let (user, filters) = (private.user.clone(), private.filters.clone());
        let writer = Writer { repo: private.library()?, user, root: root.clone(), converts, filters };
        let fresh = !(ready.exists() && root.join(".git").exists());
        if fresh {
            remove(&ready)?;
            remove(&root)?;
            fs::create_dir_all(&root).doing("create", &root)?;
        }
        admin.restore(commit)?;
        remove(&admin.index())?;
        if fresh || converts || private.traits.sparse {
            writer.check_out(commit, &admin.index())?;
            write_atomic(&ready, b"")?;
        }
        let excluded = SlotIndex::skipped(&admin.index())?;
        remove(&admin.index())?;
        let index = SlotIndex::empty(&admin.index(), private.traits.bytes == Bytes::Filtered)?;
        let prepared = Prepared::load(private.path().join("autoresearch").join(format!("prepared-{}", name.as_str())))?;
        let mut standing = Standing::read(&writer, commit)?;
        standing.leave_out(excluded);
        let mut slot = Self {
            name,
            writer,
            admin,
            index,
            manifest: Folder::default(),
            standing,
            laid: BTreeSet::new(),
            restated: BTreeSet::new(),
            prepared,
            traits: private.traits,
            pass: 0,
        };
        slot.expect_all()?;
        Ok(slot)
    }

    /// Returns which slot this is.
    pub fn name(&self) -> SlotName {
        self.name
    }

    /// Returns the slot's root folder.
    pub fn root(&self) -> &Path {
        &self.writer.root
    }

    /// Puts HEAD, index and files at a private commit, mends every deviation and removes everything untracked or ignored.
    ///
    /// What stays: the `keep` folders (relative to the repository root) and what `prepare` made. Files that are right
    /// already keep their times, also when a kept candidate becomes the new tip.
    pub fn reset(&mut self, commit: &ObjectId, keep: &[String]) -> Result<(), GitError> {
        self.put(commit, &self.protected(keep), true)
    }

    /// Puts HEAD, index and tracked files at a private commit, and leaves all else: what was built here serves on.
    pub fn stand(&mut self, commit: &ObjectId) -> Result<(), GitError> {
        self.put(commit, &Protected::default(), false)
    }

    fn put(&mut self, commit: &ObjectId, protected: &Protected, clean: bool) -> Result<(), GitError> {
        self.admin.restore(commit)?;
        let mut renewed = self.retarget(commit)?;
        let found = self.scan(protected, clean)?;
        for path in &found.loose {
            remove(&self.root().join(to_os(path)))?;
        }
        let mut wrong: Vec<Vec<u8>> = found.wrong.into_iter().map(|(path, _)| path).collect();
        wrong.sort_unstable();
        self.writer.write(&wrong, &mut self.manifest)?;
        for link in &self.standing.gitlinks {
            let folder = self.root().join(to_os(link));
            fs::create_dir_all(&folder).doing("create", &folder)?;
        }
        renewed.extend(wrong);
        renewed.append(&mut self.restated);
        self.index.renew(&renewed, &mut self.manifest)?;
        self.index.write()
    }

    /// Lays a candidate's tree (from [`PrivateRepository::apply`] on the tip) over a slot that was just reset.
    ///
    /// HEAD and index stay at the private commit; new files are entered as intent-to-add. A new file where the tip has
    /// a folder, or the other way round, is left out of the index, which cannot hold both.
    pub fn lay(&mut self, tree: &ObjectId) -> Result<(), GitError> {
        if !self.laid.is_empty() {
            return Err(GitError::SlotOccupied { root: self.root().to_owned() });
        }
        let object = self.writer.repo.find_object(oid(tree)?, None).doing("read a tree", self.writer.repo.path())?;
        let tree = object.peel_to_tree().doing("read a tree", self.writer.repo.path())?.id();
        drop(object);
        let changes = tree_delta(&self.writer.repo, Some(self.standing.tip), Some(tree))?;
        let changes: Vec<Change> = changes.into_iter().filter(|c| !self.standing.harness.contains(&c.path)).collect();
        self.laid = changes.iter().map(|change| change.path.clone()).collect();
        for change in changes.iter().filter(|change| change.new.is_none()) {
            if self.manifest.remove(&change.path).is_some() {
                remove_with_folders(&self.writer.root, &change.path)?;
            }
        }
        let fresh: Vec<Vec<u8>> = changes.iter().filter(|c| c.old.is_none()).map(|c| c.path.clone()).collect();
        let hidden = self.hidden(&fresh)?;
        let mut written = Vec::new();
        for change in changes {
            let Some(node) = change.new.filter(|node| node.mode != GITLINK) else { continue };
            if self.standing.excluded.contains(&change.path) || hidden.contains(&change.path) {
                continue;
            }
            self.expect(&change.path, node);
            if change.old.is_none() && self.can_be_entered(&change.path)? {
                self.index.intend_to_add(&change.path, node)?;
            }
            written.push(change.path);
        }
        self.writer.write(&written, &mut self.manifest)?;
        self.index.write()
    }

    /// Compares tracked files, HEAD and index with what was laid. The next reset mends what differs.
    pub fn verify(&mut self) -> Result<Vec<Deviation>, GitError> {
        let found = self.scan(&Protected::default(), false)?;
        let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        let mut all: Vec<Deviation> =
            found.wrong.iter().map(|(path, kind)| Deviation { path: text(path), kind: *kind }).collect();
        all.extend(
            self.admin
                .deviations(&self.standing.commit)?
                .into_iter()
                .map(|(path, kind)| Deviation { path: path.to_owned(), kind }),
        );
        if let Some(path) = self.index.changed_path()? {
            all.push(Deviation { path: text(&path), kind: DeviationKind::IndexChanged });
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Remembers everything that nothing tracks now as made by `prepare`: it stays until forgotten.
    pub fn record_prepared(&mut self, keep: &[String]) -> Result<(), GitError> {
        self.prepared.paths.clear();
        let found = self.scan(&self.protected(keep), true)?;
        self.prepared.paths = found.loose.into_iter().collect();
        self.prepared.save()
    }

    /// Lists what nothing tracks and neither `keep` nor `prepare` accounts for; a whole folder is one path.
    pub fn loose(&mut self, keep: &[String]) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let protected = self.protected(keep);
        Ok(self.scan(&protected, true)?.loose.into_iter().collect())
    }

    /// Removes some of what [`Slot::loose`] lists.
    pub fn sweep<'p>(&self, loose: impl IntoIterator<Item = &'p Vec<u8>>) -> Result<(), GitError> {
        loose.into_iter().try_for_each(|path| remove(&self.root().join(to_os(path))))
    }

    /// Forgets what `prepare` made, so that the next reset removes it; before `prepare` runs again.
    pub fn forget_prepared(&mut self) -> Result<(), GitError> {
        self.prepared.paths.clear();
        self.prepared.save()
    }

    fn scan(&mut self, protected: &Protected, loose: bool) -> Result<Findings, GitError> {
        self.pass += 1;
        let (pass, file_mode) = (self.pass, self.traits.file_mode);
        let mut scan = Scan { protected, loose, file_mode, pass, findings: Findings::default() };
        scan.walk(&self.writer.root, b"", &mut self.manifest, false)?;
        self.restated.extend(std::mem::take(&mut scan.findings.touched));
        Ok(scan.findings)
    }

    fn protected(&self, keep: &[String]) -> Protected {
        let folder = |keep: &String| keep.trim_matches('/').trim_start_matches("./").as_bytes().to_vec();
        let mut all: BTreeSet<Vec<u8>> = keep.iter().map(folder).collect();
        all.extend(self.standing.gitlinks.iter().cloned());
        all.extend(self.prepared.paths.iter().cloned());
        Protected(all)
    }

    /// Expects a file to hold a blob, unless it is known to hold it already.
    fn expect(&mut self, path: &[u8], node: Node) {
        let raw = self.standing.harness.contains(path);
        if self.manifest.get_mut(path).is_some_and(|known| known.node == node && known.raw == raw) {
            return;
        }
        let digest = (raw || !self.writer.converts).then_some(node.id);
        self.manifest.insert(path, Tracked { node, raw, digest, seal: None, seen: 0 });
    }

    /// Expects every file of the private commit. Converted files were just checked out, so they are read once.
    fn expect_all(&mut self) -> Result<(), GitError> {
        for change in tree_delta(&self.writer.repo, None, Some(self.standing.tree))? {
            let Some(node) = change.new else { continue };
            if node.mode == GITLINK {
                self.standing.gitlinks.insert(change.path.clone());
            }
            if node.mode == GITLINK || self.standing.excluded.contains(&change.path) {
                self.index.enter_without_file(&change.path, node)?;
                continue;
            }
            self.expect(&change.path, node);
            let full = self.root().join(to_os(&change.path));
            if let Some(tracked) = self.manifest.get_mut(&change.path).filter(|tracked| tracked.digest.is_none()) {
                let link = node.mode == super::objects::SYMLINK;
                tracked.digest = Some(super::scan::digest(&full, link).doing("read", &full)?);
            }
        }
        Ok(())
    }

    /// Turns the expectation to another private commit; returns paths whose index entry must be renewed.
    fn retarget(&mut self, commit: &ObjectId) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let mut paths = std::mem::take(&mut self.laid);
        if self.standing.commit != *commit {
            paths.append(&mut self.stand_at(commit)?);
        }
        let targets = self.targets(&paths)?;
        for (path, _) in targets.iter().filter(|(_, node)| node.is_none()) {
            self.manifest.remove(path);
            self.index.remove(path)?;
            self.standing.excluded.remove(path);
        }
        for (path, node) in targets {
            match node {
                Some(node) if node.mode == GITLINK || self.standing.excluded.contains(&path) => {
                    self.manifest.remove(&path);
                    self.index.enter_without_file(&path, node)?;
                }
                Some(node) => self.expect(&path, node),
                None => {}
            }
        }
        Ok(paths)
    }

    /// Moves to another private commit; returns the paths that differ.
    fn stand_at(&mut self, commit: &ObjectId) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let next = Standing::read(&self.writer, commit)?;
        let changes = tree_delta(&self.writer.repo, Some(self.standing.tree), Some(next.tree))?;
        let fresh: Vec<Vec<u8>> = changes.iter().filter(|c| c.old.is_none()).map(|c| c.path.clone()).collect();
        let hidden = self.hidden(&fresh)?;
        let last = std::mem::replace(&mut self.standing, next);
        self.standing.gitlinks = last.gitlinks;
        for change in &changes {
            match change.new {
                Some(node) if node.mode == GITLINK => drop(self.standing.gitlinks.insert(change.path.clone())),
                Some(_) | None => drop(self.standing.gitlinks.remove(&change.path)),
            }
        }
        self.standing.leave_out(last.excluded);
        self.standing.leave_out(hidden);
        Ok(changes.into_iter().map(|change| change.path).collect())
    }

    /// Looks paths up in the private commit.
    fn targets(&self, paths: &BTreeSet<Vec<u8>>) -> Result<BTreeMap<Vec<u8>, Option<Node>>, GitError> {
        let repo = &self.writer.repo;
        let tree = repo.find_tree(self.standing.tree).doing("read a tree", repo.path())?;
        let target = |path: &Vec<u8>| {
            Ok(match lookup(repo, &tree, path)? {
                Found::File(node) => (path.clone(), Some(node)),
                Found::Folder | Found::Nothing => (path.clone(), None),
            })
        };
        paths.iter().map(target).collect()
    }

    /// Says whether the index can hold a new path beside the private commit's.
    fn can_be_entered(&self, path: &[u8]) -> Result<bool, GitError> {
        let repo = &self.writer.repo;
        let tree = repo.find_tree(self.standing.tree).doing("read a tree", repo.path())?;
        if lookup(repo, &tree, path)? == Found::Folder {
            return Ok(false);
        }
        for (at, _) in path.iter().enumerate().filter(|(_, b)| **b == b'/') {
            if matches!(lookup(repo, &tree, &path[..at])?, Found::File(_)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lists which new paths a sparse checkout would leave out.
    fn hidden(&self, fresh: &[Vec<u8>]) -> Result<BTreeSet<Vec<u8>>, GitError> {
        if !self.traits.sparse || fresh.is_empty() {
            return Ok(BTreeSet::new());
        }
        let git = self.writer.user.git().args(["sparse-checkout", "check-rules", "-z"]);
        let shown = git.stdin(fresh.join(&0)).output()?;
        let shown: BTreeSet<&[u8]> = records(&shown).collect();
        Ok(fresh.iter().filter(|path| !shown.contains(path.as_slice())).cloned().collect())
    }
}

impl Standing {
    fn read(writer: &Writer, commit: &ObjectId) -> Result<Self, GitError> {
        let repo = &writer.repo;
        let object = repo.find_commit(oid(commit)?).doing("read the private commit", repo.path())?;
        let tip = object.parent(0).doing("read the tip", repo.path())?;
        let (tree, tip) = (object.tree_id(), tip.tree_id());
        let harness = tree_delta(repo, Some(tip), Some(tree))?.into_iter().map(|change| change.path).collect();
        Ok(Self { commit: commit.clone(), tree, tip, harness, gitlinks: BTreeSet::new(), excluded: BTreeSet::new() })
    }

    /// Leaves paths out that a sparse checkout leaves out; the harness is laid wherever it is.
    fn leave_out(&mut self, paths: BTreeSet<Vec<u8>>) {
        self.excluded.extend(paths.into_iter().filter(|path| !self.harness.contains(path)));
    }
}

impl Prepared {
    fn load(file: PathBuf) -> Result<Self, GitError> {
        let paths = match fs::read(&file) {
            Ok(bytes) => records(&bytes).map(<[u8]>::to_vec).collect(),
            Err(e) if super::private::absent(&e) => BTreeSet::new(),
            Err(e) => return Err(e).doing("read", &file),
        };
        Ok(Self { file, paths })
    }

    fn save(&self) -> Result<(), GitError> {
        let mut bytes = Vec::new();
        for path in &self.paths {
            bytes.extend_from_slice(path);
            bytes.push(0);
        }
        write_atomic(&self.file, &bytes)
    }
}
