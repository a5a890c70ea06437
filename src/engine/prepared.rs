//! Whether a slot's preparation still fits: `prepare` runs once per slot, and again when a file of `rerunWhen` differs.

use std::path::PathBuf;

use crate::domain::{Arm, Prepare};

use super::EngineError;
use super::screen::write_whole;
use super::workbench::{Workbench, join};

impl Workbench<'_> {
    /// Says whether `prepare` must run in an arm's slot before anything is built there.
    pub(super) fn prepare_is_due(&self, arm: Arm) -> Result<bool, EngineError> {
        let Some(prepare) = self.prepare_settings() else { return Ok(false) };
        let path = self.mark(arm);
        match std::fs::read_to_string(&path) {
            Ok(mark) => Ok(mark != self.fingerprint(arm, prepare)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(source) => Err(EngineError::io("read", &path, source)),
        }
    }

    /// Remembers what an arm's slot was prepared with.
    pub(super) fn mark_prepared(&self, arm: Arm, prepare: &Prepare) -> Result<(), EngineError> {
        write_whole(&self.mark(arm), self.fingerprint(arm, prepare)?.as_bytes())
    }

    /// Forgets that an arm's slot was prepared, so that a run cut short is not taken for one.
    pub(super) fn unmark_prepared(&self, arm: Arm) -> Result<(), EngineError> {
        let path = self.mark(arm);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(EngineError::io("remove", &path, source))
            }
            _ => Ok(()),
        }
    }

    /// Returns where the mark is: out of reach of the commands of the slot.
    fn mark(&self, arm: Arm) -> PathBuf {
        self.beside_slots(&format!("prepared-{}", self.slot_name(arm)))
    }

    /// Hashes the command and the files of `rerunWhen` as the arm's commit has them (BLAKE3, hex).
    fn fingerprint(&self, arm: Arm, prepare: &Prepare) -> Result<String, EngineError> {
        let mut hasher = blake3::Hasher::new();
        for word in prepare.command.argv() {
            hasher.update(word.as_bytes()).update(&[0]);
        }
        for file in &prepare.rerun_when {
            let content = self.private().read_file(self.stands_at(arm), &join(self.folder(), file))?;
            hasher.update(file.as_bytes()).update(&[0]);
            hasher.update(blake3::hash(content.as_deref().unwrap_or_default()).as_bytes());
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}
