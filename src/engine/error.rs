//! What can end a session or a command of the engine, and the exit code of each.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{ExperimentId, ObjectId, StopRule};
use crate::gate::GateError;
use crate::git::{ApplyError, GitError};
use crate::host::HostError;
use crate::ideas::IdeasError;
use crate::journal::JournalError;
use crate::measure::{MeasureError, PlanError};
use crate::process::{ProcessError, ToolError};
use crate::propose::sweep::{KnobFileError, KnobValuesError};
use crate::propose::{PatchFileError, QueueError, RangeError};
use crate::stats::JudgeError;

/// Says why the engine cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
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
    /// git refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A patch does not apply where it must.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The journal refused.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A command could not be run at all.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The host's lock or readings failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The gate's own files cannot be used.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The bench's output cannot be read, or the metric plan is impossible.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// ideas.md cannot be read or edited.
    #[error(transparent)]
    Ideas(#[from] IdeasError),
    /// A candidate cannot be read.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A commit range cannot be read.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// A patch file is no proposal.
    #[error(transparent)]
    PatchFile(#[from] PatchFileError),
    /// A source of the config cannot give any candidate.
    #[error("'{key}': {source}")]
    Source {
        /// The key of the config that names what is wrong.
        key: String,
        /// What is wrong.
        source: Box<EngineError>,
    },
    /// A knob cannot be read from its file, or written to it.
    #[error(transparent)]
    KnobFile(#[from] KnobFileError),
    /// The kept values of knobs cannot be read.
    #[error(transparent)]
    KnobValues(#[from] KnobValuesError),
    /// The metrics cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A helper program could not be run.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A value cannot stand on its scale.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The baseline does not build, run or pass its checks.
    #[error("the baseline is broken: {detail}; mend it and run again ('autoresearch doctor' says more)")]
    BaselineBroken {
        /// The command and what it did.
        detail: String,
    },
    /// The disk is full, or nearly so.
    #[error("the disk is low: {free}; make room ('autoresearch clean' removes old slots and runs) and run again{}",
        after.as_ref().map_or_else(String::new, |after| format!(" (it showed in: {after})")))]
    DiskLow {
        /// How much is free where, and the limit.
        free: String,
        /// What failed meanwhile.
        after: Option<String>,
    },
    /// The repository is of a kind that cannot be worked with.
    #[error("{reason}; {cure}")]
    Refused {
        /// What is in the way.
        reason: String,
        /// What to do.
        cure: String,
    },
    /// The session was told to stop at once.
    #[error("interrupted; the journal is complete, 'autoresearch run' goes on from here")]
    Interrupted,
    /// The session was asked to stop, and did so between two steps of an experiment.
    #[error("stopped as asked; 'autoresearch run' goes on from here")]
    StopRequested,
    /// A candidate was to be judged before any calibration.
    #[error("the session is not calibrated; this is a bug: keep the journal and report it")]
    NotCalibrated,
    /// Somebody else moved the session's branch.
    #[error(
        "branch '{branch}' is at {} but the session's last settled commit is {}; put it back with \
         'git branch -f {branch} {expected}', or rename it and start a new session", found.as_ref().map_or("no commit", ObjectId::short), expected.short()
    )]
    BranchMoved {
        /// The branch.
        branch: String,
        /// Where it is.
        found: Option<ObjectId>,
        /// Where the session left it.
        expected: ObjectId,
    },
    /// A keep that is to be undone cannot be taken out of the tip.
    #[error(
        "keep {experiment} is another program when built from an empty cache ({why}), and cannot be reverted alone \
         ({obstacle}); nothing was moved: revert it and what builds on it by hand on another branch, and start a new \
         session from there"
    )]
    UndoConflict {
        /// The keep.
        experiment: ExperimentId,
        /// What differs.
        why: String,
        /// What is in the way.
        obstacle: String,
    },
    /// An experiment lacks facts that the journal must hold.
    #[error(
        "experiment {experiment} lacks its proposal or its screening in the journal; this is a bug: keep the journal and report it"
    )]
    Unrecorded {
        /// The experiment.
        experiment: ExperimentId,
    },
}

impl EngineError {
    /// Makes an I/O error with its path.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// Returns the stop rule that the error amounts to, where it is one.
    pub fn stop_rule(&self) -> Option<StopRule> {
        match self {
            Self::BaselineBroken { .. } => Some(StopRule::BaselineBroken),
            Self::Interrupted => Some(StopRule::Interrupted),
            Self::StopRequested => Some(StopRule::Requested),
            Self::BranchMoved { .. } => Some(StopRule::BranchMoved),
            Self::DiskLow { .. } => Some(StopRule::DiskLow),
            Self::UndoConflict { .. } => Some(StopRule::UndoConflict),
            Self::Source { source, .. } => source.stop_rule(),
            Self::Io { .. }
            | Self::Git(_)
            | Self::Apply(_)
            | Self::Journal(_)
            | Self::Process(_)
            | Self::Host(_)
            | Self::Gate(_)
            | Self::Measure(_)
            | Self::Ideas(_)
            | Self::Queue(_)
            | Self::Range(_)
            | Self::PatchFile(_)
            | Self::KnobFile(_)
            | Self::KnobValues(_)
            | Self::Plan(_)
            | Self::Tool(_)
            | Self::Judge(_)
            | Self::Unrecorded { .. }
            | Self::NotCalibrated
            | Self::Refused { .. } => None,
        }
    }

    /// Returns the exit code of FORMATS section 8.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BaselineBroken { .. } => 3,
            Self::Interrupted => 130,
            Self::StopRequested => 0,
            Self::Source { source, .. } => source.exit_code(),
            Self::Unrecorded { .. } | Self::NotCalibrated => 70,
            Self::BranchMoved { .. } | Self::DiskLow { .. } | Self::UndoConflict { .. } => 8,
            Self::Io { .. }
            | Self::Git(_)
            | Self::Apply(_)
            | Self::Journal(_)
            | Self::Process(_)
            | Self::Host(_)
            | Self::Gate(_)
            | Self::Measure(_)
            | Self::Ideas(_)
            | Self::Queue(_)
            | Self::Range(_)
            | Self::PatchFile(_)
            | Self::KnobFile(_)
            | Self::KnobValues(_)
            | Self::Plan(_)
            | Self::Tool(_)
            | Self::Judge(_)
            | Self::Refused { .. } => 1,
        }
    }
}
