//! The machine comment at the end of an entry.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::domain::{Axis, ExperimentId};

/// What `<!-- autoresearch: id=.. axis=.. closed=3,16 reopen="..." -->` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comment {
    /// The idea's name, as `Idea:` trailers write it.
    pub id: Option<String>,
    /// The settings that the idea is about; `axis` may stand several times.
    pub axes: Vec<ClosedAxis>,
    /// The experiments that closed it.
    pub closed: Vec<ExperimentId>,
    /// The commit that the last of them was measured against, perhaps abbreviated.
    pub base: Option<String>,
    /// The last experiment that was settled when it was closed, where that was not one of its own.
    pub since: Option<ExperimentId>,
    /// When it may be tried again.
    pub reopen: Option<String>,
    /// Files and folders that a settled decision is about; `path` may stand several times.
    pub paths: Vec<String>,
    /// Lines that a settled decision keeps there, as regular expressions; `pattern` may stand several times.
    pub patterns: Vec<String>,
    /// Lines that a settled decision forbids there, as regular expressions; `forbid` may stand several times.
    pub forbids: Vec<String>,
}

impl Comment {
    /// Returns the experiment after which the idea was closed: the last that is known of then.
    pub fn closed_at(&self) -> Option<ExperimentId> {
        self.closed.iter().copied().chain(self.since).max()
    }
}

/// A setting that an entry is about: one value of it (`axis=name=value`), or all (`axis=name`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedAxis {
    /// The setting's name.
    pub name: String,
    /// The value; `None` stands for every value.
    pub value: Option<String>,
}

impl ClosedAxis {
    /// Says whether a candidate's setting is the one meant.
    pub fn covers(&self, axis: &Axis) -> bool {
        self.name == axis.name && self.value.as_ref().is_none_or(|value| *value == axis.value)
    }
}

impl std::fmt::Display for ClosedAxis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Says what of a machine comment could not be read. The rest of the comment counts all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommentProblem {
    /// A key that machine comments do not have.
    #[error("line {line}: unknown key '{key}' in a machine comment (known: {})", KNOWN)]
    UnknownKey {
        /// Line of the file, from 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// Text that is not `key=value`.
    #[error("line {line}: '{text}' in a machine comment is not key=value")]
    NotAPair {
        /// Line of the file, from 1.
        line: usize,
        /// The text.
        text: String,
    },
    /// An experiment that is not a number.
    #[error("line {line}: '{text}' in {key}= is not an experiment's number")]
    NotANumber {
        /// Line of the file, from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// The text.
        text: String,
    },
}

impl CommentProblem {
    /// Returns the line of the file, from 1.
    pub fn line(&self) -> usize {
        match self {
            Self::UnknownKey { line, .. } | Self::NotAPair { line, .. } | Self::NotANumber { line, .. } => *line,
        }
    }
}

/// The keys of machine comments, for people.
const KNOWN: &str = "id, axis, closed, base, since, reopen, path, pattern, forbid";

static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<!--\s*autoresearch:(.*?)-->"));
static UNADDRESSED: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"<!--\s*(?:{})=", KNOWN.replace(", ", "|"))));
static PAIR: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z]+)=(?:"([^"]*)"|(\S+))|(\S+)"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// Finds comments that begin with a pair of a machine comment, but do not say whom they are for.
pub(super) fn unaddressed(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    UNADDRESSED.find_iter(text).map(|found| found.range())
}

/// Finds the last machine comment in a piece of HTML; its range is relative to the piece.
pub(super) fn find(html: &str) -> Option<Range<usize>> {
    COMMENT.find_iter(html).last().map(|found| found.range())
}

/// Reads a whole machine comment, as [`find`] found it on that line.
pub(super) fn parse(text: &str, line: usize) -> (Comment, Vec<CommentProblem>) {
    let mut comment = Comment::default();
    let mut problems = Vec::new();
    let inner = COMMENT.captures(text).and_then(|found| found.get(1)).map_or("", |found| found.as_str());
    for pair in PAIR.captures_iter(inner) {
        let group = |n| pair.get(n).map(|found| found.as_str());
        let value = group(2).or(group(3)).unwrap_or_default();
        match (group(1), group(4)) {
            (Some("id"), _) => comment.id = Some(value.to_owned()),
            (Some("axis"), _) => comment.axes.push(axis(value)),
            (Some("reopen"), _) => comment.reopen = Some(value.to_owned()),
            (Some("base"), _) => comment.base = Some(value.to_owned()),
            (Some("path"), _) => comment.paths.push(value.to_owned()),
            (Some("pattern"), _) => comment.patterns.push(value.to_owned()),
            (Some("forbid"), _) => comment.forbids.push(value.to_owned()),
            (Some("closed"), _) => {
                let (numbers, bad) = experiments(value);
                comment.closed.extend(numbers);
                let key = "closed";
                problems.extend(bad.into_iter().map(|text| CommentProblem::NotANumber { line, key, text }));
            }
            (Some("since"), _) => {
                let (numbers, bad) = experiments(value);
                comment.since = numbers.into_iter().max();
                let key = "since";
                problems.extend(bad.into_iter().map(|text| CommentProblem::NotANumber { line, key, text }));
            }
            (Some(key), _) => problems.push(CommentProblem::UnknownKey { line, key: key.to_owned() }),
            (None, text) => {
                problems.push(CommentProblem::NotAPair { line, text: text.unwrap_or_default().to_owned() });
            }
        }
    }
    (comment, problems)
}

fn axis(text: &str) -> ClosedAxis {
    match text.split_once('=') {
        Some((name, value)) => ClosedAxis { name: name.to_owned(), value: Some(value.to_owned()) },
        None => ClosedAxis { name: text.to_owned(), value: None },
    }
}

fn experiments(list: &str) -> (Vec<ExperimentId>, Vec<String>) {
    let mut bad = Vec::new();
    let parse = |word: &str| word.trim().trim_start_matches('#').parse().map(ExperimentId).map_err(|_| word.to_owned());
    let good = list.split(',').filter_map(|word| parse(word).map_err(|word| bad.push(word)).ok()).collect();
    (good, bad)
}

impl Comment {
    /// Writes the comment as it stands in the file; what would end it early is spelt differently.
    pub(super) fn render(&self) -> String {
        let mut parts = vec!["<!-- autoresearch:".to_owned()];
        parts.extend(self.id.as_ref().map(|id| format!("id={}", quoted(id))));
        parts.extend(self.axes.iter().map(|axis| format!("axis={}", quoted(&axis.to_string()))));
        parts.extend(self.closing().into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?))));
        let of_decision = [("path", &self.paths), ("pattern", &self.patterns), ("forbid", &self.forbids)];
        for (key, values) in of_decision {
            parts.extend(values.iter().map(|value| format!("{key}={}", quoted(value))));
        }
        parts.push("-->".to_owned());
        parts.join(" ")
    }

    /// Returns the keys that say how an idea was closed, with their values as they are written.
    pub(super) fn closing(&self) -> [(&'static str, Option<String>); 4] {
        [
            ("closed", (!self.closed.is_empty()).then(|| numbers(&self.closed))),
            ("base", self.base.as_deref().map(quoted)),
            ("since", self.since.map(|since| since.to_string())),
            ("reopen", self.reopen.as_ref().map(|reopen| format!("\"{}\"", plain(reopen)))),
        ]
    }
}

/// Puts other values of some keys into a comment, or takes the keys out, and changes nothing else of it.
pub(super) fn with_keys(comment: &str, keys: &[(&str, Option<String>)]) -> String {
    keys.iter().fold(comment.to_owned(), |comment, (key, value)| with_key(&comment, key, value.as_deref()))
}

/// Puts values of settings into a comment: in the place of what it says of one setting, else at its end.
pub(super) fn with_axes(comment: &str, setting: Option<&str>, axes: &[ClosedAxis]) -> String {
    let written = axes.iter().map(|axis| format!("axis={}", quoted(&axis.to_string()))).collect::<Vec<_>>().join(" ");
    let places = setting.map_or_else(Vec::new, |name| places_of(comment, name));
    let Some((first, others)) = places.split_first() else {
        let end = comment.len() - "-->".len();
        let bare = comment[..end].trim_end();
        return if axes.is_empty() { comment.to_owned() } else { format!("{bare} {written} -->") };
    };
    let mut all = comment.to_owned();
    for place in others.iter().rev() {
        let blank = all[place.end..].len() - all[place.end..].trim_start_matches(' ').len();
        all.replace_range(place.start..place.end + blank, "");
    }
    all.replace_range(first.clone(), &written);
    all
}

/// Returns where a comment speaks of a setting.
fn places_of(comment: &str, setting: &str) -> Vec<Range<usize>> {
    let inner = COMMENT.captures(comment).and_then(|found| found.get(1)).map_or(0..0, |found| found.range());
    let is_about = |pair: &regex::Captures<'_>| {
        let value = pair.get(2).or(pair.get(3)).map_or("", |value| value.as_str());
        pair.get(1).is_some_and(|key| key.as_str() == "axis") && axis(value).name == setting
    };
    let pairs = PAIR.captures_iter(&comment[inner.clone()]).filter(is_about).filter_map(|pair| pair.get(0));
    pairs.map(|pair| inner.start + pair.start()..inner.start + pair.end()).collect()
}

fn with_key(comment: &str, key: &str, value: Option<&str>) -> String {
    let pair = value.map(|value| format!("{key}={value}"));
    let inner = COMMENT.captures(comment).and_then(|found| found.get(1)).map_or(0..0, |found| found.range());
    let is_key = |found: &regex::Captures<'_>| found.get(1).is_some_and(|name| name.as_str() == key);
    let found = PAIR.captures_iter(&comment[inner.clone()]).find(is_key).and_then(|found| found.get(0));
    match (found.map(|found| inner.start + found.start()..inner.start + found.end()), pair) {
        (Some(at), Some(pair)) => format!("{}{pair}{}", &comment[..at.start], &comment[at.end..]),
        (Some(at), None) => format!("{}{}", &comment[..at.start], comment[at.end..].trim_start_matches(' ')),
        (None, Some(pair)) => {
            let end = comment.len() - "-->".len();
            format!("{} {pair} -->", comment[..end].trim_end())
        }
        (None, None) => comment.to_owned(),
    }
}

fn numbers(list: &[ExperimentId]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Quotes a value where a bare one would end early.
fn quoted(value: &str) -> String {
    let bare = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"') && plain(value) == value;
    if bare { value.to_owned() } else { format!("\"{}\"", plain(value)) }
}

fn plain(value: &str) -> String {
    value.replace(['\r', '\n'], " ").replace('"', "'").replace("-->", "-- >")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_of_the_format_is_read() {
        let text =
            "x <!-- autoresearch: id=memtable-size axis=memtable_mib closed=3,16 reopen=\"src/options.rs changed\" -->";
        let (comment, problems) = parse(text, 1);
        assert_eq!(comment.id.as_deref(), Some("memtable-size"));
        assert_eq!(comment.axes, [ClosedAxis { name: "memtable_mib".into(), value: None }]);
        assert_eq!(comment.closed, [ExperimentId(3), ExperimentId(16)]);
        assert_eq!(comment.reopen.as_deref(), Some("src/options.rs changed"));
        assert_eq!(problems, []);
        assert_eq!(comment.render(), text[2..]);
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_the_rest_counts() {
        let (comment, problems) = parse("<!-- autoresearch: id=a colour=red closed=1,x lonely -->", 7);
        assert_eq!((comment.id.as_deref(), comment.closed), (Some("a"), vec![ExperimentId(1)]));
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "line 7: unknown key 'colour' in a machine comment (known: id, axis, closed, base, since, reopen, path, pattern, forbid)",
                "line 7: 'x' in closed= is not an experiment's number",
                "line 7: 'lonely' in a machine comment is not key=value",
            ]
        );
    }

    #[test]
    fn a_rendered_comment_reads_as_what_it_was() {
        let comment = Comment {
            id: Some("two words".into()),
            axes: vec![ClosedAxis { name: "batch".into(), value: Some("1 000".into()) }],
            closed: vec![ExperimentId(4)],
            base: Some("0123456789".into()),
            since: Some(ExperimentId(12)),
            reopen: Some("3 keeps since".into()),
            paths: vec!["src/wal.rs".into(), "src/log/".into()],
            patterns: vec![r"\bfsync\(".into()],
            forbids: vec!["no such line".into()],
        };
        assert_eq!(parse(&comment.render(), 1), (comment, vec![]));
    }

    #[test]
    fn a_value_cannot_end_the_comment() {
        let comment = Comment { id: Some("a-->\n<!-- autoresearch: id=b".into()), ..Comment::default() };
        assert_eq!(comment.render().matches("-->").count(), 1);
    }

    #[test]
    fn only_the_keys_that_are_named_are_changed() {
        let closed = |value: &str| [("closed", Some(value.to_owned()))];
        assert_eq!(
            with_keys("<!--  autoresearch: closed=3  id=a-->", &closed("3,9")),
            "<!--  autoresearch: closed=3,9  id=a-->"
        );
        assert_eq!(with_keys("<!-- autoresearch: id=a -->", &closed("3,9")), "<!-- autoresearch: id=a closed=3,9 -->");
        let quoted = "<!-- autoresearch: reopen=\"when closed=3 is wrong\" id=a -->";
        assert_eq!(with_keys(quoted, &closed("4")), quoted.replace(" -->", " closed=4 -->"));
        assert_eq!(with_keys(quoted, &[("reopen", None)]), "<!-- autoresearch: id=a -->");
        assert_eq!(with_keys(quoted, &[("base", None)]), quoted);
    }
}
