//! Where in a text the unified diff is.

use std::ops::Range;

/// Finds the diff in a text: from its first header to the end of its last hunk, by the hunks' own line counts.
///
/// What stands before (a message) and after (`base-commit:`, the mail signature) is left out; every byte between stays.
pub(super) fn locate(text: &[u8]) -> Option<Range<usize>> {
    let lines = lines(text);
    let first = (0..lines.len()).find(|&n| begins_diff(text, &lines, n))?;
    let mut walk = Walk::new(text, &lines[first..]);
    walk.run();
    Some(lines[first].start..walk.end)
}

/// Says whether the diff of a text ends too early: within a line, a hunk or a header, or before the signature of its mail.
pub(super) fn is_cut(text: &[u8]) -> bool {
    let lines = lines(text);
    let Some(first) = (0..lines.len()).find(|&n| begins_diff(text, &lines, n)) else { return true };
    let mut walk = Walk::new(text, &lines[first..]);
    walk.run();
    let diff = &text[lines[first].start..walk.end];
    let last = &diff[self::lines(diff).last().map_or(0, |line| line.start)..];
    let opens = |header: &str| last.starts_with(header.as_bytes());
    let signed = !text.starts_with(b"From ") || text[walk.end..].starts_with(b"-- \n") || {
        text[walk.end..].windows(5).any(|five| five == b"\n-- \n")
    };
    !text.ends_with(b"\n") || walk.short || OPENING.iter().any(|header| opens(header)) || !signed
}

/// Headers after which more of the file's change comes.
const OPENING: [&str; 5] = ["diff --git ", "--- ", "+++ ", "rename from ", "GIT binary patch"];

/// Says whether the text holds the diff of a merge, which no tool applies.
pub(super) fn is_combined(text: &[u8]) -> bool {
    lines(text)
        .iter()
        .any(|line| ["diff --cc ", "diff --combined "].iter().any(|h| text[line.clone()].starts_with(h.as_bytes())))
}

/// Splits a text into lines, each with its newline.
pub(super) fn lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let mut lines: Vec<_> = ends.map(|end| std::mem::replace(&mut start, end)..end).collect();
    if start < text.len() {
        lines.push(start..text.len());
    }
    lines
}

fn begins_diff(text: &[u8], lines: &[Range<usize>], n: usize) -> bool {
    let begins =
        |n: usize, with: &str| lines.get(n).is_some_and(|line| text[line.clone()].starts_with(with.as_bytes()));
    let hunk_at = |n: usize| lines.get(n).is_some_and(|line| hunk(&text[line.clone()]).is_some());
    begins(n, "diff --git ") || (begins(n, "--- ") && begins(n + 1, "+++ ") && hunk_at(n + 2))
}

/// What stands between the hunks of a diff.
const HEADERS: [&str; 17] = [
    "diff --git ",
    "--- ",
    "+++ ",
    "index ",
    "old mode ",
    "new mode ",
    "new file mode ",
    "deleted file mode ",
    "similarity index ",
    "dissimilarity index ",
    "rename from ",
    "rename to ",
    "copy from ",
    "copy to ",
    "Binary files ",
    "GIT binary patch",
    "\\",
];

struct Walk<'a> {
    text: &'a [u8],
    lines: &'a [Range<usize>],
    at: usize,
    end: usize,
    /// Whether a hunk ended before its counts were used up.
    short: bool,
}

impl<'a> Walk<'a> {
    /// Begins at the first line of a diff; there is at least one.
    fn new(text: &'a [u8], lines: &'a [Range<usize>]) -> Self {
        Self { text, lines, at: 0, end: lines.first().map_or(0, |line| line.end), short: false }
    }

    fn line(&self) -> Option<&'a [u8]> {
        self.lines.get(self.at).map(|range| &self.text[range.clone()])
    }

    /// Takes the present line into the diff.
    fn take(&mut self) {
        self.end = self.lines[self.at].end;
        self.at += 1;
    }

    fn run(&mut self) {
        while let Some(line) = self.line() {
            if let Some((old, new)) = hunk(line) {
                self.take();
                self.body(old, new);
            } else if line.starts_with(b"GIT binary patch") {
                self.take();
                self.binary();
            } else if HEADERS.iter().any(|header| line.starts_with(header.as_bytes())) {
                self.take();
            } else {
                self.at += 1;
            }
        }
    }

    /// Takes the lines of a hunk until both counts are used up.
    fn body(&mut self, mut old: u64, mut new: u64) {
        while let Some(line) = self.line().filter(|_| old > 0 || new > 0) {
            match line.first() {
                Some(b' ' | b'\n' | b'\r') => (old, new) = (old.saturating_sub(1), new.saturating_sub(1)),
                Some(b'-') => old = old.saturating_sub(1),
                Some(b'+') => new = new.saturating_sub(1),
                Some(b'\\') => {}
                Some(_) | None => break,
            }
            self.take();
        }
        self.short |= old > 0 || new > 0;
    }

    /// Takes the blocks of a binary patch, each with the blank line that ends it.
    fn binary(&mut self) {
        while self.line().is_some_and(|line| line.starts_with(b"literal ") || line.starts_with(b"delta ")) {
            self.take();
            while self.line().is_some_and(|line| !line.trim_ascii().is_empty()) {
                self.take();
            }
            if self.line().is_some() {
                self.take();
            }
        }
    }
}

/// Reads the line counts of `@@ -a,b +c,d @@`; a count left out is 1.
fn hunk(line: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(line.strip_prefix(b"@@ -")?.split(|byte| *byte == b'@').next()?).ok()?;
    let (old, new) = text.trim_end().split_once(" +")?;
    let count = |range: &str| range.split_once(',').map_or(Ok(1), |(_, count)| count.parse::<u64>()).ok();
    Some((count(old)?, count(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(text: &str) -> Option<&str> {
        locate(text.as_bytes()).map(|range| &text[range])
    }

    const DIFF: &str = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ fn\n a\n-- old\n+- new\n";

    #[test]
    fn a_diff_ends_with_its_last_hunk() {
        assert_eq!(located(DIFF), Some(DIFF));
        assert_eq!(located(&format!("text\n{DIFF}\nbase-commit: 12\n-- \n2.47.3\n\n")), Some(DIFF));
        assert_eq!(located(&format!("{DIFF}-- \n2.47.3\n")), Some(DIFF));
    }

    #[test]
    fn a_diff_that_was_cut_anywhere_shows_it() {
        let two = format!("{DIFF}diff --git a/y b/y\nindex 1..2 100644\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n");
        assert!(!is_cut(DIFF.as_bytes()) && !is_cut(two.as_bytes()));
        for end in DIFF.len() + 1..two.len() {
            // Cut after the line of the index it is a change of mode, for all that its text says.
            assert!(is_cut(&two.as_bytes()[..end]) || two[..end].ends_with("100644\n"), "{}", &two[..end]);
        }
        let mail = format!("From 12 Mon Sep 17 00:00:00 2001\nSubject: s\n\nWhy.\n---\n\n{two}-- \n2.47.3\n\n");
        assert!(!is_cut(mail.as_bytes()));
        assert!(is_cut(&mail.as_bytes()[..mail.len() - 13]), "before its signature");
        assert!(is_cut(b"") && is_cut(b"diff"));
    }

    #[test]
    fn a_removed_line_that_looks_like_a_signature_stays() {
        let diff = "--- a/x\n+++ b/x\n@@ -1,2 +0,0 @@\n-- \n-2.47.3\n\\ No newline at end of file\n";
        assert_eq!(located(&format!("{diff}-- \n2.47.3\n")), Some(diff));
    }

    #[test]
    fn a_context_line_may_have_lost_its_blank() {
        let diff = "--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\n\n+b\n c\n";
        assert_eq!(located(&format!("{diff}\n-- \n2.47.3\n")), Some(diff));
    }

    #[test]
    fn several_files_renames_modes_and_binaries_are_one_diff() {
        let diff = concat!(
            "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
            "diff --git a/s b/s\nold mode 100644\nnew mode 100755\n",
            "diff --git a/b b/b\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZQzWMT#Y01f~L\n\n",
            "literal 2\nJcmZQ%0RR9100000\n\n"
        );
        assert_eq!(located(&format!("msg\n---\n x | 0\n\n{diff}-- \n2.47.3\n")), Some(diff));
    }

    #[test]
    fn text_without_a_diff_has_none() {
        for text in ["", "just text\n", "--- a line\n", "--- a\n+++ b\nno hunk\n", "--- a\n+++ b\n@@ -1 +1,x @@\n a\n"]
        {
            assert_eq!(located(text), None, "{text}");
        }
    }

    #[test]
    fn any_bytes_can_be_searched() {
        proptest::proptest!(|(text in "(diff --git |@@ -|[0-9,+ @]|--- a\n|\\+\\+\\+ b\n|\n|[-+ \\\\]x|\r){0,40}")| {
            if let Some(range) = locate(text.as_bytes()) {
                proptest::prop_assert!(range.start < range.end && range.end <= text.len());
            }
        });
    }
}
