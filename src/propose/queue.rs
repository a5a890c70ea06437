//! The patch queue: the files of a folder, in name order.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{Proposal, ProposalSource};

use super::diff;
use super::patch_file::{self, PatchFileError};
use super::stillness::{Stamp, Watched};

/// The largest patch file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Says why the queue gives no candidate.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no such folder.
    #[error("the candidate folder {} does not exist; create it and put *.patch or *.diff files into it", dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder or a file of it cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is too large for a patch.
    #[error("{} is larger than {} MiB, which no patch is", path.display(), LARGEST >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A file that is no proposal.
    #[error(transparent)]
    Patch(#[from] PatchFileError),
}

/// A folder of `*.patch` and `*.diff` files.
#[derive(Debug, Clone)]
pub struct Queue {
    root: PathBuf,
    folder: String,
}

/// One file of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFile {
    /// Its path relative to the repository root, by which the journal knows it.
    pub name: String,
    path: PathBuf,
    stamp: Stamp,
}

/// What the queue has next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This file.
    File(QueueFile),
    /// Nothing before so much time: a file may still be written to.
    Later(Duration),
    /// Nothing: every file was taken.
    Nothing,
}

impl Queue {
    /// Names a queue: the checkout's root, and the folder relative to it.
    pub fn new(root: &Path, folder: &str) -> Self {
        Self { root: root.to_owned(), folder: folder.trim_end_matches('/').to_owned() }
    }

    /// Returns the folder, relative to the checkout's root.
    pub fn folder(&self) -> &str {
        if self.folder.is_empty() { "." } else { &self.folder }
    }

    /// Lists the files in name order (by bytes). Folders, hidden files and what is no regular file are passed over: who
    /// writes a file under another or a hidden name and renames it in the end is never read half.
    pub fn files(&self) -> Result<Vec<QueueFile>, QueueError> {
        let dir = self.root.join(&self.folder);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => QueueError::Missing { dir: dir.clone() },
            _ => QueueError::Read { path: dir.clone(), source },
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(&dir).map_err(failed)? {
            files.extend(self.file(&entry.map_err(failed)?.path()));
        }
        files.sort_by(|a: &QueueFile, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// Takes the first file that was not taken as it is now and that nobody writes to any more. The folder is read anew
    /// each time.
    pub fn next(&self, watched: &mut Watched) -> Result<Next, QueueError> {
        let mut later: Option<Duration> = None;
        for file in self.files()? {
            if watched.is_taken(&file.path, file.stamp) {
                continue;
            }
            let left = watched.left(&file.path, file.stamp, || file.looks_whole());
            if left.is_zero() && file.is_as_listed() {
                watched.take(&file.path, file.stamp);
                return Ok(Next::File(file));
            }
            later = Some(later.map_or(left, |later| later.min(left)));
        }
        Ok(later.map_or(Next::Nothing, Next::Later))
    }

    fn file(&self, path: &Path) -> Option<QueueFile> {
        let is_patch = path.extension().is_some_and(|ending| ending == "patch" || ending == "diff");
        // A file that was renamed or removed since it was listed is none.
        let found = fs::metadata(path).ok().filter(|found| is_patch && found.is_file())?;
        let name = path.file_name()?.to_string_lossy();
        if name.starts_with('.') {
            return None;
        }
        let folder = self.folder.as_str();
        let name = if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") };
        Some(QueueFile { name, path: path.to_owned(), stamp: Stamp::of(&found) })
    }
}

impl QueueFile {
    /// Reads the file into a proposal.
    pub fn read(&self) -> Result<Proposal, QueueError> {
        let bytes = self.bytes()?;
        Ok(patch_file::parse(&bytes, &self.name, ProposalSource::Queue(self.name.clone()))?)
    }

    /// Says whether the file holds a patch from its beginning to its end, as far as its own text tells.
    fn looks_whole(&self) -> bool {
        self.bytes().is_ok_and(|bytes| !diff::is_cut(&bytes))
    }

    /// Says whether nobody has written to the file since it was listed.
    pub fn is_as_listed(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| Stamp::of(&found) == self.stamp)
    }

    /// Reads the file as it is.
    pub fn bytes(&self) -> Result<Vec<u8>, QueueError> {
        let failed = |source| QueueError::Read { path: self.path.clone(), source };
        let mut bytes = Vec::new();
        let file = fs::File::open(&self.path).map_err(failed)?;
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LARGEST { Err(QueueError::TooLarge { path: self.path.clone() }) } else { Ok(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";

    fn room(files: &[&str]) -> (tempfile::TempDir, Queue) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("candidates")).unwrap();
        for file in files {
            fs::write(root.path().join("candidates").join(file), DIFF).unwrap();
        }
        let queue = Queue::new(root.path(), "candidates/");
        (root, queue)
    }

    /// Takes every file that can be taken.
    fn drain(queue: &Queue, watched: &mut Watched) -> Vec<String> {
        let mut names = Vec::new();
        while let Next::File(file) = queue.next(watched).unwrap() {
            names.push(file.name);
        }
        names
    }

    /// Makes a file old enough to be taken at once.
    fn age(root: &tempfile::TempDir, name: &str) {
        let file = fs::File::options().append(true).open(root.path().join("candidates").join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_mins(1)).unwrap();
    }

    #[test]
    fn files_come_in_name_order_and_each_once() {
        let (root, queue) = room(&["b.diff", "a.patch", "10.patch", "notes.txt", ".a.patch.swp", ".x.patch"]);
        fs::create_dir(root.path().join("candidates/folder.patch")).unwrap();
        let files = queue.files().unwrap();
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["candidates/10.patch", "candidates/a.patch", "candidates/b.diff"]);
        let proposal = files[1].read().unwrap();
        assert_eq!(proposal.source, ProposalSource::Queue("candidates/a.patch".into()));
        assert_eq!((proposal.description.as_str(), proposal.patch.0.as_slice()), ("a", DIFF.as_bytes()));
        for name in ["b.diff", "a.patch", "10.patch"] {
            age(&root, name);
        }
        let mut watched = Watched::default();
        assert_eq!(drain(&queue, &mut watched), names);
        assert_eq!(queue.next(&mut watched).unwrap(), Next::Nothing);
    }

    #[test]
    fn a_file_that_is_added_or_changed_later_is_taken_once_it_stands_still() {
        let (root, queue) = room(&["b.patch"]);
        age(&root, "b.patch");
        let mut watched = Watched::default();
        assert_eq!(drain(&queue, &mut watched), ["candidates/b.patch"]);
        fs::write(root.path().join("candidates/a.patch"), &DIFF[..DIFF.len() - 4]).unwrap();
        assert!(matches!(queue.next(&mut watched).unwrap(), Next::Later(left) if !left.is_zero()));
        fs::write(root.path().join("candidates/a.patch"), DIFF).unwrap();
        assert!(matches!(queue.next(&mut watched).unwrap(), Next::Later(_)));
        age(&root, "a.patch");
        assert_eq!(drain(&queue, &mut watched), ["candidates/a.patch"]);
        fs::write(root.path().join("candidates/b.patch"), "other").unwrap();
        age(&root, "b.patch");
        assert_eq!(drain(&queue, &mut watched), ["candidates/b.patch"]);
    }

    #[test]
    fn an_empty_folder_is_told_from_a_missing_one() {
        let (root, queue) = room(&[]);
        assert_eq!(queue.next(&mut Watched::default()).unwrap(), Next::Nothing);
        let error = Queue::new(root.path(), "none").next(&mut Watched::default()).unwrap_err().to_string();
        assert!(error.ends_with("none does not exist; create it and put *.patch or *.diff files into it"), "{error}");
    }

    #[test]
    fn a_bad_file_is_named() {
        let (root, queue) = room(&[]);
        fs::write(root.path().join("candidates/a.patch"), "hello").unwrap();
        let file = queue.files().unwrap().remove(0);
        assert!(file.read().unwrap_err().to_string().starts_with("candidates/a.patch is not a patch: "));
    }
}
