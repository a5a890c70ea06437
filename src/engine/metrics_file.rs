//! The file named by `$AUTORESEARCH_METRICS`: made anew for each run, and bounded.

use std::path::{Path, PathBuf};

use crate::git;

use super::EngineError;

/// Its name in a slot's private folder.
const NAME: &str = "metrics";

/// The metrics file of one run.
pub(super) struct MetricsFile {
    path: PathBuf,
}

impl MetricsFile {
    /// Puts an empty file in place of whatever an earlier command left there: a link would lead the write elsewhere.
    pub(super) fn renew(home: &Path) -> Result<Self, EngineError> {
        std::fs::create_dir_all(home).map_err(|source| EngineError::io("create folder", home, source))?;
        git::remove_below(home, NAME)?;
        let path = home.join(NAME);
        std::fs::write(&path, b"").map_err(|source| EngineError::io("create file", &path, source))?;
        Ok(Self { path })
    }

    /// Returns its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Says that a run wrote more than so many bytes into it.
    pub(super) fn excess(&self, most: u64) -> Option<String> {
        let size = std::fs::symlink_metadata(&self.path).ok()?.len();
        (size > most).then(|| format!("the metrics file has {size} bytes, limits.outputBytes is {most}"))
    }
}
