//! What runs of a candidate may leave to the next one: nothing that neither its build made nor the baseline leaves too.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::domain::Arm;
use crate::engine::{EngineError, home};
use crate::git;

use super::Workbench;

impl Workbench<'_> {
    pub(super) fn loose(&mut self, arm: Arm) -> Result<BTreeSet<Vec<u8>>, EngineError> {
        let (index, keep) = (self.index(arm), self.kept_folders());
        Ok(self.slots[index].loose(&keep)?)
    }

    /// Removes what checks and runs of the candidate left in its slot and its build did not make, unless the baseline's
    /// leave the same: what one run computes for the next is no speed.
    fn sweep(&mut self) -> Result<(), EngineError> {
        self.sweep_home()?;
        let left = self.loose(Arm::Candidate)?;
        if left.is_subset(&self.lasting) {
            return Ok(());
        }
        let usual = self.loose(Arm::Baseline)?;
        self.lasting.extend(usual);
        Ok(self.slots[self.index(Arm::Candidate)].sweep(left.difference(&self.lasting))?)
    }

    /// Removes from the slot of a candidate on trial what its runs keep for the next.
    pub(in crate::engine) fn sweep_candidate(&mut self, arm: Arm) -> Result<(), EngineError> {
        if arm == Arm::Candidate && self.laid.is_some() { self.sweep() } else { Ok(()) }
    }

    /// Does the same in its private home.
    pub(super) fn sweep_home(&self) -> Result<(), EngineError> {
        let home = self.home(Arm::Candidate);
        let strangers = self.strangers_at_home()?;
        strangers.difference(&self.lasting_at_home).try_for_each(|path| Ok(git::remove_below(&home, path)?))
    }

    pub(super) fn strangers_at_home(&self) -> Result<BTreeSet<PathBuf>, EngineError> {
        home::strangers(&self.home(Arm::Candidate), &self.home(Arm::Baseline))
    }
}
