//! JMH: the table at the end of its output, or the file of `-rf json`.
//!
//! No JMH could be installed where this was written: forms and fields are those of its own documentation and samples
//! (`org.openjdk.jmh.results.format`, `TextResultFormat` and `JSONResultFormat`, and the samples' printed results).
//! Of the file every iteration is a sample, since their number is fixed; the table has only the score.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::table::Table;
use super::text::{bad, failed, is_json, json};
use super::units::{nanoseconds, number};
use super::{AdapterError, Input};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    benchmark: String,
    #[serde(default)]
    params: BTreeMap<String, String>,
    primary_metric: Score,
    #[serde(default)]
    secondary_metrics: BTreeMap<String, Score>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Score {
    /// A number, or the text `NaN`.
    #[serde(rename = "score")]
    value: serde_json::Value,
    #[serde(rename = "scoreUnit")]
    unit: String,
    /// Iterations of each fork.
    #[serde(default)]
    raw_data: Vec<Vec<f64>>,
}

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    if !is_json(&input.text) {
        return lines(&input.text, table);
    }
    let entries: Vec<Entry> = json(input)?;
    for entry in &entries {
        let (package, name) = split(&entry.benchmark);
        let params: Vec<String> = entry.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let name = if params.is_empty() { name } else { format!("{name}[{}]", params.join(",")) };
        let (what, factor) = measure(&entry.primary_metric.unit);
        for value in entry.primary_metric.samples(&entry.benchmark)? {
            table.add(&package, &name, &what, value * factor);
        }
        for (metric, score) in &entry.secondary_metrics {
            if is_allocation(metric) {
                for value in score.samples(metric)? {
                    table.add(&package, &name, "bytes", value);
                }
            }
        }
    }
    Ok(())
}

impl Score {
    fn samples(&self, of: &str) -> Result<Vec<f64>, AdapterError> {
        let raw: Vec<f64> = self.raw_data.iter().flatten().copied().collect();
        if raw.is_empty() {
            return Ok(vec![self.value.as_f64().ok_or_else(|| bad(of, "its score is not a number"))?]);
        }
        Ok(raw)
    }
}

/// Says whether a metric is what one operation allocates, in bytes; a dot stands before it in older versions.
fn is_allocation(metric: &str) -> bool {
    metric.trim_start_matches('\u{b7}') == "gc.alloc.rate.norm"
}

/// Divides `org.example.Bench.method` into package and `Bench.method`.
fn split(benchmark: &str) -> (String, String) {
    let parts: Vec<&str> = benchmark.split('.').collect();
    let (package, name) = parts.split_at(parts.len().saturating_sub(2));
    (package.join("/"), name.join("."))
}

/// Returns what a unit measures: time of an operation, or operations a second.
fn measure(unit: &str) -> (String, f64) {
    match unit.split_once('/') {
        Some((time, "op")) if nanoseconds(time).is_some() => ("ns".to_owned(), nanoseconds(time).unwrap_or(1.0)),
        Some(("ops", time)) if nanoseconds(time).is_some() => {
            ("ops_per_s".to_owned(), 1e9 / nanoseconds(time).unwrap_or(1e9))
        }
        _ => (unit.replace('/', "_per_"), 1.0),
    }
}

/// The table's columns: the names of the parameters between `Benchmark` and `Mode`.
struct Columns {
    params: Vec<String>,
}

fn lines(text: &str, table: &mut Table) -> Result<(), AdapterError> {
    let mut columns: Option<Columns> = None;
    for line in text.lines() {
        if line.trim_start().starts_with("<failure>") || line.trim_start().starts_with("<forked VM failed") {
            return Err(failed(line));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"Benchmark") && words.ends_with(&["Units"]) {
            let end = words.iter().position(|word| *word == "Mode").unwrap_or(1);
            let params = words[1..end].iter().map(|word| word.trim_matches(['(', ')']).to_owned()).collect();
            columns = Some(Columns { params });
        } else if let (Some(header), false) = (&columns, words.is_empty()) {
            row(line, &words, header, table)?;
        } else {
            columns = None;
        }
    }
    Ok(())
}

/// Reads `Bench.method  <params>  <mode>  [<count>]  <score>  [± <error>]  <unit>`.
fn row(line: &str, words: &[&str], columns: &Columns, table: &mut Table) -> Result<(), AdapterError> {
    let [name, rest @ .., unit] = words else { return Err(bad(line, "it has too few columns")) };
    let (name, metric) = name.split_once(':').map_or((*name, None), |(name, metric)| (name, Some(metric)));
    if metric.is_some_and(|metric| !is_allocation(metric)) {
        return Ok(());
    }
    let values = rest.get(columns.params.len() + 1..).ok_or_else(|| bad(line, "it has too few columns"))?;
    let before_error = values.iter().position(|word| *word == "\u{b1}").unwrap_or(values.len());
    let score = values[..before_error].last().map(|text| text.trim_start_matches('\u{2248}'));
    let score = score.and_then(number).ok_or_else(|| bad(line, "its score is not a number"))?;
    let params = columns.params.iter().zip(rest).filter(|(_, value)| **value != "N/A");
    let params: Vec<String> = params.map(|(name, value)| format!("{name}={value}")).collect();
    let (package, name) = split(name);
    let name = if params.is_empty() { name } else { format!("{name}[{}]", params.join(",")) };
    let (what, factor) = if metric.is_some() { ("bytes".to_owned(), 1.0) } else { measure(unit) };
    table.add(&package, &name, &what, score * factor);
    Ok(())
}
