//! Plain data that every other module speaks: ids, metrics, experiments, verdicts, events and settings.
//!
//! Nothing here does I/O, and nothing here imports from the rest of the crate.

mod change;
mod command;
mod commit;
mod comparison;
mod cores;
mod event;
mod exit;
mod finalized;
mod host;
mod ids;
mod imported;
mod measuring;
mod metric;
mod night;
mod observer;
mod pair;
mod phase;
mod proposal;
mod seed;
mod settings;
mod sources;
mod status;

pub use change::{Change, number};
pub use command::{Command, TimeLimit};
pub use commit::{CommitRules, SubjectError, SubjectParts, SubjectTemplate};
pub use comparison::{CoPrimary, Comparison, Effect, MetricTerms, SentinelOutcome, SentinelState, Verdict};
pub use cores::{CoreList, CoreListError};
pub use event::{
    Calibrated, CandidateRun, Claimed, Configured, Decided, Event, HoldoutCalibration, IdeaEdited, Inventoried,
    MetricCalibration, Note, PhaseEnded, PhaseStarted, Proposed, Recovered, Resumed, RunSummary, SandboxApplied,
    Screened, Screening, Stopped, Undone, Unreadable, Validated,
};
pub use exit::{Exit, LimitKind, Outcome, Usage};
pub use finalized::{Finalized, FinalizedKeep};
pub use host::HostReading;
pub use ids::{ExperimentId, IdError, ObjectId, PatchId, SessionId};
pub use imported::{Imported, ImportedRun, ImportedSegment, Unread};
pub use metric::{Aggregate, Direction, MetricName, MetricNameError, Reduce, Scale};
pub use night::{HookMoment, HookRan, Obstacle, ProposalFailed, Rebased, Review, Reviewed, Waiting};
pub use observer::Observer;
pub use pair::{Arm, Order, Pair, Reading, VoidPair};
pub use phase::Phase;
pub use proposal::{AgentCall, Asi, Author, Axis, Goal, PatchText, Proposal, ProposalSource};
pub use seed::{GOLDEN_GAMMA, Seed, mix64, splitmix64};
pub use settings::{
    Base, Bench, Build, CheckOrder, Checks, Confirm, Decision, Holdout, Host, IdeaRules, Inventory, Limits, Network,
    Objective, Patience, Prepare, Sandbox, Scope, Sentinel, Settings, Stop, VerifyClean, next_time_of_day,
};
pub use sources::{
    Agent, CandidateSource, CandidatesOrder, CommitRange, Hooks, KNOBS_FILE, Knob, KnobCommand, KnobPlace, Strategy,
    Sweep, command_knobs,
};
pub use status::{Flag, Reason, Status, StopRule};
