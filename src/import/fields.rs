//! One object of a log: which kind of line it is, and what its fields say under the names that the dialects have.
//!
//! Samples of public logs have these: `run, commit, metric, metrics, status, description, timestamp, segment, confidence,
//! asi` with a `config` line before them; the same without one, where each run names its metric and direction; `iter,
//! change, keep`; `event, decision`; `experiment_id, hypothesis, result, measurements`. A status is kept as written: only
//! the word `keep` itself, or `true` under `keep`, says keep.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::{Asi, Direction, ImportedRun, ImportedSegment};

/// What a line is.
#[derive(Debug)]
pub(super) enum Line {
    /// It begins a segment.
    Segment(ImportedSegment),
    /// It tells of a hook.
    Hook,
    /// It is a run; beside it what it says of its goal.
    Run(Box<ImportedRun>, ImportedSegment),
}

type Object = Map<String, Value>;

/// Tells what a line is; `repaired` says that numbers of it were no JSON.
pub(super) fn line(object: &Object, repaired: bool) -> Result<Line, String> {
    let kind = object.get("type").and_then(Value::as_str);
    let names_goal = text(object, &["metricName", "metric_name"]).is_some();
    let is_run = RUN_KEYS.iter().any(|key| object.contains_key(*key));
    match kind {
        Some("hook") => Ok(Line::Hook),
        Some("config") => Ok(Line::Segment(goal(object))),
        None if names_goal && !is_run => Ok(Line::Segment(goal(object))),
        None | Some("run" | "result" | "experiment" | "iteration") if is_run => {
            Ok(Line::Run(Box::new(run(object, repaired)), goal(object)))
        }
        Some(other) => Err(format!("an object of type '{other}', which is none of config, run and hook")),
        None => Err("an object with neither a run's number nor its status".to_owned()),
    }
}

/// Keys of which a run has at least one.
const RUN_KEYS: [&str; 9] =
    ["run", "iter", "iteration", "status", "decision", "keep", "result", "experiment_id", "event"];

/// Keys that are read, so that their numbers are no metrics.
const KNOWN: [&str; 13] = [
    "run",
    "iter",
    "iteration",
    "segment",
    "timestamp",
    "ts",
    "time",
    "confidence",
    "metric",
    "value",
    "cost",
    "duration_ms",
    "maxIterations",
];

fn text<'o>(object: &'o Object, keys: &[&str]) -> Option<&'o str> {
    keys.iter().find_map(|key| object.get(*key)?.as_str()).filter(|text| !text.trim().is_empty())
}

/// Reads what a line says of the goal, under the names of a config line or of a run that stands alone.
fn goal(object: &Object) -> ImportedSegment {
    let name =
        if object.get("type").and_then(Value::as_str) == Some("config") { text(object, &["name"]) } else { None };
    let direction = match text(object, &["bestDirection", "direction"]) {
        Some("lower") => Some(Direction::Lower),
        Some("higher") => Some(Direction::Higher),
        Some(_) | None => None,
    };
    ImportedSegment {
        name: name.map(str::to_owned),
        metric: text(object, &["metricName", "metric_name"]).map(str::to_owned),
        unit: text(object, &["metricUnit", "unit"]).unwrap_or_default().to_owned(),
        direction,
        ..ImportedSegment::default()
    }
}

fn run(object: &Object, repaired: bool) -> ImportedRun {
    let mut remarks = Vec::new();
    if repaired {
        remarks.push("numbers that JSON does not have were read as missing".to_owned());
    }
    let metric = metric(object, &mut remarks);
    ImportedRun {
        number: 0,
        line: 0,
        written_run: number(object, &mut remarks),
        segment: 0,
        status: status(object),
        metric,
        metrics: metrics(object, &mut remarks),
        description: description(object),
        timestamp: timestamp(object, &mut remarks),
        commit: commit(object),
        object: None,
        confidence: object.get("confidence").and_then(Value::as_f64),
        asi: asi(object),
        remarks,
    }
}

fn number(object: &Object, remarks: &mut Vec<String>) -> Option<i64> {
    let written = ["run", "iter", "iteration"].iter().find_map(|key| object.get(*key))?;
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^53 only")]
    let whole = |value: f64| (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
    let number = match written {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    if number.is_none() {
        remarks.push(format!("its number is {written}"));
    }
    number
}

/// Returns the status as written; a `keep` that is true or false says keep or discard.
fn status(object: &Object) -> Option<String> {
    let written = ["status", "decision", "result", "keep"].iter().find_map(|key| Some((*key, object.get(*key)?)));
    match written {
        Some(("keep", Value::Bool(true))) => Some("keep".to_owned()),
        Some(("keep", Value::Bool(false))) => Some("discard".to_owned()),
        Some((_, Value::String(text))) => Some(text.clone()),
        Some((_, Value::Null)) => None,
        Some((_, other)) => Some(other.to_string()),
        None => text(object, &["event"]).map(str::to_owned),
    }
}

/// Returns the primary: a number, or a text that is one; under `value` where `metric` names it.
fn metric(object: &Object, remarks: &mut Vec<String>) -> Option<f64> {
    let named = || object.get(text(object, &["metricName", "metric_name"])?)?.as_f64();
    match object.get("metric") {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => match text.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => {
                remarks.push(format!("the metric is the text \"{text}\""));
                Some(value)
            }
            Ok(_) | Err(_) => object.get("value").and_then(Value::as_f64),
        },
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
        None => named(),
    }
}

/// Returns the other metrics that are numbers. Without a `metric` of its own, a run's plain numbers are metrics.
fn metrics(object: &Object, remarks: &mut Vec<String>) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    for group in ["metrics", "measurements"].iter().filter_map(|key| object.get(*key)?.as_object()) {
        for (name, value) in group {
            match value.as_f64() {
                Some(value) => _ = metrics.insert(name.clone(), value),
                None => remarks.push(format!("the metric '{name}' is no number")),
            }
        }
    }
    let plain = |(name, value): (&String, &Value)| {
        (!KNOWN.contains(&name.as_str())).then(|| Some((name.clone(), value.as_f64()?))).flatten()
    };
    if !object.get("metric").is_some_and(Value::is_number) {
        metrics.extend(object.iter().filter_map(plain));
    }
    metrics
}

fn description(object: &Object) -> String {
    if let Some(text) = text(object, &["description", "change"]) {
        return text.to_owned();
    }
    let parts = [text(object, &["experiment_id", "name"]), text(object, &["hypothesis", "goal", "note"])];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn commit(object: &Object) -> Option<String> {
    match object.get("commit")? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn asi(object: &Object) -> Asi {
    match object.get("asi") {
        Some(Value::Object(asi)) => asi.clone(),
        Some(Value::String(text)) if text.trim().is_empty() => Asi::new(),
        Some(Value::Null) | None => Asi::new(),
        Some(other) => Asi::from_iter([("text".to_owned(), other.clone())]),
    }
}

/// Returns the time in milliseconds, from milliseconds, microseconds, seconds (also with a fraction) or ISO text.
fn timestamp(object: &Object, remarks: &mut Vec<String>) -> Option<i64> {
    let written = ["timestamp", "ts", "time", "date"].iter().find_map(|key| object.get(*key))?;
    let time = match written {
        Value::Number(number) => number.as_f64().and_then(milliseconds),
        Value::String(text) => iso(text.trim()).or_else(|| text.trim().parse().ok().and_then(milliseconds)),
        Value::Null => return None,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    if time.is_none() {
        remarks.push(format!("its time is {written}"));
    }
    time
}

fn milliseconds(value: f64) -> Option<i64> {
    // 1e11 seconds are the year 5138, 1e11 milliseconds the year 1973; so too a thousand times that.
    let ms = match value.abs() {
        size if size < 1e11 => value * 1e3,
        size if size < 1e14 => value,
        _ => value / 1e3,
    };
    #[expect(clippy::cast_possible_truncation, reason = "jiff refuses what is out of its range, far below 2^53")]
    let ms = ms.round() as i64;
    Timestamp::from_millisecond(ms).ok().map(Timestamp::as_millisecond)
}

/// Reads ISO 8601; without an offset it is taken as UTC.
fn iso(text: &str) -> Option<i64> {
    let instant: Option<Timestamp> = text.parse().ok();
    let civil = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    instant.or_else(|| Some(civil()?.timestamp())).map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_form_are_milliseconds() {
        assert_eq!(milliseconds(1_779_683_958_255.0), Some(1_779_683_958_255));
        assert_eq!(milliseconds(1_779_683_958.255), Some(1_779_683_958_255));
        assert_eq!(milliseconds(1_779_683_958_255_000.0), Some(1_779_683_958_255));
        assert_eq!(milliseconds(1e300), None);
        assert_eq!(iso("2026-04-05T07:30:00Z"), Some(1_775_374_200_000));
        assert_eq!(iso("2026-04-05T07:30:00"), iso("2026-04-05T09:30:00+02:00"));
        assert_eq!(iso("yesterday"), None);
    }
}
