//! `autoresearch show N`: one experiment whole.

use std::fs;
use std::path::Path;

use crate::cli::args::{Global, Show};
use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::domain::{Calibrated, Configured, Event, ExperimentId, MetricName, Pair, RunSummary, Undone};
use crate::engine::{self, ExperimentFacts, Roles, metric_row};
use crate::journal::{JournalError, Reader, Record};
use crate::report::{ChangeView, ExperimentParts, ExperimentView, MetricLine, Screen, show_json, text};

/// Prints everything about one experiment.
pub(in crate::cli) fn run(global: &Global, args: &Show, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::reading(global, args.session.as_deref())?;
    let view = view(&place, ExperimentId(args.experiment))?;
    if args.json {
        ui.json(&show_json(&view))?;
    } else {
        ui.print(&text::show(&view, Screen::of_stdout()))?;
    }
    Ok(0)
}

fn view(place: &Place, id: ExperimentId) -> Result<ExperimentView, CliError> {
    let journal = place.places.journal();
    let missing = || CliError::NoSession { name: place.settings.name.clone(), journal: journal.clone() };
    if !journal.exists() {
        return Err(missing());
    }
    let found = Found::read(&journal, id)?;
    let Some(configured) = &found.configured else { return Err(missing()) };
    if found.facts.proposed.is_none() && found.run.is_none() {
        return Err(CliError::NoExperiment { experiment: id, last: ExperimentId(found.last) });
    }
    let folder = place.places.run(id);
    Ok(ExperimentView::new(ExperimentParts {
        id,
        settings: &configured.settings,
        proposed: found.facts.proposed.as_ref(),
        screened: found.facts.screened.as_ref(),
        phases: &found.facts.phases,
        attempts: &found.facts.attempts,
        decided: found.facts.decided.as_ref(),
        run: found.run.as_ref(),
        undone: found.undone.as_ref(),
        metrics: metrics(configured, found.calibrated.as_deref(), &found.facts.pairs()),
        files: files(&folder),
        folder: &folder,
    }))
}

/// Compares the arms of every metric, the primary first.
fn metrics(configured: &Configured, calibrated: Option<&Calibrated>, pairs: &[Pair]) -> Vec<MetricLine> {
    let settings = &configured.settings;
    let roles = calibrated.map(|calibrated| Roles::of_calibration(settings, calibrated)).unwrap_or_default();
    let lens = engine::Lens { settings, roles: &roles };
    let primaries: Vec<&MetricName> = lens.primaries().collect();
    let printed = pairs.first().map(|pair| pair.candidate.metrics.keys()).into_iter().flatten();
    let listed: Vec<&MetricName> =
        primaries.iter().copied().chain(printed.filter(|name| !primaries.contains(name))).collect();
    let compared = |name| metric_row(lens, name, pairs);
    let shown = |row: engine::MetricRow| MetricLine {
        metric: row.metric.to_string(),
        change: row.change.map(|change| ChangeView::new(change, &row.unit)),
        unit: row.unit,
        baseline: row.baseline,
        candidate: row.candidate,
    };
    listed.into_iter().filter_map(compared).map(shown).collect()
}

/// Names the files of an experiment's folder; a folder that was cleaned away has none.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What the journal says of one experiment, and the settings that it ran under.
#[derive(Default)]
struct Found {
    facts: ExperimentFacts,
    run: Option<RunSummary>,
    undone: Option<Undone>,
    configured: Option<Box<Configured>>,
    calibrated: Option<Box<Calibrated>>,
    last: u32,
}

impl Found {
    /// Passes over the journal once and reads only the payloads of this experiment and the settings before its end.
    fn read(journal: &Path, id: ExperimentId) -> Result<Self, JournalError> {
        let mut found = Self { facts: ExperimentFacts::new(id), ..Self::default() };
        for record in Reader::open(journal)?.records() {
            found.take(id, &record?)?;
        }
        Ok(found)
    }

    fn take(&mut self, id: ExperimentId, record: &Record) -> Result<(), JournalError> {
        self.last = self.last.max(record.experiment.map_or(0, |experiment| experiment.0));
        let setting = self.run.is_none() && matches!(record.kind(), "config" | "calibrated");
        if !setting && record.experiment != Some(id) {
            return Ok(());
        }
        match record.event()? {
            Some(Event::Configured(configured)) => self.configured = Some(configured),
            Some(Event::Calibrated(calibrated)) => self.calibrated = Some(calibrated),
            Some(Event::Run(run)) => self.run = Some(*run),
            Some(Event::Undone(undone)) => self.undone = Some(undone),
            Some(event) => self.facts.apply(&event),
            None => {}
        }
        Ok(())
    }
}
