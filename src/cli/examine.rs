//! One experiment as the journal tells it, put together into its view.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::rc::Rc;

use crate::domain::{Calibrated, Configured, Event, ExperimentId, MetricName, Pair, RunSummary, Settings, Undone};
use crate::engine::{self, ExperimentFacts, Roles, log_tail, metric_row};
use crate::journal::{JournalError, Position, Reader};
use crate::report::{ChangeView, ExperimentParts, ExperimentView, LogTail, MetricLine, PatchView};

/// The name of the candidate's patch in its folder (FORMATS section 2).
const PATCH: &str = "candidate.patch";

/// Bytes of the end of one log that are shown.
const TAIL: usize = 600;

/// Beginnings of the names of logs whose ends are shown; those of single runs are as many as there are runs.
const TAILS: [&str; 5] = ["prepare", "build", "check", "verify-clean", "warmup"];

/// What the journal says of one experiment, and the settings that it ran under.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Its own events.
    pub(super) facts: ExperimentFacts,
    /// Its settling line.
    pub(super) run: Option<RunSummary>,
    /// The revert of its keep.
    pub(super) undone: Option<Undone>,
    /// The settings of its segment.
    pub(super) configured: Option<Rc<Configured>>,
    /// The calibration before its end.
    pub(super) calibrated: Option<Rc<Calibrated>>,
    /// What the sandbox enforced.
    pub(super) sandbox: BTreeMap<String, String>,
}

impl Found {
    /// Begins with nothing but the experiment's number.
    pub(super) fn new(id: ExperimentId) -> Self {
        Self { facts: ExperimentFacts::new(id), ..Self::default() }
    }

    /// Reads the events of an experiment from its proposal to its settling line.
    pub(super) fn read(journal: &Path, id: ExperimentId, from: Position) -> Result<Self, JournalError> {
        let mut found = Self::new(id);
        for record in Reader::open(journal)?.records_from(from)? {
            let record = record?;
            if record.experiment == Some(id)
                && let Some(event) = record.event()?
            {
                found.take(&event);
            }
            if found.run.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// Takes one of the experiment's events, or settings and a calibration from before its end.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Configured(configured) => self.configured = Some(Rc::new((**configured).clone())),
            Event::Calibrated(calibrated) => self.calibrated = Some(Rc::new((**calibrated).clone())),
            Event::SandboxApplied(applied) => self.sandbox.clone_from(&applied.enforced),
            Event::Run(run) => self.run = Some((**run).clone()),
            Event::Undone(undone) => self.undone = Some(undone.clone()),
            event => self.facts.apply(event),
        }
    }

    /// Makes the view; `None` without settings. `folder` is the experiment's.
    pub(super) fn view(&self, id: ExperimentId, folder: &Path) -> Option<ExperimentView> {
        let configured = self.configured.as_deref()?;
        let files = files(folder);
        Some(ExperimentView::new(ExperimentParts {
            id,
            settings: &configured.settings,
            environment: &configured.environment,
            sandbox: &self.sandbox,
            proposed: self.facts.proposed.as_ref(),
            screened: self.facts.screened.as_ref(),
            phases: &self.facts.phases,
            attempts: &self.facts.attempts,
            decided: self.facts.decided.as_ref(),
            run: self.run.as_ref(),
            undone: self.undone.as_ref(),
            metrics: metrics(&configured.settings, self.calibrated.as_deref(), &self.facts.pairs()),
            logs: logs(folder, &files),
            files,
            folder,
        }))
    }
}

/// Compares two builds by every metric of their pairs, the primaries first.
pub(super) fn metrics(settings: &Settings, calibrated: Option<&Calibrated>, pairs: &[Pair]) -> Vec<MetricLine> {
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

/// Reads at most this many bytes of a candidate's patch; `None` where its folder has none.
pub(super) fn patch(folder: &Path, most: u64) -> Option<PatchView> {
    let file = File::open(folder.join(PATCH)).ok()?;
    let length = file.metadata().ok()?.len();
    let mut bytes = Vec::new();
    io::Read::by_ref(&mut &file).take(most).read_to_end(&mut bytes).ok()?;
    let left_out = length.saturating_sub(bytes.len() as u64);
    Some(PatchView { text: String::from_utf8_lossy(&bytes).into_owned(), left_out })
}

/// Names the files of an experiment's folder; a folder that was cleaned away has none.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Reads the ends of the logs of an experiment's commands.
fn logs(folder: &Path, files: &[String]) -> Vec<LogTail> {
    let wanted = files.iter().filter(|file| {
        let is_log = Path::new(file).extension().is_some_and(|ending| ending == "out" || ending == "err");
        is_log && TAILS.iter().any(|start| file.starts_with(start))
    });
    wanted.filter_map(|file| Some(LogTail { file: file.clone(), text: log_tail(&folder.join(file), TAIL)? })).collect()
}
