//! The phases of one experiment.

use serde::{Deserialize, Serialize};

/// A phase of one experiment, in the order of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Closed ideas, duplicates, empty patches, scope and sealed paths.
    Screen,
    /// The patch becomes a tree and the slot's files.
    Apply,
    /// The configured `prepare` command (base code only).
    Prepare,
    /// The build command.
    Build,
    /// The executables in `checks/`.
    Check,
    /// The discarded warm-up run of each arm.
    Warmup,
    /// Pairs of the two arms.
    Measure,
    /// The decision rule.
    Decide,
    /// The held-out bench of a candidate about to be kept.
    Holdout,
    /// A keep rebuilt from an empty cache.
    VerifyClean,
    /// A keep rebuilt in the other slot, with the baseline in its own.
    Confirm,
    /// The branch moves and the slots swap, or the candidate is dropped.
    Settle,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Screen => "screen",
            Self::Apply => "apply",
            Self::Prepare => "prepare",
            Self::Build => "build",
            Self::Check => "check",
            Self::Warmup => "warm-up",
            Self::Measure => "measure",
            Self::Decide => "decide",
            Self::Holdout => "holdout",
            Self::VerifyClean => "clean rebuild",
            Self::Confirm => "confirmation",
            Self::Settle => "settle",
        })
    }
}
