//! The lines of an output of any length, without colours, in bounded memory.

use std::io::{self, BufRead};

/// Bytes of a line that are looked at; no line that names a test is longer.
const LINE_MAX: usize = 1 << 14;

/// Hands each line over, without its end and without escape sequences; a longer line is cut.
pub(super) fn each_line(mut input: impl BufRead, mut take: impl FnMut(&str)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if !next_line(&mut input, &mut line)? {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        if text.contains('\u{1b}') { take(&without_escapes(text)) } else { take(text) }
    }
}

/// Reads one line, of which the first bytes are kept; returns whether there was one.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(chunk.len(), |at| at + 1);
        let room = LINE_MAX.saturating_sub(line.len());
        line.extend_from_slice(&chunk[..end.unwrap_or(used).min(room)]);
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// Removes escape sequences of the form `ESC [ ... letter`.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        let parameters = after.strip_prefix('[').unwrap_or(after);
        let end = parameters.find(|c: char| c.is_ascii_alphabetic()).map_or(parameters.len(), |at| at + 1);
        rest = if after.starts_with('[') { &parameters[end..] } else { after };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        let mut all = Vec::new();
        each_line(text, |line| all.push(line.to_owned())).unwrap();
        all
    }

    #[test]
    fn lines_come_without_ends_and_colours() {
        assert_eq!(lines(b"a\r\n\x1b[32mok\x1b[0m b\n\nlast"), ["a", "ok b", "", "last"]);
        assert_eq!(lines(b"\x1b"), [""]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_is_whole() {
        let mut text = vec![b'x'; 1 << 20];
        text.extend_from_slice(b"\nnext\n");
        let lines = lines(&text);
        assert_eq!((lines[0].len(), lines[1].as_str()), (LINE_MAX, "next"));
    }
}
