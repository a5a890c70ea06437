//! The keeps: the table to decide by, and a section for each.

use maud::{Markup, html};

use super::evidence::evidence;
use super::patch::patch;
use crate::domain::{Flag, SentinelOutcome, SentinelState, number};
use crate::report::experiment::MetricLine;
use crate::report::lens::with_unit;
use crate::report::overview::{IN_FULL, KeepView, Overview, PredictionView};
use crate::report::plain::{clean, reflow};
use crate::report::validation::ValidationView;

/// Rows of the table before the rest is folded away.
const ROWS: usize = 40;

/// Writes the table of keeps, the largest effect first.
pub(super) fn table(view: &Overview) -> Markup {
    let ranked = view.ranked();
    let (first, rest) = ranked.split_at(ranked.len().min(ROWS));
    html! {
        @if ranked.is_empty() { p.quiet { "Nothing was kept." } }
        @else { (rows(view, first, 0)) }
        @if !rest.is_empty() {
            details { summary { (format!("{} more", rest.len())) } (rows(view, rest, first.len())) }
        }
    }
}

fn rows(view: &Overview, keeps: &[&KeepView], before: usize) -> Markup {
    html! {
        table.cards.keeps {
            thead {
                tr {
                    th { "keep" } th { "effect when kept" } th { "left out of the tip" } th { "pairs" }
                    th { "lines" } th { "files" } th { "remarks" }
                }
            }
            tbody {
                @for (n, keep) in keeps.iter().enumerate() { (row(view, keep, before + n < IN_FULL)) }
            }
        }
    }
}

fn row(view: &Overview, keep: &KeepView, has_section: bool) -> Markup {
    html! {
        tr {
            td.what {
                @if has_section { a href=(format!("#keep-{}", keep.experiment)) { "#" (keep.experiment) } }
                @else { "#" (keep.experiment) }
                " " (clean(&keep.description))
            }
            td.number data-label="effect when kept" { (effect(keep)) }
            td.number data-label="left out of the tip" {
                @match &keep.validated {
                    Some(validated) => (left_out(validated, view)),
                    None => span.quiet { "not measured" },
                }
            }
            td.number.few data-label="pairs" { (keep.pairs) }
            td.number.few data-label="lines" { (keep.lines.map_or_else(|| "-".to_owned(), |lines| format!("{lines:+}"))) }
            td.number.few data-label="files" { (keep.touched.len()) }
            td data-label="remarks" { (flags(&keep.flags)) }
        }
    }
}

fn effect(keep: &KeepView) -> Markup {
    html! {
        @match &keep.change {
            Some(change) => {
                span.effect { (change) }
                @if let Some(metric) = &keep.change_of { " " (clean(metric)) }
            },
            None => "-",
        }
    }
}

/// Writes what a keep is still worth; another tip than the present one is named.
fn left_out(validated: &ValidationView, view: &Overview) -> Markup {
    html! {
        span.effect { (validated.change) }
        @if !validated.shown { " " span.flag { "not shown" } }
        @if validated.tip != view.tip { " " span.quiet { "at " (validated.tip.short()) } }
    }
}

fn flags(flags: &[Flag]) -> Markup {
    html! {
        @for flag in flags { span.flag { (flag.to_string().replace('_', " ")) } " " }
    }
}

/// Writes a section for each of the largest keeps, in the order in which they were kept.
pub(super) fn sections(view: &Overview) -> Markup {
    let mut shown: Vec<&KeepView> = view.ranked().into_iter().take(IN_FULL).collect();
    shown.sort_by_key(|keep| keep.experiment);
    html! {
        @for keep in &shown { (section(keep, view)) }
        @if view.keeps.len() > IN_FULL {
            p.quiet {
                (format!("The {IN_FULL} keeps with the largest effects are shown; 'autoresearch show N' shows any."))
            }
        }
    }
}

fn section(keep: &KeepView, view: &Overview) -> Markup {
    html! {
        section.keep id=(format!("keep-{}", keep.experiment)) {
            h3 { span.quiet { "#" (keep.experiment) } " " (clean(&keep.description)) }
            p {
                (effect(keep)) " over " (keep.pairs) " pairs, against the best before it "
                span.tag.measured { "measured" }
                @if let Some(validated) = &keep.validated {
                    "; the tip against the tip without it: " (left_out(validated, view)) " "
                    span.tag.measured { "measured" }
                }
            }
            p.quiet {
                "commit " code { (keep.commit.short()) }
                @if let Some(lines) = keep.lines { (format!(", {lines:+} lines")) }
                @if !keep.touched.is_empty() { ", touches " (clean(&keep.touched.join(", "))) }
                @if let Some(idea) = &keep.idea { ", idea " (clean(idea)) }
                @for axis in &keep.axes { ", " (clean(&format!("{}={}", axis.name, axis.value))) }
            }
            @if !keep.flags.is_empty() { p { (flags(&keep.flags)) } }
            (told(keep))
            (evidence(keep, view.primary.step_unit()))
            (measured(keep))
            (sentinels(keep))
            @if let Some(view) = &keep.patch { (patch(view)) }
        }
    }
}

/// Writes what the proposer said, marked as such.
fn told(keep: &KeepView) -> Markup {
    let texts = [("hypothesis", Some(&keep.hypothesis)), ("mechanism", keep.mechanism.as_ref())];
    let others = keep.told.iter().map(|told| (told.key.as_str(), Some(&told.text)));
    let told: Vec<(&str, &String)> = texts
        .into_iter()
        .chain(others)
        .filter_map(|(key, text)| text.filter(|text| !text.trim().is_empty()).map(|text| (key, text)))
        .collect();
    html! {
        @if !told.is_empty() || !keep.predictions.is_empty() {
            div.told {
                p.tag { "told by the proposer, not measured" }
                @for (key, text) in told {
                    p { strong { (clean(key)) } ": " span.text { (reflow(text)) } }
                }
                @if !keep.predictions.is_empty() { ul { @for one in &keep.predictions { (prediction(one)) } } }
            }
        }
    }
}

fn prediction(prediction: &PredictionView) -> Markup {
    html! {
        li {
            strong { (clean(&prediction.metric)) } " was predicted: " (clean(&prediction.predicted)) "; "
            @match &prediction.measured {
                Some(change) => { span.effect { (change) } " " span.tag.measured { "measured" } },
                None => "it was not measured",
            }
        }
    }
}

fn measured(keep: &KeepView) -> Markup {
    html! {
        @if keep.metrics.len() > 1 {
            details { summary { (format!("All {} metrics", keep.metrics.len())) } (metrics(&keep.metrics, "candidate")) }
        }
    }
}

/// Writes metrics of two builds side by side; `after` names the second.
pub(super) fn metrics(lines: &[MetricLine], after: &str) -> Markup {
    let before = if after == "tip" { "base" } else { "baseline" };
    html! {
        table.cards {
            thead { tr { th { "metric" } th { (before) } th { (after) } th { "change" } } }
            tbody {
                @for MetricLine { metric, unit, baseline, candidate, change } in lines {
                    tr {
                        td { (clean(metric)) }
                        td.number data-label=(before) { (with_unit(&number(*baseline), unit)) }
                        td.number data-label=(after) { (with_unit(&number(*candidate), unit)) }
                        td.number data-label="change" {
                            (change.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string))
                        }
                    }
                }
            }
        }
    }
}

/// Writes the sentinels: those that passed folded away, the others in sight.
fn sentinels(keep: &KeepView) -> Markup {
    let (passed, open): (Vec<&SentinelOutcome>, Vec<&SentinelOutcome>) =
        keep.sentinels.iter().partition(|sentinel| sentinel.state == SentinelState::Passed);
    html! {
        @if !open.is_empty() { ul { @for outcome in open { (sentinel(outcome)) } } }
        @if !passed.is_empty() {
            details {
                summary { (format!("Sentinels that passed: {}", passed.len())) }
                ul { @for outcome in passed { (sentinel(outcome)) } }
            }
        }
    }
}

fn sentinel(outcome: &SentinelOutcome) -> Markup {
    html! {
        li {
            (clean(outcome.metric.as_str())) ": "
            span.flag[outcome.state != SentinelState::Passed] { (state(outcome.state)) }
            span.quiet { " " (clean(&outcome.rule)) }
        }
    }
}

/// Names what became of a sentinel.
fn state(state: SentinelState) -> &'static str {
    match state {
        SentinelState::Passed => "passed",
        SentinelState::Failed => "regressed",
        SentinelState::Unresolved => "unresolved",
        SentinelState::LimitBroken => "limit broken",
        SentinelState::NotEqual => "not equal",
    }
}
