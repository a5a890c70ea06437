//! The table of all experiments, as `log` prints it.

use super::tone;
use crate::domain::{ExperimentId, Flag, Status};
use crate::report::grid::{Cell, Column, Grid, Screen};
use crate::report::session::{ExperimentRow, SessionView};

/// Columns of a screen from which on every experiment's reason has a column of its own.
const WIDE: u16 = 120;

/// Columns of a screen below which a change stands without its interval, and pairs and commit are left out.
const NARROW: u16 = 72;

/// How much of an experiment fits in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// The change alone.
    Narrow,
    /// The change with its interval, pairs and commit.
    Usual,
    /// All that, and the reason.
    Wide,
}

impl Room {
    pub(super) fn on(screen: Screen) -> Self {
        match (screen.fits(WIDE), screen.fits(NARROW)) {
            (true, _) => Self::Wide,
            (false, true) => Self::Usual,
            (false, false) => Self::Narrow,
        }
    }
}

/// Writes the listed experiments out of so many settled ones, oldest first.
pub fn log(view: &SessionView, settled: usize, screen: Screen) -> String {
    if settled == 0 {
        return "no experiment is settled yet\n".to_owned();
    }
    let listed = view.experiments.len();
    if listed == 0 {
        return format!("none of the {settled} settled experiments is like that\n");
    }
    let room = Room::on(screen);
    let mut grid = Grid::new(&columns(room), screen);
    for row in &view.experiments {
        grid.row(cells(row, view, room));
    }
    if listed < settled {
        return grid.text() + &format!("\n{listed} of {settled} settled experiments\n");
    }
    let validated = view.validated.as_ref().map(|validated| super::validation(validated, view.tip.as_str()));
    grid.text() + &validated.map(|text| format!("\n{text}")).unwrap_or_default()
}

/// Returns the columns in which `log` and `status` list experiments.
pub(super) fn columns(room: Room) -> Vec<Column> {
    let mut columns = vec![Column::Number("#"), Column::Text("status")];
    if room == Room::Wide {
        columns.push(Column::Text("reason"));
    }
    columns.push(Column::Text("change"));
    if room != Room::Narrow {
        columns.extend([Column::Number("pairs"), Column::Text("commit")]);
    }
    columns.push(Column::Flexible("description"));
    columns
}

pub(super) fn cells(row: &ExperimentRow, view: &SessionView, room: Room) -> Vec<Cell> {
    let baseline = row.experiment == ExperimentId::BASELINE;
    let status = if baseline { "baseline".into() } else { Cell::toned(&status(row), tone(row.status)) };
    let mut cells = vec![row.experiment.to_string().into(), status];
    if room == Room::Wide {
        cells.push(if baseline { "".into() } else { reason(row).into() });
    }
    cells.push(change(row, view, room).into());
    if room != Room::Narrow {
        let pairs = if row.pairs == 0 { String::new() } else { row.pairs.to_string() };
        let commit = if row.stands() || baseline { row.commit.short() } else { "" };
        cells.extend([pairs.into(), commit.into()]);
    }
    cells.push(row.description.as_str().into());
    cells
}

fn change(row: &ExperimentRow, view: &SessionView, room: Room) -> String {
    match (&row.change, row.metric) {
        (Some(change), _) if room == Room::Narrow => change.short(),
        (Some(change), _) => match &row.change_of {
            Some(metric) => format!("{change} {metric}"),
            None => change.to_string(),
        },
        (None, Some(metric)) if row.experiment == ExperimentId::BASELINE => view.primary.value(metric),
        (None, _) if room == Room::Wide => String::new(),
        (None, _) => row.reason.to_string(),
    }
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
