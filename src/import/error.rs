//! What can go wrong when a log is read or a session is written for others.

use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;

/// Says why nothing was imported or exported, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file is a journal of this program.
    #[error("{} is a journal of this program and needs no import; 'autoresearch log' reads it where it lies", path.display())]
    OwnJournal {
        /// The file.
        path: PathBuf,
    },
    /// No line of the files is a run.
    #[error("there is no run in {files}, so nothing was imported; the first line that was not understood is {first}")]
    NoRun {
        /// The files.
        files: String,
        /// Place and reason of the first unread line.
        first: String,
    },
    /// A session of that name is there.
    #[error("session '{name}' exists already; import under another name with --name")]
    SessionExists {
        /// The name.
        name: String,
    },
    /// Another tool's config cannot be read.
    #[error("cannot understand {}: {source}; repair it or move it away", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A row could not be written.
    #[error("cannot write a row: {0}")]
    Row(#[from] serde_json::Error),
    /// Another file lies where the export should be.
    #[error("{} belongs to another session and is not overwritten; name another folder with --to", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
}

impl ImportError {
    /// Makes an I/O error with its path.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
