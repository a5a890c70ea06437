//! divan's tree. The median of each benchmark is taken, and of its counters and allocations.

use super::table::Table;
use super::text::{bad, failed};
use super::units::{bytes, quantity, time};
use super::{AdapterError, Input};

/// Which column is taken, from 0.
const MEDIAN: usize = 2;

/// Where the reading of a tree stands.
struct Tree {
    /// The bench program.
    root: String,
    /// The character at which the columns begin.
    column: usize,
    /// The names from below the root to the last row.
    path: Vec<String>,
    /// The last row, while nothing came of it: a group without members, or a benchmark that was never ended.
    open: Option<String>,
    /// Whether the last row just below the root was its last.
    closed: bool,
    /// What the next rows are: `alloc:` and so on, then the count, then the size.
    allocation: Option<(String, usize)>,
}

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    let mut tree: Option<Tree> = None;
    for line in input.text.lines() {
        if line.contains("panicked at") {
            return Err(failed(line));
        }
        if let Some(column) = header(line) {
            finish(tree.as_ref())?;
            let root = line[..column.bytes].trim().to_owned();
            let (path, open) = (Vec::new(), Some(root.clone()));
            tree = Some(Tree { root, column: column.characters, path, open, closed: false, allocation: None });
        } else if let (Some(tree), true) = (&mut tree, line.starts_with(['\u{251c}', '\u{2570}', '\u{2502}', ' '])) {
            tree.row(line, table)?;
        }
    }
    finish(tree.as_ref())
}

struct Place {
    bytes: usize,
    characters: usize,
}

/// Says where the columns begin if this line is a tree's head.
fn header(line: &str) -> Option<Place> {
    let bytes = line.find("fastest")?;
    let is_head = line.contains("\u{2502} slowest") && line.contains("\u{2502} median");
    is_head.then(|| Place { bytes, characters: line[..bytes].chars().count() })
}

/// Refuses a tree that has no end.
fn finish(tree: Option<&Tree>) -> Result<(), AdapterError> {
    let Some(tree) = tree else { return Ok(()) };
    match &tree.open {
        Some(open) => Err(AdapterError::BreaksOff { at: open.clone() }),
        None if !tree.closed => Err(AdapterError::BreaksOff { at: tree.path.join(".") }),
        None => Ok(()),
    }
}

impl Tree {
    fn row(&mut self, line: &str, table: &mut Table) -> Result<(), AdapterError> {
        let at = line.char_indices().nth(self.column).map_or(line.len(), |(at, _)| at);
        let (tree, values) = line.split_at(at);
        let cells: Vec<&str> = values.split('\u{2502}').map(str::trim).collect();
        let median = cells.get(MEDIAN).copied().unwrap_or_default();
        let Some((depth, last, name)) = branch(tree) else {
            return self.more(line, &cells, median, table);
        };
        self.path.truncate(depth);
        self.path.push(name.to_owned());
        self.closed = if depth == 0 { last } else { self.closed };
        self.allocation = None;
        self.open = None;
        if cells[0] == "(ignored)" {
            return Ok(());
        }
        if cells[0].is_empty() {
            self.open = Some(self.path.join("."));
            return Ok(());
        }
        let value = time(median).ok_or_else(|| bad(line, "its median is not a time"))?;
        self.add("ns", value, table);
        Ok(())
    }

    /// Reads a further row of the last benchmark: a counter, or a part of its allocations.
    fn more(&mut self, line: &str, cells: &[&str], median: &str, table: &mut Table) -> Result<(), AdapterError> {
        if let Some(kind) = cells[0].strip_suffix(':') {
            self.allocation = Some((kind.to_owned(), 0));
            return Ok(());
        }
        let value = quantity(median);
        match &mut self.allocation {
            Some((kind, rows)) => {
                *rows += 1;
                let what = match (kind.as_str(), *rows) {
                    ("alloc", 1) => "allocs",
                    ("alloc", 2) => "bytes",
                    ("max alloc", 1) => "max_allocs",
                    ("max alloc", 2) => "max_bytes",
                    _ => return Ok(()),
                };
                let (value, unit) = value.ok_or_else(|| bad(line, "its median is not a number"))?;
                let factor = if *rows == 2 { bytes(unit) } else { thousands(unit) };
                self.add(what, value * factor.ok_or_else(|| bad(line, "its unit is unknown"))?, table);
            }
            None if cells[0].ends_with("/s") || cells[0].ends_with("Hz") => {
                let rate = value.and_then(|(value, unit)| rate(value, unit));
                let (what, value) = rate.ok_or_else(|| bad(line, "its median is not a rate"))?;
                self.add(what, value, table);
            }
            None => {}
        }
        Ok(())
    }

    fn add(&self, what: &str, value: f64, table: &mut Table) {
        table.add(&self.root, &self.path.join("."), what, value);
    }
}

/// Divides a row's tree part into its depth, whether it is the last of its group, and its name.
fn branch(tree: &str) -> Option<(usize, bool, &str)> {
    let mut rest = tree;
    let mut depth = 0;
    loop {
        if let Some(name) = rest.strip_prefix("\u{251c}\u{2500} ") {
            return Some((depth, false, name.trim()));
        }
        if let Some(name) = rest.strip_prefix("\u{2570}\u{2500} ") {
            return Some((depth, true, name.trim()));
        }
        rest = rest.strip_prefix("\u{2502}  ").or_else(|| rest.strip_prefix("   "))?;
        depth += 1;
    }
}

/// Returns what a count's prefix multiplies by.
fn thousands(prefix: &str) -> Option<f64> {
    Some(match prefix {
        "" => 1.0,
        "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => return None,
    })
}

/// Makes a counter equal: bytes, characters, items or cycles a second.
fn rate(value: f64, unit: &str) -> Option<(&'static str, f64)> {
    if let Some(prefix) = unit.strip_suffix("Hz") {
        return Some(("cycles_per_s", value * thousands(prefix)?));
    }
    let unit = unit.strip_suffix("/s")?;
    if let Some(bytes) = bytes(unit) {
        return Some(("bytes_per_s", value * bytes));
    }
    let of = |end: &str| unit.strip_suffix(end).and_then(thousands);
    of("char").map(|f| ("chars_per_s", value * f)).or_else(|| of("item").map(|f| ("items_per_s", value * f)))
}
