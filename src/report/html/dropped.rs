//! What did not work: candidates by reason and mechanism, reverted keeps, and closed ideas.

use maud::{Markup, html};

use crate::report::overview::{DroppedGroup, DroppedRow, Overview};
use crate::report::plain::{clean, reflow};

/// Candidates of one reason that are listed; the journal has all.
const LISTED: usize = 100;

/// Writes what was tried and not kept, by reason and by the mechanism that its proposer names.
pub(super) fn dropped(view: &Overview) -> Markup {
    html! {
        @if view.dropped.is_empty() && view.undone.is_empty() { p.quiet { "Everything that was tried was kept." } }
        @for gone in &view.undone {
            p.item {
                "#" (gone.experiment) " " (clean(&gone.description))
                @if let Some(change) = &gone.change { " (" (change) ")" }
                " was kept and later reverted: " (clean(&gone.why))
            }
        }
        @for group in &view.dropped { (reason(group)) }
    }
}

fn reason(group: &DroppedGroup) -> Markup {
    html! {
        details open[group.count <= 12] {
            summary {
                strong { (group.reason.to_string().replace('_', " ")) } " "
                span.quiet { (group.status) ", " (group.count) }
            }
            @for (mechanism, rows) in listed(group) {
                @if let Some(text) = mechanism {
                    p.mechanism { (clean(text)) " " span.tag { "told by the proposer" } }
                }
                ul { @for row in rows { li { (one(row)) } } }
            }
            @if group.count > LISTED {
                p.quiet { "and " (group.count - LISTED) " more; 'autoresearch log' lists them" }
            }
        }
    }
}

/// Returns the first candidates of a reason, by mechanism.
fn listed(group: &DroppedGroup) -> Vec<(Option<&str>, &[DroppedRow])> {
    let mut left = LISTED;
    let mut listed = Vec::new();
    for mechanism in &group.mechanisms {
        let shown = left.min(mechanism.experiments.len());
        left -= shown;
        if shown > 0 {
            listed.push((mechanism.mechanism.as_deref(), &mechanism.experiments[..shown]));
        }
    }
    listed
}

fn one(row: &DroppedRow) -> Markup {
    html! {
        span.number { "#" (row.experiment) } " " (clean(&row.description))
        @if let Some(change) = &row.change {
            " " span.effect { (change) @if let Some(metric) = &row.change_of { " " (metric) } }
        }
        @if let Some(detail) = &row.detail { " " span.quiet { (clean(detail)) } }
    }
}

/// Writes what ideas.md closes.
pub(super) fn closed(view: &Overview) -> Markup {
    html! {
        @for idea in &view.closed {
            div.item {
                p { (reflow(&idea.text)) }
                p.quiet {
                    "closed"
                    @if !idea.experiments.is_empty() {
                        " by " (idea.experiments.iter().map(|id| format!("#{id}")).collect::<Vec<_>>().join(", "))
                    }
                    @if let Some(reopen) = &idea.reopen { "; may be tried again when: " (clean(reopen)) }
                }
            }
        }
    }
}
