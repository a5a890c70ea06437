//! Takes up an experiment that an interrupted session left without a verdict.

use crate::domain::{Event, PatchText, Proposal, Proposed, Recovered, Unreadable};

use super::EngineError;
use super::pipeline::Commit;
use super::recorder::Durability;
use super::session::Session;

/// File name of a patch as it was given, in the experiment's folder.
pub(super) const GIVEN_PATCH: &str = "given.patch";

impl Session<'_, '_> {
    /// Finishes every experiment that was left without a verdict: a killed `run` and a killed `try` leave one each.
    pub(super) fn resume_unfinished(&mut self) -> Result<(), EngineError> {
        while let Some(facts) = self.recorder.take_left() {
            self.recorder.begin(facts);
            self.resume_one()?;
        }
        Ok(())
    }

    /// Rebuilds, warms up and goes on with the same evidence.
    fn resume_one(&mut self) -> Result<(), EngineError> {
        let facts = self.recorder.facts();
        let (Some(id), Some(proposed)) = (facts.id, facts.proposed.clone()) else { return Ok(()) };
        let given = self.places.run(id).join(GIVEN_PATCH);
        let bytes = std::fs::read(&given).map_err(|source| EngineError::io("read", &given, source))?;
        let found = format!("experiment {id} had {} pairs and no verdict", facts.pairs().len());
        let action = "took it up with the same evidence".to_owned();
        self.recorder.session(Event::Recovered(Recovered { found, action }), Durability::Written)?;
        if let Some(Unreadable { reason, detail }) = &proposed.unreadable {
            let run = self.refuse(*reason, detail)?;
            return self.note_idea(&run);
        }
        let commit = if proposed.commit { Commit::Yes } else { Commit::No };
        let proposal = proposal_of(proposed, bytes);
        let run = self.experiment(&proposal, commit)?;
        self.note_idea(&run)?;
        self.hook_after(&run)
    }
}

/// Makes the proposal again from what the journal and the experiment's folder hold.
pub(super) fn proposal_of(proposed: Proposed, patch: Vec<u8>) -> Proposal {
    Proposal {
        description: proposed.description,
        hypothesis: proposed.hypothesis,
        idea: proposed.idea,
        axes: proposed.axes,
        goal: proposed.goal,
        asi: proposed.asi,
        author: proposed.author,
        base_commit: proposed.base_commit,
        source: proposed.source,
        patch: PatchText(patch),
        drop_sealed: proposed.drop_sealed,
        call: proposed.call,
    }
}
