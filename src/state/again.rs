//! Which keeps of earlier bases are tried again after the base moved.

use super::experiment::{ExperimentRecord, PatchKey};
use super::session::SessionState;
use crate::domain::ExperimentId;

impl SessionState {
    /// Returns the keeps from before the base last moved that were not tried again since, in order.
    ///
    /// `key` is that ([`Proposed::patch_hash`](crate::domain::Proposed::patch_hash)) under which an experiment is tried again. What
    /// was tried again on an earlier base already is there as an experiment of its own, unless it was refused before its
    /// build, because that base had its change or something in the way of it.
    pub fn keeps_to_try_again(&self, key: impl Fn(ExperimentId) -> String) -> Vec<&ExperimentRecord> {
        let (before, since) = self.around_rebase();
        let last = |records: &[ExperimentRecord], id| {
            let key = PatchKey::new(&key(id))?;
            records.iter().rev().find(|record| record.has_key(key)).map(|record| record.iteration)
        };
        let open = |record: &&ExperimentRecord| {
            let replaced = last(before, record.id) == Some(true);
            !replaced && last(since, record.id).is_none()
        };
        before.iter().filter(|record| record.id != ExperimentId::BASELINE && record.stands()).filter(open).collect()
    }
}
