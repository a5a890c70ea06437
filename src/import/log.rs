//! A whole log: its lines in order, each accounted for.

use super::fields::{self, Line};
use super::json;
use super::table::Table;
use crate::domain::{ImportedRun, ImportedSegment, Unread};

/// Where the numbers of a log begin, when it is not the first of its session.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start {
    /// Runs before it.
    pub runs: u32,
    /// Segments before it.
    pub segments: u32,
}

/// A log taken apart.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Segments and runs in the order of their lines.
    pub items: Vec<Item>,
    /// All lines; each is one of the following.
    pub lines: u64,
    /// Lines of runs.
    pub runs: u64,
    /// Lines that begin a segment, and a table's head.
    pub configs: u64,
    /// Lines of hooks.
    pub hooks: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Lines that could not be understood.
    pub unread: Vec<Unread>,
}

/// What a log holds.
#[derive(Debug, Clone)]
pub enum Item {
    /// A segment begins.
    Segment(ImportedSegment),
    /// A run.
    Run(Box<ImportedRun>),
}

impl Log {
    /// Returns the runs in order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &ImportedRun> {
        self.items.iter().filter_map(|item| match item {
            Item::Run(run) => Some(run.as_ref()),
            Item::Segment(_) => None,
        })
    }

    /// Returns the segments in order.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &ImportedSegment> {
        self.items.iter().filter_map(|item| match item {
            Item::Segment(segment) => Some(segment),
            Item::Run(_) => None,
        })
    }

    /// Says where the next log of the same session begins.
    pub fn end(&self, start: Start) -> Start {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Start {
            runs: start.runs + count(self.rows().count()),
            segments: start.segments + count(self.segments().count()),
        }
    }
}

/// Takes a log apart: JSON lines of any of the dialects that were met, or a table with tabs.
pub fn read_log(bytes: &[u8], start: Start) -> Log {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reading = Reading { log: Log::default(), start, table: None };
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, ended) = end.map_or((rest, false), |end| (&rest[..end], true));
        reading.line(&String::from_utf8_lossy(line), ended);
        rest = end.map_or(&[][..], |end| &rest[end + 1..]);
    }
    reading.log
}

struct Reading {
    log: Log,
    start: Start,
    table: Option<Table>,
}

impl Reading {
    fn line(&mut self, text: &str, ended: bool) {
        self.log.lines += 1;
        let text = text.trim();
        if text.is_empty() {
            self.log.blank += 1;
            return;
        }
        let first = self.log.configs == 0 && self.log.runs == 0;
        if first && let Some(table) = Table::of_head(text) {
            self.log.configs += 1;
            self.begin(table.segment());
            self.table = Some(table);
            return;
        }
        let read = match &self.table {
            Some(table) => table.row(text),
            None => object(text, ended),
        };
        match read {
            Ok(Line::Segment(segment)) => {
                self.log.configs += 1;
                self.begin(ImportedSegment { line: Some(self.log.lines), ..segment });
            }
            Ok(Line::Hook) => self.log.hooks += 1,
            Ok(Line::Run(run, goal)) => self.run(*run, goal),
            Err(why) => self.log.unread.push(Unread { line: self.log.lines, why }),
        }
    }

    fn begin(&mut self, segment: ImportedSegment) {
        let number = self.start.segments + u32::try_from(self.log.segments().count()).unwrap_or(u32::MAX);
        self.log.items.push(Item::Segment(ImportedSegment { segment: number, ..segment }));
    }

    /// Adds a run to the segment that the config lines count; without any, what the run says of its goal begins one.
    fn run(&mut self, mut run: ImportedRun, goal: ImportedSegment) {
        if self.log.segments().next().is_none() {
            self.begin(ImportedSegment { line: None, ..goal });
        }
        let segment = self.log.segments().next_back().map_or(0, |segment| segment.segment);
        self.log.runs += 1;
        run.number = self.start.runs + u32::try_from(self.log.runs).unwrap_or(u32::MAX);
        run.line = self.log.lines;
        run.segment = segment;
        self.log.items.push(Item::Run(Box::new(run)));
    }
}

fn object(text: &str, ended: bool) -> Result<Line, String> {
    match json::object(text) {
        Ok((object, repaired)) => fields::line(&object, repaired),
        Err(why) if !ended => Err(format!("torn: the file ends in the middle of the line ({why})")),
        Err(why) => Err(why),
    }
}
