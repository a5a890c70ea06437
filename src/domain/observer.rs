//! Observers: whoever wants to be told what happened, after it was journalled.

use super::{Event, ExperimentId};

/// Is told every event after the journal has it. Observers cannot fail and cannot change anything.
pub trait Observer {
    /// Receives one event and the experiment that it belongs to.
    fn event(&mut self, experiment: Option<ExperimentId>, event: &Event);
}

impl<F: FnMut(Option<ExperimentId>, &Event)> Observer for F {
    fn event(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        self(experiment, event);
    }
}
