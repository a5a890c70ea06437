//! One pass over a session's journal for the commands that show it.

mod checkpoint;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::error::CliError;
use crate::cli::night::{Night, ends_step};
use crate::cli::place::{Named, Place};
use crate::cli::ui::Ui;
use crate::domain::{Event, ExperimentId, Phase, PhaseStarted, SessionId};
use crate::journal::{JournalError, Position, Reader, Record, TornTail};
use crate::report::{Claims, Holder, ImportedView, Latest, Lenses, SessionInput, SessionView};
use crate::state::{SessionState, wants};

/// What one pass over a journal tells.
#[derive(Debug)]
pub(super) struct Folded {
    /// The fold.
    pub(super) state: SessionState,
    /// How the primaries of each segment are read.
    pub(super) lenses: BTreeMap<u32, Lenses>,
    /// What commits of ranges claim.
    pub(super) claims: Claims,
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
    let mut following = Following::new(journal.to_owned());
    following.read_on(onlooker)?;
    following.folded()
}

/// Folds a journal from where an earlier fold of it was saved, and saves this one where that is worth it.
fn fold_on(journal: &Path) -> Result<Option<Folded>, JournalError> {
    let mut following = Following::new(journal.to_owned());
    if !journal.exists() {
        return Ok(None);
    }
    let session = Reader::open(journal)?.header().session;
    let saved = checkpoint::load(journal, session);
    let from = saved.as_ref().map_or(0, |(_, from)| from.offset);
    following.read = saved.map(|(pass, next)| Part { pass, next, length: 0, torn: None });
    following.read_on(&mut |_, _| Ok(()))?;
    if let Some(Part { pass, next, .. }) = &following.read {
        checkpoint::save(journal, pass, from, *next);
    }
    following.folded()
}

/// What a journal shows: experiments of the session, and what was imported from other tools.
#[derive(Debug)]
pub(super) struct Shown {
    /// The session; `None` where it only holds what was imported.
    pub(super) session: Option<SessionView>,
    /// What was imported.
    pub(super) imported: Option<ImportedView>,
}

/// Folds the session of a place into its view, from where an earlier fold of its journal was saved.
pub(super) fn session_view(place: &Place, ui: &Ui) -> Result<SessionView, CliError> {
    let named = Named::of(place);
    views(&named, ui)?.session.ok_or_else(|| named.no_session())
}

/// Folds a session of the repository into its views, from where an earlier fold of its journal was saved.
pub(super) fn views(named: &Named, ui: &Ui) -> Result<Shown, CliError> {
    views_of(named, ui, || fold_on(&named.journal()))
}

/// Makes the views of a session of the repository from a fold of its journal; one of both is there.
pub(super) fn views_of(
    named: &Named,
    ui: &Ui,
    fold: impl FnOnce() -> Result<Option<Folded>, JournalError>,
) -> Result<Shown, CliError> {
    // Looked at first: one that ends meanwhile has written its end by the time the journal is read.
    let holder = named.holder()?;
    let folded = fold()?.ok_or_else(|| named.no_session())?;
    if let (Some(torn), None) = (folded.torn, holder) {
        // A running session may be in the middle of that line.
        ui.warn(&torn.to_string());
    }
    let mut session = seen(&folded.state, &folded.lenses, &folded.claims, &folded.latest, holder);
    if let (Some(session), Some(aside)) = (&mut session, &named.aside) {
        session.name.clone_from(&aside.name);
        session.branch = aside.branch.clone().unwrap_or_default();
    }
    let shown = Shown { session, imported: ImportedView::new(folded.state.imported()) };
    if shown.session.is_none() && shown.imported.is_none() { Err(named.no_session()) } else { Ok(shown) }
}

fn seen(
    state: &SessionState,
    lenses: &BTreeMap<u32, Lenses>,
    claims: &Claims,
    latest: &Latest,
    running: Option<Holder>,
) -> Option<SessionView> {
    SessionView::new(SessionInput { state, lenses, claims, latest, running, now: Timestamp::now() })
}

/// A journal that is read on from where it was left.
#[derive(Debug)]
pub(super) struct Following {
    journal: PathBuf,
    read: Option<Part>,
}

/// What was read of a journal so far.
#[derive(Debug)]
struct Part {
    pass: Pass,
    /// Where the next line begins.
    next: Position,
    /// The length that the file had.
    length: u64,
    /// What stands after the last whole line.
    torn: Option<TornTail>,
}

impl Following {
    /// Names the journal; nothing is read yet.
    pub(super) fn new(journal: PathBuf) -> Self {
        Self { journal, read: None }
    }

    /// Reads what was written since the last call; says whether anything was. A journal that is not there says nothing, and
    /// one that another session began anew is read from its start.
    pub(super) fn catch_up(&mut self) -> Result<bool, JournalError> {
        self.read_on(&mut |_, _| Ok(()))
    }

    fn read_on(&mut self, onlooker: &mut Onlooker<'_>) -> Result<bool, JournalError> {
        let Ok(length) = std::fs::metadata(&self.journal).map(|file| file.len()) else { return Ok(false) };
        if self.read.as_ref().is_some_and(|read| read.length == length) {
            return Ok(false);
        }
        let reader = Reader::open(&self.journal)?;
        let session = reader.header().session;
        let continued = self.read.take().filter(|read| read.goes_on(session, length));
        let (mut pass, mut records) = match continued {
            Some(Part { pass, next, .. }) => (pass, reader.records_from(next)?),
            None => (Pass::new(SessionState::new(session)), reader.records()),
        };
        for record in records.by_ref() {
            pass.take(record?, onlooker)?;
        }
        self.read = Some(Part { pass, next: records.next_position(), length, torn: records.torn() });
        Ok(true)
    }

    /// Returns what was read; `None` where there is no journal.
    fn folded(self) -> Result<Option<Folded>, JournalError> {
        let Some(Part { pass, torn, .. }) = self.read else { return Ok(None) };
        let latest = pass.latest()?;
        Ok(Some(Folded { state: pass.state, lenses: pass.lenses, claims: pass.claims, latest, torn }))
    }

    /// Returns where the session stands now; `None` where the journal says nothing of it yet.
    pub(super) fn view(&self, running: Option<Holder>) -> Result<Option<SessionView>, JournalError> {
        let Some(Part { pass, .. }) = &self.read else { return Ok(None) };
        Ok(seen(&pass.state, &pass.lenses, &pass.claims, &pass.latest()?, running))
    }
}

impl Part {
    /// Says whether a journal with this session and length is this one, written on.
    fn goes_on(&self, session: SessionId, length: u64) -> bool {
        self.pass.state.session() == session && length >= self.next.offset
    }
}

/// The pass: the fold, and the last lines of the step under way, unread until somebody asks.
#[derive(Debug)]
struct Pass {
    state: SessionState,
    lenses: BTreeMap<u32, Lenses>,
    claims: Claims,
    phase: Option<Record>,
    pair: Option<Record>,
    outside: Option<String>,
    night: Night,
}

impl Pass {
    fn new(state: SessionState) -> Self {
        Self {
            state,
            lenses: BTreeMap::new(),
            claims: Claims::default(),
            phase: None,
            pair: None,
            outside: None,
            night: Night::default(),
        }
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
            "hook" => {
                self.state.pass_over(record.at);
                if let Some(event) = record.event()? {
                    self.night.take(&record, &event);
                }
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
        self.night.take(record, event);
        self.claims.apply(record.experiment, event);
        self.state.apply(record.experiment, record.at, event);
    }

    /// Returns the step under way, and what else a running session is asked for.
    fn latest(&self) -> Result<Latest, JournalError> {
        let last = self.phase.as_ref().or(self.pair.as_ref());
        let experiment = last.and_then(|record| record.experiment);
        let mut latest = Latest { experiment, outside: self.outside.clone(), ..self.night.latest() };
        if let Some(record) = &self.phase {
            latest.phase = match record.event()? {
                Some(Event::PhaseStarted(started)) => Some((started.phase, started.what)),
                // The baseline is up; whatever comes next says so itself. After a warm-up its pairs come.
                Some(Event::PhaseEnded(ended))
                    if experiment == Some(ExperimentId::BASELINE) && ended.phase != Phase::Warmup =>
                {
                    latest.experiment = None;
                    None
                }
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
        Ok(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ExperimentId;
    use crate::journal::sample;

    fn journal(folder: &Path, lines: usize) -> PathBuf {
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

    #[test]
    fn a_journal_is_read_on_from_where_it_was_left_and_a_torn_line_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = journal(folder.path(), 3 + 18 + 2);
        let mut following = Following::new(path.clone());
        assert!(following.catch_up().unwrap());
        assert!(!following.catch_up().unwrap(), "nothing new");
        let under_way = |following: &Following| following.read.as_ref().unwrap().pass.latest().unwrap();
        assert_eq!(under_way(&following).pair, None);
        let whole = std::fs::read(journal(&folder.path().join("."), 3 + 18 + 2 + 6 + 5)).unwrap();
        // Half of the last line is written so far.
        std::fs::write(&path, &whole[..whole.len() - 20]).unwrap();
        assert!(following.catch_up().unwrap());
        assert_eq!(under_way(&following).pair.unwrap().pair, 4);
        assert!(following.read.as_ref().unwrap().torn.is_some());
        std::fs::write(&path, &whole).unwrap();
        assert!(following.catch_up().unwrap());
        assert_eq!(under_way(&following).pair.unwrap().pair, 5);
        let read = following.read.as_ref().unwrap();
        assert_eq!((read.torn, read.next.offset), (None, whole.len() as u64));
        let told = |following: &Following| following.view(None).unwrap().unwrap();
        let (on, anew) = (told(&following), fold(&path).unwrap().unwrap());
        assert_eq!(on.counts.settled as usize, anew.state.experiments().len());
        // Cut, as a recovery does, and shorter than what was read.
        journal(folder.path(), 3 + 18);
        assert!(following.catch_up().unwrap());
        assert_eq!(told(&following).under_way, None);
        assert!(!Following::new(folder.path().join("none")).catch_up().unwrap());
    }
}
