//! Reading a journal: one streaming pass, or from a known line on.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::JournalError;
use super::format::{self, Envelope, Header, ReadHeader};
use crate::domain::{Event, ExperimentId};

/// Longest header line that is read, in bytes; a file with none is no journal, however large it is.
const HEADER_MAX: u64 = 1 << 16;

/// Bytes read from the file at once.
const BUFFER: usize = 1 << 17;

/// Where a line of a journal begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The line's number, from 1 (the header).
    pub line: u64,
    /// Bytes before it in the file.
    pub offset: u64,
}

/// A last line that was never written to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornTail {
    /// Bytes of the file that are good.
    pub offset: u64,
    /// Bytes after them that are not.
    pub bytes: u64,
}

impl std::fmt::Display for TornTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the journal's last line was torn: {} bytes after offset {} do not count", self.bytes, self.offset)
    }
}

/// One line of a journal: its envelope, and its text for whoever wants the payload.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where the line stands.
    pub position: Position,
    /// When the event was written.
    pub at: Timestamp,
    /// The experiment that it belongs to.
    pub experiment: Option<ExperimentId>,
    kind: Cow<'static, str>,
    raw: Box<str>,
    path: Arc<Path>,
}

impl Record {
    /// Returns the event's type as written.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the whole line, without its newline.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Reads the payload; `None` for a type that this version does not know.
    pub fn event(&self) -> Result<Option<Event>, JournalError> {
        format::decode(&self.kind, &self.raw).map_err(|source| JournalError::BadLine {
            path: self.path.to_path_buf(),
            line: self.position.line,
            source,
        })
    }
}

/// A journal open for reading. It takes no lock: a running session's journal can be read.
#[derive(Debug)]
pub struct Reader {
    input: BufReader<File>,
    path: Arc<Path>,
    header: Header,
    first: Position,
}

impl Reader {
    /// Opens a journal and reads its header.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        let mut input = BufReader::with_capacity(BUFFER, file);
        let (header, length) = read_header(&mut input, path)?;
        Ok(Self { input, path: path.into(), header, first: Position { line: 2, offset: length } })
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns all events in order. Memory is bounded by the longest line.
    pub fn records(self) -> Records {
        Records { input: self.input, path: self.path, next: self.first, line: Vec::new(), torn: None, ended: false }
    }

    /// Returns the events from a known position on, without reading what stands before it.
    pub fn records_from(mut self, position: Position) -> Result<Records, JournalError> {
        self.input.seek(SeekFrom::Start(position.offset)).map_err(JournalError::io("seek in", &*self.path))?;
        self.first = position;
        Ok(self.records())
    }
}

/// Reads the header line; returns it with its length in bytes, newline included.
pub(super) fn read_header(input: &mut impl BufRead, path: &Path) -> Result<(Header, u64), JournalError> {
    let mut line = Vec::new();
    input.take(HEADER_MAX).read_until(b'\n', &mut line).map_err(JournalError::io("read", path))?;
    let length = line.len() as u64;
    let header = match line.strip_suffix(b"\n") {
        Some(line) => Header::read(line),
        None => Err(serde::de::Error::custom("it has no end")),
    };
    match header {
        Ok(ReadHeader::Ours(header)) => Ok((header, length)),
        Ok(ReadHeader::Other { format, created_by }) => {
            Err(JournalError::OtherFormat { path: path.to_owned(), found: format, created_by })
        }
        Err(source) => Err(JournalError::NoHeader { path: path.to_owned(), source }),
    }
}

/// Says whether a line, without its newline, has an event's envelope.
pub(super) fn is_event(line: &[u8]) -> bool {
    serde_json::from_slice::<Envelope<'_>>(line).is_ok()
}

/// The events of a journal, one after another. After an error there are no more.
#[derive(Debug)]
pub struct Records {
    input: BufReader<File>,
    path: Arc<Path>,
    next: Position,
    line: Vec<u8>,
    torn: Option<TornTail>,
    ended: bool,
}

impl Records {
    /// Returns what stood after the last good line, once all records were taken.
    pub fn torn(&self) -> Option<TornTail> {
        self.torn
    }

    /// Returns where the line after the last record that was taken begins.
    pub fn next_position(&self) -> Position {
        self.next
    }

    fn read(&mut self) -> Result<Option<Record>, JournalError> {
        self.line.clear();
        let read = self.input.read_until(b'\n', &mut self.line).map_err(JournalError::io("read", &*self.path))?;
        if read == 0 {
            return Ok(None);
        }
        let position = self.next;
        if self.line.last() != Some(&b'\n') {
            return Ok(self.tear(position));
        }
        match record(&self.line[..read - 1], position, &self.path) {
            Ok(record) => {
                self.next = Position { line: position.line + 1, offset: position.offset + read as u64 };
                Ok(Some(record))
            }
            Err(_) if self.at_end()? => Ok(self.tear(position)),
            Err(source) => Err(JournalError::BadLine { path: self.path.to_path_buf(), line: position.line, source }),
        }
    }

    fn at_end(&mut self) -> Result<bool, JournalError> {
        Ok(self.input.fill_buf().map_err(JournalError::io("read", &*self.path))?.is_empty())
    }

    fn tear(&mut self, position: Position) -> Option<Record> {
        self.torn = Some(TornTail { offset: position.offset, bytes: self.line.len() as u64 });
        None
    }
}

fn record(line: &[u8], position: Position, path: &Arc<Path>) -> Result<Record, serde_json::Error> {
    let text = str::from_utf8(line).map_err(|_| serde::de::Error::custom("not UTF-8"))?;
    let envelope: Envelope<'_> = serde_json::from_str(text)?;
    Ok(Record {
        position,
        at: envelope.at,
        experiment: envelope.experiment,
        kind: format::intern(&envelope.kind),
        raw: text.into(),
        path: Arc::clone(path),
    })
}

impl Iterator for Records {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}
