//! The folder that a demo works in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;

/// A temporary folder, gone with the demo, or the one that the person named.
pub(super) enum Scratch {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Scratch {
    /// Makes the folder.
    pub(super) fn new(keep: Option<&Path>) -> Result<Self, CliError> {
        let Some(folder) = keep else {
            let dir = tempfile::Builder::new()
                .prefix("autoresearch-demo-")
                .tempdir()
                .map_err(|source| CliError::io("create a temporary folder in", &std::env::temp_dir(), source))?;
            return Ok(Self::Temporary(dir));
        };
        fs::create_dir_all(folder).map_err(|source| CliError::io("create folder", folder, source))?;
        let absolute = folder.canonicalize().map_err(|source| CliError::io("find folder", folder, source))?;
        Ok(Self::Kept(absolute))
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Temporary(dir) => dir.path(),
            Self::Kept(path) => path,
        }
    }

    /// Says whether it stays.
    pub(super) fn stays(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}
