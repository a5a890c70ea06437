//! The search for dangerous habits in one script.

use std::collections::BTreeSet;
use std::fmt;

use super::patterns;
use super::script::{self, Line, QUOTED};

/// Longest excerpt of a line in a finding, in characters.
const EXCERPT: usize = 100;

/// One dangerous habit, at one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Habit {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is dangerous about it.
    pub kind: HabitKind,
    /// The line, without comments, shortened.
    pub text: String,
}

/// What is dangerous about a line of a bench script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HabitKind {
    /// A METRIC line whose number stands in the script.
    LiteralMetric,
    /// A number that takes the place of a measurement that failed.
    FallbackValue,
    /// A failure that is made a success, or only talked about.
    IgnoredFailure,
    /// The test suite, in the part that is timed.
    TimedTests,
    /// Several commands without `set -e`.
    NoErrexit,
    /// A pipe without `set -o pipefail`.
    PipeWithoutPipefail,
}

impl HabitKind {
    /// Says what the habit is.
    pub fn problem(self) -> &'static str {
        match self {
            Self::LiteralMetric => "a METRIC line with a number written in the script",
            Self::FallbackValue => "a number that takes the place of a failed measurement",
            Self::IgnoredFailure => "a failure that is ignored",
            Self::TimedTests => "tests inside the timed part",
            Self::NoErrexit => "no `set -e`: the script goes on after a failed command",
            Self::PipeWithoutPipefail => "a pipe without `set -o pipefail`: only its last command can fail",
        }
    }

    /// Says what to do instead.
    pub fn advice(self) -> &'static str {
        match self {
            Self::LiteralMetric => "print what the program measured, or nothing",
            Self::FallbackValue => {
                "let the script fail: a missing number drops the candidate, a made-up one may keep it"
            }
            Self::IgnoredFailure => "let the script fail, or end it with a non-zero exit after the message",
            Self::TimedTests => "move them to checks/: they cost time in every run and hide what is measured",
            Self::NoErrexit => "add `set -eu` at the top",
            Self::PipeWithoutPipefail => "use bash with `set -euo pipefail`, or write to a file and read that",
        }
    }
}

impl fmt::Display for Habit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} (`{}`); {}", self.line, self.kind.problem(), self.text, self.kind.advice())
    }
}

/// Reads the text of a bench script and returns its dangerous habits in the order of the lines.
///
/// Shell is read for all kinds, anything else (by its first line) only for literal METRIC values. Where the script
/// reads a clock, tests before the first and after the last reading count as not timed; a metric `auto.*` times them
/// all the same. Text is only read: what a variable, a function or `eval` hides is not found.
pub fn inspect(text: &str) -> Vec<Habit> {
    let first = text.lines().next().unwrap_or("");
    if first.starts_with("#!") && !patterns::SHELL.is_match(first) {
        return literals_of_other_languages(text);
    }
    let lines = script::lines(text);
    let mut found = Vec::new();
    found.extend(missing_errexit(&lines, first));
    found.extend(bare_pipes(&lines, first));
    found.extend(timed_tests(&lines));
    let printed = printed_variables(&lines);
    for line in &lines {
        let fallback = has_fallback(line, &printed);
        if fallback {
            found.push(habit(line, HabitKind::FallbackValue));
        } else if ignores_failure(line) {
            found.push(habit(line, HabitKind::IgnoredFailure));
        }
        if !fallback && is_literal(&line.live) && !patterns::SEARCH.is_match(&line.code) {
            found.push(habit(line, HabitKind::LiteralMetric));
        }
    }
    found.sort();
    found
}

fn habit(line: &Line, kind: HabitKind) -> Habit {
    Habit { line: line.number, kind, text: excerpt(&line.live) }
}

fn excerpt(text: &str) -> String {
    let trimmed = text.trim();
    match trimmed.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}...", &trimmed[..end]),
        None => trimmed.to_owned(),
    }
}

fn is_literal(text: &str) -> bool {
    patterns::LITERAL.is_match(text)
}

fn literals_of_other_languages(text: &str) -> Vec<Habit> {
    let is_comment = |line: &str| line.trim_start().starts_with(['#', '/', '*']);
    text.lines()
        .enumerate()
        .filter(|(_, line)| !is_comment(line) && is_literal(line))
        .map(|(index, line)| Habit { line: index + 1, kind: HabitKind::LiteralMetric, text: excerpt(line) })
        .collect()
}

/// Lines that hold a command: neither blank nor the inside of a quoted text.
fn commands(lines: &[Line]) -> impl Iterator<Item = &Line> {
    lines.iter().filter(|line| !line.code.trim().is_empty() && !line.code.starts_with(QUOTED))
}

fn missing_errexit(lines: &[Line], first: &str) -> Option<Habit> {
    let mut commands = commands(lines);
    let start = commands.next()?;
    // One command alone is the exit of the script.
    commands.next()?;
    let set = patterns::SHEBANG_E.is_match(first) || lines.iter().any(|line| patterns::ERREXIT.is_match(&line.code));
    (!set).then(|| habit(start, HabitKind::NoErrexit))
}

fn bare_pipes(lines: &[Line], first: &str) -> Vec<Habit> {
    if first.contains("pipefail") || lines.iter().any(|line| patterns::PIPEFAIL.is_match(&line.code)) {
        return Vec::new();
    }
    let is_pipe = |line: &&Line| {
        let code = &line.code;
        patterns::PIPE.is_match(code)
            && !patterns::CASE.is_match(code)
            && !patterns::SAFE_LEFT.is_match(code)
            && !code.contains("=~")
    };
    lines.iter().filter(is_pipe).map(|line| habit(line, HabitKind::PipeWithoutPipefail)).collect()
}

fn timed_tests(lines: &[Line]) -> Vec<Habit> {
    let clocks: Vec<usize> = lines.iter().filter(|l| patterns::CLOCK.is_match(&l.code)).map(|l| l.number).collect();
    let is_timed = |number: usize| match (clocks.first(), clocks.last()) {
        (Some(start), Some(end)) => (*start..=*end).contains(&number),
        (None, _) | (_, None) => true,
    };
    let runs_tests = |code: &str| {
        patterns::TEST_RUNNERS
            .iter()
            .any(|(runs, not)| runs.is_match(code) && !not.as_ref().is_some_and(|not| not.is_match(code)))
    };
    let timed = |line: &&Line| runs_tests(&line.code) && is_timed(line.number);
    lines.iter().filter(timed).map(|line| habit(line, HabitKind::TimedTests)).collect()
}

/// Returns the variables whose value some METRIC line prints.
fn printed_variables(lines: &[Line]) -> BTreeSet<String> {
    let values = lines.iter().filter_map(|line| patterns::METRIC_VALUE.captures(&line.live));
    values
        .flat_map(|value| {
            let names = patterns::VARIABLE.captures_iter(value.get(1).map_or("", |rest| rest.as_str()));
            names.map(|name| name[1].to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

fn has_fallback(line: &Line, printed: &BTreeSet<String>) -> bool {
    let after_failure = alternatives(line).iter().any(|(_, live, _)| {
        let remembers = |name: &str| patterns::REMEMBERS_FAILURE.is_match(name) && !printed.contains(name);
        patterns::PRINTS_VALUE.is_match(live)
            || patterns::SETS_VALUE.captures(live).is_some_and(|set| !remembers(&set[1]))
    });
    after_failure || has_default(line, printed)
}

/// Finds `${x:-0}` in a METRIC line, and in what a METRIC line prints later.
fn has_default(line: &Line, printed: &BTreeSet<String>) -> bool {
    let in_metric =
        patterns::METRIC_VALUE.captures(&line.live).is_some_and(|found| patterns::DEFAULT.is_match(&found[1]));
    let sets_printed = patterns::ASSIGNS.captures_iter(&line.code).any(|set| printed.contains(&set[1]));
    let defaults_printed = patterns::DEFAULT
        .captures_iter(&line.live)
        .any(|default| sets_printed || (default[0].contains('=') && printed.contains(&default[1])));
    in_metric || defaults_printed
}

fn ignores_failure(line: &Line) -> bool {
    alternatives(line).iter().any(|(head, live, code)| {
        let swallows =
            patterns::IGNORES.is_match(code) || (patterns::TALKS.is_match(live) && !patterns::ENDS.is_match(code));
        swallows && !patterns::HARMLESS.is_match(last_command(head))
    })
}

/// Splits a line at each `||` of its code: the code before it, the line and the code after it.
fn alternatives(line: &Line) -> Vec<(String, String, String)> {
    let written: Vec<char> = line.live.chars().collect();
    let code: Vec<char> = line.code.chars().collect();
    let positions = code.windows(2).enumerate().filter(|(_, pair)| *pair == ['|', '|']).map(|(at, _)| at);
    positions
        .map(|at| (code[..at].iter().collect(), written[at + 2..].iter().collect(), code[at + 2..].iter().collect()))
        .collect()
}

fn last_command(head: &str) -> &str {
    let start = patterns::COMMAND_START.find_iter(head).last().map_or(0, |found| found.end());
    head[start..].trim()
}
