//! Times the fold of a large journal beside plain `serde_json` parsing of the same lines.
//!
//! `cargo bench --bench journal_fold`. The journal has 10 000 settled experiments of eight pairs each.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use autoresearch::journal::{Reader, sample};
use autoresearch::state::{SessionState, wants};
use divan::Bencher;
use divan::counter::BytesCount;

/// Settled experiments in the journal.
const EXPERIMENTS: u32 = 10_000;

static JOURNAL: OnceLock<(PathBuf, u64)> = OnceLock::new();

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("journal.jsonl");
    let mut out = BufWriter::new(File::create(&path).expect("a file"));
    sample::write(&mut out, EXPERIMENTS).and_then(|()| out.flush()).expect("room for the journal");
    let bytes = path.metadata().expect("a file").len();
    JOURNAL.set((path, bytes)).expect("set once");
    divan::main();
}

fn journal() -> (&'static Path, BytesCount) {
    let (path, bytes) = JOURNAL.get().expect("main made it");
    (path, BytesCount::new(*bytes))
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn fold(bencher: Bencher) {
    let (path, bytes) = journal();
    bencher.counter(bytes).bench_local(|| {
        let reader = Reader::open(path).expect("a journal");
        let mut state = SessionState::new(reader.header().session);
        for record in reader.records() {
            let record = record.expect("a good line");
            match wants(record.kind()).then(|| record.event().expect("a good payload")).flatten() {
                Some(event) => state.apply(record.experiment, record.at, &event),
                None => state.pass_over(record.at),
            }
        }
        assert_eq!(state.iterations(), EXPERIMENTS);
        state
    });
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn envelopes_alone(bencher: Bencher) {
    let (path, bytes) = journal();
    bencher.counter(bytes).bench_local(|| Reader::open(path).expect("a journal").records().count());
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn serde_json_values(bencher: Bencher) {
    let (path, bytes) = journal();
    bencher.counter(bytes).bench_local(|| {
        let lines = BufReader::new(File::open(path).expect("a file")).lines();
        lines.filter(|line| serde_json::from_str::<serde_json::Value>(line.as_ref().expect("text")).is_ok()).count()
    });
}
