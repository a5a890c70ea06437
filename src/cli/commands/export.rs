//! `autoresearch export`: a session for other readers, or a copy of it for committing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::args::{Export, Global, PlainForm};
use crate::cli::error::CliError;
use crate::cli::place::{Named, cache_home, environment, start};
use crate::cli::ui::Ui;
use crate::import::export::{self, Paths};

/// Prints or writes the plain form, or writes the copy.
pub(in crate::cli) fn run(global: &Global, args: &Export, ui: &Ui) -> Result<u8, CliError> {
    let named = Named::find(global, args.session.as_deref())?;
    let journal = named.journal();
    if !journal.exists() {
        return Err(CliError::NoSession { name: named.name, journal });
    }
    let start = start(global)?;
    let to = args.to.as_ref().map(|to| start.join(to));
    let paths = machine_paths(&named);
    match args.format {
        Some(PlainForm::Jsonl) => give(ui, to, "autoresearch.jsonl", &export::plain(&journal, &paths)?)?,
        Some(PlainForm::Csv) => give(ui, to, "autoresearch.csv", &export::csv(&journal, &paths)?)?,
        None => {
            let to = to.unwrap_or_else(|| named.repository.root().join("experiments").join(&named.name));
            let copied = export::copy(&named.state, &to, &paths)?;
            let held_out = match copied.held_out {
                0 => String::new(),
                lines => format!("; {lines} lines tell of the holdout and are left out or cut"),
            };
            ui.line(&format!("{} and {} patches{held_out}", copied.journal.display(), copied.patches))?;
        }
    }
    Ok(0)
}

/// Prints a text, or writes it into a folder.
fn give(ui: &Ui, to: Option<PathBuf>, name: &str, text: &str) -> Result<(), CliError> {
    let Some(folder) = to else { return Ok(ui.print(text)?) };
    fs::create_dir_all(&folder).map_err(|source| CliError::io("create", &folder, source))?;
    let path = folder.join(name);
    fs::write(&path, text).map_err(|source| CliError::io("write", &path, source))?;
    Ok(ui.line(&path.display().to_string())?)
}

/// Lists the paths that say whose machine this is.
fn machine_paths(named: &Named) -> Paths {
    let home = environment().get("HOME").map(PathBuf::from);
    let cache = cache_home().ok().map(|cache| cache.join("autoresearch"));
    let known: [(Option<&Path>, &str); 5] = [
        (Some(named.repository.root()), "<repository>"),
        (Some(&named.state), "<state>"),
        (Some(named.repository.common_dir()), "<git>"),
        (cache.as_deref(), "<cache>"),
        (home.as_deref(), "~"),
    ];
    Paths::new(known.into_iter().filter_map(|(path, word)| Some((path?, word))))
}
