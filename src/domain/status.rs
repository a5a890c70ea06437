//! Statuses and reasons of experiments, flags of keeps, and the rules that stop a session.

use serde::{Deserialize, Serialize};

/// What the loop did with a candidate; exactly the four words of existing logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Committed to the session's branch.
    Keep,
    /// Dropped by its numbers, or refused because it was tried or settled before.
    Discard,
    /// Dropped by the gate.
    ChecksFailed,
    /// Did not apply, build or run.
    Crash,
}

/// Why the loop did it. Each reason belongs to exactly one status ([`Reason::status`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The primary improved and nothing forbids the keep.
    Improved,
    /// Simpler at no cost.
    Simpler,
    /// No effect worth keeping.
    NoEffect,
    /// The primary regressed.
    Regressed,
    /// The pairs ran out before the rule could tell.
    Inconclusive,
    /// A sentinel regressed or broke a limit.
    SentinelRegressed,
    /// A sentinel stayed unresolved under `decision.strict`.
    SentinelUnresolved,
    /// The held-out bench regressed.
    HoldoutRegressed,
    /// The same patch was tried on the same base before.
    Duplicate,
    /// The patch changes nothing on the present tip.
    Empty,
    /// Its idea, axis value or patch is closed in ideas.md.
    ClosedIdea,
    /// It undoes a settled decision.
    SettledDecision,
    /// It touches a path outside `scope.allow` or inside `scope.protect`.
    OutOfScope,
    /// It touches the harness or another sealed path.
    SealedPath,
    /// The harness was different after a command ran.
    HarnessChanged,
    /// A command rewrote tracked files.
    TreeChanged,
    /// A check failed.
    CheckFailed,
    /// A check ran into its time limit.
    CheckTimeout,
    /// The two arms printed different `INVARIANT` lines.
    InvariantChanged,
    /// A test that ran on the base did not run.
    TestRemoved,
    /// Rebuilt from an empty cache it was another program.
    StaleBuild,
    /// The patch does not apply.
    ApplyFailed,
    /// The build failed.
    BuildFailed,
    /// The build ran into its time limit.
    BuildTimeout,
    /// The bench exited non-zero.
    BenchFailed,
    /// The bench ran into its time limit.
    BenchTimeout,
    /// The bench did not print the primary or a sentinel.
    MetricMissing,
    /// The bench printed a value that is no number, or not the usual count of lines.
    MetricInvalid,
    /// A resource limit was broken.
    ResourceLimit,
}

impl Reason {
    /// Returns the one status that the reason belongs to (FORMATS section 4).
    pub fn status(self) -> Status {
        match self {
            Self::Improved | Self::Simpler => Status::Keep,
            Self::NoEffect
            | Self::Regressed
            | Self::Inconclusive
            | Self::SentinelRegressed
            | Self::SentinelUnresolved
            | Self::HoldoutRegressed
            | Self::Duplicate
            | Self::Empty
            | Self::ClosedIdea
            | Self::SettledDecision => Status::Discard,
            Self::OutOfScope
            | Self::SealedPath
            | Self::HarnessChanged
            | Self::TreeChanged
            | Self::CheckFailed
            | Self::CheckTimeout
            | Self::InvariantChanged
            | Self::TestRemoved
            | Self::StaleBuild => Status::ChecksFailed,
            Self::ApplyFailed
            | Self::BuildFailed
            | Self::BuildTimeout
            | Self::BenchFailed
            | Self::BenchTimeout
            | Self::MetricMissing
            | Self::MetricInvalid
            | Self::ResourceLimit => Status::Crash,
        }
    }
}

/// A remark on a keep that a reviewer should see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// A sentinel stayed unresolved.
    SentinelUnresolved,
    /// None of the metrics that the hypothesis predicted to move moved.
    MechanismUnconfirmed,
    /// A later clean rebuild showed another program, and the keep was reverted.
    Undone,
    /// It was built with a warm cache, and its rebuild from an empty one waits for the next validation.
    RebuildDue,
}

/// The rule that stopped a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopRule {
    /// Every candidate was tried.
    CandidatesExhausted,
    /// `stop.maxIterations`.
    MaxIterations,
    /// `stop.maxHours`.
    MaxHours,
    /// `stop.until`.
    Until,
    /// `stop.plateau`.
    Plateau,
    /// `stop.target`.
    Target,
    /// `stop.consecutiveCheckFailures`.
    ConsecutiveCheckFailures,
    /// `autoresearch stop` or the first Ctrl-C.
    Requested,
    /// The second Ctrl-C, SIGTERM or SIGHUP.
    Interrupted,
    /// The baseline no longer builds, runs or passes its checks.
    BaselineBroken,
    /// Less than `limits.diskFreeBytes` is free.
    DiskLow,
    /// Somebody moved or deleted the session's branch.
    BranchMoved,
    /// A keep that is another program when built from an empty cache cannot be reverted alone.
    UndoConflict,
    /// `stop.consecutiveCrashes`.
    ConsecutiveCrashes,
    /// `stop.agentCost`.
    AgentCost,
    /// `stop.file`.
    StopFile,
    /// An agent was not available for longer than its `maxWaitSeconds`, and no other source had candidates.
    AgentUnavailable,
}

macro_rules! display_as_serde {
    ($($name:ident),*) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.serialize(f)
            }
        }
    )*};
}
display_as_serde!(Status, Reason, Flag, StopRule);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_format() {
        assert_eq!(Status::ChecksFailed.to_string(), "checks_failed");
        assert_eq!(Reason::SealedPath.to_string(), "sealed_path");
        assert_eq!(StopRule::BaselineBroken.to_string(), "baseline_broken");
        assert_eq!(Reason::SealedPath.status(), Status::ChecksFailed);
    }
}
