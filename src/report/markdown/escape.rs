//! Text of others within markdown: it can neither format, link, mention anybody nor end the block that it stands in.

use crate::report::plain::{clean, cut};

/// Characters of one text within a line.
const LONGEST: usize = 600;

/// An empty comment: it ends a word for whoever looks for links and mentions, and is not seen.
const BREAK: &str = "<!-- -->";

/// Writes a text on one line, as plain text.
pub(super) fn inline(text: &str) -> String {
    let line = clean(text).lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let text: Vec<char> = cut(&line, LONGEST).chars().collect();
    let mut out = String::with_capacity(line.len());
    for (at, &c) in text.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| text[at]);
        let after = text.get(at + 1).copied();
        let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '_' if in_word(before) && in_word(after) => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', c]),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention, the number of another pull request, a link that the site would make by itself.
            '@' | '#' if in_word(after) => out.extend([c.to_string().as_str(), BREAK]),
            ':' if after == Some('/') => out.extend([":", BREAK]),
            c => out.push(c),
        }
    }
    out.replace("www.", &format!("www{BREAK}."))
}

/// Writes a text as code within a line: in more backticks than it holds in a row.
pub(super) fn code(text: &str) -> String {
    let line = clean(text).replace('\n', " ").replace('|', "\\|");
    let ticks = "`".repeat(longest_run(&line, '`') + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') || line.is_empty() { " " } else { "" };
    format!("{ticks}{pad}{line}{pad}{ticks}")
}

/// Writes lines as a block of code, between fences longer than any within.
pub(super) fn block(text: &str) -> String {
    let text = clean(text);
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_can_neither_format_nor_link_nor_mention() {
        let text = "**a** [x](javascript:alert(1)) <img src=x> @me #7 https://x.org\n\n# b | c_d _e_";
        assert_eq!(
            inline(text),
            "\\*\\*a\\*\\* \\[x\\](javascript:alert(1)) &lt;img src=x&gt; @<!-- -->me #<!-- -->7 https:<!-- -->//x.org \
             # b \\| c_d \\_e\\_"
        );
    }

    #[test]
    fn code_stays_between_its_fences() {
        assert_eq!(code("a `b` c"), "``a `b` c``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(block("x\n````\ny\u{1b}[0m"), "`````text\nx\n````\ny\u{fffd}[0m\n`````\n");
        assert_eq!(block("x"), "```text\nx\n```\n");
    }
}
