//! The same candidates in several orders: which keeps differ, and whether the ends are equal.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::experiments::Experiment;
use super::trial::{Bench, Trial};
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::domain::{Change, Settings, Status, Validated};
use crate::engine::compare::{self, Answer, Question, Surroundings};
use crate::engine::demo;
use crate::git::UserRepository;
use crate::report;

/// Pairs of a comparison of two ends.
const PAIRS: u32 = 30;

/// What the orders of one experiment came to.
pub(super) struct Outcome {
    name: String,
    ends: Vec<End>,
    within: f64,
}

/// Where one order ended.
struct End {
    order: String,
    keeps: Vec<String>,
    gain: Option<Change>,
    /// The end against the first order's: its tip in place of that one's; `None` for the first, and for equal trees.
    against_first: Option<Change>,
}

/// Runs an experiment in the order of its files and in others, and measures the ends against each other.
pub(super) fn compare(
    bench: &Bench<'_>,
    folder: &Path,
    experiment: &Experiment,
    orders: u32,
) -> Result<Outcome, CliError> {
    let truths = &experiment.known().candidates;
    let mut first: Option<Trial> = None;
    let mut ends = Vec::new();
    for number in 1..=orders {
        let order = if number == 1 { truths.clone() } else { demo::shuffled(truths, u64::from(number)) };
        let trial = bench.try_in(&folder.join(format!("order-{number}")), experiment, &order, number > 1)?;
        if bench.interrupts.stop_requested() {
            return Err(CliError::Interrupted);
        }
        let against_first = match &first {
            None => None,
            Some(first) => against(bench, folder, first, &trial)?,
        };
        ends.push(End::of(number, &trial, against_first));
        first.get_or_insert(trial);
    }
    Ok(Outcome { name: experiment.name().to_owned(), ends, within: experiment.known().orders_within })
}

/// Measures the tip of a later order against that of the first; `None` where they hold the same files.
fn against(bench: &Bench<'_>, folder: &Path, first: &Trial, later: &Trial) -> Result<Option<Change>, CliError> {
    let name = format!("later-{}", later.project.parent().and_then(Path::file_name).unwrap_or_default().display());
    demo::fetch_branch(&first.project, &later.project, &later.settings.branch, &name)?;
    let user = UserRepository::open(&first.project)?;
    let around = Surroundings {
        user: &user,
        cache_home: &folder.join("cache"),
        supervisor: bench.supervisor,
        interrupts: bench.interrupts,
        inherited: std::env::vars_os().collect(),
    };
    let mut progress = Progress::new(bench.ui);
    let question = question(&first.settings, first.settings.branch.clone(), name);
    let answer = compare::compare(&around, &question, &mut progress)?;
    Ok(change(&answer))
}

fn change(answer: &Answer) -> Option<Change> {
    answer.run.effect.as_ref().map(|effect| effect.change(answer.primary.direction))
}

fn question(settings: &Settings, base: String, candidate: String) -> Question {
    Question {
        base,
        candidate,
        bench: settings.bench.command.to_string(),
        build: settings.build.as_ref().map(|build| build.command.to_string()),
        working_dir: settings.working_dir.clone(),
        metric: Some(settings.primary.name.clone()),
        direction: settings.primary.direction,
        min_effect: settings.primary.min_effect,
        max_pairs: PAIRS,
        seed: settings.decision.seed,
        host: settings.host.clone(),
    }
}

impl End {
    fn of(number: u32, trial: &Trial, against_first: Option<Change>) -> Self {
        let kept = |row: &&demo::Row| row.found.as_ref().is_some_and(|found| found.run.status == Status::Keep);
        Self {
            order: if number == 1 { "by name".to_owned() } else { format!("shuffled {number}") },
            keeps: trial.rows.iter().filter(kept).map(|row| row.truth.patch.clone()).collect(),
            gain: trial.validated.as_ref().map(Validated::change),
            against_first,
        }
    }

    /// Says whether it ended where the first order did: the interval of the difference reaches the band of what counts
    /// as equal.
    fn is_equal(&self, within: f64) -> bool {
        self.against_first.as_ref().is_none_or(|change| change.low <= within && change.high >= -within)
    }
}

impl Outcome {
    /// Says whether every order ended where the first did.
    pub(super) fn is_equal(&self) -> bool {
        self.ends.iter().all(|end| end.is_equal(self.within))
    }

    /// Writes the orders as a table for a terminal.
    pub(super) fn text(&self) -> String {
        format!("\n{}\n{}\n", report::table(&HEAD, &self.cells()), self.words())
    }

    /// Writes the orders as a section in Markdown.
    pub(super) fn markdown(&self) -> String {
        format!(
            "## {} in {} orders\n\n{}\n{}\n",
            self.name,
            self.ends.len(),
            report::markdown_table(&HEAD, &self.cells()),
            self.words()
        )
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let cells = |end: &End| {
            let first = end.against_first.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            let gain = end.gain.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            vec![end.order.clone(), end.keeps.len().to_string(), gain, first]
        };
        self.ends.iter().map(cells).collect()
    }

    fn words(&self) -> String {
        let mut text = format!("Kept in every order: {}.\n", list(self.kept_in_all()));
        for patch in self.kept_in_some() {
            let orders = self.ends.iter().filter(|end| end.keeps.contains(patch)).map(|end| end.order.as_str());
            let _ = writeln!(text, "Kept only in some: {} ({}).", short(patch), orders.collect::<Vec<_>>().join(", "));
        }
        let verdict = if self.is_equal() { "equal within the noise" } else { "NOT equal" };
        let _ = write!(text, "The ends are {verdict}");
        if self.within > 0.0 {
            let _ = write!(text, " and {} %", self.within);
        }
        text + ".\n"
    }

    fn kept_in_all(&self) -> impl Iterator<Item = &String> {
        let first = self.ends.first().map(|end| end.keeps.as_slice()).unwrap_or_default();
        first.iter().filter(|patch| self.ends.iter().all(|end| end.keeps.contains(patch)))
    }

    fn kept_in_some(&self) -> BTreeSet<&String> {
        let all: BTreeSet<&String> = self.ends.iter().flat_map(|end| &end.keeps).collect();
        all.into_iter().filter(|patch| !self.ends.iter().all(|end| end.keeps.contains(patch))).collect()
    }
}

const HEAD: [&str; 4] = ["order", "keeps", "validated against the base", "end against the first order's"];

fn list<'a>(patches: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = patches.map(|patch| short(patch)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn short(patch: &str) -> &str {
    patch.trim_end_matches(".patch")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(keeps: &[&str], against_first: Option<(f64, f64, f64)>) -> End {
        End {
            order: "one".to_owned(),
            keeps: keeps.iter().map(|name| (*name).to_owned()).collect(),
            gain: None,
            against_first: against_first.map(|(value, low, high)| Change { value, low, high, percent: true }),
        }
    }

    #[test]
    fn ends_are_equal_where_the_interval_of_their_difference_reaches_the_band() {
        assert!(end(&[], None).is_equal(0.0));
        assert!(end(&[], Some((-1.0, -2.0, 0.1))).is_equal(0.0));
        assert!(!end(&[], Some((-3.0, -4.0, -2.0))).is_equal(1.0));
        assert!(end(&[], Some((-3.0, -4.0, -2.0))).is_equal(2.5));
        assert!(!end(&[], Some((3.0, 2.6, 4.0))).is_equal(2.5));
    }

    #[test]
    fn keeps_that_differ_between_orders_are_named() {
        let ends = vec![end(&["a.patch", "b.patch"], None), end(&["a.patch"], None)];
        let outcome = Outcome { name: "x".to_owned(), ends, within: 0.0 };
        let words = outcome.words();
        assert!(words.contains("every order: a.\n") && words.contains("some: b (one)"), "{words}");
    }
}
