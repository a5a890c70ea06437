//! Keeps from before the base moved as a source: each is tried again on the new base, in the order in which they were kept.

use crate::domain::{ExperimentId, Proposal, ProposalSource, Reason};
use crate::engine::EngineError;
use crate::engine::carry::proposed_as;
use crate::engine::offer::Offer;
use crate::engine::places::Places;
use crate::engine::resume::proposal_of;
use crate::engine::session::{Session, key_of};
use crate::git::UserRepository;
use crate::state::{ExperimentRecord, SessionState};

use super::{Candidates, Next};

/// The earlier keeps of the session itself; it has some only after its base moved.
pub(super) struct Again;

impl Again {
    /// Counts the keeps that wait.
    pub(super) fn waiting(state: &SessionState) -> usize {
        state.keeps_to_try_again(key).len()
    }
}

impl Candidates for Again {
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        let kept = Shelf { state: session.state(), places: session.places, user: session.user };
        Ok(match kept.state.keeps_to_try_again(key).first() {
            Some(keep) => Next::Offer(Box::new(kept.offer(keep)?)),
            None => Next::Done,
        })
    }
}

fn key(keep: ExperimentId) -> String {
    key_of(&ProposalSource::Again(keep), &[])
}

/// Where a session's keeps are written down.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Shelf<'s> {
    /// What the session did.
    pub(in crate::engine) state: &'s SessionState,
    /// Its folders.
    pub(in crate::engine) places: &'s Places,
    /// The repository that holds the commits.
    pub(in crate::engine) user: &'s UserRepository,
}

impl Shelf<'_> {
    /// Offers all keeps that wait, in the order in which they are tried.
    pub(in crate::engine) fn offers(self) -> Result<Vec<Offer>, EngineError> {
        self.state.keeps_to_try_again(key).into_iter().map(|keep| self.offer(keep)).collect()
    }

    /// Offers a keep anew, as it was proposed; its patch is the commit's, made on the tip before it.
    fn offer(self, keep: &ExperimentRecord) -> Result<Offer, EngineError> {
        let proposed = proposed_as(&self.places.journal(), keep.id)?;
        let patch = self.patch(keep);
        let bytes = patch.clone().unwrap_or_default();
        let proposal = Proposal {
            source: ProposalSource::Again(keep.id),
            base_commit: Some(keep.tip().to_string()),
            drop_sealed: false,
            call: None,
            ..proposal_of(proposed, bytes)
        };
        Ok(match patch {
            Ok(_) => Offer::Readable(proposal),
            Err(detail) => Offer::Unreadable { proposal, reason: Reason::ApplyFailed, detail },
        })
    }

    /// Reads the change of a keep: that of its commit, else the one in its folder.
    fn patch(self, keep: &ExperimentRecord) -> Result<Vec<u8>, String> {
        let commit = keep.commit();
        let gone = match self.user.commit_patch(commit.as_str()) {
            Ok(found) => return Ok(found.patch),
            Err(error) => error,
        };
        let file = self.places.run(keep.id).join("candidate.patch");
        std::fs::read(&file)
            .map_err(|_| format!("neither commit {} nor {} is left: {gone}", commit.short(), file.display()))
    }
}
