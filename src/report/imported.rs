//! The view of what was read from other tools' logs: as written there, not measured and not validated here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{Imported, ImportedSegment, ObjectId};
use crate::state::{ImportedHistory, ImportedRecord};

/// What was imported into a session.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportedView {
    /// The files, each with what became of its lines.
    pub files: Vec<Imported>,
    /// The parts with one goal each.
    pub segments: Vec<ImportedSegment>,
    /// Runs by their status as written; those without one stand under the empty text.
    pub statuses: BTreeMap<String, usize>,
    /// Every run in the order of its line.
    pub runs: Vec<ImportedRow>,
}

/// A run of another tool's log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportedRow {
    /// Its number here, from 1.
    pub number: u32,
    /// The number that the log gives it.
    pub run: Option<i64>,
    /// The status as written.
    pub status: Option<String>,
    /// Always `imported`: what a keep of it gained was never validated.
    pub flags: [&'static str; 1],
    /// The primary as written.
    pub metric: Option<f64>,
    /// The change from the segment's first number, in percent, as the log has them: no measurement of this program.
    pub change: Option<f64>,
    /// The commit as written.
    pub commit: Option<String>,
    /// The commit of this repository that it names.
    pub object: Option<ObjectId>,
    /// One line.
    pub description: String,
    /// Number of its segment.
    pub segment: u32,
    /// When it was written.
    pub at: Option<Timestamp>,
}

impl ImportedView {
    /// Makes the view; `None` where nothing was imported.
    pub fn new(history: &ImportedHistory) -> Option<Self> {
        if history.is_empty() {
            return None;
        }
        let mut first: BTreeMap<u32, f64> = BTreeMap::new();
        let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
        let mut runs = Vec::with_capacity(history.runs().len());
        for record in history.runs() {
            let base = record.metric.map(|metric| *first.entry(record.segment).or_insert(metric));
            *statuses.entry(record.status.as_deref().unwrap_or_default().to_owned()).or_default() += 1;
            runs.push(row(record, base));
        }
        Some(Self { files: history.files().to_vec(), segments: history.segments().to_vec(), statuses, runs })
    }

    /// Returns the runs that the log calls keeps, with exactly this word.
    pub fn keeps(&self) -> impl Iterator<Item = &ImportedRow> {
        self.runs.iter().filter(|row| row.said_keep())
    }

    /// Counts the lines that could not be understood.
    pub fn unread(&self) -> usize {
        self.files.iter().map(|file| file.unread.len()).sum()
    }
}

impl ImportedRow {
    /// Says whether the log calls it a keep.
    pub fn said_keep(&self) -> bool {
        self.status.as_deref() == Some("keep")
    }
}

fn row(record: &ImportedRecord, base: Option<f64>) -> ImportedRow {
    let change = |metric: f64, base: f64| {
        let change = 100.0 * (metric / base - 1.0);
        (metric * base > 0.0 && change.is_finite()).then_some(change)
    };
    ImportedRow {
        number: record.number,
        run: record.written_run,
        status: record.status.as_deref().map(str::to_owned),
        flags: ["imported"],
        metric: record.metric,
        change: record.metric.zip(base).and_then(|(metric, base)| change(metric, base)),
        commit: record.commit.as_deref().map(str::to_owned),
        object: record.object(),
        description: record.description.to_string(),
        segment: record.segment,
        at: record.timestamp.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
    }
}
