//! What guards the change: sentinels, checks, and where a reviewer should look.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::{code, inline};
use crate::domain::{ExperimentId, Flag, SentinelState, Status};
use crate::report::overview::{KeepView, Overview};

/// Files that are listed.
const FILES: usize = 30;

/// Writes what was guarded and what stayed open.
pub(super) fn safety(view: &Overview) -> String {
    let mut text = "## Safety\n\n".to_owned();
    for term in view.methodology.iter().filter(|term| matches!(term.name.as_str(), "checks" | "harness" | "holdout")) {
        let _ = writeln!(text, "- {}: {}", term.name, inline(&term.text));
    }
    let failed: usize =
        view.dropped.iter().filter(|group| group.status == Status::ChecksFailed).map(|group| group.count).sum();
    let _ = writeln!(text, "- {failed} candidates were refused by the gate and are not in this branch");
    for line in sentinels(view) {
        text += &line;
    }
    for (flag, what) in [
        (Flag::SentinelUnresolved, "a sentinel stayed unresolved"),
        (Flag::MechanismUnconfirmed, "none of the metrics that the hypothesis predicted moved"),
        (Flag::RebuildDue, "not yet rebuilt from an empty cache"),
    ] {
        let flagged: Vec<ExperimentId> = with(view, flag).map(|keep| keep.experiment).collect();
        if !flagged.is_empty() {
            let _ = writeln!(text, "- worth a reviewer's eye: {what} ({})", list(&flagged));
        }
    }
    text
}

fn with(view: &Overview, flag: Flag) -> impl Iterator<Item = &KeepView> {
    view.keeps.iter().filter(move |keep| keep.flags.contains(&flag))
}

/// Says of each sentinel how it ended, over all keeps and from base to tip.
fn sentinels(view: &Overview) -> Vec<String> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for outcome in view.keeps.iter().flat_map(|keep| &keep.sentinels) {
        let (passed, open) = counts.entry(outcome.metric.as_str()).or_default();
        *if outcome.state == SentinelState::Passed { passed } else { open } += 1;
    }
    let line = |(metric, (passed, open)): (&str, (usize, usize))| {
        let measured = view.headline.metrics.iter().find(|line| line.metric == metric);
        let change = measured.and_then(|line| line.change.as_ref());
        let overall = change.map(|change| format!("; from base to tip {change}")).unwrap_or_default();
        let open = if open > 0 { format!(", **unresolved at {open}**") } else { String::new() };
        format!("- sentinel {}: passed at {passed} keeps{open}{overall}\n", code(metric))
    };
    counts.into_iter().map(line).collect()
}

/// Lists the files that keeps touch, those of most keeps first.
pub(super) fn files(view: &Overview) -> String {
    let mut files: Vec<(&str, Vec<ExperimentId>)> = view.files().into_iter().collect();
    if files.is_empty() {
        return String::new();
    }
    files.sort_by_key(|(_, keeps)| std::cmp::Reverse(keeps.len()));
    let mut text = "## Files of interest\n\n".to_owned();
    for (file, keeps) in files.iter().take(FILES) {
        let _ = writeln!(text, "- {} ({})", code(file), list(keeps));
    }
    if files.len() > FILES {
        let _ = writeln!(text, "- and {} more", files.len() - FILES);
    }
    text
}

/// Writes numbers of experiments, the first twenty of them.
fn list(experiments: &[ExperimentId]) -> String {
    let numbers = experiments.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut list = format!("{} {numbers}", if experiments.len() == 1 { "experiment" } else { "experiments" });
    if experiments.len() > 20 {
        let _ = write!(list, " and {} more", experiments.len() - 20);
    }
    list
}
