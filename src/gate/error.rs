//! What can go wrong when the gate is set up.

use std::io;
use std::path::PathBuf;

/// Says why the gate cannot be set up, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
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
    /// A glob does not parse.
    #[error("'{glob}' in {key} is no glob: {source}; correct it in the config")]
    Glob {
        /// The glob as configured.
        glob: String,
        /// The config key that holds it.
        key: &'static str,
        /// What the parser found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A path leaves the repository.
    #[error("'{path}' in {key} leaves the repository; move the file into it")]
    Outside {
        /// The path as configured.
        path: String,
        /// The config key that holds it.
        key: &'static str,
    },
    /// The sealed files are too large to be kept.
    #[error(
        "the sealed files are over {limit} bytes, {path} among them; narrow 'harness' in the config, or let prepare fetch large data"
    )]
    TooLarge {
        /// The file with which the limit was passed.
        path: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A glob of the holdout matches nothing, which would show only where it is asked.
    #[error("'{glob}' in holdout.files matches no file; mend or delete it")]
    NothingHeld {
        /// The glob as configured.
        glob: String,
    },
    /// A path is not UTF-8, so the journal could not name it.
    #[error("{} is to be sealed and its name is not UTF-8; rename it", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
}

impl GateError {
    /// Makes a closure that turns an I/O error into one with its path and what was tried.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
