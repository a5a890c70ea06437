//! A `git format-patch` mail: its headers decoded, its parts put together.

use std::sync::LazyLock;

use mailparse::body::Body;
use mailparse::{MailAddr, MailHeaderMap as _, ParsedMail};
use regex::bytes::Regex;

use crate::domain::Author;

use super::diff;

/// What a mail says: headers decoded, transfer encoding undone, otherwise byte for byte.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) author: Option<Author>,
    /// The message, up to the line `---` or the diff.
    pub(super) message: String,
    /// Everything after the headers.
    pub(super) body: Vec<u8>,
}

/// Why a mail could not be read; the parser's own error is inside.
pub(super) type Fault = Box<dyn std::error::Error + Send + Sync>;

static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^From \S+ +[A-Z][a-z]{2} [A-Z][a-z]{2} +[0-9]+ [0-9:]{8} [0-9]{4}\s*?$")
        .expect("a constant pattern")
});

/// Counts the mails of a mailbox by its separator lines (`From <id> Mon Sep 17 00:00:00 2001`).
pub(super) fn count(text: &[u8]) -> usize {
    SEPARATOR.find_iter(text).count()
}

/// Says whether a text is a mail: it begins like a mailbox, or its first block has a `Subject:`.
pub(super) fn is_mail(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let header = |line: &&[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        line.starts_with(b" ")
            || line.starts_with(b"\t")
            || name.len() < line.len() && name.iter().all(u8::is_ascii_graphic)
    };
    let block = text.split(|byte| *byte == b'\n').take_while(header);
    SEPARATOR.find(text).is_some_and(|found| found.start() == 0)
        || block.into_iter().any(|line| line.len() > 8 && line[..8].eq_ignore_ascii_case(b"subject:"))
}

/// Reads a mail.
pub(super) fn read(text: &[u8]) -> Result<Mail, Fault> {
    let text = text.trim_ascii_start();
    let text = match SEPARATOR.find(text) {
        Some(found) if found.start() == 0 => &text[diff::lines(text)[0].end..],
        _ => text,
    };
    let mail = mailparse::parse_mail(text)?;
    let mut body = Vec::new();
    collect(&mail, &mut body)?;
    let message = message(&mail, &body)?;
    let mut read = Mail {
        subject: mail.headers.get_first_value("Subject").unwrap_or_default(),
        author: author(&mail),
        message,
        body,
    };
    read.take_inner_headers();
    read.subject = without_prefix(&read.subject).to_owned();
    Ok(read)
}

/// Puts the leaf parts together, transfer encoding undone.
fn collect(mail: &ParsedMail<'_>, body: &mut Vec<u8>) -> Result<(), Fault> {
    if mail.subparts.is_empty() {
        match mail.get_body_encoded() {
            // The parser's own decoder makes every line end a CRLF, which no LF patch survives.
            Body::QuotedPrintable(part) => body.extend(unquoted(part.get_raw())),
            Body::Base64(_) | Body::SevenBit(_) | Body::EightBit(_) | Body::Binary(_) => {
                body.extend(mail.get_body_raw()?);
            }
        }
    }
    mail.subparts.iter().try_for_each(|part| collect(part, body))
}

/// Undoes quoted-printable (RFC 2045 section 6.7) and keeps each line end as it is.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    for range in diff::lines(text) {
        let line = &text[range];
        let content = line.trim_ascii_end();
        let soft = content.ends_with(b"=");
        let mut rest = content.strip_suffix(b"=").unwrap_or(content);
        while let Some((&byte, after)) = rest.split_first() {
            let code = (byte == b'=').then(|| after.get(..2).and_then(hex)).flatten();
            plain.push(code.unwrap_or(byte));
            rest = if code.is_some() { &after[2..] } else { after };
        }
        let end: &[u8] = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        if !soft && line.ends_with(b"\n") {
            plain.extend(end);
        }
    }
    plain
}

fn hex(digits: &[u8]) -> Option<u8> {
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(digits).ok().filter(|_| is_hex).and_then(|digits| u8::from_str_radix(digits, 16).ok())
}

/// Decodes the message: UTF-8 where it is that, else by the charset that the mail names.
fn message(mail: &ParsedMail<'_>, body: &[u8]) -> Result<String, Fault> {
    if let Ok(text) = std::str::from_utf8(&body[..message_end(body)]) {
        return Ok(text.to_owned());
    }
    let decoded = mail.subparts.first().unwrap_or(mail).get_body()?;
    Ok(decoded[..message_end(decoded.as_bytes())].to_owned())
}

/// Finds where the message ends, as git does: at a line `---`, or where the diff begins.
fn message_end(body: &[u8]) -> usize {
    let diff = diff::locate(body).map_or(body.len(), |range| range.start);
    let is_break = |line: &&std::ops::Range<usize>| body[(*line).clone()].trim_ascii_end() == b"---";
    diff::lines(&body[..diff]).iter().find(is_break).map_or(diff, |line| line.start)
}

fn author(mail: &ParsedMail<'_>) -> Option<Author> {
    mailparse::addrparse_header(mail.headers.get_first_header("From")?).ok().and_then(|list| first(&list))
}

fn first(list: &[MailAddr]) -> Option<Author> {
    let single = list.iter().find_map(|address| match address {
        MailAddr::Single(single) => Some(single),
        MailAddr::Group(_) => None,
    })?;
    let email = single.addr.trim().to_owned();
    let name = single.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    (!email.is_empty()).then(|| Author { name: name.unwrap_or(&email).to_owned(), email: email.clone() })
}

impl Mail {
    /// Takes the headers that git puts at the top of the message when the sender is not the author.
    fn take_inner_headers(&mut self) {
        let message = self.message.trim_start().to_owned();
        let mut rest = message.as_str();
        while let Some((line, after)) = rest.split_once('\n') {
            if let Some(from) = line.strip_prefix("From: ") {
                let inner = mailparse::addrparse(from.trim()).ok().and_then(|list| first(&list));
                self.author = inner.or(self.author.take());
            } else if let Some(subject) = line.strip_prefix("Subject: ") {
                subject.trim().clone_into(&mut self.subject);
            } else if !line.starts_with("Date: ") {
                break;
            }
            rest = after;
        }
        rest.clone_into(&mut self.message);
    }
}

/// Takes prefixes such as `[PATCH v2 3/7]` off a subject; other brackets stay.
fn without_prefix(subject: &str) -> &str {
    let rest = subject.trim();
    let Some((tag, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else { return rest };
    if tag.to_ascii_uppercase().contains("PATCH") { without_prefix(after) } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_patch_brackets_are_taken_off() {
        assert_eq!(without_prefix("[PATCH v2 3/7] fast"), "fast");
        assert_eq!(without_prefix("[RFC PATCH] [PATCH] fast"), "fast");
        assert_eq!(without_prefix("[lsm] fast"), "[lsm] fast");
        assert_eq!(without_prefix("[open fast"), "[open fast");
    }

    #[test]
    fn a_mail_is_told_from_a_diff() {
        assert!(is_mail(b"From 0123456789 Mon Sep 17 00:00:00 2001\nx"));
        assert!(is_mail(b"From: a <a@b>\nSubject: x\n\n"));
        assert!(!is_mail(b"diff --git a/x b/x\n"));
        assert!(!is_mail(b"commit 12\nAuthor: a\n\n    Subject: x\n"));
        assert!(!is_mail(b"Index: x\n===\nSubject: x\n"));
        assert!(!is_mail(b""));
    }

    #[test]
    fn quoted_printable_keeps_line_ends() {
        assert_eq!(unquoted(b"a=3Db=\nc =20\r\nd=C3=BC  \n=zz=4"), b"a=bc  \r\nd\xc3\xbc\n=zz=4");
    }

    #[test]
    fn an_author_in_the_message_goes_before_the_sender() {
        let mail = read(b"From: list <l@x>\nSubject: [PATCH] a\n\nFrom: Who <w@x>\n\nWhy.\n---\n").unwrap();
        assert_eq!(mail.author, Some(Author { name: "Who".into(), email: "w@x".into() }));
        assert_eq!(mail.message.trim(), "Why.");
    }
}
