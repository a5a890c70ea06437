//! `autoresearch show N`: one experiment whole.

use std::path::Path;

use crate::cli::args::{Global, Show};
use crate::cli::error::CliError;
use crate::cli::examine::{self, Found};
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::ExperimentId;
use crate::journal::{JournalError, Reader, Record};
use crate::report::{ExperimentView, Screen, show_json, text};

/// Bytes of a patch that are shown; the file has the rest.
const PATCH: u64 = 1 << 20;

/// Prints everything about one experiment.
pub(in crate::cli) fn run(global: &Global, args: &Show, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    let view = view(&place, ExperimentId(args.experiment))?;
    if args.json {
        ui.json(&show_json(&view))?;
    } else {
        let patch = examine::patch(&view.folder, PATCH);
        ui.print(&text::show(&view, patch.as_ref(), Screen::of_stdout()))?;
    }
    Ok(0)
}

fn view(place: &Place, id: ExperimentId) -> Result<ExperimentView, CliError> {
    let journal = place.places.journal();
    let missing = || CliError::NoSession { name: place.settings.name.clone(), journal: journal.clone() };
    if !journal.exists() {
        return Err(missing());
    }
    let (found, last) = read(&journal, id)?;
    if found.configured.is_some() && found.facts.proposed.is_none() && found.run.is_none() {
        return Err(CliError::NoExperiment { experiment: id, last });
    }
    found.view(id, &place.places.run(id)).ok_or_else(missing)
}

/// Passes over the journal once and reads only the payloads of this experiment and the settings before its end; says
/// also which number is the last.
fn read(journal: &Path, id: ExperimentId) -> Result<(Found, ExperimentId), JournalError> {
    let (mut found, mut last) = (Found::new(id), ExperimentId::BASELINE);
    for record in Reader::open(journal)?.records() {
        let record: Record = record?;
        last = last.max(record.experiment.unwrap_or(ExperimentId::BASELINE));
        let setting = found.run.is_none() && matches!(record.kind(), "config" | "calibrated" | "sandbox");
        if (setting || record.experiment == Some(id))
            && let Some(event) = record.event()?
        {
            found.take(&event);
        }
    }
    Ok((found, last))
}
