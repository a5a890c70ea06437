//! Log files of one experiment: their names, their joining and their tails.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::domain::Phase;

/// Returns the file name of a phase's log in the experiment's folder, without its ending (`out`, `err`).
pub(super) fn stem(phase: Phase, what: Option<&str>) -> String {
    let stem = match phase {
        Phase::Check => "check".to_owned(),
        Phase::Measure => "pair".to_owned(),
        Phase::Warmup => "warmup".to_owned(),
        Phase::VerifyClean => "verify-clean".to_owned(),
        other => other.to_string(),
    };
    match what {
        Some(what) => format!("{stem}-{}", what.replace(['/', '\\'], "_")),
        None => stem,
    }
}

/// Returns the last bytes of a log as text, from the start of a line; `None` when there is no such file or it is empty.
pub fn tail(path: &Path, bytes: usize) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let start = length.saturating_sub(bytes as u64);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut kept = Vec::new();
    file.take(bytes as u64).read_to_end(&mut kept).ok()?;
    let text = String::from_utf8_lossy(&kept);
    let whole = if start == 0 { &text[..] } else { text.split_once('\n').map_or(&text[..], |(_, rest)| rest) };
    let trimmed = whole.trim_end();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// Returns the last line of a log that says anything, shortened to 200 characters.
pub(super) fn last_line(path: &Path) -> Option<String> {
    let text = tail(path, 4000)?;
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?.trim();
    Some(line.chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_starts_at_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "first line\nsecond line\nthird\n").unwrap();
        assert_eq!(tail(&path, 15).as_deref(), Some("third"));
        assert_eq!(tail(&path, 1000).as_deref(), Some("first line\nsecond line\nthird"));
        assert_eq!(tail(&dir.path().join("none"), 10), None);
    }

    #[test]
    fn a_check_log_is_named_after_its_check() {
        assert_eq!(stem(Phase::Check, Some("10-verify")), "check-10-verify");
        assert_eq!(stem(Phase::Build, None), "build");
    }
}
