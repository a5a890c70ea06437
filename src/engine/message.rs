//! The message of a kept commit: what was tried, what was measured, and trailers that a program can read.

use std::fmt::Write as _;

use crate::domain::{Asi, Proposed, RunSummary, SessionId, Settings};

use super::summary::MetricRow;

/// Everything that a kept commit's message says.
#[derive(Debug)]
pub(super) struct KeepMessage<'a> {
    /// The proposal as it came.
    pub proposed: &'a Proposed,
    /// The run line that will be written for it.
    pub run: &'a RunSummary,
    /// The primary and every sentinel, in that order.
    pub rows: &'a [MetricRow],
    /// The session.
    pub session: SessionId,
}

/// Writes the message of a keep as FORMATS section 6 has it.
pub(super) fn keep_message(keep: &KeepMessage<'_>, settings: &Settings) -> String {
    let mut text = format!("{}\n", one_line(&keep.proposed.description));
    for paragraph in [keep.proposed.hypothesis.trim(), mechanism(&keep.proposed.asi)] {
        if !paragraph.is_empty() {
            let _ = write!(text, "\n{paragraph}\n");
        }
    }
    let _ = write!(text, "\n{}", metric_table(keep.rows));
    let _ = write!(text, "\n{}", trailers(keep, settings));
    text
}

fn one_line(description: &str) -> String {
    description.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mechanism(asi: &Asi) -> &str {
    asi.get("mechanism").and_then(serde_json::Value::as_str).unwrap_or("").trim()
}

/// Writes metric, baseline, candidate and change in aligned columns.
fn metric_table(rows: &[MetricRow]) -> String {
    let mut cells = vec![["metric".to_owned(), "baseline".to_owned(), "candidate".to_owned(), "change".to_owned()]];
    cells.extend(rows.iter().map(MetricRow::cells));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name, base, cand) = (width(0), width(1), width(2));
    let mut text = String::new();
    for [a, b, c, d] in &cells {
        let _ = writeln!(text, "    {a:<name$}  {b:>base$}  {c:>cand$}  {d}");
    }
    text
}

fn trailers(keep: &KeepMessage<'_>, settings: &Settings) -> String {
    let all = trailers_of(keep.run, keep.session, settings);
    all.into_iter().fold(String::new(), |text, (name, value)| format!("{text}{name}: {value}\n"))
}

/// Returns the trailers of a kept commit, name and value, as its settling line gives them.
pub(super) fn trailers_of(run: &RunSummary, session: SessionId, settings: &Settings) -> Vec<(&'static str, String)> {
    let mut result = serde_json::Map::new();
    result.insert("status".to_owned(), run.status.to_string().into());
    for (name, value) in &run.metrics {
        result.insert(name.to_string(), (*value).into());
    }
    let mut all =
        vec![("Result", status_first(&result)), ("Experiment", run.run.to_string()), ("Session", session.to_string())];
    if let Some(effect) = &run.effect {
        let objective = settings.objective(run.effect_of);
        let change = effect.change(objective.direction);
        let unit = if change.percent { String::new() } else { format!(" {}", objective.unit) };
        let of = if run.effect_of == 0 { String::new() } else { format!(" of {}", objective.name) };
        all.push(("Effect", format!("{change}{}, {} pairs{of}", unit.trim_end(), effect.pairs)));
    }
    all.extend(run.patch_id.as_ref().map(|id| ("Patch-Id", id.to_string())));
    all
}

/// Writes a JSON object with the key `status` in front, as existing readers expect it.
fn status_first(result: &serde_json::Map<String, serde_json::Value>) -> String {
    let mut parts = Vec::new();
    let order = |key: &str| key != "status";
    let mut keys: Vec<&String> = result.keys().collect();
    keys.sort_by_key(|key| (order(key), key.to_owned().clone()));
    for key in keys {
        parts.push(format!("{}:{}", serde_json::Value::from(key.as_str()), result[key]));
    }
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_stands_first_in_the_result_trailer() {
        let mut result = serde_json::Map::new();
        for (key, value) in [("a_ms", serde_json::json!(1.5)), ("status", "keep".into()), ("z", 2.into())] {
            result.insert(key.to_owned(), value);
        }
        assert_eq!(status_first(&result), r#"{"status":"keep","a_ms":1.5,"z":2}"#);
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(one_line("Use a\n  scratch buffer "), "Use a scratch buffer");
    }
}
