//! The catalogue of ideas, as `ideas list` and `ideas search` print it.

use crate::report::grid::{Cell, Column, Grid, Screen, Tone};
use crate::report::ideas::{IdeaState, IdeaView, IdeasView};

/// Writes the entries, each state in a table of its own.
pub fn ideas(view: &IdeasView, screen: Screen) -> String {
    if view.ideas.is_empty() {
        return format!("there is no idea in {}\n", view.file);
    }
    let tables = view.ideas.chunk_by(|a, b| a.state == b.state);
    tables.map(|ideas| table(ideas, screen)).collect::<Vec<_>>().join("\n")
}

fn table(ideas: &[IdeaView], screen: Screen) -> String {
    let state = ideas[0].state;
    let closed = matches!(state, IdeaState::Closed | IdeaState::Reopened);
    let mut columns = vec![Column::Number("line"), Column::Text("name")];
    if closed {
        columns.push(Column::Text("reopen"));
    }
    columns.push(Column::Flexible(if closed { "why" } else { "what" }));
    let mut grid = Grid::new(&columns, screen);
    for idea in ideas {
        // An entry without a name is called by its first words, which stand in the last column.
        let name = if idea.id.is_none() && idea.text.starts_with(&idea.name) { "-" } else { &idea.name };
        let mut cells: Vec<Cell> = vec![idea.line.to_string().into(), name.into()];
        if closed {
            cells.push(reopen(idea));
        }
        cells.push(idea.mechanism.as_ref().filter(|_| closed).unwrap_or(&idea.text).into());
        grid.row(cells);
    }
    format!("{} ({})\n{}", title(state), ideas.len(), grid.text())
}

fn title(state: IdeaState) -> &'static str {
    match state {
        IdeaState::ToTry => "to try",
        IdeaState::FollowUp => "for people",
        IdeaState::Reopened => "closed, and open again: the condition holds",
        IdeaState::Tried => "tried",
        IdeaState::Closed => "closed: refused before anything runs",
        IdeaState::Settled => "settled by people",
        IdeaState::Other => "elsewhere in the file",
    }
}

fn reopen(idea: &IdeaView) -> Cell {
    match &idea.reopen {
        None => "by a person".into(),
        Some(reopen) if reopen.holds => Cell::toned(&reopen.standing, Tone::Good),
        Some(reopen) if reopen.known => reopen.standing.as_str().into(),
        Some(reopen) => reopen.condition.as_str().into(),
    }
}
