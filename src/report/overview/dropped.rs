//! What was tried and not kept, by why it was dropped and by the mechanism that was found.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{ExperimentId, Reason, Status};
use crate::report::lens::ChangeView;
use crate::report::session::ExperimentRow;

/// What a settling line says of a dropped candidate besides its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remark {
    /// Why it did not work, as its proposer says.
    pub mechanism: Option<Box<str>>,
    /// What exactly dropped it: the check, the sentinel, the path.
    pub detail: Option<Box<str>>,
}

/// All candidates dropped for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DroppedGroup {
    /// The reason.
    pub reason: Reason,
    /// What was done.
    pub status: Status,
    /// How many they are.
    pub count: usize,
    /// Those of one mechanism together; those that nobody explained last.
    pub mechanisms: Vec<MechanismGroup>,
}

/// Candidates that did not work in the same way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MechanismGroup {
    /// Why not, as their proposer says.
    pub mechanism: Option<String>,
    /// The candidates, in order.
    pub experiments: Vec<DroppedRow>,
}

/// One dropped candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DroppedRow {
    /// Its experiment.
    pub experiment: ExperimentId,
    /// One line.
    pub description: String,
    /// What exactly dropped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The idea that it tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idea: Option<String>,
    /// The change of the primary as measured.
    pub change: Option<ChangeView>,
    /// The co-primary that the change is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_of: Option<String>,
}

/// Groups what was not kept, the most frequent reason first.
pub(super) fn groups<'a>(
    rows: impl Iterator<Item = &'a ExperimentRow>,
    remarks: &BTreeMap<ExperimentId, Remark>,
) -> Vec<DroppedGroup> {
    type Mechanisms = BTreeMap<(bool, String), Vec<DroppedRow>>;
    let mut reasons: BTreeMap<(Status, Reason), Mechanisms> = BTreeMap::new();
    for row in rows.filter(|row| row.status != Status::Keep) {
        let remark = remarks.get(&row.experiment);
        let mechanism = remark.and_then(|remark| remark.mechanism.as_deref());
        let key = (mechanism.is_none(), mechanism.unwrap_or_default().to_owned());
        let rows = reasons.entry((row.status, row.reason)).or_default().entry(key).or_default();
        rows.push(dropped(row, remark));
    }
    let mut groups: Vec<DroppedGroup> = reasons
        .into_iter()
        .map(|((status, reason), mechanisms)| DroppedGroup {
            reason,
            status,
            count: mechanisms.values().map(Vec::len).sum(),
            mechanisms: mechanisms.into_iter().map(group).collect(),
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

fn group(((untold, mechanism), experiments): ((bool, String), Vec<DroppedRow>)) -> MechanismGroup {
    MechanismGroup { mechanism: (!untold).then_some(mechanism), experiments }
}

fn dropped(row: &ExperimentRow, remark: Option<&Remark>) -> DroppedRow {
    DroppedRow {
        experiment: row.experiment,
        description: row.description.clone(),
        detail: remark.and_then(|remark| remark.detail.as_deref()).map(str::to_owned),
        idea: row.idea.clone(),
        change: row.change.clone(),
        change_of: row.change_of.clone(),
    }
}
