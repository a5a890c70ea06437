//! `autoresearch status`: where the session stands.

use crate::cli::args::{Global, Reading};
use crate::cli::error::CliError;
use crate::cli::fold::session_view;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::report::{Screen, status_json, text};

/// Prints where the session stands.
pub(in crate::cli) fn run(global: &Global, args: &Reading, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::reading(global, args.session.as_deref())?;
    let view = session_view(&place, ui)?;
    if args.json {
        ui.json(&status_json(&view))?;
    } else {
        ui.print(&text::status(&view, Screen::of_stdout()))?;
    }
    Ok(0)
}
