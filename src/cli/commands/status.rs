//! `autoresearch status`: where the session stands, once or again and again.

use std::time::{Duration, Instant};

use serde_json::json;

use super::log::with_imported;
use crate::cli::args::{Global, Status};
use crate::cli::error::CliError;
use crate::cli::fold::{Following, Shown, views};
use crate::cli::place::Named;
use crate::cli::ui::Ui;
use crate::process::Interrupts;
use crate::report::{Screen, SessionView, status_json, text};

/// The time in which a Ctrl-C ends a pause.
const NAP: Duration = Duration::from_millis(100);

/// Prints where the session stands, and what was imported into it. Nothing is locked, and nothing
/// written but a saved fold of a long journal.
pub(in crate::cli) fn run(global: &Global, args: &Status, ui: &Ui) -> Result<u8, CliError> {
    let named = Named::find(global, args.session.as_deref())?;
    if let Some(pause) = args.watch {
        return watch(&named, args, pause, ui);
    }
    let Shown { session, imported } = views(&named, ui)?;
    if args.json {
        let value = session.as_ref().map_or_else(|| json!({"name": named.name, "kept": []}), status_json);
        ui.json(&with_imported(value, imported.as_ref()))?;
        return Ok(0);
    }
    let screen = Screen::of_stdout();
    let parts = [
        session.as_ref().map(|session| ui.worded(&text::status(session, screen))),
        imported.as_ref().map(|imported| text::imported_status(imported, screen)),
    ];
    ui.print(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))?;
    Ok(0)
}

/// Shows where the session stands until no process works on it any more, or Ctrl-C: on a terminal in one place, elsewhere
/// a block or a line of JSON whenever something happened.
fn watch(named: &Named, args: &Status, pause: Duration, ui: &Ui) -> Result<u8, CliError> {
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let mut following = Following::new(named.journal());
    let mut shown = None;
    loop {
        // Looked at first: a session that ends meanwhile is seen once more, with its end.
        let holder = named.holder()?;
        let changed = following.catch_up()? || shown != Some(holder);
        let view = following.view(holder)?.ok_or_else(|| named.no_session())?;
        show(&view, args.json, changed, ui)?;
        shown = Some(holder);
        if holder.is_none() || !rest(pause, &interrupts) {
            return Ok(0);
        }
    }
}

fn show(view: &SessionView, json: bool, changed: bool, ui: &Ui) -> Result<(), CliError> {
    match (json, Ui::is_screen()) {
        (true, _) if changed => ui.line(&status_json(view).to_string())?,
        (false, true) => ui.repaint(&ui.worded(&text::status(view, Screen::of_stdout())))?,
        (false, false) if changed => ui.line(&ui.worded(&text::status(view, Screen::of_stdout())))?,
        (true | false, _) => {}
    }
    Ok(())
}

/// Pauses; says whether to go on.
fn rest(pause: Duration, interrupts: &Interrupts) -> bool {
    let end = Instant::now() + pause;
    while !interrupts.stop_requested() && Instant::now() < end {
        std::thread::sleep(NAP.min(end.saturating_duration_since(Instant::now())));
    }
    !interrupts.stop_requested()
}
