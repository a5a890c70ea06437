//! The settling line of an experiment: medians, effect, and the side information that the tool knows itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::domain::{
    Change, Comparison, Decided, MetricName, Objective, Pair, Phase, PhaseEnded, Reason, Reduce, RunSummary, Scale,
    SentinelState, Settings, number,
};
use crate::stats;

use super::experiment::ExperimentFacts;
use super::roles::Roles;

/// Bytes of a failed command's log that go into the journal.
const LOG_TAIL: usize = 2000;

/// One metric of a finished experiment: medians of both arms and the change with its interval.
#[derive(Debug, Clone)]
pub struct MetricRow {
    /// The metric.
    pub metric: MetricName,
    /// Its unit where it is known.
    pub unit: String,
    /// Median over the baseline's runs.
    pub baseline: f64,
    /// Median over the candidate's runs.
    pub candidate: f64,
    /// The change; `None` where the values cannot be compared on any scale.
    pub change: Option<Change>,
}

impl MetricRow {
    /// Returns the row's cells for people: metric, baseline, candidate, change.
    pub fn cells(&self) -> [String; 4] {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        [
            self.metric.to_string(),
            format!("{}{unit}", number(self.baseline)),
            format!("{}{unit}", number(self.candidate)),
            self.change.map_or_else(|| "-".to_owned(), |change| change.to_string()),
        ]
    }
}

/// Compares the two arms of one metric over all complete pairs.
pub fn metric_row(lens: Lens<'_>, metric: &MetricName, pairs: &[Pair]) -> Option<MetricRow> {
    let values: Vec<(f64, f64)> = pairs.iter().filter_map(|pair| pair.values(metric)).collect();
    let baseline = Reduce::Median.apply(&values.iter().map(|v| v.0).collect::<Vec<_>>())?;
    let candidate = Reduce::Median.apply(&values.iter().map(|v| v.1).collect::<Vec<_>>())?;
    let (direction, wanted) = lens.roles.lens(lens.settings, metric);
    let unit = lens.roles.unit(lens.settings, metric);
    let scale = if values.iter().all(|&(b, c)| b > 0.0 && c > 0.0) { wanted } else { Scale::Linear };
    let differences: Option<Vec<f64>> =
        values.iter().map(|&(b, c)| Some(scale.y(b, direction)? - scale.y(c, direction)?)).collect();
    let change = differences.map(|d| {
        let report = stats::report_effect(&d, 0.0);
        Change::of_effect((report.gain, report.low, report.high), scale, direction)
    });
    Some(MetricRow { metric: metric.clone(), unit, baseline, candidate, change })
}

/// Returns the rows of a kept commit's table: every primary with the metrics of its suite, then every sentinel.
pub(super) fn judged_rows(lens: Lens<'_>, facts: &ExperimentFacts) -> Vec<MetricRow> {
    let pairs = facts.pairs();
    let comparison = facts.decided.as_ref().and_then(|d| d.comparison.as_ref());
    let sentinels = comparison.into_iter().flat_map(|c| c.sentinels.iter().map(|s| &s.metric));
    let mut names: Vec<&MetricName> = Vec::new();
    for name in lens.primaries().chain(sentinels) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().filter_map(|name| metric_row(lens, name, &pairs)).collect()
}

/// How the metrics of a session are judged and shown.
#[derive(Debug, Clone, Copy)]
pub struct Lens<'a> {
    /// The session's settings.
    pub settings: &'a Settings,
    /// The role of each judged metric.
    pub roles: &'a Roles,
}

impl<'a> Lens<'a> {
    /// Lists every primary, one that is a suite's worst followed by the suite.
    pub fn primaries(self) -> impl Iterator<Item = &'a MetricName> {
        let of = move |(objective, number): (&'a Objective, u32)| {
            let members = self.roles.members(number).filter(|name| **name != objective.name);
            std::iter::once(&objective.name).chain(members)
        };
        self.settings.objectives().zip(0..).flat_map(of)
    }
}

/// What a summary is made from besides the experiment's own facts.
#[derive(Debug, Clone, Copy)]
pub(super) struct SummaryContext<'a> {
    /// How metrics are judged and shown.
    pub lens: Lens<'a>,
    /// Number of the segment.
    pub segment: u32,
    /// Milliseconds since 1970 (UTC).
    pub timestamp: i64,
    /// The experiment's folder, where its logs are.
    pub run_dir: &'a Path,
}

/// Makes the settling line from facts alone, so that a recovery writes the same line as an uninterrupted run.
pub(super) fn run_summary(facts: &ExperimentFacts, decided: &Decided, context: SummaryContext<'_>) -> RunSummary {
    let pairs = facts.pairs();
    let proposed = facts.proposed.as_ref();
    let metrics = candidate_medians(&pairs);
    let told = decided.comparison.as_ref().map(Comparison::told);
    let (effect_of, effect) = told.map_or((0, None), |(number, effect)| (number, Some(*effect)));
    let mut asi = proposed.map(|p| p.asi.clone()).unwrap_or_default();
    if let Some(p) = proposed
        && !p.hypothesis.is_empty()
        && !asi.contains_key("hypothesis")
    {
        asi.insert("hypothesis".to_owned(), p.hypothesis.clone().into());
    }
    asi.insert("auto".to_owned(), automatic(facts, decided, &pairs, context));
    RunSummary {
        run: facts.id.map_or(0, |id| id.0),
        commit: decided.commit.clone().unwrap_or_else(|| decided.tip.clone()),
        metric: metrics.get(&context.lens.settings.primary.name).copied(),
        metrics,
        status: decided.status,
        description: proposed.map_or_else(|| "baseline".to_owned(), |p| p.description.clone()),
        timestamp: context.timestamp,
        segment: context.segment,
        confidence: effect.and_then(|e| e.confidence()),
        asi,
        reason: decided.reason,
        flags: decided.flags.clone(),
        effect,
        effect_of,
        patch_id: facts.screened.as_ref().and_then(|s| s.patch_id.clone()),
        iteration: facts.reached_build(),
        // What goes on with earlier evidence goes on with the index that was spent for it.
        measured: !pairs.is_empty() && !facts.resumes(),
    }
}

fn candidate_medians(pairs: &[Pair]) -> BTreeMap<MetricName, f64> {
    let mut samples: BTreeMap<MetricName, Vec<f64>> = BTreeMap::new();
    for pair in pairs {
        for (name, value) in &pair.candidate.metrics {
            samples.entry(name.clone()).or_default().push(*value);
        }
    }
    samples.into_iter().filter_map(|(name, v)| Reduce::Median.apply(&v).map(|m| (name, m))).collect()
}

/// Says what the tool knows itself: every metric's delta, phase times, and why the candidate was dropped.
fn automatic(facts: &ExperimentFacts, decided: &Decided, pairs: &[Pair], context: SummaryContext<'_>) -> Value {
    let co_primaries = decided.comparison.as_ref().map(|c| c.co_primaries.as_slice()).unwrap_or_default();
    let mut auto = serde_json::Map::new();
    let mut deltas = serde_json::Map::new();
    let names: Vec<MetricName> =
        pairs.first().map(|p| p.candidate.metrics.keys().cloned().collect()).unwrap_or_default();
    for row in names.iter().filter_map(|name| metric_row(context.lens, name, pairs)) {
        deltas.insert(row.metric.to_string(), delta(&row));
    }
    if !deltas.is_empty() {
        auto.insert("deltas".to_owned(), deltas.into());
    }
    let mut seconds: BTreeMap<String, f64> = BTreeMap::new();
    // What the holdout took and how it failed is a figure of it, and this is read by proposers.
    let told = || facts.phases.iter().filter(|ended| ended.phase != Phase::Holdout);
    for phase in told() {
        *seconds.entry(phase.phase.to_string()).or_default() += phase.seconds;
    }
    auto.insert("seconds".to_owned(), json!(seconds));
    if decided.reason != Reason::Improved || !co_primaries.is_empty() {
        auto.insert("why".to_owned(), decided.detail.clone().into());
    }
    if !co_primaries.is_empty() {
        let words: Vec<Value> =
            co_primaries.iter().map(|co| json!({"metric": co.metric, "verdict": co.verdict})).collect();
        auto.insert("coPrimaries".to_owned(), words.into());
    }
    insert_sentinels(&mut auto, decided);
    if let Some(failed) = told().rev().find(|p| p.failure.is_some()) {
        auto.insert("failed".to_owned(), failure(failed, context.run_dir));
    }
    auto.into()
}

fn insert_sentinels(auto: &mut serde_json::Map<String, Value>, decided: &Decided) {
    let Some(comparison) = &decided.comparison else { return };
    let blocked: Vec<Value> = comparison
        .sentinels
        .iter()
        .filter(|s| s.state != SentinelState::Passed)
        .map(|s| json!({"metric": s.metric, "state": s.state, "rule": s.rule}))
        .collect();
    if !blocked.is_empty() {
        auto.insert("sentinels".to_owned(), blocked.into());
    }
}

fn delta(row: &MetricRow) -> Value {
    match row.change {
        Some(c) => json!({
            "baseline": row.baseline, "candidate": row.candidate, "change": c.value, "low": c.low, "high": c.high,
            "unit": if c.percent { "%" } else { row.unit.as_str() },
        }),
        None => json!({"baseline": row.baseline, "candidate": row.candidate}),
    }
}

/// Names the command that failed, with the tail of its log.
fn failure(phase: &PhaseEnded, run_dir: &Path) -> Value {
    let mut value = json!({"phase": phase.phase, "failure": phase.failure});
    if let Some(what) = &phase.what {
        value["what"] = what.clone().into();
    }
    let log = run_dir.join(super::logs::stem(phase.phase, phase.what.as_deref()));
    for (key, ending) in [("stdout_tail", "out"), ("stderr_tail", "err")] {
        if let Some(tail) = super::logs::tail(&log.with_extension(ending), LOG_TAIL) {
            value[key] = tail.into();
        }
    }
    value
}
