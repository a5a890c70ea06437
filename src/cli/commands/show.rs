//! `autoresearch show N`: one experiment whole.

use std::path::Path;

use crate::cli::args::{Global, Show};
use crate::cli::error::CliError;
use crate::cli::examine::{self, Found};
use crate::cli::place::Named;
use crate::cli::ui::Ui;
use crate::domain::{Event, ExperimentId, ImportedRun};
use crate::journal::{JournalError, Reader, Record};
use crate::report::{ExperimentView, Screen, show_json, text};

/// Bytes of a patch that are shown; the file has the rest.
const PATCH: u64 = 1 << 20;

/// Prints everything about one experiment.
pub(in crate::cli) fn run(global: &Global, args: &Show, ui: &Ui) -> Result<u8, CliError> {
    let named = Named::find(global, args.session.as_deref())?;
    let id = ExperimentId(args.experiment);
    if !named.journal().exists() {
        return Err(named.no_session());
    }
    let look = Look::at(&named.journal(), id)?;
    let known = look.found.facts.proposed.is_some() || look.found.run.is_some();
    if let (Some(run), false) = (&look.imported, known) {
        return imported(run, args, ui);
    }
    let folder = named.state.join("runs").join(format!("{:04}", id.0));
    let view = look.found.view(id, &folder).filter(|_| known);
    let missing =
        || if look.last == 0 && look.found.configured.is_none() { named.no_session() } else { look.missing(id) };
    let view = view.ok_or_else(missing)?;
    if args.json {
        ui.json(&show_json(&view))?;
    } else {
        ui.print(&text::show(&view, examine::patch(&folder, PATCH).as_ref(), Screen::of_stdout()))?;
    }
    Ok(0)
}

/// Prints a run of another tool's log.
fn imported(run: &ImportedRun, args: &Show, ui: &Ui) -> Result<u8, CliError> {
    if args.json {
        let mut value = serde_json::json!(run);
        value["flags"] = serde_json::json!(["imported"]);
        ui.json(&value)?;
    } else {
        ui.print(&text::imported_run(run))?;
    }
    Ok(0)
}

/// Reads everything about an experiment that was settled here; `folder` is its own.
pub(super) fn everything(journal: &Path, id: ExperimentId, folder: &Path) -> Result<ExperimentView, CliError> {
    let look = Look::at(journal, id)?;
    look.found.view(id, folder).ok_or_else(|| look.missing(id))
}

/// What one look through the journal finds of a number.
struct Look {
    found: Found,
    imported: Option<Box<ImportedRun>>,
    last: u32,
}

impl Look {
    /// Passes over the journal once and reads only the payloads of this number and the settings before its end.
    fn at(journal: &Path, id: ExperimentId) -> Result<Self, JournalError> {
        let mut look = Self { found: Found::new(id), imported: None, last: 0 };
        for record in Reader::open(journal)?.records() {
            look.take(id, &record?)?;
        }
        Ok(look)
    }

    fn take(&mut self, id: ExperimentId, record: &Record) -> Result<(), JournalError> {
        self.last = self.last.max(record.experiment.map_or(0, |experiment| experiment.0));
        if record.kind() == "imported_run"
            && let Some(Event::ImportedRun(run)) = record.event()?
        {
            self.last = self.last.max(run.number);
            self.imported = self.imported.take().or((run.number == id.0).then_some(run));
            return Ok(());
        }
        let setting = self.found.run.is_none() && matches!(record.kind(), "config" | "calibrated" | "sandbox");
        if (setting || record.experiment == Some(id))
            && let Some(event) = record.event()?
        {
            self.found.take(&event);
        }
        Ok(())
    }

    fn missing(&self, id: ExperimentId) -> CliError {
        CliError::NoExperiment { experiment: id, last: ExperimentId(self.last) }
    }
}
