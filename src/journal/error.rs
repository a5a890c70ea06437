//! What can go wrong with a journal.

use std::io;
use std::path::PathBuf;

use super::FORMAT;

/// Says why a journal cannot be read or written, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
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
    /// Another process holds the lock.
    #[error("another session is running ({}) on {}; wait for its end, or ask it to end with 'autoresearch stop'",
            pid.map_or_else(|| "pid unknown".to_owned(), |pid| format!("pid {pid}")), path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that says it holds the lock.
        pid: Option<u32>,
    },
    /// A journal is there already.
    #[error("{} exists already; a new session needs another name, or resume this one", path.display())]
    Exists {
        /// The journal.
        path: PathBuf,
    },
    /// The first line is not a journal's header.
    #[error("{} is not a journal: its first line is no header ({source}); restore it from a copy, or move it away", path.display())]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// What the parser found.
        source: serde_json::Error,
    },
    /// The journal has a format that this version does not know.
    #[error("{} has journal format {found} and was written by {created_by}; this version reads format {FORMAT}: \
             use {created_by}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The program that wrote it, with its version.
        created_by: String,
    },
    /// A line before the last one is damaged, or holds an event that this version cannot read.
    #[error("{}, line {line}: {source}; nothing after this line was read: restore the file from a copy, or repair that line", path.display())]
    BadLine {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What the parser found.
        source: serde_json::Error,
    },
    /// An event became a line that cannot be read back, such as one with a number that is not finite.
    #[error("a '{kind}' event for {} cannot be read back from its line ({source}); it was not written", path.display())]
    NotReadable {
        /// The journal.
        path: PathBuf,
        /// The event's type.
        kind: &'static str,
        /// What the parser found.
        source: serde_json::Error,
    },
}

impl JournalError {
    /// Makes a closure that turns an I/O error into one with its path and what was tried.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
