//! What a settled decision keeps or forbids in the code, and whether a change undoes it.

use regex::bytes::Regex;

use super::comment::Comment;
use super::matching::Why;
use super::reopen::covers;

/// What a candidate changes in one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileChange {
    /// Its path before; `None` for a new file.
    pub old: Option<String>,
    /// Its path after; `None` for a deleted file.
    pub new: Option<String>,
    /// The lines that go, without line ends.
    pub removed: Vec<Vec<u8>>,
    /// The lines that come, without line ends.
    pub added: Vec<Vec<u8>>,
}

/// Says how a change undoes a settled decision; `None` where it does not, or the decision says nothing of the code.
///
/// * `pattern=`: no line that matches may go from the files of `path=` (all files where none is named). A line that
///   comes again in one of them, but for its blanks, has only moved.
/// * `forbid=`: no line that matches may come there, but for one that has only moved.
/// * `path=` alone: the files may not be touched at all.
/// * A file of `path=` may not be renamed to where the decision no longer covers it.
pub(super) fn undone<'a>(decision: &Comment, changes: &'a [FileChange]) -> Option<Why> {
    if decision.paths.is_empty() && decision.patterns.is_empty() && decision.forbids.is_empty() {
        return None;
    }
    let is_covered = |path: &&String| decision.paths.is_empty() || decision.paths.iter().any(|of| covers(of, path));
    let with = |path: Option<&'a String>, change| Some((path.filter(is_covered)?, change));
    let old: Vec<_> = changes.iter().filter_map(|change| with(change.old.as_ref(), change)).collect();
    let new: Vec<_> = changes.iter().filter_map(|change| with(change.new.as_ref(), change)).collect();
    if decision.patterns.is_empty() && decision.forbids.is_empty() {
        return old.first().or(new.first()).map(|(path, _)| Why::Touches { path: (*path).clone() });
    }
    let gone = || old.iter().flat_map(|(path, change)| change.removed.iter().map(|line| (*path, line)));
    let come = || new.iter().flat_map(|(path, change)| change.added.iter().map(|line| (*path, line)));
    let removed = first(&decision.patterns, gone(), come());
    let removed = removed.map(|(path, line, pattern)| Why::Removes { path, line, pattern });
    let added = || first(&decision.forbids, come(), gone());
    let added = || added().map(|(path, line, pattern)| Why::Adds { path, line, pattern });
    let moved = || {
        let away = old.iter().find(|(_, change)| change.new.as_ref().is_some_and(|to| !is_covered(&to)));
        away.and_then(|(path, change)| Some(Why::Moves { path: (*path).clone(), to: change.new.clone()? }))
    };
    removed.or_else(added).or_else(moved)
}

/// Returns the first line that matches one of the patterns and has no twin on the other side.
fn first<'a>(
    patterns: &[String],
    lines: impl Iterator<Item = (&'a String, &'a Vec<u8>)> + Clone,
    others: impl Iterator<Item = (&'a String, &'a Vec<u8>)>,
) -> Option<(String, String, String)> {
    if patterns.is_empty() {
        return None;
    }
    let mut twins: Vec<Vec<u8>> = others.map(|(_, line)| bare(line)).collect();
    let alone: Vec<_> = lines
        .filter(|(_, line)| {
            let twin = twins.iter().position(|twin| *twin == bare(line));
            twin.map(|at| twins.swap_remove(at)).is_none()
        })
        .collect();
    patterns.iter().find_map(|pattern| {
        let matcher = matcher(pattern);
        let (path, line) = alone.iter().find(|(_, line)| matcher.is_match(line))?;
        Some(((*path).clone(), String::from_utf8_lossy(line).trim().to_owned(), pattern.clone()))
    })
}

/// Returns a line without its blanks.
fn bare(line: &[u8]) -> Vec<u8> {
    line.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// Compiles a pattern; what is no regular expression is taken literally, so that a slip protects rather than not.
fn matcher(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|_| {
        Regex::new(&regex::escape(pattern)).unwrap_or_else(|_| unreachable!("an escaped text is a regular expression"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<Vec<u8>> {
        lines.iter().map(|line| line.as_bytes().to_vec()).collect()
    }

    fn change(path: &str, removed: &[&str], added: &[&str]) -> FileChange {
        let path = Some(path.to_owned());
        FileChange { old: path.clone(), new: path, removed: lines(removed), added: lines(added) }
    }

    fn decision(paths: &[&str], patterns: &[&str], forbids: &[&str]) -> Comment {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Comment { paths: owned(paths), patterns: owned(patterns), forbids: owned(forbids), ..Comment::default() }
    }

    fn said(decision: &Comment, changes: &[FileChange]) -> String {
        undone(decision, changes).map_or_else(|| "open".to_owned(), |why| why.to_string())
    }

    #[test]
    fn a_line_that_a_decision_keeps_may_not_go() {
        let fsync = decision(&["src/wal.rs", "src/log/"], &["fsync|sync_data"], &[]);
        let goes = change("src/wal.rs", &["    file.sync_data()?;"], &["    // sync_data comes later"]);
        assert_eq!(said(&fsync, &[goes]), "removing 'file.sync_data()?;' from src/wal.rs (pattern 'fsync|sync_data')");
        assert_ne!(said(&fsync, &[change("src/log/a.rs", &["fsync();"], &[])]), "open");
        assert_eq!(said(&fsync, &[change("src/wal.rs", &["file.flush()?;"], &["file.sync_data()?;"])]), "open");
        assert_eq!(said(&fsync, &[change("src/other.rs", &["fsync();"], &[])]), "open");
    }

    #[test]
    fn a_line_that_only_moves_undoes_nothing() {
        let fsync = decision(&["src/"], &["fsync"], &[]);
        let indented = change("src/wal.rs", &["fsync(fd);"], &["    fsync( fd );"]);
        assert_eq!(said(&fsync, &[indented]), "open");
        let elsewhere = [change("src/a.rs", &["fsync(fd);"], &[]), change("src/b.rs", &[], &["fsync(fd);"])];
        assert_eq!(said(&fsync, &elsewhere), "open");
        let away = [change("src/a.rs", &["fsync(fd);"], &[]), change("doc/b.rs", &[], &["fsync(fd);"])];
        assert_ne!(said(&fsync, &away), "open");
        let one_of_two = change("src/a.rs", &["fsync(fd);", "fsync(fd);"], &["fsync(fd);"]);
        assert_ne!(said(&fsync, &[one_of_two]), "open");
    }

    #[test]
    fn a_line_that_a_decision_forbids_may_not_come() {
        let safe = decision(&[], &[], &[r"\bunsafe\b"]);
        assert_eq!(
            said(&safe, &[change("src/a.rs", &[], &["unsafe { x }"])]),
            r"adding 'unsafe { x }' to src/a.rs (forbid '\bunsafe\b')"
        );
        assert_eq!(said(&safe, &[change("src/a.rs", &["unsafe { x }"], &[])]), "open");
        assert_eq!(said(&safe, &[change("src/a.rs", &["unsafe { x }"], &["  unsafe { x }"])]), "open");
        assert_eq!(said(&safe, &[change("src/a.rs", &[], &["unsafely()"])]), "open");
    }

    #[test]
    fn a_path_alone_may_not_be_touched_and_a_covered_file_not_be_moved_away() {
        let whole = decision(&["src/format.rs"], &[], &[]);
        assert_eq!(said(&whole, &[change("src/format.rs", &[], &["x"])]), "touching src/format.rs");
        let moved =
            |to: &str| FileChange { old: Some("src/wal.rs".into()), new: Some(to.to_owned()), ..FileChange::default() };
        let fsync = decision(&["src/"], &["fsync"], &[]);
        assert_eq!(said(&fsync, &[moved("lib/wal.rs")]), "moving src/wal.rs to lib/wal.rs");
        assert_eq!(said(&fsync, &[moved("src/log.rs")]), "open");
        assert_eq!(said(&decision(&[], &["fsync"], &[]), &[moved("lib/wal.rs")]), "open");
    }

    #[test]
    fn what_is_no_pattern_is_taken_literally_and_no_text_is_no_decision() {
        let broken = decision(&["a"], &["fsync("], &[]);
        assert_ne!(said(&broken, &[change("a", &["fsync(fd)"], &[])]), "open");
        assert_eq!(said(&broken, &[change("a", &["fsync"], &[])]), "open");
        assert_eq!(said(&Comment::default(), &[change("a", &["x"], &["y"])]), "open");
    }
}
