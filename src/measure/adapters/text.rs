//! What all adapters need of text: files, lines without colours, JSON.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::{AdapterError, Input};
use crate::measure::grammar::without_ansi;

/// Reads a file; bytes that are not UTF-8 are replaced.
pub(super) fn file(path: &Path) -> Result<String, AdapterError> {
    let bytes = fs::read(path).map_err(|source| AdapterError::Io { path: path.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Takes colours and carriage returns out of a text.
pub(super) fn plain(text: &str) -> String {
    let line = |line: &str| String::from_utf8_lossy(&without_ansi(line.as_bytes())).into_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Says whether a text is JSON and no table.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Reads an input as JSON.
pub(super) fn json<T: DeserializeOwned>(input: &Input) -> Result<T, AdapterError> {
    serde_json::from_str(&input.text).map_err(|source| AdapterError::Json { from: input.from.clone(), source })
}

/// Makes the error of a line that should hold something else.
pub(super) fn bad(line: &str, why: &'static str) -> AdapterError {
    AdapterError::Line { line: line.trim().to_owned(), why }
}

/// Makes the error of a benchmark that failed.
pub(super) fn failed(line: &str) -> AdapterError {
    AdapterError::Failed { line: line.trim().to_owned() }
}
