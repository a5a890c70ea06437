//! The folder that holds a private repository and its slots: what it takes on disk, and its removal.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::GitError;
use super::error::Doing;
use super::private::absent;
use super::scan::remove;
use super::slot::SlotName;

/// What a workspace takes on disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkspaceSize {
    /// The private repository.
    pub repository: u64,
    /// Slot `a`.
    pub a: u64,
    /// Slot `b`.
    pub b: u64,
}

impl WorkspaceSize {
    /// Returns the sum in bytes.
    pub fn total(&self) -> u64 {
        self.repository + self.a + self.b
    }
}

/// Measures a workspace; what is missing takes nothing.
pub fn workspace_size(folder: &Path) -> Result<WorkspaceSize, GitError> {
    Ok(WorkspaceSize {
        repository: size(&folder.join("git"))?,
        a: size(&folder.join(SlotName::A.as_str()))?,
        b: size(&folder.join(SlotName::B.as_str()))?,
    })
}

/// Removes a private repository and its slots, and their folder when nothing else is in it.
pub fn remove_workspace(folder: &Path) -> Result<(), GitError> {
    for part in ["git", SlotName::A.as_str(), SlotName::B.as_str()] {
        remove(&folder.join(part))?;
    }
    match fs::remove_dir(folder) {
        Err(e) if absent(&e) || e.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other.doing("remove", folder),
    }
}

/// Removes a file or folder below a root, however deep or shut it is.
///
/// A link on the way leads elsewhere: it is removed itself, and nothing that it leads to.
pub fn remove_below(root: &Path, path: impl AsRef<Path>) -> Result<(), GitError> {
    let mut here = root.to_owned();
    for part in path.as_ref().components() {
        here.push(part);
        if here.is_symlink() {
            break;
        }
    }
    remove(&here)
}

/// Adds up the disk blocks of a file or folder; links are not followed.
fn size(path: &Path) -> Result<u64, GitError> {
    let found = match fs::symlink_metadata(path) {
        Err(e) if absent(&e) => return Ok(0),
        other => other.doing("examine", path)?,
    };
    let own = found.blocks() * 512; // st_blocks counts units of 512 bytes, whatever the file system's block
    if !found.is_dir() {
        return Ok(own);
    }
    fs::read_dir(path)
        .doing("list", path)?
        .try_fold(own, |sum, entry| Ok(sum + size(&entry.doing("list", path)?.path())?))
}
