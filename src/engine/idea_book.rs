//! ideas.md as the loop uses it: refuses what is closed, and marks what was tried.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::{
    Axis, Change, Event, ExperimentId, IdeaEdited, Note, PatchId, Proposal, Proposed, Reason, RunSummary, Settings,
    Status,
};
use crate::ideas::{
    Catalogue, Closing, Correction, Edit, Facts, Found, Keep, Match, Question, Tried, Written, edit_file,
    match_proposal,
};
use crate::state::ExperimentRecord;

use super::EngineError;
use super::recorder::Durability;
use super::session::Session;
use super::workbench::join;

/// File name of the catalogue, beside the config.
const FILE: &str = "ideas.md";

/// What came of a keep that was undone: only a late rebuild from an empty cache undoes one.
const UNDONE: &str = "undone: stale build";

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

/// An edit of ideas.md that a settled experiment still owes: by a crash, or because the file was not there.
#[derive(Debug, Clone)]
pub(super) struct OwedEdit {
    /// The settled experiment.
    pub experiment: ExperimentId,
    /// The idea that it tried.
    idea: String,
    /// What it was.
    text: String,
    /// What came of it.
    outcome: String,
    /// What kind of edit it is.
    kind: Kind,
    /// Whether the journal says already that the edit waits.
    told: bool,
}

/// What an edit does.
#[derive(Debug, Clone)]
enum Kind {
    /// Says what came of an idea.
    Tried,
    /// Says it in the place of what was written before.
    Correct(String),
    /// Closes values of a setting.
    Close(Box<Closing>),
}

impl OwedEdit {
    /// Returns the edit that an experiment owes with its settling line; `None` where it tried no idea or measured nothing.
    pub(super) fn of(proposed: Option<&Proposed>, run: &RunSummary, settings: &Settings) -> Option<Self> {
        let idea = proposed?.idea.clone().filter(|_| run.measured || run.effect.is_some())?;
        let change = run.effect.map(|effect| effect.change(settings.objective(run.effect_of).direction));
        let (text, outcome) = (run.description.clone(), outcome(run.status, run.reason, change));
        Some(Self { experiment: ExperimentId(run.run), idea, text, outcome, kind: Kind::Tried, told: false })
    }

    /// Returns the correction that a keep owes once it is undone; `None` where it tried no idea.
    pub(super) fn of_undone(record: &ExperimentRecord, settings: &Settings) -> Option<Self> {
        let idea = record.idea.as_deref()?.to_owned();
        let change = record.effect.map(|effect| {
            let objective = settings.objective(effect.of);
            Change::of_effect((effect.gain, effect.low, effect.high), objective.scale, objective.direction)
        });
        Some(Self {
            experiment: record.id,
            idea,
            text: record.description.to_string(),
            outcome: UNDONE.to_owned(),
            kind: Kind::Correct(outcome(record.status, record.reason, change)),
            told: false,
        })
    }

    /// Returns the edit that closes values of a setting, about the last of its experiments; `None` where it has none.
    fn of_closing(closing: Closing) -> Option<Self> {
        let values: Vec<&str> = closing.axes.iter().map(|axis| axis.value.as_str()).collect();
        Some(Self {
            experiment: *closing.experiments.iter().max()?,
            idea: closing.id.clone(),
            text: closing.text.clone(),
            outcome: format!("closed {}", values.join(", ")),
            kind: Kind::Close(Box::new(closing)),
            told: false,
        })
    }

    /// Returns the values that it closes.
    fn axes(&self) -> Vec<Axis> {
        match &self.kind {
            Kind::Close(closing) => closing.axes.clone(),
            Kind::Tried | Kind::Correct(_) => Vec::new(),
        }
    }

    /// Says whether this is the edit that a journal line tells of.
    pub(super) fn is(&self, experiment: ExperimentId, edit: &IdeaEdited) -> bool {
        self.experiment == experiment && self.outcome == edit.edit
    }

    fn edit(&self) -> Edit {
        let now = Tried {
            idea: Some(self.idea.clone()),
            text: self.text.clone(),
            outcome: self.outcome.clone(),
            experiment: self.experiment,
        };
        match &self.kind {
            Kind::Tried => Edit::Tried(now),
            Kind::Correct(before) => Edit::Correct(Correction { before: before.clone(), now }),
            Kind::Close(closing) => Edit::Close(closing.as_ref().clone()),
        }
    }
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

    /// Marks the idea of a measured experiment as tried, with all that is owed from before; without a file they wait.
    pub(super) fn note_idea(&mut self, run: &RunSummary) -> Result<(), EngineError> {
        let proposed = self.recorder.facts().proposed.as_ref();
        self.owed.extend(OwedEdit::of(proposed, run, self.settings));
        self.write_owed()
    }

    /// Corrects what ideas.md says of a keep that was undone.
    pub(super) fn correct_idea(&mut self, record: &ExperimentRecord) -> Result<(), EngineError> {
        self.owed.extend(OwedEdit::of_undone(record, self.settings));
        self.write_owed()
    }

    /// Closes values of a setting, once: what the journal tells of already is not written again, also where a person took
    /// it out since.
    pub(super) fn close_axis(&mut self, closing: Closing) -> Result<(), EngineError> {
        let Some(owed) = OwedEdit::of_closing(closing) else { return Ok(()) };
        let known = self.recorder.state().closing(&owed.idea, &owed.outcome);
        let waits = self.owed.iter().any(|other| (&other.idea, &other.outcome) == (&owed.idea, &owed.outcome));
        if known == Some(true) || waits {
            return Ok(());
        }
        self.owed.push(OwedEdit { told: known.is_some(), ..owed });
        self.write_owed()
    }

    /// Writes the edits of ideas.md that are owed. What was written before a crash is found written.
    pub(super) fn write_owed(&mut self) -> Result<(), EngineError> {
        for mut owed in std::mem::take(&mut self.owed) {
            let written = match edit_file(&self.ideas_path(), &owed.edit(), self.places.state()) {
                Ok(Written::Unchanged | Written::Edited) => true,
                Ok(Written::Missing) => false,
                // A file that somebody is writing to, or may not be written: the night goes on, the edit waits.
                Err(error) => {
                    self.tell_unwritten(&owed, &error.to_string())?;
                    false
                }
            };
            if written || !owed.told {
                let event =
                    IdeaEdited { idea: owed.idea.clone(), edit: owed.outcome.clone(), axes: owed.axes(), written };
                self.recorder.about(owed.experiment, &Event::IdeaEdited(event), Durability::Written)?;
            }
            owed.told = true;
            self.owed.extend((!written).then_some(owed));
        }
        Ok(())
    }

    fn tell_unwritten(&mut self, owed: &OwedEdit, why: &str) -> Result<(), EngineError> {
        if owed.told {
            return Ok(());
        }
        let text = format!("the edit of {FILE} for experiment {} waits: {why}", owed.experiment);
        Ok(self.recorder.session(Event::Note(Note { text }), Durability::Written)?)
    }
}

fn outcome(status: Status, reason: Reason, change: Option<Change>) -> String {
    let word = match status {
        Status::Keep => "kept",
        Status::Discard | Status::ChecksFailed | Status::Crash => "dropped",
    };
    match change {
        Some(change) if reason == Reason::Improved => format!("{word} {}", change.short()),
        Some(change) => format!("{word} ({reason}), {}", change.short()),
        None => format!("{word} ({reason})"),
    }
}

fn said(entry: &Found, why: &str, state: &str) -> String {
    let reopen = entry.reopen.as_ref().map_or_else(String::new, |when| format!("; to be reopened when {when}"));
    format!("{why} is {state} in {FILE}:{} ('{}'){reopen}", entry.line, entry.name)
}
