//! `autoresearch stop`: asks a running session to end after its current step.

use std::fs;

use serde_json::json;

use crate::cli::args::{Global, Stopping};
use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::report::Holder;

/// Asks the session to stop, where one is running; a request that nobody reads would end the next one at once.
pub(in crate::cli) fn run(global: &Global, args: &Stopping, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    let holder = place.holder()?;
    if holder.is_some() {
        let request = place.places.stop_request();
        fs::write(&request, "").map_err(|source| CliError::io("write", &request, source))?;
    }
    if args.json {
        ui.json(&json!({
            "session": place.settings.name,
            "running": holder.is_some(),
            "pid": holder.and_then(|holder| holder.pid),
            "requested": holder.is_some(),
        }))?;
    } else {
        ui.line(&answer(&place.settings.name, holder))?;
    }
    Ok(0)
}

fn answer(name: &str, holder: Option<Holder>) -> String {
    match holder {
        Some(Holder { pid: Some(pid) }) => {
            format!("asked session '{name}' (pid {pid}) to stop; it ends after its current step")
        }
        Some(Holder { pid: None }) => format!("asked session '{name}' to stop; it ends after its current step"),
        None => format!("session '{name}' is not running; there is nothing to stop"),
    }
}
