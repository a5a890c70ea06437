//! Writing a journal: the lock, the torn tail, append and sync.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::format::{self, Header, encode, kind};
use super::reader::{TornTail, is_event, read_header};
use super::{JournalError, SessionLock};
use crate::domain::{Event, ExperimentId, SessionId};

/// Bytes read at once when the last line is looked for.
const BLOCK: u64 = 1 << 16;

/// A journal open for appending, with the session's lock held.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    header: Header,
    /// Length of the file up to the last complete line, in bytes.
    length: u64,
    torn: Option<TornTail>,
    line: Vec<u8>,
    _lock: SessionLock,
}

impl Journal {
    /// Begins a journal: locks, writes the header and makes it durable. The folder is made where it is missing.
    pub fn create(path: &Path, session: SessionId, created_by: &str) -> Result<Self, JournalError> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(JournalError::io("create", folder))?;
        let lock = SessionLock::acquire(path)?;
        if fs::exists(path).map_err(JournalError::io("look at", path))? {
            return Err(JournalError::Exists { path: path.to_owned() });
        }
        let header = Header { session, created_by: created_by.to_owned() };
        let line = header.line().map_err(|source| JournalError::NotReadable {
            path: path.to_owned(),
            kind: "journal",
            source,
        })?;
        write_whole(path, folder, &line)?;
        Self::begin(path, lock)
    }

    /// Opens a journal to go on: locks, checks the header, and cuts a torn last line (see [`Journal::torn`]).
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if !fs::exists(path).map_err(JournalError::io("look at", path))? {
            let missing = std::io::ErrorKind::NotFound.into();
            return Err(JournalError::io("open", path)(missing));
        }
        Self::begin(path, SessionLock::acquire(path)?)
    }

    fn begin(path: &Path, lock: SessionLock) -> Result<Self, JournalError> {
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(JournalError::io("open", path))?;
        let (header, first) = read_header(&mut BufReader::new(&file), path)?;
        let torn = torn_tail(&mut file, first).map_err(JournalError::io("read", path))?;
        if let Some(torn) = torn {
            file.set_len(torn.offset)
                .and_then(|()| file.sync_all())
                .map_err(JournalError::io("cut the torn last line of", path))?;
        }
        let length = file.seek(SeekFrom::End(0)).map_err(JournalError::io("seek in", path))?;
        Ok(Self { file, path: path.to_owned(), header, length, torn, line: Vec::new(), _lock: lock })
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what was cut when the journal was opened.
    pub fn torn(&self) -> Option<TornTail> {
        self.torn
    }

    /// Appends an event without waiting for the disk; returns the time that it was given.
    pub fn append(&mut self, experiment: Option<ExperimentId>, event: &Event) -> Result<Timestamp, JournalError> {
        let at = now();
        self.append_at(at, experiment, event)?;
        Ok(at)
    }

    /// Appends an event and returns once it, and everything before it, is on the disk.
    pub fn append_synced(
        &mut self,
        experiment: Option<ExperimentId>,
        event: &Event,
    ) -> Result<Timestamp, JournalError> {
        let at = self.append(experiment, event)?;
        self.file.sync_data().map_err(JournalError::io("sync", &self.path))?;
        Ok(at)
    }

    /// Appends an event that happened at a given time, without waiting for the disk.
    pub fn append_at(
        &mut self,
        at: Timestamp,
        experiment: Option<ExperimentId>,
        event: &Event,
    ) -> Result<(), JournalError> {
        self.render(at, experiment, event)?;
        if let Err(source) = self.file.write_all(&self.line) {
            // Half a line must not stand in front of the next one; where even this fails, the next open cuts it.
            let _ = self.file.set_len(self.length);
            return Err(JournalError::io("append to", &self.path)(source));
        }
        self.length += self.line.len() as u64;
        Ok(())
    }

    /// Fills `line`, and refuses an event that could not be read back.
    fn render(&mut self, at: Timestamp, experiment: Option<ExperimentId>, event: &Event) -> Result<(), JournalError> {
        self.line.clear();
        let kind = kind(event);
        encode(&mut self.line, at, experiment, event)
            .and_then(|()| {
                let text = str::from_utf8(&self.line).map_err(serde::de::Error::custom)?;
                format::decode(kind, text)
            })
            .map(|_| ())
            .map_err(|source| JournalError::NotReadable { path: self.path.clone(), kind, source })
    }
}

/// Returns the present time in whole milliseconds, which is what the journal keeps.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Writes a file so that it is there with all of its content or not at all.
fn write_whole(path: &Path, folder: &Path, content: &[u8]) -> Result<(), JournalError> {
    let scratch = path.with_extension("new");
    let write = || {
        let mut file = File::create(&scratch)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(JournalError::io("write", &scratch))?;
    fs::rename(&scratch, path).map_err(JournalError::io("create", path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(JournalError::io("sync", folder))
}

/// Looks for a last line without a newline or without an envelope; `first` is where the first event begins.
fn torn_tail(file: &mut File, first: u64) -> std::io::Result<Option<TornTail>> {
    let length = file.seek(SeekFrom::End(0))?;
    if length <= first {
        return Ok(None);
    }
    let start = line_start(file, first, length - 1)?;
    let mut line = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(length - start).read_to_end(&mut line)?;
    let good = line.strip_suffix(b"\n").is_some_and(is_event);
    Ok((!good).then_some(TornTail { offset: start, bytes: length - start }))
}

/// Returns the offset after the last newline before `end`, not before `first`.
fn line_start(file: &mut File, first: u64, end: u64) -> std::io::Result<u64> {
    let mut end = end;
    let mut block = Vec::new();
    while end > first {
        let start = end.saturating_sub(BLOCK).max(first);
        block.clear();
        file.seek(SeekFrom::Start(start))?;
        file.take(end - start).read_to_end(&mut block)?;
        if let Some(newline) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(first)
}
