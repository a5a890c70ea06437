//! Taking the `METRIC` and `INVARIANT` lines out of an output of any length, in constant memory.
//!
//! The output is read in blocks, and vectorised searches find the few lines that are worth a look ([`Search`]). Line
//! numbers are wanted only for what is wrong: they are counted in a second pass, which few outputs need.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek};

use super::grammar::{Line, parse_line, without_ansi};
use super::invariant::Invariants;
use super::search::Search;
use crate::domain::MetricName;

/// Bytes read at once; a line of this length or more cannot be a metric. Fits the second-level cache.
const BLOCK: usize = 1 << 18;

/// Samples kept of all metrics of one output together (32 MiB); later ones are only counted.
pub const SAMPLES_MAX: usize = 1 << 22;

/// Different metric names of one output that are kept; later ones only warn.
const NAMES_MAX: usize = 1 << 12;

/// Warnings of one output that are kept.
const WARNINGS_MAX: usize = 32;

/// Longest piece of a line that is shown, in bytes.
const SHOWN_MAX: usize = 200;

/// The values of one metric in one output.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// The values in the order printed, as long as they were kept.
    pub values: Vec<f64>,
    /// Lines printed; more than `values` when the output had more than [`SAMPLES_MAX`] in all.
    pub count: u64,
}

/// The first line of a metric that is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The line's number, from 1.
    pub line: u64,
    /// The line, cut at 200 bytes.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A line that looks like a metric or an invariant, is none, and names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line's number, from 1.
    pub line: u64,
    /// The line, cut at 200 bytes.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What one output says.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The metric that is named first, by a good line or, where there is none, by a bad one.
    pub first: Option<MetricName>,
    /// Samples by metric.
    pub samples: BTreeMap<MetricName, Samples>,
    /// The first bad line of each metric that has one.
    pub invalid: BTreeMap<MetricName, Invalid>,
    /// `INVARIANT` lines as `name=text`, in the order printed; long texts and long lists end in a hash.
    pub invariants: Invariants,
    /// The first 32 lines that name no metric.
    pub warnings: Vec<Warning>,
    /// Lines that warn, kept or not.
    pub warned: u64,
}

/// Reads an output from its beginning to its end.
pub fn parse(mut input: impl Read + Seek) -> io::Result<Parsed> {
    let mut block = vec![0; BLOCK];
    let mut found = scan(&mut input, &mut block)?;
    if !(found.invalid.is_empty() && found.warnings.is_empty()) {
        input.rewind()?;
        number_lines(&mut input, &mut block, &mut found)?;
    }
    Ok(found)
}

/// Finds everything; `line` of what is wrong is the offset of the line in bytes for now.
fn scan(input: &mut impl Read, block: &mut [u8]) -> io::Result<Parsed> {
    let mut scanner = Scanner::new();
    let mut filled = 0;
    loop {
        let read = read_some(input, &mut block[filled..])?;
        if read == 0 {
            scanner.end(&block[..filled]);
            return Ok(scanner.found);
        }
        // What was read before holds no newline.
        let newline = memchr::memrchr(b'\n', &block[filled..filled + read]).map(|at| filled + at + 1);
        filled += read;
        if let Some(end) = newline {
            scanner.lines(&block[..end]);
            block.copy_within(end..filled, 0);
            filled -= end;
        } else if filled == block.len() {
            scanner.piece(block);
            filled = 0;
        }
    }
}

/// Turns offsets of lines into their numbers.
fn number_lines(input: &mut impl Read, block: &mut [u8], found: &mut Parsed) -> io::Result<()> {
    let invalid = found.invalid.values_mut().map(|invalid| &mut invalid.line);
    let mut lines: Vec<&mut u64> = invalid.chain(found.warnings.iter_mut().map(|warning| &mut warning.line)).collect();
    lines.sort();
    let (mut offset, mut number) = (0, 1);
    let mut read = 0..0;
    for line in lines {
        let wanted = *line;
        while offset < wanted {
            if read.is_empty() {
                read = 0..read_some(input, block)?;
            }
            let left = usize::try_from(wanted - offset).unwrap_or(usize::MAX);
            let piece = read.start..read.end.min(read.start.saturating_add(left));
            if piece.is_empty() {
                break;
            }
            number += memchr::memchr_iter(b'\n', &block[piece.clone()]).count() as u64;
            offset += piece.len() as u64;
            read.start = piece.end;
        }
        *line = number;
    }
    Ok(())
}

fn read_some(input: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Where in a line longer than a block the scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LongLine {
    /// In none.
    No,
    /// In one that says nothing.
    Skip,
    /// In an invariant, whose text is hashed on.
    Invariant,
}

struct Scanner {
    found: Parsed,
    search: Search,
    /// Where each metric's samples are, so that a line costs no allocation.
    names: HashMap<String, usize>,
    samples: Vec<(MetricName, Samples)>,
    kept: usize,
    /// Bytes of the output before the line at hand.
    offset: u64,
    long: LongLine,
}

impl Scanner {
    fn new() -> Self {
        Self {
            found: Parsed::default(),
            search: Search::new(),
            names: HashMap::new(),
            samples: Vec::new(),
            kept: 0,
            offset: 0,
            long: LongLine::No,
        }
    }

    /// Takes whole lines, of which the first may be the end of a long one and the last may lack its newline.
    fn lines(&mut self, block: &[u8]) {
        let base = self.offset;
        let mut start = 0;
        if self.long != LongLine::No {
            start = memchr::memchr(b'\n', block).map_or(block.len(), |at| at + 1);
            self.long_end(&block[..start - 1]);
        }
        self.search.begin(block, start);
        while let Some(hit) = self.search.next(block, start) {
            let line_start = memchr::memrchr(b'\n', &block[..hit]).map_or(0, |at| at + 1);
            let line_end = memchr::memchr(b'\n', &block[hit..]).map_or(block.len(), |at| hit + at);
            self.offset = base + line_start as u64;
            self.line(&block[line_start..line_end]);
            start = (line_end + 1).min(block.len());
        }
        self.offset = base + block.len() as u64;
    }

    /// Takes a block without a newline: a piece of a line too long for a block.
    fn piece(&mut self, block: &[u8]) {
        match self.long {
            LongLine::Skip => {}
            LongLine::Invariant => self.found.invariants.extend_long(block),
            LongLine::No => self.long_start(block),
        }
        self.offset += block.len() as u64;
    }

    fn long_start(&mut self, block: &[u8]) {
        self.long = LongLine::Skip;
        match parse_line(&without_ansi(block)) {
            Line::Metric { name, .. } | Line::BadMetric { name: Some(name), .. } => {
                self.invalid(name, block, "the line is too long");
            }
            Line::BadMetric { name: None, .. } | Line::BadInvariant { .. } => self.warn(block, "the line is too long"),
            Line::Invariant { name, text } => {
                self.found.invariants.begin_long(name, text);
                self.long = LongLine::Invariant;
            }
            Line::Other => {}
        }
    }

    /// Takes the last piece of a long line.
    fn long_end(&mut self, piece: &[u8]) {
        if self.long == LongLine::Invariant {
            self.found.invariants.end_long(piece);
        }
        self.long = LongLine::No;
    }

    /// Takes what follows the last newline.
    fn end(&mut self, rest: &[u8]) {
        if self.long == LongLine::No {
            self.lines(rest);
        } else {
            self.long_end(rest);
        }
        let bad = || self.found.invalid.iter().min_by_key(|(_, invalid)| invalid.line).map(|(name, _)| name);
        self.found.first = self.samples.first().map(|(name, _)| name).or_else(bad).cloned();
        self.found.samples = std::mem::take(&mut self.samples).into_iter().collect();
    }

    fn line(&mut self, line: &[u8]) {
        match parse_line(&without_ansi(line)) {
            Line::Other => {}
            Line::Metric { name, value } => self.sample(name, value, line),
            Line::BadMetric { name: Some(name), why } => self.invalid(name, line, why),
            Line::BadMetric { name: None, why } | Line::BadInvariant { why } => self.warn(line, why),
            Line::Invariant { name, text } => self.found.invariants.push(name, text),
        }
    }

    fn sample(&mut self, name: &str, value: f64, line: &[u8]) {
        let Some(index) = self.index(name) else {
            return self.warn(line, "there are too many different metrics");
        };
        let samples = &mut self.samples[index].1;
        samples.count += 1;
        if self.kept < SAMPLES_MAX {
            self.kept += 1;
            samples.values.push(value);
        }
    }

    /// Returns where a printed name's samples are; both mu signs lead to the same place.
    fn index(&mut self, name: &str) -> Option<usize> {
        if let Some(index) = self.names.get(name) {
            return Some(*index);
        }
        let metric = MetricName::new(name).ok()?;
        if let Some(index) = self.names.get(metric.as_str()) {
            return Some(*index);
        }
        let index = self.samples.len();
        if index >= NAMES_MAX {
            return None;
        }
        self.names.insert(metric.as_str().to_owned(), index);
        self.samples.push((metric, Samples::default()));
        Some(index)
    }

    fn invalid(&mut self, name: &str, line: &[u8], why: &'static str) {
        let Ok(metric) = MetricName::new(name) else {
            return self.warn(line, why);
        };
        if self.found.invalid.len() >= NAMES_MAX && !self.found.invalid.contains_key(&metric) {
            return self.warn(line, why);
        }
        let offset = self.offset;
        let invalid = || Invalid { line: offset, text: shown(line), why };
        self.found.invalid.entry(metric).or_insert_with(invalid);
    }

    fn warn(&mut self, line: &[u8], why: &'static str) {
        self.found.warned += 1;
        if self.found.warnings.len() < WARNINGS_MAX {
            self.found.warnings.push(Warning { line: self.offset, text: shown(line), why });
        }
    }
}

/// Renders a line for people, cut at 200 bytes.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(&line[..line.len().min(SHOWN_MAX)]).into_owned()
}
