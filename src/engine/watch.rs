//! Passes a rehearsal's events on to whoever watches, and counts what its baseline did.

use crate::domain::{Event, ExperimentId, Observer, PhaseEnded};

/// What a watcher of a rehearsal is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untold {
    /// Verdicts and ends, which are the rehearsal's answer and are told at its end.
    Answers,
    /// Everything but phases: the settings are not final.
    AllButPhases,
}

/// Stands between a rehearsal and its watcher.
pub(super) struct Watch<'o> {
    inner: &'o mut dyn Observer,
    untold: Untold,
    phases: Vec<PhaseEnded>,
}

impl<'o> Watch<'o> {
    pub(super) fn new(inner: &'o mut dyn Observer, untold: Untold) -> Self {
        Self { inner, untold, phases: Vec::new() }
    }

    /// Returns the phases that the baseline went through.
    pub(super) fn into_phases(self) -> Vec<PhaseEnded> {
        self.phases
    }

    fn passes(&self, experiment: Option<ExperimentId>, event: &Event) -> bool {
        let phase = matches!(event, Event::PhaseStarted(_) | Event::PhaseEnded(_));
        let answer = match event {
            Event::Run(_) => experiment != Some(ExperimentId::BASELINE),
            event => matches!(event, Event::Stopped(_)),
        };
        match self.untold {
            Untold::Answers => !answer,
            Untold::AllButPhases => phase,
        }
    }
}

impl Observer for Watch<'_> {
    fn event(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        if let (Some(ExperimentId::BASELINE), Event::PhaseEnded(ended)) = (experiment, event) {
            self.phases.push((**ended).clone());
        }
        if self.passes(experiment, event) {
            self.inner.event(experiment, event);
        }
    }
}
