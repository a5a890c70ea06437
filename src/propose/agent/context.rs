//! The JSON context that an agent reads, bounded in size: newest and most useful first.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{Asi, Axis, Direction, Reason, Status};

use super::lines::{head, tail};

/// The largest context, in bytes. Each part has a share of its own; what a part leaves goes to the experiments.
pub const LIMIT: usize = 64 << 10;
/// The key under which each part says how many of it were left out for want of room.
pub const LEFT_OUT: &str = "leftOut";

/// Shares of the parts, in bytes; the experiments get the rest.
const GOAL: usize = 2 << 10;
const METRICS: usize = 8 << 10;
const PATHS: usize = 3 << 10;
const DIAGNOSTICS: usize = 4 << 10;
const CLOSED: usize = 10 << 10;
const SETTLED: usize = 4 << 10;
const OPEN: usize = 8 << 10;
/// What names, brackets and counts take.
const FRAME: usize = 2 << 10;
/// The longest text of an idea, in bytes.
const IDEA_MAX: usize = 1200;
/// The longest line told of an experiment, in bytes.
const LINE_MAX: usize = 400;
/// The most side information of one experiment, in bytes of JSON.
const ASI_MAX: usize = 1500;
/// The most of a failed command's output, in bytes.
const FAILURE_MAX: usize = 1200;

/// What is to be reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Aim {
    /// The primary metric.
    pub metric: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// The smallest effect worth keeping, for people.
    pub min_effect: String,
    /// The median that it started from.
    pub at_start: Option<f64>,
    /// Its present median.
    pub now: Option<f64>,
}

/// A metric as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricNow {
    /// The metric.
    pub name: String,
    /// `primary`, `coPrimary[0]` and so on, or the sentinel's pattern.
    pub role: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// Its present median.
    pub now: f64,
    /// The usual difference between two runs of the same code, for people.
    pub noise: String,
    /// The smallest change that can be told, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolves: Option<String>,
}

/// What may be changed, as globs relative to the repository root.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scoped {
    /// Allowed paths; empty allows every one that is not sealed.
    pub allow: Vec<String>,
    /// Forbidden paths.
    pub protect: Vec<String>,
    /// Sealed paths.
    pub sealed: Vec<String>,
}

/// An idea that is open, or a decision that is settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Idea {
    /// The name by which a proposal says that it tries it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// An idea that is closed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    /// Its name.
    pub name: String,
    /// What was tried, what came of it, and by which mechanism.
    pub text: String,
    /// Settings that are closed with it: `name`, or `name=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<String>,
    /// When it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopen: Option<String>,
}

/// An experiment that is settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Its number.
    pub experiment: u32,
    /// What was done.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// What it was.
    pub description: String,
    /// The idea that it tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idea: Option<String>,
    /// The settings that it tried a value of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<Axis>,
    /// The change of the primary with its interval, where it came to numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Why exactly.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What its author said of it.
    #[serde(skip_serializing_if = "Asi::is_empty")]
    pub asi: Asi,
    /// The end of what the command printed that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What the bench prints beside its metrics.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    /// The experiment in whose pairs the present program printed it; 0 is the calibration.
    pub experiment: u32,
    /// The lines, in order.
    pub lines: Vec<String>,
}

/// Everything that an agent is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// What is to be reached.
    pub goal: Aim,
    /// Every judged metric, the primary first.
    pub metrics: Vec<MetricNow>,
    /// What may be changed.
    pub scope: Scoped,
    /// Ideas to try, in the order of ideas.md.
    pub open_ideas: Vec<Idea>,
    /// Closed ideas, newest first.
    pub closed_ideas: Vec<Closed>,
    /// Settled decisions.
    pub settled_decisions: Vec<Idea>,
    /// Settled experiments, newest first.
    pub experiments: Vec<Tried>,
    /// What the bench prints beside its metrics.
    pub diagnostics: Option<Diagnostics>,
}

impl Context {
    /// Writes the context, at most [`LIMIT`] bytes of it. Lists are cut at their end, and say under [`LEFT_OUT`] how much.
    pub fn to_json(&self) -> String {
        let mut out = Out { keys: Map::new(), missing: Map::new(), room: LIMIT - FRAME };
        out.one("goal", &self.goal.within(), GOAL);
        out.list("metrics", &self.metrics, METRICS);
        out.list("allow", &self.scope.allow, PATHS);
        out.list("protect", &self.scope.protect, PATHS);
        out.list("sealed", &self.scope.sealed, PATHS);
        if let Some(diagnostics) = &self.diagnostics {
            out.one("diagnostics", &diagnostics.within(), DIAGNOSTICS);
        }
        out.list("closedIdeas", &self.closed_ideas.iter().map(Closed::within).collect::<Vec<_>>(), CLOSED);
        out.list("settledDecisions", &self.settled_decisions.iter().map(Idea::within).collect::<Vec<_>>(), SETTLED);
        out.list("openIdeas", &self.open_ideas.iter().map(Idea::within).collect::<Vec<_>>(), OPEN);
        let rest = out.room;
        out.list("experiments", &self.experiments.iter().map(Tried::within).collect::<Vec<_>>(), rest);
        out.finish()
    }
}

/// The context while it is written.
struct Out {
    keys: Map<String, Value>,
    missing: Map<String, Value>,
    room: usize,
}

impl Out {
    /// Writes one value, where it fits into its share.
    fn one(&mut self, key: &str, value: &impl Serialize, share: usize) {
        let Ok(value) = serde_json::to_value(value) else { return };
        let size = size(&value);
        if size <= share.min(self.room) {
            self.room -= size;
            self.keys.insert(key.to_owned(), value);
        } else {
            self.missing.insert(key.to_owned(), 1.into());
        }
    }

    /// Writes the beginning of a list that fits into its share.
    fn list<T: Serialize>(&mut self, key: &str, items: &[T], share: usize) {
        let mut room = share.min(self.room);
        let mut kept = Vec::new();
        for item in items {
            let Ok(value) = serde_json::to_value(item) else { break };
            let size = size(&value);
            if size > room {
                break;
            }
            room -= size;
            self.room -= size;
            kept.push(value);
        }
        if kept.len() < items.len() {
            self.missing.insert(key.to_owned(), (items.len() - kept.len()).into());
        }
        self.keys.insert(key.to_owned(), kept.into());
    }

    fn finish(mut self) -> String {
        self.keys.insert(LEFT_OUT.to_owned(), self.missing.into());
        format!("{:#}\n", Value::Object(self.keys))
    }
}

/// Returns the most bytes that a value takes in the context: each line is indented, and ends with a comma.
fn size(value: &Value) -> usize {
    let text = format!("{value:#}");
    text.len() + 6 * (text.matches('\n').count() + 1)
}

impl Aim {
    fn within(&self) -> Self {
        let cut = |text: &str| head(text, LINE_MAX).to_owned();
        Self { metric: cut(&self.metric), unit: cut(&self.unit), min_effect: cut(&self.min_effect), ..self.clone() }
    }
}

impl Idea {
    fn within(&self) -> Self {
        Self { name: head(&self.name, LINE_MAX).to_owned(), text: head(&self.text, IDEA_MAX).to_owned() }
    }
}

impl Closed {
    fn within(&self) -> Self {
        Self {
            name: head(&self.name, LINE_MAX).to_owned(),
            text: head(&self.text, IDEA_MAX).to_owned(),
            axes: self.axes.iter().take(10).map(|axis| head(axis, 100).to_owned()).collect(),
            reopen: self.reopen.as_ref().map(|when| head(when, LINE_MAX).to_owned()),
        }
    }
}

impl Tried {
    fn within(&self) -> Self {
        let line = |text: &str| head(text, LINE_MAX).to_owned();
        let mut asi = Asi::new();
        let mut room = ASI_MAX;
        for (key, value) in &self.asi {
            let size = key.len() + value.to_string().len();
            if size <= room {
                room -= size;
                asi.insert(key.clone(), value.clone());
            } else if let Value::String(text) = value {
                asi.insert(key.clone(), head(text, room.saturating_sub(key.len()) / 6).into());
                room = 0;
            }
        }
        Self {
            description: line(&self.description),
            idea: self.idea.as_deref().map(line),
            axes: self.axes.iter().take(10).cloned().collect(),
            change: self.change.as_deref().map(line),
            why: line(&self.why),
            asi,
            failure: self.failure.as_deref().map(|text| tail(text, FAILURE_MAX).to_owned()),
            ..*self
        }
    }
}

impl Diagnostics {
    /// Keeps the last lines, each of a bearable length.
    fn within(&self) -> Self {
        let mut room = DIAGNOSTICS / 2;
        let mut lines: Vec<String> = Vec::new();
        for line in self.lines.iter().rev() {
            let line = head(line, LINE_MAX / 2);
            let size = Value::from(line).to_string().len() + 12;
            if size > room {
                break;
            }
            room -= size;
            lines.push(line.to_owned());
        }
        lines.reverse();
        Self { experiment: self.experiment, lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim() -> Aim {
        Aim {
            metric: "work".into(),
            unit: String::new(),
            direction: Direction::Lower,
            min_effect: "1 %".into(),
            at_start: Some(1000.0),
            now: Some(900.0),
        }
    }

    fn tried(number: u32, text: &str) -> Tried {
        let mut asi = Asi::new();
        for key in ["hypothesis", "mechanism", "other"] {
            asi.insert(key.to_owned(), text.into());
        }
        Tried {
            experiment: number,
            status: Status::Crash,
            reason: Reason::BuildFailed,
            description: text.to_owned(),
            idea: Some(text.to_owned()),
            axes: Vec::new(),
            change: None,
            why: text.to_owned(),
            asi,
            failure: Some(text.to_owned()),
        }
    }

    /// A context with many entries of a text everywhere.
    fn full(text: &str) -> Context {
        let idea = || Idea { name: text.to_owned(), text: text.to_owned() };
        let closed = Closed {
            name: text.to_owned(),
            text: text.to_owned(),
            axes: vec![text.to_owned(); 50],
            reopen: Some(text.to_owned()),
        };
        let metric = MetricNow {
            name: head(text, 3000).to_owned(),
            role: "primary".into(),
            unit: String::new(),
            direction: Direction::Lower,
            now: 1.0,
            noise: "1 %".into(),
            resolves: None,
        };
        Context {
            goal: Aim { metric: text.to_owned(), ..aim() },
            metrics: vec![metric; 200],
            scope: Scoped {
                allow: vec![text.to_owned(); 500],
                protect: vec![text.to_owned(); 500],
                sealed: vec![text.to_owned(); 500],
            },
            open_ideas: (0..300).map(|_| idea()).collect(),
            closed_ideas: vec![closed; 300],
            settled_decisions: (0..300).map(|_| idea()).collect(),
            experiments: (0..500).rev().map(|number| tried(number, text)).collect(),
            diagnostics: Some(Diagnostics { experiment: 1, lines: vec![text.to_owned(); 5000] }),
        }
    }

    fn parsed(context: &Context) -> (String, Value) {
        let text = context.to_json();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn no_context_is_larger_than_its_limit() {
        for text in
            ["x", "word ", "\u{0}", "é", "\"\\\n", &"a line of some words\n".repeat(500), &"\u{1}".repeat(50_000)]
        {
            let (json, value) = parsed(&full(text));
            assert!(json.len() <= LIMIT, "{} bytes with {text:.20?}", json.len());
            assert!(value[LEFT_OUT]["experiments"].as_u64().is_some(), "what was left out is told");
        }
    }

    #[test]
    fn the_newest_experiments_come_first_and_every_part_keeps_something() {
        let (_, value) = parsed(&full(&"words and words ".repeat(40)));
        assert_eq!(value["experiments"][0]["experiment"], 499);
        let shown = value["experiments"].as_array().unwrap().len();
        assert!(shown >= 4, "{shown}");
        assert_eq!(value[LEFT_OUT]["experiments"], 500 - shown);
        for part in ["openIdeas", "closedIdeas", "settledDecisions", "metrics", "allow", "sealed"] {
            assert!(!value[part].as_array().unwrap().is_empty(), "{part}");
        }
        assert!(!value["diagnostics"]["lines"].as_array().unwrap().is_empty());
    }

    #[test]
    fn a_small_context_is_told_whole() {
        let mut context = full("x");
        context.experiments.truncate(3);
        context.open_ideas.truncate(2);
        context.closed_ideas.truncate(2);
        context.settled_decisions.clear();
        context.metrics.truncate(1);
        context.scope = Scoped { allow: vec!["src/**".into()], ..Scoped::default() };
        context.diagnostics = None;
        context.goal = aim();
        let (_, value) = parsed(&context);
        assert_eq!(value["goal"]["direction"], "lower");
        assert_eq!(value["goal"]["minEffect"], "1 %");
        assert_eq!(value["experiments"].as_array().unwrap().len(), 3);
        assert_eq!(value["experiments"][0]["asi"]["hypothesis"], "x");
        assert_eq!(value["experiments"][0]["failure"], "x");
        assert_eq!(value["closedIdeas"][0]["reopen"], "x");
        assert_eq!(value["allow"], serde_json::json!(["src/**"]));
        assert_eq!(value[LEFT_OUT], serde_json::json!({}));
    }

    #[test]
    fn the_end_of_a_failure_is_what_is_kept() {
        let long = format!("{}the last words", "x".repeat(5000));
        let failure = tried(1, &long).within().failure.unwrap();
        assert!(failure.ends_with("the last words") && failure.len() <= FAILURE_MAX);
    }
}
