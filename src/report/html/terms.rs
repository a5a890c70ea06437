//! How it was measured: methodology, environment, noise.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::report::overview::Overview;
use crate::report::plain::clean;

/// Writes how the session measured and decided.
pub(super) fn methodology(view: &Overview) -> Markup {
    html! {
        dl {
            @for term in &view.methodology { dt { (term.name) } dd { (clean(&term.text)) } }
        }
    }
}

/// Writes what machine this was, and what the sandbox enforced on it.
pub(super) fn environment(view: &Overview) -> Markup {
    html! {
        (facts(&view.environment))
        @if !view.sandbox.is_empty() { h3 { "Sandbox" } (facts(&view.sandbox)) }
    }
}

fn facts(facts: &BTreeMap<String, String>) -> Markup {
    html! {
        dl {
            @for (name, value) in facts { dt { (clean(&name.replace('_', " "))) } dd { (clean(value)) } }
        }
    }
}

/// Writes what the calibration found of each metric.
pub(super) fn noise(view: &Overview) -> Markup {
    let Some(pairs) = view.calibration_pairs else {
        return html! { p.quiet { "Nothing was calibrated." } };
    };
    html! {
        p { (format!("Found by the last calibration, over {pairs} pairs of the same program.")) }
        table.cards {
            thead { tr { th { "metric" } th { "role" } th { "median" } th { "noise of a pair" } th { "resolves" } } }
            tbody {
                @for metric in &view.noise {
                    tr {
                        td { (clean(&metric.metric)) }
                        td data-label="role" { (clean(&metric.role)) }
                        td data-label="median" { (metric.median) }
                        td data-label="noise of a pair" { (metric.noise) }
                        td data-label="resolves" { (metric.resolves.as_deref().unwrap_or("-")) }
                    }
                }
            }
        }
    }
}
