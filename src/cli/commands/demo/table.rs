//! The demo's tables: what was found, what is true, and what one noisy run would have kept.

use std::fmt::Write as _;

use super::trial::Trial;
use crate::domain::{Change, Settings, Status, Validated};
use crate::engine::demo::{Found, Row};
use crate::engine::truth::Agreement;
use crate::report;

const HEAD: [&str; 7] = ["candidate", "effect", "runs", "verdict", "truth", "agrees", "one run vs best"];

/// Writes the table of a trial and the lines that sum it up.
pub(super) fn table(trial: &Trial) -> String {
    format!("\n{}\n{}\n", report::table(&HEAD, &all_cells(trial)), sum_up(trial))
}

/// Writes the tables of trials in Markdown.
pub(super) fn markdown(trials: &[Trial], size: &str) -> String {
    let mut text = heading("Verdicts against the truth");
    if trials.len() > 1 {
        let _ = write!(
            text,
            "{}\n{}\n",
            report::markdown_table(&SUMMARY_HEAD, &summary_cells(trials)),
            summary_words(trials)
        );
    }
    for trial in trials {
        let table = report::markdown_table(&HEAD, &all_cells(trial));
        let _ = write!(text, "## {} ({size})\n\n{table}\n{}\n", trial.name, sum_up(trial));
    }
    text.trim_end().to_owned() + "\n"
}

/// Begins a generated page: what it is, and what wrote it.
pub(super) fn heading(title: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "# {title}\n\nWritten by `autoresearch demo` {version} with `--table`, on {cores} cores; not edited by hand.\n\n"
    )
}

/// Writes one line for each experiment, and in how many everything agrees.
pub(super) fn summary(trials: &[Trial]) -> String {
    format!("\n{}\n{}", report::table(&SUMMARY_HEAD, &summary_cells(trials)), summary_words(trials))
}

const SUMMARY_HEAD: [&str; 6] = ["experiment", "verdicts", "keeps", "end state", "took", "agrees"];

fn summary_words(trials: &[Trial]) -> String {
    let agreed = trials.iter().filter(|trial| trial.agrees()).count();
    format!("{agreed} of {} experiments agree with the truth.\n", trials.len())
}

fn summary_cells(trials: &[Trial]) -> Vec<Vec<String>> {
    let cells = |trial: &Trial| {
        let end = |v: &Validated| format!("{} {}", v.metric, v.change().short());
        vec![
            trial.name.clone(),
            format!("{} of {}", agreed(&trial.rows), trial.rows.len()),
            kept(&trial.rows).to_string(),
            trial.validated.as_ref().map_or_else(|| "-".to_owned(), end),
            format!("{} s", trial.took.as_secs()),
            if trial.agrees() { "yes" } else { "NO" }.to_owned(),
        ]
    };
    trials.iter().map(cells).collect()
}

fn all_cells(trial: &Trial) -> Vec<Vec<String>> {
    trial.rows.iter().map(|row| cells(row, &trial.settings)).collect()
}

fn cells(row: &Row, settings: &Settings) -> Vec<String> {
    let found = row.found.as_ref();
    vec![
        row.truth.patch.trim_end_matches(".patch").to_owned(),
        found.map_or_else(String::new, |f| effect(f, settings)),
        found.map_or_else(String::new, |f| if f.runs == 0 { "-".to_owned() } else { f.runs.to_string() }),
        found.map_or_else(|| "not tried".to_owned(), |f| format!("{} ({})", f.run.status, f.run.reason)),
        truth(row),
        agreement(&row.agreement),
        naive(row),
    ]
}

/// Names the outcomes that are right, the first two of them where there are many.
fn truth(row: &Row) -> String {
    let mut reasons: Vec<String> = row.truth.expected.iter().map(|e| e.reason.to_string()).collect();
    reasons.dedup();
    let more = if reasons.len() > 2 { ", ..." } else { "" };
    reasons.truncate(2);
    reasons.join(" or ") + more
}

fn effect(found: &Found, settings: &Settings) -> String {
    let Some(effect) = &found.run.effect else { return "-".to_owned() };
    Change::of_effect(
        (effect.gain, effect.low, effect.high),
        effect.scale,
        settings.objective(found.run.effect_of).direction,
    )
    .to_string()
}

fn agreement(agreement: &Agreement) -> String {
    match agreement {
        Agreement::Agrees => "yes".to_owned(),
        Agreement::Differs => "NO".to_owned(),
        Agreement::OutOfBand { band } => format!("NO: outside {:+} to {:+} %", band.0, band.1),
        Agreement::Undefined { needs } => format!("open: needs {}", needs.trim_end_matches(".patch")),
        Agreement::NotTried => "NO: not tried".to_owned(),
    }
}

fn naive(row: &Row) -> String {
    match (row.found.as_ref().and_then(|f| f.naive_keep), row.naive_is_wrong()) {
        (Some(true), Some(true)) => "keep (wrong)".to_owned(),
        (Some(false), Some(true)) => "drop (wrong)".to_owned(),
        (Some(true), _) => "keep".to_owned(),
        (Some(false), _) => "drop".to_owned(),
        (None, _) => "-".to_owned(),
    }
}

fn agreed(rows: &[Row]) -> usize {
    rows.iter().filter(|row| row.agrees()).count()
}

fn kept(rows: &[Row]) -> usize {
    rows.iter().filter_map(|row| row.found.as_ref()).filter(|found| found.run.status == Status::Keep).count()
}

fn sum_up(trial: &Trial) -> String {
    let rows = &trial.rows;
    let measured = rows.iter().filter(|row| row.naive_is_wrong().is_some()).count();
    let wrong = rows.iter().filter(|row| row.naive_is_wrong() == Some(true)).count();
    format!(
        "{} of {} verdicts agree with the truth; {} kept. Keeping whatever beats the best number of one run\n\
         would have been wrong on {wrong} of the {measured} candidates that were measured.\n{}",
        agreed(rows),
        rows.len(),
        kept(rows),
        end(trial)
    )
}

/// Says what all keeps reach together, and whether that is what they must reach.
fn end(trial: &Trial) -> String {
    let Some(validated) = &trial.validated else {
        return if trial.end.is_some() { "All keeps together: not validated. NO\n".to_owned() } else { String::new() };
    };
    let mut text =
        format!("All keeps together: {} {} in {} fresh pairs", validated.metric, validated.change(), validated.pairs);
    if let (Some(end), Some(right)) = (&trial.end, trial.end_is_right()) {
        let answer = if right { "yes" } else { "NO" };
        let _ = write!(text, "; the truth is {:+} or less of {}: {answer}", end.at_most, end.metric);
    }
    text + ".\n"
}
