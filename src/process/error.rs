//! What can go wrong around a job; what goes wrong inside it is an [`crate::domain::Outcome`].

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use serde::{Deserialize, Serialize};

/// Says why a job could not be run or its end not be known.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program that supervises cannot be opened.
    #[error("cannot open the supervisor's program {}: {source}; was it removed?", path.display())]
    Program {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The supervisor did not start or took no order.
    #[error("cannot start the supervisor {} for '{command}': {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The job's command.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The supervisor died, or its program is no autoresearch.
    #[error(
        "the supervisor {} of '{command}' ended without a report ({status}): {}; what was left of the job was ended",
        program.display(),
        if stderr.is_empty() { "it wrote nothing" } else { stderr.trim_end() }
    )]
    NoReport {
        /// The program.
        program: PathBuf,
        /// The job's command.
        command: String,
        /// How the supervisor ended.
        status: ExitStatus,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// The supervisor could not make the job's surroundings.
    #[error("cannot {step} {} for '{command}': {source}", path.display())]
    Setup {
        /// What was being done.
        step: SetupStep,
        /// To which file or folder.
        path: PathBuf,
        /// The job's command.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// Processes of a job outlived SIGKILL.
    #[error(
        "processes {pids:?} of '{command}' did not end 10 s after SIGKILL; look at them with 'ps -o pid,stat,wchan'"
    )]
    Survivors {
        /// The job's command.
        command: String,
        /// Their process ids.
        pids: Vec<i32>,
    },
    /// A signal handler cannot be installed.
    #[error("cannot handle signal {signal}: {source}")]
    Handler {
        /// The signal's number.
        signal: i32,
        /// What the system said.
        source: io::Error,
    },
    /// A kept log cannot be cut.
    #[error("cannot cut the log {}: {source}", path.display())]
    TrimLog {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A private folder or file of a slot's environment cannot be made.
    #[error("cannot make {} for a command's environment: {source}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A step of the supervisor before the command starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// Reading the order that came through its standard input.
    ReadOrder,
    /// Becoming the session leader and subreaper that adopts orphans.
    Adopt,
    /// Opening the file that the command reads.
    OpenInput,
    /// Opening a log file.
    OpenLog,
    /// Creating a process or thread.
    Spawn,
    /// Confining the command to some cores.
    Pin,
    /// Limiting the size of files.
    LimitFiles,
    /// Entering new namespaces.
    EnterNamespaces,
    /// Hiding a path.
    Hide,
    /// Putting a folder in the place of another.
    Replace,
    /// Keeping a path visible below a hidden one.
    Expose,
    /// Making a path read-only.
    MakeReadOnly,
    /// Giving up what lifts walls.
    DropPrivileges,
    /// Forbidding access elsewhere than below some paths.
    RestrictAccess,
    /// Cutting off the network.
    RestrictNetwork,
}

impl std::fmt::Display for SetupStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ReadOrder => "read the supervisor's order from",
            Self::Adopt => "become the supervisor of",
            Self::OpenInput => "open the input",
            Self::OpenLog => "open the log file",
            Self::Spawn => "create the process",
            Self::Pin => "pin to cores",
            Self::LimitFiles => "limit the files of",
            Self::EnterNamespaces => "enter new namespaces in",
            Self::Hide => "hide",
            Self::Replace => "replace",
            Self::Expose => "keep visible",
            Self::MakeReadOnly => "make read-only",
            Self::DropPrivileges => "give up",
            Self::RestrictAccess => "restrict access to",
            Self::RestrictNetwork => "restrict the network of",
        })
    }
}
