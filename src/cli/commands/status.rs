//! `autoresearch status`: where the session stands.

use serde_json::json;

use super::log::with_imported;
use crate::cli::args::{Global, Looking};
use crate::cli::error::CliError;
use crate::cli::fold::{Shown, views};
use crate::cli::place::Named;
use crate::cli::ui::Ui;
use crate::report::{Screen, status_json, text};

/// Prints where the session stands, and what was imported into it.
pub(in crate::cli) fn run(global: &Global, args: &Looking, ui: &Ui) -> Result<u8, CliError> {
    let named = Named::find(global, args.session.as_deref())?;
    let Shown { session, imported } = views(&named, ui)?;
    if args.json {
        let value = session.as_ref().map_or_else(|| json!({"name": named.name, "kept": []}), status_json);
        ui.json(&with_imported(value, imported.as_ref()))?;
        return Ok(0);
    }
    let screen = Screen::of_stdout();
    let parts = [
        session.as_ref().map(|session| text::status(session, screen)),
        imported.as_ref().map(|imported| text::imported_status(imported, screen)),
    ];
    ui.print(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))?;
    Ok(0)
}
