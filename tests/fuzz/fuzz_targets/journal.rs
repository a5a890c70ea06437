//! A journal with any bytes after its header, or with damaged lines of a real one: every line is a record, an error with
//! its number, or a torn tail, and going on cuts the tail and nothing else.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use autoresearch::journal::{Journal, Reader, Record};
use autoresearch::state::SessionState;
use libfuzzer_sys::fuzz_target;

static REAL: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../../golden/journal-format-1.jsonl").lines().collect());

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    // Each cut is synced: on a file system in memory, where there is one.
    let memory = PathBuf::from("/dev/shm");
    let room = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = room.join(format!("autoresearch-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for one journal");
    folder
});

/// Makes a journal: odd first byte, lines of a real one in an order and with damage that the bytes choose; even, the
/// header and then the bytes themselves; none or 0, the bytes alone.
fn journal(bytes: &[u8]) -> Vec<u8> {
    match bytes.split_first() {
        None | Some((0, _)) => bytes.to_vec(),
        Some((kind, rest)) if kind % 2 == 0 => [REAL[0].as_bytes(), b"\n", rest].concat(),
        Some((_, rest)) => {
            let mut text = [REAL[0].as_bytes(), b"\n"].concat();
            for choice in rest.chunks_exact(4) {
                let mut line = REAL[usize::from(choice[0]) % REAL.len()].as_bytes().to_vec();
                let at = (usize::from(choice[1]) * 256 + usize::from(choice[2])) % (4 * line.len());
                if let Some(byte) = line.get_mut(at) {
                    *byte = choice[3];
                }
                text.extend(line);
                text.push(b'\n');
            }
            text.extend(rest.chunks_exact(4).remainder());
            text
        }
    }
}

/// Reads as far as it can be read; returns the lines.
fn read(path: &Path) -> Option<Vec<Record>> {
    let reader = Reader::open(path).ok()?;
    let mut state = SessionState::new(reader.header().session);
    let (mut records, mut lines) = (reader.records(), Vec::new());
    for record in records.by_ref() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                assert!(error.to_string().contains(&format!("line {}", lines.len() + 2)), "{error}");
                return None;
            }
        };
        match record.event() {
            Ok(Some(event)) => state.apply(record.experiment, record.at, &event),
            Ok(None) => state.pass_over(record.at),
            Err(error) => assert!(error.to_string().contains("line"), "{error}"),
        }
        lines.push(record);
    }
    assert!(state.hours(None) >= 0.0);
    Some(lines)
}

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.join("journal.jsonl");
    fs::write(&path, journal(bytes)).expect("room");
    let before = read(&path);
    let opened = Journal::open(&path).map(drop);
    let Some(before) = before else { return };
    opened.expect("what can be read can be gone on with");
    let after = read(&path).expect("what was gone on with can be read");
    let texts = |records: &[Record]| records.iter().map(|record| record.raw().to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(&after), texts(&before), "only the torn tail is cut");
});
