//! Gathers what proves a session: journal, patches and harness, without the holdout unless that is asked for.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::domain::{ExperimentId, ObjectId, Settings};
use crate::git::UserRepository;
use crate::journal::Reader;

use super::EngineError;
use super::places::Places;

/// The journal in a record.
pub(super) const JOURNAL: &str = "journal.jsonl";

/// The folder of the sealed files in a record, with their paths below it.
pub(super) const HARNESS: &str = "harness";

/// What a record is made of.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The repository.
    pub user: &'a UserRepository,
    /// The session's folders.
    pub places: &'a Places,
    /// Its settings.
    pub settings: &'a Settings,
    /// Whether what the holdout said goes along; those who propose candidates must not read it.
    pub with_holdout: bool,
}

/// What was gathered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// The commit that holds the files.
    pub record: ObjectId,
    /// Files in it.
    pub files: usize,
    /// Lines of the journal that were left out or cut because they tell of the holdout.
    pub held_back: u64,
    /// Sealed files that are no longer as the session read them, and so are not in it.
    pub changed: Vec<String>,
}

/// Writes the record of a session as a ref, and with the kept commits into a file where one is named.
pub fn bundle(subject: Subject<'_>, to: Option<&Path>) -> Result<Bundled, EngineError> {
    let Subject { user, places, settings, .. } = subject;
    let folder =
        tempfile::tempdir().map_err(|source| EngineError::io("make a folder in", &std::env::temp_dir(), source))?;
    let journal = folder.path().join(JOURNAL);
    let copied = copy_journal(&places.journal(), &journal, subject.with_holdout)?;
    let mut files = vec![(JOURNAL.to_owned(), journal)];
    files.extend(patches(places)?);
    let mut changed = Vec::new();
    for (path, hash) in &copied.harness {
        let file = user.root().join(path);
        let same = std::fs::read(&file).is_ok_and(|bytes| blake3::hash(&bytes).to_hex().as_str() == hash);
        if same {
            files.push((format!("{HARNESS}/{path}"), file));
        } else {
            changed.push(path.clone());
        }
    }
    let message = format!("Record of session {}", settings.name);
    let record = user.write_record(&settings.name, &files, &message)?;
    if let Some(to) = to {
        user.write_bundle(to, &settings.name, &settings.branch, &copied.base)?;
    }
    Ok(Bundled { record, files: files.len(), held_back: copied.held_back, changed })
}

/// Lists the patch of every experiment that left one.
fn patches(places: &Places) -> Result<Vec<(String, PathBuf)>, EngineError> {
    let runs = places.runs();
    let entries = match std::fs::read_dir(&runs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|source| EngineError::io("list", &runs, source))?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| EngineError::io("list", &runs, source))?;
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let patch = places.run(ExperimentId(number)).join("candidate.patch");
        if patch.is_file() {
            all.push((format!("runs/{number:04}/candidate.patch"), patch));
        }
    }
    all.sort();
    Ok(all)
}

/// What the copy of a journal knows.
struct Copied {
    held_back: u64,
    base: ObjectId,
    /// The sealed files of the last segment, with the hash of each.
    harness: Vec<(String, String)>,
}

fn copy_journal(from: &Path, to: &Path, with_holdout: bool) -> Result<Copied, EngineError> {
    // Only complete lines: a session may be writing, and a torn line is nothing.
    let reader = Reader::open(from)?;
    let failed = |source| EngineError::io("write", to, source);
    let mut out = BufWriter::new(File::create(to).map_err(failed)?);
    out.write_all(first_line(from)?.as_bytes()).map_err(failed)?;
    let (mut held_back, mut last) = (0, None);
    for record in reader.records() {
        let record = record?;
        if record.kind() == "config" {
            last = record.event()?;
        }
        let line = if with_holdout { Some(Cow::Borrowed(record.raw())) } else { without_holdout(record.raw()) };
        let whole = line.as_deref() == Some(record.raw());
        held_back += u64::from(!whole);
        if let Some(line) = line {
            writeln!(out, "{line}").map_err(failed)?;
        }
    }
    out.flush().map_err(failed)?;
    let Some(crate::domain::Event::Configured(configured)) = last else {
        return Err(EngineError::Refused {
            reason: format!("{} tells of no session yet", from.display()),
            cure: "'autoresearch run' begins one".to_owned(),
        });
    };
    let (base, harness) = (configured.base.clone(), configured.harness.into_iter().collect());
    Ok(Copied { held_back, base, harness })
}

fn first_line(path: &Path) -> Result<String, EngineError> {
    let mut line = String::new();
    let read = File::open(path).and_then(|file| BufReader::new(file).read_line(&mut line));
    read.map_err(|source| EngineError::io("read", path, source))?;
    Ok(line)
}

/// Takes what tells of the holdout out of a line; `None` where the whole line does.
fn without_holdout(line: &str) -> Option<Cow<'_, str>> {
    if !line.contains("holdout") {
        return Some(Cow::Borrowed(line));
    }
    let Ok(mut value) = serde_json::from_str::<Value>(line) else { return Some(Cow::Borrowed(line)) };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_pair = value.get("holdout") == Some(&Value::Bool(true));
    if is_pair || text(&value, "phase").as_deref() == Some("holdout") {
        return None;
    }
    let mut cut = false;
    if let Some(object) = value.as_object_mut() {
        cut |= matches!(text(&Value::Object(object.clone()), "type").as_deref(), Some("decided" | "calibrated"))
            && object.remove("holdout").is_some();
        if let Some(settings) = object.get_mut("settings").and_then(Value::as_object_mut) {
            cut |= settings.remove("holdout").is_some();
        }
    }
    Some(if cut { Cow::Owned(value.to_string()) } else { Cow::Borrowed(line) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_the_holdout_stays_here() {
        let gone = |line: &str| without_holdout(line).is_none();
        assert!(gone(r#"{"type":"pair","pair":1,"holdout":true}"#));
        assert!(gone(r#"{"type":"phase","state":"ended","phase":"holdout","failure":"p99 12 ms"}"#));
        let cut = |line: &str| without_holdout(line).unwrap().into_owned();
        assert_eq!(
            cut(r#"{"type":"decided","holdout":[{"metric":"x"}],"status":"keep"}"#),
            r#"{"status":"keep","type":"decided"}"#
        );
        assert_eq!(
            cut(r#"{"type":"config","settings":{"holdout":{},"name":"a"}}"#),
            r#"{"settings":{"name":"a"},"type":"config"}"#
        );
        let reason = r#"{"type":"run","reason":"holdout_regressed"}"#;
        assert_eq!(cut(reason), reason);
    }
}
