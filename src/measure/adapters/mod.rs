//! Reads the output of benchmark tools and makes metrics of it, one file per tool.
//!
//! Each tool's numbers get the same vocabulary (`table.rs`): the benchmark's own name with what a metric's name cannot
//! hold replaced, and the unit, made equal for all tools, as its suffix: `_ns`, `_bytes`, `_allocs`, `_bytes_per_s` and so
//! on. A benchmark that the tool ran several times gives several samples. One that failed fails the whole input.

mod criterion;
mod divan_tree;
mod gobench;
mod google;
mod hyperfine;
mod jmh;
mod pytest;
mod table;
mod text;
mod time;
mod units;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use table::Sample;
use table::Table;

/// A tool whose output can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `go test -bench`, as text or with `-json`.
    Gobench,
    /// criterion.rs: its text, or the folder of its estimates.
    Criterion,
    /// Google Benchmark, as text or JSON.
    GoogleBenchmark,
    /// pytest-benchmark: its table, or the file of `--benchmark-json`.
    PytestBenchmark,
    /// hyperfine: its text, or the file of `--export-json`.
    Hyperfine,
    /// JMH: the table at its end, or the file of `-rf json`.
    Jmh,
    /// divan's tree.
    Divan,
    /// `time` of a shell, of GNU or of a BSD.
    Time,
}

impl Tool {
    /// Says what an input of this tool should have held, for the error that it held none.
    fn expected(self) -> &'static str {
        match self {
            Self::Gobench => "lines such as 'BenchmarkName-8  1000  1234 ns/op', from 'go test -bench . ./...'",
            Self::Criterion => {
                "lines such as 'name  time:   [1.0 ns 1.1 ns 1.2 ns]' from 'cargo bench', or a folder with \
                 <name>/new/estimates.json in it (CRITERION_HOME, else target/criterion)"
            }
            Self::GoogleBenchmark => {
                "the table that the benchmark program prints, or its JSON (--benchmark_format=json)"
            }
            Self::PytestBenchmark => "the table at the end of pytest's output, or the file of '--benchmark-json FILE'",
            Self::Hyperfine => {
                "lines such as '  Time (mean ± σ):  1.0 ms ± 0.1 ms', or the file of '--export-json FILE'"
            }
            Self::Jmh => "the table at the end of JMH's output, or the file of '-rf json -rff FILE'",
            Self::Divan => "the tree of a divan benchmark with its columns fastest, slowest, median, mean",
            Self::Time => "what 'time' prints: 'real 0m0.014s', '0.00user ... 0:00.01elapsed', or 'time -v'",
        }
    }
}

/// Says why an input gave no metrics.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// Nothing of the tool was found.
    #[error("no benchmark in {from}; expected {expected}")]
    NoBenchmark {
        /// Where was looked.
        from: String,
        /// What should have been there.
        expected: &'static str,
    },
    /// A benchmark failed: its numbers would be those of half a suite.
    #[error("a benchmark failed, so nothing is measured: {line}")]
    Failed {
        /// What the tool said.
        line: String,
    },
    /// The output breaks off in the middle.
    #[error("the output breaks off at '{at}', so nothing is measured: did the benchmark program die?")]
    BreaksOff {
        /// The last benchmark begun.
        at: String,
    },
    /// A line of the tool holds what it should not.
    #[error("cannot understand '{line}': {why}")]
    Line {
        /// The line.
        line: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// JSON that is not this tool's.
    #[error("cannot read {from} as the tool's JSON: {source}")]
    Json {
        /// The file, or standard input.
        from: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Two benchmarks would be samples of one metric.
    #[error(
        "'{first}' and '{second}' would both be the metric '{name}'; rename one of them, or read them apart with --prefix"
    )]
    SameName {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The metric.
        name: String,
    },
    /// A name that a metric cannot have.
    #[error("the benchmark '{bench}' cannot be a metric: {why}")]
    Name {
        /// The benchmark.
        bench: String,
        /// Why not.
        why: &'static str,
    },
    /// A folder where the tool writes a file.
    #[error("{} is a folder; name the file that the tool wrote", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The output of a tool, or a part of it.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where it comes from, for people.
    pub from: String,
    /// The text; what is not UTF-8 was replaced.
    pub text: String,
}

/// Reads a file that a tool wrote, or, of criterion, all estimates below a folder.
pub fn open(tool: Tool, path: &Path) -> Result<Vec<Input>, AdapterError> {
    if !path.is_dir() {
        return Ok(vec![Input { from: path.display().to_string(), text: text::file(path)? }]);
    }
    match tool {
        Tool::Criterion => criterion::folder(path),
        Tool::Gobench
        | Tool::GoogleBenchmark
        | Tool::PytestBenchmark
        | Tool::Hyperfine
        | Tool::Jmh
        | Tool::Divan
        | Tool::Time => Err(AdapterError::Folder { path: path.to_owned() }),
    }
}

/// Makes metrics of a tool's output, in the order in which it has them; each name begins with `prefix`.
pub fn samples(tool: Tool, inputs: &[Input], prefix: &str) -> Result<Vec<Sample>, AdapterError> {
    let mut table = Table::default();
    for input in inputs {
        let input = Input { from: input.from.clone(), text: text::plain(&input.text) };
        match tool {
            Tool::Gobench => gobench::read(&input, &mut table),
            Tool::Criterion => criterion::read(&input, &mut table),
            Tool::GoogleBenchmark => google::read(&input, &mut table),
            Tool::PytestBenchmark => pytest::read(&input, &mut table),
            Tool::Hyperfine => hyperfine::read(&input, &mut table),
            Tool::Jmh => jmh::read(&input, &mut table),
            Tool::Divan => divan_tree::read(&input, &mut table),
            Tool::Time => time::read(&input, &mut table),
        }?;
    }
    if table.is_empty() {
        let from: Vec<&str> = inputs.iter().map(|input| input.from.as_str()).collect();
        let from = if from.is_empty() { "an empty folder".to_owned() } else { from.join(", ") };
        return Err(AdapterError::NoBenchmark { from, expected: tool.expected() });
    }
    table.samples(prefix)
}
