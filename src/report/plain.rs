//! Text that others wrote, made harmless: it may say anything and command nothing.

use super::grid::one_line;

/// Makes a text of several lines safe to show: each line as [`one_line`] does, tabs as blanks.
///
/// Patches, hypotheses and logs come from candidates. A control character could move a cursor, and a sign that turns the
/// direction of writing could show code in another order than the compiler reads it.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for line in text.lines() {
        clean.push_str(&one_line(&line.replace('\t', "    ")));
        clean.push('\n');
    }
    clean.pop();
    clean
}

/// Joins lines that were broken to fit a width; a blank line or the item of a list still begins a line of its own.
pub(super) fn reflow(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut ended = true;
    for line in clean(text).lines().map(str::trim) {
        let item = line.starts_with(['-', '*', '+']) || line.starts_with(|c: char| c.is_ascii_digit());
        if !whole.is_empty() {
            whole.push(if ended || item || line.is_empty() { '\n' } else { ' ' });
        }
        whole.push_str(line);
        ended = line.is_empty();
    }
    whole
}

/// Returns at most this many characters of a text, with an ellipsis where there were more.
pub fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_and_what_a_terminal_or_a_reader_would_obey_does_not() {
        assert_eq!(clean("a\tb\r\nc\u{1b}[2J\n\u{202e}d\n"), "a    b\nc\u{fffd}[2J\n\u{fffd}d");
        assert_eq!((clean(""), clean("\n\nx\n")), (String::new(), "\n\nx".to_owned()));
    }

    #[test]
    fn broken_lines_are_joined_and_paragraphs_and_items_are_not() {
        assert_eq!(reflow("a b\n  c\n\nd\n- e\nf\n- g"), "a b c\n\nd\n- e f\n- g");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!((cut("äöü", 3), cut("äöü", 2)), ("äöü".to_owned(), "äö…".to_owned()));
    }
}
