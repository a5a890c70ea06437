//! A shell script's text, split into what is code, what is quoted and what is a comment.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::str::Chars;

/// Stands in the code of a line for each character that is quoted.
pub(super) const QUOTED: char = '\u{1}';

/// One logical line of a script: lines joined by a trailing backslash are one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Number of its first physical line, from 1.
    pub(super) number: usize,
    /// The line as written, without comments.
    pub(super) live: String,
    /// The same with every quoted character replaced by [`QUOTED`]; what stands in `"$(...)"` is code.
    pub(super) code: String,
}

/// What the scanner is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// `$(...)` or `(...)`; ends with `)`.
    Parens,
    /// Old-style command substitution.
    Backticks,
    /// `"..."`.
    Double,
    /// `'...'`; the flag says whether a backslash escapes, as in `$'...'`.
    Single(bool),
    /// `${...}`.
    Parameter,
    /// `$((...))`, with the number of its open parentheses.
    Arithmetic(u32),
}

struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
    stack: Vec<Inside>,
    /// Delimiters of here-documents that start on the next line; the flag: leading tabs are stripped.
    heredocs: VecDeque<(String, bool)>,
    number: usize,
    line: Line,
    lines: Vec<Line>,
}

/// Splits a script into its logical lines. Text that is not shell at all yields lines too, only less useful ones.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut scanner = Scanner {
        rest: text.chars().peekable(),
        stack: Vec::new(),
        heredocs: VecDeque::new(),
        number: 1,
        line: Line { number: 1, ..Line::default() },
        lines: Vec::new(),
    };
    while let Some(c) = scanner.rest.next() {
        scanner.take(c);
    }
    scanner.end_line();
    scanner.lines
}

impl Scanner<'_> {
    fn take(&mut self, c: char) {
        if c == '\n' {
            self.newline();
            return;
        }
        match self.stack.last().copied() {
            None => self.code(c, None),
            Some(inside @ (Inside::Parens | Inside::Backticks)) => self.code(c, Some(inside)),
            Some(Inside::Double) => self.double(c),
            Some(Inside::Single(escapes)) => self.single(c, escapes),
            Some(Inside::Parameter) => self.parameter(c),
            Some(Inside::Arithmetic(open)) => self.arithmetic(c, open),
        }
    }

    fn push_code(&mut self, c: char) {
        self.line.live.push(c);
        self.line.code.push(c);
    }

    fn push_quoted(&mut self, c: char) {
        self.line.live.push(c);
        self.line.code.push(QUOTED);
    }

    fn code(&mut self, c: char, inside: Option<Inside>) {
        match (c, inside) {
            ('\\', _) => self.escape(),
            ('\'', _) => self.open(c, Inside::Single(false)),
            ('"', _) => self.open(c, Inside::Double),
            ('`', Some(Inside::Backticks)) | (')', Some(Inside::Parens)) => self.close(c),
            ('`', _) => self.open(c, Inside::Backticks),
            ('(', _) => self.open(c, Inside::Parens),
            ('$', _) => self.dollar(),
            ('#', _) if self.at_word_start() => self.comment(),
            ('<', _) if self.rest.peek() == Some(&'<') => self.heredoc(),
            _ => self.push_code(c),
        }
    }

    fn open(&mut self, c: char, inside: Inside) {
        self.push_code(c);
        self.stack.push(inside);
    }

    fn close(&mut self, c: char) {
        self.push_code(c);
        self.stack.pop();
    }

    fn escape(&mut self) {
        match self.rest.next() {
            Some('\n') => {
                self.number += 1;
                self.push_code(' ');
            }
            Some(c) => {
                self.push_code('\\');
                self.push_quoted(c);
            }
            None => self.push_code('\\'),
        }
    }

    fn at_word_start(&self) -> bool {
        self.line.code.chars().next_back().is_none_or(|last| last.is_whitespace() || ";&|(`".contains(last))
    }

    fn comment(&mut self) {
        while self.rest.peek().is_some_and(|c| *c != '\n') {
            self.rest.next();
        }
    }

    fn dollar(&mut self) {
        self.push_code('$');
        match self.rest.peek() {
            Some('{') => self.open_next(Inside::Parameter),
            Some('\'') => self.open_next(Inside::Single(true)),
            Some('(') => {
                self.open_next(Inside::Parens);
                if self.rest.peek() == Some(&'(') {
                    self.stack.pop();
                    self.open_next(Inside::Arithmetic(2));
                }
            }
            // `$#` and `$$` are no comment and no start of anything.
            Some(&sign @ ('#' | '$')) => {
                self.rest.next();
                self.push_quoted(sign);
            }
            Some(_) | None => {}
        }
    }

    fn open_next(&mut self, inside: Inside) {
        if let Some(c) = self.rest.next() {
            self.open(c, inside);
        }
    }

    fn double(&mut self, c: char) {
        match c {
            '"' => self.close(c),
            '\\' => {
                self.push_quoted(c);
                if let Some(escaped) = self.rest.next_if(|c| *c != '\n') {
                    self.push_quoted(escaped);
                }
            }
            '`' => self.open(c, Inside::Backticks),
            '$' if matches!(self.rest.peek(), Some('(' | '{')) => self.dollar(),
            _ => self.push_quoted(c),
        }
    }

    fn single(&mut self, c: char, escapes: bool) {
        if c == '\'' {
            self.close(c);
            return;
        }
        self.push_quoted(c);
        if let Some(escaped) = self.rest.next_if(|next| c == '\\' && escapes && *next != '\n') {
            self.push_quoted(escaped);
        }
    }

    fn parameter(&mut self, c: char) {
        match c {
            '}' => self.close(c),
            '"' => self.open(c, Inside::Double),
            '$' if matches!(self.rest.peek(), Some('(' | '{')) => self.dollar(),
            _ => self.push_quoted(c),
        }
    }

    fn arithmetic(&mut self, c: char, open: u32) {
        self.push_quoted(c);
        let open = match c {
            '(' => open + 1,
            ')' => open - 1,
            _ => open,
        };
        self.stack.pop();
        if open > 0 {
            self.stack.push(Inside::Arithmetic(open));
        }
    }

    /// Reads the start of a here-document; `<<<` is none.
    fn heredoc(&mut self) {
        self.push_code('<');
        self.rest.next();
        self.push_code('<');
        if self.rest.next_if_eq(&'<').is_some() {
            self.push_code('<');
            return;
        }
        let strips = self.rest.next_if_eq(&'-').is_some();
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_alphanumeric() || "_-'\"\\!.".contains(*c)) {
            self.push_quoted(c);
            word.push(c);
        }
        let word: String = word.chars().filter(|c| !"'\"\\".contains(*c)).collect();
        if !word.is_empty() {
            self.heredocs.push_back((word, strips));
        }
    }

    fn newline(&mut self) {
        self.end_line();
        let in_code = !matches!(self.stack.last(), Some(Inside::Double | Inside::Single(_) | Inside::Parameter));
        while in_code && !self.heredocs.is_empty() {
            self.heredoc_body();
        }
    }

    /// Takes the lines of a here-document as quoted text, each as a line of its own.
    fn heredoc_body(&mut self) {
        let Some((word, strips)) = self.heredocs.pop_front() else { return };
        while self.rest.peek().is_some() {
            let mut body = String::new();
            while let Some(c) = self.rest.next_if(|c| *c != '\n') {
                body.push(c);
            }
            self.rest.next();
            let ends = if strips { body.trim_start_matches('\t') } else { &body } == word;
            body.chars().for_each(|c| self.push_quoted(c));
            self.end_line();
            if ends {
                return;
            }
        }
    }

    fn end_line(&mut self) {
        self.number += 1;
        let next = Line { number: self.number, ..Line::default() };
        self.lines.push(std::mem::replace(&mut self.line, next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<String> {
        lines(text).into_iter().map(|line| line.code.replace(QUOTED, "~")).collect()
    }

    #[test]
    fn quoted_text_is_no_code_but_a_substitution_in_it_is() {
        assert_eq!(code(r#"echo "a | $(b | c) d" 'e | f'"#), [r#"echo "~~~~$(b | c)~~" '~~~~~'"#]);
        assert_eq!(code(r#"x="${a#"$b"}" # c"#), [r#"x="${~~"~~"}" "#]);
        assert_eq!(code("n=$((a | (b))) | c"), ["n=$((~~~~~~~~~ | c"]);
    }

    #[test]
    fn a_number_sign_starts_a_comment_only_at_a_word() {
        assert_eq!(code("a#b $# ${#x} # comment 'open\nc"), ["a#b $~ ${~~} ", "c"]);
    }

    #[test]
    fn text_in_quotes_may_span_lines_and_numbers_stay_right() {
        let read = lines("awk '\n{ a | b }\n' \\\n  file\nlast");
        assert_eq!(read.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 5]);
        assert_eq!(read[1].code.replace(QUOTED, "~"), "~~~~~~~~~");
        assert_eq!(read[2].live, "'    file");
    }

    #[test]
    fn a_here_document_is_quoted_to_its_end() {
        let read = code("python3 - <<'PY' | x\nos | y\nPY\nz");
        assert_eq!(read, ["python3 - <<~~~~ | x", "~~~~~~", "~~", "z"]);
        assert_eq!(code("cat <<-END\n\ta\n\tEND\nb")[3], "b");
        assert_eq!(code("cat <<< x\nb")[1], "b");
    }

    #[test]
    fn an_open_quote_at_the_end_is_no_trouble() {
        assert_eq!(code("echo \"open\n$(x").len(), 2);
        assert_eq!(code("a \\").len(), 1);
        assert_eq!(code("cat <<E\nx").len(), 2 + 1);
    }
}
