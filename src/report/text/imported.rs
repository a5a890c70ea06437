//! Imported history as `log`, `status` and `show` print it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::labelled;
use crate::domain::{Imported, ImportedRun, ImportedSegment, number};
use crate::report::grid::{Cell, Column, Grid, Screen, Tone};
use crate::report::imported::{ImportedRow, ImportedView};
use crate::report::lens::with_unit;

/// Keeps that `status` lists.
const KEEPS: usize = 10;
/// Lines that were not understood and are listed; the JSON has all.
const UNREAD: usize = 20;

/// Writes every imported run, a table for each segment that has any.
pub fn imported_log(view: &ImportedView, screen: Screen) -> String {
    let mut text: String =
        view.files.iter().flat_map(|file| ["imported from ".to_owned(), told(file), "\n".to_owned()]).collect();
    text += "as written there; nothing of it was measured or validated here\n";
    for segment in &view.segments {
        let rows: Vec<&ImportedRow> = view.runs.iter().filter(|row| row.segment == segment.segment).collect();
        if !rows.is_empty() {
            let _ = write!(text, "\n{}\n{}", goal(segment), grid(&rows, view, screen));
        }
    }
    text + &unread(view)
}

/// Writes what was imported, and the last keeps that it tells of.
pub fn imported_status(view: &ImportedView, screen: Screen) -> String {
    let mut text: String = view.files.iter().map(|file| labelled("imported", &told(file))).collect();
    text += &labelled("", "as written there; nothing of it was measured or validated here");
    let last = view.runs.last().and_then(|row| view.segments.iter().find(|segment| segment.segment == row.segment));
    text += &labelled("goal", &last.map(goal).unwrap_or_default());
    let word = |status: &str| if status.is_empty() { "without status".to_owned() } else { status.to_owned() };
    let statuses: Vec<String> = view.statuses.iter().map(|(status, n)| format!("{n} {}", word(status))).collect();
    text += &labelled("runs", &format!("{}: {}", view.runs.len(), statuses.join(", ")));
    let keeps: Vec<&ImportedRow> = view.keeps().collect();
    if !keeps.is_empty() {
        let shown = &keeps[keeps.len().saturating_sub(KEEPS)..];
        let _ = write!(text, "\nthe last {} of {} keeps:\n{}", shown.len(), keeps.len(), grid(shown, view, screen));
    }
    text + &unread(view)
}

/// Writes one imported run whole.
pub fn imported_run(run: &ImportedRun) -> String {
    let written = run.written_run.map_or_else(String::new, |written| format!(", run {written} there"));
    let mut text = format!("imported run {} (line {}{written}): {}\n", run.number, run.line, run.description);
    text += &labelled("status", &status(run.status.as_deref()));
    text += &labelled("metric", &run.metric.map(number).unwrap_or_default());
    for (name, value) in &run.metrics {
        text += &labelled("", &format!("{name} {}", number(*value)));
    }
    text += &labelled("commit", run.commit.as_deref().unwrap_or_default());
    text += &labelled("is", run.object.as_ref().map_or("", |object| object.as_str()));
    text += &labelled("segment", &run.segment.to_string());
    for (key, value) in &run.asi {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text += &labelled("asi", &format!("{key}: {value}"));
    }
    for remark in &run.remarks {
        text += &labelled("remark", remark);
    }
    text
}

fn told(file: &Imported) -> String {
    let Imported { source, lines, runs, configs, hooks, blank, unread, .. } = file;
    let parts =
        [(*configs, "config"), (*hooks, "of hooks"), (*blank, "blank"), (unread.len() as u64, "not understood")];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    let all: Vec<String> = std::iter::once(format!("{runs} runs")).chain(parts).collect();
    format!("{source}: {lines} lines: {}", all.join(", "))
}

fn goal(segment: &ImportedSegment) -> String {
    let name = segment.name.as_deref().unwrap_or("without a name");
    let metric = segment.metric.as_deref().unwrap_or("a metric without a name");
    let better = segment.direction.map_or_else(String::new, |direction| format!(", {direction} is better"));
    format!("segment {}: {name} ({}{better})", segment.segment, with_unit(metric, &segment.unit))
}

/// Writes a status; a keep is never one of this program's.
fn status(status: Option<&str>) -> String {
    match status {
        Some("keep") => "keep (not validated)".to_owned(),
        Some(status) => status.to_owned(),
        None => "-".to_owned(),
    }
}

fn grid(rows: &[&ImportedRow], view: &ImportedView, screen: Screen) -> String {
    let units: BTreeMap<u32, &str> = view.segments.iter().map(|s| (s.segment, s.unit.as_str())).collect();
    let columns = [
        Column::Number("#"),
        Column::Number("run"),
        Column::Text("status"),
        Column::Number("metric"),
        Column::Number("of first"),
        Column::Text("commit"),
        Column::Flexible("description"),
    ];
    let mut grid = Grid::new(&columns, screen);
    for row in rows {
        let tone = if row.said_keep() { Tone::Mild } else { Tone::Plain };
        let commit = match (&row.object, &row.commit) {
            (Some(object), _) => object.short().to_owned(),
            (None, Some(text)) => format!("({})", text.chars().take(12).collect::<String>()),
            (None, None) => String::new(),
        };
        let metric = row
            .metric
            .map(|metric| with_unit(&number(metric), units.get(&row.segment).unwrap_or(&"")))
            .unwrap_or_default();
        grid.row([
            row.number.to_string().into(),
            row.run.map(|run| run.to_string()).unwrap_or_default().into(),
            Cell::toned(&status(row.status.as_deref()), tone),
            metric.into(),
            row.change.map(|change| format!("{change:+.1} %")).unwrap_or_default().into(),
            commit.into(),
            row.description.as_str().into(),
        ]);
    }
    grid.text()
}

fn unread(view: &ImportedView) -> String {
    let all = view.files.iter().flat_map(|file| file.unread.iter().map(move |unread| (file, unread)));
    let line = |(file, unread): (&Imported, &crate::domain::Unread)| {
        format!("  {}:{}: {}\n", file.source, unread.line, unread.why)
    };
    let lines: String = all.take(UNREAD).map(line).collect();
    let count = view.unread();
    if count == 0 {
        return String::new();
    }
    let more =
        if count > UNREAD { format!("  and {} more; --json lists all\n", count - UNREAD) } else { String::new() };
    format!("\nnot understood, and kept as they are:\n{lines}{more}")
}
