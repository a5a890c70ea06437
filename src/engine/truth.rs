//! The known truth of an experiment's candidates, and whether the loop found it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::domain::{Change, Direction, MetricName, Reason, RunSummary, Status, Validated};

/// Says why a truth file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not of the form that this version reads.
    #[error("{path} is no truth file of format 1: {source}")]
    Parse {
        /// The file.
        path: std::path::PathBuf,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
}

/// A status and reason that the loop may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The status.
    pub status: Status,
    /// The reason.
    pub reason: Reason,
}

/// What is known of one candidate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// File name of the patch.
    pub patch: String,
    /// The class of the taxonomy that it stands for.
    pub kind: String,
    /// Patches that must have been kept before, for `expected` to hold.
    #[serde(default)]
    pub requires: Vec<String>,
    /// The outcomes that are right.
    pub expected: Vec<Expected>,
    /// For a keep, the band (in percent of the metric's change) that its estimate must lie in.
    #[serde(default)]
    pub band: Option<(f64, f64)>,
    /// Why that is the truth.
    pub why: String,
    /// What of the seed document it reproduces.
    #[serde(default)]
    pub seed: Option<String>,
}

/// What the kept candidates must have reached together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// The primary that the session validates.
    pub metric: MetricName,
    /// The largest change against the base that is right, in percent of the metric (in its own unit where the scale is a
    /// difference), measured by the session's last validation.
    #[serde(rename = "atMost")]
    pub at_most: f64,
}

/// What is known of an experiment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    #[expect(dead_code, reason = "the only format so far; its presence is required")]
    format: u32,
    /// The experiment's name.
    pub experiment: String,
    /// Programs that it needs beyond what every experiment needs, by name.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What all keeps reach together, where that is known.
    #[serde(default)]
    pub end: Option<End>,
    /// The largest difference, in percent, between the ends of two orders of the candidates that counts as none.
    #[serde(default, rename = "ordersWithin")]
    pub orders_within: f64,
    /// The candidates in the order in which they are tried.
    pub candidates: Vec<Truth>,
}

/// Whether what was found is what is true.
#[derive(Debug, Clone, PartialEq)]
pub enum Agreement {
    /// Found as it is.
    Agrees,
    /// Another outcome than any that is right.
    Differs,
    /// The right outcome, but an effect outside its band.
    OutOfBand {
        /// The band in percent.
        band: (f64, f64),
    },
    /// A patch that it needs was not kept, so nothing can be said.
    Undefined {
        /// The patch that it needs.
        needs: String,
    },
    /// No experiment tried it.
    NotTried,
}

/// Reads the truth of an experiment from its file.
pub fn read(path: &Path) -> Result<Known, TruthError> {
    let text = std::fs::read(path).map_err(|source| TruthError::Read { path: path.to_owned(), source })?;
    parse(&text, path)
}

/// Reads the truth of an experiment from the content of a file; `path` is for the message.
pub fn parse(text: &[u8], path: &Path) -> Result<Known, TruthError> {
    serde_json::from_slice(text).map_err(|source| TruthError::Parse { path: path.to_owned(), source })
}

/// Compares what the last validation says with what all keeps must reach; `None` where that is not known.
pub fn judge_end(end: Option<&End>, validated: Option<&Validated>) -> Option<bool> {
    let end = end?;
    let reached = |v: &Validated| v.metric == end.metric && v.change().value <= end.at_most;
    Some(validated.is_some_and(reached))
}

/// Compares one truth with what was found; `found` maps patch file names to settling lines.
pub fn judge(truth: &Truth, found: &BTreeMap<String, RunSummary>, direction: Direction) -> Agreement {
    let kept = |patch: &String| found.get(patch).is_some_and(|run| run.status == Status::Keep);
    if let Some(needs) = truth.requires.iter().find(|patch| !kept(patch)) {
        return Agreement::Undefined { needs: needs.clone() };
    }
    let Some(run) = found.get(&truth.patch) else { return Agreement::NotTried };
    if !truth.expected.contains(&Expected { status: run.status, reason: run.reason }) {
        return Agreement::Differs;
    }
    match (truth.band, &run.effect) {
        (Some(band), Some(effect)) if run.status == Status::Keep => {
            let change = Change::of_effect((effect.mu, effect.low, effect.high), effect.scale, direction).value;
            if (band.0..=band.1).contains(&change) { Agreement::Agrees } else { Agreement::OutOfBand { band } }
        }
        _ => Agreement::Agrees,
    }
}
