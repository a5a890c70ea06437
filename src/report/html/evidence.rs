//! The pairs of one keep, and the evidence as it grew, as two small drawings.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::scale::Axis;
use crate::report::lens::with_unit;
use crate::report::overview::KeepView;

/// Size of one drawing in its own units.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 120.0;

/// Where the drawn field begins and ends.
const LEFT: f64 = 46.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = HEIGHT - 20.0;

/// Ticks of an axis, about.
const TICKS: u32 = 3;

/// Draws both; `unit` is that of the pairs' changes.
pub(super) fn evidence(keep: &KeepView, unit: &str) -> Markup {
    html! {
        div.plots {
            (changes(keep, unit))
            (growth(keep))
        }
    }
}

fn changes(keep: &KeepView, unit: &str) -> Markup {
    let points: Vec<(u32, f64, bool)> =
        keep.evidence.iter().filter_map(|pair| pair.change.map(|change| (pair.pair, change, pair.swapped))).collect();
    if points.is_empty() {
        return html! {};
    }
    // The pairs of the confirmation begin at 1 again, and stand behind the others.
    let raced = points.iter().filter(|point| !point.2).map(|point| point.0).max().unwrap_or(0);
    let place = |&(pair, _, swapped): &(u32, f64, bool)| f64::from(if swapped { raced + pair } else { pair });
    let x = Axis::over(points.iter().map(place).chain([0.5]), (LEFT, RIGHT));
    let y = Axis::over(points.iter().map(|point| point.1).chain([0.0]), (BOTTOM, TOP));
    let title = format!("Change in each of {} pairs of #{}", points.len(), keep.experiment);
    html! {
        figure.small {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" {
                title { (title) }
                @for tick in y.ticks(TICKS) {
                    line.grid x1=(LEFT) x2=(RIGHT) y1=(y.at(tick)) y2=(y.at(tick)) {}
                    text.y x=(LEFT - 6.0) y=(y.at(tick) + 4.0) { (y.label(tick, TICKS)) }
                }
                line.zero x1=(LEFT) x2=(RIGHT) y1=(y.at(0.0)) y2=(y.at(0.0)) {}
                @for point in &points {
                    circle.pair.swapped[point.2] cx=(x.at(place(point))) cy=(y.at(point.1)) r="3.5" {}
                }
            }
            figcaption {
                (with_unit("Change in each pair", &in_brackets(unit)))
                @if points.iter().any(|point| point.2) { "; hollow: slots swapped, to confirm" }
            }
        }
    }
}

fn in_brackets(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!("[{unit}]") }
}

fn growth(keep: &KeepView) -> Markup {
    let points: Vec<(f64, f64)> = keep
        .evidence
        .iter()
        .filter(|pair| !pair.swapped)
        .filter_map(|pair| pair.ln_e.map(|ln_e| (f64::from(pair.pair), ln_e)))
        .collect();
    let Some(needed) = keep.ln_e_needed.filter(|_| !points.is_empty()) else {
        return html! {};
    };
    let x = Axis::over(points.iter().map(|point| point.0).chain([0.5]), (LEFT, RIGHT));
    let y = Axis::over(points.iter().map(|point| point.1).chain([0.0, needed]), (BOTTOM, TOP));
    let mut path = String::new();
    for (n, point) in points.iter().enumerate() {
        let _ = write!(path, "{}{} {}", if n == 0 { 'M' } else { 'L' }, x.at(point.0), y.at(point.1));
    }
    html! {
        figure.small {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" {
                title { (format!("Evidence for #{} over its pairs", keep.experiment)) }
                @for tick in y.ticks(TICKS) {
                    line.grid x1=(LEFT) x2=(RIGHT) y1=(y.at(tick)) y2=(y.at(tick)) {}
                    text.y x=(LEFT - 6.0) y=(y.at(tick) + 4.0) { (y.label(tick, TICKS)) }
                }
                line.needed x1=(LEFT) x2=(RIGHT) y1=(y.at(needed)) y2=(y.at(needed)) {}
                path.growth d=(path) {}
                @for point in &points { circle.pair cx=(x.at(point.0)) cy=(y.at(point.1)) r="3" {} }
            }
            figcaption { (format!("Evidence (ln E) over the pairs; a keep needed {needed:.1}")) }
        }
    }
}
