//! Google Benchmark: its table, or the JSON of `--benchmark_format=json`.
//!
//! Real time is `_ns`, CPU time `_cpu_ns`. Counters come from the JSON only: the table rounds them, by 1000 or 1024 as the
//! version likes. Of repetitions each is a sample; means and the like are left out unless only they were reported.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

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
    #[serde(default)]
    run_name: Option<String>,
    #[serde(default)]
    run_type: Option<String>,
    #[serde(default)]
    aggregate_name: Option<String>,
    #[serde(default)]
    error_occurred: bool,
    #[serde(default)]
    error_message: String,
    #[serde(default)]
    skipped: bool,
    real_time: Option<f64>,
    cpu_time: Option<f64>,
    time_unit: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Numbers of an entry that say how it was run, not what came out.
const NO_COUNTERS: [&str; 7] =
    ["family_index", "per_family_instance_index", "repetitions", "repetition_index", "threads", "iterations", "big_o"];

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    if is_json(&input.text) { report(input, table) } else { lines(&input.text, table) }
}

fn report(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    let report: Report = json(input)?;
    let measured = |entry: &&Entry| entry.run_type.as_deref() != Some("aggregate");
    let runs: BTreeSet<&str> = report.benchmarks.iter().filter(measured).map(Entry::run).collect();
    for entry in &report.benchmarks {
        if entry.error_occurred {
            return Err(failed(&format!("{}: {}", entry.name, entry.error_message)));
        }
        let medians_only = entry.aggregate_name.as_deref() == Some("median") && !runs.contains(entry.run());
        if entry.skipped || !(measured(&entry) || medians_only) {
            continue;
        }
        let factor = nanoseconds(entry.time_unit.as_deref().unwrap_or("ns"));
        let factor = factor.ok_or_else(|| bad(&entry.name, "its time_unit is unknown"))?;
        for (what, time) in [("ns", entry.real_time), ("cpu_ns", entry.cpu_time)] {
            let time = time.ok_or_else(|| bad(&entry.name, "it has no real_time or no cpu_time"))?;
            table.add("", entry.run(), what, time * factor);
        }
        for (counter, value) in &entry.rest {
            if let (false, Some(value)) = (NO_COUNTERS.contains(&counter.as_str()), value.as_f64()) {
                table.add("", entry.run(), &counter.replace("_per_second", "_per_s"), value);
            }
        }
    }
    Ok(())
}

impl Entry {
    fn run(&self) -> &str {
        self.run_name.as_deref().unwrap_or(&self.name)
    }
}

/// Reads the table: name, time, CPU time, iterations.
fn lines(text: &str, table: &mut Table) -> Result<(), AdapterError> {
    let mut rows = Vec::new();
    for line in text.lines() {
        if line.contains("ERROR OCCURRED") {
            return Err(failed(line));
        }
        rows.extend(row(line));
    }
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    let repeated =
        |name: &str| ["mean", "median", "stddev"].iter().all(|end| names.contains(&*format!("{name}_{end}")));
    for row in &rows {
        let aggregate = row.name.rsplit_once('_').filter(|(name, _)| repeated(name));
        let name = match aggregate {
            Some((name, "median")) if !names.contains(name) => name,
            Some(_) => continue,
            None => row.name,
        };
        table.add("", name, "ns", row.real);
        table.add("", name, "cpu_ns", row.cpu);
    }
    Ok(())
}

struct Row<'a> {
    name: &'a str,
    real: f64,
    cpu: f64,
}

/// Reads `<name> <time> <unit> <time> <unit> <iterations> ...`; a name may hold blanks.
fn row(line: &str) -> Option<Row<'_>> {
    let words: Vec<(usize, &str)> = words(line).collect();
    let at = (1..words.len().checked_sub(4)?).find(|&at| {
        let time = |value: usize| number(words[value].1).is_some() && nanoseconds(words[value + 1].1).is_some();
        time(at) && time(at + 2) && words[at + 4].1.bytes().all(|b| b.is_ascii_digit())
    })?;
    let time = |value: usize| Some(number(words[value].1)? * nanoseconds(words[value + 1].1)?);
    Some(Row { name: line[..words[at].0].trim(), real: time(at)?, cpu: time(at + 2)? })
}

/// Returns the words of a line with their places.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split_whitespace().map(move |word| (word.as_ptr().addr() - line.as_ptr().addr(), word))
}
