//! Whether a session is at its end before it begins, and how far it has come.

use crate::domain::{ExperimentId, StopRule, Stopped};
use crate::state::ExperimentRecord;

use super::EngineError;
use super::session::Session;

impl Session<'_, '_> {
    /// Ends the session where a stop rule holds already, before anything is built; `None` where none does.
    ///
    /// `None` too where something kept still waits for its validation, which the usual way measures before the same end,
    /// and on a low disk, which [`Session::ready`] refuses with the cure.
    pub fn over_already(&mut self) -> Result<Option<Stopped>, EngineError> {
        if self.needs_validation()? {
            return Ok(None);
        }
        match self.due()?.filter(|stopped| stopped.rule != StopRule::DiskLow) {
            Some(stopped) => self.end(Ok(stopped)).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the best median of the primary so far: that of the last keep, or of the baseline where that was measured
    /// later.
    pub(super) fn best(&self) -> Option<f64> {
        let settled = self.recorder.state().experiments().iter().rev();
        let best = |record: &&ExperimentRecord| record.id == ExperimentId::BASELINE || record.stands();
        settled.filter(best).find_map(|record| record.metric)
    }
}
