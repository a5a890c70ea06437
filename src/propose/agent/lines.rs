//! Lines of a long output, each up to some length.

use std::io::{self, BufRead};

/// Reads the next line without its newline; `None` at the end. What goes beyond `most` bytes is passed over, and makes the
/// line `false`.
pub(super) fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<Option<bool>> {
    line.clear();
    let (mut whole, mut any) = (true, false);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = &chunk[..end.unwrap_or(chunk.len())];
        let room = most.saturating_sub(line.len());
        whole &= taken.len() <= room;
        line.extend_from_slice(&taken[..taken.len().min(room)]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

/// Returns the end of a text, from the start of a character on.
pub(super) fn tail(text: &str, most: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(most))..]
}

/// Returns the beginning of a text, up to the end of a character.
pub(super) fn head(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn long_lines_are_cut_and_told() {
        let mut input = BufReader::with_capacity(3, &b"ab\n\nabcdefgh\nlast"[..]);
        let (mut line, mut seen) = (Vec::new(), Vec::new());
        while let Some(whole) = next_line(&mut input, &mut line, 5).unwrap() {
            seen.push((String::from_utf8(line.clone()).unwrap(), whole));
        }
        let expected = [("ab", true), ("", true), ("abcde", false), ("last", true)];
        assert_eq!(seen, expected.map(|(text, whole)| (text.to_owned(), whole)));
    }

    #[test]
    fn ends_and_beginnings_are_whole_characters() {
        assert_eq!((tail("aéé", 3), head("aéé", 2), head("a", 9)), ("é", "a", "a"));
    }
}
