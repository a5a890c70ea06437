//! `autoresearch log`: the experiments, one line each.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::args::{Global, Log};
use crate::cli::error::CliError;
use crate::cli::fold::{Shown, fold_with, views_of};
use crate::cli::place::Named;
use crate::cli::ui::Ui;
use crate::domain::{Asi, Event, ExperimentId, Status};
use crate::report::{ExperimentRow, ImportedRow, ImportedView, Screen, SessionView, log_json, text};

/// Prints the settled experiments that were asked for, after what was imported.
pub(in crate::cli) fn run(global: &Global, args: &Log, ui: &Ui) -> Result<u8, CliError> {
    let named = Named::find(global, args.session.as_deref())?;
    let mut found = Search::new(args.grep.as_deref());
    let Shown { mut session, mut imported } = views_of(&named, ui, || {
        fold_with(&named.journal(), &mut |record, event| {
            found.look(record.experiment, event);
            Ok(())
        })
    })?;
    let settled = session.as_ref().map_or(0, |session| session.experiments.len());
    if let Some(session) = &mut session {
        filter(session, args, &found);
    }
    if let Some(imported) = &mut imported {
        imported.runs.retain(|row| matches_imported(args, row, &found));
        keep_last(&mut imported.runs, args.limit);
    }
    if args.json {
        match &session {
            Some(session) => ui.rendered(log_json(session, settled, imported.as_ref()))?,
            None => ui.json(&with_imported(json!({"name": named.name, "experiments": []}), imported.as_ref()))?,
        }
        return Ok(0);
    }
    let screen = Screen::of_stdout();
    let parts = [
        imported.as_ref().map(|imported| text::imported_log(imported, screen)),
        session.as_ref().map(|session| text::log(session, settled, screen)),
    ];
    ui.print(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))?;
    Ok(0)
}

fn filter(session: &mut SessionView, args: &Log, found: &Search) {
    session.experiments.retain(|row| matches(args, row) && found.has(row.experiment));
    keep_last(&mut session.experiments, args.limit);
    let listed: BTreeSet<ExperimentId> = session.experiments.iter().map(|row| row.experiment).collect();
    session.claims.retain(|claim| listed.contains(&claim.experiment));
}

fn keep_last<T>(rows: &mut Vec<T>, limit: Option<usize>) {
    if let Some(limit) = limit {
        rows.drain(..rows.len().saturating_sub(limit));
    }
}

fn matches(args: &Log, row: &ExperimentRow) -> bool {
    let candidate = row.experiment != ExperimentId::BASELINE;
    let status = args.status.is_empty() || candidate && args.status.iter().any(|status| row.status == (*status).into());
    let since = args.since.is_none_or(|since| since.includes(row.experiment.0, row.at));
    let named = |wanted: &String| row.idea.as_ref().is_some_and(|idea| idea.trim().eq_ignore_ascii_case(wanted.trim()));
    status && since && args.idea.as_ref().is_none_or(named)
}

/// Asks a run of another tool's log the same; such logs name no ideas.
fn matches_imported(args: &Log, row: &ImportedRow, found: &Search) -> bool {
    let word = |status: Status| row.status.as_deref() == Some(status.to_string().as_str());
    let status = args.status.is_empty() || args.status.iter().any(|status| word((*status).into()));
    let since = args.since.is_none_or(|since| since.includes(row.number, row.at));
    status && since && args.idea.is_none() && found.holds(&row.description)
}

/// Adds what was imported to a view's JSON, where anything was.
pub(super) fn with_imported(mut value: Value, imported: Option<&ImportedView>) -> Value {
    if let (Some(imported), Some(object)) = (imported, value.as_object_mut()) {
        object.insert("imported".to_owned(), json!(imported));
    }
    value
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

    /// Says whether a text holds what is looked for; it does where nothing is.
    fn holds(&self, text: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| text.to_lowercase().contains(wanted))
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
