//! The evidence over the pairs, drawn with plain characters.

use crate::report::experiment::ExperimentView;

/// Rows of the plot.
const ROWS: usize = 7;

/// Columns that the pairs get at most; each has two where they fit.
const WIDEST: usize = 100;

/// Draws `ln E` after each pair of the race as `*`, and what a keep needed as a line; nothing where there are fewer than
/// three pairs.
pub(super) fn evidence_plot(view: &ExperimentView) -> String {
    let raced = view.pairs.iter().filter(|pair| !pair.swapped && pair.void.is_none());
    let points: Vec<f64> = raced.filter_map(|pair| pair.ln_e).filter(|ln_e| ln_e.is_finite()).collect();
    let Some(needed) = view.effect.as_ref().filter(|_| points.len() > 2).map(|effect| effect.ln_e_needed) else {
        return String::new();
    };
    let values = || points.iter().copied().chain([0.0, needed]);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let row_of = |value: f64| ROWS - 1 - band((value - low) / (high - low));
    let columns = WIDEST.min(2 * points.len());
    let mut cells = vec![vec![' '; columns]; ROWS];
    cells[row_of(0.0)].fill('.');
    cells[row_of(needed)].fill('-');
    for (n, value) in points.iter().enumerate() {
        cells[row_of(*value)][n * columns / points.len()] = '*';
    }
    let mut text = format!("evidence over the pairs, ln E ('-' is {needed:.1}, what a keep needed; '.' is 0)\n");
    for (row, cells) in cells.iter().enumerate() {
        let label = match row {
            0 => format!("{high:.1}"),
            _ if row == ROWS - 1 => format!("{low:.1}"),
            _ => String::new(),
        };
        let line = format!("  {label:>6} |{}", cells.iter().collect::<String>());
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Returns which row from the bottom a share of 0 to 1 falls into, by the nearest middle.
fn band(share: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to ROWS - 1")]
    let band = (share.clamp(0.0, 1.0) * (ROWS - 1) as f64).round() as usize;
    band
}
