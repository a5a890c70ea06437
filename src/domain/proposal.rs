//! Proposals: a patch and what its author says about it.

use serde::{Deserialize, Serialize};

use super::ExperimentId;

/// Actionable side information: a free-form JSON object.
pub type Asi = serde_json::Map<String, serde_json::Value>;

/// A setting and the value that a candidate gives it (`Axis: name=value`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Axis {
    /// The setting's name.
    pub name: String,
    /// The value tried.
    pub value: String,
}

/// What a candidate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// To improve the primary (the default).
    #[default]
    Improve,
    /// To make the code simpler at no cost (`Goal: simplify`).
    Simplify,
}

/// Who wrote a change, as git records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

/// Where a proposal came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalSource {
    /// A file of a patch queue, by its path relative to the repository root.
    Queue(String),
    /// `autoresearch try` with a file, standard input, a worktree or a commit, as it was named.
    Try(String),
    /// A commit of a range, by its full id.
    Commit(String),
    /// A point of a sweep: `name=value`, several separated by blanks, in the order of the knobs.
    Sweep(String),
    /// An agent, by its name.
    Agent(String),
    /// A keep of this session from before its base moved, by the number of its experiment.
    Again(ExperimentId),
}

impl std::fmt::Display for ProposalSource {
    /// Writes the name by which people know the source.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Queue(name) | Self::Try(name) | Self::Commit(name) | Self::Sweep(name) | Self::Agent(name) => {
                f.write_str(name)
            }
            Self::Again(experiment) => write!(f, "#{experiment}"),
        }
    }
}

/// The bytes of a patch; need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatchText(pub Vec<u8>);

/// One candidate before anything of it ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// One line that says what it changes.
    pub description: String,
    /// Why it should help; may be empty.
    pub hypothesis: String,
    /// The idea of ideas.md that it tries.
    pub idea: Option<String>,
    /// The settings that it tries a value of.
    pub axes: Vec<Axis>,
    /// What it is for.
    pub goal: Goal,
    /// Side information as given.
    pub asi: Asi,
    /// Who wrote it, where the patch says so.
    pub author: Option<Author>,
    /// The commit that the patch says it was made on (`base-commit:`), a full hexadecimal id.
    pub base_commit: Option<String>,
    /// Where it came from.
    pub source: ProposalSource,
    /// The unified diff, without mail headers.
    pub patch: PatchText,
    /// Whether sealed paths are left out of the patch; else one that touches such a path is refused.
    pub drop_sealed: bool,
    /// What the call of the agent that made it took.
    pub call: Option<AgentCall>,
}

impl Proposal {
    /// Makes a proposal of a patch whose author says nothing of it.
    pub fn untold(description: String, source: ProposalSource, patch: PatchText) -> Self {
        Self {
            description,
            hypothesis: String::new(),
            idea: None,
            axes: Vec::new(),
            goal: Goal::Improve,
            asi: Asi::new(),
            author: None,
            base_commit: None,
            source,
            patch,
            drop_sealed: false,
            call: None,
        }
    }
}

/// What one call of an agent took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct AgentCall {
    /// Wall time in seconds.
    pub seconds: f64,
    /// What it cost, in the unit that the agent prints (US dollars); `None` where it prints nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// The number of its folder below `agent/`, where its prompt and output are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
}
