//! What an agent is told of a session: gathered from settings, journal, catalogue and logs, without anything of the holdout.

use std::collections::VecDeque;
use std::path::Path;

use crate::domain::{
    Calibrated, Event, ExperimentId, HookMoment, MetricCalibration, MetricName, RunSummary, Scale, number,
};
use crate::engine::EngineError;
use crate::engine::harness::sealed_everywhere;
use crate::engine::logs;
use crate::engine::session::Session;
use crate::engine::workbench::join;
use crate::ideas::{Entry, SectionKind};
use crate::journal::{Reader, Record};
use crate::propose::agent::{Aim, Closed, Context, Diagnostics, Idea, MetricNow, Scoped, Tried};

/// Settled experiments that are told, where there is room.
const RUNS: usize = 40;
/// Experiments whose logs are looked at for what the bench prints.
const LOGGED: usize = 10;
/// Bytes of a log that are looked at.
const LOG_TAIL: usize = 16 << 10;
/// The shortest path that is taken out of texts; a shorter one could be a part of any word.
const SECRET_MIN: usize = 4;

/// What an agent is told.
#[derive(Debug)]
pub(super) struct Told {
    /// What is to be reached, in one sentence.
    pub(super) goal: String,
    /// The JSON context.
    pub(super) context: Context,
    /// What hooks printed around the last experiment.
    pub(super) hooks: String,
    /// Paths of the holdout, which no text names.
    secrets: Vec<String>,
}

impl Told {
    /// Writes the context.
    pub(super) fn json(&self) -> String {
        self.without_secrets(self.context.to_json())
    }

    /// Takes the holdout's paths out of a text.
    pub(super) fn without_secrets(&self, text: String) -> String {
        // A placeholder as short as the shortest path, so that no text grows.
        self.secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "held"))
    }
}

/// The lines of the journal that matter here.
#[derive(Debug, Default)]
struct Past {
    runs: VecDeque<Record>,
    kept: Option<Record>,
}

/// Gathers what an agent is told.
pub(super) fn gather(session: &Session<'_, '_>) -> Result<Told, EngineError> {
    let past = past(session)?;
    let kept = match past.kept.as_ref().map(Record::event).transpose()?.flatten() {
        Some(Event::Run(run)) => Some(run),
        Some(_) | None => None,
    };
    let experiments = past.runs.iter().rev().map(|record| tried(session, record));
    let experiments: Vec<Tried> = experiments.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    let catalogue = session.catalogue()?;
    let idea = |entry: &Entry| Idea { name: entry.name(), text: entry.text.clone() };
    let aim = aim(session, kept.as_deref());
    let context = Context {
        metrics: metrics(session, kept.as_deref()),
        scope: scope(session),
        open_ideas: catalogue.entries(SectionKind::ToTry).map(idea).collect(),
        closed_ideas: catalogue
            .entries(SectionKind::Closed)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .map(closed)
            .collect(),
        settled_decisions: catalogue.entries(SectionKind::Settled).map(idea).collect(),
        experiments,
        diagnostics: diagnostics(session),
        goal: aim.clone(),
    };
    let printed = [HookMoment::Before, HookMoment::After].map(|moment| session.hook_output(moment).trim());
    let hooks = printed.into_iter().filter(|output| !output.is_empty()).collect::<Vec<_>>().join("\n");
    let paths = session.bench.harness().held().absent();
    let secrets = paths.into_iter().filter(|path| path.len() >= SECRET_MIN && path.contains(['.', '/'])).collect();
    Ok(Told { goal: sentence(&aim), context, hooks, secrets })
}

/// Reads the journal once and keeps the lines that matter.
fn past(session: &Session<'_, '_>) -> Result<Past, EngineError> {
    let kept = session.state().keeps().last().map(|record| record.id);
    let mut past = Past::default();
    for record in Reader::open(&session.places.journal())?.records() {
        let record = record?;
        let candidate = record.experiment.filter(|id| record.kind() == "run" && *id != ExperimentId::BASELINE);
        if candidate.is_none() {
            continue;
        }
        if candidate == kept {
            past.kept = Some(record.clone());
        }
        past.runs.push_back(record);
        past.runs.drain(..past.runs.len().saturating_sub(RUNS));
    }
    Ok(past)
}

fn tried(session: &Session<'_, '_>, record: &Record) -> Result<Option<Tried>, EngineError> {
    let Some(Event::Run(mut run)) = record.event()? else { return Ok(None) };
    let settled = session.state().experiment(ExperimentId(run.run));
    let auto = run.asi.remove("auto").unwrap_or_default();
    let said = |value: &serde_json::Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
    let failed = auto.get("failed");
    let failure = failed.and_then(|failed| said(failed, "stderr_tail").or_else(|| said(failed, "stdout_tail")));
    let direction = session.settings.objective(run.effect_of).direction;
    Ok(Some(Tried {
        experiment: run.run,
        status: run.status,
        reason: run.reason,
        description: run.description,
        idea: settled.and_then(|record| record.idea.as_deref()).map(str::to_owned),
        axes: settled.map(|record| record.axes.to_vec()).unwrap_or_default(),
        change: run.effect.map(|effect| effect.change(direction).to_string()),
        why: said(&auto, "why").unwrap_or_default(),
        asi: run.asi,
        failure,
    }))
}

fn aim(session: &Session<'_, '_>, kept: Option<&RunSummary>) -> Aim {
    let primary = &session.settings.primary;
    let at_start = session.state().calibrated().and_then(Calibrated::primary).map(|metric| metric.median);
    Aim {
        metric: primary.name.to_string(),
        unit: primary.unit.clone(),
        direction: primary.direction,
        min_effect: match primary.scale {
            Scale::Ratio => format!("{} %", number(100.0 * primary.min_effect)),
            Scale::Linear => with_unit(primary.min_effect, &primary.unit),
        },
        at_start,
        now: kept.and_then(|run| run.metric).or(at_start),
    }
}

fn sentence(aim: &Aim) -> String {
    let now = aim.now.map_or_else(String::new, |now| format!(" It is {} now.", with_unit(now, &aim.unit)));
    format!(
        "make '{}' {}.{now} A change counts from {} on; every other metric must stay within its limit, and every check must pass.",
        aim.metric, aim.direction, aim.min_effect
    )
}

fn with_unit(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{} {unit}", number(value)) }
}

fn metrics(session: &Session<'_, '_>, kept: Option<&RunSummary>) -> Vec<MetricNow> {
    let Some(calibrated) = session.state().calibrated() else { return Vec::new() };
    let mut all: Vec<&MetricCalibration> = calibrated.metrics.iter().collect();
    all.sort_by_key(|metric| metric.role != "primary");
    let now = |name: &MetricName| kept.and_then(|run| run.metrics.get(name)).copied();
    let lens = session.lens();
    let told = |metric: &MetricCalibration| {
        let (direction, scale) = lens.roles.lens(lens.settings, &metric.metric);
        let unit = lens.roles.unit(lens.settings, &metric.metric);
        let size = |size: f64| match scale {
            Scale::Ratio => format!("{} %", number(100.0 * size.exp_m1())),
            Scale::Linear => with_unit(size, &unit),
        };
        MetricNow {
            name: metric.metric.to_string(),
            role: metric.role.clone(),
            direction,
            now: now(&metric.metric).unwrap_or(metric.median),
            noise: size(metric.s),
            resolves: metric.resolves.map(size),
            unit: unit.clone(),
        }
    };
    all.into_iter().map(told).collect()
}

/// Lists what may be changed. What is sealed in every repository comes last.
fn scope(session: &Session<'_, '_>) -> Scoped {
    let settings = session.settings;
    let own =
        [settings.file.as_str(), settings.checks.dir.as_str(), "ideas.md"].map(|path| join(&settings.folder, path));
    let harness = session.bench.harness().files().iter().map(|file| file.path.clone());
    let globs = settings.harness.iter().map(|glob| join(&settings.folder, glob));
    let known = sealed_everywhere().flat_map(|kind| kind.globs.iter().map(ToString::to_string));
    let known = known.filter(|glob| !settings.scope.unseal.contains(glob));
    let mut sealed: Vec<String> = Vec::new();
    for path in own.into_iter().chain(harness).chain(globs).chain([".git*".to_owned()]).chain(known) {
        if !sealed.contains(&path) {
            sealed.push(path);
        }
    }
    Scoped { allow: settings.scope.allow.clone(), protect: settings.scope.protect.clone(), sealed }
}

fn closed(entry: &Entry) -> Closed {
    let comment = entry.comment.as_ref();
    let axis = |axis: &crate::ideas::ClosedAxis| match &axis.value {
        Some(value) => format!("{}={value}", axis.name),
        None => axis.name.clone(),
    };
    Closed {
        name: entry.name(),
        text: entry.text.clone(),
        axes: comment.map(|comment| comment.axes.iter().map(axis).collect()).unwrap_or_default(),
        reopen: comment.and_then(|comment| comment.reopen.clone()),
    }
}

/// Returns what the present program's last measured run printed beside its metrics.
fn diagnostics(session: &Session<'_, '_>) -> Option<Diagnostics> {
    let settled = session.state().experiments().iter().rev().map(|record| record.id);
    let newest = settled.take(LOGGED).chain([ExperimentId::BASELINE]);
    newest.into_iter().find_map(|id| {
        let lines = last_lines(&session.places.run(id));
        (!lines.is_empty()).then_some(Diagnostics { experiment: id.0, lines })
    })
}

/// Returns the lines beside the metrics in the logs of a folder's last run of the baseline.
fn last_lines(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let runs = names.filter(|name| name.starts_with("pair-") && name.ends_with("-baseline.out"));
    let Some(last) = runs.max() else { return Vec::new() };
    let out = folder.join(last);
    let text = [out.clone(), out.with_extension("err")].into_iter().filter_map(|log| logs::tail(&log, LOG_TAIL));
    let text = text.collect::<Vec<_>>().join("\n");
    let beside = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("METRIC ") && !line.starts_with("INVARIANT ")
    };
    text.lines().filter(beside).map(str::to_owned).collect()
}
