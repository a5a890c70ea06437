//! Pairs: one run of the baseline and one of the candidate, back to back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Exit, MetricName};

/// One of the two programs that a pair compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The current best.
    Baseline,
    /// The change on trial.
    Candidate,
}

impl Arm {
    /// Returns the other arm.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Baseline => Self::Candidate,
            Self::Candidate => Self::Baseline,
        }
    }
}

impl std::fmt::Display for Arm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            Self::Candidate => "candidate",
        })
    }
}

/// Which arm of a pair ran first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The baseline, then the candidate.
    BaselineFirst,
    /// The candidate, then the baseline.
    CandidateFirst,
}

impl Order {
    /// Returns the arms in the order in which they run.
    pub fn arms(self) -> [Arm; 2] {
        match self {
            Self::BaselineFirst => [Arm::Baseline, Arm::Candidate],
            Self::CandidateFirst => [Arm::Candidate, Arm::Baseline],
        }
    }
}

/// What one run of the bench said: its metrics, each reduced to one value, and its invariants as printed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Values by metric, automatic metrics included.
    pub metrics: BTreeMap<MetricName, f64>,
    /// `INVARIANT` lines as `name=text`, in the order printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invariants: Vec<String>,
}

/// Why a pair does not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoidPair {
    /// The arm whose run failed first.
    pub arm: Arm,
    /// What happened, in one line.
    pub why: String,
    /// How the run ended, where it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
}

/// One complete pair of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The pair's number within its experiment, from 1; void attempts do not count.
    pub number: u32,
    /// Which arm ran first.
    pub order: Order,
    /// What the baseline's run said.
    pub baseline: Reading,
    /// What the candidate's run said.
    pub candidate: Reading,
}

impl Pair {
    /// Returns both arms' values of a metric, baseline first; `None` where either has none.
    pub fn values(&self, metric: &MetricName) -> Option<(f64, f64)> {
        Some((*self.baseline.metrics.get(metric)?, *self.candidate.metrics.get(metric)?))
    }

    /// Returns one arm's reading.
    pub fn reading(&self, arm: Arm) -> &Reading {
        match arm {
            Arm::Baseline => &self.baseline,
            Arm::Candidate => &self.candidate,
        }
    }
}
