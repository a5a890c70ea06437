//! One keep as a reviewer needs it: its effect, its cost, its reason, and what speaks for and against it.

use serde::Serialize;
use serde_json::Value;

use crate::domain::{Axis, ExperimentId, Flag, ObjectId, SentinelOutcome};
use crate::report::experiment::{ExperimentView, MetricLine, PairView};
use crate::report::lens::ChangeView;
use crate::report::session::ExperimentRow;
use crate::report::validation::ValidationView;

/// Keys of the side information that have a place of their own in the view, or none in a report.
const NOT_TOLD: [&str; 4] = ["hypothesis", "mechanism", "predicted", "auto"];

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The tool measured it in interleaved pairs.
    Measured,
    /// The proposer said so; nothing here depends on it.
    EstimatedByProposer,
}

/// What a view of a keep is made from.
#[derive(Debug)]
pub struct KeepParts {
    /// Everything about its experiment.
    pub experiment: ExperimentView,
    /// Lines that are not blank which it adds, less those that it removes.
    pub lines: Option<i64>,
    /// The last measurement of the tip against the tip without it.
    pub validated: Option<ValidationView>,
}

/// A patch as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PatchView {
    /// The text; what is not UTF-8 is replaced.
    pub text: String,
    /// Bytes that were left out at its end.
    pub left_out: u64,
}

/// A metric that the hypothesis says will move, beside what it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictionView {
    /// The metric.
    pub metric: String,
    /// What the proposer said.
    pub predicted: String,
    /// Its change as measured; `None` where it was not.
    pub measured: Option<ChangeView>,
}

/// Something that the proposer said of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToldView {
    /// The key of the side information.
    pub key: String,
    /// What it says.
    pub text: String,
    /// Always the proposer.
    pub origin: Origin,
}

/// One complete pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairPoint {
    /// Its number.
    pub pair: u32,
    /// The change from the baseline's run to the candidate's, in percent or in the unit.
    pub change: Option<f64>,
    /// Natural logarithm of the evidence after it.
    pub ln_e: Option<f64>,
    /// Whether it confirmed the win with the slots swapped.
    pub swapped: bool,
}

/// One keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeepView {
    /// Its experiment.
    pub experiment: ExperimentId,
    /// One line.
    pub description: String,
    /// Its commit.
    pub commit: ObjectId,
    /// The change that it was kept for, against the best before it.
    pub change: Option<ChangeView>,
    /// Where `change` comes from.
    pub origin: Origin,
    /// The co-primary that the change is of; `None` for the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_of: Option<String>,
    /// What leaving it out of the tip cost, where that was measured.
    pub validated: Option<ValidationView>,
    /// Whether the change is at least five times the smallest effect worth keeping.
    pub major: bool,
    /// Complete pairs behind the change.
    pub pairs: u32,
    /// Natural logarithm of the evidence, where it is not an exact metric.
    pub ln_e: Option<f64>,
    /// The evidence that a keep needed.
    pub ln_e_needed: Option<f64>,
    /// Lines added less lines removed, blank ones not counted.
    pub lines: Option<i64>,
    /// Files that it touches.
    pub touched: Vec<String>,
    /// Remarks on it.
    pub flags: Vec<Flag>,
    /// The idea that it tries.
    pub idea: Option<String>,
    /// The settings that it tries a value of.
    pub axes: Vec<Axis>,
    /// Where it came from.
    pub source: Option<String>,
    /// Why it should help, as its proposer says.
    pub hypothesis: String,
    /// How it helps, as its proposer says.
    pub mechanism: Option<String>,
    /// What the hypothesis says will move, and what did.
    pub predictions: Vec<PredictionView>,
    /// What else its proposer said.
    pub told: Vec<ToldView>,
    /// Every metric of both arms.
    pub metrics: Vec<MetricLine>,
    /// Every sentinel that was looked at.
    pub sentinels: Vec<SentinelOutcome>,
    /// Its complete pairs.
    pub evidence: Vec<PairPoint>,
    /// Seconds from its first phase to its last, pairs not counted.
    pub seconds: f64,
    /// What it changes, where that is told in full.
    pub patch: Option<PatchView>,
}

impl KeepView {
    /// Makes the view; `row` is the keep's line of the log, `major` the change from which on a keep is a major one.
    pub fn new(parts: KeepParts, row: &ExperimentRow, major: f64) -> Self {
        let KeepParts { experiment: view, lines, validated } = parts;
        let told = view.asi.iter().filter(|(key, _)| !NOT_TOLD.contains(&key.as_str()));
        let told = told.map(|(key, value)| told_view(key, value)).collect();
        let effect = told_effect(&view, row);
        Self {
            experiment: row.experiment,
            description: view.description.clone(),
            commit: row.commit.clone(),
            major: row.change.as_ref().is_some_and(|change| change.value.abs() >= major),
            change: row.change.clone(),
            origin: Origin::Measured,
            change_of: row.change_of.clone(),
            validated,
            pairs: row.pairs,
            ln_e: effect.and_then(|effect| effect.ln_e),
            ln_e_needed: effect.filter(|effect| effect.ln_e.is_some()).map(|effect| effect.ln_e_needed),
            lines,
            flags: row.flags.clone(),
            idea: view.idea.clone(),
            axes: view.axes.clone(),
            source: view.source.clone(),
            mechanism: text_of(view.asi.get("mechanism")),
            predictions: predictions(&view),
            told,
            evidence: view.pairs.iter().filter(|pair| pair.void.is_none()).map(point).collect(),
            seconds: view.phases.iter().map(|phase| phase.seconds).sum(),
            touched: view.touched,
            hypothesis: view.hypothesis,
            metrics: view.metrics,
            sentinels: view.sentinels,
            patch: None,
        }
    }

    /// Returns the interval of the metric's value after this keep: its change applied to the baseline beside it.
    pub fn interval(&self) -> Option<(f64, f64)> {
        let change = self.change.as_ref().filter(|_| self.change_of.is_none())?;
        let baseline = self.metrics.first()?.baseline;
        let apply = |x: f64| if change.unit == "%" { baseline * (1.0 + x / 100.0) } else { baseline + x };
        Some((apply(change.low), apply(change.high)))
    }
}

/// Returns the effect that the keep was kept for.
fn told_effect<'v>(view: &'v ExperimentView, row: &ExperimentRow) -> Option<&'v crate::report::EffectView> {
    match &row.change_of {
        Some(metric) => view.co_primaries.iter().find(|co| co.metric == *metric).map(|co| &co.effect),
        None => view.effect.as_ref(),
    }
}

fn point(pair: &PairView) -> PairPoint {
    PairPoint { pair: pair.pair, change: pair.change, ln_e: pair.ln_e, swapped: pair.swapped }
}

fn predictions(view: &ExperimentView) -> Vec<PredictionView> {
    let predicted = view.asi.get("predicted").and_then(Value::as_object);
    let measured = |metric: &str| view.metrics.iter().find(|line| line.metric == metric)?.change.clone();
    let view = |(metric, way): (&String, &Value)| PredictionView {
        metric: metric.clone(),
        predicted: plain(way),
        measured: measured(metric),
    };
    predicted.into_iter().flatten().map(view).collect()
}

fn told_view(key: &str, value: &Value) -> ToldView {
    ToldView { key: key.to_owned(), text: plain(value), origin: Origin::EstimatedByProposer }
}

/// Returns a text that says something.
fn text_of(value: Option<&Value>) -> Option<String> {
    value.map(plain).filter(|text| !text.trim().is_empty())
}

/// Writes a value as people write it: a text without its quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
