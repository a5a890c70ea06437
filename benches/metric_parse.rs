//! Times the METRIC parser beside `grep -c METRIC` on the same 200 MB of output, ordinary and full of upper case.
//!
//! `cargo bench --bench metric_parse`. Both read the same file from the page cache; grep's time includes its start.
//! Upper case (here `STRING`, one word in twenty) has the letters `RI` that the parser looks for.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use autoresearch::measure::parse;
use divan::Bencher;
use divan::counter::BytesCount;

/// Size of the output in bytes.
const BYTES: usize = 200_000_000;

/// One METRIC line in this many lines.
const METRIC_EVERY: usize = 20_000;

/// What builds and tests print; the last word differs between the two outputs.
const WORDS: [&str; 19] = [
    "compiling",
    "test",
    "result",
    "ok",
    "src/main.rs",
    "12.5ms",
    "INFO",
    "WARN",
    "request",
    "0x7fff",
    "thread",
    "passed;",
    "finished",
    "in",
    "[42/128]",
    "cache",
    "2026-01-01T00:00:00Z",
    "GET",
    "/index.html",
];

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, word) in [("ordinary", "string"), ("upper-case", "STRING")] {
        generate(&folder.path().join(name), word).expect("room for the output");
    }
    FOLDER.set(folder.path().to_owned()).expect("set once");
    divan::main();
}

/// Writes words of mixed length, and now and then a METRIC line.
fn generate(path: &Path, last_word: &str) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let (mut written, mut line, mut state) = (0, 0, 1_u64);
    while written < BYTES {
        let mut text = String::new();
        for _ in 0..4 + line % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from(state >> 33).unwrap_or(0) % (WORDS.len() + 1);
            text.push_str(WORDS.get(index).unwrap_or(&last_word));
            text.push(' ');
        }
        line += 1;
        if line % METRIC_EVERY == 0 {
            text = format!("METRIC total_ms={}.5 ms", line % 97);
        }
        text.push('\n');
        out.write_all(text.as_bytes())?;
        written += text.len();
    }
    out.flush()
}

fn output(name: &str) -> PathBuf {
    FOLDER.get().expect("main made it").join(name)
}

#[divan::bench(sample_count = 40, sample_size = 1, args = ["ordinary", "upper-case"])]
fn autoresearch_parse(bencher: Bencher, name: &str) {
    let path = output(name);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let parsed = File::open(&path).and_then(parse).expect("readable");
        assert_eq!(parsed.samples.len(), 1);
        parsed
    });
}

#[divan::bench(sample_count = 40, sample_size = 1, args = ["ordinary", "upper-case"])]
fn grep_count_metric(bencher: Bencher, name: &str) {
    let path = output(name);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let count = Command::new("grep").args(["-c", "METRIC"]).arg(&path).output().expect("grep");
        assert!(count.status.success());
        count
    });
}
