//! The fold of other tools' logs: small rows beside the session's own experiments, counted among none of them.

use serde::{Deserialize, Serialize};

use super::experiment::{PackedId, cut};
use crate::domain::{Imported, ImportedRun, ImportedSegment, ObjectId};

/// What was read from other tools' logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportedHistory {
    files: Vec<Imported>,
    segments: Vec<ImportedSegment>,
    runs: Vec<ImportedRecord>,
}

/// A run of another tool's log: what `log` needs of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedRecord {
    /// Its number in this journal, from 1.
    pub number: u32,
    /// Its line in the source.
    pub line: u64,
    /// The number that the log gives it.
    pub written_run: Option<i64>,
    /// Number of its segment.
    pub segment: u32,
    /// The status as written, cut at 96 bytes.
    pub status: Option<Box<str>>,
    /// The primary as written.
    pub metric: Option<f64>,
    /// Milliseconds since 1970 (UTC).
    pub timestamp: Option<i64>,
    /// One line, cut at 96 bytes.
    pub description: Box<str>,
    /// The commit as written, cut at 96 bytes.
    pub commit: Option<Box<str>>,
    object: Option<PackedId>,
}

impl ImportedRecord {
    /// Returns the commit of this repository that the log names.
    pub fn object(&self) -> Option<ObjectId> {
        self.object.map(PackedId::unpack)
    }

    /// Says whether the log calls it a keep, with exactly this word; nothing here has validated that.
    pub fn said_keep(&self) -> bool {
        self.status.as_deref() == Some("keep")
    }
}

impl ImportedHistory {
    /// Says whether nothing was imported.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.runs.is_empty()
    }

    /// Returns the files that were read, in order.
    pub fn files(&self) -> &[Imported] {
        &self.files
    }

    /// Returns the segments, in order.
    pub fn segments(&self) -> &[ImportedSegment] {
        &self.segments
    }

    /// Returns the runs in the order of their lines.
    pub fn runs(&self) -> &[ImportedRecord] {
        &self.runs
    }

    /// Returns the segment of a number.
    pub fn segment(&self, number: u32) -> Option<&ImportedSegment> {
        self.segments.iter().find(|segment| segment.segment == number)
    }

    pub(super) fn end(&mut self, file: &Imported) {
        self.files.push(file.clone());
    }

    pub(super) fn begin(&mut self, segment: &ImportedSegment) {
        self.segments.push(segment.clone());
    }

    pub(super) fn add(&mut self, run: &ImportedRun) {
        self.runs.push(ImportedRecord {
            number: run.number,
            line: run.line,
            written_run: run.written_run,
            segment: run.segment,
            status: run.status.as_deref().map(cut),
            metric: run.metric,
            timestamp: run.timestamp,
            description: cut(&run.description),
            commit: run.commit.as_deref().map(cut),
            object: run.object.as_ref().map(PackedId::new),
        });
    }
}
