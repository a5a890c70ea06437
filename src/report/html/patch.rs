//! A patch, one line of the page for each of its lines.

use maud::{Markup, html};

use crate::report::overview::PatchView;
use crate::report::plain::clean;

/// Lines of one patch that are shown.
const LINES: usize = 600;

/// Writes a patch with its added and removed lines marked.
pub(super) fn patch(view: &PatchView) -> Markup {
    let text = clean(&view.text);
    let all = text.lines().count();
    html! {
        details.patch {
            summary { (format!("Patch, {all} lines")) }
            pre tabindex="0" {
                @for line in text.lines().take(LINES) {
                    @match class(line) {
                        Some(class) => span class=(class) { (line) "\n" },
                        None => { (line) "\n" },
                    }
                }
            }
            @if all > LINES || view.left_out > 0 {
                p.quiet { "The rest is left out here; the commit has it." }
            }
        }
    }
}

/// Returns how a line of a unified diff is meant.
fn class(line: &str) -> Option<&'static str> {
    match line.as_bytes() {
        [b'+', b'+', b'+', b' ', ..] | [b'-', b'-', b'-', b' ', ..] => Some("file"),
        [b'+', ..] => Some("added"),
        [b'-', ..] => Some("removed"),
        [b'@', b'@', ..] => Some("hunk"),
        _ if line.starts_with("diff ") || line.starts_with("index ") => Some("file"),
        _ => None,
    }
}
