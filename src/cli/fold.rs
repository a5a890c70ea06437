//! One pass over a session's journal for the commands that show it.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::CliError;
use super::place::Place;
use super::ui::Ui;
use crate::domain::{Event, Phase, PhaseStarted};
use crate::journal::{JournalError, Reader, Record, TornTail};
use crate::report::{Latest, Lenses, SessionInput, SessionView};
use crate::state::{SessionState, wants};

/// What one pass over a journal tells.
#[derive(Debug)]
pub(super) struct Folded {
    /// The fold.
    pub(super) state: SessionState,
    /// How the primaries of each segment are read.
    pub(super) lenses: BTreeMap<u32, Lenses>,
    /// The step under way.
    pub(super) latest: Latest,
    /// What stands after the last whole line.
    pub(super) torn: Option<TornTail>,
}

/// Folds a journal; `None` where there is none. Only payloads that the fold needs are read.
pub(super) fn fold(journal: &Path) -> Result<Option<Folded>, JournalError> {
    if !journal.exists() {
        return Ok(None);
    }
    let reader = Reader::open(journal)?;
    let mut pass = Pass::new(SessionState::new(reader.header().session));
    let mut records = reader.records();
    for record in records.by_ref() {
        pass.take(record?)?;
    }
    pass.end(records.torn()).map(Some)
}

/// Folds the session of a place into its view.
pub(super) fn session_view(place: &Place, ui: &Ui) -> Result<SessionView, CliError> {
    let journal = place.places.journal();
    let missing = || CliError::NoSession { name: place.settings.name.clone(), journal: journal.clone() };
    let folded = fold(&journal)?.ok_or_else(missing)?;
    let holder = place.holder()?;
    if let (Some(torn), None) = (folded.torn, holder) {
        // A running session may be in the middle of that line.
        ui.warn(&torn.to_string());
    }
    let input = SessionInput {
        state: &folded.state,
        lenses: &folded.lenses,
        latest: &folded.latest,
        running: holder,
        now: jiff::Timestamp::now(),
    };
    let mut view = SessionView::new(input).ok_or_else(missing)?;
    if let Some(aside) = &place.aside {
        view.name.clone_from(&aside.name);
        view.branch = aside.branch.clone().unwrap_or_default();
    }
    Ok(view)
}

/// The pass: the fold, and the last lines of the step under way, unread until the end.
struct Pass {
    state: SessionState,
    lenses: BTreeMap<u32, Lenses>,
    phase: Option<Record>,
    pair: Option<Record>,
    outside: Option<String>,
}

impl Pass {
    fn new(state: SessionState) -> Self {
        Self { state, lenses: BTreeMap::new(), phase: None, pair: None, outside: None }
    }

    fn take(&mut self, record: Record) -> Result<(), JournalError> {
        match record.kind() {
            kind if wants(kind) => return self.apply(&record),
            "phase" => {
                self.state.pass_over(record.at);
                self.phase(record)?;
            }
            "pair" => {
                self.state.pass_over(record.at);
                // What began before a pair is over: the pairs are what goes on.
                self.phase = None;
                self.pair = Some(record);
            }
            _ => self.state.pass_over(record.at),
        }
        Ok(())
    }

    /// Notes a phase; what is measured outside of any experiment begins with a line that names it.
    fn phase(&mut self, record: Record) -> Result<(), JournalError> {
        if record.experiment.is_none()
            && let Some(Event::PhaseStarted(PhaseStarted { phase: Phase::Measure, what: Some(what) })) =
                record.event()?
        {
            (self.phase, self.pair) = (None, None);
            self.outside = Some(what);
        } else {
            self.phase = Some(record);
        }
        Ok(())
    }

    fn apply(&mut self, record: &Record) -> Result<(), JournalError> {
        let Some(event) = record.event()? else {
            self.state.pass_over(record.at);
            return Ok(());
        };
        if ends_step(&event) {
            (self.phase, self.pair, self.outside) = (None, None, None);
        }
        if let Event::Configured(configured) = &event {
            self.lenses.insert(configured.segment, Lenses::from(configured.settings.as_ref()));
        }
        self.state.apply(record.experiment, record.at, &event);
        Ok(())
    }

    fn end(self, torn: Option<TornTail>) -> Result<Folded, JournalError> {
        let last = self.phase.as_ref().or(self.pair.as_ref());
        let experiment = last.and_then(|record| record.experiment);
        let mut latest = Latest { experiment, outside: self.outside, ..Latest::default() };
        if let Some(record) = &self.phase {
            latest.phase = match record.event()? {
                Some(Event::PhaseStarted(started)) => Some((started.phase, started.what)),
                Some(Event::PhaseEnded(ended)) => Some((ended.phase, ended.what)),
                Some(_) | None => None,
            };
        }
        if let Some(record) = &self.pair
            && let Some(Event::Pair(attempt)) = record.event()?
        {
            let phase = match (attempt.holdout, attempt.swapped) {
                (true, _) => Phase::Holdout,
                (false, true) => Phase::Confirm,
                (false, false) => Phase::Measure,
            };
            latest.phase.get_or_insert((phase, None));
            latest.pair = Some(*attempt).filter(|attempt| !attempt.holdout);
        }
        Ok(Folded { state: self.state, lenses: self.lenses, latest, torn })
    }
}

/// Says whether an event ends the step before it, so that its phases and pairs are over.
fn ends_step(event: &Event) -> bool {
    matches!(
        event,
        Event::Proposed(_)
            | Event::Run(_)
            | Event::Validated(_)
            | Event::Undone(_)
            | Event::Resumed(_)
            | Event::Stopped(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ExperimentId;
    use crate::journal::sample;

    fn journal(folder: &Path, lines: usize) -> std::path::PathBuf {
        let mut whole = Vec::new();
        sample::write(&mut whole, 3).unwrap();
        let kept: Vec<&str> = std::str::from_utf8(&whole).unwrap().lines().take(lines).collect();
        let path = folder.join("journal.jsonl");
        std::fs::write(&path, kept.join("\n") + "\n").unwrap();
        path
    }

    #[test]
    fn no_journal_is_no_session() {
        let folder = tempfile::tempdir().unwrap();
        assert!(fold(&folder.path().join("journal.jsonl")).unwrap().is_none());
    }

    #[test]
    fn the_step_under_way_is_known_and_a_settled_one_leaves_none() {
        let folder = tempfile::tempdir().unwrap();
        // Header, config, calibrated, then 18 lines an experiment: 2 + 6 phases + 8 pairs + decided + run.
        let half = fold(&journal(folder.path(), 3 + 18 + 2 + 6 + 5)).unwrap().unwrap();
        assert_eq!(half.state.unfinished().unwrap().id, ExperimentId(2));
        assert_eq!(half.latest.experiment, Some(ExperimentId(2)));
        assert_eq!(half.latest.pair.unwrap().pair, 5);
        assert_eq!(half.latest.phase, Some((Phase::Measure, None)));
        let settled = fold(&journal(folder.path(), 3 + 18)).unwrap().unwrap();
        assert!(settled.latest.experiment.is_none() && settled.latest.pair.is_none());
        assert_eq!(settled.state.experiments().len(), 1);
    }
}
