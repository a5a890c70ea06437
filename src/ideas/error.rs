//! What can go wrong with ideas.md.

use std::io;
use std::path::PathBuf;

/// Says why ideas.md was not read or edited.
#[derive(Debug, thiserror::Error)]
pub enum IdeasError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; make it a readable UTF-8 file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be replaced.
    #[error("cannot write {}: {source}; the edit waits in the journal", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file changed each time while it was edited.
    #[error("{} changed {attempts} times while it was edited; the edit waits in the journal", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// How often it was tried.
        attempts: u32,
    },
    /// The text around the place would swallow the edit.
    #[error(
        "cannot add an entry under '{section}': the text there (an open code block or comment?) would swallow it; \
         close it by hand"
    )]
    NotPlaced {
        /// The section's title.
        section: &'static str,
    },
}
