//! What a report needs of a journal: one streaming pass over all of it, and a second look at the keeps alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

use super::error::CliError;
use super::examine::{self, Found};
use super::fold::{fold_with, views_of};
use super::place::{Named, Place};
use super::ui::Ui;
use crate::domain::{
    Calibrated, Configured, Event, ExperimentId, Pair, Phase, PhaseStarted, RunSummary, Status, Undone, Validated,
};
use crate::ideas::Catalogue;
use crate::journal::{JournalError, Position, Record};
use crate::report::{IN_FULL, KeepParts, MetricLine, Overview, OverviewParts, Remark, ValidationView, cut};

/// Characters of a mechanism and of a detail of a dropped candidate; the journal has the whole text.
const MECHANISM: usize = 300;
const DETAIL: usize = 160;

/// Bytes of one patch in a report.
const PATCH: u64 = 1 << 16;

/// Gathers the view of a session for a report.
pub(super) fn overview(place: &Place, ui: &Ui) -> Result<Overview, CliError> {
    let journal = place.places.journal();
    let mut pass = Pass::default();
    let named = Named::of(place);
    let shown = views_of(&named, ui, || fold_with(&journal, &mut |record, event| pass.take(record, event)))?;
    let (Some(session), Some(configured)) = (shown.session, pass.configured.clone()) else {
        return Err(named.no_session());
    };
    let stands: Vec<ExperimentId> = session.keeps().map(|row| row.experiment).collect();
    let unit = session.primary.unit.clone();
    let keeps = stands.iter().filter_map(|id| pass.keep(place, *id, &unit).transpose()).collect::<Result<_, _>>()?;
    let ideas = ideas(place)?;
    for detail in pass.remarks.values_mut().filter_map(|remark| remark.detail.as_mut()) {
        *detail = at_home(place, detail).into_boxed_str();
    }
    let mut overview = Overview::new(OverviewParts {
        session,
        configured: &configured,
        calibrated: pass.calibrated.as_deref(),
        sandbox: pass.sandbox,
        measured: pass.measured,
        keeps,
        undone: pass.undone,
        remarks: pass.remarks,
        ideas: &ideas,
    });
    let in_full: Vec<ExperimentId> = overview.ranked().iter().take(IN_FULL).map(|keep| keep.experiment).collect();
    for keep in overview.keeps.iter_mut().filter(|keep| in_full.contains(&keep.experiment)) {
        keep.patch = examine::patch(&place.places.run(keep.experiment), PATCH);
    }
    Ok(overview)
}

/// Shortens the folders of this machine in a text: the last line of a failed command may name a file in a slot.
fn at_home(place: &Place, text: &str) -> String {
    let home = std::env::var("HOME").ok().filter(|home| home.len() > 1);
    let folders = [
        (Some(place.places.cache().display().to_string()), "(slots)"),
        (Some(place.repository.root().display().to_string()), "."),
        (home, "~"),
    ];
    let known = folders.into_iter().filter_map(|(folder, name)| Some((folder?, name)));
    known.fold(text.to_owned(), |text, (folder, name)| text.replace(&folder, name))
}

/// Reads ideas.md beside the config; where there is none, nothing is closed.
fn ideas(place: &Place) -> Result<Catalogue, CliError> {
    let path = place.config.parent().unwrap_or(Path::new(".")).join("ideas.md");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Catalogue::parse(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Catalogue::default()),
        Err(source) => Err(CliError::io("read", &path, source)),
    }
}

/// Where a keep stands in the journal, and under which terms it was measured.
struct Kept {
    from: Position,
    configured: Option<Rc<Configured>>,
    calibrated: Option<Rc<Calibrated>>,
}

/// What the streaming pass notes besides the fold.
#[derive(Default)]
struct Pass {
    configured: Option<Rc<Configured>>,
    calibrated: Option<Rc<Calibrated>>,
    sandbox: BTreeMap<String, String>,
    /// Where the proposals under way begin.
    proposed: BTreeMap<ExperimentId, Position>,
    keeps: BTreeMap<ExperimentId, Kept>,
    undone: BTreeMap<ExperimentId, Undone>,
    remarks: BTreeMap<ExperimentId, Remark>,
    /// Complete pairs of what is measured outside of any experiment.
    outside: Vec<Pair>,
    measured: Vec<MetricLine>,
    retests: BTreeMap<ExperimentId, Validated>,
}

impl Pass {
    fn take(&mut self, record: &Record, event: Option<&Event>) -> Result<(), JournalError> {
        match event {
            Some(event) => self.event(record, event),
            None if record.experiment.is_none() && matches!(record.kind(), "pair" | "phase" | "sandbox") => {
                self.aside(record.event()?);
            }
            None => {}
        }
        Ok(())
    }

    /// Takes what belongs to no experiment and the fold passes over.
    fn aside(&mut self, event: Option<Event>) {
        match event {
            Some(Event::Pair(attempt)) if !attempt.holdout => self.outside.extend(attempt.complete()),
            Some(Event::PhaseStarted(PhaseStarted { phase: Phase::Measure, what: Some(_) })) => self.outside.clear(),
            Some(Event::SandboxApplied(applied)) => self.sandbox = applied.enforced,
            _ => {}
        }
    }

    fn event(&mut self, record: &Record, event: &Event) {
        match (event, record.experiment) {
            (Event::Configured(configured), _) => self.configured = Some(Rc::new((**configured).clone())),
            (Event::Calibrated(calibrated), _) => self.calibrated = Some(Rc::new((**calibrated).clone())),
            (Event::Proposed(_), Some(id)) => _ = self.proposed.insert(id, record.position),
            (Event::Run(run), _) => self.settle(ExperimentId(run.run), run),
            (Event::Undone(undone), Some(id)) => _ = self.undone.insert(id, undone.clone()),
            (Event::Validated(validated), _) => self.validated(validated),
            _ => {}
        }
    }

    fn settle(&mut self, id: ExperimentId, run: &RunSummary) {
        let Some(from) = self.proposed.remove(&id) else { return };
        if run.status == Status::Keep {
            let (configured, calibrated) = (self.configured.clone(), self.calibrated.clone());
            self.keeps.insert(id, Kept { from, configured, calibrated });
            return;
        }
        let remark = remark(run);
        if remark != Remark::default() {
            self.remarks.insert(id, remark);
        }
    }

    /// Compares base and tip by every metric of the validation's pairs, which are all that stand before its line.
    fn validated(&mut self, validated: &Validated) {
        let pairs = std::mem::take(&mut self.outside);
        if let Some(keep) = validated.without {
            self.retests.insert(keep, Validated { values: Vec::new(), ..validated.clone() });
        } else if let Some(configured) = &self.configured {
            self.measured = examine::metrics(&configured.settings, self.calibrated.as_deref(), &pairs);
        }
    }

    /// Reads a keep's own events again; `None` for one that the journal does not tell whole.
    fn keep(&self, place: &Place, id: ExperimentId, unit: &str) -> Result<Option<KeepParts>, JournalError> {
        let Some(kept) = self.keeps.get(&id) else { return Ok(None) };
        let mut found = Found::read(&place.places.journal(), id, kept.from)?;
        found.configured.clone_from(&kept.configured);
        found.calibrated.clone_from(&kept.calibrated);
        let lines = found.facts.screened.as_ref().and_then(|screened| screened.lines_removed).map(|removed| -removed);
        let validated = self.retests.get(&id).map(|validated| ValidationView::new(validated, unit));
        let view = found.view(id, &place.places.run(id));
        Ok(view.map(|experiment| KeepParts { experiment, lines, validated }))
    }
}

/// Returns what a settling line says of a dropped candidate besides its numbers.
fn remark(run: &RunSummary) -> Remark {
    let text = |value: Option<&Value>, characters| {
        let text = value.and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        text.map(|text| cut(text, characters).into_boxed_str())
    };
    let told = run.asi.get("mechanism").or_else(|| run.asi.get("rollback_reason"));
    let why = run.asi.get("auto").and_then(|auto| auto.get("why"));
    Remark { mechanism: text(told, MECHANISM), detail: text(why, DETAIL) }
}
