//! What the record says of an idea that was tried in vain: when the loop closes it, and what its entry tells.

use crate::domain::{Asi, Axis, Change, Reason, Settings, Status};
use crate::ideas::Closing;
use crate::state::{ExperimentRecord, SessionState};

/// What an entry closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An idea, by its id or label.
    Idea(String),
    /// One value of a setting.
    Axis(Axis),
}

impl Target {
    /// Reads `name=value` as a value of a setting, and anything else as an idea.
    pub fn parse(text: &str) -> Self {
        match text.trim().split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Self::Axis(Axis { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Self::Idea(text.trim().to_owned()),
        }
    }

    /// Returns the name that its entry has.
    pub fn id(&self) -> String {
        match self {
            Self::Idea(idea) => idea.clone(),
            Self::Axis(axis) => format!("{}={}", axis.name, axis.value),
        }
    }

    /// Says whether an experiment tried it.
    pub fn is_tried_by(&self, record: &ExperimentRecord) -> bool {
        match self {
            Self::Idea(idea) => record.tried_idea(idea),
            Self::Axis(axis) => record.axes.contains(axis),
        }
    }
}

/// Says whether an experiment counts towards closing what it tried: measured to its end, and of no use.
///
/// What the pairs could not tell, what another metric or the gate forbade and what crashed says nothing of the idea.
fn is_fruitless(reason: Reason) -> bool {
    match reason {
        Reason::NoEffect | Reason::Regressed => true,
        Reason::Improved
        | Reason::Simpler
        | Reason::Inconclusive
        | Reason::SentinelRegressed
        | Reason::SentinelUnresolved
        | Reason::HoldoutRegressed
        | Reason::Duplicate
        | Reason::Empty
        | Reason::ClosedIdea
        | Reason::SettledDecision
        | Reason::OutOfScope
        | Reason::SealedPath
        | Reason::HarnessChanged
        | Reason::TreeChanged
        | Reason::CheckFailed
        | Reason::CheckTimeout
        | Reason::InvariantChanged
        | Reason::TestRemoved
        | Reason::StaleBuild
        | Reason::ApplyFailed
        | Reason::BuildFailed
        | Reason::BuildTimeout
        | Reason::BenchFailed
        | Reason::BenchTimeout
        | Reason::MetricMissing
        | Reason::MetricInvalid
        | Reason::ResourceLimit => false,
    }
}

/// Returns the experiments for which a target is to be closed now that the last one is settled (`ideas.closeAfter`).
///
/// Counted are those since the last keep of it. Each further lot closes it again, so that what a person reopened gets as
/// many chances as it had. It follows from the journal alone: a crash changes nothing.
pub(super) fn due<'a>(state: &'a SessionState, target: &Target) -> Option<Vec<&'a ExperimentRecord>> {
    let after = state.configured()?.settings.ideas.close_after? as usize;
    let tried = state.experiments().iter().rev().filter(|record| target.is_tried_by(record));
    let fruitless: Vec<_> =
        tried.take_while(|record| record.status != Status::Keep).filter(|record| is_fruitless(record.reason)).collect();
    let last = state.experiments().last()?;
    let is_due = fruitless.first().is_some_and(|first| first.id == last.id) && fruitless.len().is_multiple_of(after);
    is_due.then(|| fruitless.into_iter().take(after).rev().collect())
}

/// Returns the experiments that tried a target, were measured and not kept.
pub fn tried_in_vain<'a>(state: &'a SessionState, target: &Target) -> Vec<&'a ExperimentRecord> {
    let measured = |record: &&ExperimentRecord| record.effect.is_some() && record.status != Status::Keep;
    state.experiments().iter().filter(|record| target.is_tried_by(record)).filter(measured).collect()
}

/// Returns a closing with what experiments say: which they were, their effects, and the commit of the last.
pub fn closing_of(target: &Target, experiments: &[&ExperimentRecord], settings: &Settings) -> Closing {
    let effect = |record: &ExperimentRecord| {
        let effect = record.effect?;
        let objective = settings.objective(effect.of);
        let change = Change::of_effect((effect.gain, effect.low, effect.high), objective.scale, objective.direction);
        let of = if effect.of == 0 { String::new() } else { format!(" {}", objective.name) };
        let which = if experiments.len() == 1 { String::new() } else { format!(" (#{})", record.id) };
        Some(format!("{change}{of}{which}"))
    };
    let last = experiments.last();
    Closing {
        id: target.id(),
        text: last.map(|record| record.description.to_string()).unwrap_or_default(),
        axes: match target {
            Target::Idea(_) => Vec::new(),
            Target::Axis(axis) => vec![axis.clone()],
        },
        experiments: experiments.iter().map(|record| record.id).collect(),
        effect: experiments.iter().filter_map(|record| effect(record)).collect::<Vec<_>>().join("; "),
        base: last.map(|record| record.tip().short().to_owned()),
        ..Closing::default()
    }
}

/// Returns the mechanism that a proposer gave with an experiment; what is not known is said so.
pub(super) fn mechanism(asi: &Asi, experiments: usize) -> String {
    let given = asi.get("mechanism").and_then(serde_json::Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let unknown = || match experiments {
        1 => "not known; one experiment had no effect".to_owned(),
        n => format!("not known; {n} experiments had no effect"),
    };
    given.map_or_else(unknown, str::to_owned)
}
