//! The program that this repository's own bench measures: it folds a large generated journal, as `log` and `status` do.
//!
//! `fold_journal generate FILE N` writes a journal of N settled experiments; `fold_journal fold FILE` folds it several
//! times and prints the cheapest pass as `METRIC fold_cpu_ms`, with the number of lines as `METRIC records`.

use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use autoresearch::journal::{Reader, sample};
use autoresearch::state::{SessionState, wants};

/// Passes over the journal in one run. The cheapest counts: what else happens on the machine only ever adds.
const PASSES: u32 = 7;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "fold_journal: {error}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["generate", file, experiments] => generate(Path::new(file), experiments.parse()?)?,
        ["fold", file] => measure(Path::new(file))?,
        _ => {
            writeln!(io::stderr(), "usage: fold_journal generate FILE EXPERIMENTS | fold FILE")?;
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn generate(path: &Path, experiments: u32) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(File::create(path)?);
    sample::write(&mut out, experiments)?;
    out.flush()?;
    Ok(())
}

fn measure(path: &Path) -> Result<(), Box<dyn Error>> {
    let (mut cheapest, mut told) = (f64::INFINITY, None);
    for _ in 0..PASSES {
        let before = cpu_ms()?;
        let pass = fold(path)?;
        cheapest = cheapest.min(cpu_ms()? - before);
        told = Some(pass);
    }
    let Some(Pass { records, experiments, keeps }) = told else { return Ok(()) };
    let mut out = io::stdout().lock();
    writeln!(out, "METRIC fold_cpu_ms={cheapest:.3} ms\nMETRIC records={records}")?;
    // What the fold found must not change, whatever it costs.
    writeln!(out, "INVARIANT experiments={experiments}\nINVARIANT keeps={keeps}")?;
    Ok(())
}

/// What one pass found.
struct Pass {
    records: u64,
    experiments: usize,
    keeps: usize,
}

/// Folds the journal once: every envelope, and the payloads that the fold asks for.
fn fold(path: &Path) -> Result<Pass, Box<dyn Error>> {
    let reader = Reader::open(path)?;
    let mut state = SessionState::new(reader.header().session);
    let mut records = 0;
    for record in reader.records() {
        let record = record?;
        records += 1;
        match if wants(record.kind()) { record.event()? } else { None } {
            Some(event) => state.apply(record.experiment, record.at, &event),
            None => state.pass_over(record.at),
        }
    }
    let state = black_box(state);
    Ok(Pass { records, experiments: state.experiments().len(), keeps: state.keeps().count() })
}

/// Returns the CPU time that this thread has used so far, in milliseconds; the fold has one thread.
///
/// The first number of `/proc/thread-self/schedstat` is in nanoseconds; `/proc/self/stat` counts ticks of 10 ms.
fn cpu_ms() -> Result<f64, Box<dyn Error>> {
    let line = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = line.split_whitespace().next().ok_or("/proc/thread-self/schedstat is empty")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3)
}
