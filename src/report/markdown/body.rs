//! The body as a whole: the headline, and the order of its sections.

use std::fmt::Write as _;

use super::escape::{block, code, inline};
use super::safety::{files, safety};
use crate::domain::{Flag, number};
use crate::report::lens::with_unit;
use crate::report::overview::{DroppedGroup, KeepView, Overview};

/// Candidates of one reason that are listed.
const LISTED: usize = 15;

/// Minor keeps that are listed.
const MINOR: usize = 60;

/// Writes the whole body.
pub fn body(view: &Overview) -> String {
    let sections = [
        headline(view),
        what_changed(view),
        methodology(view),
        safety(view),
        what_did_not_work(view),
        files(view),
        environment(view),
    ];
    let filled: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    filled.join("\n")
}

fn headline(view: &Overview) -> String {
    let mut text = format!("# {}: {}\n\n", inline(&view.name), inline(&view.headline.text));
    let _ = writeln!(
        text,
        "Made by an autonomous experiment loop: {} experiments, {} kept commits on {}, from {} to {}.",
        view.counts.settled,
        view.counts.kept,
        code(&view.branch),
        code(view.base.short()),
        code(view.tip.short())
    );
    text += "\n## Headline numbers\n\n";
    text += &gain(view);
    if !view.headline.metrics.is_empty() {
        text += "\n| metric | base | tip | change [interval] |\n|---|---:|---:|---|\n";
        for line in &view.headline.metrics {
            let value = |value: f64| inline(&with_unit(&number(value), &line.unit));
            let change = line.change.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            let (metric, base, tip) = (code(&line.metric), value(line.baseline), value(line.candidate));
            let _ = writeln!(text, "| {metric} | {base} | {tip} | {change} |");
        }
        text += "\nMeasured; every metric over the pairs of the validation.\n";
    }
    text
}

fn gain(view: &Overview) -> String {
    let Some(validated) = &view.headline.validated else {
        return if view.counts.kept == 0 {
            "Nothing was kept.\n".to_owned()
        } else {
            "**Not validated**: nobody has measured what the keeps gain together. Each effect below was measured against \
             the best before it; they do not add up.\n"
                .to_owned()
        };
    };
    let mut text = format!(
        "**{} {}** over {} fresh pairs of builds from empty caches, {} against {} (measured).\n",
        inline(validated.metric.as_str()),
        validated.change,
        validated.pairs,
        code(validated.base.short()),
        code(validated.tip.short())
    );
    if !validated.shown {
        text += "\nThe interval does not exclude that nothing was gained.\n";
    }
    if validated.falls_short {
        text += "\nThis is less than the keeps claim together, by more than two standard errors.\n";
    }
    if let Some(since @ 1..) = view.headline.kept_since {
        let _ = writeln!(text, "\nKeeps that were made later and are not in this figure: {since}.");
    }
    text
}

fn what_changed(view: &Overview) -> String {
    if view.keeps.is_empty() {
        return String::new();
    }
    let (major, minor): (Vec<&KeepView>, Vec<&KeepView>) = view.keeps.iter().partition(|keep| keep.major);
    let mut text = format!("## What changed ({} kept commits)\n", view.keeps.len());
    text += "\nEffects are measured, each against the best before it. Hypotheses and mechanisms are what the proposer \
             said.\n";
    if !major.is_empty() {
        let _ =
            writeln!(text, "\n### Major wins (at least {} each, in the order in which they were kept)\n", view.major);
        text += "| experiment | commit | effect | left out of the tip | lines | change, and its mechanism as told |\n";
        text += "|---:|---|---|---|---:|---|\n";
        for keep in major {
            text += &major_row(keep);
        }
    }
    if !minor.is_empty() {
        text += "\n### Minor wins\n\n";
        for keep in minor.iter().take(MINOR) {
            text += &minor_line(keep);
        }
        if minor.len() > MINOR {
            let _ = writeln!(text, "- and {} more", minor.len() - MINOR);
        }
    }
    text
}

fn major_row(keep: &KeepView) -> String {
    let left_out = keep.validated.as_ref().map_or_else(
        || "not measured".to_owned(),
        |validated| {
            let shown = if validated.shown { "" } else { ", not shown" };
            format!("{}{shown}", validated.change)
        },
    );
    let lines = keep.lines.map_or_else(|| "-".to_owned(), |lines| format!("{lines:+}"));
    let (effect, commit) = (effect(keep), code(keep.commit.short()));
    let why = why(keep).map(|why| format!(": {why}")).unwrap_or_default();
    let what = format!("{}{why}{}", inline(&keep.description), flags(keep));
    format!("| {} | {commit} | {effect} | {left_out} | {lines} | {what} |\n", keep.experiment)
}

fn minor_line(keep: &KeepView) -> String {
    let why = why(keep).map(|why| format!(" {why}")).unwrap_or_default();
    format!(
        "- {} ({}, experiment {}, {}).{why}{}\n",
        inline(&keep.description),
        effect(keep),
        keep.experiment,
        code(keep.commit.short()),
        flags(keep)
    )
}

fn effect(keep: &KeepView) -> String {
    let change = keep.change.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    match &keep.change_of {
        Some(metric) => format!("{change} {}", code(metric)),
        None => change,
    }
}

/// Returns the mechanism that the proposer names, else the hypothesis.
fn why(keep: &KeepView) -> Option<String> {
    let told = keep.mechanism.as_deref().unwrap_or(&keep.hypothesis);
    (!told.trim().is_empty()).then(|| inline(told))
}

fn flags(keep: &KeepView) -> String {
    let text = |flag: &Flag| format!(" **{}**", inline(&flag.to_string().replace('_', " ")));
    keep.flags.iter().map(text).collect()
}

fn methodology(view: &Overview) -> String {
    let mut text = "## Methodology\n\n".to_owned();
    for term in &view.methodology {
        let said = match term.name.as_str() {
            "build" | "bench" => code(&term.text),
            _ => inline(&term.text),
        };
        let _ = writeln!(text, "- {}: {said}", term.name);
    }
    if let Some(pairs) = view.calibration_pairs {
        let _ = writeln!(text, "\nNoise found by the last calibration, over {pairs} pairs of the same program:\n");
        text += "| metric | role | median | noise of a pair | resolves |\n|---|---|---:|---:|---:|\n";
        for metric in &view.noise {
            let resolves = metric.resolves.as_deref().unwrap_or("-");
            let cells = [&metric.median, &metric.noise, resolves].map(inline).join(" | ");
            let _ = writeln!(text, "| {} | {} | {cells} |", code(&metric.metric), inline(&metric.role));
        }
    }
    text
}

fn what_did_not_work(view: &Overview) -> String {
    if view.dropped.is_empty() && view.undone.is_empty() && view.closed.is_empty() {
        return String::new();
    }
    let mut text = "## What did not work\n".to_owned();
    for gone in &view.undone {
        let _ = writeln!(
            text,
            "\n- experiment {}, {}, was kept and later reverted: {}",
            gone.experiment,
            inline(&gone.description),
            inline(&gone.why)
        );
    }
    for group in &view.dropped {
        text += &dropped(group);
    }
    if !view.closed.is_empty() {
        text += "\n### Closed ideas\n\n";
        for idea in &view.closed {
            let reopen = idea.reopen.as_deref().map(|when| format!(" May be tried again when: {}.", inline(when)));
            let _ = writeln!(text, "- {}{}", inline(&idea.text), reopen.unwrap_or_default());
        }
    }
    text
}

fn dropped(group: &DroppedGroup) -> String {
    let reason = group.reason.to_string().replace('_', " ");
    let mut text = format!("\n### {reason} ({}, {})\n\n", group.count, group.status.to_string().replace('_', " "));
    let mut left = LISTED;
    for mechanism in &group.mechanisms {
        let shown = left.min(mechanism.experiments.len());
        left -= shown;
        let told = mechanism.mechanism.as_deref().map(|told| format!(": {}", inline(told))).unwrap_or_default();
        for row in mechanism.experiments.iter().take(shown) {
            let change = row.change.as_ref().map(|change| format!(" ({change})"));
            let detail = row.detail.as_deref().map(|detail| format!(" [{}]", inline(detail)));
            let (change, detail) = (change.unwrap_or_default(), detail.unwrap_or_default());
            let _ =
                writeln!(text, "- experiment {}: {}{change}{detail}{told}", row.experiment, inline(&row.description));
        }
    }
    if group.count > LISTED {
        let _ = writeln!(text, "- and {} more", group.count - LISTED);
    }
    text
}

fn environment(view: &Overview) -> String {
    let facts = view.environment.iter().chain(&view.sandbox);
    let lines: Vec<String> = facts.map(|(name, value)| format!("{name}: {value}")).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("## Environment\n\n{}", block(&lines.join("\n")))
}
