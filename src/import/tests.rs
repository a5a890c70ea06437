//! Logs as they are met: every line is accounted for, nothing is read as a keep that is not called one.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::export::{Paths, copy, csv, plain};
use super::*;
use crate::domain::{
    Calibrated, CandidateRun, Direction, Event, ExperimentId, HoldoutCalibration, Imported, ImportedRun, ObjectId,
    Phase, PhaseStarted,
};
use crate::journal::{Journal, Reader};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name)
}

fn read(name: &str) -> Log {
    read_log(&std::fs::read(fixture(name)).unwrap(), Start::default())
}

fn accounted(log: &Log) -> u64 {
    log.runs + log.configs + log.hooks + log.blank + log.unread.len() as u64
}

fn row<'l>(log: &'l Log, description: &str) -> &'l ImportedRun {
    log.rows().find(|row| row.description.contains(description)).unwrap()
}

#[test]
fn a_log_of_many_kinds_of_lines_is_read_without_loss() {
    let log = read("segments.jsonl");
    assert_eq!((log.lines, log.runs, log.configs, log.hooks, log.blank), (15, 7, 2, 1, 1));
    assert_eq!(accounted(&log), log.lines);
    let unread: Vec<_> = log.unread.iter().map(|unread| (unread.line, unread.why.as_str())).collect();
    assert_eq!(unread[0], (10, "an object of type 'note', which is none of config, run and hook"));
    assert!(unread[1].0 == 12 && unread[1].1.starts_with("not JSON: "), "{unread:?}");
    assert_eq!(unread[2], (13, "JSON, but no object"));
    assert!(unread[3].0 == 15 && unread[3].1.starts_with("torn: the file ends"), "{unread:?}");
    let segments: Vec<_> = log.segments().map(|s| (s.segment, s.line, s.metric.as_deref(), s.direction)).collect();
    let expected = [
        (0, Some(1), Some("total_µs"), Some(Direction::Lower)),
        (1, Some(9), Some("total_ms"), Some(Direction::Higher)),
    ];
    assert_eq!(segments, expected);
    let places: Vec<_> = log.rows().map(|row| (row.number, row.line, row.segment, row.written_run)).collect();
    let expected = [
        (1, 3, 0, Some(1)),
        (2, 4, 0, Some(2)),
        (3, 5, 0, Some(2)),
        (4, 7, 0, Some(7)),
        (5, 8, 0, Some(3)),
        (6, 11, 1, Some(1)),
        (7, 14, 1, Some(2)),
    ];
    assert_eq!(places, expected);
}

#[test]
fn odd_values_stay_what_they_are() {
    let log = read("segments.jsonl");
    let text = row(&log, "skip blanks");
    assert_eq!(
        (text.metric, text.timestamp, text.commit.as_deref()),
        (Some(800.5), Some(1_779_683_999_500), Some("HEAD"))
    );
    assert_eq!(text.asi["text"], "a plain text");
    let crash = row(&log, "same number");
    assert_eq!((crash.metric, crash.timestamp), (None, Some(1_779_684_000_000)));
    let odd = row(&log, "does not have");
    assert_eq!((odd.metric, odd.metrics.len(), odd.status.as_deref()), (None, 0, Some("verification")));
    assert!(odd.remarks.iter().any(|remark| remark.contains("JSON does not have")), "{odd:?}");
    assert_eq!(row(&log, "above 2^63").metric, Some(18_446_744_073_709_551_616.0));
    assert_eq!((row(&log, "below zero").status.clone(), row(&log, "below zero").metric), (None, Some(-5.0)));
    // Only the word itself says keep.
    let keeps: Vec<u32> =
        log.rows().filter(|row| row.status.as_deref() == Some("keep")).map(|row| row.number).collect();
    assert_eq!(keeps, [1, 2, 7]);
}

#[test]
fn dialects_are_understood() {
    let log = read("dialects.jsonl");
    assert_eq!((log.lines, log.runs, log.unread.len()), (6, 6, 0));
    let told: Vec<_> =
        log.rows().map(|row| (row.status.as_deref(), row.metric, row.description.as_str(), row.written_run)).collect();
    let expected = [
        (Some("baseline"), Some(0.0), "set up", Some(0)),
        (Some("discard"), None, "beams 1 -> 4", Some(1)),
        (Some("keep"), Some(31.5), "length 48 -> 64", Some(2)),
        (Some("baseline"), Some(97.0), "parse", None),
        (Some("keep"), Some(82.5), "EXP-1", None),
        (Some("keep"), None, "lazy: do it later", None),
    ];
    assert_eq!(told, expected);
    assert_eq!(row(&log, "beams").metrics["bleu"].to_string(), "2.34");
    assert_eq!(row(&log, "lazy").metrics["seconds"].to_string(), "8.87");
    let segment = log.segments().next().unwrap();
    assert_eq!(
        (segment.line, segment.metric.as_deref(), segment.direction),
        (None, Some("fixed"), Some(Direction::Higher))
    );
}

#[test]
fn a_table_with_tabs_is_a_log_too() {
    let log = read("table.tsv");
    assert_eq!((log.lines, log.runs, log.configs, accounted(&log)), (5, 3, 1, 5));
    assert_eq!(log.unread[0].why, "a row of 2 cells in a table of 5 columns");
    let first = log.rows().next().unwrap();
    assert_eq!((first.metric, first.metrics["cv"].to_string()), (Some(25_169.98), "0.145".to_owned()));
    assert_eq!(row(&log, "no number").metric, None);
    assert_eq!(log.segments().next().unwrap().metric.as_deref(), Some("val_rmse"));
}

/// Imports fixtures into a new folder and returns it with what was said.
fn imported(names: &[&str]) -> (tempfile::TempDir, Vec<Imported>) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = names.iter().map(|name| fixture(name)).collect();
    let resolve = |text: &str| ObjectId::new(format!("{text:0>40}")).ok().filter(|_| text.starts_with("000000"));
    let all = record(&Source::read(&paths).unwrap(), &folder.path().join("old"), "test 1", &resolve).unwrap();
    (folder, all)
}

fn runs(journal: &Path) -> Vec<ImportedRun> {
    let events = Reader::open(journal).unwrap().records().filter_map(|record| record.unwrap().event().unwrap());
    let run = |event| if let Event::ImportedRun(run) = event { Some(*run) } else { None };
    events.filter_map(run).collect()
}

#[test]
fn an_imported_session_has_every_row_and_every_byte() {
    let (folder, all) = imported(&["segments.jsonl", "dialects.jsonl"]);
    let state = folder.path().join("old");
    let runs = runs(&state.join("journal.jsonl"));
    let numbers: Vec<u32> = runs.iter().map(|run| run.number).collect();
    assert_eq!(numbers, (1..=13).collect::<Vec<_>>());
    assert_eq!((runs[6].segment, runs[7].segment), (1, 2));
    assert_eq!(runs[0].object.as_ref().unwrap().short(), "0000000000");
    assert_eq!((runs[1].commit.as_deref(), runs[1].object.as_ref()), (Some("HEAD"), None));
    for (file, name) in all.iter().zip(["segments.jsonl", "dialects.jsonl"]) {
        assert_eq!(std::fs::read(state.join(&file.raw)).unwrap(), std::fs::read(fixture(name)).unwrap());
    }
    let mut fold = Reader::open(&state.join("journal.jsonl")).unwrap().records();
    assert!(fold.all(|record| record.is_ok()));
    // The session can be opened to go on, and no scratch folder is left.
    drop(Journal::open(&state.join("journal.jsonl")).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_log_makes_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let path_only = file("path.jsonl", "/somewhere/autoresearch.jsonl\n");
    let state = folder.path().join("state");
    let refused = record(&Source::read(&[path_only]).unwrap(), &state, "test 1", &|_| None).unwrap_err().to_string();
    assert!(refused.contains("there is no run in") && refused.contains("path.jsonl:1: not JSON"), "{refused}");
    let own = file("own.jsonl", "{\"type\":\"journal\",\"format\":1}\n{}\n");
    assert!(matches!(Source::read(&[own]), Err(ImportError::OwnJournal { .. })));
    let (twice, _) = imported(&["table.tsv"]);
    let again = record(&Source::read(&[fixture("table.tsv")]).unwrap(), &twice.path().join("old"), "test 1", &|_| None);
    assert!(matches!(again, Err(ImportError::SessionExists { name }) if name == "old"));
    assert!(!state.exists());
}

/// Keeps of a run what the plain form has.
fn essence(run: &ImportedRun) -> ImportedRun {
    ImportedRun { line: 0, object: None, remarks: Vec::new(), ..run.clone() }
}

#[test]
fn an_export_that_is_imported_again_has_the_same_rows() {
    for names in [&["segments.jsonl"][..], &["dialects.jsonl"], &["table.tsv"], &["segments.jsonl", "dialects.jsonl"]] {
        let (folder, _) = imported(names);
        let journal = folder.path().join("old/journal.jsonl");
        let text = plain(&journal, &Paths::default()).unwrap();
        let again = read_log(text.as_bytes(), Start::default());
        assert_eq!((again.unread.len(), again.lines), (0, again.runs + again.configs), "{text}");
        let before: Vec<_> = runs(&journal).iter().map(essence).collect();
        let after: Vec<_> = again.rows().map(essence).collect();
        assert_eq!(after, before, "{names:?}");
    }
}

#[test]
fn the_sample_session_is_exported_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    crate::journal::sample::write(&mut std::fs::File::create(&journal).unwrap(), 20).unwrap();
    let text = plain(&journal, &Paths::default()).unwrap();
    let log = read_log(text.as_bytes(), Start::default());
    assert_eq!((log.runs, log.configs, log.unread.len()), (20, 1, 0));
    let keeps = log.rows().filter(|row| row.status.as_deref() == Some("keep")).count();
    assert_eq!(keeps, 2);
    let row = log.rows().next().unwrap();
    assert!(row.metric.is_some() && row.timestamp.is_some() && row.commit.as_deref().is_some_and(|c| c.len() == 40));
    let table = csv(&journal, &Paths::default()).unwrap();
    assert!(table.starts_with("run,segment,status,metric,confidence,commit,timestamp,description,"), "{table}");
    assert_eq!(table.matches("\r\n").count(), 21);
}

#[test]
fn csv_quotes_what_would_divide_a_cell() {
    let (folder, _) = imported(&["segments.jsonl"]);
    let table = csv(&folder.path().join("old/journal.jsonl"), &Paths::default()).unwrap();
    let line = "1,1,,-5,,0000003,2026-05-25T04:40:00Z,\"comma, \"\"quote\"\" and below zero\",\r\n";
    assert!(table.contains(line), "{table}");
}

#[test]
fn paths_of_the_machine_are_replaced_where_they_stand_whole() {
    let (folder, _) = imported(&["dialects.jsonl"]);
    let journal = folder.path().join("old/journal.jsonl");
    let note = |text: &str| {
        Event::ImportedRun(Box::new(ImportedRun { description: text.to_owned(), ..runs(&journal)[0].clone() }))
    };
    let said = "in /home/a/repo/x, /home/a/repo. /home/a/repository, /mnt/home/a, /home/ab\n/home/a and \"/home/a\"";
    Journal::open(&journal).unwrap().append_synced(None, &note(said)).unwrap();
    let paths = Paths::new([
        (Path::new("/home/a"), "~"),
        (Path::new("/home/a/repo"), "<repository>"),
        (Path::new("/"), "never"),
    ]);
    let text = plain(&journal, &paths).unwrap();
    let expected = r#"in <repository>/x, <repository>. ~/repository, /mnt/home/a, /home/ab\n~ and \"~\""#;
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_copy_for_committing_says_nothing_of_the_holdout() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir_all(state.join("runs/0001")).unwrap();
    std::fs::create_dir_all(state.join("holdout/0001")).unwrap();
    std::fs::write(state.join("runs/0001/candidate.patch"), "patch").unwrap();
    std::fs::write(state.join("runs/0001/build.log"), "log").unwrap();
    let journal = state.join("journal.jsonl");
    crate::journal::sample::write(&mut std::fs::File::create(&journal).unwrap(), 1).unwrap();
    let events: Vec<Event> =
        Reader::open(&journal).unwrap().records().map(|record| record.unwrap().event().unwrap().unwrap()).collect();
    let mut writer = Journal::open(&journal).unwrap();
    let phase = PhaseStarted { phase: Phase::Holdout, what: Some("kept-secret".to_owned()) };
    writer.append(Some(ExperimentId(1)), &Event::PhaseStarted(phase)).unwrap();
    for event in events {
        let held = match event {
            Event::Pair(pair) => Event::Pair(Box::new(CandidateRun { holdout: true, pair: 77, ..*pair })),
            Event::Calibrated(calibrated) => {
                let holdout = Some(HoldoutCalibration { run_s: 77.5, ..HoldoutCalibration::default() });
                Event::Calibrated(Box::new(Calibrated { holdout, ..*calibrated }))
            }
            _ => continue,
        };
        writer.append_synced(Some(ExperimentId(1)), &held).unwrap();
    }
    drop(writer);
    let to = folder.path().join("out");
    let copied = copy(&state, &to, &Paths::default()).unwrap();
    assert_eq!((copied.patches, copied.held_out), (1, 1 + 8 + 1));
    let text = std::fs::read_to_string(&copied.journal).unwrap();
    for secret in ["kept-secret", "\"pair\":77", "77.5", "\"holdout\":true"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(Reader::open(&copied.journal).unwrap().records().all(|record| record.unwrap().event().is_ok()));
    let files: Vec<_> =
        std::fs::read_dir(to.join("runs/0001")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["candidate.patch"]);
    assert!(!to.join("holdout").exists());
}

proptest! {
    #[test]
    fn every_line_of_anything_is_accounted_for(text in "(?s)(\\{\"(run|status|type|metric|keep)\":(1|\"keep\"|\"config\"|null|NaN|-|1e999|\\[)(,\"x\":\"\\PC{0,5}\")?\\}?|\\PC{0,12}|\n|\t){0,20}") {
        let log = read_log(text.as_bytes(), Start::default());
        prop_assert_eq!(accounted(&log), log.lines);
        prop_assert_eq!(log.rows().count() as u64, log.runs);
    }

    #[test]
    fn bytes_that_are_no_text_are_accounted_for(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let log = read_log(&bytes, Start::default());
        prop_assert_eq!(accounted(&log), log.lines);
    }
}
