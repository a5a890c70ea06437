//! Lays the hunks of one file over its lines, at the exact line or at the one place where all context matches.

use super::patch::{Hunk, Origin};
use super::rejection::RejectionKind;

/// How far a hunk may be from the line that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// At that line only.
    Strict,
    /// Wherever its whole old side stands exactly once.
    Offset,
}

/// Why a hunk does not fit, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) hunk: u32,
    pub(super) why: RejectionKind,
}

/// Lays hunks over a file's bytes. `certain` says that the file is known to be the one that they were made for.
pub(super) fn lay(old: &[u8], hunks: &[Hunk], placement: Placement, certain: bool) -> Result<Vec<u8>, Misfit> {
    let lines: Vec<&[u8]> = old.split_inclusive(|&b| b == b'\n').collect();
    let mut new = Vec::with_capacity(old.len() + 256);
    let mut done = 0;
    for hunk in hunks {
        let misfit = |why| Misfit { hunk: hunk.number, why };
        let before = side(hunk, Origin::Removed);
        let at = match placement {
            Placement::Strict => at_its_line(&lines, hunk, &before, certain),
            Placement::Offset => at_one_place(&lines, hunk, &before, done),
        };
        let at = at.map_err(misfit)?;
        if at < done {
            return Err(misfit(RejectionKind::NotThere { line: hunk.old_start }));
        }
        new.extend(lines[done..at].concat());
        new.extend(side(hunk, Origin::Added).concat());
        done = at + before.len();
    }
    new.extend(lines[done..].concat());
    Ok(new)
}

/// Takes the lines of one side of a hunk.
fn side(hunk: &Hunk, changed: Origin) -> Vec<&[u8]> {
    let of_side = |origin: Origin| origin == Origin::Context || origin == changed;
    hunk.lines.iter().filter(|(origin, _)| of_side(*origin)).map(|(_, line)| line.as_slice()).collect()
}

/// Says whether the hunk must begin at the file's first line: nothing stands before its change.
fn at_start(hunk: &Hunk) -> bool {
    hunk.old_start <= 1 && hunk.lines.first().is_some_and(|(origin, _)| *origin != Origin::Context)
}

/// Says whether the hunk must end at the file's last line: it has context before but none after.
fn at_end(hunk: &Hunk) -> bool {
    hunk.lines.last().is_some_and(|(origin, _)| *origin != Origin::Context) && !without_context(hunk)
}

fn without_context(hunk: &Hunk) -> bool {
    hunk.lines.iter().all(|(origin, _)| *origin != Origin::Context)
}

fn fits(lines: &[&[u8]], at: usize, before: &[&[u8]], hunk: &Hunk) -> bool {
    lines.get(at..at + before.len()).is_some_and(|found| found == before)
        && !(at_end(hunk) && at + before.len() != lines.len())
}

fn at_its_line(lines: &[&[u8]], hunk: &Hunk, before: &[&[u8]], certain: bool) -> Result<usize, RejectionKind> {
    if before.is_empty() && !certain && !lines.is_empty() {
        return Err(RejectionKind::NoContext);
    }
    let at = if hunk.old_count == 0 { hunk.old_start } else { hunk.old_start.saturating_sub(1) };
    if fits(lines, at, before, hunk) { Ok(at) } else { Err(RejectionKind::NotThere { line: hunk.old_start }) }
}

fn at_one_place(lines: &[&[u8]], hunk: &Hunk, before: &[&[u8]], from: usize) -> Result<usize, RejectionKind> {
    if without_context(hunk) && !lines.is_empty() {
        return Err(RejectionKind::NoContext);
    }
    let last = if at_start(hunk) { 0 } else { lines.len().saturating_sub(before.len()) };
    let mut places = (0..=last).filter(|&at| fits(lines, at, before, hunk));
    match (places.next(), places.count()) {
        (Some(at), 0) if at >= from => Ok(at),
        (None, _) | (Some(_), 0) => Err(RejectionKind::Nowhere),
        (Some(_), more) => Err(RejectionKind::Ambiguous { places: more + 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a hunk from lines with their marks.
    fn hunk(old_start: usize, text: &str) -> Hunk {
        let line = |line: &str| {
            let origin = match &line[..1] {
                " " => Origin::Context,
                "-" => Origin::Removed,
                _ => Origin::Added,
            };
            (origin, line.as_bytes()[1..].to_vec())
        };
        let lines: Vec<_> = text.split_inclusive('\n').map(line).collect();
        let old_count = lines.iter().filter(|(origin, _)| *origin != Origin::Added).count();
        Hunk { number: 1, old_start, old_count, lines }
    }

    fn laid(old: &str, hunk: Hunk, placement: Placement) -> Result<String, RejectionKind> {
        let new = lay(old.as_bytes(), &[hunk], placement, false).map_err(|m| m.why)?;
        Ok(String::from_utf8(new).unwrap())
    }

    #[test]
    fn a_hunk_moves_only_where_its_context_stands_once() {
        let change = || hunk(2, " a\n-b\n+B\n c\n");
        assert_eq!(laid("x\na\nb\nc\n", change(), Placement::Strict).unwrap(), "x\na\nB\nc\n");
        assert_eq!(laid("x\ny\na\nb\nc\n", change(), Placement::Strict), Err(RejectionKind::NotThere { line: 2 }));
        assert_eq!(laid("x\ny\na\nb\nc\n", change(), Placement::Offset).unwrap(), "x\ny\na\nB\nc\n");
        let twice = "a\nb\nc\na\nb\nc\n";
        assert_eq!(laid(twice, change(), Placement::Offset), Err(RejectionKind::Ambiguous { places: 2 }));
        assert_eq!(laid("a\nb\nC\n", change(), Placement::Offset), Err(RejectionKind::Nowhere));
    }

    #[test]
    fn a_hunk_that_ended_the_file_must_end_it_again() {
        let append = || hunk(1, " a\n+b\n");
        assert_eq!(laid("a\n", append(), Placement::Strict).unwrap(), "a\nb\n");
        assert_eq!(laid("a\nc\n", append(), Placement::Strict), Err(RejectionKind::NotThere { line: 1 }));
    }

    #[test]
    fn a_hunk_without_context_goes_only_into_the_file_it_was_made_for() {
        let insert = hunk(1, "+b\n");
        assert_eq!(laid("a\nc\n", insert.clone(), Placement::Strict), Err(RejectionKind::NoContext));
        assert_eq!(lay(b"a\nc\n", &[insert], Placement::Strict, true).unwrap(), b"a\nb\nc\n");
    }

    #[test]
    fn a_missing_newline_at_the_end_counts() {
        let change = || hunk(1, "-a\n+b");
        assert_eq!(laid("a\n", change(), Placement::Strict).unwrap(), "b");
        assert!(laid("a", change(), Placement::Strict).is_err());
    }
}
