//! The page as a whole: head, headline, and the order of its sections.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{chart, dropped, keeps, terms};
use crate::report::overview::Overview;
use crate::report::plain::clean;
use crate::report::session::Standing;
use crate::report::text::duration;

/// The style of the page: the only text in it that is not escaped.
const STYLE: &str = include_str!("style.css");

/// What the page may load: nothing but its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes the whole page.
pub fn page(view: &Overview) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("autoresearch {}", env!("CARGO_PKG_VERSION")));
                title { (clean(&view.name)) ": " (view.headline.text) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (headline(view)) }
                main {
                    (part("keeps", "Kept", &keeps::table(view)))
                    (part("chart", "Course", &chart::chart(view)))
                    @if !view.headline.metrics.is_empty() { (part("from-base", "From base to tip", &from_base(view))) }
                    @if !view.keeps.is_empty() { (part("each", "Each keep", &keeps::sections(view))) }
                    (part("dropped", "What did not work", &dropped::dropped(view)))
                    @if !view.closed.is_empty() { (part("closed", "Closed ideas", &dropped::closed(view))) }
                    (part("methodology", "Methodology", &terms::methodology(view)))
                    (part("environment", "Environment", &terms::environment(view)))
                    (part("noise", "Noise", &terms::noise(view)))
                }
                footer { p.quiet { (foot(view)) } }
            }
        }
    };
    page.into_string()
}

fn part(id: &str, title: &str, content: &Markup) -> Markup {
    html! { section id=(id) { h2 { (title) } (content) } }
}

fn headline(view: &Overview) -> Markup {
    html! {
        p.eyebrow { (clean(&view.name)) }
        h1.unvalidated[!view.headline.is_validated] { (view.headline.text) }
        (gain(view))
        dl.facts {
            div { dt { "kept" } dd { (view.counts.kept) " of " (view.counts.settled) } }
            div { dt { "at work" } dd { (duration(view.hours * 3600.0)) } }
            div { dt { "branch" } dd { code { (clean(&view.branch)) } } }
            div { dt { "base to tip" } dd { code { (view.base.short()) } " to " code { (view.tip.short()) } } }
            div { dt { "session" } dd { (standing(&view.standing)) } }
        }
    }
}

/// Says what the gain is, or that nobody measured it.
fn gain(view: &Overview) -> Markup {
    let Some(validated) = &view.headline.validated else {
        return html! {
            @if view.counts.kept > 0 {
                p.lead.warning {
                    "Nobody has measured what the keeps gain together: 'autoresearch validate' does. Each effect below was \
                     measured against the best before it; they do not add up."
                }
            }
        };
    };
    html! {
        p.lead {
            span.effect { (validated.change) } " over " (validated.pairs) " fresh pairs of builds from empty caches, "
            code { (validated.base.short()) } " against " code { (validated.tip.short()) } " "
            span.tag.measured { "measured" }
        }
        @if !validated.shown { p.warning { "The interval does not exclude that nothing was gained." } }
        @if validated.falls_short {
            p.warning {
                "This is less than the keeps claim together, by more than two standard errors"
                @if let Some(claimed) = validated.claimed {
                    (format!(" ({claimed:+.1} {})", validated.change.unit))
                }
                ": some of them no longer pay."
            }
        }
        @if let Some(since @ 1..) = view.headline.kept_since {
            p.warning {
                (format!("Keeps that were made later and are not in this figure: {since}; "))
                "'autoresearch validate' measures again."
            }
        }
        @if !validated.remark.is_empty() { p.quiet { (clean(&validated.remark)) } }
    }
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Running { .. } => "running".to_owned(),
        Standing::Stopped { rule, .. } => format!("stopped: {}", rule.to_string().replace('_', " ")),
        Standing::CutOff => "cut off in the middle".to_owned(),
    }
}

fn from_base(view: &Overview) -> Markup {
    html! {
        p { "Every metric over the pairs of the validation; only the primary's interval is the exact one of the headline." }
        (keeps::metrics(&view.headline.metrics, "tip"))
    }
}

fn foot(view: &Overview) -> String {
    let minute = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let last = view.last_event.map(minute).unwrap_or_default();
    format!("Session {}, as its journal stood at {last}; measured by autoresearch {}.", view.session, view.version)
}
