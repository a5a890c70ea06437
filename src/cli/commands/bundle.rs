//! `autoresearch bundle`: what proves a session, as a ref that can be pushed or as one file.

use serde_json::json;

use crate::cli::args::{Bundle, Global};
use crate::cli::error::CliError;
use crate::cli::place::{self, Place};
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::engine::{Subject, bundle};
use crate::git::record_ref;

/// Writes the record of the session, and says how to hand it on.
pub(in crate::cli) fn run(global: &Global, args: &Bundle, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    place.require_session()?;
    let to = args.file.as_ref().map(|file| Ok::<_, CliError>(place::start(global)?.join(file))).transpose()?;
    let subject = Subject {
        user: &place.repository,
        places: &place.places,
        settings: &place.settings,
        with_holdout: args.with_holdout,
    };
    let bundled = bundle(subject, to.as_deref())?;
    let (name, branch) = (record_ref(&place.settings.name), &place.settings.branch);
    for path in &bundled.changed {
        ui.warn(&format!("{path} changed since the session read it, and is not in the record"));
    }
    if args.json {
        ui.json(&json!({
            "ref": name,
            "record": bundled.record,
            "files": bundled.files,
            "held_back": bundled.held_back,
            "changed": bundled.changed,
            "file": to,
        }))?;
        return Ok(0);
    }
    let head = format!("{name} is {} with {} files\n", bundled.record.short(), bundled.files);
    let held_back = match bundled.held_back {
        0 => String::new(),
        lines => format!("{lines} lines tell of the holdout and were left out or cut\n"),
    };
    let next = match &to {
        Some(file) => {
            let file = file.display();
            format!("{file} holds it and {branch}; check it with\n  autoresearch verify {branch} --bundle {file}\n")
        }
        None => format!(
            "hand it on with\n  git push origin {name} {branch}\nand check it there with\n  \
             autoresearch verify {branch} --ref {name}\n"
        ),
    };
    let text = head + &held_back + &next;
    ui.print(&text)?;
    Ok(0)
}
