//! A patch, its added and removed lines in colours where there are any.

use std::fmt::Write as _;

use crate::report::grid::Screen;
use crate::report::overview::PatchView;
use crate::report::plain::clean;

/// How a terminal begins the colours of a diff, and how it ends any.
const ADDED: &str = "\u{1b}[32m";
const REMOVED: &str = "\u{1b}[31m";
const HUNK: &str = "\u{1b}[36m";
const FILE: &str = "\u{1b}[1m";
const END: &str = "\u{1b}[0m";

/// Writes a patch.
pub fn patch(view: &PatchView, screen: Screen) -> String {
    let mut text = "patch\n".to_owned();
    for line in clean(&view.text).lines() {
        match colour(line).filter(|_| screen.colour) {
            Some(colour) => text.extend(["  ", colour, line, END, "\n"]),
            None => text.extend(["  ", line, "\n"]),
        }
    }
    if view.left_out > 0 {
        let _ = writeln!(text, "  and {} bytes more", view.left_out);
    }
    text
}

/// Returns the colour of a line of a unified diff.
fn colour(line: &str) -> Option<&'static str> {
    match line.as_bytes() {
        [b'+', b'+', b'+', b' ', ..] | [b'-', b'-', b'-', b' ', ..] => Some(FILE),
        [b'+', ..] => Some(ADDED),
        [b'-', ..] => Some(REMOVED),
        [b'@', b'@', ..] => Some(HUNK),
        _ if line.starts_with("diff ") => Some(FILE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_and_removed_lines_have_their_colours_and_no_others() {
        let view = PatchView { text: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+\u{1b}[2Jb\n c\n".to_owned(), left_out: 3 };
        let plain = patch(&view, Screen { width: None, colour: false });
        assert_eq!(
            plain,
            "patch\n  --- a/x\n  +++ b/x\n  @@ -1 +1 @@\n  -a\n  +\u{fffd}[2Jb\n   c\n  and 3 bytes more\n"
        );
        let coloured = patch(&view, Screen { width: None, colour: true });
        assert!(coloured.contains("\u{1b}[31m-a\u{1b}[0m\n") && coloured.contains("\n   c\n"), "{coloured:?}");
    }
}
