//! The patch queue: the files of a folder, in name order.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::domain::{Proposal, ProposalSource};

use super::patch_file::{self, PatchFileError};

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
    /// A file name that is not UTF-8.
    #[error("the name of {} is not UTF-8; rename it", path.display())]
    Name {
        /// The file.
        path: PathBuf,
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
}

/// What the queue has next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This file.
    File(QueueFile),
    /// Nothing: the folder has no patch at all.
    Empty,
    /// Nothing: every file was taken.
    AllTaken {
        /// How many there are.
        count: usize,
    },
}

impl Queue {
    /// Names a queue: the checkout's root, and the folder relative to it.
    pub fn new(root: &Path, folder: &str) -> Self {
        Self { root: root.to_owned(), folder: folder.trim_end_matches('/').to_owned() }
    }

    /// Lists the files in name order (by bytes). Folders, hidden files and what is no regular file are passed over.
    pub fn files(&self) -> Result<Vec<QueueFile>, QueueError> {
        let dir = self.root.join(&self.folder);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => QueueError::Missing { dir: dir.clone() },
            _ => QueueError::Read { path: dir.clone(), source },
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(&dir).map_err(failed)? {
            files.extend(self.file(&entry.map_err(failed)?.path())?);
        }
        files.sort_by(|a: &QueueFile, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// Returns the first file whose name is not among those taken. The folder is read anew each time.
    pub fn next(&self, taken: &BTreeSet<String>) -> Result<Next, QueueError> {
        let files = self.files()?;
        let count = files.len();
        Ok(match files.into_iter().find(|file| !taken.contains(&file.name)) {
            Some(file) => Next::File(file),
            None if count == 0 => Next::Empty,
            None => Next::AllTaken { count },
        })
    }

    fn file(&self, path: &Path) -> Result<Option<QueueFile>, QueueError> {
        let is_patch = path.extension().is_some_and(|ending| ending == "patch" || ending == "diff");
        if !is_patch || !path.is_file() {
            return Ok(None);
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| QueueError::Name { path: path.to_owned() })?;
        if name.starts_with('.') {
            return Ok(None);
        }
        let folder = self.folder.as_str();
        let name = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        Ok(Some(QueueFile { name, path: path.to_owned() }))
    }
}

impl QueueFile {
    /// Reads the file into a proposal.
    pub fn read(&self) -> Result<Proposal, QueueError> {
        let bytes = self.bytes()?;
        Ok(patch_file::parse(&bytes, &self.name, ProposalSource::Queue(self.name.clone()))?)
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

    fn taken(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| format!("candidates/{name}")).collect()
    }

    #[test]
    fn files_come_in_name_order_and_each_once() {
        let (root, queue) = room(&["b.diff", "a.patch", "10.patch", "notes.txt", ".a.patch.swp", ".x.patch"]);
        fs::create_dir(root.path().join("candidates/folder.patch")).unwrap();
        let names: Vec<_> = queue.files().unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["candidates/10.patch", "candidates/a.patch", "candidates/b.diff"]);
        let Next::File(file) = queue.next(&taken(&["10.patch"])).unwrap() else { panic!("no file") };
        assert_eq!(file.name, "candidates/a.patch");
        let proposal = file.read().unwrap();
        assert_eq!(proposal.source, ProposalSource::Queue("candidates/a.patch".into()));
        assert_eq!((proposal.description.as_str(), proposal.patch.0.as_slice()), ("a", DIFF.as_bytes()));
        assert_eq!(queue.next(&taken(&["10.patch", "a.patch", "b.diff"])).unwrap(), Next::AllTaken { count: 3 });
    }

    #[test]
    fn a_file_that_is_added_later_is_found() {
        let (root, queue) = room(&["b.patch"]);
        assert_eq!(queue.next(&taken(&["b.patch"])).unwrap(), Next::AllTaken { count: 1 });
        fs::write(root.path().join("candidates/a.patch"), DIFF).unwrap();
        assert!(
            matches!(queue.next(&taken(&["b.patch"])).unwrap(), Next::File(file) if file.name == "candidates/a.patch")
        );
    }

    #[test]
    fn an_empty_folder_is_told_from_a_missing_one() {
        let (root, queue) = room(&[]);
        assert_eq!(queue.next(&BTreeSet::new()).unwrap(), Next::Empty);
        let error = Queue::new(root.path(), "none").next(&BTreeSet::new()).unwrap_err().to_string();
        assert!(error.ends_with("none does not exist; create it and put *.patch or *.diff files into it"), "{error}");
    }

    #[test]
    fn a_bad_file_is_named() {
        let (root, queue) = room(&[]);
        fs::write(root.path().join("candidates/a.patch"), "hello").unwrap();
        let Next::File(file) = queue.next(&BTreeSet::new()).unwrap() else { panic!("no file") };
        assert!(file.read().unwrap_err().to_string().starts_with("candidates/a.patch is not a patch: "));
    }
}
