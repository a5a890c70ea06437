//! A slot's index: what was written there, and whether a command changed what it says.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use git2::{Index, IndexEntry, Oid};

use super::GitError;
use super::error::Doing;
use super::manifest::{Folder, index_entry};
use super::objects::{GITLINK, Node, to_os};
use super::private::absent;

/// Flag of an entry whose file is to be added.
const INTENT_TO_ADD: u16 = 1 << 13;
/// Flag of an entry that a sparse checkout leaves out.
const SKIP_WORKTREE: u16 = 1 << 14;
/// The flags of an entry that say something beyond its name's length: assume-valid and stage.
const MEANINGFUL: u16 = 0xb000;
/// The blob of an entry whose file is to be added.
const EMPTY_BLOB: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/// The index as this program wrote it.
pub(super) struct SlotIndex {
    file: PathBuf,
    index: Index,
    changed: bool,
    /// Whether git must not compare files with blobs again, because commands do not see the user's filters.
    settled: bool,
    /// Hash of the file as written last.
    written: Option<blake3::Hash>,
}

impl SlotIndex {
    /// Starts an index without entries; nothing is written yet.
    pub(super) fn empty(file: &Path, settled: bool) -> Result<Self, GitError> {
        let index = Index::open(file).doing("make an index", file)?;
        Ok(Self { file: file.to_owned(), index, changed: true, settled, written: None })
    }

    /// Lists the paths that an index on disk marks as left out.
    pub(super) fn skipped(file: &Path) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let index = Index::open(file).doing("read the index", file)?;
        Ok(index.iter().filter(|e| e.flags_extended & SKIP_WORKTREE != 0).map(|e| e.path).collect())
    }

    fn add(&mut self, entry: &IndexEntry) -> Result<(), GitError> {
        self.changed = true;
        self.index.add(entry).doing("change the index", &self.file)
    }

    /// Enters tracked files with their present state on disk; paths that are not tracked are passed over.
    pub(super) fn renew(&mut self, paths: &BTreeSet<Vec<u8>>, manifest: &mut Folder) -> Result<(), GitError> {
        for path in paths {
            if let Some(tracked) = manifest.get_mut(path) {
                let entry = index_entry(path, tracked.node, tracked.seal.as_ref().map(|seal| &seal.stat));
                self.add(&entry)?;
            }
        }
        Ok(())
    }

    /// Enters a submodule, or a file that a sparse checkout leaves out.
    pub(super) fn enter_without_file(&mut self, path: &[u8], node: Node) -> Result<(), GitError> {
        let flags_extended = if node.mode == GITLINK { 0 } else { SKIP_WORKTREE };
        self.add(&IndexEntry { flags_extended, ..index_entry(path, node, None) })
    }

    /// Enters a new file as intent-to-add.
    pub(super) fn intend_to_add(&mut self, path: &[u8], node: Node) -> Result<(), GitError> {
        let id = Oid::from_str(EMPTY_BLOB).doing("read an object id", &self.file)?;
        let entry = index_entry(path, Node { id, ..node }, None);
        self.add(&IndexEntry { flags_extended: INTENT_TO_ADD, ..entry })
    }

    pub(super) fn remove(&mut self, path: &[u8]) -> Result<(), GitError> {
        self.changed = true;
        match self.index.remove(to_os(path), 0) {
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(()),
            other => other.doing("change the index", &self.file),
        }
    }

    /// Writes the index, unless the file is as written last.
    pub(super) fn write(&mut self) -> Result<(), GitError> {
        if !self.changed && self.on_disk()? == self.written && self.written.is_some() {
            return Ok(());
        }
        super::scan::remove(&self.file)?;
        self.index.write().doing("write the index", &self.file)?;
        if self.settled {
            self.outdate_entries()?;
        }
        self.changed = false;
        self.written = self.on_disk()?;
        Ok(())
    }

    /// Dates the index a second after every file in it. Git reads a file again whose time, in whole seconds, is not
    /// before its index's, and would call one changed whose filter it does not see.
    fn outdate_entries(&self) -> Result<(), GitError> {
        let newest = self.index.iter().map(|entry| entry.mtime.seconds()).max().unwrap_or_default();
        let after = UNIX_EPOCH + Duration::from_secs(u64::try_from(newest).unwrap_or_default() + 1);
        let file = File::options().append(true).open(&self.file).doing("open", &self.file)?;
        let written = file.metadata().and_then(|meta| meta.modified()).doing("examine", &self.file)?;
        file.set_modified(written.max(after)).doing("date", &self.file)
    }

    fn on_disk(&self) -> Result<Option<blake3::Hash>, GitError> {
        match fs::symlink_metadata(&self.file) {
            Ok(found) if found.is_file() => Ok(Some(blake3::hash(&fs::read(&self.file).doing("read", &self.file)?))),
            Ok(_) => Ok(None),
            Err(e) if absent(&e) => Ok(None),
            Err(e) => Err(e).doing("examine", &self.file),
        }
    }

    /// Finds the first entry that differs from what was written by path, mode, id or flags; stat data may differ.
    pub(super) fn changed_path(&self) -> Result<Option<Vec<u8>>, GitError> {
        let now = self.on_disk()?;
        if now.is_some() && now == self.written {
            return Ok(None);
        }
        let unreadable = Some(b"index".to_vec());
        if now.is_none() {
            return Ok(unreadable);
        }
        let Ok(found) = Index::open(&self.file) else { return Ok(unreadable) };
        let (mut ours, mut theirs) = (self.index.iter(), found.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Ok(None),
                (Some(a), Some(b)) if meaning(&a) == meaning(&b) => {}
                (Some(a), Some(b)) => return Ok(Some(a.path.min(b.path))),
                (Some(only), None) | (None, Some(only)) => return Ok(Some(only.path)),
            }
        }
    }
}

/// Takes what an entry says, without its stat data.
fn meaning(entry: &IndexEntry) -> (&[u8], u32, Oid, u16, u16) {
    let extended = entry.flags_extended & (INTENT_TO_ADD | SKIP_WORKTREE);
    (&entry.path, entry.mode, entry.id, entry.flags & MEANINGFUL, extended)
}
