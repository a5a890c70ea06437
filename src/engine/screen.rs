//! Screens a proposal before anything of it runs: closed ideas, patch ladder, empty, duplicate, scope.

use std::path::Path;

use crate::domain::{Event, Goal, ObjectId, PatchId, Proposal, Reason, Screened, Screening};
use crate::gate::ChangedPath;
use crate::git::{self, Applied, ApplyError};
use crate::ideas::Catalogue;

use super::EngineError;
use super::idea_book::Ruling;
use super::pipeline::{Dropped, Step, step};
use super::recorder::Durability;
use super::session::Session;

/// What a screen found out about a proposal, whether or not it let it through.
#[derive(Debug, Default)]
struct Findings {
    patch_id: Option<PatchId>,
    touched: Vec<String>,
    lines_removed: Option<i64>,
    warnings: Vec<String>,
    /// The change against the tip, where it applied and is none of nothing.
    diff: Option<Vec<u8>>,
}

impl Session<'_, '_> {
    /// Screens a proposal, journals the outcome, and returns the tree that a keep would commit.
    pub(super) fn screen(&mut self, proposal: &Proposal) -> Step<ObjectId> {
        let mut findings = Findings::default();
        let again = self.recorder.facts().resumes();
        let result = self.examine(proposal, again, &mut findings)?;
        findings.diff.iter().try_for_each(|diff| self.save_diff(diff))?;
        let outcome = match &result {
            Ok(applied) => Screening::Accepted { tree: applied.tree.clone(), rung: applied.rung.name().to_owned() },
            Err(dropped) => Screening::Refused { reason: dropped.reason, detail: dropped.detail.clone() },
        };
        let Findings { patch_id, touched, lines_removed, warnings, diff: _ } = findings;
        let screened = Screened { outcome, patch_id, touched, lines_removed, warnings };
        if self.recorder.facts().screened.is_none() {
            self.recorder.experiment(Event::Screened(Box::new(screened)), Durability::Synced)?;
        }
        Ok(result.map(|applied| applied.tree))
    }

    /// Says what the screen would refuse a proposal for that has no number yet; nothing is kept of it.
    pub(super) fn would_refuse(&self, proposal: &Proposal) -> Result<Option<Dropped>, EngineError> {
        Ok(self.examine(proposal, false, &mut Findings::default())?.err())
    }

    /// Looks a proposal over. One that goes on with earlier evidence (`again`) is no duplicate of it.
    fn examine(&self, proposal: &Proposal, again: bool, findings: &mut Findings) -> Step<Applied> {
        let catalogue = self.catalogue()?;
        step!(self.closed(&catalogue, proposal, None, findings));
        let applied = match self.bench.apply(&proposal.patch.0, &self.known_bases(proposal)) {
            Ok(applied) => applied,
            Err(ApplyError::Rejected(rejection)) => {
                return Ok(Err(Dropped::by(Reason::ApplyFailed, rejection.to_string())));
            }
            Err(ApplyError::Git(error)) => return Err(error.into()),
        };
        let Some(patch_id) = self.bench.private().patch_id(&applied.diff)? else {
            return Ok(Err(Dropped::by(Reason::Empty, "the patch changes nothing on the present tip".to_owned())));
        };
        findings.patch_id = Some(patch_id.clone());
        findings.diff = Some(applied.diff.clone());
        let removed = git::lines_removed(&applied.diff);
        findings.lines_removed = Some(removed);
        if proposal.goal == Goal::Simplify && removed <= 0 {
            let warning =
                "its goal is to simplify, but it removes no more lines than it adds; it is judged as any other";
            findings.warnings.push(warning.to_owned());
        }
        let changed = self.changed(&applied.tree)?;
        findings.touched = changed.iter().map(|path| path.path.clone()).collect();
        if let Some(refusal) = self.scope.judge(&changed) {
            return Ok(Err(Dropped::by(refusal.reason, refusal.detail)));
        }
        // In slots that git writes with the user's filters, a new path may have one as well.
        let filtered = if self.converts { self.user.filtered(&findings.touched)? } else { Vec::new() };
        if let Some(path) = filtered.first() {
            let detail = format!("{path} has a clean/smudge filter, and only the user's own git may run it");
            return Ok(Err(Dropped::by(Reason::SealedPath, detail)));
        }
        let duplicate = self.recorder.state().duplicate(&patch_id, self.bench.tip());
        if let Some(earlier) = duplicate.filter(|_| !again) {
            let detail = format!("the same patch on the same base was experiment {}", earlier.id);
            return Ok(Err(Dropped::by(Reason::Duplicate, detail)));
        }
        step!(self.closed(&catalogue, proposal, Some(&patch_id), findings));
        Ok(Ok(applied))
    }

    /// Returns the bases that a patch may have been made on: its own word first, then base and kept tips.
    fn known_bases(&self, proposal: &Proposal) -> Vec<ObjectId> {
        let own = proposal.base_commit.as_ref().and_then(|id| ObjectId::new(id.clone()).ok());
        let kept = self.recorder.state().keeps().map(crate::state::ExperimentRecord::commit);
        own.into_iter().chain([self.base.clone()]).chain(kept).collect()
    }

    fn changed(&self, tree: &ObjectId) -> Result<Vec<ChangedPath>, EngineError> {
        let touched = self.bench.private().touched(self.bench.tip(), tree)?;
        touched.into_iter().map(|t| super::harness::changed_path(self.bench.private(), tree, t)).collect()
    }

    fn closed(
        &self,
        catalogue: &Catalogue,
        proposal: &Proposal,
        patch_id: Option<&PatchId>,
        findings: &mut Findings,
    ) -> Step<()> {
        match self.rule_on(catalogue, proposal, patch_id)? {
            Ruling::Open => {}
            Ruling::Refused(reason, why) => return Ok(Err(Dropped::by(reason, why))),
            Ruling::Warned(warning) if findings.warnings.contains(&warning) => {}
            Ruling::Warned(warning) => findings.warnings.push(warning),
        }
        Ok(Ok(()))
    }

    /// Keeps the diff against the tip where a reader finds it.
    fn save_diff(&self, diff: &[u8]) -> Result<(), EngineError> {
        let id = self.recorder.facts().id.unwrap_or(crate::domain::ExperimentId::BASELINE);
        write_whole(&self.places.run(id).join("candidate.patch"), diff)
    }
}

/// Writes a file whole or not at all, making its folder where needed.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        // A name of its own would stay behind where the process is killed.
        let fresh = path.with_extension("new");
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        std::fs::rename(&fresh, path)
    };
    write().map_err(|source| EngineError::io("write", path, source))
}
