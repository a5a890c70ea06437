//! The command line: arguments, channels, exit codes, and one file for each command.

mod args;
mod bug;
mod call;
mod commands;
mod dialogue;
mod error;
mod examine;
mod fold;
mod gather;
mod night;
mod place;
mod progress;
mod since;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;

use crate::process::supervisor_main;
use args::{Cli, Command};
use error::CliError;

use ui::Ui;

/// Reads the command line, does what it says, and returns the exit code of FORMATS section 8.
pub fn main() -> ExitCode {
    // The supervisor of a job is this program again; nothing else may happen before it.
    if let Some(code) = supervisor_main(std::env::args_os()) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() { error::USAGE } else { 0 });
        }
    };
    let ui = Ui::of(&cli.global);
    bug::tell_panics(Ui::of(&cli.global));
    ExitCode::from(bug::guarded(&ui, || answer(&cli, &ui)))
}

fn answer(cli: &Cli, ui: &Ui) -> u8 {
    dispatch(cli, ui).unwrap_or_else(|error| {
        if !error.is_closed_pipe() {
            tell(ui, &error);
        }
        error.exit_code()
    })
}

/// Tells how a command ended that did not end by itself; a stop that was asked for is no error.
fn tell(ui: &Ui, error: &CliError) {
    match error.exit_code() {
        0 | error::INTERRUPTED => ui.tell(&ui.worded(&error.message())),
        _ => ui.error(&error.message()),
    }
}

fn dispatch(cli: &Cli, ui: &Ui) -> Result<u8, CliError> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => commands::init::run(global, args, ui),
        Command::Doctor(args) => commands::doctor::run(global, args, ui),
        Command::Calibrate(args) => commands::calibrate::run(global, args, ui),
        Command::Run(args) => commands::run::run(global, args, ui),
        Command::Try(args) => commands::try_one::run(global, args, ui),
        Command::Validate(args) => commands::validate::run(global, args, ui),
        Command::Compare(args) => commands::compare::run(global, args, ui),
        Command::Stop(args) => commands::stop::run(global, args, ui),
        Command::Status(args) => commands::status::run(global, args, ui),
        Command::Log(args) => commands::log::run(global, args, ui),
        Command::Report(args) => commands::report::run(global, args, ui),
        Command::Show(args) => commands::show::run(global, args, ui),
        Command::Bundle(args) => commands::bundle::run(global, args, ui),
        Command::Verify(args) => commands::verify::run(global, args, ui),
        Command::Review(args) => commands::review::run(global, args, ui),
        Command::Accept(args) => commands::review::accept(global, args, ui),
        Command::Reject(args) => commands::reject::run(global, args, ui),
        Command::Later(args) => commands::review::later(global, args, ui),
        Command::Finalize(args) => commands::finalize::run(global, args, ui),
        Command::Ideas(args) => commands::ideas::run(global, args, ui),
        Command::Demo(args) => commands::demo::run(global, args, ui),
        Command::Simulate(args) => commands::simulate::run(global, args, ui),
        Command::Import(args) => commands::import::run(global, args, ui),
        Command::Export(args) => commands::export::run(global, args, ui),
        Command::Metrics(args) => commands::metrics::run(global, args, ui),
        Command::Config(args) => commands::config::run(global, args, ui),
        Command::Clean(args) => commands::clean::run(global, args, ui),
        Command::Completions(args) => commands::manual::completions(args, ui),
        Command::Man(args) => commands::manual::pages(global, args, ui),
    }
}
