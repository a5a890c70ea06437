//! `autoresearch review`, `accept` and `later`: which keeps to merge, and what was decided.

use std::collections::{BTreeMap, BTreeSet};

use super::review_walk;
use crate::cli::args::{self, Decide, Global};
use crate::cli::error::CliError;
use crate::cli::fold::fold;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{Change, Event, ExperimentId, Review, Reviewed, Settings, Validated};
use crate::journal::{Journal, Reader};
use crate::report::{Cost, ReviewInput, ReviewView, Screen, text};
use crate::state::{ExperimentRecord, SessionState};

/// Shows the keeps in the order in which to look at them, or asks about one after another.
pub(in crate::cli) fn run(global: &Global, args: &args::Review, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::with_holdout(global, &Overrides::default(), None)?;
    if args.interactive {
        return review_walk::run(&place, !args.no_retest, ui);
    }
    let view = view(&place)?;
    if args.json {
        ui.json(&serde_json::to_value(&view).unwrap_or_default())?;
    } else {
        ui.advise(&text::review(&view, Screen::of_stdout()))?;
    }
    Ok(0)
}

/// Records that keeps are to be merged.
pub(in crate::cli) fn accept(global: &Global, args: &Decide, ui: &Ui) -> Result<u8, CliError> {
    decide(global, &args.experiments, &Reviewed { review: Review::Accepted, because: String::new() }, ui)
}

/// Records that keeps wait for a decision.
pub(in crate::cli) fn later(global: &Global, args: &Decide, ui: &Ui) -> Result<u8, CliError> {
    decide(global, &args.experiments, &Reviewed { review: Review::Later, because: String::new() }, ui)
}

fn decide(global: &Global, numbers: &[u32], reviewed: &Reviewed, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    record(&place, &ids(numbers), reviewed, ui)?;
    Ok(0)
}

/// Journals a decision about keeps that stand.
pub(super) fn record(place: &Place, ids: &[ExperimentId], reviewed: &Reviewed, ui: &Ui) -> Result<(), CliError> {
    let state = state(place)?;
    for id in ids {
        if !state.keeps().any(|record| record.id == *id) {
            return Err(CliError::NoSuchKeep { experiment: *id });
        }
    }
    let mut journal = Journal::open(&place.places.journal())?;
    for id in ids {
        journal.append_synced(Some(*id), &Event::Reviewed(reviewed.clone()))?;
        ui.line(&format!("#{id} {}", reviewed.review))?;
    }
    Ok(())
}

/// Returns experiments by their numbers as they were typed, each once.
pub(super) fn ids(numbers: &[u32]) -> Vec<ExperimentId> {
    let mut seen = BTreeSet::new();
    numbers.iter().copied().map(ExperimentId).filter(|id| seen.insert(*id)).collect()
}

/// Folds the journal of a session that has begun.
pub(super) fn state(place: &Place) -> Result<SessionState, CliError> {
    place.require_session()?;
    let folded = fold(&place.places.journal())?;
    let missing = || CliError::NoSession { name: place.settings.name.clone(), journal: place.places.journal() };
    Ok(folded.ok_or_else(missing)?.state)
}

/// Gathers what the table shows of each keep that stands.
pub(super) fn view(place: &Place) -> Result<ReviewView, CliError> {
    let state = state(place)?;
    let settings = state.configured().map_or(&place.settings, |configured| &configured.settings);
    let measured = left_on_final_code(place, &state)?;
    let input = |record: &ExperimentRecord| -> Result<ReviewInput, CliError> {
        let patch =
            place.repository.commit_patch(record.commit().as_str()).map_err(crate::engine::EngineError::from)?;
        Ok(input(record, measured.get(&record.id), Cost::of(&String::from_utf8_lossy(&patch.patch)), settings))
    };
    Ok(ReviewView::new(state.keeps().map(input).collect::<Result<_, _>>()?))
}

fn input(record: &ExperimentRecord, measured: Option<&Validated>, cost: Cost, settings: &Settings) -> ReviewInput {
    let raced = record.effect.map(|effect| {
        let objective = settings.objective(effect.of);
        let change = Change::of_effect((effect.gain, effect.low, effect.high), objective.scale, objective.direction);
        (effect.gain, change)
    });
    let left = measured.map(|validated| (validated.gain, validated.change()));
    let (gain, change) = left.or(raced).unzip();
    ReviewInput {
        experiment: record.id,
        commit: record.commit(),
        description: record.description.to_string(),
        gain: gain.unwrap_or(0.0),
        change,
        on_final_code: measured.is_some(),
        cost,
        flags: record.flags.iter().collect(),
        review: record.review,
    }
}

/// Reads what was measured of each keep by leaving it out of the present tip.
fn left_on_final_code(place: &Place, state: &SessionState) -> Result<BTreeMap<ExperimentId, Validated>, CliError> {
    let mut found = BTreeMap::new();
    for record in Reader::open(&place.places.journal())?.records() {
        let record = record?;
        if record.kind() == "validated"
            && let Some(Event::Validated(validated)) = record.event()?
            && let Some(id) = validated.without.filter(|_| state.tip() == Some(&validated.tip))
        {
            found.insert(id, *validated);
        }
    }
    Ok(found)
}
