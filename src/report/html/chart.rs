//! The primary over the experiments, as a drawing within the page.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::scale::Axis;
use crate::domain::{ExperimentId, Status};
use crate::report::overview::{Overview, Point};

/// Size of a drawing in its own units, for a wide page and for a telephone.
const WIDE: (f64, f64) = (860.0, 300.0);
const SMALL: (f64, f64) = (400.0, 300.0);

/// What is left around the drawn field.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 34.0;

/// Ticks of an axis, about.
const TICKS: u32 = 5;

/// Keeps that are drawn each with its interval and its own hint; more of them are dots only.
const HINTS: usize = 400;

/// Share of dropped candidates at each end whose values do not stretch the axis.
const OUTLIERS: f64 = 0.02;

/// Draws every measured experiment: keeps with their interval, what was dropped, and the baseline.
///
/// The page holds the drawing in two widths, of which one is shown: letters that are to be read cannot shrink with it.
pub(super) fn chart(view: &Overview) -> Markup {
    if view.points.is_empty() {
        return html! { p.quiet { "Nothing was measured yet." } };
    }
    html! {
        figure {
            (drawing(view, "chart wide", WIDE))
            (drawing(view, "chart small", SMALL))
            figcaption {
                (format!("{} of each measured candidate, median of its runs", view.primary.metric))
                @if !view.primary.unit.is_empty() { (format!(", in {}", view.primary.unit)) }
                (format!("; {} is better. ", view.primary.direction))
                span.key.kept { "kept" } " with the interval of its change, applied to the baseline beside it; "
                span.key.dropped { "not kept" }
                "; the line is the first baseline. The machine's drift moves all of them: the gain is the headline, not \
                 the distance in this chart."
            }
        }
    }
}

fn drawing(view: &Overview, class: &str, (width, height): (f64, f64)) -> Markup {
    let last = view.points.last().map_or(0, |point| point.experiment.0);
    let x = Axis::over([0.0, f64::from(last)], (LEFT, width - RIGHT));
    let y = Axis::over(span(&view.points), (height - BOTTOM, TOP));
    let kept = |point: &&Point| point.status == Status::Keep && point.experiment != ExperimentId::BASELINE;
    let keeps: Vec<&Point> = view.points.iter().filter(kept).collect();
    let title = format!("{} over {} experiments", view.primary.metric, view.counts.settled);
    html! {
        svg class=(class) viewBox=(format!("0 0 {width} {height}")) role="img" {
            title { (title) }
            (axes(x, y, (width, height)))
            path.dropped d=(dots(view.points.iter().filter(|point| !kept(point) && !baseline(point)), x, y)) {}
            @for point in view.points.iter().filter(baseline) {
                line.baseline x1=(LEFT) x2=(width - RIGHT) y1=(y.at(point.value)) y2=(y.at(point.value)) {}
            }
            @if keeps.len() > HINTS {
                path.kept d=(dots(keeps.iter().copied(), x, y)) {}
            } @else {
                @for keep in &keeps { (keep_mark(keep, x, y)) }
            }
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a filter hands over a reference")]
fn baseline(point: &&Point) -> bool {
    point.experiment == ExperimentId::BASELINE
}

/// Returns the values that the axis must hold: all that was kept, and of the rest all but the outermost.
fn span(points: &[Point]) -> Vec<f64> {
    let (kept, mut rest): (Vec<&Point>, Vec<&Point>) = points.iter().partition(|point| point.status == Status::Keep);
    rest.sort_by(|a, b| a.value.total_cmp(&b.value));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let cut = (OUTLIERS * rest.len() as f64).ceil() as usize;
    let cut = if kept.is_empty() { 0 } else { cut };
    let middle = rest.get(cut..rest.len().saturating_sub(cut)).unwrap_or_default();
    let intervals = kept.iter().filter_map(|point| point.interval).flat_map(|(low, high)| [low, high]);
    kept.iter().chain(middle).map(|point| point.value).chain(intervals).collect()
}

fn axes(x: Axis, y: Axis, (width, height): (f64, f64)) -> Markup {
    html! {
        @for tick in y.ticks(TICKS) {
            line.grid x1=(LEFT) x2=(width - RIGHT) y1=(y.at(tick)) y2=(y.at(tick)) {}
            text.y x=(LEFT - 8.0) y=(y.at(tick) + 4.0) { (y.label(tick, TICKS)) }
        }
        @for tick in x.ticks(TICKS).into_iter().filter(|tick| tick.fract() == 0.0) {
            text.x x=(x.at(tick)) y=(height - BOTTOM + 22.0) { "#" (tick) }
        }
    }
}

/// Writes points as one path of lines without length, which round caps make dots.
fn dots<'p>(points: impl Iterator<Item = &'p Point>, x: Axis, y: Axis) -> String {
    let mut path = String::new();
    for point in points {
        let _ = write!(path, "M{} {}h0", x.at(f64::from(point.experiment.0)), y.at(point.value));
    }
    path
}

fn keep_mark(point: &Point, x: Axis, y: Axis) -> Markup {
    let (at, value) = (x.at(f64::from(point.experiment.0)), y.at(point.value));
    html! {
        g.kept {
            title { "#" (point.experiment) ": " (point.value) }
            @if let Some((low, high)) = point.interval {
                line x1=(at) x2=(at) y1=(y.at(low)) y2=(y.at(high)) {}
            }
            circle cx=(at) cy=(value) r="4.5" {}
        }
    }
}
