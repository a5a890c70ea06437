//! The runs of a calibration in order of time, drawn with plain characters.

use crate::domain::number;
use crate::report::calibration::{MetricReport, RunView};
use crate::report::grid::Screen;

/// Rows of the plot.
const ROWS: usize = 7;

/// Columns where the terminal does not say.
const COLUMNS: usize = 80;

/// Columns that runs get at least and at most; each run has two where they fit.
const NARROWEST: usize = 10;
const WIDEST: usize = 120;

/// Draws each run as the letter of its slot, early runs left, large values above; `*` where runs of both slots meet.
pub(super) fn runs_plot(metric: &MetricReport, screen: Screen) -> String {
    let values = || metric.runs.iter().map(|run| run.value).filter(|value| value.is_finite());
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    if low >= high {
        return String::new();
    }
    let labels = [number(high), number(f64::midpoint(low, high)), number(low)];
    let margin = labels.iter().map(String::len).max().unwrap_or(0);
    let room = screen.width.map_or(COLUMNS, usize::from).saturating_sub(margin + 5).clamp(NARROWEST, WIDEST);
    let columns = room.min(2 * metric.runs.len());
    let mut cells = vec![vec![' '; columns]; ROWS];
    for (index, run) in metric.runs.iter().enumerate() {
        let row = ROWS - 1 - share((run.value - low) / (high - low), ROWS);
        mark(&mut cells[row][index * columns / metric.runs.len()], run);
    }
    let mut text = String::from("  runs in order of time: a = the baseline's slot, b = the candidate's\n");
    for (row, cells) in cells.iter().enumerate() {
        let label = match row {
            0 => &labels[0],
            _ if row == ROWS / 2 => &labels[1],
            _ if row == ROWS - 1 => &labels[2],
            _ => "",
        };
        let line = format!("  {label:>margin$} |{}", cells.iter().collect::<String>());
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn mark(cell: &mut char, run: &RunView) {
    *cell = if *cell == ' ' || *cell == run.slot { run.slot } else { '*' };
}

/// Returns which of `count` equal bands a share of 0 to 1 falls into, by the nearest middle.
fn share(share: f64, count: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to count - 1")]
    let band = (share.clamp(0.0, 1.0) * (count - 1) as f64).round() as usize;
    band
}
