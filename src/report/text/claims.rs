//! The table of what commits claim against what was measured, as `run` prints it at its end.

use super::tone;
use crate::domain::Flag;
use crate::report::claims::ClaimRow;
use crate::report::grid::{Cell, Column, Grid, Screen};

/// Writes the table, and how many of the commits help; nothing where no commit of a range was tried.
pub fn claims(rows: &[ClaimRow], screen: Screen) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let columns = [
        Column::Text("commit"),
        Column::Text("claimed"),
        Column::Text("measured"),
        Column::Text("verdict"),
        Column::Flexible("subject"),
    ];
    let mut grid = Grid::new(&columns, screen);
    for row in rows {
        grid.row(cells(row));
    }
    let helping = rows.iter().filter(|row| row.helps()).count();
    let (all, help) = (rows.len(), if helping == 1 { "helps" } else { "help" });
    format!(
        "claimed against measured, each commit against the best before it:\n{}{helping} of {all} commits {help}\n",
        grid.text()
    )
}

fn cells(row: &ClaimRow) -> [Cell; 5] {
    let measured = match (&row.change, &row.change_of) {
        (Some(change), Some(metric)) => format!("{change} {metric}"),
        (Some(change), None) => change.to_string(),
        (None, _) => "-".to_owned(),
    };
    let undone = if row.flags.contains(&Flag::Undone) { ", undone" } else { "" };
    let verdict = format!("{} ({}{undone})", row.status, row.reason);
    [
        row.short().into(),
        row.claimed.as_deref().unwrap_or("nothing").into(),
        measured.into(),
        Cell::toned(&verdict, tone(row.status)),
        row.subject.as_str().into(),
    ]
}
