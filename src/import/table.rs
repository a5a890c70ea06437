//! A table with tabs, whose first line names the columns: `commit`, the metrics, `status`, `description`.

use super::fields::Line;
use crate::domain::{ImportedRun, ImportedSegment};

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<String>,
}

/// Columns that are no metrics.
const PLAIN: [&str; 3] = ["commit", "status", "description"];

impl Table {
    /// Takes the columns from a table's head; `None` where the line is none.
    pub(super) fn of_head(line: &str) -> Option<Self> {
        let columns: Vec<String> = line.split('\t').map(|column| column.trim().to_owned()).collect();
        let has = |name: &str| columns.iter().any(|column| column == name);
        (columns.len() > 2 && has("status") && (has("commit") || has("description"))).then_some(Self { columns })
    }

    /// Returns the segment that the table is: its first other column is the primary.
    pub(super) fn segment(&self) -> ImportedSegment {
        let metric = self.columns.iter().find(|column| !PLAIN.contains(&column.as_str()));
        ImportedSegment { line: Some(1), metric: metric.cloned(), ..ImportedSegment::default() }
    }

    /// Reads a row.
    pub(super) fn row(&self, line: &str) -> Result<Line, String> {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        if cells.len() != self.columns.len() {
            return Err(format!("a row of {} cells in a table of {} columns", cells.len(), self.columns.len()));
        }
        let cell = |name: &str| self.columns.iter().position(|column| column == name).map(|at| cells[at]);
        let mut numbers = Vec::new();
        let mut remarks = Vec::new();
        for (name, text) in self.columns.iter().zip(&cells).filter(|(name, _)| !PLAIN.contains(&name.as_str())) {
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() => numbers.push((name.clone(), value)),
                Ok(_) | Err(_) => remarks.push(format!("the metric '{name}' is no number")),
            }
        }
        let primary = self.segment().metric;
        let metric = numbers.iter().find(|(name, _)| Some(name) == primary.as_ref()).map(|(_, value)| *value);
        let others = numbers.into_iter().filter(|(name, _)| Some(name) != primary.as_ref());
        let given = |name: &str| cell(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let run = ImportedRun {
            number: 0,
            line: 0,
            written_run: None,
            segment: 0,
            status: given("status"),
            metric,
            metrics: others.collect(),
            description: cell("description").unwrap_or_default().to_owned(),
            timestamp: None,
            commit: given("commit"),
            object: None,
            confidence: None,
            asi: crate::domain::Asi::new(),
            remarks,
        };
        Ok(Line::Run(Box::new(run), ImportedSegment::default()))
    }
}
