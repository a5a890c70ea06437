//! criterion.rs: the text of `cargo bench`, or `new/estimates.json` of every benchmark below its folder.
//!
//! Of a file the median is taken; the text has only the typical value (the middle of the three).

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::table::Table;
use super::text::{self, bad, is_json, json};
use super::units::{nanoseconds, quantity, time};
use super::{AdapterError, Input};

/// Folder levels below the one that was named: group, function and value, and the run.
const DEPTH: usize = 8;

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

/// Lists the estimates of the last run below a folder, in the order of their paths.
pub(super) fn folder(root: &Path) -> Result<Vec<Input>, AdapterError> {
    let mut files = Vec::new();
    find(root, DEPTH, &mut files)?;
    files.sort();
    let input = |path: &PathBuf| Ok(Input { from: path.display().to_string(), text: text::file(path)? });
    files.iter().map(input).collect()
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), AdapterError> {
    let refused = |source| AdapterError::Io { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let new = path.join("estimates.json");
        if path.ends_with("new") && new.is_file() {
            files.push(new);
        } else if depth > 0 && path.is_dir() && !path.is_symlink() {
            find(&path, depth - 1, files)?;
        }
    }
    Ok(())
}

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    if is_json(&input.text) { estimates(input, table) } else { lines(&input.text, table) }
}

/// Reads one `estimates.json`; the name stands in the file beside it, else in the path.
fn estimates(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    let estimates: Estimates = json(input)?;
    let path = Path::new(&input.from);
    let beside = path.with_file_name("benchmark.json");
    let name = if beside.is_file() {
        let from = beside.display().to_string();
        json::<Benchmark>(&Input { from, text: text::file(&beside)? })?.full_id
    } else {
        path.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
    };
    table.add("", &name, "ns", estimates.median.point_estimate);
    Ok(())
}

/// Reads `<name> time: [<low> <typical> <high>]`; a long name stands on the line before.
fn lines(text: &str, table: &mut Table) -> Result<(), AdapterError> {
    let mut name = String::new();
    for line in text.lines() {
        if line.contains("panicked at") {
            return Err(text::failed(line));
        }
        let indented = line.starts_with(' ');
        let Some((before, values)) = line.split_once("time:   [").or_else(|| line.split_once("time: [")) else {
            match line.split_once(" thrpt:") {
                Some((_, values)) if !values.contains('%') => throughput(line, &name, values, table)?,
                None if !indented && !line.trim().is_empty() => line.trim().clone_into(&mut name),
                Some(_) | None => {}
            }
            continue;
        };
        if values.contains('%') {
            continue;
        }
        if !before.trim().is_empty() {
            before.trim().clone_into(&mut name);
        }
        let typical = middle(values).and_then(|value| time(&value));
        let typical = typical.ok_or_else(|| bad(line, "expected three times in brackets"))?;
        table.add("", &name, "ns", typical);
    }
    Ok(())
}

fn throughput(line: &str, name: &str, values: &str, table: &mut Table) -> Result<(), AdapterError> {
    let values = values.trim_start().trim_start_matches('[');
    let rate = middle(values).and_then(|value| {
        let (value, unit) = quantity(&value)?;
        rate(value, unit)
    });
    let (what, value) = rate.ok_or_else(|| bad(line, "expected three rates in brackets"))?;
    table.add("", name, what, value);
    Ok(())
}

/// Makes a rate equal: bytes or elements a second.
fn rate(value: f64, unit: &str) -> Option<(&'static str, f64)> {
    let unit = unit.strip_suffix("/s")?;
    if let Some(bytes) = super::units::bytes(unit) {
        return Some(("bytes_per_s", value * bytes));
    }
    let factor = match unit {
        "elem" => 1.0,
        "Kelem" => 1e3,
        "Melem" => 1e6,
        "Gelem" => 1e9,
        _ => return None,
    };
    Some(("elements_per_s", value * factor))
}

/// Returns the middle of three values with their units: `1.0 ns 1.1 ns 1.2 ns]`.
fn middle(values: &str) -> Option<String> {
    let words: Vec<&str> = values.split(']').next()?.split_whitespace().collect();
    let [_, low, middle, unit, _, high] = words.as_slice() else { return None };
    let same_kind = |unit: &str| nanoseconds(unit).is_some() || unit.ends_with("/s");
    ([low, unit, high].iter().all(|unit| same_kind(unit))).then(|| format!("{middle} {unit}"))
}
