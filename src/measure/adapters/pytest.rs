//! pytest-benchmark: the table at the end of pytest's output, or the file of `--benchmark-json`.
//!
//! The median of each benchmark is taken. The file says nothing of tests that failed: there it is pytest's exit code that
//! must end the script.

use serde::Deserialize;

use super::table::Table;
use super::text::{bad, failed, is_json, json};
use super::units::{nanoseconds, number};
use super::{AdapterError, Input};

#[derive(Deserialize)]
struct Report {
    benchmarks: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    /// `folder/test_file.py::Class::test_name`.
    #[serde(default)]
    fullname: String,
    stats: Stats,
}

#[derive(Deserialize)]
struct Stats {
    /// Seconds.
    median: f64,
}

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    if !is_json(&input.text) {
        return lines(&input.text, table);
    }
    let report: Report = json(input)?;
    for entry in &report.benchmarks {
        let place = entry.fullname.strip_suffix(&entry.name).unwrap_or_default().trim_end_matches(':');
        table.add(&place.replace("::", "/"), &entry.name, "ns", entry.stats.median * 1e9);
    }
    Ok(())
}

/// The columns of a table: how many stand behind the name, which of them is taken, and nanoseconds of its unit.
struct Columns {
    count: usize,
    taken: usize,
    factor: f64,
}

fn lines(text: &str, table: &mut Table) -> Result<(), AdapterError> {
    let mut columns: Option<Columns> = None;
    let mut rules = 0;
    for line in text.lines() {
        if line.starts_with("FAILED ") || line.starts_with("ERROR ") || is_failed_summary(line) {
            return Err(failed(line));
        }
        if line.starts_with("Name (time in ") {
            columns = Some(header(line)?);
            rules = 0;
        } else if line.starts_with("-----") {
            rules += 1;
            // The table stands between two rules; a title looks like one.
            columns = columns.filter(|_| rules < 2);
        } else if let (Some(columns), false) = (&columns, line.trim().is_empty()) {
            row(line, columns, table)?;
        }
    }
    Ok(())
}

/// Says whether this is pytest's last line and tells of failures: `2 failed, 1 passed in 0.40s`.
fn is_failed_summary(line: &str) -> bool {
    let words: Vec<&str> = line.trim_matches(['=', ' ']).split_whitespace().collect();
    let failed = |pair: &[&str]| {
        pair[0].parse::<u64>().is_ok() && matches!(pair[1].trim_end_matches(','), "failed" | "error" | "errors")
    };
    words.contains(&"in") && words.windows(2).any(failed)
}

fn header(line: &str) -> Result<Columns, AdapterError> {
    let titles: Vec<&str> = line.split("  ").map(str::trim).filter(|title| !title.is_empty()).collect();
    let (name, titles) = titles.split_first().ok_or_else(|| bad(line, "it has no column"))?;
    let unit = name.trim_start_matches("Name (time in ").trim_end_matches(')');
    let factor = nanoseconds(unit).ok_or_else(|| bad(line, "its unit of time is unknown"))?;
    let taken = ["Median", "Mean", "Min"].iter().find_map(|wanted| titles.iter().position(|title| title == wanted));
    let taken = taken.ok_or_else(|| bad(line, "it has no column Median, Mean or Min; see --benchmark-columns"))?;
    Ok(Columns { count: titles.len(), taken, factor })
}

/// Reads a row from its end: a value may be followed by its ratio to the best, as in `462.7000 (9.44)`.
fn row(line: &str, columns: &Columns, table: &mut Table) -> Result<(), AdapterError> {
    let mut rest = line.trim_end();
    let mut values = Vec::new();
    for _ in 0..columns.count {
        if let Some((before, _)) = rest.ends_with(')').then(|| rest.rsplit_once(" (")).flatten() {
            rest = before.trim_end();
        }
        let (before, value) = rest.rsplit_once(' ').ok_or_else(|| bad(line, "it has too few columns"))?;
        values.push(value);
        rest = before.trim_end();
    }
    values.reverse();
    let value = number(values[columns.taken]).ok_or_else(|| bad(line, "a value is not a number"))?;
    table.add("", rest.trim(), "ns", value * columns.factor);
    Ok(())
}
