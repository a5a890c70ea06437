//! Whether a proposal tries something that is closed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use crate::domain::{Axis, ExperimentId, PatchId};

use super::catalogue::{Catalogue, Entry, SectionKind};
use super::reopen::Reopen;
use super::settled::{self, FileChange};

/// What is known outside ideas.md.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Settled experiments by the stable id of the patch that each tried.
    pub tried: BTreeMap<PatchId, Vec<ExperimentId>>,
    /// What was kept, in order.
    pub keeps: Vec<Keep>,
    /// Paths that differ between a commit that a closing names (`base=`) and the tip; without the commits that are not
    /// known.
    pub changed: BTreeMap<String, Vec<String>>,
    /// The local date.
    pub today: Date,
}

/// A kept experiment and the paths that it changed, relative to the repository root.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keep {
    /// The experiment.
    pub experiment: ExperimentId,
    /// The paths.
    pub touched: Vec<String>,
    /// Medians of each metric before and after it, as its pairs measured them.
    pub metrics: BTreeMap<String, (f64, f64)>,
}

/// A proposal as far as ideas.md is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question<'a> {
    /// The idea that it names.
    pub idea: Option<&'a str>,
    /// The values that it tries.
    pub axes: &'a [Axis],
    /// The stable id of its patch, where it applied.
    pub patch_id: Option<&'a PatchId>,
    /// Its description and hypothesis.
    pub text: &'a str,
    /// What it changes on the tip, where it applied.
    pub changes: &'a [FileChange],
}

/// An entry that a proposal ran into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the entry is called.
    pub name: String,
    /// Its line in ideas.md, from 1.
    pub line: usize,
    /// When it may be tried again, where the entry says so.
    pub reopen: Option<String>,
}

/// By what a proposal is the same as an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It names the idea.
    Idea(String),
    /// It tries the value.
    Axis(Axis),
    /// Its patch is that of an experiment that closed the idea.
    Patch(ExperimentId),
    /// A line goes that a decision keeps.
    Removes {
        /// The file.
        path: String,
        /// The line.
        line: String,
        /// What it matches.
        pattern: String,
    },
    /// A line comes that a decision forbids.
    Adds {
        /// The file.
        path: String,
        /// The line.
        line: String,
        /// What it matches.
        pattern: String,
    },
    /// A file changes that a decision keeps as it is.
    Touches {
        /// The file.
        path: String,
    },
    /// A file goes to where a decision no longer covers it.
    Moves {
        /// The file.
        path: String,
        /// Where it goes.
        to: String,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idea(idea) => write!(f, "idea {idea}"),
            Self::Axis(axis) => write!(f, "axis {}={}", axis.name, axis.value),
            Self::Patch(experiment) => write!(f, "the patch of experiment {experiment}"),
            Self::Removes { path, line, pattern } => write!(f, "removing '{line}' from {path} (pattern '{pattern}')"),
            Self::Adds { path, line, pattern } => write!(f, "adding '{line}' to {path} (forbid '{pattern}')"),
            Self::Touches { path } => write!(f, "touching {path}"),
            Self::Moves { path, to } => write!(f, "moving {path} to {to}"),
        }
    }
}

/// What ideas.md says about a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Nothing stands against it.
    Open,
    /// It tries a closed idea of which no reopen condition holds.
    Closed {
        /// The entry.
        entry: Found,
        /// By what.
        why: Why,
    },
    /// It goes against a decision that people settled.
    Settled {
        /// The entry.
        entry: Found,
        /// By what.
        why: Why,
    },
    /// Its words are like those of a closed idea, which is no reason to refuse it.
    SimilarText {
        /// The entry.
        entry: Found,
    },
}

/// Says whether a proposal tries something that ideas.md closes. A reason to refuse goes before a warning.
pub fn match_proposal(catalogue: &Catalogue, question: &Question<'_>, facts: &Facts) -> Match {
    for entry in catalogue.entries(SectionKind::Settled) {
        let undone = || settled::undone(entry.comment.as_ref()?, question.changes);
        if let Some(why) = named(entry, question).or_else(undone) {
            return Match::Settled { entry: found(entry), why };
        }
    }
    let closed = || catalogue.entries(SectionKind::Closed).filter(|entry| !is_reopened(entry, facts));
    for entry in closed() {
        if let Some(why) = named(entry, question).or_else(|| same_patch(entry, question, facts)) {
            return Match::Closed { entry: found(entry), why };
        }
    }
    let words = words(question.text);
    closed()
        .find(|entry| alike(&words, &self::words(&entry.text)))
        .map_or(Match::Open, |entry| Match::SimilarText { entry: found(entry) })
}

fn found(entry: &Entry) -> Found {
    let reopen = entry.comment.as_ref().and_then(|comment| comment.reopen.clone());
    Found { name: entry.name(), line: entry.line, reopen }
}

fn named(entry: &Entry, question: &Question<'_>) -> Option<Why> {
    if let Some(idea) = question.idea.filter(|idea| entry.is_named(idea)) {
        return Some(Why::Idea(idea.to_owned()));
    }
    let covered =
        |axis: &&Axis| entry.comment.iter().flat_map(|comment| &comment.axes).any(|closed| closed.covers(axis));
    question.axes.iter().find(covered).cloned().map(Why::Axis)
}

fn same_patch(entry: &Entry, question: &Question<'_>, facts: &Facts) -> Option<Why> {
    let closed = &entry.comment.as_ref()?.closed;
    let tried = facts.tried.get(question.patch_id?)?;
    tried.iter().find(|experiment| closed.contains(experiment)).map(|experiment| Why::Patch(*experiment))
}

/// Says whether a closed entry's condition holds, so that it refuses nothing.
pub fn is_reopened(entry: &Entry, facts: &Facts) -> bool {
    let Some(comment) = &entry.comment else { return false };
    comment.reopen.as_ref().is_some_and(|text| Reopen::parse(text).holds(comment, facts))
}

/// Takes the words that carry meaning: of four letters or more, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    let split = text.split(|c: char| !c.is_alphanumeric());
    split.filter(|word| word.chars().count() >= 4).map(str::to_lowercase).collect()
}

/// Says whether two thirds of the shorter text's words, and at least three, stand in the other.
fn alike(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let shared = a.intersection(b).count();
    shared >= 3 && shared * 3 >= a.len().min(b.len()) * 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ObjectId;

    const IDEAS: &str = "\
## To try
- [ ] **P9** open idea

## Closed
- **P1.2** enlarge the memtable beyond 64 MiB <!-- autoresearch: id=memtable axis=memtable_mib closed=3,16 reopen=\"src/options.rs changed\" -->
- **P2** bigger batches <!-- autoresearch: id=batch axis=batch=1000 axis=batch=2000 closed=4 -->

## Settled decisions
- **no-unsafe** we write no unsafe code <!-- autoresearch: axis=durability=off -->
";

    fn ask(idea: Option<&str>, axes: &[(&str, &str)], patch: Option<&PatchId>, text: &str, facts: &Facts) -> Match {
        let axes: Vec<_> =
            axes.iter().map(|(name, value)| Axis { name: (*name).into(), value: (*value).into() }).collect();
        let question = Question { idea, axes: &axes, patch_id: patch, text, changes: &[] };
        match_proposal(&Catalogue::parse(IDEAS), &question, facts)
    }

    fn said(found: &Match) -> String {
        match found {
            Match::Open => "open".into(),
            Match::Closed { entry, why } => format!("closed {} line {}: {why}", entry.name, entry.line),
            Match::Settled { entry, why } => format!("settled {}: {why}", entry.name),
            Match::SimilarText { entry } => format!("like {}", entry.name),
        }
    }

    #[test]
    fn a_closed_idea_is_refused_by_id_label_or_axis() {
        let facts = Facts::default();
        let ask = |idea, axes: &[_]| said(&ask(idea, axes, None, "", &facts));
        assert_eq!(ask(Some("memtable"), &[]), "closed memtable line 5: idea memtable");
        assert_eq!(ask(Some("p1.2"), &[]), "closed memtable line 5: idea p1.2");
        assert_eq!(ask(None, &[("x", "1"), ("memtable_mib", "128")]), "closed memtable line 5: axis memtable_mib=128");
        assert_eq!(ask(None, &[("batch", "2000")]), "closed batch line 6: axis batch=2000");
        assert_eq!(ask(None, &[("batch", "3000")]), "open");
        assert_eq!(ask(Some("P9"), &[]), "open");
    }

    #[test]
    fn the_patch_of_a_closing_experiment_is_refused_and_that_of_another_is_not() {
        let id = |digit: &str| PatchId(ObjectId::new(digit.repeat(40)).unwrap());
        let tried = BTreeMap::from([(id("a"), vec![ExperimentId(4)]), (id("b"), vec![ExperimentId(7)])]);
        let facts = Facts { tried, ..Facts::default() };
        let ask = |patch: &PatchId| said(&ask(None, &[], Some(patch), "", &facts));
        assert_eq!(ask(&id("a")), "closed batch line 6: the patch of experiment 4");
        assert_eq!(ask(&id("b")), "open");
        assert_eq!(ask(&id("c")), "open");
    }

    #[test]
    fn a_reopened_idea_is_open() {
        let keep = |n| Keep { experiment: ExperimentId(n), touched: vec!["src/options.rs".into()], ..Keep::default() };
        let facts = |n| Facts { keeps: vec![keep(n)], ..Facts::default() };
        assert_eq!(ask(Some("memtable"), &[], None, "", &facts(17)), Match::Open);
        assert_ne!(ask(Some("memtable"), &[], None, "", &facts(16)), Match::Open);
    }

    #[test]
    fn a_settled_decision_is_told_apart() {
        let facts = Facts::default();
        assert_eq!(said(&ask(Some("no-unsafe"), &[], None, "", &facts)), "settled no-unsafe: idea no-unsafe");
        let found = ask(None, &[("durability", "off")], None, "", &facts);
        assert_eq!(said(&found), "settled no-unsafe: axis durability=off");
    }

    #[test]
    fn like_words_only_warn() {
        let facts = Facts::default();
        assert_eq!(said(&ask(None, &[], None, "Enlarge memtable beyond all", &facts)), "like memtable");
        assert_eq!(said(&ask(None, &[], None, "Enlarge the block cache", &facts)), "open");
    }
}
