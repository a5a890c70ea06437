//! ideas.md as the loop uses it: refuses what is closed, and marks what was tried.

use crate::domain::{
    Axis, Change, Event, ExperimentId, IdeaEdited, Note, Proposed, Reason, RunSummary, Settings, Status,
};
use crate::ideas::{
    Catalogue, Closing, Correction, Edit, Facts, Found, Match, Question, Tried, Written, edit_file, match_proposal,
};
use crate::state::{ExperimentRecord, SessionState};

use super::EngineError;
use super::idea_closing::{Target, closing_of, due, mechanism};
use super::idea_facts::{FILE, Past, idea_facts, ideas_file, read_ideas};
use super::recorder::Durability;
use super::session::Session;

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
    /// The idea, or the value of a setting, that it tried.
    idea: String,
    /// What the journal says of the edit.
    says: String,
    /// What is to be written.
    what: Owed,
    /// Whether the journal says already that the edit waits.
    told: bool,
}

/// What is to be written of an experiment.
#[derive(Debug, Clone)]
enum Owed {
    /// What came of its idea.
    Outcome {
        /// What it was.
        text: String,
        /// What was written of it before, where that is no longer so.
        before: Option<String>,
    },
    /// That what it tried is closed.
    Closing(Box<Closing>),
}

impl OwedEdit {
    /// Returns the edits that an experiment owes with its settling line, which the fold has: what came of its idea, where it
    /// was measured, and what is closed with it.
    pub(super) fn of(
        proposed: Option<&Proposed>,
        run: &RunSummary,
        settings: &Settings,
        state: &SessionState,
    ) -> Vec<Self> {
        let Some(proposed) = proposed else { return Vec::new() };
        let idea = proposed.idea.clone().filter(|_| run.measured || run.effect.is_some());
        let change = run.effect.map(|effect| effect.change(settings.objective(run.effect_of).direction));
        let experiment = ExperimentId(run.run);
        let outcome = idea.map(|idea| {
            let what = Owed::Outcome { text: run.description.clone(), before: None };
            Self { experiment, idea, says: outcome(run.status, run.reason, change), what, told: false }
        });
        outcome.into_iter().chain(Self::closings(proposed, run, settings, state)).collect()
    }

    /// Returns the closings that are due with an experiment (`ideas.closeAfter`).
    fn closings(proposed: &Proposed, run: &RunSummary, settings: &Settings, state: &SessionState) -> Vec<Self> {
        let targets = proposed.idea.iter().map(|idea| Target::Idea(idea.clone()));
        let targets = targets.chain(proposed.axes.iter().map(|axis| Target::Axis(axis.clone())));
        let close = |target: Target| {
            let experiments = due(state, &target)?;
            let mechanism = mechanism(&run.asi, experiments.len());
            let says = match experiments.len() {
                1 => "closed after 1 experiment".to_owned(),
                n => format!("closed after {n} experiments"),
            };
            let closing = Closing { mechanism, ..closing_of(&target, &experiments, settings) };
            let what = Owed::Closing(Box::new(closing));
            Some(Self { experiment: ExperimentId(run.run), idea: target.id(), says, what, told: false })
        };
        targets.filter_map(close).collect()
    }

    /// Returns the correction that a keep owes once it is undone; `None` where it tried no idea.
    pub(super) fn of_undone(record: &ExperimentRecord, settings: &Settings) -> Option<Self> {
        let idea = record.idea.as_deref()?.to_owned();
        let change = record.effect.map(|effect| {
            let objective = settings.objective(effect.of);
            Change::of_effect((effect.gain, effect.low, effect.high), objective.scale, objective.direction)
        });
        let before = Some(outcome(record.status, record.reason, change));
        let what = Owed::Outcome { text: record.description.to_string(), before };
        Some(Self { experiment: record.id, idea, says: UNDONE.to_owned(), what, told: false })
    }

    /// Returns the edit that closes values of a setting, about the last of its experiments; `None` where it has none.
    fn of_closing(closing: Closing) -> Option<Self> {
        let values: Vec<&str> = closing.axes.iter().map(|axis| axis.value.as_str()).collect();
        Some(Self {
            experiment: *closing.experiments.iter().max()?,
            idea: closing.id.clone(),
            says: format!("closed {}", values.join(", ")),
            what: Owed::Closing(Box::new(closing)),
            told: false,
        })
    }

    /// Returns the values that it closes.
    fn axes(&self) -> Vec<Axis> {
        match &self.what {
            Owed::Closing(closing) => closing.axes.clone(),
            Owed::Outcome { .. } => Vec::new(),
        }
    }

    /// Says whether this is the edit that a journal line tells of.
    pub(super) fn is(&self, experiment: ExperimentId, edit: &IdeaEdited) -> bool {
        self.experiment == experiment && self.says == edit.edit && self.idea == edit.idea
    }

    fn edit(&self) -> Edit {
        match &self.what {
            Owed::Closing(closing) => Edit::Close(closing.as_ref().clone()),
            Owed::Outcome { text, before } => {
                let (idea, outcome) = (Some(self.idea.clone()), self.says.clone());
                let now = Tried { idea, text: text.clone(), outcome, experiment: self.experiment };
                match before.clone() {
                    None => Edit::Tried(now),
                    Some(before) => Edit::Correct(Correction { before, now }),
                }
            }
        }
    }
}

/// Asks the catalogue about a proposal.
pub(super) fn rule_on(catalogue: &Catalogue, question: &Question<'_>, facts: &Facts) -> Ruling {
    match match_proposal(catalogue, question, facts) {
        Match::Open => Ruling::Open,
        Match::Closed { entry, why } => Ruling::Refused(Reason::ClosedIdea, said(&entry, &why.to_string(), "closed")),
        Match::Settled { entry, why } => {
            Ruling::Refused(Reason::SettledDecision, said(&entry, &why.to_string(), "settled"))
        }
        Match::SimilarText { entry } => Ruling::Warned(format!(
            "its words are like those of the closed idea '{}' ({FILE}:{})",
            entry.name, entry.line
        )),
    }
}

impl Session<'_, '_> {
    /// Reads ideas.md from the checkout; a missing file is an empty catalogue.
    pub(super) fn catalogue(&self) -> Result<Catalogue, EngineError> {
        Ok(Catalogue::parse(&read_ideas(self.user.root(), self.settings)?))
    }

    /// Collects what the catalogue is judged by.
    pub(super) fn idea_facts(&self, catalogue: &Catalogue) -> Result<Facts, EngineError> {
        let journal = self.places.journal();
        let state = Some(self.recorder.state());
        idea_facts(catalogue, Past { state, journal: &journal, user: self.user, tip: self.bench.tip() })
    }

    /// Marks the idea of a measured experiment as tried and closes what is due, with all that is owed from before; without
    /// a file they wait.
    pub(super) fn note_idea(&mut self, run: &RunSummary) -> Result<(), EngineError> {
        let proposed = self.recorder.facts().proposed.as_ref();
        self.owed.extend(OwedEdit::of(proposed, run, self.settings, self.recorder.state()));
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
        let known = self.recorder.state().closing(&owed.idea, &owed.says);
        let waits = self.owed.iter().any(|other| (&other.idea, &other.says) == (&owed.idea, &owed.says));
        if known == Some(true) || waits {
            return Ok(());
        }
        self.owed.push(OwedEdit { told: known.is_some(), ..owed });
        self.write_owed()
    }

    /// Writes the edits of ideas.md that are owed. What was written before a crash is found written.
    pub(super) fn write_owed(&mut self) -> Result<(), EngineError> {
        for mut owed in std::mem::take(&mut self.owed) {
            let written =
                match edit_file(&ideas_file(self.user.root(), self.settings), &owed.edit(), self.places.state()) {
                    Ok(Written::Unchanged | Written::Edited) => true,
                    Ok(Written::Missing) => false,
                    // A file that somebody is writing to, or may not be written: the night goes on, the edit waits.
                    Err(error) => {
                        self.tell_unwritten(&owed, &error.to_string())?;
                        false
                    }
                };
            if written || !owed.told {
                let event = IdeaEdited { idea: owed.idea.clone(), edit: owed.says.clone(), axes: owed.axes(), written };
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
