//! The user's checkout, read only: what is uncommitted, what is unversioned, and changes taken as patches.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::domain::{Author, ObjectId};

use super::command::{alternate, records};
use super::error::Doing;
use super::{GitError, UserRepository};

/// How patches are written: complete, binary-safe, and independent of configuration.
pub(super) const DIFF: [&str; 11] = [
    "--binary",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--unified=3",
    "--submodule=short",
    "--no-relative",
    "-M",
];

/// A file or folder of the checkout that git does not version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unversioned {
    /// The path relative to the root; a whole folder ends in `/`.
    pub path: String,
    /// Whether an ignore rule covers it.
    pub ignored: bool,
}

/// A commit's change and what its author says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPatch {
    /// The commit.
    pub commit: ObjectId,
    /// Who wrote it.
    pub author: Author,
    /// The whole message.
    pub message: String,
    /// The change against the first parent (the empty tree for a root commit).
    pub patch: Vec<u8>,
}

impl UserRepository {
    /// Says whether the checkout differs from HEAD, untracked files included.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        Ok(!self.git().args(["status", "--porcelain", "-z", "--ignore-submodules=none"]).output()?.is_empty())
    }

    /// Lists what is untracked or ignored, whole folders as one.
    pub fn unversioned(&self) -> Result<Vec<Unversioned>, GitError> {
        let list = |ignored: bool| -> Result<Vec<Unversioned>, GitError> {
            let git = self.git().args(["ls-files", "-z", "--others", "--exclude-standard", "--directory"]);
            let git = if ignored { git.arg("--ignored") } else { git };
            let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
            Ok(records(&git.output()?).map(|path| Unversioned { path: text(path), ignored }).collect())
        };
        let mut all = list(false)?;
        all.extend(list(true)?);
        Ok(all)
    }

    /// Takes the checkout's uncommitted change against HEAD as a patch, new files included, but for excluded paths.
    ///
    /// The user's index and object store are not touched: a copy of the one and a scratch store are used.
    pub fn worktree_patch(&self, exclude: &[String]) -> Result<Vec<u8>, GitError> {
        self.require_commit()?;
        let scratch = tempfile::tempdir().doing("make a scratch folder below", &std::env::temp_dir())?;
        let index = scratch.path().join("index");
        copy_with_time(&self.git_dir().join("index"), &index)?;
        let objects = scratch.path().join("objects");
        fs::create_dir(&objects).doing("create", &objects)?;
        let git = || {
            self.git()
                .env("GIT_INDEX_FILE", &index)
                .env("GIT_OBJECT_DIRECTORY", &objects)
                .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternate(&self.objects()))
        };
        git().args(["add", "-u", "--", "."]).output()?;
        let others = git().args(["ls-files", "-z", "--others", "--exclude-standard"]).output()?;
        let mut fresh = Vec::new();
        for path in records(&others).filter(|path| !path.ends_with(b"/")) {
            fresh.extend_from_slice(path);
            fresh.push(0);
        }
        git().args(["update-index", "--add", "-z", "--stdin"]).stdin(fresh).output()?;
        let excluded = exclude.iter().map(|path| format!(":(top,exclude,literal){path}"));
        git().args(["diff", "--cached"]).args(DIFF).args(["HEAD", "--", ":(top)"]).args(excluded).output()
    }
}

/// Copies an index with its time: git compares it with the files' times to see which entries to distrust.
fn copy_with_time(from: &Path, to: &Path) -> Result<(), GitError> {
    let found = match fs::metadata(from) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.doing("read", from)?,
    };
    fs::copy(from, to).doing("copy", from)?;
    let time = found.modified().doing("read the time of", from)?;
    File::options().append(true).open(to).and_then(|f| f.set_modified(time)).doing("set the time of", to)
}
