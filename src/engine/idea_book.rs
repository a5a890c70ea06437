//! ideas.md as the loop uses it: refuses what is closed, and marks what was tried.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::{Event, IdeaEdited, PatchId, Proposal, Reason, RunSummary, Status};
use crate::ideas::{Catalogue, Edit, Facts, Found, Keep, Match, Question, Tried, Written, edit_file, match_proposal};

use super::EngineError;
use super::recorder::Durability;
use super::session::Session;
use super::workbench::join;

/// File name of the catalogue, beside the config.
const FILE: &str = "ideas.md";

/// What ideas.md says about a proposal, as the screen needs it.
#[derive(Debug, Clone)]
pub(super) enum Ruling {
    /// Nothing stands against it.
    Open,
    /// It is refused.
    Refused(Reason, String),
    /// It resembles something closed.
    Warned(String),
}

impl Session<'_, '_> {
    fn ideas_path(&self) -> PathBuf {
        self.user.root().join(join(&self.settings.folder, FILE))
    }

    /// Reads ideas.md from the checkout; a missing file is an empty catalogue.
    pub(super) fn catalogue(&self) -> Result<Catalogue, EngineError> {
        let path = self.ideas_path();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Catalogue::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Catalogue::parse("")),
            Err(source) => Err(EngineError::io("read", &path, source)),
        }
    }

    /// Asks the catalogue about a proposal.
    pub(super) fn rule_on(
        &self,
        catalogue: &Catalogue,
        proposal: &Proposal,
        patch_id: Option<&PatchId>,
    ) -> Result<Ruling, EngineError> {
        let text = format!("{}\n{}", proposal.description, proposal.hypothesis);
        let question = Question { idea: proposal.idea.as_deref(), axes: &proposal.axes, patch_id, text: &text };
        Ok(match match_proposal(catalogue, &question, &self.idea_facts()?) {
            Match::Open => Ruling::Open,
            Match::Closed { entry, why } => {
                Ruling::Refused(Reason::ClosedIdea, said(&entry, &why.to_string(), "closed"))
            }
            Match::Settled { entry, why } => {
                Ruling::Refused(Reason::SettledDecision, said(&entry, &why.to_string(), "settled"))
            }
            Match::SimilarText { entry } => Ruling::Warned(format!(
                "its words are like those of the closed idea '{}' ({FILE}:{})",
                entry.name, entry.line
            )),
        })
    }

    fn idea_facts(&self) -> Result<Facts, EngineError> {
        let state = self.recorder.state();
        let mut tried: BTreeMap<PatchId, Vec<_>> = BTreeMap::new();
        for record in state.experiments() {
            if let Some(patch_id) = record.patch_id() {
                tried.entry(patch_id).or_default().push(record.id);
            }
        }
        let mut keeps = Vec::new();
        for record in state.keeps() {
            let touched = self.bench.private().touched(&record.tip(), &record.commit())?;
            keeps.push(Keep { experiment: record.id, touched: touched.into_iter().map(|t| t.path).collect() });
        }
        Ok(Facts { tried, keeps, today: jiff::Zoned::now().date() })
    }

    /// Marks the idea of a measured proposal as tried; without a file the edit waits in the journal.
    pub(super) fn note_idea(&mut self, proposal: &Proposal, run: &RunSummary) -> Result<(), EngineError> {
        let Some(idea) = proposal.idea.clone().filter(|_| run.measured) else { return Ok(()) };
        let edit = Edit::Tried(Tried {
            idea: Some(idea.clone()),
            text: run.description.clone(),
            outcome: self.outcome(run),
            experiment: self.current_id(),
        });
        let (written, what) = match edit_file(&self.ideas_path(), &edit) {
            Ok(Written::Unchanged) => return Ok(()),
            Ok(Written::Edited) => (true, self.outcome(run)),
            Ok(Written::Missing) => (false, self.outcome(run)),
            // A file that somebody is writing to, or may not be written: the night goes on, the edit is in the journal.
            Err(error) => (false, format!("{} ({error})", self.outcome(run))),
        };
        let event = IdeaEdited { idea, edit: what, written };
        Ok(self.recorder.session(Event::IdeaEdited(event), Durability::Written)?)
    }

    fn outcome(&self, run: &RunSummary) -> String {
        let word = match run.status {
            Status::Keep => "kept",
            Status::Discard | Status::ChecksFailed | Status::Crash => "dropped",
        };
        let direction = self.settings.objective(run.effect_of).direction;
        match &run.effect {
            Some(effect) if run.reason == Reason::Improved => {
                format!("{word} {}", effect.change(direction).short())
            }
            Some(effect) => {
                format!("{word} ({}), {}", run.reason, effect.change(direction).short())
            }
            None => format!("{word} ({})", run.reason),
        }
    }
}

fn said(entry: &Found, why: &str, state: &str) -> String {
    let reopen = entry.reopen.as_ref().map_or_else(String::new, |when| format!("; to be reopened when {when}"));
    format!("{why} is {state} in {FILE}:{} ('{}'){reopen}", entry.line, entry.name)
}
