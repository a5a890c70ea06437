//! Times the METRIC parser beside `grep -c METRIC` on the same 200 MB of ordinary output.
//!
//! `cargo bench --bench metric_parse`. Both read the same file from the page cache; grep's time includes its start.

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

static OUTPUT: OnceLock<PathBuf> = OnceLock::new();

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bench.out");
    generate(&path).expect("room for the output");
    OUTPUT.set(path).expect("set once");
    divan::main();
}

/// Writes what builds and tests print: words of mixed length, numbers, some upper case, now and then a METRIC line.
fn generate(path: &Path) -> std::io::Result<()> {
    let words = [
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
        "STRING",
        "[42/128]",
        "cache",
        "2026-01-01T00:00:00Z",
        "GET",
        "/index.html",
    ];
    let mut out = BufWriter::new(File::create(path)?);
    let (mut written, mut line, mut state) = (0, 0, 1_u64);
    while written < BYTES {
        let mut text = String::new();
        for _ in 0..4 + line % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(words[usize::try_from(state >> 33).unwrap_or(0) % words.len()]);
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

fn output() -> &'static Path {
    OUTPUT.get().expect("main made it")
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn autoresearch_parse(bencher: Bencher) {
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let parsed = File::open(output()).and_then(parse).expect("readable");
        assert_eq!(parsed.samples.len(), 1);
        parsed
    });
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn grep_count_metric(bencher: Bencher) {
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let count = Command::new("grep").args(["-c", "METRIC"]).arg(output()).output().expect("grep");
        assert!(count.status.success());
        count
    });
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn grep_count_metric_in_the_c_locale(bencher: Bencher) {
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let grep = Command::new("grep").env("LC_ALL", "C").args(["-c", "METRIC"]).arg(output()).output();
        grep.expect("grep")
    });
}
