//! `autoresearch init`: writes a working starting set, or shows it.

use crate::cli::args::{Global, Init};
use crate::cli::error::CliError;
use crate::cli::place::start;
use crate::cli::ui::Ui;
use crate::engine::starter::{self, Starter};
use crate::git::UserRepository;

/// Proposes a starting set for the repository, and writes it unless it is only to be shown.
pub(in crate::cli) fn run(global: &Global, args: &Init, ui: &Ui) -> Result<u8, CliError> {
    let repository = UserRepository::open(&start(global)?)?;
    let root = repository.root();
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let starter = starter::propose(root, &name)?;
    if args.print {
        ui.print(&contents(&starter))?;
        return Ok(0);
    }
    starter::write(root, &starter)?;
    ui.print(&explained(&starter))?;
    Ok(0)
}

/// Writes every file under a line with its name.
fn contents(starter: &Starter) -> String {
    let file = |file: &starter::StarterFile| {
        let program = if file.executable { ", executable" } else { "" };
        format!("==> {} ({}{program})\n{}\n", file.path, file.why, file.text)
    };
    starter.files.iter().map(file).collect()
}

fn explained(starter: &Starter) -> String {
    let mut text = format!("project: {}\n\nwrote\n", starter.ecosystem);
    let width = starter.files.iter().map(|file| file.path.chars().count()).max().unwrap_or_default();
    text.extend(starter.files.iter().map(|file| format!("  {:width$}  {}\n", file.path, file.why)));
    text += "\nwhy, and what to change\n";
    text.extend(starter.explanations.iter().map(|line| format!("  - {line}\n")));
    text += "\nnext\n";
    text.extend(starter.next.iter().zip(1..).map(|(step, number)| format!("  {number}. {step}\n")));
    text
}
