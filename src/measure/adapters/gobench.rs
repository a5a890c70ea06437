//! `go test -bench`, as text or as the events of `-json`.
//!
//! A line is `BenchmarkName[-GOMAXPROCS] <iterations> { <value> <unit> }` (the format of
//! golang.org/design/14313-benchmark-format); a package begins with `pkg: <path>`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::table::Table;
use super::text::{bad, failed, is_json};
use super::units::number;
use super::{AdapterError, Input};

/// One line of a benchmark.
struct Row {
    package: String,
    name: String,
    values: Vec<(f64, String)>,
}

/// One event of `go test -json`.
#[derive(Deserialize)]
struct TestEvent {
    #[serde(default, rename = "Package")]
    package: String,
    #[serde(default, rename = "Output")]
    output: String,
}

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    let rows = if is_json(&input.text) { events(input)? } else { rows(&input.text, "")? };
    let suffix = cores_suffix(&rows);
    for row in rows {
        let name = suffix.as_deref().and_then(|suffix| row.name.strip_suffix(suffix)).unwrap_or(&row.name);
        for (value, unit) in row.values {
            let (what, factor) = measure(&unit);
            table.add(&row.package, name, &what, value * factor);
        }
    }
    Ok(())
}

/// Puts the output of each package together; an event may hold a part of a line only.
fn events(input: &Input) -> Result<Vec<Row>, AdapterError> {
    let mut packages: Vec<(String, String)> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    for line in input.text.lines() {
        if !is_json(line) {
            // What a build says stands between the events.
            if is_end_of_failure(line) {
                return Err(failed(line));
            }
            continue;
        }
        let event: TestEvent =
            serde_json::from_str(line).map_err(|source| AdapterError::Json { from: input.from.clone(), source })?;
        let at = *place.entry(event.package.clone()).or_insert(packages.len());
        if at == packages.len() {
            packages.push((event.package, String::new()));
        }
        packages[at].1.push_str(&event.output);
    }
    let mut all = Vec::new();
    for (package, text) in packages {
        all.extend(rows(&text, &package)?);
    }
    Ok(all)
}

fn rows(text: &str, package: &str) -> Result<Vec<Row>, AdapterError> {
    let mut package = package.to_owned();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("pkg: ") {
            path.trim().clone_into(&mut package);
        } else if line.trim_start().starts_with("--- FAIL") || is_end_of_failure(line) {
            return Err(failed(line));
        } else if let Some(rest) = line.strip_prefix("Benchmark") {
            rows.extend(row(line, rest, &package)?);
        } else if line.contains(" ns/op")
            && line.split_whitespace().next().is_some_and(|word| word.parse::<u64>().is_ok())
        {
            return Err(bad(
                line,
                "a benchmark printed something between its name and its numbers; let it print nothing",
            ));
        }
    }
    Ok(rows)
}

/// Says whether a line ends a package that failed, panicked or did not build.
fn is_end_of_failure(line: &str) -> bool {
    let word = line.split_whitespace().next();
    word == Some("FAIL") || line.starts_with("panic: ") || line.starts_with("fatal error: ")
}

/// Reads a benchmark's line; `None` where it has no numbers, as when the benchmark only begins or is skipped.
fn row(line: &str, rest: &str, package: &str) -> Result<Option<Row>, AdapterError> {
    let mut words = rest.split_whitespace();
    let is_name = !rest.starts_with(|c: char| c.is_whitespace() || c.is_lowercase());
    let (true, Some(name), Some(iterations)) = (is_name, words.next(), words.next()) else { return Ok(None) };
    if iterations.parse::<u64>().is_err() {
        return Ok(None);
    }
    let mut values = Vec::new();
    while let (Some(value), Some(unit)) = (words.next(), words.next()) {
        let value = number(value).ok_or_else(|| bad(line, "a value is not a number"))?;
        values.push((value, unit.to_owned()));
    }
    if values.is_empty() {
        return Err(bad(line, "it has no value"));
    }
    Ok(Some(Row { package: package.to_owned(), name: name.to_owned(), values }))
}

/// Returns the `-8` that every name ends with: the number of cores, which says nothing where it is always the same.
fn cores_suffix(rows: &[Row]) -> Option<String> {
    let suffix = |name: &str| {
        let (_, digits) = name.rsplit_once('-')?;
        let digits = (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)?;
        Some(format!("-{digits}"))
    };
    let first = suffix(&rows.first()?.name)?;
    rows.iter().all(|row| suffix(&row.name).as_ref() == Some(&first)).then_some(first)
}

/// Returns what a unit measures, with the factor that makes it equal to other tools'.
fn measure(unit: &str) -> (String, f64) {
    let (what, factor) = match unit {
        "ns/op" => ("ns", 1.0),
        "B/op" => ("bytes", 1.0),
        "allocs/op" => ("allocs", 1.0),
        "MB/s" => ("bytes_per_s", 1e6),
        other => return (other.replace('/', "_per_"), 1.0),
    };
    (what.to_owned(), factor)
}
