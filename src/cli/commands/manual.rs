//! `autoresearch completions` and `autoresearch man`: what is generated from the command line's own description.

use clap::CommandFactory as _;

use crate::cli::args::{Cli, Completions, Global, Man};
use crate::cli::error::CliError;
use crate::cli::place;
use crate::cli::ui::Ui;

const NAME: &str = "autoresearch";

/// Prints the completions of a shell.
pub(in crate::cli) fn completions(args: &Completions, ui: &Ui) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    ui.print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// Writes a man page of the program and one of each command.
pub(in crate::cli) fn pages(global: &Global, args: &Man, ui: &Ui) -> Result<u8, CliError> {
    let folder = place::start(global)?.join(&args.folder);
    let failed = |source| CliError::io("write man pages into", &folder, source);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    // Without the help command that clap adds, which has no page of its own.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, &folder).map_err(failed)?;
    let count = std::fs::read_dir(&folder).map_err(failed)?.count();
    ui.tell(&format!(
        "{count} man pages in {}; 'man -l {}/{NAME}.1' shows the first",
        folder.display(),
        folder.display()
    ));
    Ok(0)
}
