//! A folder for one rehearsal: journal and slots of its own, removed when it ends.

use std::path::Path;

use tempfile::TempDir;

use super::EngineError;
use super::places::Places;
use crate::git;

/// A folder beside the slots of the repository's sessions, so that a rehearsal runs on the same disk.
pub(super) struct Scratch(TempDir);

impl Scratch {
    /// Makes a new folder whose name starts with a word.
    pub(super) fn beside(places: &Places, word: &str) -> Result<Self, EngineError> {
        let parent = places.cache().parent().unwrap_or(places.cache());
        let made = std::fs::create_dir_all(parent)
            .and_then(|()| tempfile::Builder::new().prefix(&format!("{word}-")).tempdir_in(parent));
        made.map(Self).map_err(|source| EngineError::io("create a folder in", parent, source))
    }

    /// Returns the places of one journal; all parts share the slots.
    pub(super) fn places(&self, part: &str) -> Places {
        Places::within(self.path(), part)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The rest goes with the folder; what cannot be removed is in the way of nothing.
        let _ = git::remove_workspace(&self.path().join("slots"));
    }
}
