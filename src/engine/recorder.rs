//! The one door through which facts enter the record: journal first, then the fold, then the observers.

use std::collections::VecDeque;

use crate::domain::{Event, ExperimentId, Observer};
use crate::journal::{Journal, JournalError};
use crate::state::SessionState;

use super::experiment::ExperimentFacts;

/// Whether an event must be on the disk before the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// It is written; a crash of the machine may lose it.
    Written,
    /// It is on the disk.
    Synced,
}

/// Appends to the journal and keeps what follows from it up to date.
pub(super) struct Recorder<'o> {
    journal: Journal,
    state: SessionState,
    facts: ExperimentFacts,
    left: VecDeque<ExperimentFacts>,
    observers: Vec<&'o mut dyn Observer>,
}

impl<'o> Recorder<'o> {
    /// Takes over an open journal, the fold of what it holds, and those who want to be told.
    pub(super) fn new(journal: Journal, state: SessionState, observers: Vec<&'o mut dyn Observer>) -> Self {
        Self { journal, state, facts: ExperimentFacts::default(), left: VecDeque::new(), observers }
    }

    /// Returns the fold of everything recorded.
    pub(super) fn state(&self) -> &SessionState {
        &self.state
    }

    /// Returns the facts of the experiment under way.
    pub(super) fn facts(&self) -> &ExperimentFacts {
        &self.facts
    }

    /// Begins the facts of an experiment, or takes up those that an interrupted session left.
    pub(super) fn begin(&mut self, facts: ExperimentFacts) {
        self.facts = facts;
    }

    /// Takes over the facts of experiments that earlier processes left without a verdict, oldest first.
    pub(super) fn leave(&mut self, left: VecDeque<ExperimentFacts>) {
        self.left = left;
    }

    /// Takes out the facts of the oldest experiment that was left without a verdict.
    pub(super) fn take_left(&mut self) -> Option<ExperimentFacts> {
        self.left.pop_front()
    }

    /// Records an event that belongs to no experiment.
    #[expect(clippy::needless_pass_by_value, reason = "an event is handed over where it happens")]
    pub(super) fn session(&mut self, event: Event, durability: Durability) -> Result<(), JournalError> {
        self.record(None, &event, durability)
    }

    /// Records an event of the experiment under way.
    #[expect(clippy::needless_pass_by_value, reason = "an event is handed over where it happens")]
    pub(super) fn experiment(&mut self, event: Event, durability: Durability) -> Result<(), JournalError> {
        self.record(self.facts.id, &event, durability)
    }

    /// Records an event of an experiment that is settled already.
    pub(super) fn about(
        &mut self,
        id: ExperimentId,
        event: &Event,
        durability: Durability,
    ) -> Result<(), JournalError> {
        self.record(Some(id), event, durability)
    }

    fn record(&mut self, id: Option<ExperimentId>, event: &Event, durability: Durability) -> Result<(), JournalError> {
        let at = match durability {
            Durability::Written => self.journal.append(id, event)?,
            Durability::Synced => self.journal.append_synced(id, event)?,
        };
        self.state.apply(id, at, event);
        let of_all = matches!(event, Event::Configured(_) | Event::Rebased(_));
        if of_all {
            self.left.iter_mut().for_each(|facts| facts.apply(event));
        }
        if of_all || (id.is_some() && id == self.facts.id) {
            self.facts.apply(event);
        }
        if self.facts.moved_branch(event) || matches!(event, Event::Undone(_)) {
            self.left.iter_mut().for_each(ExperimentFacts::forget_attempts);
        }
        for observer in &mut self.observers {
            observer.event(id, event);
        }
        Ok(())
    }
}
