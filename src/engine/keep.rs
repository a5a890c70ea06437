//! Settling: the commit of a keep, the branch's move, and the settling line of every experiment.

use crate::domain::{Decided, Event, ExperimentId, ObjectId, Proposal, RunSummary, Status};
use crate::git::{BranchMove, GitError, NewCommit};

use super::EngineError;
use super::message::{KeepMessage, keep_message};
use super::pipeline::Kept;
use super::recorder::Durability;
use super::session::{Purpose, Session};
use super::summary::{Lens, SummaryContext, judged_rows, run_summary};

impl Session<'_, '_> {
    /// Writes the commit of a keep and makes its objects durable in the user's repository; no branch moves yet.
    pub(super) fn commit_keep(&mut self, proposal: &Proposal, kept: &Kept) -> Result<ObjectId, EngineError> {
        let tip = self.bench.tip().clone();
        let mut facts = self.recorder.facts().clone();
        let decided = Decided {
            status: Status::Keep,
            reason: kept.reason,
            detail: kept.detail.clone(),
            flags: kept.flags.clone(),
            comparison: Some(kept.comparison.clone()),
            holdout: kept.holdout.clone(),
            commit: None,
            tip: tip.clone(),
            moves_branch: true,
        };
        facts.decided = Some(decided.clone());
        let run = run_summary(&facts, &decided, self.summary_context(&self.places.run(self.current_id())));
        let (Some(proposed), Some(_)) = (&facts.proposed, &run.patch_id) else {
            return Err(EngineError::Unrecorded { experiment: self.current_id() });
        };
        let identity = self.identity.as_ref().ok_or(GitError::IdentityMissing)?;
        let rows = judged_rows(self.lens(), &facts);
        let message = KeepMessage { proposed, run: &run, rows: &rows, session: self.recorder.state().session() };
        let commit = self.bench.private().commit(&NewCommit {
            tree: &kept.tree,
            parent: &tip,
            message: &keep_message(&message, self.settings),
            author: proposal.author.as_ref().unwrap_or(identity),
            committer: identity,
        })?;
        self.bench.private().publish(&commit, &tip)?;
        Ok(commit)
    }

    /// Does what was decided and writes the settling line; also how a recovery completes an experiment.
    pub(super) fn finish(&mut self, decided: &Decided) -> Result<RunSummary, EngineError> {
        let kept = decided.commit.clone().filter(|_| decided.moves_branch);
        if let Some(commit) = &kept
            && self.purpose == Purpose::Session
        {
            self.move_branch(&decided.tip, commit)?;
        }
        let run_dir = self.places.run(self.current_id());
        let run = run_summary(self.recorder.facts(), decided, self.summary_context(&run_dir));
        self.recorder.experiment(Event::Run(Box::new(run.clone())), Durability::Synced)?;
        self.rings.settle(self.recorder.facts(), kept.is_some());
        if let Some(commit) = kept {
            self.bench.swap(commit)?;
            self.adopt_inventories()?;
            self.prepare_after_keep()?;
        }
        Ok(run)
    }

    /// Moves the branch from the tip to a keep; a branch that is there already was moved before a crash.
    fn move_branch(&self, from: &ObjectId, to: &ObjectId) -> Result<(), EngineError> {
        if self.user.branch_tip(&self.settings.branch)?.as_ref() == Some(to) {
            return Ok(());
        }
        let reflog = format!("autoresearch: keep experiment {}", self.current_id());
        let moved = self.user.move_branch(&BranchMove { name: &self.settings.branch, from, to, reflog: &reflog });
        moved.map_err(|error| match error {
            GitError::BranchMoved { branch, expected, found } => EngineError::BranchMoved { branch, found, expected },
            other => other.into(),
        })
    }

    /// Returns the number of the experiment under way.
    pub(super) fn current_id(&self) -> ExperimentId {
        self.recorder.facts().id.unwrap_or(ExperimentId::BASELINE)
    }

    /// Returns how metrics are judged and shown.
    pub(super) fn lens(&self) -> Lens<'_> {
        Lens { settings: self.settings, roles: self.rings.roles() }
    }

    /// Returns the number of the present segment.
    pub(super) fn segment(&self) -> u32 {
        self.recorder.state().configured().map_or(0, |configured| configured.segment)
    }

    pub(super) fn summary_context<'c>(&'c self, run_dir: &'c std::path::Path) -> SummaryContext<'c> {
        SummaryContext {
            lens: self.lens(),
            segment: self.segment(),
            timestamp: jiff::Timestamp::now().as_millisecond(),
            run_dir,
        }
    }
}
