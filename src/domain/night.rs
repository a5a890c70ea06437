//! Events of a session between its experiments: waits, failed proposals, hooks, a moved base.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AgentCall, ObjectId};

/// A source that cannot give a candidate now, through no fault of any candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The source.
    pub source: String,
    /// What kind of obstacle it is.
    pub obstacle: Obstacle,
    /// What it said, in one line.
    pub why: String,
    /// When it is asked again.
    pub until: Timestamp,
    /// What the call that ran into it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<AgentCall>,
}

/// Why an agent is not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// A limit of use or rate, or an overloaded service.
    UsageLimit,
    /// The network, or the service behind it.
    Network,
    /// A login that is missing or has ended.
    Login,
    /// It proposed nothing that could be tried, several times in a row.
    NothingNew,
}

/// A call of a source that gave nothing that became an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProposalFailed {
    /// The source.
    pub source: String,
    /// Why, in one line.
    pub why: String,
    /// Whether it was handed back with that reason, so that the next call can do better.
    pub handed_back: bool,
    /// What the call took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<AgentCall>,
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookMoment {
    /// Before an experiment.
    Before,
    /// After an experiment.
    After,
}

/// A hook that was called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HookRan {
    /// Which one; its experiment is that of the journal's line.
    pub moment: HookMoment,
    /// Wall time in seconds.
    pub seconds: f64,
    /// How it failed, in one line; `None` when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What it printed, cut at 8 KiB.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// What a person decided about a keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// It is to be merged.
    Accepted,
    /// It is not.
    Rejected,
    /// That is decided later.
    Later,
}

impl std::fmt::Display for Review {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// A person's decision about a keep; the last one stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewed {
    /// The decision.
    pub review: Review,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
}

/// The session went on from another base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebased {
    /// The tip before, from which the branch moves.
    pub from: ObjectId,
    /// The new base, which is the tip from here on.
    pub base: ObjectId,
    /// The revision as it was named.
    pub named: String,
    /// The branch that holds the tip before.
    pub saved: String,
}
