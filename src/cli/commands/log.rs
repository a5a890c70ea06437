//! `autoresearch log`: the experiments, one line each.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::args::{Global, Log};
use crate::cli::error::CliError;
use crate::cli::fold::{fold_with, view_of};
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{Asi, Event, ExperimentId};
use crate::report::{ExperimentRow, Screen, log_json, text};

/// Prints the settled experiments that were asked for.
pub(in crate::cli) fn run(global: &Global, args: &Log, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    let mut found = Search::new(args.grep.as_deref());
    let folded = fold_with(&place.places.journal(), &mut |record, event| {
        found.look(record.experiment, event);
        Ok(())
    })?;
    let mut view = view_of(&place, ui, folded)?;
    let settled = view.experiments.len();
    view.experiments.retain(|row| matches(args, row) && found.has(row.experiment));
    if let Some(limit) = args.limit {
        view.experiments.drain(..view.experiments.len().saturating_sub(limit));
    }
    if args.json {
        ui.rendered(log_json(&view, settled))?;
    } else {
        ui.print(&text::log(&view, settled, Screen::of_stdout()))?;
    }
    Ok(0)
}

fn matches(args: &Log, row: &ExperimentRow) -> bool {
    let candidate = row.experiment != ExperimentId::BASELINE;
    let status = args.status.is_empty() || candidate && args.status.iter().any(|status| row.status == (*status).into());
    let since = args.since.is_none_or(|since| since.includes(row));
    let named = |wanted: &String| row.idea.as_ref().is_some_and(|idea| idea.trim().eq_ignore_ascii_case(wanted.trim()));
    status && since && args.idea.as_ref().is_none_or(named)
}

/// The experiments whose texts hold a text, whatever its case: description, hypothesis, idea and side information, each
/// whole as the journal has it.
struct Search {
    wanted: Option<String>,
    found: BTreeSet<ExperimentId>,
}

impl Search {
    fn new(wanted: Option<&str>) -> Self {
        Self { wanted: wanted.map(str::to_lowercase), found: BTreeSet::new() }
    }

    fn look(&mut self, experiment: Option<ExperimentId>, event: Option<&Event>) {
        let (Some(wanted), Some(id), Some(event)) = (&self.wanted, experiment, event) else { return };
        let holds = |text: &str| text.to_lowercase().contains(wanted);
        let found = match event {
            Event::Proposed(proposed) => {
                holds(&proposed.description)
                    || holds(&proposed.hypothesis)
                    || proposed.idea.as_deref().is_some_and(holds)
                    || told(&proposed.asi).any(|text| holds(&text))
            }
            Event::Run(run) => holds(&run.description) || told(&run.asi).any(|text| holds(&text)),
            _ => false,
        };
        if found {
            self.found.insert(id);
        }
    }

    fn has(&self, experiment: ExperimentId) -> bool {
        self.wanted.is_none() || self.found.contains(&experiment)
    }
}

/// Returns what the proposer said; what the tool adds itself is no text of the experiment.
fn told(asi: &Asi) -> impl Iterator<Item = String> {
    let others = asi.iter().filter(|(key, _)| *key != "auto");
    others.map(|(_, value)| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
