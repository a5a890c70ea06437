//! What the commits of a range claim against what was measured of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lens::ChangeView;
use super::session::ExperimentRow;
use crate::domain::{Event, ExperimentId, Flag, ProposalSource, Reason, Status};

/// What commits of ranges say of themselves, by the experiment that tried each; a fold over the journal.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Claims(BTreeMap<ExperimentId, Claim>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claim {
    commit: String,
    subject: String,
    claimed: Option<String>,
}

impl Claims {
    /// Folds one event; only proposals of commits say something here.
    pub fn apply(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        let (Some(id), Event::Proposed(proposed)) = (experiment, event) else { return };
        let ProposalSource::Commit(commit) = &proposed.source else { return };
        let claimed = proposed.asi.get("claimed").map(|claimed| match claimed {
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => claimed.to_string(),
        });
        let claim = Claim { commit: commit.clone(), subject: proposed.description.clone(), claimed };
        self.0.insert(id, claim);
    }

    /// Returns a row for each commit that was settled, in the order in which they were.
    pub(super) fn rows(&self, experiments: &[ExperimentRow]) -> Vec<ClaimRow> {
        experiments.iter().filter_map(|row| Some(ClaimRow::new(self.0.get(&row.experiment)?, row))).collect()
    }
}

/// One commit of a range: what it claims and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimRow {
    /// The commit of the range, by its full id.
    pub source: String,
    /// The first line of its message.
    pub subject: String,
    /// What it claims, in its own words; `None` where it claims nothing.
    pub claimed: Option<String>,
    /// The experiment that tried it.
    pub experiment: ExperimentId,
    /// The change that was measured; `None` where it did not come to numbers.
    pub change: Option<ChangeView>,
    /// The co-primary that the change is of; `None` for the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_of: Option<String>,
    /// What was done.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// Remarks.
    pub flags: Vec<Flag>,
}

impl ClaimRow {
    fn new(claim: &Claim, row: &ExperimentRow) -> Self {
        Self {
            source: claim.commit.clone(),
            subject: claim.subject.clone(),
            claimed: claim.claimed.clone(),
            experiment: row.experiment,
            change: row.change.clone(),
            change_of: row.change_of.clone(),
            status: row.status,
            reason: row.reason,
            flags: row.flags.clone(),
        }
    }

    /// Returns the first ten digits of the commit, for people.
    pub fn short(&self) -> &str {
        &self.source[..self.source.len().min(10)]
    }

    /// Says whether it was kept, and the keep stands.
    pub fn helps(&self) -> bool {
        self.status == Status::Keep && !self.flags.contains(&Flag::Undone)
    }
}
