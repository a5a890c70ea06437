//! What is wrong with an ideas.md, each with its line and what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::domain::ExperimentId;

use super::catalogue::{Catalogue, Entry, SectionKind};
use super::comment::CommentProblem;
use super::reopen::{CONDITIONS, Reopen};

/// What the file is checked against.
#[derive(Debug, Clone, Default)]
pub struct LintFacts {
    /// The experiments of the session's journal; `None` where there is no journal.
    pub experiments: Option<BTreeSet<ExperimentId>>,
    /// The ideas that waiting candidates name.
    pub candidates: Vec<NamedIdea>,
}

/// An idea that a candidate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedIdea {
    /// The candidate's file, as people know it.
    pub file: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// The idea.
    pub idea: String,
}

/// A rule of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintRule {
    /// A machine comment that cannot be read, or that no entry has.
    BrokenComment,
    /// A condition that nothing can judge.
    UnknownReopen,
    /// Two entries of one name.
    RepeatedName,
    /// A closed entry that says nothing of why.
    NoMechanism,
    /// An experiment that the journal does not have.
    UnknownExperiment,
    /// A candidate's idea that no entry has.
    UnknownIdea,
    /// A pattern of a settled decision that is no regular expression.
    BrokenPattern,
}

impl LintRule {
    /// Returns the rule's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BrokenComment => "broken_comment",
            Self::UnknownReopen => "unknown_reopen",
            Self::RepeatedName => "repeated_name",
            Self::NoMechanism => "no_mechanism",
            Self::UnknownExperiment => "unknown_experiment",
            Self::UnknownIdea => "unknown_idea",
            Self::BrokenPattern => "broken_pattern",
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file; `None` is ideas.md itself.
    pub file: Option<String>,
    /// Its line, from 1.
    pub line: usize,
    /// The rule.
    pub rule: LintRule,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub cure: String,
}

/// Fewest words of a closed entry, without its name, that can say why.
const FEWEST_WORDS: usize = 5;

static MARKER: LazyLock<Regex> = LazyLock::new(|| pattern(r"<!--\s*autoresearch\b"));
static UNTOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bmechanism:\s*(?:not known\b|$)"));
static WHOLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bmechanism:\s*\S"));
static RECORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?s)(?:Tried|Effect|Reopen|Again|Reopened): .*?(?:\. |\.$)"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// Returns everything that is wrong, in the order of the lines; what candidates name comes last.
pub fn lint(text: &str, catalogue: &Catalogue, facts: &LintFacts) -> Vec<Finding> {
    let mut found: Vec<Finding> = catalogue.problems.iter().map(unread).collect();
    found.extend(stray(text, catalogue));
    found.extend(unaddressed(text, catalogue));
    found.extend(repeated(catalogue));
    for section in &catalogue.sections {
        for entry in &section.entries {
            found.extend(of_entry(section.kind, entry, facts));
        }
    }
    found.sort_by_key(|finding| (finding.line, finding.rule));
    found.extend(facts.candidates.iter().filter_map(|named| unknown_idea(catalogue, named)));
    found
}

fn finding(line: usize, rule: LintRule, problem: String, cure: impl Into<String>) -> Finding {
    Finding { file: None, line, rule, problem, cure: cure.into() }
}

fn unread(problem: &CommentProblem) -> Finding {
    let told = problem.to_string();
    let line = problem.line();
    let told = told.strip_prefix(&format!("line {line}: ")).map_or(told.clone(), str::to_owned);
    finding(line, LintRule::BrokenComment, told, "correct the comment by hand; what can be read of it counts")
}

/// Finds machine comments that belong to no entry: unclosed, misspelt, or not the last one of their entry.
fn stray<'a>(text: &'a str, catalogue: &'a Catalogue) -> impl Iterator<Item = Finding> + 'a {
    let entries = || catalogue.sections.iter().flat_map(|section| &section.entries);
    let heard = move |at: usize| {
        entries().filter_map(|entry| entry.comment_range.as_ref()).any(|range| range.start <= at && at < range.end)
    };
    let in_code = |at: usize| catalogue.code.iter().any(|code| code.contains(&at));
    let unheard = MARKER.find_iter(text).filter(move |found| !heard(found.start()) && !in_code(found.start()));
    unheard.map(|found| {
        let line = text[..found.start()].matches('\n').count() + 1;
        finding(
            line,
            LintRule::BrokenComment,
            "this machine comment counts for no entry".to_owned(),
            "write '<!-- autoresearch: key=value ... -->' with its end, once in an entry, at the end of the entry's text",
        )
    })
}

/// Finds comments with the keys of a machine comment that lack the word which makes them one.
fn unaddressed<'a>(text: &'a str, catalogue: &'a Catalogue) -> impl Iterator<Item = Finding> + 'a {
    let in_code = |at: usize| catalogue.code.iter().any(|code| code.contains(&at));
    super::comment::unaddressed(text).filter(move |found| !in_code(found.start)).map(|found| {
        finding(
            text[..found.start].matches('\n').count() + 1,
            LintRule::BrokenComment,
            "this comment has the keys of a machine comment, and counts for nothing without its first word".to_owned(),
            "write '<!-- autoresearch: key=value ... -->'",
        )
    })
}

/// Finds names that two entries have.
fn repeated(catalogue: &Catalogue) -> Vec<Finding> {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in catalogue.sections.iter().filter(|s| s.kind != SectionKind::Other).flat_map(|s| &s.entries) {
        let id = entry.comment.as_ref().and_then(|comment| comment.id.clone());
        let mut names: Vec<String> =
            [id, entry.label.clone()].into_iter().flatten().map(|n| n.to_lowercase()).collect();
        names.dedup();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            if let Some(line) = first.get(&name) {
                let problem = format!("'{name}' is the name of the entry in line {line} too");
                let cure = "make one entry of the two, or give this one another id";
                found.push(finding(entry.line, LintRule::RepeatedName, problem, cure));
            } else {
                first.insert(name, entry.line);
            }
        }
    }
    found
}

fn of_entry(kind: SectionKind, entry: &Entry, facts: &LintFacts) -> Vec<Finding> {
    let mut found = Vec::new();
    let comment = entry.comment.clone().unwrap_or_default();
    if let Some(text) = comment.reopen.as_ref().filter(|text| !Reopen::parse(text).is_known()) {
        let problem = format!("reopen=\"{text}\" is no condition that can be checked");
        found.push(finding(entry.line, LintRule::UnknownReopen, problem, format!("write {CONDITIONS}")));
    }
    if kind == SectionKind::Closed && !says_why(entry) {
        let problem = format!("the closed entry '{}' does not say why it failed", entry.name());
        let cure = "write the mechanism: 'Mechanism: ...'; who does not know it will try again";
        found.push(finding(entry.line, LintRule::NoMechanism, problem, cure));
    }
    let named = if kind == SectionKind::Tried { entry.experiments() } else { Vec::new() };
    let unknown = |id: &ExperimentId| facts.experiments.as_ref().is_some_and(|all| !all.contains(id));
    let all: BTreeSet<ExperimentId> = named.into_iter().chain(comment.closed).collect();
    found.extend(all.into_iter().filter(unknown).map(|id| {
        let problem = format!("experiment {id} is not in the session's journal");
        let cure = "correct the number ('autoresearch log' lists them), or take it out where it is another session's";
        finding(entry.line, LintRule::UnknownExperiment, problem, cure)
    }));
    let patterns = comment.patterns.iter().chain(&comment.forbids);
    found.extend(patterns.filter_map(|pattern| Some((pattern, Regex::new(pattern).err()?))).map(|(pattern, _)| {
        let problem = format!("'{pattern}' is no regular expression and is taken literally");
        let cure = "put a backslash before what is meant literally, such as '\\('";
        finding(entry.line, LintRule::BrokenPattern, problem, cure)
    }));
    found
}

/// Says whether a closed entry says why: by the word, else by words of its own beside what the tool records.
fn says_why(entry: &Entry) -> bool {
    let summary = entry.summary();
    if UNTOLD.is_match(&summary) {
        return false;
    }
    let own = RECORD.replace_all(&summary, "");
    WHOLE.is_match(&summary) || own.split_whitespace().count() >= FEWEST_WORDS
}

fn unknown_idea(catalogue: &Catalogue, named: &NamedIdea) -> Option<Finding> {
    let mut entries = catalogue.sections.iter().flat_map(|section| &section.entries);
    if entries.any(|entry| entry.is_named(&named.idea)) {
        return None;
    }
    let problem = format!("no entry of ideas.md is called '{}'", named.idea);
    let cure = format!("correct the trailer, or add the idea: 'autoresearch ideas add TEXT --id {}'", named.idea);
    Some(Finding { file: Some(named.file.clone()), line: named.line, rule: LintRule::UnknownIdea, problem, cure })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, facts: &LintFacts) -> Vec<String> {
        let said = |f: Finding| {
            let file = f.file.map(|file| file + ":").unwrap_or_default();
            format!("{file}{} {}: {}", f.line, f.rule.name(), f.problem)
        };
        lint(text, &Catalogue::parse(text), facts).into_iter().map(said).collect()
    }

    #[test]
    fn a_file_in_order_has_no_findings() {
        let text = "\
## To try
- [ ] **P1** raise it <!-- autoresearch: id=l0 axis=l0 -->
## Tried
- [x] other: kept -1.0 % (#1)
## Closed
- **bloom** filters cost more than they save. <!-- autoresearch: closed=1 reopen=\"src/a changed\" -->
- **size** grow. Tried: #1. Effect: +0.1 %. Mechanism: no flush. Reopen: by a person.
## Settled decisions
- no unsafe
- a comment <!-- of a person, with base=main in it -->
```
<!-- autoresearch: id=only-an-example -->
<!-- id=only-an-example -->
```
";
        let facts = LintFacts { experiments: Some(BTreeSet::from([ExperimentId(1)])), ..LintFacts::default() };
        assert_eq!(found(text, &facts), Vec::<String>::new());
    }

    #[test]
    fn each_rule_names_the_line() {
        let text = "\
## To try
- [ ] **P1** raise it <!-- autoresearch: id=l0 colour=red -->
- [ ] again <!-- autoresearch: id=L0 -->
- [ ] open <!-- autoresearch id=open -->
- [ ] twice <!-- autoresearch: id=a --> <!-- autoresearch: id=b -->
- [ ] **P4** unheard <!-- axis=l0 id=p4 -->
## Tried
- [x] other: kept -1.0 % (#7)
## Closed
- **bloom** filters <!-- autoresearch: closed=8 reopen=\"one fine day\" -->
- **x** y z. Tried: #1 on abc. Effect: +0.1 % [0, 1]. Mechanism: not known. Reopen: by a person.
## Settled decisions
- **sync** <!-- autoresearch: pattern=fsync( -->
";
        let facts = LintFacts {
            experiments: Some(BTreeSet::from([ExperimentId(1)])),
            candidates: vec![
                NamedIdea { file: "c/1.patch".into(), line: 5, idea: "P1".into() },
                NamedIdea { file: "c/2.patch".into(), line: 6, idea: "P2".into() },
            ],
        };
        assert_eq!(
            found(text, &facts),
            [
                "2 broken_comment: unknown key 'colour' in a machine comment (known: id, axis, closed, base, since, \
                 reopen, path, pattern, forbid)",
                "3 repeated_name: 'l0' is the name of the entry in line 2 too",
                "4 broken_comment: this machine comment counts for no entry",
                "5 broken_comment: this machine comment counts for no entry",
                "6 broken_comment: this comment has the keys of a machine comment, and counts for nothing without its \
                 first word",
                "8 unknown_experiment: experiment 7 is not in the session's journal",
                "10 unknown_reopen: reopen=\"one fine day\" is no condition that can be checked",
                "10 no_mechanism: the closed entry 'bloom' does not say why it failed",
                "10 unknown_experiment: experiment 8 is not in the session's journal",
                "11 no_mechanism: the closed entry 'x' does not say why it failed",
                "13 broken_pattern: 'fsync(' is no regular expression and is taken literally",
                "c/2.patch:6 unknown_idea: no entry of ideas.md is called 'P2'",
            ]
        );
    }

    #[test]
    fn without_a_journal_no_experiment_is_unknown() {
        assert_eq!(found("## Tried\n- [x] a: kept (#7)\n", &LintFacts::default()), Vec::<String>::new());
    }
}
