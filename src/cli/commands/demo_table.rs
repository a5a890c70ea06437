//! The demo's table: what was found, what is true, and what one noisy run would have kept.

use crate::domain::{Change, Settings, Status};
use crate::engine::demo::{Found, Row};
use crate::engine::truth::Agreement;
use crate::report;

/// Writes the table and the line that sums it up.
pub(in crate::cli) fn table(rows: &[Row], settings: &Settings) -> String {
    let head = ["candidate", "effect", "runs", "verdict", "truth", "agrees", "one run vs best"];
    let cells = rows.iter().map(|row| cells(row, settings)).collect::<Vec<_>>();
    format!("\n{}\n{}\n", report::table(&head, &cells), sum_up(rows))
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

fn sum_up(rows: &[Row]) -> String {
    let agreed = rows.iter().filter(|row| row.agrees()).count();
    let kept = rows.iter().filter_map(|row| row.found.as_ref()).filter(|f| f.run.status == Status::Keep).count();
    let measured = rows.iter().filter(|row| row.naive_is_wrong().is_some()).count();
    let wrong = rows.iter().filter(|row| row.naive_is_wrong() == Some(true)).count();
    format!(
        "{agreed} of {} verdicts agree with the truth; {kept} kept. Keeping whatever beats the best number of one run\n\
         would have been wrong on {wrong} of the {measured} candidates that were measured.",
        rows.len()
    )
}
