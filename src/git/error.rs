//! What can go wrong with git, each case with the place and the next step.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{IdError, ObjectId};
use crate::process::ToolError;

/// A failure inside the git library, kept opaque.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LibraryError(#[source] git2::Error);

/// Says why something about a git repository could not be done.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The git program could not be started.
    #[error("{0}; install git 2.36 or later and put it on PATH")]
    Tool(#[from] ToolError),
    /// A git command failed.
    #[error("'git {command}' failed in {} (exit code {code}): {}", dir.display(), stderr.trim_end())]
    Command {
        /// The subcommand with its arguments.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// Its exit code.
        code: i32,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// A git command answered something that is not its documented output.
    #[error("'git {command}' in {} answered something unexpected: '{answer}'", dir.display())]
    Answer {
        /// The subcommand with its arguments.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// The answer's beginning.
        answer: String,
    },
    /// A bundle without a record.
    #[error("{} holds no record of a session; 'autoresearch bundle FILE' writes one that does", path.display())]
    NoRecord {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The git library failed.
    #[error("cannot {action} in {}: {source}", path.display())]
    Library {
        /// What was tried.
        action: &'static str,
        /// The repository or file.
        path: PathBuf,
        /// The library's words.
        source: LibraryError,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Git printed an id of another kind.
    #[error(transparent)]
    Id(#[from] IdError),
    /// There is no usable repository.
    #[error("{} is in no git repository that can be used ({}); run 'git init' there, or change folder", start.display(), words.trim_end())]
    NoRepository {
        /// Where the search began.
        start: PathBuf,
        /// Git's words.
        words: String,
    },
    /// The repository has no checkout.
    #[error("{} is a bare repository; make a checkout with 'git clone {0}' and run there", path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// Object ids are not SHA-1.
    #[error(
        "{} names its objects by SHA-256, which this version cannot read; use a clone in the SHA-1 format ('git init --object-format=sha1', then 'git fast-export --all' into 'git fast-import')",
        path.display()
    )]
    ObjectFormat {
        /// The repository.
        path: PathBuf,
    },
    /// The repository has no commit.
    #[error("{} has no commit yet; commit the program to optimise first ('git add -A && git commit')", root.display())]
    NoCommits {
        /// The checkout.
        root: PathBuf,
    },
    /// A revision names no commit.
    #[error("'{revision}' names no commit in {}; 'git log --oneline --all' shows what there is", root.display())]
    NoSuchRevision {
        /// The revision as given.
        revision: String,
        /// The checkout.
        root: PathBuf,
    },
    /// Git does not know who commits.
    #[error(
        "git does not know who you are, and kept commits need a committer; run 'git config --global user.name \"Your Name\"' and 'git config --global user.email you@example.org'"
    )]
    IdentityMissing,
    /// A branch that should be new exists.
    #[error(
        "branch '{branch}' exists already at {found}; delete it ('git branch -D {branch}') or set another 'branch'"
    )]
    BranchExists {
        /// The branch.
        branch: String,
        /// Its commit.
        found: ObjectId,
    },
    /// A branch is not where it should be.
    #[error("branch '{branch}' was expected at {} but is {}; somebody moved it, and it was left as it is", expected.short(), place(found.as_ref()))]
    BranchMoved {
        /// The branch.
        branch: String,
        /// Where it should be.
        expected: ObjectId,
        /// Where it is; `None` = it is gone.
        found: Option<ObjectId>,
    },
    /// The survey found something that this version cannot work with.
    #[error("{reason}; {cure}")]
    Refused {
        /// What was found.
        reason: String,
        /// What to do about it.
        cure: String,
    },
    /// A harness file cannot be laid where the tree has a folder, or below a file.
    #[error("'{path}' cannot be both a file and a folder; rename the harness file or the folder")]
    DirectoryConflict {
        /// The path relative to the repository root.
        path: String,
    },
    /// A slot was given a second candidate without a reset.
    #[error("slot {} still holds a candidate; reset it first", root.display())]
    SlotOccupied {
        /// The slot.
        root: PathBuf,
    },
}

fn place(found: Option<&ObjectId>) -> String {
    found.map_or_else(|| "gone".to_owned(), |id| format!("at {}", id.short()))
}

/// Names what was tried with the git library, and where, in an error of it.
pub(super) trait Doing<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T, GitError>;
}

impl<T> Doing<T> for Result<T, git2::Error> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T, GitError> {
        self.map_err(|e| GitError::Library { action, path: path.to_owned(), source: LibraryError(e) })
    }
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T, GitError> {
        self.map_err(|source| GitError::Io { action, path: path.to_owned(), source })
    }
}
