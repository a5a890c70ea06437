//! hyperfine: its text, or the file of `--export-json`.
//!
//! Of a file the median is taken, of the text the mean, which is all that it has. How often hyperfine runs a command depends
//! on the time that it takes, so single runs are no samples.

use serde::Deserialize;

use super::table::Table;
use super::text::{bad, failed, is_json, json};
use super::units::time;
use super::{AdapterError, Input};

#[derive(Deserialize)]
struct Export {
    results: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    command: String,
    /// Seconds.
    median: f64,
    /// Seconds, the mean.
    user: f64,
    /// Seconds, the mean.
    system: f64,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
}

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    if !is_json(&input.text) {
        return lines(&input.text, table);
    }
    let export: Export = json(input)?;
    for entry in &export.results {
        if entry.exit_codes.iter().any(|code| *code != Some(0)) {
            return Err(failed(&format!("'{}' exited with {:?}", entry.command, entry.exit_codes)));
        }
        for (what, seconds) in [("ns", entry.median), ("user_ns", entry.user), ("sys_ns", entry.system)] {
            table.add("", &entry.command, what, seconds * 1e9);
        }
    }
    Ok(())
}

/// Reads `Benchmark N: <command>` and the line of times below it.
fn lines(text: &str, table: &mut Table) -> Result<(), AdapterError> {
    let mut name: Option<&str> = None;
    for line in text.lines() {
        if line.starts_with("Error: ") || line.contains("Ignoring non-zero exit code") {
            return Err(failed(&format!("{}: {}", name.unwrap_or("hyperfine"), line.trim())));
        }
        if let Some(begun) = line.strip_prefix("Benchmark ") {
            name = begun.split_once(": ").map(|(_, command)| command.trim());
        } else if let (Some(command), Some(times)) = (name, line.trim_start().strip_prefix("Time (")) {
            values(line, command, times, table)?;
        }
    }
    Ok(())
}

/// Reads `mean ± σ):  11.5 ms ± 0.5 ms    [User: 0.9 ms, System: 0.0 ms]`.
fn values(line: &str, command: &str, times: &str, table: &mut Table) -> Result<(), AdapterError> {
    let read = || {
        let (_, rest) = times.split_once("):")?;
        let (times, parts) = rest.split_once('[')?;
        let mean = time(times.split('\u{b1}').next()?)?;
        let (user, system) = parts.trim_end_matches(']').split_once(", ")?;
        Some([
            ("ns", mean),
            ("user_ns", time(user.strip_prefix("User: ")?)?),
            ("sys_ns", time(system.strip_prefix("System: ")?)?),
        ])
    };
    let values = read().ok_or_else(|| bad(line, "expected a time, then '[User: <time>, System: <time>]'"))?;
    for (what, value) in values {
        table.add("", command, what, value);
    }
    Ok(())
}
