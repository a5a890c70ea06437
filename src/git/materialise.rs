//! Writes files into a slot: plain ones from their blobs, converted ones by git with the user's own settings.
//!
//! The user's filters run for what the user committed only, and in the user's checkout: one that is a script of the
//! repository is the user's there, while in a slot a candidate could have brought it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use git2::{Index, Repository};

use crate::domain::ObjectId;

use super::command::{Git, alternate};
use super::error::Doing;
use super::manifest::{Folder, Seal, index_entry};
use super::objects::{EXECUTABLE, Node, SYMLINK, to_os};
use super::private::{Filters, absent, oid};
use super::scan::{digest, remove};
use super::{GitError, UserRepository};

/// Writes the files of one slot.
pub(super) struct Writer {
    pub(super) repo: Repository,
    pub(super) user: UserRepository,
    pub(super) root: PathBuf,
    pub(super) converts: bool,
    pub(super) filters: Filters,
}

impl Writer {
    /// Prepares git on files of a folder with the user's settings and filters, and an index of our choice.
    fn user_git(&self, folder: &Path, index: &Path) -> Git {
        Git::new(folder)
            .env("GIT_DIR", self.user.git_dir())
            .env("GIT_WORK_TREE", folder)
            .env("GIT_INDEX_FILE", index)
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternate(&self.repo.path().join("objects")))
            .setting("checkout.workers=0")
    }

    /// Prepares git on the slot's files with the user's settings but for the filters.
    fn slot_git(&self, index: &Path) -> Git {
        self.filters.off.iter().fold(self.user_git(&self.root, index), |git, off| git.setting(off))
    }

    /// Checks a whole commit out, as git does it in the user's repository.
    pub(super) fn check_out(&self, commit: &ObjectId, index: &Path) -> Result<(), GitError> {
        self.slot_git(index).args(["read-tree", "--reset", "-u", commit.as_str()]).output()?;
        let tree = self.repo.find_commit(oid(commit)?).and_then(|commit| commit.tree());
        let tree = tree.doing("read a tree", self.repo.path())?;
        let mut filtered = Vec::new();
        for path in &self.filters.paths {
            let found = tree.get_path(to_os(path)).ok();
            let node =
                found.and_then(|entry| Some(Node { id: entry.id(), mode: u32::try_from(entry.filemode()).ok()? }));
            // A sparse checkout leaves some out.
            let node = node.filter(|node| node.mode != SYMLINK && self.root.join(to_os(path)).is_file());
            filtered.extend(node.map(|node| (path, node)));
        }
        self.filter(&filtered)
    }

    /// Writes files as the manifest has them, and records their state there.
    pub(super) fn write(&self, paths: &[Vec<u8>], manifest: &mut Folder) -> Result<(), GitError> {
        let mut converted = Vec::new();
        for path in paths {
            let Some(tracked) = manifest.get_mut(path) else { continue };
            self.clear(path)?;
            if self.converts && !tracked.raw && tracked.node.mode != SYMLINK {
                converted.push(path);
                continue;
            }
            let blob = self.repo.find_blob(tracked.node.id).doing("read a blob", self.repo.path())?;
            self.put(path, tracked.node.mode, blob.content())?;
            self.record(path, manifest)?;
        }
        self.convert(&converted, manifest)?;
        converted.into_iter().try_for_each(|path| self.record(path, manifest))
    }

    /// Lets git write files through its conversions, and those of the user that have a filter through that.
    fn convert(&self, paths: &[&Vec<u8>], manifest: &mut Folder) -> Result<(), GitError> {
        let nodes = paths.iter().filter_map(|path| Some((*path, manifest.get_mut(path)?.node)));
        let (filtered, others): (Vec<_>, Vec<_>) = nodes.partition(|(path, _)| self.filters.paths.contains(*path));
        if !others.is_empty() {
            let (_scratch, index) = scratch_index(&others)?;
            self.slot_git(&index).args(["checkout-index", "-a", "-f"]).output()?;
        }
        self.filter(&filtered)
    }

    /// Lets git write files through the user's filters, which start in the user's checkout.
    fn filter(&self, files: &[(&Vec<u8>, Node)]) -> Result<(), GitError> {
        if files.is_empty() {
            return Ok(());
        }
        let (_scratch, index) = scratch_index(files)?;
        let mut prefix = OsString::from("--prefix=");
        prefix.push(&self.root);
        prefix.push("/");
        self.user_git(self.user.root(), &index).args(["checkout-index", "-a", "-f"]).arg(prefix).output()?;
        Ok(())
    }

    fn record(&self, path: &[u8], manifest: &mut Folder) -> Result<(), GitError> {
        let Some(tracked) = manifest.get_mut(path) else { return Ok(()) };
        let full = self.root.join(to_os(path));
        if self.converts && !tracked.raw {
            tracked.digest = Some(digest(&full, tracked.node.mode == SYMLINK).doing("read", &full)?);
        }
        tracked.seal = Some(Seal::new(&fs::symlink_metadata(&full).doing("examine", &full)?));
        Ok(())
    }

    /// Makes room for a file: real folders above it (never links), nothing at its place.
    fn clear(&self, path: &[u8]) -> Result<(), GitError> {
        for (at, _) in path.iter().enumerate().filter(|(_, b)| **b == b'/') {
            let folder = self.root.join(to_os(&path[..at]));
            match fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => continue,
                Ok(_) => remove(&folder)?,
                Err(e) if absent(&e) => {}
                Err(e) => return Err(e).doing("examine", &folder),
            }
            DirBuilder::new().mode(0o777).create(&folder).doing("create", &folder)?;
        }
        remove(&self.root.join(to_os(path)))
    }

    /// Writes one file; nothing stands at its place.
    fn put(&self, path: &[u8], mode: u32, content: &[u8]) -> Result<(), GitError> {
        let full = self.root.join(to_os(path));
        if mode == SYMLINK {
            return symlink(std::ffi::OsStr::from_bytes(content), &full).doing("link", &full);
        }
        let permissions = if mode == EXECUTABLE { 0o777 } else { 0o666 };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(permissions).open(&full).doing("create", &full)?;
        file.write_all(content).doing("write", &full)
    }
}

/// Makes an index of some files in a folder that goes with the guard.
fn scratch_index(files: &[(&Vec<u8>, Node)]) -> Result<(tempfile::TempDir, PathBuf), GitError> {
    let scratch = tempfile::tempdir().doing("make a scratch folder below", &std::env::temp_dir())?;
    let file = scratch.path().join("index");
    let mut index = Index::open(&file).doing("make an index", &file)?;
    for (path, node) in files {
        index.add(&index_entry(path, *node, None)).doing("make an index", &file)?;
    }
    index.write().doing("write an index", &file)?;
    Ok((scratch, file))
}
