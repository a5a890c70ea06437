//! The few files that make a folder a working tree of the private repository, kept as they must be.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::domain::ObjectId;

use super::GitError;
use super::error::Doing;
use super::private::{absent, write_atomic};
use super::scan::{DeviationKind, remove};
use super::slot::SlotName;

/// What may stand in the working tree's folder of the private repository.
const OWN: [&str; 5] = ["HEAD", "commondir", "gitdir", "index", "info"];

/// The files that tie a slot to the private repository.
pub(super) struct Admin {
    folder: PathBuf,
    link: PathBuf,
    patterns: Option<PathBuf>,
}

impl Admin {
    pub(super) fn new(private: &Path, root: &Path, name: SlotName, sparse: bool) -> Self {
        Self {
            folder: private.join("worktrees").join(name.as_str()),
            link: root.join(".git"),
            patterns: sparse.then(|| private.join("autoresearch/sparse-checkout")),
        }
    }

    pub(super) fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    fn link_text(&self) -> Vec<u8> {
        [b"gitdir: ", self.folder.as_os_str().as_bytes(), b"\n"].concat()
    }

    /// Writes what must be there and removes all else (a lock or a half merge that a command left).
    pub(super) fn restore(&self, head: &ObjectId) -> Result<(), GitError> {
        fs::create_dir_all(&self.folder).doing("create", &self.folder)?;
        for entry in fs::read_dir(&self.folder).doing("list", &self.folder)? {
            let entry = entry.doing("list", &self.folder)?;
            if !OWN.iter().any(|own| entry.file_name() == *own) {
                remove(&entry.path())?;
            }
        }
        place(&self.folder.join("HEAD"), format!("{head}\n").as_bytes())?;
        place(&self.folder.join("commondir"), b"../..\n")?;
        place(&self.folder.join("gitdir"), &[self.link.as_os_str().as_bytes(), b"\n"].concat())?;
        place(&self.link, &self.link_text())?;
        let Some(patterns) = &self.patterns else { return remove(&self.folder.join("info")) };
        let info = self.folder.join("info");
        fs::create_dir_all(&info).doing("create", &info)?;
        place(&info.join("sparse-checkout"), &fs::read(patterns).doing("read", patterns)?)
    }

    /// Lists which of HEAD and link are not as they must be. The expectation is what `restore` wrote last.
    pub(super) fn deviations(&self, head: &ObjectId) -> Result<Vec<(&'static str, DeviationKind)>, GitError> {
        let mut all = Vec::new();
        if !holds(&self.folder.join("HEAD"), format!("{head}\n").as_bytes())? {
            all.push(("HEAD", DeviationKind::HeadMoved));
        }
        if !holds(&self.link, &self.link_text())? {
            all.push((".git", DeviationKind::LinkChanged));
        }
        Ok(all)
    }
}

/// Writes a file, whatever a command put in its place.
fn place(path: &Path, bytes: &[u8]) -> Result<(), GitError> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        remove(path)?;
    }
    write_atomic(path, bytes)
}

fn holds(path: &Path, bytes: &[u8]) -> Result<bool, GitError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(fs::read(path).doing("read", path)? == bytes),
        Ok(_) => Ok(false),
        Err(e) if absent(&e) => Ok(false),
        Err(e) => Err(e).doing("examine", path),
    }
}
