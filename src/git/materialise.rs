//! Writes files into a slot: plain ones from their blobs, converted ones by git with the user's own settings.

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
use super::objects::{EXECUTABLE, SYMLINK, to_os};
use super::private::absent;
use super::scan::{digest, remove};
use super::{GitError, UserRepository};

/// Writes the files of one slot.
pub(super) struct Writer {
    pub(super) repo: Repository,
    pub(super) user: UserRepository,
    pub(super) root: PathBuf,
    pub(super) converts: bool,
}

impl Writer {
    /// Prepares git on the slot's files with the user's settings and filters, and an index of our choice.
    fn user_git(&self, index: &Path) -> Git {
        Git::new(&self.root)
            .env("GIT_DIR", self.user.git_dir())
            .env("GIT_WORK_TREE", &self.root)
            .env("GIT_INDEX_FILE", index)
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternate(&self.repo.path().join("objects")))
            .setting("checkout.workers=0")
    }

    /// Checks a whole commit out, as git does it in the user's repository.
    pub(super) fn check_out(&self, commit: &ObjectId, index: &Path) -> Result<(), GitError> {
        self.user_git(index).args(["read-tree", "--reset", "-u", commit.as_str()]).output()?;
        Ok(())
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

    /// Lets git write files through its conversions and the user's filters.
    fn convert(&self, paths: &[&Vec<u8>], manifest: &mut Folder) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        let scratch = tempfile::tempdir().doing("make a scratch folder below", &std::env::temp_dir())?;
        let file = scratch.path().join("index");
        let mut index = Index::open(&file).doing("make an index", &file)?;
        for path in paths {
            if let Some(tracked) = manifest.get_mut(path) {
                index.add(&index_entry(path, tracked.node, None)).doing("make an index", &file)?;
            }
        }
        index.write().doing("write an index", &file)?;
        self.user_git(&file).args(["checkout-index", "-a", "-f"]).output()?;
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
