//! The sealed files of a session as the slots, the gate and the journal need them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::{ObjectId, Settings};
use crate::gate::{BUILT_IN, ChangedPath, HarnessSnapshot, SealReason};
use crate::git::{HarnessFile, PrivateRepository, TouchKind, Touched};

use super::EngineError;
use super::holdout::{HeldFiles, without_holdout};
use super::workbench::join;

/// One check of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckFile {
    /// Its file name.
    pub name: String,
    /// Its path relative to the repository root.
    pub path: String,
}

/// The sealed files, read once at session start.
pub(super) struct Harness {
    snapshot: HarnessSnapshot,
    files: Vec<HarnessFile>,
    checks: Vec<CheckFile>,
    held: HeldFiles,
}

impl Harness {
    /// Reads the sealed files from the user's checkout.
    pub(super) fn collect(root: &Path, settings: &Settings) -> Result<Self, EngineError> {
        let snapshot = HarnessSnapshot::collect(root, settings)?;
        let held = HeldFiles::collect(root, settings, &snapshot)?;
        let in_sight = snapshot.files().iter().filter(|file| file.why != SealReason::Holdout);
        let files = in_sight.map(|file| HarnessFile {
            path: file.path.clone(),
            executable: file.executable,
            content: match file.why {
                SealReason::Config => without_holdout(&file.bytes),
                SealReason::Checks | SealReason::Harness(_) | SealReason::Command(_) | SealReason::Holdout => {
                    file.bytes.clone()
                }
            },
        });
        let checks = snapshot.checks().filter_map(|file| {
            Some(CheckFile { name: snapshot.check_name(file)?.to_owned(), path: file.path.clone() })
        });
        let (files, checks) = (files.collect(), checks.collect());
        Ok(Self { snapshot, files, checks, held })
    }

    /// Returns what the gate compiles its scope from.
    pub(super) fn snapshot(&self) -> &HarnessSnapshot {
        &self.snapshot
    }

    /// Returns the files that are laid over both slots.
    pub(super) fn files(&self) -> &[HarnessFile] {
        &self.files
    }

    /// Returns the files of the holdout, which are laid for its stage only.
    pub(super) fn held(&self) -> &HeldFiles {
        &self.held
    }

    /// Returns the checks in name order.
    pub(super) fn checks(&self) -> Vec<CheckFile> {
        self.checks.clone()
    }

    /// Says whether a path (relative to the repository root) is sealed.
    pub(super) fn seals(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Returns the hash (BLAKE3, hex) of each sealed file.
    pub(super) fn hashes(&self) -> BTreeMap<String, String> {
        self.snapshot.hashes().into_iter().chain(self.held.hashes_outside()).collect()
    }
}

/// Copies untracked files of the checkout (`prepare.copy`) into a slot; a missing one is named.
pub(super) fn copy_untracked(
    (root, settings): (&Path, &Settings),
    paths: &[String],
    slot: &Path,
) -> Result<(), EngineError> {
    for path in paths {
        let relative = join(&settings.folder, path);
        let (from, to) = (root.join(&relative), slot.join(&relative));
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|source| EngineError::io("create folder", folder, source))?;
        }
        copy_whole(&from, &to)?;
    }
    Ok(())
}

/// Copies a file, a link as a link, or a folder with everything in it.
fn copy_whole(from: &Path, to: &Path) -> Result<(), EngineError> {
    let failed = |source| EngineError::io("copy into a slot (prepare.copy)", from, source);
    let kind = from.symlink_metadata().map_err(failed)?.file_type();
    if kind.is_symlink() {
        let target = std::fs::read_link(from).map_err(failed)?;
        remove_file_if_any(to)?;
        return std::os::unix::fs::symlink(target, to).map_err(failed);
    }
    if !kind.is_dir() {
        return std::fs::copy(from, to).map(|_| ()).map_err(failed);
    }
    std::fs::create_dir_all(to).map_err(|source| EngineError::io("create folder", to, source))?;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        copy_whole(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

pub(super) fn remove_file_if_any(path: &Path) -> Result<(), EngineError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(EngineError::io("replace file", path, source))
        }
        _ => Ok(()),
    }
}

/// Turns a touched path into what the gate judges; the target of a new symbolic link is read from the tree.
pub(super) fn changed_path(
    private: &PrivateRepository,
    tree: &ObjectId,
    touched: Touched,
) -> Result<ChangedPath, EngineError> {
    let link = match touched.kind {
        TouchKind::Symlink => private.read_file(tree, &touched.path)?,
        TouchKind::Added
        | TouchKind::Deleted
        | TouchKind::Modified
        | TouchKind::Renamed
        | TouchKind::ModeChanged
        | TouchKind::Submodule => None,
    };
    Ok(ChangedPath {
        path: touched.path,
        old_path: touched.old_path,
        becomes_symlink_to: link.map(|target| String::from_utf8_lossy(&target).into_owned()),
    })
}

/// What candidates may not touch, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Sealed files of the checkout, relative to its root, each with the reason.
    pub files: Vec<(String, String)>,
    /// Globs of `harness` that match no file.
    pub unmatched: Vec<String>,
}

/// Lists what is sealed in a checkout.
pub fn sealed(root: &Path, settings: &Settings) -> Result<Sealed, EngineError> {
    let snapshot = HarnessSnapshot::collect(root, settings)?;
    let files = snapshot.files().iter().map(|file| (file.path.clone(), file.why.to_string())).collect();
    Ok(Sealed { files, unmatched: snapshot.unmatched().to_vec() })
}

/// A kind of project with the paths that are sealed in every one of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedKind {
    /// The kind.
    pub project: &'static str,
    /// The paths, as globs.
    pub globs: &'static [&'static str],
    /// Why.
    pub why: &'static str,
}

/// Lists the paths that are sealed in every repository, but for what `scope.unseal` names.
pub fn sealed_everywhere() -> impl Iterator<Item = SealedKind> {
    BUILT_IN.iter().map(|rule| SealedKind { project: rule.ecosystem, globs: rule.globs, why: rule.why })
}
