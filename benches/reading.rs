//! Times what people wait for on a journal of 10 000 experiments: `log`, `report` and `status`, as whole programs.
//!
//! `cargo bench --bench reading`. `status` is timed twice: on a journal that nobody folded yet, and from the saved fold.
//! The fold alone, beside plain `serde_json` parsing of the same lines, is in `journal_fold`.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use autoresearch::journal::sample;
use divan::Bencher;
use tempfile::TempDir;

/// Settled experiments in the journal.
const EXPERIMENTS: u32 = 10_000;

static ROOM: OnceLock<TempDir> = OnceLock::new();

const CONFIG: &str = r#"{ "name": "sample", "bench": { "command": "./bench.sh" },
    "metrics": { "primary": { "name": "total_ms", "unit": "ms" } } }"#;

fn main() {
    let room = tempfile::tempdir().expect("a temporary folder");
    let state = room.path().join(".git/autoresearch/sample");
    let git = Command::new("git").args(["init", "-q"]).current_dir(room.path()).status().expect("git");
    assert!(git.success());
    fs::create_dir_all(&state).expect("a folder");
    fs::write(room.path().join("autoresearch.config.json"), CONFIG).expect("a file");
    fs::write(room.path().join("bench.sh"), "echo METRIC total_ms=1\n").expect("a file");
    let mut out = BufWriter::new(File::create(state.join("journal.jsonl")).expect("a file"));
    sample::write(&mut out, EXPERIMENTS).and_then(|()| out.flush()).expect("room for the journal");
    assert!(ROOM.set(room).is_ok(), "set once");
    divan::main();
}

fn room() -> &'static Path {
    ROOM.get().expect("main made it").path()
}

fn run(arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoresearch"));
    command.args(arguments).current_dir(room()).env("XDG_CACHE_HOME", room().join("cache"));
    assert!(command.stdout(Stdio::null()).status().expect("it runs").success());
}

#[divan::bench(sample_count = 10, sample_size = 1, args = ["log", "log --json", "report --json", "report --html -"])]
fn whole(bencher: Bencher, command: &str) {
    let arguments: Vec<&str> = command.split(' ').collect();
    bencher.bench_local(|| run(&arguments));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn status_at_first(bencher: Bencher) {
    let forget = || {
        let _ = fs::remove_file(room().join(".git/autoresearch/sample/fold.cache"));
    };
    bencher.with_inputs(forget).bench_local_values(|()| run(&["status"]));
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn status_from_the_saved_fold(bencher: Bencher) {
    run(&["status"]);
    bencher.bench_local(|| run(&["status"]));
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn a_command_that_reads_no_journal(bencher: Bencher) {
    bencher.bench_local(|| run(&["config"]));
}
