//! A session as others read it: plain lines, CSV, and a copy of the journal for committing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::ImportError;
use crate::domain::{Asi, Calibrated, Decided, Direction, Event, Phase};
use crate::journal::{Reader, Record, encode};

/// A line of the plain form: those that the field's readers know.
#[derive(Debug, Clone, PartialEq)]
enum Line {
    Segment(Segment),
    Run(Box<Row>),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Segment {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "metricName", skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    #[serde(rename = "metricUnit")]
    unit: String,
    #[serde(rename = "bestDirection", skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<i64>,
    commit: Option<String>,
    metric: Option<f64>,
    metrics: BTreeMap<String, f64>,
    status: Option<String>,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    segment: u32,
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Asi::is_empty")]
    asi: Asi,
}

/// The paths of this machine that must not leave it, each with what stands in its place.
#[derive(Debug, Clone, Default)]
pub struct Paths(Vec<(String, &'static str)>);

impl Paths {
    /// Takes the paths with their words; longer ones are replaced first.
    pub fn new<'a>(paths: impl IntoIterator<Item = (&'a Path, &'static str)>) -> Self {
        let escaped = |path: &Path| json!(path.to_string_lossy()).to_string().trim_matches('"').to_owned();
        let mut all: Vec<_> = paths.into_iter().map(|(path, word)| (escaped(path), word)).collect();
        all.retain(|(path, _)| path.len() > 1);
        all.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(all)
    }

    /// Replaces the paths in a line of JSON.
    fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for (path, word) in &self.0 {
            if text.contains(path.as_str()) {
                text = Cow::Owned(replace_path(&text, path, word));
            }
        }
        text
    }
}

/// Replaces a path where it stands whole: `/home/a` is no part of `/home/ab` or `/mnt/home/a`.
fn replace_path(text: &str, path: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(path) {
        let (before, after) = (&rest[..at], &rest[at + path.len()..]);
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let mut next = after.chars();
        let goes_on = match next.next() {
            Some('.') => next.next().is_some_and(part),
            Some(c) => part(c),
            None => false,
        };
        // `n`, `t` and so on after a backslash are no letters of a path.
        let letter = before.chars().next_back().is_some_and(|c| part(c) || c == '.');
        let begins_inside = letter && !before[..before.len() - 1].ends_with('\\');
        out.push_str(before);
        out.push_str(if goes_on || begins_inside { path } else { word });
        rest = after;
    }
    out + rest
}

/// Writes the plain form: a config line for each segment, a line for each run.
pub fn plain(journal: &Path, paths: &Paths) -> Result<String, ImportError> {
    let mut text = String::new();
    for line in lines(journal)? {
        let line = match line {
            Line::Segment(segment) => serde_json::to_string(&segment)?,
            Line::Run(row) => serde_json::to_string(&row)?,
        };
        text += &paths.hide(&line);
        text.push('\n');
    }
    Ok(text)
}

/// Writes a table with commas: a row for each run, a column for each metric.
pub fn csv(journal: &Path, paths: &Paths) -> Result<String, ImportError> {
    let lines = lines(journal)?;
    let rows: Vec<&Row> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Run(row) => Some(row.as_ref()),
            Line::Segment(_) => None,
        })
        .collect();
    let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.metrics.keys().map(String::as_str)).collect();
    let head = ["run", "segment", "status", "metric", "confidence", "commit", "timestamp", "description"];
    let mut text = record(head.into_iter().chain(names.iter().copied()).map(Cow::Borrowed));
    for row in rows {
        let number = |value: Option<f64>| Cow::Owned(value.map_or_else(String::new, |value| value.to_string()));
        let time = row.timestamp.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let words = |text: Option<&str>| Cow::Owned(paths.hide(text.unwrap_or_default()).into_owned());
        let fixed = [
            Cow::Owned(row.run.map_or_else(String::new, |run| run.to_string())),
            Cow::Owned(row.segment.to_string()),
            words(row.status.as_deref()),
            number(row.metric),
            number(row.confidence),
            words(row.commit.as_deref()),
            Cow::Owned(time.map_or_else(String::new, |time| time.to_string())),
            words(Some(&row.description)),
        ];
        text += &record(fixed.into_iter().chain(names.iter().map(|name| number(row.metrics.get(*name).copied()))));
    }
    Ok(text)
}

/// Writes one record of RFC 4180.
fn record<'c>(cells: impl Iterator<Item = Cow<'c, str>>) -> String {
    let cell = |cell: Cow<'c, str>| {
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.into_owned()
        }
    };
    cells.map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

fn lines(journal: &Path) -> Result<Vec<Line>, ImportError> {
    let mut lines = Vec::new();
    for entry in Reader::open(journal)?.records() {
        let entry = entry?;
        if matches!(entry.kind(), "config" | "run" | "imported_segment" | "imported_run") {
            lines.extend(entry.event()?.and_then(line));
        }
    }
    Ok(lines)
}

fn line(event: Event) -> Option<Line> {
    match event {
        Event::Configured(c) => Some(Line::Segment(Segment {
            kind: "config",
            name: Some(c.name),
            metric: Some(c.metric_name.to_string()),
            unit: c.metric_unit,
            direction: Some(c.best_direction),
        })),
        Event::ImportedSegment(s) => {
            // Runs that came without a config line, and say nothing of their goal, need none to be read again.
            let said = s.line.is_some() || s.name.is_some() || s.metric.is_some() || s.direction.is_some();
            let (name, metric, unit, direction) = (s.name, s.metric, s.unit, s.direction);
            said.then_some(Line::Segment(Segment { kind: "config", name, metric, unit, direction }))
        }
        Event::Run(run) => Some(Line::Run(Box::new(Row {
            run: Some(i64::from(run.run)),
            commit: Some(run.commit.to_string()),
            metric: run.metric,
            metrics: run.metrics.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            status: Some(run.status.to_string()),
            description: run.description,
            timestamp: Some(run.timestamp),
            segment: run.segment,
            confidence: run.confidence,
            asi: run.asi,
        }))),
        Event::ImportedRun(run) => Some(Line::Run(Box::new(Row {
            run: run.written_run,
            commit: run.commit,
            metric: run.metric,
            metrics: run.metrics,
            status: run.status,
            description: run.description,
            timestamp: run.timestamp,
            segment: run.segment,
            confidence: run.confidence,
            asi: run.asi,
        }))),
        _ => None,
    }
}

/// What a copy for committing holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// The journal.
    pub journal: PathBuf,
    /// Patches beside it.
    pub patches: usize,
    /// Lines of the journal that tell of the holdout and were left out.
    pub held_out: usize,
}

/// Copies a session's journal and patches into a folder of the checkout.
///
/// Paths of this machine are replaced. What was measured by the holdout is left out: whoever proposes the next candidate
/// reads what is committed.
pub fn copy(state: &Path, to: &Path, paths: &Paths) -> Result<Copied, ImportError> {
    let journal = state.join("journal.jsonl");
    let reader = Reader::open(&journal)?;
    let target = to.join("journal.jsonl");
    let session = reader.header().session;
    if target.exists() && Reader::open(&target).ok().is_none_or(|other| other.header().session != session) {
        return Err(ImportError::InTheWay { path: target });
    }
    fs::create_dir_all(to).map_err(ImportError::io("create", to))?;
    let mut out = tempfile::NamedTempFile::new_in(to).map_err(ImportError::io("write in", to))?;
    let mut head = String::new();
    let first = File::open(&journal).and_then(|file| BufReader::new(file).read_line(&mut head));
    first.map_err(ImportError::io("read", &journal))?;
    out.write_all(head.as_bytes()).map_err(ImportError::io("write", &target))?;
    let mut held_out = 0;
    for entry in reader.records() {
        match shown(&entry?)? {
            Some((line, whole)) => {
                held_out += usize::from(!whole);
                let line = format!("{}\n", paths.hide(line.trim_end_matches('\n')));
                out.write_all(line.as_bytes()).map_err(ImportError::io("write", &target))?;
            }
            None => held_out += 1,
        }
    }
    readable(&out).map_err(ImportError::io("write", &target))?;
    out.persist(&target).map_err(|error| ImportError::io("write", &target)(error.error))?;
    Ok(Copied { journal: target, patches: patches(state, to)?, held_out })
}

/// Gives a temporary file the permissions of any other, and makes it durable.
fn readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()
}

/// Returns a record's line without what the holdout measured, and whether that is all of it; `None` where nothing is left.
fn shown(entry: &Record) -> Result<Option<(String, bool)>, ImportError> {
    let whole = || Ok(Some((entry.raw().to_owned(), true)));
    if !matches!(entry.kind(), "pair" | "phase" | "decided" | "calibrated") {
        return whole();
    }
    let event = match entry.event()? {
        Some(Event::Pair(pair)) if pair.holdout => return Ok(None),
        Some(Event::PhaseStarted(phase)) if phase.phase == Phase::Holdout => return Ok(None),
        Some(Event::PhaseEnded(phase)) if phase.phase == Phase::Holdout => return Ok(None),
        Some(Event::Decided(decided)) if !decided.holdout.is_empty() => {
            Event::Decided(Box::new(Decided { holdout: Vec::new(), ..*decided }))
        }
        Some(Event::Calibrated(calibrated)) if calibrated.holdout.is_some() => {
            Event::Calibrated(Box::new(Calibrated { holdout: None, ..*calibrated }))
        }
        Some(_) | None => return whole(),
    };
    let mut line = Vec::new();
    encode(&mut line, entry.at, entry.experiment, &event)?;
    Ok(Some((String::from_utf8_lossy(&line).into_owned(), false)))
}

/// Copies the patch of every experiment, kept or dropped; returns how many.
fn patches(state: &Path, to: &Path) -> Result<usize, ImportError> {
    let runs = state.join("runs");
    let mut count = 0;
    if !runs.is_dir() {
        return Ok(count);
    }
    for run in fs::read_dir(&runs).map_err(ImportError::io("list", &runs))? {
        let run = run.map_err(ImportError::io("list", &runs))?;
        let patch = run.path().join("candidate.patch");
        if patch.is_file() {
            let folder = to.join("runs").join(run.file_name());
            fs::create_dir_all(&folder).map_err(ImportError::io("create", &folder))?;
            let copy = folder.join("candidate.patch");
            fs::copy(&patch, &copy).map_err(ImportError::io("write", &copy))?;
            count += 1;
        }
    }
    Ok(count)
}
