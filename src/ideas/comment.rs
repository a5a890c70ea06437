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
    /// When it may be tried again.
    pub reopen: Option<String>,
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
    /// Makes the entry's part of one value.
    pub(super) fn of_value(axis: &Axis) -> Self {
        Self { name: axis.name.clone(), value: Some(axis.value.clone()) }
    }

    fn render(&self) -> String {
        match &self.value {
            Some(value) => format!("axis={}", quoted(&format!("{}={value}", self.name))),
            None => format!("axis={}", quoted(&self.name)),
        }
    }

    /// Says whether a candidate's setting is the one meant.
    pub fn covers(&self, axis: &Axis) -> bool {
        self.name == axis.name && self.value.as_ref().is_none_or(|value| *value == axis.value)
    }
}

/// Says what of a machine comment could not be read. The rest of the comment counts all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommentProblem {
    /// A key that machine comments do not have.
    #[error("line {line}: unknown key '{key}' in a machine comment (known: id, axis, closed, reopen)")]
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
    #[error("line {line}: '{text}' in closed= is not an experiment's number")]
    NotANumber {
        /// Line of the file, from 1.
        line: usize,
        /// The text.
        text: String,
    },
}

static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<!--\s*autoresearch:(.*?)-->"));
static PAIR: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z]+)=(?:"([^"]*)"|(\S+))|(\S+)"#));
static CLOSED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\bclosed=(?:"([^"]*)"|(\S+))"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
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
            (Some("closed"), _) => {
                let (numbers, bad) = experiments(value);
                comment.closed.extend(numbers);
                problems.extend(bad.into_iter().map(|text| CommentProblem::NotANumber { line, text }));
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
        parts.extend(self.axes.iter().map(ClosedAxis::render));
        if !self.closed.is_empty() {
            parts.push(format!("closed={}", numbers(&self.closed)));
        }
        parts.extend(self.reopen.as_ref().map(|reopen| format!("reopen=\"{}\"", plain(reopen))));
        parts.push("-->".to_owned());
        parts.join(" ")
    }
}

/// Puts another list of experiments, and further settings, into a comment and changes nothing else of it.
pub(super) fn with_closed(comment: &str, closed: &[ExperimentId], axes: &[ClosedAxis]) -> String {
    let list = format!("closed={}", numbers(closed));
    let listed = match CLOSED.find(comment) {
        Some(found) => format!("{}{list}{}", &comment[..found.start()], &comment[found.end()..]),
        None => at_end(comment, &list),
    };
    axes.iter().fold(listed, |comment, axis| at_end(&comment, &axis.render()))
}

fn at_end(comment: &str, pair: &str) -> String {
    let end = comment.len() - "-->".len();
    format!("{} {pair} -->", comment[..end].trim_end())
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
                "line 7: unknown key 'colour' in a machine comment (known: id, axis, closed, reopen)",
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
            reopen: Some("3 keeps since".into()),
        };
        assert_eq!(parse(&comment.render(), 1), (comment, vec![]));
    }

    #[test]
    fn a_value_cannot_end_the_comment() {
        let comment = Comment { id: Some("a-->\n<!-- autoresearch: id=b".into()), ..Comment::default() };
        assert_eq!(comment.render().matches("-->").count(), 1);
    }

    #[test]
    fn only_the_list_of_experiments_is_replaced() {
        let closed = [ExperimentId(3), ExperimentId(9)];
        assert_eq!(
            with_closed("<!--  autoresearch: closed=3  id=a-->", &closed, &[]),
            "<!--  autoresearch: closed=3,9  id=a-->"
        );
        assert_eq!(with_closed("<!-- autoresearch: id=a -->", &closed, &[]), "<!-- autoresearch: id=a closed=3,9 -->");
        let axis = ClosedAxis { name: "batch".into(), value: Some("1 000".into()) };
        assert_eq!(
            with_closed("<!-- autoresearch: id=a closed=3 -->", &closed, &[axis]),
            "<!-- autoresearch: id=a closed=3,9 axis=\"batch=1 000\" -->"
        );
    }
}
