//! The journal's promises: golden format, byte cuts, locks, and errors that say what to do.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::*;
use crate::domain::{Event, Note, SessionId};

const GOLDEN: &str = include_str!("../../tests/golden/journal-format-1.jsonl");

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// Writes a journal with a header and these notes.
fn journal_of(folder: &Path, notes: &[&str]) -> PathBuf {
    let path = folder.join("journal.jsonl");
    let mut journal = Journal::create(&path, sample::session(), "autoresearch 0.1.0").unwrap();
    for (second, text) in notes.iter().enumerate() {
        journal.append_at(at(i64::try_from(second).unwrap()), None, &note(text)).unwrap();
    }
    path
}

fn note(text: &str) -> Event {
    Event::Note(Note { text: text.to_owned() })
}

fn events(path: &Path) -> Vec<Event> {
    Reader::open(path).unwrap().records().map(|r| r.unwrap().event().unwrap().unwrap()).collect()
}

fn golden_records(folder: &Path) -> Vec<Record> {
    let path = folder.join("golden.jsonl");
    fs::write(&path, GOLDEN).unwrap();
    Reader::open(&path).unwrap().records().collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_golden_journal_of_format_1_is_read_and_written_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut known = Vec::new();
    for record in golden_records(folder.path()) {
        if let Some(event) = record.event().unwrap() {
            let mut line = Vec::new();
            encode(&mut line, record.at, record.experiment, &event).unwrap();
            let written = String::from_utf8(line).unwrap();
            assert_eq!(written.trim_end(), record.raw().replace(r#","key_of_a_later_version":[1,{"a":2}]"#, ""));
            known.push(kind(&event));
        }
    }
    known.sort_unstable();
    known.dedup();
    assert_eq!(
        known,
        [
            "calibrated",
            "config",
            "decided",
            "idea_edit",
            "note",
            "pair",
            "phase",
            "proposed",
            "recovered",
            "resumed",
            "run",
            "sandbox",
            "screened",
            "stopped",
            "undone",
            "validated"
        ]
    );
}

#[test]
fn an_unknown_type_is_passed_over_and_its_line_kept() {
    let folder = tempfile::tempdir().unwrap();
    let records = golden_records(folder.path());
    let unknown: Vec<_> = records.iter().filter(|r| r.event().unwrap().is_none()).collect();
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0].kind(), "type_of_a_later_version");
    assert!(unknown[0].raw().contains(r#""what":"kept as it is""#));
}

#[test]
fn only_run_lines_have_a_numeric_run() {
    for line in GOLDEN.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["run"].is_number(), value["type"] == "run", "{line}");
    }
}

#[test]
fn a_journal_cut_at_any_byte_of_its_last_two_lines_opens_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one", "two", "three"]);
    let whole = fs::read(&path).unwrap();
    let starts: Vec<usize> = whole.iter().enumerate().filter(|&(_, &b)| b == b'\n').map(|(i, _)| i + 1).collect();
    for cut in starts[1]..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let good = starts.iter().filter(|&&start| start <= cut).count() - 1;
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.torn().is_some(), !starts.contains(&cut), "cut at {cut}");
        journal.append_synced(None, &note("after")).unwrap();
        drop(journal);
        let texts = events(&path);
        assert_eq!(texts.len(), good + 1, "cut at {cut}");
        assert_eq!(texts[good], note("after"));
    }
}

#[test]
fn a_reader_passes_over_a_torn_tail_and_says_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one", "two"]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let mut records = Reader::open(&path).unwrap().records();
    assert_eq!(records.by_ref().map(Result::unwrap).count(), 1);
    let torn = records.torn().unwrap();
    assert_eq!(torn.offset + torn.bytes, whole.len() as u64 - 5);
    assert_eq!(fs::read(&path).unwrap().len(), whole.len() - 5, "reading changes nothing");
}

#[test]
fn a_last_line_that_is_no_json_is_cut_even_with_its_newline() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one"]);
    let good = fs::read(&path).unwrap();
    fs::write(&path, [good.as_slice(), &vec![0; 70_000], b"\n"].concat()).unwrap();
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.torn(), Some(TornTail { offset: good.len() as u64, bytes: 70_001 }));
    assert_eq!(fs::read(&path).unwrap(), good);
}

#[test]
fn a_bad_line_elsewhere_is_an_error_with_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one", "two"]);
    let text = fs::read_to_string(&path).unwrap().replace(r#""text":"one""#, r#""text":"one"#);
    fs::write(&path, text).unwrap();
    let results: Vec<_> = Reader::open(&path).unwrap().records().collect();
    assert_eq!(results.len(), 1, "nothing is read after the error");
    let error = results[0].as_ref().unwrap_err().to_string();
    assert!(error.contains("journal.jsonl, line 2: ") && error.contains("repair that line"), "{error}");
}

#[test]
fn a_payload_that_is_not_understood_is_an_error_with_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one", "two"]);
    let text = fs::read_to_string(&path).unwrap().replace(r#""text":"one""#, r#""words":"one""#);
    fs::write(&path, text).unwrap();
    let record = Reader::open(&path).unwrap().records().next().unwrap().unwrap();
    let error = record.event().unwrap_err().to_string();
    assert!(error.contains("line 2: missing field `text`"), "{error}");
}

#[test]
fn another_format_is_refused_with_the_version_that_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    fs::write(&path, "{\"type\":\"journal\",\"format\":2,\"created_by\":\"autoresearch 7.1.0\"}\n").unwrap();
    for error in [Reader::open(&path).unwrap_err(), Journal::open(&path).unwrap_err()] {
        assert!(
            error.to_string().contains("format 2") && error.to_string().ends_with("use autoresearch 7.1.0"),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    for text in ["", "{\"type\":\"config\",\"format\":1}\n", "hello\nworld", "{\"type\":\"journal\",\"format\":1}"] {
        fs::write(&path, text).unwrap();
        assert!(matches!(Journal::open(&path), Err(JournalError::NoHeader { .. })), "{text:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_second_writer_is_refused_with_the_pid_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &[]);
    let first = Journal::open(&path).unwrap();
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("another session is running (pid {})", std::process::id())), "{error}");
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn a_journal_is_never_begun_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one"]);
    let error = Journal::create(&path, SessionId::generate(), "x").unwrap_err();
    assert!(matches!(error, JournalError::Exists { .. }));
    assert_eq!(events(&path), [note("one")]);
}

#[test]
fn a_missing_journal_is_an_error_and_makes_no_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.starts_with("cannot open ") && error.contains("journal.jsonl"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_event_that_could_not_be_read_back_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one"]);
    let before = fs::read(&path).unwrap();
    let mut calibrated = sample::calibrated();
    calibrated.run_s = f64::INFINITY;
    let mut journal = Journal::open(&path).unwrap();
    let error = journal.append(None, &Event::Calibrated(Box::new(calibrated))).unwrap_err();
    assert!(matches!(error, JournalError::NotReadable { kind: "calibrated", .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn reading_goes_on_from_the_position_of_any_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal_of(folder.path(), &["one", "two", "three"]);
    let records: Vec<_> = Reader::open(&path).unwrap().records().map(Result::unwrap).collect();
    let rest: Vec<_> =
        Reader::open(&path).unwrap().records_from(records[1].position).unwrap().map(Result::unwrap).collect();
    assert_eq!(rest.len(), 2);
    assert_eq!(rest[1].position, records[2].position);
    assert_eq!(rest[0].event().unwrap(), Some(note("two")));
}

#[test]
fn a_sample_is_the_same_each_time_and_reads_back() {
    let mut one = Vec::new();
    sample::write(&mut one, 20).unwrap();
    let mut two = Vec::new();
    sample::write(&mut two, 20).unwrap();
    assert_eq!(one, two);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    fs::write(&path, one).unwrap();
    assert_eq!(events(&path).iter().filter(|e| matches!(e, Event::Run(_))).count(), 20);
}
