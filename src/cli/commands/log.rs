//! `autoresearch log`: the experiments, one line each.

use crate::cli::args::{Global, Reading};
use crate::cli::error::CliError;
use crate::cli::fold::session_view;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::report::{Screen, log_json, text};

/// Prints every settled experiment.
pub(in crate::cli) fn run(global: &Global, args: &Reading, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::reading(global, args.session.as_deref())?;
    let view = session_view(&place, ui)?;
    if args.json {
        ui.json(&log_json(&view))?;
    } else {
        ui.print(&text::log(&view, Screen::of_stdout()))?;
    }
    Ok(0)
}
