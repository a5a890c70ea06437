//! One pass over a session's journal for the commands that show it.

mod checkpoint;

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
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
    fold_with(journal, &mut |_, _| Ok(()))
}

/// Sees every line of a pass, with its event where the fold read it.
pub(super) type Onlooker<'a> = dyn FnMut(&Record, Option<&Event>) -> Result<(), JournalError> + 'a;

/// Folds a journal while somebody looks on.
pub(super) fn fold_with(journal: &Path, onlooker: &mut Onlooker<'_>) -> Result<Option<Folded>, JournalError> {
    if !journal.exists() {
        return Ok(None);
    }
    let reader = Reader::open(journal)?;
    let mut pass = Pass::new(SessionState::new(reader.header().session));
    let mut records = reader.records();
    for record in records.by_ref() {
        pass.take(record?, onlooker)?;
    }
    pass.end(records.torn()).map(Some)
}

/// Folds a journal from where an earlier fold of it was saved, and saves this one where that is worth it.
fn fold_on(journal: &Path) -> Result<Option<Folded>, JournalError> {
    if !journal.exists() {
        return Ok(None);
    }
    let reader = Reader::open(journal)?;
    let session = reader.header().session;
    let (mut pass, mut records) = if let Some((pass, from)) = checkpoint::load(journal, session) {
        (pass, reader.records_from(from)?)
    } else {
        (Pass::new(SessionState::new(session)), reader.records())
    };
    let from = records.position();
    for record in records.by_ref() {
        pass.take(record?, &mut |_, _| Ok(()))?;
    }
    checkpoint::save(journal, &pass, from, records.position());
    pass.end(records.torn()).map(Some)
}

/// Folds the session of a place into its view, from where an earlier fold of the journal was saved.
pub(super) fn session_view(place: &Place, ui: &Ui) -> Result<SessionView, CliError> {
    view_of(place, ui, fold_on(&place.places.journal())?)
}

/// Makes the view of a session from its fold; without a journal there is no session.
pub(super) fn view_of(place: &Place, ui: &Ui, folded: Option<Folded>) -> Result<SessionView, CliError> {
    let journal = place.places.journal();
    let missing = || CliError::NoSession { name: place.settings.name.clone(), journal: journal.clone() };
    let folded = folded.ok_or_else(missing)?;
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
    SessionView::new(input).ok_or_else(missing)
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

    fn take(&mut self, record: Record, onlooker: &mut Onlooker<'_>) -> Result<(), JournalError> {
        if wants(record.kind()) {
            let event = record.event()?;
            onlooker(&record, event.as_ref())?;
            self.apply(&record, event.as_ref());
            return Ok(());
        }
        onlooker(&record, None)?;
        match record.kind() {
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

    fn apply(&mut self, record: &Record, event: Option<&Event>) {
        let Some(event) = event else { return self.state.pass_over(record.at) };
        if ends_step(event) {
            (self.phase, self.pair, self.outside) = (None, None, None);
        }
        if let Event::Configured(configured) = event {
            self.lenses.insert(configured.segment, Lenses::from(configured.settings.as_ref()));
        }
        self.state.apply(record.experiment, record.at, event);
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
    use crate::domain::{ExperimentId, SessionId};
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

    fn status_of(folded: &Folded) -> String {
        format!("{:?} {:?} {:?} {:?}", folded.state, folded.lenses, folded.latest, folded.torn)
    }

    /// A journal long enough to be worth a save, cut in the middle of an experiment and then written on.
    fn long_journal(folder: &Path) -> (std::path::PathBuf, String) {
        let path = folder.join("journal.jsonl");
        let mut whole = Vec::new();
        sample::write(&mut whole, 700).unwrap();
        (path, String::from_utf8(whole).unwrap())
    }

    fn first_lines(text: &str, lines: usize) -> &str {
        let end = text.match_indices('\n').nth(lines - 1).unwrap().0;
        &text[..=end]
    }

    #[test]
    fn a_fold_that_goes_on_from_a_saved_one_is_the_fold_of_the_whole_journal() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = long_journal(folder.path());
        for (lines, more) in [(3 + 18 * 600 + 9, 3 + 18 * 600 + 13), (3 + 18 * 620 + 5, 3 + 18 * 640), (11_900, 12_003)]
        {
            let _ = std::fs::remove_file(folder.path().join("fold.cache"));
            std::fs::write(&path, first_lines(&whole, lines)).unwrap();
            fold_on(&path).unwrap();
            assert!(folder.path().join("fold.cache").exists());
            let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
            let rest = &first_lines(&whole, more)[first_lines(&whole, lines).len()..];
            std::io::Write::write_all(&mut file, rest.as_bytes()).unwrap();
            let session = sample::session();
            let (_, from) = checkpoint::load(&path, session).expect("what was saved fits");
            assert_eq!(from.line, lines as u64 + 1);
            let (on, anew) = (fold_on(&path).unwrap().unwrap(), fold(&path).unwrap().unwrap());
            assert_eq!(status_of(&on), status_of(&anew));
        }
    }

    #[test]
    fn a_saved_fold_counts_only_for_the_journal_that_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = long_journal(folder.path());
        let cache = folder.path().join("fold.cache");
        let session = sample::session();
        let saved = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let _ = std::fs::remove_file(&cache);
            fold_on(&path).unwrap();
            assert!(checkpoint::load(&path, session).is_some());
        };
        saved(&whole);
        std::fs::write(&path, first_lines(&whole, 9000)).unwrap();
        assert!(checkpoint::load(&path, session).is_none(), "a shorter journal");
        saved(&whole);
        let other = whole.rfind("no_effect").unwrap();
        std::fs::write(&path, format!("{}regressed{}", &whole[..other], &whole[other + 9..])).unwrap();
        assert!(checkpoint::load(&path, session).is_none(), "another last experiment");
        saved(&whole);
        std::fs::rename(&path, folder.path().join("old")).unwrap();
        std::fs::write(&path, &whole).unwrap();
        assert!(checkpoint::load(&path, session).is_none(), "another file");
        saved(&whole);
        let mut bytes = std::fs::read(&cache).unwrap();
        *bytes.last_mut().unwrap() = b' ';
        std::fs::write(&cache, bytes).unwrap();
        assert!(checkpoint::load(&path, session).is_none(), "a damaged save");
        std::fs::write(&cache, "").unwrap();
        assert!(fold_on(&path).unwrap().is_some(), "an empty save is passed over");
        assert!(checkpoint::load(&path, SessionId(uuid::Uuid::nil())).is_none(), "another session");
    }

    #[test]
    fn a_short_journal_is_folded_and_nothing_is_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = journal(folder.path(), 30);
        fold_on(&path).unwrap();
        assert!(!folder.path().join("fold.cache").exists());
    }
}
