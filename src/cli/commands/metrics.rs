//! `autoresearch metrics`: METRIC lines out of a benchmark tool's output.

use std::io::Read as _;
use std::path::Path;

use crate::cli::args::{Global, Metrics};
use crate::cli::error::CliError;
use crate::cli::place::start;
use crate::cli::ui::Ui;
use crate::measure::adapters::{self, Input, Sample, Tool};

/// Prints a line for each number, all of them or, where anything is wrong, none.
pub(in crate::cli) fn run(global: &Global, args: &Metrics, ui: &Ui) -> Result<u8, CliError> {
    let tool = Tool::from(args.from);
    let mut inputs = Vec::new();
    for path in &args.paths {
        if path == Path::new("-") {
            inputs.push(standard_input()?);
        } else {
            inputs.extend(adapters::open(tool, &start(global)?.join(path))?);
        }
    }
    if args.paths.is_empty() {
        inputs.push(standard_input()?);
    }
    let samples = adapters::samples(tool, &inputs, &args.prefix)?;
    ui.print(&samples.iter().map(|sample: &Sample| sample.line() + "\n").collect::<String>())?;
    Ok(0)
}

fn standard_input() -> Result<Input, CliError> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|source| CliError::io("read", Path::new("standard input"), source))?;
    Ok(Input { from: "standard input".to_owned(), text: String::from_utf8_lossy(&bytes).into_owned() })
}
