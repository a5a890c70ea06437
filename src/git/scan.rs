//! Compares a slot's files with what they are expected to be, in one walk.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, FileType, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use git2::{ObjectType, Oid};

use super::GitError;
use super::error::Doing;
use super::manifest::{Folder, Seal, Stat, Tracked, join};
use super::objects::{EXECUTABLE, SYMLINK};

/// Bytes of a path below a folder up to which it is removed in one descent: a path may have 4096, and an open file is
/// needed for every level.
const DEEP: usize = 500;

/// How something in a slot differs from what was laid there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviationKind {
    /// A tracked file has other bytes.
    Rewritten,
    /// A tracked file is gone.
    Missing,
    /// A tracked file became a link, a folder or something else.
    TypeChanged,
    /// A tracked file's executable bit changed.
    ModeChanged,
    /// HEAD is elsewhere; the path is `HEAD`.
    HeadMoved,
    /// The index has other entries; the path is the first that differs.
    IndexChanged,
    /// The slot's `.git` file points elsewhere; the path is `.git`.
    LinkChanged,
}

/// Paths that survive a reset although nothing tracks them, without trailing slash.
#[derive(Debug, Default)]
pub(super) struct Protected(pub(super) BTreeSet<Vec<u8>>);

impl Protected {
    fn covers(&self, path: &[u8]) -> bool {
        self.0.contains(path)
    }

    /// Says whether something below a folder is protected.
    fn has_below(&self, path: &[u8]) -> bool {
        let start = [path, b"/"].concat();
        self.0.range(start.clone()..).next().is_some_and(|found| found.starts_with(&start))
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Tracked files that are not as they should be.
    pub(super) wrong: Vec<(Vec<u8>, DeviationKind)>,
    /// Files and whole folders that nothing tracks or protects.
    pub(super) loose: Vec<Vec<u8>>,
    /// Tracked files that are right, but whose state on disk is another than before.
    pub(super) touched: Vec<Vec<u8>>,
}

/// One walk over a slot.
pub(super) struct Scan<'a> {
    pub(super) protected: &'a Protected,
    /// Whether to look for what nothing tracks.
    pub(super) loose: bool,
    /// Whether executable bits count.
    pub(super) file_mode: bool,
    /// Tells this walk from earlier ones.
    pub(super) pass: u32,
    pub(super) findings: Findings,
}

impl Scan<'_> {
    /// Walks one folder. `shielded` says that what nothing tracks in it stays.
    pub(super) fn walk(&mut self, dir: &Path, at: &[u8], folder: &mut Folder, shielded: bool) -> Result<(), GitError> {
        for entry in read_folder(dir)? {
            let entry = entry.doing("list", dir)?;
            let name = entry.file_name();
            if at.is_empty() && name == ".git" {
                continue;
            }
            let kind = entry.file_type().doing("examine", &entry.path())?;
            if let Some(below) = folder.folders.get_mut(&name) {
                self.tracked_folder(&entry, kind, &join(at, &name), (below, shielded))?;
            } else if let Some(tracked) = folder.files.get_mut(&name) {
                tracked.seen = self.pass;
                self.tracked_file(&entry, &join(at, &name), tracked)?;
            } else if self.loose && !shielded {
                self.untracked(&entry.path(), kind, join(at, &name))?;
            }
        }
        self.missing(at, folder);
        Ok(())
    }

    fn tracked_folder(
        &mut self,
        entry: &DirEntry,
        kind: FileType,
        path: &[u8],
        (below, shielded): (&mut Folder, bool),
    ) -> Result<(), GitError> {
        if !kind.is_dir() {
            self.findings.loose.push(path.to_vec());
            return Ok(()); // the files below it are reported as missing
        }
        below.seen = self.pass;
        self.walk(&entry.path(), path, below, shielded || self.protected.covers(path))
    }

    fn tracked_file(&mut self, entry: &DirEntry, path: &[u8], tracked: &mut Tracked) -> Result<(), GitError> {
        let meta = match entry.metadata() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.findings.wrong.push((path.to_vec(), DeviationKind::Missing));
                return Ok(());
            }
            other => other.doing("examine", &entry.path())?,
        };
        if tracked.seal.is_some_and(|seal| seal.holds(&Stat::of(&meta))) {
            return Ok(());
        }
        let before = tracked.seal.map(|seal| seal.stat);
        if let Some(kind) = self.examine(&entry.path(), &meta, tracked) {
            self.findings.wrong.push((path.to_vec(), kind));
            return Ok(());
        }
        let seal = Seal::new(&meta);
        tracked.seal = Some(seal);
        if before != Some(seal.stat) {
            self.findings.touched.push(path.to_vec());
        }
        Ok(())
    }

    /// Reads a file whose state changed; `None` when it is right nevertheless.
    fn examine(&self, path: &Path, meta: &Metadata, tracked: &Tracked) -> Option<DeviationKind> {
        let link = tracked.node.mode == SYMLINK;
        let right_type = if link { meta.is_symlink() } else { meta.is_file() };
        if !right_type {
            return Some(DeviationKind::TypeChanged);
        }
        // A file may be made as large as a disk at no cost; one of another size is not read.
        if tracked.seal.is_some_and(|seal| seal.stat.size() != meta.len()) {
            return Some(DeviationKind::Rewritten);
        }
        if tracked.digest.is_none() || digest(path, link).ok() != tracked.digest {
            return Some(DeviationKind::Rewritten);
        }
        let executable = meta.permissions().mode() & 0o100 != 0;
        let wrong_mode = self.file_mode && !link && executable != (tracked.node.mode == EXECUTABLE);
        wrong_mode.then_some(DeviationKind::ModeChanged)
    }

    fn untracked(&mut self, dir: &Path, kind: FileType, path: Vec<u8>) -> Result<(), GitError> {
        if self.protected.covers(&path) {
            return Ok(());
        }
        if kind.is_dir() && self.protected.has_below(&path) {
            return self.walk(dir, &path, &mut Folder::default(), false);
        }
        self.findings.loose.push(path);
        Ok(())
    }

    /// Reports what this walk did not meet.
    fn missing(&mut self, at: &[u8], folder: &Folder) {
        let files = folder.files.iter().filter(|(_, tracked)| tracked.seen != self.pass);
        let gone = files.map(|(name, _)| (join(at, name), DeviationKind::Missing));
        self.findings.wrong.extend(gone);
        for (name, below) in folder.folders.iter().filter(|(_, below)| below.seen != self.pass) {
            let mut paths = Vec::new();
            below.paths(&[&join(at, name), b"/".as_slice()].concat(), &mut paths);
            self.findings.wrong.extend(paths.into_iter().map(|path| (path, DeviationKind::Missing)));
        }
    }
}

/// Computes the blob id of a file's bytes or a link's target.
pub(super) fn digest(path: &Path, link: bool) -> io::Result<Oid> {
    if !link {
        return Oid::hash_file(ObjectType::Blob, path).map_err(io::Error::other);
    }
    let target = fs::read_link(path)?;
    Oid::hash_object(ObjectType::Blob, target.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// Lists a folder, also one that a command made unreadable.
fn read_folder(dir: &Path) -> Result<fs::ReadDir, GitError> {
    match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            fs::set_permissions(dir, Permissions::from_mode(0o755)).doing("make readable", dir)?;
            fs::read_dir(dir).doing("list", dir)
        }
        other => other.doing("list", dir),
    }
}

/// Removes a file, a link or a whole folder, also one that was made read-only; links are never followed.
pub(super) fn remove(path: &Path) -> Result<(), GitError> {
    let found = match fs::symlink_metadata(path) {
        Err(e) if super::private::absent(&e) => return Ok(()),
        other => other.doing("examine", path)?,
    };
    if !found.is_dir() {
        return fs::remove_file(path).doing("remove", path);
    }
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    flatten(path)?;
    fs::remove_dir_all(path).doing("remove", path)
}

/// Makes a folder and those below it writable for their owner, and moves up what lies so deep in it that a path does not
/// reach there or a descent runs out of open files.
fn flatten(root: &Path) -> Result<(), GitError> {
    let longest = root.as_os_str().len() + DEEP;
    let mut open = vec![root.to_owned()];
    while let Some(mut dir) = open.pop() {
        if dir.as_os_str().len() > longest {
            let above = tempfile::Builder::new().tempdir_in(root).doing("create below", root)?.keep().join("deep");
            fs::rename(&dir, &above).doing("move up", &dir)?;
            dir = above;
        }
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).doing("make writable", &dir)?;
        for entry in fs::read_dir(&dir).doing("list", &dir)? {
            let entry = entry.doing("list", &dir)?;
            if entry.file_type().doing("examine", &entry.path())?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(())
}

/// Removes a file and the folders above it that are empty then, up to the root.
pub(super) fn remove_with_folders(root: &Path, path: &[u8]) -> Result<(), GitError> {
    remove(&root.join(OsStr::from_bytes(path)))?;
    let mut folder = Path::new(OsStr::from_bytes(path)).parent();
    while let Some(below) = folder.filter(|f| !f.as_os_str().is_empty()) {
        if fs::remove_dir(root.join(below)).is_err() {
            break; // not empty, or gone already
        }
        folder = below.parent();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_deeper_than_any_path_is_removed_with_what_is_shut_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let (root, level) = (dir.path().join("root"), "d/".repeat(900));
        fs::create_dir_all(root.join("x").join(&level)).unwrap();
        for _ in 0..4 {
            let above = dir.path().join("above");
            fs::create_dir_all(above.join(&level)).unwrap();
            fs::rename(&root, above.join(&level).join("below")).unwrap();
            fs::rename(above, &root).unwrap();
        }
        fs::create_dir(root.join("shut")).unwrap();
        fs::write(root.join("shut/file"), "").unwrap();
        fs::set_permissions(root.join("shut"), Permissions::from_mode(0o500)).unwrap();
        flatten(&root).unwrap();
        assert_eq!(fs::read_dir(root.join("d/d/d")).unwrap().count(), 1);
        let mut open = vec![root.clone()];
        while let Some(at) = open.pop() {
            assert!(at.as_os_str().len() < root.as_os_str().len() + DEEP + 300, "{}", at.display());
            open.extend(fs::read_dir(&at).unwrap().map(|e| e.unwrap().path()).filter(|path| path.is_dir()));
        }
        remove(&root).unwrap();
        assert!(!root.exists());
    }
}
