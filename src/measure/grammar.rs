//! The grammar of one line of output (FORMATS section 1).

use std::borrow::Cow;

use crate::domain::MetricName;

/// Longest name of a metric, in bytes, so that names need bounded memory.
const NAME_MAX: usize = 1 << 10;

/// What one line of output is.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    /// Neither `METRIC` nor `INVARIANT`.
    Other,
    /// A value of a metric.
    Metric {
        /// The name as printed.
        name: &'a str,
        /// The value; always finite.
        value: f64,
    },
    /// A line that should be a metric and is none.
    BadMetric {
        /// The name, where the line has one.
        name: Option<&'a str>,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A fact that must be the same in both arms.
    Invariant {
        /// The name as printed.
        name: &'a str,
        /// Everything after the `=`.
        text: &'a [u8],
    },
    /// A line that should be an invariant and is none.
    BadInvariant {
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Reads one line, without its newline and without ANSI codes.
pub fn parse_line(line: &[u8]) -> Line<'_> {
    let line = strip_cr(line);
    let line = &line[line.iter().take_while(|b| is_blank(**b)).count()..];
    if let Some(rest) = keyword(line, b"METRIC") {
        return metric(rest);
    }
    match keyword(line, b"INVARIANT") {
        Some(rest) => invariant(rest),
        None => Line::Other,
    }
}

/// Returns what follows a keyword and its blanks.
fn keyword<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(word)?;
    rest.first().filter(|b| is_blank(**b))?;
    Some(&rest[rest.iter().take_while(|b| is_blank(**b)).count()..])
}

fn metric(rest: &[u8]) -> Line<'_> {
    let Some(equals) = memchr::memchr(b'=', rest) else {
        let end = rest.iter().position(|b| is_blank(*b)).unwrap_or(rest.len());
        return Line::BadMetric { name: name(&rest[..end]), why: "there is no '=' after the name" };
    };
    let (before, after) = (&rest[..equals], &rest[equals + 1..]);
    let Some(metric) = name(before) else {
        let end = before.iter().position(|b| is_blank(*b)).unwrap_or(before.len());
        return Line::BadMetric { name: name(&before[..end]), why: "the name is not one word of allowed characters" };
    };
    if metric.starts_with("auto.") {
        return Line::BadMetric { name: Some(metric), why: "names in auto. are measured by the tool itself" };
    }
    match value(after) {
        Ok(value) => Line::Metric { name: metric, value },
        Err(why) => Line::BadMetric { name: Some(metric), why },
    }
}

fn invariant(rest: &[u8]) -> Line<'_> {
    let Some(equals) = memchr::memchr(b'=', rest) else {
        return Line::BadInvariant { why: "there is no '=' after the name" };
    };
    match name(&rest[..equals]) {
        Some(name) => Line::Invariant { name, text: &rest[equals + 1..] },
        None => Line::BadInvariant { why: "the name is not one word of allowed characters" },
    }
}

fn name(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok()?;
    ((1..=NAME_MAX).contains(&text.len()) && text.chars().all(MetricName::allows)).then_some(text)
}

/// Reads `<number>[ <unit>]`. A second group of digits is no unit: `1 000` is a number of some locale, not 1.
fn value(text: &[u8]) -> Result<f64, &'static str> {
    let end = text.iter().position(|b| is_blank(*b)).unwrap_or(text.len());
    let number = number(&text[..end])?;
    let unit = text[end..].trim_ascii_start();
    let word = unit.split(|b| is_blank(*b)).next().unwrap_or_default();
    if !word.is_empty() && word.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'_')) {
        return Err("the number is followed by more digits");
    }
    Ok(number)
}

/// Reads a decimal number: optional sign, digits with an optional fraction, optional exponent.
fn number(word: &[u8]) -> Result<f64, &'static str> {
    const NOT_DECIMAL: &str = "the value is not a decimal number";
    let text = str::from_utf8(word).map_err(|_| NOT_DECIMAL)?;
    if text.is_empty() {
        return Err("there is no value after the '='");
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let spells = |special: &str| unsigned.eq_ignore_ascii_case(special);
    if spells("nan") || spells("inf") || spells("infinity") {
        return Err("the value is not finite");
    }
    if !is_decimal(unsigned.as_bytes()) {
        return Err(NOT_DECIMAL);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err("the value is too large for a 64-bit float"),
        Err(_) => Err(NOT_DECIMAL),
    }
}

/// Says whether the bytes are digits with an optional fraction and exponent; at least one digit before the exponent.
fn is_decimal(text: &[u8]) -> bool {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => digits(rest),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    let Some((b'e' | b'E', exponent)) = rest.split_first() else {
        return rest.is_empty();
    };
    let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    let (count, rest) = digits(exponent);
    count > 0 && rest.is_empty()
}

fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    (count, &text[count..])
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn strip_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Takes ANSI control sequences (`ESC [ ... letter`, such as colours) out of a line.
pub(super) fn without_ansi(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0x1b, line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(escape) = memchr::memchr(0x1b, rest) {
        plain.extend_from_slice(&rest[..escape]);
        rest = after_sequence(&rest[escape + 1..]);
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// Returns what follows a control sequence whose ESC was taken already.
fn after_sequence(text: &[u8]) -> &[u8] {
    let Some(parameters) = text.strip_prefix(b"[") else {
        return text;
    };
    match parameters.iter().position(|b| (0x40..=0x7e).contains(b)) {
        Some(end) => &parameters[end + 1..],
        None => &[],
    }
}
