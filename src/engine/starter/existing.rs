//! A starting set made of what another tool left: its bench, checks, ideas, limits and goal, and its keeps as candidates.

use std::path::{Component, Path};

use serde_json::{Value, json};

use super::config_file::config_text;
use super::plan::{CheckScript, Plan, WorkloadSource};
use super::proposal::{Starter, StarterError, StarterFile, files, plan_of, session_name};
use super::texts;
use crate::domain::{Direction, MetricName, ObjectId};
use crate::import::Log;
use crate::import::existing::Existing;

/// The keeps of another tool's log that are commits of this repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldKeeps {
    /// The first of them, which such logs have as their baseline.
    pub base: ObjectId,
    /// The last of them.
    pub tip: ObjectId,
}

/// Proposes a starting set from what was found below the root, under a session name and, where one is given, a branch.
pub fn propose_existing(
    root: &Path,
    name: &str,
    existing: &Existing,
    keeps: Option<&OldKeeps>,
    branch: Option<&str>,
) -> Result<Starter, StarterError> {
    let (ecosystem, mut plan) = plan_of(root)?;
    let session = session_name(name);
    let place = Place::of(root, existing);
    let goal = Goal::of(existing);
    let mut explanations = goal.explanations.clone();
    explanations.extend(place.explanation.clone());
    if existing.bench.is_some() {
        plan.workload.source = WorkloadSource::Program("their bench".to_owned());
    }
    if let Some(checks) = &existing.checks {
        plan.checks = vec![CheckScript {
            name: "10-existing",
            why: format!("What {checks} checks."),
            body: format!("exec bash {}{checks}", place.up),
        }];
        explanations.push(format!("checks: {}checks/10-existing runs {checks}.", plan.folder));
    }
    let config = config(&session, &plan, existing, &place, &goal, keeps, branch)?;
    let mut list = files(&session, &plan)?;
    for file in &mut list {
        match file.path.as_str() {
            "autoresearch.config.json" => file.text.clone_from(&config),
            "ideas.md" => file.text = ideas(&session, existing),
            _ => {}
        }
    }
    // Theirs is the bench; a second one would only stand beside it.
    list.retain(|file: &StarterFile| existing.bench.is_none() || file.path != "bench.sh");
    if let Some((bench, _)) = &existing.bench {
        explanations.push(format!(
            "bench: {bench} as it is. If it builds, move that into 'build', so that no build is measured; 'doctor' looks at the rest."
        ));
    }
    explanations.push(keeps_line(existing, keeps));
    Ok(Starter { ecosystem, files: list, explanations, next: next_steps(existing, keeps) })
}

/// Where their commands start, and the way back to the root from there.
struct Place {
    working_dir: Option<String>,
    up: String,
    explanation: Option<String>,
}

impl Place {
    fn of(root: &Path, existing: &Existing) -> Self {
        let written = existing.config.as_ref().and_then(|(_, config)| config.working_dir.as_deref());
        let none = |explanation| Self { working_dir: None, up: "./".to_owned(), explanation };
        let Some(written) = written else { return none(None) };
        let inside = written.strip_prefix(root).unwrap_or(written);
        let parts: Vec<_> = inside.components().filter(|part| *part != Component::CurDir).collect();
        let below = parts.iter().all(|part| matches!(part, Component::Normal(_)));
        if !below || !root.join(inside).is_dir() {
            let said = written.display();
            return none(Some(format!("workingDir: {said} is no folder of this checkout and is left out.")));
        }
        if parts.is_empty() {
            return none(None);
        }
        let working_dir = Some(inside.to_string_lossy().into_owned());
        Self { working_dir, up: "../".repeat(parts.len()), explanation: None }
    }
}

/// What their last segment improves.
struct Goal {
    metric: String,
    unit: String,
    direction: Direction,
    /// Whether a value of it is not above zero, so that ratios say nothing.
    linear: bool,
    explanations: Vec<String>,
}

impl Goal {
    fn of(existing: &Existing) -> Self {
        let mut explanations = Vec::new();
        let log = existing.log.as_ref().map(|(_, log)| log);
        let segment = log.and_then(|log| log.segments().rfind(|segment| segment.metric.is_some()));
        let printed = || first_metric(existing.bench.as_ref().map(|(_, text)| text.as_str()).unwrap_or_default());
        let written = segment.and_then(|segment| segment.metric.clone()).or_else(printed);
        let metric = written.unwrap_or_else(|| {
            explanations.push(
                "metric: neither the log nor the bench says its name; the time of a run (auto.wall_s) stands in."
                    .to_owned(),
            );
            "auto.wall_s".to_owned()
        });
        let name: String = metric.chars().map(|c| if MetricName::allows(c) { c } else { '_' }).collect();
        if name != metric {
            explanations.push(format!("metric: '{metric}' cannot be a name; let the bench print METRIC {name}=..."));
        }
        let direction = segment.and_then(|segment| segment.direction);
        if direction.is_none() {
            explanations.push("direction: lower is better is a guess; nothing said which way.".to_owned());
        }
        let number = segment.map(|segment| segment.segment);
        let rows = log.into_iter().flat_map(Log::rows);
        let low = |value: f64| value <= 0.0;
        let linear = rows.filter(|row| Some(row.segment) == number && row.status.as_deref() == Some("keep"));
        let linear = linear.filter_map(|row| row.metric).any(low);
        if linear {
            explanations.push(
                "scale: linear, since kept values are not all above zero; minEffect 1 is in the metric's unit."
                    .to_owned(),
            );
        }
        Self {
            metric: name,
            unit: segment.map(|segment| segment.unit.clone()).unwrap_or_default(),
            direction: direction.unwrap_or_default(),
            linear,
            explanations,
        }
    }
}

/// Finds the first name that a script prints as a metric.
fn first_metric(script: &str) -> Option<String> {
    let after = script.match_indices("METRIC ").map(|(at, word)| &script[at + word.len()..]);
    let name = |rest: &str| {
        let name = rest.split('=').next()?;
        (rest.len() > name.len() && MetricName::new(name).is_ok()).then(|| name.to_owned())
    };
    after.filter(|rest| !rest.is_empty()).find_map(name)
}

fn config(
    name: &str,
    plan: &Plan,
    existing: &Existing,
    place: &Place,
    goal: &Goal,
    keeps: Option<&OldKeeps>,
    branch: Option<&str>,
) -> Result<String, StarterError> {
    let json = |source| StarterError::Config { source };
    let mut config: Value = serde_json::from_str(&config_text(name, plan).map_err(json)?).map_err(json)?;
    if let Some((bench, _)) = &existing.bench {
        config["bench"]["command"] = format!("bash {}{bench}", place.up).into();
    }
    let (scale, effect) = if goal.linear { ("linear", 1.0) } else { ("ratio", 0.01) };
    config["metrics"]["primary"] = json!({
        "name": goal.metric, "unit": goal.unit, "direction": goal.direction.to_string(), "scale": scale, "minEffect": effect,
    });
    if let Some(working_dir) = &place.working_dir {
        config["workingDir"] = working_dir.as_str().into();
    }
    let limit = existing.config.as_ref().and_then(|(_, config)| config.max_iterations);
    if let Some(limit) = limit {
        config["stop"] = json!({ "maxIterations": limit });
    }
    // Their records changed with every keep; no candidate needs them.
    let mut harness: Vec<Value> = config["harness"].as_array().cloned().unwrap_or_default();
    harness.extend(existing.files().filter(|file| *file != "autoresearch.config.json").map(Value::from));
    config["harness"] = harness.into();
    if let Some(OldKeeps { base, tip }) = keeps {
        let patches = config["candidates"][0].take();
        config["base"] = base.as_str().into();
        config["candidates"] = json!([{ "commits": format!("{base}..{tip}"), "dropSealed": true }, patches]);
    }
    if let Some(branch) = branch {
        config["branch"] = branch.into();
    }
    Ok(serde_json::to_string_pretty(&config).map_err(json)? + "\n")
}

/// Puts their ideas, unchanged, under the sections that this program knows.
fn ideas(name: &str, existing: &Existing) -> String {
    let ours = texts::ideas(name);
    match &existing.ideas {
        Some((file, text)) => format!("{ours}\n## From {file}\n\n{}\n", text.trim_end()),
        None => ours,
    }
}

fn keeps_line(existing: &Existing, keeps: Option<&OldKeeps>) -> String {
    match (keeps, &existing.log) {
        (Some(OldKeeps { base, tip }), _) => format!(
            "candidates: the commits from {} (their first keep, taken as the baseline) to {} (their last), each measured again.",
            base.short(),
            tip.short()
        ),
        (None, Some((log, _))) => {
            format!(
                "candidates: fewer than two keeps of {log} are commits of this repository, so none is measured again."
            )
        }
        (None, None) => "candidates: there is no log of keeps that could be measured again.".to_owned(),
    }
}

fn next_steps(existing: &Existing, keeps: Option<&OldKeeps>) -> Vec<String> {
    let mut next = Vec::new();
    if let Some((log, _)) = &existing.log {
        next.push(format!("autoresearch import {log}        keeps the history, for 'log' and 'show'"));
    }
    next.push(
        "autoresearch doctor        checks all of this in a slot, and how small an effect can be seen".to_owned(),
    );
    next.push(match keeps {
        Some(_) => "autoresearch run           your last session's keeps, measured again, one after another".to_owned(),
        None => "autoresearch run           tries every patch of candidates/".to_owned(),
    });
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_printed_metric_is_found_in_a_script() {
        assert_eq!(
            first_metric("set -e\necho \"METRIC total_ms=$ms\"\necho METRIC b=1\n").as_deref(),
            Some("total_ms")
        );
        assert_eq!(
            first_metric("# prints METRIC lines\necho \"METRIC $name=$value\"\nprintf 'METRIC x=%s' 1").as_deref(),
            Some("x")
        );
        assert_eq!(first_metric("echo nothing"), None);
    }

    #[test]
    fn a_working_dir_elsewhere_is_left_out_and_said() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        let place = |dir: &str| {
            let config = serde_json::from_value(json!({ "workingDir": dir })).unwrap();
            let existing = Existing { config: Some(("c".to_owned(), config)), ..Existing::default() };
            let place = Place::of(root.path(), &existing);
            (place.working_dir, place.up, place.explanation.is_some())
        };
        assert_eq!(place("a/b"), (Some("a/b".to_owned()), "../../".to_owned(), false));
        assert_eq!(place(root.path().join("a").to_str().unwrap()), (Some("a".to_owned()), "../".to_owned(), false));
        for (dir, said) in [(".", false), ("/data/elsewhere", true), ("../other", true), ("missing", true)] {
            assert_eq!(place(dir), (None, "./".to_owned(), said), "{dir}");
        }
    }
}
