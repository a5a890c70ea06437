//! The table of all experiments, as `log` prints it.

use super::tone;
use crate::domain::{ExperimentId, Flag, Status};
use crate::report::grid::{Cell, Column, Grid, Screen};
use crate::report::session::{ExperimentRow, SessionView};

/// Columns of a screen from which on every experiment's reason has a column of its own.
const WIDE: u16 = 120;

/// Writes every settled experiment, oldest first.
pub fn log(view: &SessionView, screen: Screen) -> String {
    if view.experiments.is_empty() {
        return "no experiment is settled yet\n".to_owned();
    }
    let wide = screen.fits(WIDE);
    let mut grid = Grid::new(&columns(wide), screen);
    for row in &view.experiments {
        grid.row(cells(row, view, wide));
    }
    let validated = view.validated.as_ref().map(|validated| super::validation(validated, view.tip.as_str()));
    grid.text() + &validated.map(|text| format!("\n{text}")).unwrap_or_default()
}

/// Returns the columns in which `log` and `status` list experiments.
pub(super) fn columns(wide: bool) -> Vec<Column> {
    let mut columns = vec![Column::Number("#"), Column::Text("status")];
    if wide {
        columns.push(Column::Text("reason"));
    }
    columns.extend([
        Column::Text("change"),
        Column::Number("pairs"),
        Column::Text("commit"),
        Column::Flexible("description"),
    ]);
    columns
}

pub(super) fn cells(row: &ExperimentRow, view: &SessionView, wide: bool) -> Vec<Cell> {
    let baseline = row.experiment == ExperimentId::BASELINE;
    let status = if baseline { "baseline".into() } else { Cell::toned(&status(row), tone(row.status)) };
    let mut cells = vec![row.experiment.to_string().into(), status];
    if wide {
        cells.push(if baseline { "".into() } else { reason(row).into() });
    }
    let change = match (&row.change, row.metric) {
        (Some(change), _) => match &row.change_of {
            Some(metric) => format!("{change} {metric}"),
            None => change.to_string(),
        },
        (None, Some(metric)) if baseline => view.primary.value(metric),
        (None, _) if wide => String::new(),
        (None, _) => row.reason.to_string(),
    };
    let pairs = if row.pairs == 0 { String::new() } else { row.pairs.to_string() };
    let commit = if row.stands() || baseline { row.commit.short() } else { "" };
    cells.extend([change.into(), pairs.into(), commit.into(), row.description.as_str().into()]);
    cells
}

/// Returns the status; an asterisk marks a keep that a reviewer should look at.
fn status(row: &ExperimentRow) -> String {
    if row.judged_only {
        "keep (no commit)".to_owned()
    } else if row.flags.contains(&Flag::Undone) {
        format!("{} (undone)", row.status)
    } else if row.earlier_base && row.status == Status::Keep && row.experiment != ExperimentId::BASELINE {
        format!("{} (earlier base)", row.status)
    } else if row.flags.is_empty() {
        row.status.to_string()
    } else {
        format!("{}*", row.status)
    }
}

fn reason(row: &ExperimentRow) -> String {
    let flags = row.flags.iter().filter(|flag| **flag != Flag::Undone).map(|flag| format!("; {flag}"));
    std::iter::once(row.reason.to_string()).chain(flags).collect()
}
