//! Tables for a terminal: one line a row, the flexible column cut to what the width leaves.

use comfy_table::{CellAlignment, Color, ColumnConstraint, ContentArrangement, Row, Table, presets};

/// Columns that the flexible column keeps at least, however narrow the terminal is.
const NARROWEST: u16 = 12;

/// What a text is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// Columns; `None` where nothing has to fit, such as in a file.
    pub width: Option<u16>,
    /// Whether to use colours.
    pub colour: bool,
}

impl Screen {
    /// Looks at standard output: its width where it is a terminal. Colours are for the caller to strip.
    pub fn of_stdout() -> Self {
        Self { width: Table::new().width(), colour: true }
    }

    /// Says whether there is room for this many columns.
    pub fn fits(self, columns: u16) -> bool {
        self.width.is_none_or(|width| width >= columns)
    }
}

/// How a cell is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// A win.
    Good,
    /// Neither won nor broken.
    Mild,
    /// The gate refused.
    Odd,
    /// Broken.
    Bad,
}

impl Tone {
    fn colour(self) -> Option<Color> {
        match self {
            Self::Plain => None,
            Self::Good => Some(Color::DarkGreen),
            Self::Mild => Some(Color::DarkYellow),
            Self::Odd => Some(Color::DarkMagenta),
            Self::Bad => Some(Color::DarkRed),
        }
    }
}

/// The text of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// Makes a cell with a tone; what a terminal would obey is taken out of the text.
    pub fn toned(text: &str, tone: Tone) -> Self {
        Self { text: one_line(text), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text.as_ref(), Tone::Plain)
    }
}

/// A column of a [`Grid`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Text, as wide as its content.
    Text(&'static str),
    /// Numbers, set right.
    Number(&'static str),
    /// Text that gives way when the terminal is narrow.
    Flexible(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Text(title) | Self::Number(title) | Self::Flexible(title) => title,
        }
    }
}

/// A table: a header, rows of one line each, no rules. Every row has as many cells as there are columns.
#[derive(Debug)]
pub struct Grid {
    columns: Vec<Column>,
    table: Table,
    screen: Screen,
}

impl Grid {
    /// Begins a table.
    pub fn new(columns: &[Column], screen: Screen) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty().set_header(columns.iter().map(|c| c.title()));
        Self { columns: columns.to_vec(), table, screen }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells = cells.into_iter().map(|cell| match cell.tone.colour() {
            Some(colour) if self.screen.colour => comfy_table::Cell::new(cell.text).fg(colour),
            Some(_) | None => comfy_table::Cell::new(cell.text),
        });
        let mut row = Row::from(cells);
        row.max_height(1);
        self.table.add_row(row);
    }

    /// Writes the table, each line ended.
    pub fn text(mut self) -> String {
        if self.screen.colour {
            self.table.enforce_styling();
        }
        if let Some(width) = self.screen.width {
            self.table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.saturating_sub(1));
        }
        for (index, column) in self.columns.iter().enumerate() {
            let Some(drawn) = self.table.column_mut(index) else { continue };
            drawn.set_padding((u16::from(index > 0) * 2, 0));
            match column {
                Column::Text(_) => drawn.set_constraint(ColumnConstraint::ContentWidth),
                Column::Number(_) => {
                    drawn.set_cell_alignment(CellAlignment::Right);
                    drawn.set_constraint(ColumnConstraint::ContentWidth)
                }
                Column::Flexible(_) => {
                    drawn.set_constraint(ColumnConstraint::LowerBoundary(comfy_table::Width::Fixed(NARROWEST)))
                }
            };
        }
        let mut text = self.table.trim_fmt();
        text.push('\n');
        text
    }
}

/// Writes a plain table whose last column gives way on a narrow terminal.
pub fn table(head: &[&'static str], rows: &[Vec<String>]) -> String {
    let last = head.len().saturating_sub(1);
    let column = |(index, title): (usize, &&'static str)| {
        if index == last { Column::Flexible(title) } else { Column::Text(title) }
    };
    let columns: Vec<Column> = head.iter().enumerate().map(column).collect();
    let mut grid = Grid::new(&columns, Screen::of_stdout());
    for row in rows {
        grid.row(row.iter().map(Cell::from));
    }
    grid.text()
}

/// Writes a table in Markdown.
pub fn markdown_table(head: &[&'static str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(head.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell).replace('|', "\\|")));
    }
    table.trim_fmt() + "\n"
}

/// Makes a text safe to show on one line: blanks for line breaks, U+FFFD for what a terminal would obey.
///
/// Descriptions and logs come from candidates; an escape sequence in one must not move the cursor or hide a line.
pub fn one_line(text: &str) -> String {
    let safe = |c: char| match c {
        '\n' | '\t' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.trim_end().replace("\r\n", "\n").chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_in_markdown_has_a_line_below_its_head_and_no_bar_of_a_cell_divides_it() {
        let text = markdown_table(&["a", "long"], &[vec!["1 | 2".to_owned(), "x".to_owned()]]);
        assert_eq!(text, "| a      | long |\n|--------|------|\n| 1 \\| 2 | x    |\n");
    }

    fn grid(screen: Screen) -> String {
        let mut grid =
            Grid::new(&[Column::Number("#"), Column::Text("status"), Column::Flexible("description")], screen);
        grid.row(["1".into(), Cell::toned("keep", Tone::Good), "Batch the writes of level 1".into()]);
        grid.row(["12".into(), "crash".into(), "short".into()]);
        grid.text()
    }

    #[test]
    fn without_a_width_every_cell_is_whole() {
        let expected = " #  status  description\n 1  keep    Batch the writes of level 1\n12  crash   short\n";
        assert_eq!(grid(Screen::default()), expected);
    }

    #[test]
    fn a_narrow_screen_cuts_the_flexible_column_and_keeps_one_line_a_row() {
        let text = grid(Screen { width: Some(30), colour: false });
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 30), "{text}");
        assert!(text.contains("Batch the") && text.contains('…'), "{text}");
    }

    #[test]
    fn a_tone_is_a_colour_only_where_colours_are_wanted() {
        assert!(grid(Screen { width: None, colour: true }).contains("\u{1b}["));
        assert!(!grid(Screen::default()).contains('\u{1b}'));
    }

    #[test]
    fn a_text_cannot_command_the_terminal() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc\r\nd\u{202e}e\n"), "a\u{fffd}[2Jb c d\u{fffd}e");
    }
}
