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
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file changed each time while it was edited.
    #[error("{} changed {attempts} times while it was edited; close it elsewhere and try again", path.display())]
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
        section: String,
    },
    /// There is no closed idea of this name.
    #[error("no closed entry is called '{idea}'; 'autoresearch ideas list' shows the names")]
    NotClosed {
        /// The name.
        idea: String,
    },
    /// Another entry has this name.
    #[error("'{idea}' is the name of another entry (line {line}); give another --id")]
    Taken {
        /// The name.
        idea: String,
        /// The line of the entry, from 1.
        line: usize,
    },
    /// There is no such section.
    #[error("there is no section '{section}'; the file has: {}", known.join(", "))]
    NoSection {
        /// The section as named.
        section: String,
        /// The titles of the file.
        known: Vec<String>,
    },
}
