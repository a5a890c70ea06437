//! What became of accepted keeps: a review branch, and what it was measured to be worth.

use serde::{Deserialize, Serialize};

use super::{ExperimentId, ObjectId, Validated};

/// A review branch that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finalized {
    /// The group of keeps that it holds.
    pub group: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The commit that it was built on.
    pub onto: ObjectId,
    /// Its last commit.
    pub tip: ObjectId,
    /// Its commits, oldest first.
    pub commits: Vec<FinalizedKeep>,
    /// What the whole branch is worth on that base; `None` where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Box<Validated>>,
}

/// A keep as a commit of a review branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinalizedKeep {
    /// The keep.
    pub experiment: ExperimentId,
    /// The commit.
    pub commit: ObjectId,
    /// What it is worth on the commit before it; `None` where that is the whole branch, or was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Box<Validated>>,
}

impl Finalized {
    /// Returns what a commit of the branch is worth on the one before it, where that was measured.
    pub fn worth<'a>(&'a self, keep: &'a FinalizedKeep) -> Option<&'a Validated> {
        let alone = self.measured.as_deref().filter(|_| self.commits.len() == 1);
        keep.measured.as_deref().or(alone)
    }

    /// Returns the largest number that coins of its measurements followed from; 0 without one.
    pub fn last_number(&self) -> u32 {
        let all = self.commits.iter().filter_map(|keep| keep.measured.as_ref()).chain(&self.measured);
        all.map(|measured| measured.number).max().unwrap_or(0)
    }
}
