//! Undoes a keep that is another program when it is built from an empty cache.

use crate::domain::{Event, ExperimentId, ObjectId, Undone};
use crate::git::{BranchMove, GitError, NewCommit, Without};
use crate::state::ExperimentRecord;
use crate::stats;

use super::EngineError;
use super::experiment::ExperimentFacts;
use super::recorder::Durability;
use super::session::Session;
use super::validate::Opposed;
use super::verify_clean;

/// A keep that was found to be another program.
#[derive(Debug, Clone)]
pub(super) struct Stale {
    /// The keep.
    pub experiment: ExperimentId,
    /// What differs.
    pub why: String,
}

/// A keep that was reverted.
#[derive(Debug, Clone)]
pub struct Undoing {
    /// The keep.
    pub experiment: ExperimentId,
    /// The revert commit.
    pub commit: ObjectId,
    /// What differs.
    pub why: String,
}

impl Session<'_, '_> {
    /// Rebuilds keeps from empty caches, each against the commit before it, and returns the first that differs.
    pub(super) fn find_stale(&mut self, keeps: &[ExperimentId]) -> Result<Option<Stale>, EngineError> {
        for id in keeps {
            let Some(record) = self.recorder.state().experiment(*id).cloned() else { continue };
            if let Some(why) = self.difference_when_clean(&record)? {
                return Ok(Some(Stale { experiment: *id, why }));
            }
        }
        Ok(None)
    }

    /// Says how a keep differs when it is built from an empty cache, by the rule of a rebuild before a keep.
    fn difference_when_clean(&mut self, record: &ExperimentRecord) -> Result<Option<String>, EngineError> {
        let opposed = Opposed { base: record.tip(), tip: record.commit(), ..self.opposed(None, record.tip()) };
        self.announce(&format!("the rebuild of keep #{} from an empty cache", record.id))?;
        self.bench.oppose(&opposed.base, &opposed.tip)?;
        let measured = self.build_and_measure(&opposed, verify_clean::PAIRS);
        self.bench.reunite()?;
        let pairs = match measured {
            Ok(Ok(pairs)) => pairs,
            Ok(Err(dropped)) => return Ok(Some(dropped.detail)),
            // What it was measured against fails from an empty cache: that says nothing of the keep itself.
            Err(EngineError::BaselineBroken { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let d: Vec<f64> = pairs.iter().filter_map(|pair| self.difference(pair, 0)).collect();
        let (left, claimed) = (stats::hodges_lehmann(&d), record.effect.map_or(0.0, |effect| effect.gain));
        let noise = self.rings.primary_scale().map_or(0.0, |scale| scale.s);
        let error = 2.0 * noise / f64::from(verify_clean::PAIRS).sqrt();
        Ok((left + error < claimed / 2.0).then(|| format!("{left:.4} of the effect of {claimed:.4} is left")))
    }

    /// Reverts a keep on the tip: event first, then the branch moves by compare-and-swap. A conflict moves nothing.
    pub(super) fn undo(&mut self, stale: &Stale) -> Result<Undoing, EngineError> {
        let Stale { experiment, why } = stale.clone();
        let tip = self.bench.tip().clone();
        let record = self.recorder.state().experiment(experiment).cloned();
        let record = record.ok_or(EngineError::Unrecorded { experiment })?;
        let tree = match self.bench.private().without(&record.commit(), &record.tip(), &tip)? {
            Without::Tree(tree) => tree,
            Without::Conflict { path } => {
                let obstacle = format!("a later keep changed {path} at the same place");
                return Err(EngineError::UndoConflict { experiment, why, obstacle });
            }
        };
        let message = self.revert_message(&record, &why);
        let commit = self.private_commit_of(&tree, &message)?;
        self.bench.private().publish(&commit, &tip)?;
        self.recorder.begin(ExperimentFacts::new(experiment));
        let undone = Undone { commit: commit.clone(), why: why.clone(), tip: Some(tip.clone()) };
        self.recorder.experiment(Event::Undone(undone), Durability::Synced)?;
        self.recorder.begin(ExperimentFacts::default());
        self.move_to_revert(experiment, &tip, &commit)?;
        self.rings.restart();
        self.inventory.lapse();
        self.bench.restart(commit.clone())?;
        self.correct_idea(&record)?;
        Ok(Undoing { experiment, commit, why })
    }

    fn revert_message(&self, record: &ExperimentRecord, why: &str) -> String {
        format!(
            "Revert \"{}\"\n\nBuilt from an empty cache it is another program: {why}\n\nThis reverts commit {}.\n\n\
             Undone: {}\nSession: {}\n",
            record.description,
            record.commit(),
            record.id,
            self.recorder.state().session()
        )
    }

    /// Writes a commit of a tree on the tip, by whoever commits keeps; no branch moves.
    pub(super) fn private_commit_of(&self, tree: &ObjectId, message: &str) -> Result<ObjectId, EngineError> {
        let identity = self.identity.as_ref().ok_or(GitError::IdentityMissing)?;
        let parent = self.bench.tip();
        let commit = NewCommit { tree, parent, message, author: identity, committer: identity };
        Ok(self.bench.private().commit(&commit)?)
    }

    fn move_to_revert(&self, experiment: ExperimentId, from: &ObjectId, to: &ObjectId) -> Result<(), EngineError> {
        let reflog = format!("autoresearch: undo experiment {experiment}");
        let change = BranchMove { name: &self.settings.branch, from, to, reflog: &reflog };
        self.user.move_branch(&change).map_err(|error| match error {
            GitError::BranchMoved { branch, expected, found } => EngineError::BranchMoved { branch, found, expected },
            other => other.into(),
        })
    }
}
