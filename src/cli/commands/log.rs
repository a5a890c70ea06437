//! `autoresearch log`: the experiments, one line each.

use serde_json::{Value, json};

use crate::cli::args::{Global, Looking};
use crate::cli::error::CliError;
use crate::cli::fold::{Shown, views};
use crate::cli::place::Named;
use crate::cli::ui::Ui;
use crate::report::{ImportedView, Screen, log_json, text};

/// Prints every settled experiment, after what was imported.
pub(in crate::cli) fn run(global: &Global, args: &Looking, ui: &Ui) -> Result<u8, CliError> {
    let named = Named::find(global, args.session.as_deref())?;
    let Shown { session, imported } = views(&named, ui)?;
    if args.json {
        let value = session.as_ref().map_or_else(|| json!({"name": named.name, "experiments": []}), log_json);
        ui.json(&with_imported(value, imported.as_ref()))?;
        return Ok(0);
    }
    let screen = Screen::of_stdout();
    let parts = [
        imported.as_ref().map(|imported| text::imported_log(imported, screen)),
        session.as_ref().map(|session| text::log(session, screen)),
    ];
    ui.print(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))?;
    Ok(0)
}

/// Adds what was imported to a view's JSON, where anything was.
pub(super) fn with_imported(mut value: Value, imported: Option<&ImportedView>) -> Value {
    if let (Some(imported), Some(object)) = (imported, value.as_object_mut()) {
        object.insert("imported".to_owned(), json!(imported));
    }
    value
}
