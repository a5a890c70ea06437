//! Where candidates come from, and the hooks around them, as resolved settings.

use serde::{Deserialize, Serialize};

use super::Command;

/// Name of the file, in the config's folder, that holds the kept values of environment and argument knobs.
pub const KNOBS_FILE: &str = "autoresearch.knobs.json";

/// Where candidates come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CandidateSource {
    /// A folder (relative to the config's folder) of `*.patch` and `*.diff`, taken in name order.
    Patches(String),
    /// The commits of a range, oldest first.
    Commits(CommitRange),
    /// Values of settings of the program.
    Sweep(Sweep),
    /// A program that proposes changes.
    Agent(Agent),
}

/// In which order several sources are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CandidatesOrder {
    /// Each until it has no more, in the order of the config (the default).
    #[default]
    Listed,
    /// One candidate of each in turn.
    Turns,
}

/// A range of commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitRange {
    /// `base..branch`, as git names revisions.
    pub range: String,
    /// Whether sealed paths of a commit are left out; else a commit that touches one is refused.
    pub drop_sealed: bool,
}

/// Values of one or more knobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// The knobs; at least one.
    pub knobs: Vec<Knob>,
    /// Which of their values are tried.
    pub strategy: Strategy,
}

/// Which points of a sweep are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Every combination of all values (the default for one knob, where it is every value).
    #[default]
    Grid,
    /// Every value of each knob, the others as they are on the tip.
    OneAtATime,
    /// The neighbours of the present values; moves on from kept ones, until no neighbour is better.
    Climb,
}

/// One setting of the program, and the values to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Knob {
    /// Its name, which is the axis of its candidates.
    pub name: String,
    /// Where it is set.
    pub place: KnobPlace,
    /// The values as text, in order; at least one.
    pub values: Vec<String>,
    /// The value that the program takes where an environment or argument knob is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// Where a knob is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KnobPlace {
    /// In a file (relative to the config's folder): what the one capture of a regular expression matches.
    File {
        /// The file.
        file: String,
        /// The expression; its only capture group is the value.
        pattern: String,
    },
    /// In an environment variable.
    Env {
        /// The variable.
        variable: String,
        /// Of which command.
        of: KnobCommand,
    },
    /// In an argument that is put behind the command.
    Arg {
        /// The argument, with `{value}` where the value goes; several words are several arguments.
        template: String,
        /// Of which command.
        of: KnobCommand,
    },
}

impl KnobPlace {
    /// Says whether the knob is set for a command, and not in a file.
    pub fn is_of_command(&self) -> bool {
        match self {
            Self::Env { .. } | Self::Arg { .. } => true,
            Self::File { .. } => false,
        }
    }
}

/// Lists the environment and argument knobs of all sweeps, each once.
pub fn command_knobs(sources: &[CandidateSource]) -> Vec<&Knob> {
    let mut all: Vec<&Knob> = Vec::new();
    for source in sources {
        let CandidateSource::Sweep(sweep) = source else { continue };
        for knob in sweep.knobs.iter().filter(|knob| knob.place.is_of_command()) {
            if all.iter().all(|known| known.name != knob.name) {
                all.push(knob);
            }
        }
    }
    all
}

/// The command that a knob is set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnobCommand {
    /// `build`.
    Build,
    /// `bench` (the default).
    #[default]
    Bench,
}

/// A program that proposes changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// A command line that is known by name; `None` where only `command` says how it is run.
    pub preset: Option<String>,
    /// The command, with `{prompt}`, `{context}` and `{worktree}` for paths; `None` is the preset's.
    pub command: Option<Command>,
    /// Time limit of one call, in seconds.
    pub timeout_s: f64,
    /// Longest time in seconds that it is waited for while it is not available, before it is given up.
    pub max_wait_s: f64,
    /// Whether it may work on its next proposal while something is measured.
    pub while_measuring: bool,
}

impl Agent {
    /// Returns the name by which the journal knows the agent: that of its preset, else of its program.
    pub fn name(&self) -> &str {
        let program = self.command.as_ref().and_then(|command| command.words().first().copied());
        match (&self.preset, program) {
            (Some(preset), _) => preset,
            (None, Some(program)) => program.rsplit('/').next().unwrap_or(program),
            (None, None) => "agent",
        }
    }
}

/// Programs that run around each experiment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hooks {
    /// Runs before each experiment.
    pub before: Option<Command>,
    /// Runs after each experiment.
    pub after: Option<Command>,
}
