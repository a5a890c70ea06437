//! Screens a proposal before anything of it runs: closed ideas, patch ladder, empty, duplicate, scope.

use std::path::Path;

use crate::domain::{
    Event, Goal, KNOBS_FILE, ObjectId, PatchId, Proposal, ProposalSource, Reason, Screened, Screening,
};
use crate::gate::{ChangedPath, ScopeRules};
use crate::git::{self, Applied, ApplyError, PatchPart, PrivateRepository, UserRepository};
use crate::ideas::{Catalogue, Facts, FileChange, Question};
use crate::state::{ExperimentRecord, SessionState};

use super::EngineError;
use super::idea_book::{Ruling, rule_on};
use super::pipeline::{Dropped, Step};
use super::recorder::Durability;
use super::session::Session;
use super::sources::without_patch;
use super::workbench::join;

/// Parts left out of a patch that are told one by one.
const LEFT_OUT_SHOWN: usize = 8;

/// What a screen found out about a proposal, whether or not it let it through.
#[derive(Debug, Default)]
struct Findings {
    patch_id: Option<PatchId>,
    /// The change against the tip, where it applied.
    diff: Option<Vec<u8>>,
    touched: Vec<String>,
    lines_removed: Option<i64>,
    warnings: Vec<String>,
}

impl Session<'_, '_> {
    /// Screens a proposal, journals the outcome, and returns the tree that a keep would commit.
    pub(super) fn screen(&mut self, proposal: &Proposal) -> Step<ObjectId> {
        let Examined { result, screened, diff } = self.examined(proposal, self.recorder.facts().resumes())?;
        diff.map_or(Ok(()), |diff| self.save_diff(&diff))?;
        if self.recorder.facts().screened.is_none() {
            self.recorder.experiment(Event::Screened(Box::new(screened)), Durability::Synced)?;
        }
        Ok(result.map(|applied| applied.tree))
    }

    /// Examines a proposal; nothing is kept of it. One that goes on with earlier evidence is no duplicate of it.
    fn examined(&self, proposal: &Proposal, resumes: bool) -> Result<Examined, EngineError> {
        let catalogue = self.catalogue()?;
        let examiner = Examiner {
            user: self.user,
            private: self.bench.private(),
            state: Some(self.recorder.state()),
            base: &self.base,
            tip: self.bench.tip(),
            scope: &self.scope,
            converts: self.converts,
            facts: &self.idea_facts(&catalogue)?,
            catalogue: &catalogue,
            resumes,
            folder: self.bench.folder(),
        };
        examiner.screened(proposal)
    }

    /// Keeps the diff against the tip where a reader finds it.
    fn save_diff(&self, diff: &[u8]) -> Result<(), EngineError> {
        let id = self.recorder.facts().id.unwrap_or(crate::domain::ExperimentId::BASELINE);
        write_whole(&self.places.run(id).join("candidate.patch"), diff)
    }
}

/// What came of the examination of a proposal.
pub(super) struct Examined {
    /// What applied, or why it is refused.
    pub result: Result<Applied, Dropped>,
    /// The same as the journal gets it.
    pub screened: Screened,
    /// The change against the tip, where it applied and is not empty.
    pub diff: Option<Vec<u8>>,
}

/// What a proposal is examined against; nothing of it runs, and no slot is needed.
pub(super) struct Examiner<'a> {
    /// The user's repository.
    pub user: &'a UserRepository,
    /// The private one, in which the patch is applied.
    pub private: &'a PrivateRepository,
    /// The fold of the journal, where there is one.
    pub state: Option<&'a SessionState>,
    /// The commit that the session started from.
    pub base: &'a ObjectId,
    /// The commit that the patch is applied to.
    pub tip: &'a ObjectId,
    /// What a candidate may touch.
    pub scope: &'a ScopeRules,
    /// Whether git writes the slots, with the user's filters where a path has one.
    pub converts: bool,
    /// ideas.md.
    pub catalogue: &'a Catalogue,
    /// What it is judged by.
    pub facts: &'a Facts,
    /// Whether the proposal goes on with an earlier experiment, and so is no duplicate of it.
    pub resumes: bool,
    /// The config's folder.
    pub folder: &'a str,
}

impl Examiner<'_> {
    /// Examines a proposal.
    pub(super) fn screened(&self, proposal: &Proposal) -> Result<Examined, EngineError> {
        let mut findings = Findings::default();
        let result = self.examine(proposal, &mut findings)?;
        let outcome = match &result {
            Ok(applied) => Screening::Accepted { tree: applied.tree.clone(), rung: applied.rung.name().to_owned() },
            Err(dropped) => Screening::Refused { reason: dropped.reason, detail: dropped.detail.clone() },
        };
        let Findings { patch_id, diff, touched, lines_removed, warnings } = findings;
        Ok(Examined { result, screened: Screened { outcome, patch_id, touched, lines_removed, warnings }, diff })
    }

    fn examine(&self, proposal: &Proposal, findings: &mut Findings) -> Step<Applied> {
        if let Some(closed) = self.closed(proposal, None, findings) {
            return Ok(Err(closed));
        }
        if proposal.patch.0.trim_ascii().is_empty() {
            return Ok(Err(without_patch(self.user, &proposal.source)?));
        }
        let mut left_out = Vec::new();
        let mut wanted = |part: &PatchPart| {
            let refusal = proposal.drop_sealed.then(|| self.scope.judge(&[part_of(part)])).flatten();
            left_out.extend(refusal.iter().map(|refusal| refusal.detail.clone()));
            refusal.is_none()
        };
        let bases = self.known_bases(proposal);
        let applied = match self.private.apply_parts(&proposal.patch.0, self.tip, &bases, &mut wanted) {
            Ok(applied) => applied,
            Err(ApplyError::Rejected(rejection)) => {
                return Ok(Err(Dropped::by(Reason::ApplyFailed, of_its_source(proposal, &rejection.to_string()))));
            }
            Err(ApplyError::Git(error)) => return Err(error.into()),
        };
        findings.warnings.extend(told(&left_out).map(|all| format!("left out (dropSealed): {all}")));
        let Some(patch_id) = self.private.patch_id(&applied.diff)? else {
            return Ok(Err(Dropped::by(Reason::Empty, self.why_empty(proposal, &left_out)?)));
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
        let judged = self.without_own_file(proposal, changed);
        if let Some(refusal) = self.scope.judge(&judged) {
            return Ok(Err(Dropped::by(refusal.reason, refusal.detail)));
        }
        // In slots that git writes with the user's filters, a new path may have one as well.
        let filtered = if self.converts { self.user.filtered(&findings.touched)? } else { Vec::new() };
        if let Some(path) = filtered.first() {
            let detail = format!("{path} has a clean/smudge filter, and only the user's own git may run it");
            return Ok(Err(Dropped::by(Reason::SealedPath, detail)));
        }
        let duplicate = self.state.and_then(|state| state.duplicate(&patch_id, self.tip));
        if let Some(earlier) = duplicate.filter(|_| !self.resumes) {
            let detail = format!("the same patch on the same base was experiment {}", earlier.id);
            return Ok(Err(Dropped::by(Reason::Duplicate, detail)));
        }
        Ok(self.closed(proposal, Some(&patch_id), findings).map_or(Ok(applied), Err))
    }

    /// Says why nothing of a patch is left on the tip.
    fn why_empty(&self, proposal: &Proposal, left_out: &[String]) -> Result<String, EngineError> {
        if let Some(all) = told(left_out) {
            return Ok(format!("nothing is left of it without what dropSealed leaves out: {all}"));
        }
        let nothing = "the patch changes nothing on the present tip".to_owned();
        let ProposalSource::Commit(id) = &proposal.source else { return Ok(nothing) };
        let commit = ObjectId::new(id.clone()).map_err(git::GitError::from)?;
        if !self.user.reaches(self.base, &commit)? {
            return Ok(nothing);
        }
        Ok(format!("{nothing}: the session's base has commit {} already; 'base' says where it starts", commit.short()))
    }

    /// Leaves the file of knob values out of a change that a sweep made, which alone may change it.
    fn without_own_file(&self, proposal: &Proposal, mut changed: Vec<ChangedPath>) -> Vec<ChangedPath> {
        match proposal.source {
            // A keep from before the base moved was a sweep's, where it has that file.
            ProposalSource::Sweep(_) | ProposalSource::Again(_) => {
                let own = ChangedPath::new(join(self.folder, KNOBS_FILE));
                changed.retain(|path| *path != own);
            }
            ProposalSource::Queue(_)
            | ProposalSource::Try(_)
            | ProposalSource::Commit(_)
            | ProposalSource::Agent(_) => {}
        }
        changed
    }

    /// Returns the bases that a patch may have been made on: its own word first, then base and kept tips.
    fn known_bases(&self, proposal: &Proposal) -> Vec<ObjectId> {
        let own = proposal.base_commit.as_ref().and_then(|id| ObjectId::new(id.clone()).ok());
        let kept = self.state.into_iter().flat_map(SessionState::keeps).map(ExperimentRecord::commit);
        own.into_iter().chain([self.base.clone()]).chain(kept).collect()
    }

    fn changed(&self, tree: &ObjectId) -> Result<Vec<ChangedPath>, EngineError> {
        let touched = self.private.touched(self.tip, tree)?;
        touched.into_iter().map(|t| super::harness::changed_path(self.private, tree, t)).collect()
    }

    /// Asks ideas.md; once the patch applied also about its id and what it does to lines.
    fn closed(&self, proposal: &Proposal, patch_id: Option<&PatchId>, findings: &mut Findings) -> Option<Dropped> {
        let text = format!("{}\n{}", proposal.description, proposal.hypothesis);
        let changes = findings.diff.as_deref().map(changes).unwrap_or_default();
        let (idea, axes) = (proposal.idea.as_deref(), proposal.axes.as_slice());
        let question = Question { idea, axes, patch_id, text: &text, changes: &changes };
        match rule_on(self.catalogue, &question, self.facts) {
            Ruling::Open => {}
            Ruling::Refused(reason, why) => return Some(Dropped::by(reason, why)),
            Ruling::Warned(warning) if findings.warnings.contains(&warning) => {}
            Ruling::Warned(warning) => findings.warnings.push(warning),
        }
        None
    }
}

/// Returns what the gate judges of a part of a patch.
fn part_of(part: &PatchPart) -> ChangedPath {
    let PatchPart { path, old_path, link } = part.clone();
    ChangedPath { path, old_path, becomes_symlink_to: link }
}

/// Puts the commit in front of what is wrong with its patch.
fn of_its_source(proposal: &Proposal, wrong: &str) -> String {
    match &proposal.source {
        ProposalSource::Commit(id) => format!("commit {}: {wrong}", &id[..id.len().min(10)]),
        ProposalSource::Queue(_)
        | ProposalSource::Try(_)
        | ProposalSource::Sweep(_)
        | ProposalSource::Agent(_)
        | ProposalSource::Again(_) => wrong.to_owned(),
    }
}

/// Lists what was left out, the first of it where that is much; `None` where nothing was.
fn told(left_out: &[String]) -> Option<String> {
    let shown = &left_out[..left_out.len().min(LEFT_OUT_SHOWN)];
    let more = left_out.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    (!shown.is_empty()).then(|| shown.join("; ") + &more)
}

/// Returns what a diff does to the lines of each file, as ideas.md asks for it.
fn changes(diff: &[u8]) -> Vec<FileChange> {
    let change = |lines: git::ChangedLines| {
        let git::ChangedLines { old, new, removed, added } = lines;
        FileChange { old, new, removed, added }
    };
    git::changed_lines(diff).into_iter().map(change).collect()
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
