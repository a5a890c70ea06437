//! The rows of an input, and how they become metrics: names that a metric may have, each of one benchmark only.

use std::collections::{BTreeMap, BTreeSet};

use super::AdapterError;
use crate::domain::MetricName;

/// Longest name of a metric, in bytes (as the reader of METRIC lines has it).
const NAME_MAX: usize = 1 << 10;

/// One number of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The metric.
    pub name: MetricName,
    /// The value in the unit that the name ends with; always finite.
    pub value: f64,
}

impl Sample {
    /// Writes the line that a bench command prints, without its newline.
    pub fn line(&self) -> String {
        format!("METRIC {}={}", self.name, self.value)
    }
}

#[derive(Debug)]
struct Row {
    /// The package, program or class path that the benchmark is part of; parts are divided by `/`.
    group: String,
    bench: String,
    /// What the number is, with the unit at its end: `ns`, `bytes_per_s`.
    what: String,
    value: f64,
}

/// The numbers of an input in order.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds a number of a benchmark of a group.
    pub(super) fn add(&mut self, group: &str, bench: &str, what: &str, value: f64) {
        let (group, bench, what) = (group.to_owned(), bench.to_owned(), what.to_owned());
        self.rows.push(Row { group, bench, what, value });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Names every number. The group is a part of the name only where the input has several, and then without the parts
    /// that all of them begin with.
    pub(super) fn samples(&self, prefix: &str) -> Result<Vec<Sample>, AdapterError> {
        let groups: BTreeSet<&str> = self.rows.iter().map(|row| row.group.as_str()).collect();
        let common = common_parts(&groups);
        let mut owners: BTreeMap<MetricName, &Row> = BTreeMap::new();
        let mut samples = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let name = name(prefix, row, common)?;
            let owner = owners.entry(name.clone()).or_insert(row);
            if (&owner.group, &owner.bench, &owner.what) != (&row.group, &row.bench, &row.what) {
                let (first, second) = (owner.told(), row.told());
                return Err(AdapterError::SameName { first, second, name: name.to_string() });
            }
            if !row.value.is_finite() {
                return Err(AdapterError::Name { bench: row.told(), why: "its value is not a finite number" });
            }
            samples.push(Sample { name, value: rounded(row.value) });
        }
        Ok(samples)
    }
}

impl Row {
    fn told(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        format!("{group}{} ({})", self.bench, self.what)
    }
}

/// Counts the leading parts that all groups share; a single group is shared whole.
fn common_parts(groups: &BTreeSet<&str>) -> usize {
    let Some(first) = groups.first() else { return 0 };
    let shared = |other: &&str| first.split('/').zip(other.split('/')).take_while(|(a, b)| a == b).count();
    groups.iter().map(shared).min().unwrap_or(0)
}

fn name(prefix: &str, row: &Row, common: usize) -> Result<MetricName, AdapterError> {
    let mut parts: Vec<String> = row.group.split('/').skip(common).map(clean).collect();
    parts.push(clean(&row.bench));
    let path = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    let joint = if path.is_empty() { "" } else { "_" };
    let name = format!("{prefix}{path}{joint}{}", clean(&row.what));
    let error = |why| AdapterError::Name { bench: row.told(), why };
    if name.starts_with("auto.") {
        return Err(error("names in auto. are the tool's own; give it another with --prefix"));
    }
    if name.len() > NAME_MAX {
        return Err(error("its name is longer than 1024 bytes"));
    }
    MetricName::new(&name).map_err(|_| error("its name has no character that a metric's may have"))
}

/// Puts one `_` in place of every run of characters that a metric's name cannot have; none at either end.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if MetricName::allows(c) {
            clean.push(c);
        } else if !clean.ends_with('_') {
            clean.push('_');
        }
    }
    clean.trim_matches('_').to_owned()
}

/// Takes the dust of a change of units away: 12 significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rows: &[(&str, &str)]) -> Result<Vec<String>, AdapterError> {
        let mut table = Table::default();
        for (group, bench) in rows {
            table.add(group, bench, "ns", 1.0);
        }
        Ok(table.samples("")?.iter().map(|sample| sample.name.to_string()).collect())
    }

    #[test]
    fn names_keep_what_a_metric_may_have() {
        assert_eq!(clean("test_sum[two words]"), "test_sum_two_words");
        assert_eq!(clean("Sum/n=16"), "Sum/n_16");
        assert_eq!(clean("HashMap<K, V>"), "HashMap_K_V");
        assert_eq!(names(&[("", "größe µ")]).unwrap(), ["größe_μ_ns"]);
    }

    #[test]
    fn a_group_is_told_only_where_there_are_several() {
        assert_eq!(names(&[("a/b", "x"), ("a/b", "y")]).unwrap(), ["x_ns", "y_ns"]);
        assert_eq!(names(&[("a/b", "x"), ("a/b/c", "x"), ("a/d", "y")]).unwrap(), ["b/x_ns", "b/c/x_ns", "d/y_ns"]);
        assert_eq!(names(&[("a/b", "x"), ("a/b/c", "x")]).unwrap(), ["x_ns", "c/x_ns"]);
    }

    #[test]
    fn two_benchmarks_are_never_one_metric_and_repeats_are_samples() {
        assert_eq!(names(&[("", "x"), ("", "x")]).unwrap(), ["x_ns", "x_ns"]);
        let error = names(&[("", "f(1)"), ("", "f[1]")]).unwrap_err();
        assert!(error.to_string().contains("'f(1) (ns)' and 'f[1] (ns)' would both be the metric 'f_1_ns'"), "{error}");
        assert!(names(&[("", "auto.wall")]).is_err());
        assert!(names(&[("", &"x".repeat(2000))]).is_err());
    }

    #[test]
    fn lines_have_no_dust_and_no_exponent() {
        let line = |value| Sample { name: MetricName::new("x_ns").unwrap(), value: rounded(value) }.line();
        assert_eq!(line(0.1 + 0.2), "METRIC x_ns=0.3");
        assert_eq!(line(1.387_780_056_428_721_6e10), "METRIC x_ns=13877800564.3");
    }
}
