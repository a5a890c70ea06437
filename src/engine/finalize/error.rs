//! Why no review branch was made.

use crate::domain::{ExperimentId, Reason};
use crate::engine::EngineError;
use crate::git::GitError;

/// Says why keeps did not become review branches; nothing was made then.
#[derive(Debug, thiserror::Error)]
pub enum FinalizeError {
    /// The engine ended.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No keep is accepted.
    #[error(
        "no keep is accepted: 'autoresearch review' shows them in the order in which to look at them, 'autoresearch \
         accept N' takes one; or --all takes every keep that is not rejected"
    )]
    NothingAccepted,
    /// No keep stands.
    #[error("there is no keep to finalize: 'autoresearch log' says what became of each candidate")]
    NothingKept,
    /// The base holds every keep already.
    #[error(
        "{onto} holds every one of these keeps already, so there is no branch to make; name another base with --onto"
    )]
    NothingLeft {
        /// The base.
        onto: String,
    },
    /// A plan is no JSON of its form.
    #[error("the plan cannot be read: {0}; 'autoresearch finalize --preview' prints one in its form")]
    PlanSyntax(#[source] serde_json::Error),
    /// A plan names a keep that is not to be had.
    #[error("the plan names keep {experiment}, which {why}")]
    PlannedKeep {
        /// The number.
        experiment: ExperimentId,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A plan names a keep twice.
    #[error("the plan names keep {experiment} twice; a keep is in one branch")]
    PlannedTwice {
        /// The number.
        experiment: ExperimentId,
    },
    /// A plan has no group, or one without keeps.
    #[error("the plan has {0}; write {{\"groups\": [{{\"name\": \"wal\", \"keeps\": [3, 5]}}]}}")]
    PlanEmpty(String),
    /// A group cannot be named so.
    #[error("the plan has a group '{name}', {why}")]
    GroupName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A branch that is to be made is there, or is in the way of another.
    #[error("branch '{branch}' {what}; nothing was made: {cure}")]
    BranchTaken {
        /// The branch to be made.
        branch: String,
        /// What is in the way.
        what: String,
        /// What to do.
        cure: String,
    },
    /// A keep's change does not go onto the base.
    #[error("keep #{experiment} of group '{group}' conflicts in {} on {onto}: {why}; nothing was made", paths.join(", "))]
    Conflict {
        /// The keep.
        experiment: ExperimentId,
        /// Its group.
        group: String,
        /// The base.
        onto: String,
        /// The files.
        paths: Vec<String>,
        /// What is in the way, and what to do.
        why: String,
    },
    /// The branches together are not what was accepted.
    #[error(
        "the branches together are not what the keeps in order come to ({detail}); nothing was made: put the groups that \
         touch these files together in a plan"
    )]
    NotTheUnion {
        /// What differs.
        detail: String,
    },
    /// A branch does not build, run or pass its checks by itself.
    #[error("group '{group}'{} fails by itself on {onto}: {detail} ({reason}); nothing was made: {cure}", at(*experiment))]
    Fails {
        /// The group.
        group: String,
        /// The keep whose commit fails; `None` for the whole branch.
        experiment: Option<ExperimentId>,
        /// The base.
        onto: String,
        /// Why, by the table of reasons.
        reason: Reason,
        /// The command and what it did.
        detail: String,
        /// What to do.
        cure: String,
    },
    /// The base itself does not build or run.
    #[error(
        "{onto} itself does not build or run ({detail}); nothing was made: mend it, or name another base with --onto"
    )]
    OntoBroken {
        /// The base.
        onto: String,
        /// The command and what it did.
        detail: String,
    },
    /// The repository's own hook refuses a message.
    #[error(
        "the repository's commit-msg hook refuses the message of keep #{experiment}: {words}; nothing was made: set \
         'commit.subject', 'commit.signOff' or 'commit.changeId' in the config to what the hook asks for"
    )]
    Hook {
        /// The keep.
        experiment: ExperimentId,
        /// What the hook said.
        words: String,
    },
    /// A commit cannot be signed.
    #[error(
        "a commit cannot be signed: {words}; nothing was made: 'autoresearch doctor' tries it, and 'commit.sign' in the config turns it off"
    )]
    Signing {
        /// What git said.
        words: String,
    },
}

fn at(experiment: Option<ExperimentId>) -> String {
    experiment.map_or_else(String::new, |id| format!(", at keep #{id},"))
}

impl From<GitError> for FinalizeError {
    fn from(error: GitError) -> Self {
        Self::Engine(error.into())
    }
}

impl FinalizeError {
    /// Returns the exit code of FORMATS section 8.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Fails { .. } | Self::NotTheUnion { .. } => 7,
            Self::OntoBroken { .. } => 3,
            Self::NothingAccepted
            | Self::NothingKept
            | Self::NothingLeft { .. }
            | Self::PlanSyntax(_)
            | Self::PlannedKeep { .. }
            | Self::PlannedTwice { .. }
            | Self::PlanEmpty(_)
            | Self::GroupName { .. }
            | Self::BranchTaken { .. }
            | Self::Conflict { .. }
            | Self::Hook { .. }
            | Self::Signing { .. } => 1,
        }
    }
}
