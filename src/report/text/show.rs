//! One experiment whole, as `show` prints it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::evidence_plot::evidence_plot;
use super::patch::patch;
use super::plot::Strip;
use super::{duration, evidence, labelled, tone};
use crate::domain::{Order, SentinelState, number};
use crate::report::experiment::{EffectView, ExperimentView, LogTail, MetricLine, PairView};
use crate::report::grid::{Cell, Column, Grid, Screen, Tone, one_line};
use crate::report::lens::with_unit;
use crate::report::overview::PatchView;

/// Columns that the names of kept files may take.
const FILES_WIDTH: usize = 100;

/// What the tool adds to the side information and other sections show already.
const SHOWN_ELSEWHERE: [&str; 6] = ["coPrimaries", "deltas", "seconds", "why", "sentinels", "failed"];

/// Writes everything about an experiment; nothing is cut, so a narrow terminal wraps the longest lines.
pub fn show(view: &ExperimentView, diff: Option<&PatchView>, screen: Screen) -> String {
    let screen = Screen { width: None, ..screen };
    let sections = [
        head(view),
        hypothesis(view),
        effect(view),
        metrics(view, screen),
        sentinels(view, screen),
        pairs(view, screen),
        evidence_plot(view),
        phases(view, screen),
        holdout(view, screen),
        failure(view),
        asi(view),
        logs(view),
        environment(view),
        files(view),
        diff.map(|diff| patch(diff, screen)).unwrap_or_default(),
    ];
    let filled: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    filled.join("\n")
}

fn head(view: &ExperimentView) -> String {
    let mut text = format!("experiment {}: {}\n", view.experiment, one_line(&view.description));
    text += &labelled("status", &status(view));
    text += &labelled("why", &view.detail);
    text += &labelled("commit", view.commit.as_ref().map_or("", |commit| commit.as_str()));
    text += &labelled("tip", view.tip.as_ref().map_or("", |tip| tip.as_str()));
    if let Some(earlier) = view.resumes {
        text += &labelled("resumes", &format!("#{earlier}, with its pairs and at its alpha"));
    }
    if let Some(undone) = &view.undone {
        text += &labelled("undone", &format!("by {}: {}", undone.commit.short(), undone.why));
    }
    text += &labelled("source", view.source.as_deref().unwrap_or_default());
    text += &labelled("idea", view.idea.as_deref().unwrap_or_default());
    for axis in &view.axes {
        text += &labelled("axis", &format!("{}={}", axis.name, axis.value));
    }
    text += &labelled("applied", view.rung.as_deref().unwrap_or_default());
    text += &labelled("touches", &view.touched.join(", "));
    text += &labelled("patch", &view.patch.as_ref().map(|path| path.display().to_string()).unwrap_or_default());
    for warning in &view.warnings {
        text += &labelled("warning", warning);
    }
    text
}

fn status(view: &ExperimentView) -> String {
    let (Some(status), Some(reason)) = (view.status, view.reason) else {
        return "not settled yet".to_owned();
    };
    let mut parts = vec![format!("{status} ({reason})")];
    parts.extend(view.flags.iter().map(ToString::to_string));
    parts.extend(view.judged_only.then(|| "judged only".to_owned()));
    parts.join(", ")
}

fn hypothesis(view: &ExperimentView) -> String {
    if view.hypothesis.is_empty() { String::new() } else { format!("hypothesis\n{}", block(2, &view.hypothesis)) }
}

fn effect(view: &ExperimentView) -> String {
    let primary = view.effect.iter().map(|effect| (view.primary.metric.as_str(), effect));
    let others = view.co_primaries.iter().map(|co| (co.metric.as_str(), &co.effect));
    primary.chain(others).map(|(metric, effect)| one_effect(metric, effect)).collect()
}

fn one_effect(metric: &str, effect: &EffectView) -> String {
    let EffectView { verdict, change, pairs, ln_e, ln_e_needed, alpha, min_effect, noise } = effect;
    let verdict = serde_json::to_value(verdict).unwrap_or_default();
    let verdict = verdict.as_str().unwrap_or_default().replace('_', " ");
    let mut text = labelled("effect", &format!("{metric} {change} over {pairs} pairs: {verdict}"));
    text += &match ln_e {
        Some(ln_e) => labelled("evidence", &format!("{} (alpha {alpha:.4})", evidence(*ln_e, *ln_e_needed))),
        None => labelled("evidence", "none needed, the metric is exact"),
    };
    text + &labelled("rule", &format!("at least {min_effect} is worth keeping; a pair's noise is {noise}"))
}

fn metrics(view: &ExperimentView, screen: Screen) -> String {
    if view.metrics.is_empty() {
        return String::new();
    }
    let columns =
        [Column::Flexible("metric"), Column::Number("baseline"), Column::Number("candidate"), Column::Text("change")];
    let mut grid = Grid::new(&columns, screen);
    for MetricLine { metric, unit, baseline, candidate, change } in &view.metrics {
        let value = |value: f64| with_unit(&number(value), unit).into();
        let change = change.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        grid.row([metric.into(), value(*baseline), value(*candidate), change.into()]);
    }
    grid.text()
}

fn sentinels(view: &ExperimentView, screen: Screen) -> String {
    if view.sentinels.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[Column::Text("sentinel"), Column::Text("state"), Column::Flexible("rule")], screen);
    for sentinel in &view.sentinels {
        grid.row([sentinel.metric.as_str().into(), state(sentinel.state), sentinel.rule.as_str().into()]);
    }
    grid.text()
}

fn state(state: SentinelState) -> Cell {
    let (word, tone) = match state {
        SentinelState::Passed => ("passed", Tone::Good),
        SentinelState::Failed => ("regressed", Tone::Bad),
        SentinelState::Unresolved => ("unresolved", Tone::Mild),
        SentinelState::LimitBroken => ("limit broken", Tone::Bad),
        SentinelState::NotEqual => ("not equal", Tone::Bad),
    };
    Cell::toned(word, tone)
}

/// Writes what the holdout said, marked as what no proposer may see.
fn holdout(view: &ExperimentView, screen: Screen) -> String {
    let held = &view.holdout;
    if held.pairs == 0 && held.phases.is_empty() {
        return String::new();
    }
    let mut text = format!("holdout, {} pairs; for you only: a proposer who reads this tunes to it\n", held.pairs);
    let columns = [
        Column::Text("held-out metric"),
        Column::Number("baseline"),
        Column::Number("candidate"),
        Column::Text("state"),
        Column::Flexible("rule"),
    ];
    let mut grid = Grid::new(&columns, screen);
    for metric in &held.metrics {
        let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number).into();
        let outcome = &metric.outcome;
        let name = outcome.metric.as_str().into();
        let row =
            [name, value(metric.baseline), value(metric.candidate), state(outcome.state), outcome.rule.as_str().into()];
        grid.row(row);
    }
    if !held.metrics.is_empty() {
        text += &grid.text();
    }
    for ended in &held.phases {
        let result = ended.failure.as_deref().unwrap_or("done");
        let _ = writeln!(text, "  {} {}: {}", ended.phase, duration(ended.seconds), one_line(result));
    }
    text
}

fn pairs(view: &ExperimentView, screen: Screen) -> String {
    if view.pairs.is_empty() {
        return String::new();
    }
    let unit = view.primary.step_unit();
    let strip = Strip::over(view.pairs.iter().filter_map(|pair| pair.change));
    let mut grid = Grid::new(
        &[
            Column::Number("pair"),
            Column::Text("first"),
            Column::Number("baseline"),
            Column::Number("candidate"),
            Column::Number("change"),
            Column::Number("ln E"),
            Column::Text(""),
            Column::Flexible(""),
        ],
        screen,
    );
    for pair in &view.pairs {
        grid.row(pair_cells(pair, unit, strip));
    }
    let title =
        format!("pairs of {} ('|' is no change)\n", with_unit(view.primary.metric.as_str(), &in_brackets(view)));
    title + &grid.text()
}

fn in_brackets(view: &ExperimentView) -> String {
    if view.primary.unit.is_empty() { String::new() } else { format!("[{}]", view.primary.unit) }
}

fn pair_cells(pair: &PairView, unit: &str, strip: Option<Strip>) -> [Cell; 8] {
    let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number);
    let first = match pair.order {
        Order::BaselineFirst => "baseline",
        Order::CandidateFirst => "candidate",
    };
    let change = pair.change.map(|change| with_unit(&format!("{change:+.2}"), unit)).unwrap_or_default();
    let drawn = match (&pair.void, pair.change, strip) {
        (Some(void), _, _) => Cell::toned(&format!("void: {void}"), Tone::Mild),
        (None, Some(change), Some(strip)) => strip.draw(change).into(),
        (None, _, _) => "".into(),
    };
    [
        pair.pair.to_string().into(),
        first.into(),
        value(pair.baseline).into(),
        value(pair.candidate).into(),
        change.into(),
        pair.ln_e.map(|ln_e| format!("{ln_e:.1}")).unwrap_or_default().into(),
        drawn,
        Cell::toned(&remarks(pair), Tone::Mild),
    ]
}

/// Says what is special about a pair that counts.
fn remarks(pair: &PairView) -> String {
    let swapped = pair.swapped.then(|| "slots swapped".to_owned());
    let disturbed = pair.disturbed.map(|arm| format!("other work during the {arm}'s run"));
    swapped.into_iter().chain(disturbed).collect::<Vec<_>>().join(", ")
}

fn phases(view: &ExperimentView, screen: Screen) -> String {
    if view.phases.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[Column::Text("phase"), Column::Number("time"), Column::Flexible("result")], screen);
    for phase in &view.phases {
        let name =
            phase.what.as_ref().map_or_else(|| phase.phase.to_string(), |what| format!("{} {what}", phase.phase));
        let result = match (&phase.failure, &phase.exit) {
            (Some(failure), _) => Cell::toned(failure, view.status.map_or(Tone::Bad, tone)),
            (None, Some(exit)) => exit.as_str().into(),
            (None, None) => "done".into(),
        };
        grid.row([name.into(), duration(phase.seconds).into(), result]);
    }
    grid.text()
}

fn asi(view: &ExperimentView) -> String {
    let mut text = String::new();
    for (key, value) in view.asi.iter().filter(|(key, _)| *key != "auto") {
        if key != "hypothesis" || value.as_str() != Some(view.hypothesis.as_str()) {
            text += &entry(key, value);
        }
    }
    let auto = view.asi.get("auto").and_then(Value::as_object);
    for (key, value) in auto.into_iter().flatten().filter(|(key, _)| !SHOWN_ELSEWHERE.contains(&key.as_str())) {
        text += &entry(&format!("auto.{key}"), value);
    }
    if text.is_empty() { text } else { format!("side information\n{text}") }
}

fn entry(key: &str, value: &Value) -> String {
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => format!("{value:#}"),
    };
    if value.contains('\n') {
        format!("  {}:\n{}", one_line(key), block(4, &value))
    } else {
        format!("  {}: {}\n", one_line(key), one_line(&value))
    }
}

fn files(view: &ExperimentView) -> String {
    if view.files.is_empty() {
        return String::new();
    }
    let lines = wrapped(&view.files);
    labelled("files in", &view.folder.display().to_string())
        + &lines.iter().map(|line| labelled("", line)).collect::<String>()
}

/// Puts names side by side, as many as fit in a line.
fn wrapped(names: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut().filter(|line| line.len() + name.len() < FILES_WIDTH) {
            Some(line) => *line = format!("{line}  {name}"),
            None => lines.push(name.clone()),
        }
    }
    lines
}

/// Writes the ends of the logs of its commands.
fn logs(view: &ExperimentView) -> String {
    let tail = |log: &LogTail| format!("the end of {}\n{}", one_line(&log.file), block(2, &log.text));
    view.logs.iter().map(tail).collect()
}

fn environment(view: &ExperimentView) -> String {
    let fact = |(name, value): (&String, &String)| format!("  {}: {}\n", one_line(name), one_line(value));
    let part = |title: &str, facts: &BTreeMap<String, String>| {
        if facts.is_empty() {
            String::new()
        } else {
            format!("{title}\n{}", facts.iter().map(fact).collect::<String>())
        }
    };
    part("environment", &view.environment) + &part("sandbox", &view.sandbox)
}

/// Writes what the journal kept of the output of the command that failed.
fn failure(view: &ExperimentView) -> String {
    let Some(failed) = view.asi.get("auto").and_then(|auto| auto.get("failed")).and_then(Value::as_object) else {
        return String::new();
    };
    let tails = failed.iter().filter(|(key, _)| key.ends_with("tail"));
    let tail = |(key, text): (&String, &Value)| {
        let text = text.as_str()?.trim_end();
        (!text.is_empty()).then(|| format!("the end of its {}\n{}", key.trim_end_matches("_tail"), block(2, text)))
    };
    tails.filter_map(tail).collect()
}

/// Indents a text of several lines.
fn block(columns: usize, text: &str) -> String {
    let mut block = String::new();
    for line in text.trim_end().lines() {
        block.extend([&" ".repeat(columns), one_line(line).as_str(), "\n"]);
    }
    block
}
