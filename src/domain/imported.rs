//! What was read from another tool's log: rows as written there, nothing of which was measured or validated here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Asi, Direction, ObjectId};

/// A log of another tool that was read; its `imported_segment` and `imported_run` lines stand before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The file's name.
    pub source: String,
    /// Where its bytes are kept, relative to the journal's folder.
    pub raw: String,
    /// Hash (BLAKE3, hex) of its bytes.
    pub hash: String,
    /// Its lines; each is counted in one of the following.
    pub lines: u64,
    /// Lines that became an `imported_run`.
    pub runs: u64,
    /// Lines that begin a segment, and a table's head.
    pub configs: u64,
    /// Lines of hooks, which say nothing of a run.
    pub hooks: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Lines that could not be understood.
    pub unread: Vec<Unread>,
}

/// A line that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// A part of an imported log with one goal: what its config line says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportedSegment {
    /// Its number in this journal, from 0, counted from config lines.
    pub segment: u32,
    /// Its line in the source; `None` where runs came without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The session's name as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The primary metric as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Its unit; may be empty.
    #[serde(default)]
    pub unit: String,
    /// Which way it is better, where the log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
}

/// A run of an imported log, as written there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedRun {
    /// Its number in this journal, from 1, in the order of the lines.
    pub number: u32,
    /// Its line in the source.
    pub line: u64,
    /// The number that the log gives it: these repeat, go back and leave gaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_run: Option<i64>,
    /// The segment that the config lines before it count.
    pub segment: u32,
    /// The status as written, also one that this program does not know; `None` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The primary as written; `None` where it is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<f64>,
    /// Other metrics as written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// One line.
    #[serde(default)]
    pub description: String,
    /// Milliseconds since 1970 (UTC), from whatever form the log has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// The commit as written, which may be any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit of this repository that the text names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// The other tool's own score; no evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Side information; what was no object stands under `text`.
    #[serde(default, skip_serializing_if = "Asi::is_empty")]
    pub asi: Asi,
    /// What of the line was not taken as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}
