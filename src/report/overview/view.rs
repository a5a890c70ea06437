//! The view itself, put together from its parts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::dropped::{DroppedGroup, Remark, groups};
use super::headline::Headline;
use super::keep::{KeepParts, KeepView};
use super::terms::{NoiseView, TermView, methodology, noise};
use crate::domain::{Calibrated, Configured, ExperimentId, Flag, ObjectId, Scale, SessionId, Status, Undone};
use crate::ideas::{Catalogue, Entry, SectionKind};
use crate::report::experiment::MetricLine;
use crate::report::lens::{ChangeView, Lens};
use crate::report::session::{Counts, ExperimentRow, SessionView, Standing};

/// Keeps that a page tells in full, patch and evidence, the largest effects first.
pub const IN_FULL: usize = 100;

/// A keep is a major one from this many times the smallest effect worth keeping on.
const MAJOR: f64 = 5.0;

/// What a report is made from.
#[derive(Debug)]
pub struct OverviewParts<'a> {
    /// Where the session stands, with its log.
    pub session: SessionView,
    /// Its last settings.
    pub configured: &'a Configured,
    /// Its last calibration.
    pub calibrated: Option<&'a Calibrated>,
    /// What the sandbox enforced.
    pub sandbox: BTreeMap<String, String>,
    /// Every metric over the pairs of the last validation.
    pub measured: Vec<MetricLine>,
    /// The keeps that stand, in order.
    pub keeps: Vec<KeepParts>,
    /// The reverts of keeps.
    pub undone: BTreeMap<ExperimentId, Undone>,
    /// What was said of dropped candidates.
    pub remarks: BTreeMap<ExperimentId, Remark>,
    /// ideas.md.
    pub ideas: &'a Catalogue,
}

/// One experiment as a point of the chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Its number.
    pub experiment: ExperimentId,
    /// What was done.
    pub status: Status,
    /// Median of the primary over the candidate's runs, in its unit.
    pub value: f64,
    /// Where the value lies by the interval of a keep's change: lower and upper limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

/// A keep that no longer stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gone {
    /// Its experiment.
    pub experiment: ExperimentId,
    /// One line.
    pub description: String,
    /// The change that it was kept for.
    pub change: Option<ChangeView>,
    /// Why it was reverted.
    pub why: String,
}

/// An idea that ideas.md closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClosedIdea {
    /// Its name.
    pub name: String,
    /// What stands in the file, without the machine comment and marks of bold text.
    pub text: String,
    /// The experiments that closed it.
    pub experiments: Vec<ExperimentId>,
    /// When it may be tried again.
    pub reopen: Option<String>,
}

/// A whole session for who reviews it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// The session.
    pub session: SessionId,
    /// Its name.
    pub name: String,
    /// Its branch.
    pub branch: String,
    /// The commit that it started from.
    pub base: ObjectId,
    /// The last settled commit.
    pub tip: ObjectId,
    /// How the primary is read.
    pub primary: Lens,
    /// Where the session stands.
    pub standing: Standing,
    /// When it first started.
    pub started: Option<Timestamp>,
    /// When the last event was written.
    pub last_event: Option<Timestamp>,
    /// Hours at work over all starts.
    pub hours: f64,
    /// Settled experiments by what became of them.
    pub counts: Counts,
    /// What was gained.
    pub headline: Headline,
    /// The change from which on a keep is a major one, as people read it.
    pub major: String,
    /// The keeps that stand, in order.
    pub keeps: Vec<KeepView>,
    /// Keeps that were reverted.
    pub undone: Vec<Gone>,
    /// The primary over the experiments.
    pub points: Vec<Point>,
    /// What was tried and not kept.
    pub dropped: Vec<DroppedGroup>,
    /// What ideas.md closes.
    pub closed: Vec<ClosedIdea>,
    /// How it was measured and decided.
    pub methodology: Vec<TermView>,
    /// What machine this was.
    pub environment: BTreeMap<String, String>,
    /// What the sandbox enforced.
    pub sandbox: BTreeMap<String, String>,
    /// Pairs of the calibration.
    pub calibration_pairs: Option<u32>,
    /// What the calibration found of each metric.
    pub noise: Vec<NoiseView>,
    /// The version that measured.
    pub version: String,
}

impl Overview {
    /// Makes the view.
    pub fn new(parts: OverviewParts<'_>) -> Self {
        let OverviewParts { session, configured, calibrated, sandbox, measured, keeps, undone, remarks, ideas } = parts;
        let settings = configured.settings.as_ref();
        let major = major(&session.primary, settings.primary.min_effect);
        let rows: BTreeMap<ExperimentId, &ExperimentRow> =
            session.experiments.iter().map(|row| (row.experiment, row)).collect();
        let keeps: Vec<KeepView> = keeps
            .into_iter()
            .filter_map(|parts| {
                let row = rows.get(&parts.experiment.experiment)?;
                Some(KeepView::new(parts, row, major))
            })
            .collect();
        Self {
            headline: Headline::new(&session, measured),
            major: major_text(&session.primary, major),
            undone: session.experiments.iter().filter_map(|row| gone(row, &undone)).collect(),
            points: points(&session, &keeps),
            dropped: groups(session.experiments.iter(), &remarks),
            closed: ideas.entries(SectionKind::Closed).map(closed).collect(),
            methodology: methodology(&session, configured),
            environment: configured.environment.clone(),
            sandbox,
            calibration_pairs: calibrated.map(|calibrated| calibrated.pairs),
            noise: calibrated.map(|calibrated| noise(calibrated, settings)).unwrap_or_default(),
            version: configured.version.clone(),
            keeps,
            session: session.session,
            name: session.name,
            branch: session.branch,
            base: session.base,
            tip: session.tip,
            primary: session.primary,
            standing: session.standing,
            started: session.started,
            last_event: session.last_event,
            hours: session.hours,
            counts: session.counts,
        }
    }

    /// Returns every file that a keep touches, each with the keeps that do.
    pub fn files(&self) -> BTreeMap<&str, Vec<ExperimentId>> {
        let mut files: BTreeMap<&str, Vec<ExperimentId>> = BTreeMap::new();
        for keep in &self.keeps {
            for file in &keep.touched {
                files.entry(file).or_default().push(keep.experiment);
            }
        }
        files
    }

    /// Returns the keeps from the largest effect to the smallest: the validated one where it was measured.
    pub fn ranked(&self) -> Vec<&KeepView> {
        let size = |keep: &KeepView| {
            let change = keep.validated.as_ref().map(|validated| &validated.change).or(keep.change.as_ref());
            change.map_or(0.0, |change| self.primary.gain_of(change))
        };
        let mut keeps: Vec<&KeepView> = self.keeps.iter().collect();
        keeps.sort_by(|a, b| size(b).total_cmp(&size(a)));
        keeps
    }
}

/// Returns the change from which on a keep is a major one, in percent or in the unit.
fn major(primary: &Lens, min_effect: f64) -> f64 {
    match primary.scale {
        Scale::Ratio => 100.0 * MAJOR * min_effect,
        Scale::Linear => MAJOR * min_effect,
    }
}

fn major_text(primary: &Lens, major: f64) -> String {
    match primary.scale {
        Scale::Ratio => format!("{major:.1} %"),
        Scale::Linear => primary.value(major),
    }
}

fn points(session: &SessionView, keeps: &[KeepView]) -> Vec<Point> {
    let intervals: BTreeMap<ExperimentId, Option<(f64, f64)>> =
        keeps.iter().map(|keep| (keep.experiment, keep.interval())).collect();
    let point = |row: &ExperimentRow| {
        let status = if row.status == Status::Keep && row.experiment != ExperimentId::BASELINE && !row.stands() {
            Status::Discard
        } else {
            row.status
        };
        let interval = intervals.get(&row.experiment).copied().flatten();
        Some(Point { experiment: row.experiment, status, value: row.metric?, interval })
    };
    session.experiments.iter().filter_map(point).collect()
}

fn gone(row: &ExperimentRow, undone: &BTreeMap<ExperimentId, Undone>) -> Option<Gone> {
    row.flags.contains(&Flag::Undone).then(|| Gone {
        experiment: row.experiment,
        description: row.description.clone(),
        change: row.change.clone(),
        why: undone.get(&row.experiment).map(|undone| undone.why.clone()).unwrap_or_default(),
    })
}

fn closed(entry: &Entry) -> ClosedIdea {
    let comment = entry.comment.as_ref();
    ClosedIdea {
        name: entry.name(),
        text: entry.text.replace("**", ""),
        experiments: comment.map(|comment| comment.closed.clone()).unwrap_or_default(),
        reopen: comment.and_then(|comment| comment.reopen.clone()),
    }
}
