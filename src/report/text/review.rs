//! The keeps in the order in which to look at them, as `review` prints them.

use crate::report::grid::{Cell, Column, Grid, Screen, Tone};
use crate::report::review::{ReviewRow, ReviewView};

use crate::domain::Review;

/// Writes the table, the sentence that sums it up, and what to do next.
pub fn review(view: &ReviewView, screen: Screen) -> String {
    if view.rows.is_empty() {
        return "nothing is kept, so there is nothing to review\n".to_owned();
    }
    let columns = [
        Column::Number("#"),
        Column::Text("change"),
        Column::Number("lines"),
        Column::Number("files"),
        Column::Number("so far"),
        Column::Text("look twice at"),
        Column::Text("decided"),
        Column::Flexible("description"),
    ];
    let mut grid = Grid::new(&columns, screen);
    for row in &view.rows {
        grid.row(cells(row));
    }
    let mut text = grid.text();
    text.extend(view.sentence().map(|sentence| format!("\n{sentence}\n")));
    if view.rows.iter().any(|row| !row.on_final_code) {
        text += "* as it was raced; 'autoresearch validate --leave-one-out' measures what is left of it on the final code\n";
    }
    if view.rows.iter().any(|row| row.review.is_none()) {
        text += "decide with 'autoresearch accept N...', 'reject N --because TEXT', 'later N...'; 'autoresearch show N' shows one whole\n";
    }
    text
}

fn cells(row: &ReviewRow) -> Vec<Cell> {
    let raced = if row.on_final_code { "" } else { "*" };
    let change = row.change.as_ref().map_or_else(|| "-".to_owned(), |change| format!("{change}{raced}"));
    let marks: Vec<String> =
        row.cost.marks.iter().map(|mark| (*mark).to_owned()).chain(row.flags.iter().map(ToString::to_string)).collect();
    let (decided, tone) = match row.review {
        None => ("-".to_owned(), Tone::Plain),
        Some(review @ Review::Accepted) => (review.to_string(), Tone::Good),
        Some(review @ Review::Rejected) => (review.to_string(), Tone::Bad),
        Some(review @ Review::Later) => (review.to_string(), Tone::Mild),
    };
    vec![
        row.experiment.to_string().into(),
        change.into(),
        row.cost.lines.to_string().into(),
        row.cost.files.to_string().into(),
        format!("{:.0} %", 100.0 * row.cumulative).into(),
        if marks.is_empty() { "-".into() } else { Cell::toned(&marks.join(", "), Tone::Odd) },
        Cell::toned(&decided, tone),
        row.description.as_str().into(),
    ]
}
