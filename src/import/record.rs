//! Logs written into a session of their own: a new folder with a journal and the logs' own bytes.

use std::fs;
use std::path::{Path, PathBuf};

use super::ImportError;
use super::log::{Item, Log, Start, read_log};
use crate::domain::{Event, Imported, ObjectId, SessionId};
use crate::journal::Journal;

/// A log to import.
#[derive(Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub log: Log,
}

impl Source {
    /// Reads logs that become one session, in this order.
    pub fn read(paths: &[PathBuf]) -> Result<Vec<Self>, ImportError> {
        let mut start = Start::default();
        let mut sources = Vec::new();
        for path in paths {
            let bytes = fs::read(path).map_err(ImportError::io("read", path))?;
            if is_own(&bytes) {
                return Err(ImportError::OwnJournal { path: path.clone() });
            }
            let log = read_log(&bytes, start);
            let next = log.end(start);
            sources.push(Self { path: path.clone(), bytes, log });
            start = next;
        }
        Ok(sources)
    }

    fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Says what became of the log.
    pub fn summary(&self, place: usize) -> Imported {
        let name = self.file_name();
        Imported {
            raw: format!("imported/{place}-{name}"),
            source: name,
            hash: blake3::hash(&self.bytes).to_hex().to_string(),
            lines: self.log.lines,
            runs: self.log.runs,
            configs: self.log.configs,
            hooks: self.log.hooks,
            blank: self.log.blank,
            unread: self.log.unread.clone(),
        }
    }
}

/// Says whether a file is a journal of this program, by its first line.
fn is_own(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let head: Option<serde_json::Value> = serde_json::from_slice(first).ok();
    head.is_some_and(|head| head["type"] == "journal" && head["format"].is_u64())
}

/// Writes logs into the new folder of a session, whole or not at all; `resolve` finds the commit that a text names.
pub fn record(
    sources: &[Source],
    state: &Path,
    created_by: &str,
    resolve: &dyn Fn(&str) -> Option<ObjectId>,
) -> Result<Vec<Imported>, ImportError> {
    refuse_empty(sources)?;
    let name = state.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if state.join("journal.jsonl").exists() {
        return Err(ImportError::SessionExists { name });
    }
    let sessions = state.parent().unwrap_or(state);
    fs::create_dir_all(sessions).map_err(ImportError::io("create", sessions))?;
    // No session's name begins with this sign.
    let scratch = tempfile::Builder::new().prefix("~import-").tempdir_in(sessions);
    let scratch = scratch.map_err(ImportError::io("create a folder in", sessions))?;
    let folder = scratch.path().join("session");
    let imported = write(sources, &folder, created_by, resolve)?;
    fs::rename(&folder, state).map_err(ImportError::io("move the imported session to", state))?;
    let synced = fs::File::open(sessions).and_then(|sessions| sessions.sync_all());
    synced.map_err(ImportError::io("sync", sessions))?;
    Ok(imported)
}

/// Refuses logs without a run, so that a wrong file makes no empty session.
fn refuse_empty(sources: &[Source]) -> Result<(), ImportError> {
    if sources.iter().any(|source| source.log.runs > 0) {
        return Ok(());
    }
    let files: Vec<String> = sources.iter().map(|source| source.path.display().to_string()).collect();
    let unread = sources.iter().find_map(|source| Some((source, source.log.unread.first()?)));
    let first = unread.map_or_else(
        || "none: they hold nothing".to_owned(),
        |(source, unread)| format!("{}:{}: {}", source.path.display(), unread.line, unread.why),
    );
    Err(ImportError::NoRun { files: files.join(", "), first })
}

fn write(
    sources: &[Source],
    folder: &Path,
    created_by: &str,
    resolve: &dyn Fn(&str) -> Option<ObjectId>,
) -> Result<Vec<Imported>, ImportError> {
    let raw = folder.join("imported");
    fs::create_dir_all(&raw).map_err(ImportError::io("create", &raw))?;
    let mut journal = Journal::create(&folder.join("journal.jsonl"), SessionId::generate(), created_by)?;
    let mut all = Vec::new();
    for (source, place) in sources.iter().zip(1..) {
        let summary = source.summary(place);
        let kept = folder.join(&summary.raw);
        fs::write(&kept, &source.bytes).map_err(ImportError::io("write", &kept))?;
        for item in &source.log.items {
            let event = match item {
                Item::Segment(segment) => Event::ImportedSegment(Box::new(segment.clone())),
                Item::Run(run) => {
                    let mut run = run.clone();
                    run.object = run.commit.as_deref().and_then(resolve);
                    Event::ImportedRun(run)
                }
            };
            journal.append(None, &event)?;
        }
        journal.append_synced(None, &Event::Imported(Box::new(summary.clone())))?;
        all.push(summary);
    }
    Ok(all)
}
