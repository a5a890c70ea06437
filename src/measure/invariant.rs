//! Invariants: facts about the output that a candidate must not change.

use std::fmt;

use crate::domain::Reading;

/// Longest text of one invariant that is kept as it is, in bytes; a longer one ends in a hash of all of it.
const TEXT_MAX: usize = 1 << 12;

/// Invariant lines of one output that are kept; the later ones are told by their number and one hash.
const LINES_MAX: usize = 256;

/// The invariants of one output, in the order printed, in bounded memory. Equal lists mean equal lines.
#[derive(Debug, Clone, Default)]
pub struct Invariants {
    lines: Vec<String>,
    more: Option<(u64, blake3::Hasher)>,
    long: Option<(String, Vec<u8>, blake3::Hasher)>,
}

impl Invariants {
    /// Takes a line's name and its text, without the line's CR.
    pub(super) fn push(&mut self, name: &str, text: &[u8]) {
        let line = match str::from_utf8(text) {
            Ok(text) if text.len() <= TEXT_MAX => format!("{name}={text}"),
            _ => hashed(name, &text[..text.len().min(TEXT_MAX)], &blake3::hash(text)),
        };
        self.push_line(line);
    }

    /// Begins a line that is too long to be held.
    pub(super) fn begin_long(&mut self, name: &str, text: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(text);
        self.long = Some((name.to_owned(), text[..text.len().min(TEXT_MAX)].to_vec(), hasher));
    }

    /// Takes a further piece of the long line.
    pub(super) fn extend_long(&mut self, piece: &[u8]) {
        if let Some((_, _, hasher)) = &mut self.long {
            hasher.update(piece);
        }
    }

    /// Takes the last piece of the long line.
    pub(super) fn end_long(&mut self, piece: &[u8]) {
        self.extend_long(piece.strip_suffix(b"\r").unwrap_or(piece));
        if let Some((name, head, hasher)) = self.long.take() {
            self.push_line(hashed(&name, &head, &hasher.finalize()));
        }
    }

    fn push_line(&mut self, line: String) {
        if self.lines.len() < LINES_MAX {
            self.lines.push(line);
            return;
        }
        let (count, hasher) = self.more.get_or_insert_with(|| (0, blake3::Hasher::new()));
        *count += 1;
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }

    /// Returns the lines as `name=text`; what was not kept is one last line with its number and hash.
    pub fn into_lines(self) -> Vec<String> {
        let mut lines = self.lines;
        if let Some((count, hasher)) = self.more {
            lines.push(format!("({count} more lines, blake3 {})", hasher.finalize().to_hex()));
        }
        lines
    }
}

fn hashed(name: &str, head: &[u8], hash: &blake3::Hash) -> String {
    format!("{name}={}... (blake3 {})", String::from_utf8_lossy(head), hash.to_hex())
}

/// The first difference between the invariants of the two arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvariantDifference {
    /// The baseline's line, `None` where the candidate printed more.
    pub baseline: Option<String>,
    /// The candidate's line, `None` where it printed fewer.
    pub candidate: Option<String>,
}

impl fmt::Display for InvariantDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.baseline, &self.candidate) {
            (Some(baseline), Some(candidate)) => {
                write!(f, "INVARIANT {candidate} where the baseline printed {baseline}")
            }
            (Some(baseline), None) => write!(f, "INVARIANT {baseline} is missing"),
            (None, Some(candidate)) => write!(f, "INVARIANT {candidate} is one that the baseline did not print"),
            (None, None) => f.write_str("no difference"),
        }
    }
}

/// Compares the invariants of the two arms of a pair; `None` when they are the same text in the same order.
pub fn invariant_difference(baseline: &Reading, candidate: &Reading) -> Option<InvariantDifference> {
    let (old, new) = (&baseline.invariants, &candidate.invariants);
    let first = (0..old.len().max(new.len())).find(|&i| old.get(i) != new.get(i))?;
    Some(InvariantDifference { baseline: old.get(first).cloned(), candidate: new.get(first).cloned() })
}
