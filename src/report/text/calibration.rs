//! What a calibration says, as `calibrate` prints it.

use std::fmt::Write as _;

use super::forecast::forecast;
use super::runs_plot::runs_plot;
use super::{duration, labelled};
use crate::report::calibration::{CalibrationReport, MetricReport, TestedView};
use crate::report::grid::Screen;

/// Writes every metric in plain words, the runs of the primary as a plot, and the forecast.
pub fn calibration(report: &CalibrationReport, screen: Screen) -> String {
    let again = if report.reused { ", made earlier and still good" } else { "" };
    let mut text = format!(
        "calibrated at {} over {} pairs of the same program, {} a run{again}\n",
        report.commit.get(..10).unwrap_or(&report.commit),
        report.pairs,
        duration(report.run_s)
    );
    for metric in &report.metrics {
        text += &one_metric(metric);
        if metric.role == "primary" {
            text += &runs_plot(metric, screen);
        }
    }
    if let Some(view) = &report.forecast {
        let _ = write!(text, "\n{}", forecast(view));
        if let Some(warning) = &view.warning {
            let _ = writeln!(text, "warning: {warning}");
        }
    }
    text
}

fn one_metric(metric: &MetricReport) -> String {
    let role = if metric.role == "primary" { "primary".to_owned() } else { format!("sentinel '{}'", metric.role) };
    let mut text = format!("\n{} ({role}, {} is better)\n", metric.lens.metric, metric.lens.direction);
    text += &labelled("  median", &metric.lens.value(metric.median));
    let spread = metric.run_spread.map(|spread| format!("a run scatters by {}, ", metric.size(spread)));
    let noise = format!("a pair by {}; beyond {} is a jump", metric.size(metric.noise), metric.size(metric.jump));
    text += &labelled("  noise", &(spread.unwrap_or_default() + &noise));
    let (bias, se) = (metric.size(metric.slot_bias.abs()), metric.size(metric.slot_bias_se));
    let better = if metric.slot_bias > 0.0 { 'b' } else { 'a' };
    text += &labelled("  slots", &format!("{better} is {bias} better, standard error {se}"));
    text += &labelled("  drift", &tested(metric, metric.drift, "from the first run to the last"));
    text += &labelled("  order", &tested(metric, metric.order, "in the second run of a pair"));
    let levels = metric.levels.map(|levels| {
        format!("two, {} apart, {:.0} % of the runs worse", metric.size(levels.distance), 100.0 * levels.worse_share)
    });
    text += &labelled("  levels", &levels.unwrap_or_else(|| "one".to_owned()));
    text += &labelled("  outliers", &format!("{} of {} runs", metric.outliers, metric.runs.len()));
    if let Some(resolves) = metric.resolves {
        let what = if metric.role == "primary" { "the smallest effect is" } else { "the tolerance held is" };
        text += &labelled("  resolves", &format!("{what} {}", metric.size(resolves)));
    }
    for finding in &metric.findings {
        let _ = writeln!(text, "  ! {}\n    -> {}", finding.what, finding.cure);
    }
    text
}

fn tested(metric: &MetricReport, tested: Option<TestedView>, when: &str) -> String {
    let Some(tested) = tested else { return String::new() };
    let worse = if tested.value > 0.0 { "worse" } else { "better" };
    let word = if tested.significant { format!("p {:.4}", tested.p) } else { format!("chance, p {:.2}", tested.p) };
    format!("{} {worse} {when} ({word})", metric.size(tested.value.abs()))
}
