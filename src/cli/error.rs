//! What can end a command, as one text and one exit code.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::ui::OutputError;
use crate::config::{ConfigError, Place};
use crate::domain::ExperimentId;
use crate::engine::EngineError;
use crate::engine::finalize::FinalizeError;
use crate::engine::starter::StarterError;
use crate::engine::truth::TruthError;
use crate::git::GitError;
use crate::ideas::IdeasError;
use crate::import::ImportError;
use crate::journal::JournalError;
use crate::measure::adapters::AdapterError;
use crate::process::ProcessError;
use crate::stats::simulation::{TooFewPairs, WatchError};

/// The exit code of a command line that cannot be understood.
pub(super) const USAGE: u8 = 2;

/// The exit code of an interruption that left the journal complete.
pub(super) const INTERRUPTED: u8 = 130;

/// The exit code of a bug in this program (FORMATS section 8).
pub(super) const BUG: u8 = 70;

/// The exit code of what people can mend: configuration, repository, files.
const USER: u8 = 1;

/// Says why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// git or the repository refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The engine ended.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A source of the config cannot give candidates.
    #[error("{place}: '{key}': {source}")]
    Source {
        /// Where the config names it.
        place: Place,
        /// By which key.
        key: String,
        /// What is wrong.
        source: Box<EngineError>,
    },
    /// ideas.md cannot be edited.
    #[error(transparent)]
    Ideas(#[from] IdeasError),
    /// Neither ideas.md nor the journal knows the idea.
    #[error(
        "no idea is called '{idea}' in {file}, and no experiment tried it; 'autoresearch ideas list' shows the names, \
         'autoresearch ideas add' adds one"
    )]
    NoIdea {
        /// The name.
        idea: String,
        /// The file, relative to the repository root.
        file: String,
    },
    /// The idea is closed, and no further experiment tried it.
    #[error("'{idea}' is closed already ({file}:{line}), and no experiment is new; edit the entry by hand")]
    AlreadyClosed {
        /// The name.
        idea: String,
        /// The file, relative to the repository root.
        file: String,
        /// Its line, from 1.
        line: usize,
    },
    /// A command could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// No starting set could be written.
    #[error(transparent)]
    Starter(#[from] StarterError),
    /// Nothing could be imported or exported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Nothing of another tool is there to go on from.
    #[error(
        "no file of another tool is in {}: neither a bench (autoresearch.sh, .auto/measure.sh) nor a log \
         (autoresearch.jsonl, .auto/log.jsonl); 'autoresearch init' starts from nothing", root.display()
    )]
    NothingExisting {
        /// Where was looked.
        root: PathBuf,
    },
    /// The output of a benchmark tool gives no metrics.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// The demo's list of true verdicts cannot be read.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// A simulation went wrong.
    #[error(transparent)]
    Simulation(#[from] WatchError),
    /// A journal has too few measurements to be a model of noise.
    #[error("{} cannot be simulated: {source}", journal.display())]
    TooFewPairs {
        /// The journal.
        journal: PathBuf,
        /// What it lacks.
        source: TooFewPairs,
    },
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The base of a comparison fails, so there is nothing to compare with.
    #[error("the base {base} does not build or run: {detail}")]
    BaseBroken {
        /// The revision as typed.
        base: String,
        /// The command and what it did.
        detail: String,
    },
    /// A command that leaves nothing behind was ended early.
    #[error("interrupted before the answer was there; nothing is left behind")]
    Interrupted,
    /// What was named to be judged is no file, and no commit either.
    #[error("there is no file {}, and as a commit: {source}", path.display())]
    NoSuchCandidate {
        /// Where the file would be.
        path: PathBuf,
        /// Why it is no commit.
        source: GitError,
    },
    /// A candidate was to be judged, and the session was asked to stop before the verdict.
    #[error("stopped before there was a verdict; 'autoresearch run' goes on with this experiment")]
    NoVerdict,
    /// A validation was to be made, and was asked to stop before its end.
    #[error("stopped before the gain was validated; 'autoresearch validate' begins again")]
    NotValidated,
    /// No review branch was made.
    #[error(transparent)]
    Finalize(#[from] FinalizeError),
    /// Review branches were to be made, and that was ended early.
    #[error(
        "stopped before the review branches were made; nothing of them is left, 'autoresearch finalize' begins again"
    )]
    NotFinalized,
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no folder for caches.
    #[error("there is no folder for the slots: set XDG_CACHE_HOME or HOME, or 'slots.dir' in the config")]
    NoCacheHome,
    /// There is no journal, or an empty one.
    #[error(
        "session '{name}' has not run yet: there is nothing in {}; 'autoresearch doctor' checks what it needs, \
         'autoresearch run' starts it", journal.display()
    )]
    NoSession {
        /// The session's name.
        name: String,
        /// Where its journal would be.
        journal: PathBuf,
    },
    /// A record that does not say which branch it is of.
    #[error("name the branch whose commits are to be checked: 'autoresearch verify BRANCH --bundle FILE'")]
    NoBranch,
    /// A dialogue without anybody to talk with.
    #[error(
        "'review --interactive' asks on a terminal, and standard input or output is none; decide with 'autoresearch accept \
         N...', 'autoresearch reject N... --because TEXT' and 'autoresearch later N...'"
    )]
    NoTerminal,
    /// There is no keep of this number that stands.
    #[error("experiment {experiment} is no keep that stands; 'autoresearch review' lists those")]
    NoSuchKeep {
        /// The number.
        experiment: ExperimentId,
    },
    /// A starting set for one of several experiments.
    #[error(
        "'init' writes the starting set of the repository; for a further target put autoresearch.config.json, its bench and \
         its checks into experiments/{name} and use '--experiment {name}' with the other commands"
    )]
    InitExperiment {
        /// The experiment.
        name: String,
    },
    /// Two flags name a config.
    #[error("--config and --experiment both name a config; leave one of them out")]
    TwoConfigs,
    /// There is no session of this name.
    #[error("there is no session '{name}' in this repository; {}", listed(known))]
    NoSuchSession {
        /// The name.
        name: String,
        /// The names of those that there are.
        known: Vec<String>,
    },
    /// There is no experiment of this number.
    #[error("there is no experiment {experiment}; the last one is {last}, and 'autoresearch log' lists them")]
    NoExperiment {
        /// The number.
        experiment: ExperimentId,
        /// The highest number.
        last: ExperimentId,
    },
    /// There is no built-in experiment of this name.
    #[error("there is no demo '{name}', nor a folder of this name with a truth.json; known: {}", known.join(", "))]
    NoSuchExperiment {
        /// The name.
        name: String,
        /// All names.
        known: Vec<String>,
    },
    /// An experiment needs a program that is not here.
    #[error(
        "experiment {experiment} needs {program}, which does not start here ('{program} --version'); install it, or try another experiment"
    )]
    ProgramMissing {
        /// The program.
        program: String,
        /// The experiment.
        experiment: String,
    },
    /// A folder that should be new exists.
    #[error("{} exists already and is not overwritten; name a new folder", path.display())]
    FolderExists {
        /// The folder.
        path: PathBuf,
    },
}

impl CliError {
    /// Makes an I/O error with its path.
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// Returns the error with everything that caused it, in one text; a cause that is told already is not repeated.
    pub(super) fn message(&self) -> String {
        let mut message = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        message
    }

    /// Returns the exit code of FORMATS section 8.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Source { source, .. } => source.exit_code(),
            Self::Finalize(error) => error.exit_code(),
            Self::BaseBroken { .. } => 3,
            Self::TwoConfigs | Self::NoTerminal => USAGE,
            Self::Simulation(_) => BUG,
            Self::Interrupted | Self::NoVerdict | Self::NotValidated | Self::NotFinalized => 130,
            Self::Output(error) if error.is_closed_pipe() => 0,
            Self::Git(_)
            | Self::Config(_)
            | Self::Journal(_)
            | Self::Process(_)
            | Self::Ideas(_)
            | Self::NoIdea { .. }
            | Self::AlreadyClosed { .. }
            | Self::Starter(_)
            | Self::Adapter(_)
            | Self::Import(_)
            | Self::NothingExisting { .. }
            | Self::Truth(_)
            | Self::TooFewPairs { .. }
            | Self::Output(_)
            | Self::Io { .. }
            | Self::NoCacheHome
            | Self::NoSuchCandidate { .. }
            | Self::NoSession { .. }
            | Self::NoBranch
            | Self::InitExperiment { .. }
            | Self::NoSuchKeep { .. }
            | Self::NoSuchSession { .. }
            | Self::NoExperiment { .. }
            | Self::NoSuchExperiment { .. }
            | Self::ProgramMissing { .. }
            | Self::FolderExists { .. } => USER,
        }
    }

    /// Says whether the reader of standard output went away, which is no error to talk about.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.is_closed_pipe())
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "there are none".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_message_tells_each_cause_once() {
        let io = || io::Error::new(io::ErrorKind::PermissionDenied, "no entry");
        let told = CliError::io("read", Path::new("/x"), io());
        assert_eq!(told.message(), "cannot read /x: no entry");
        let hidden = CliError::io("read", Path::new("/x"), io::Error::other(Outer(io())));
        assert_eq!(hidden.message(), "cannot read /x: outer: no entry");
    }

    #[test]
    fn each_kind_of_end_has_its_exit_code() {
        let pipe = || CliError::Output(OutputError::from(io::Error::from(io::ErrorKind::BrokenPipe)));
        assert_eq!((pipe().exit_code(), pipe().is_closed_pipe()), (0, true));
        assert_eq!(CliError::NoCacheHome.exit_code(), 1);
        assert_eq!(CliError::Engine(EngineError::BaselineBroken { detail: String::new() }).exit_code(), 3);
        assert_eq!(CliError::Engine(EngineError::Interrupted).exit_code(), 130);
    }
}
