//! When a closed idea may be tried again.

use std::fmt;

use jiff::civil::Date;

use super::comment::Comment;
use super::matching::{Facts, Keep};

/// What people write who do not want the machine to reopen an idea.
pub const BY_A_PERSON: &str = "by a person";

/// The conditions that the machine can judge, for people.
pub const CONDITIONS: &str = "'PATH changed', 'N keeps since', 'METRIC moved N %', 'METRIC moved N' (in its unit) or 'after YYYY-MM-DD'; \
     'by a person' for none";

/// A condition for trying a closed idea again. The language is small on purpose.
#[derive(Debug, Clone, PartialEq)]
pub enum Reopen {
    /// `src/options.rs changed`: a later keep touched the path, something in the folder, or a path with the prefix
    /// before the first `*`; or it differs between the commit of the closing and the tip.
    Changed(String),
    /// `3 keeps since`: that many candidates were kept later.
    KeepsSince(u32),
    /// `read_ms moved 10 %` or `commits moved 3`: later keeps changed a metric by so much together, in either direction.
    Moved {
        /// The metric.
        metric: String,
        /// By how much: in percent, else in the metric's unit.
        by: f64,
        /// Whether that is a share.
        percent: bool,
    },
    /// `after 2026-12-01`: that day is over.
    After(Date),
    /// Anything else is for people and never holds by machine.
    ForPeople(String),
}

/// Whether a condition holds now, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether it holds.
    pub holds: bool,
    /// How far it has come, for people.
    pub said: String,
}

impl Reopen {
    /// Reads a condition.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let path = text.strip_suffix(" changed").map(str::trim).filter(|path| !path.contains(char::is_whitespace));
        let keeps = text.strip_suffix(" keeps since").or_else(|| text.strip_suffix(" keep since"));
        let date = text.strip_prefix("after ").and_then(|date| date.trim().parse().ok());
        match (path, keeps.and_then(|n| n.trim().parse().ok()), date) {
            (Some(path), _, _) if !path.is_empty() => Self::Changed(path.to_owned()),
            (_, Some(n), _) if n > 0 => Self::KeepsSince(n),
            (_, _, Some(date)) => Self::After(date),
            _ => moved(text).unwrap_or_else(|| Self::ForPeople(text.to_owned())),
        }
    }

    /// Says whether it is a condition that the machine can judge, or says that a person must.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Changed(_) | Self::KeepsSince(_) | Self::Moved { .. } | Self::After(_) => true,
            Self::ForPeople(text) => text == BY_A_PERSON,
        }
    }

    /// Says whether the condition holds for an idea that was closed as its machine comment says.
    ///
    /// What counts later keeps needs to know since when: without a closing experiment it never holds.
    pub fn holds(&self, closed: &Comment, facts: &Facts) -> bool {
        self.standing(closed, facts).holds
    }

    /// Says whether the condition holds, and how far it has come.
    pub fn standing(&self, closed: &Comment, facts: &Facts) -> Standing {
        let since = closed.closed_at();
        let later: Vec<&Keep> =
            facts.keeps.iter().filter(|keep| since.is_some_and(|since| keep.experiment > since)).collect();
        let says = |holds: bool, said: String| Standing { holds, said };
        match self {
            Self::Changed(path) => changed(path, closed, &later, facts),
            Self::KeepsSince(n) => says(later.len() >= *n as usize, format!("{} of {n} keeps since", later.len())),
            Self::Moved { metric, by, percent } => {
                let moved = movement(metric, *percent, &later);
                let unit = if *percent { " %" } else { "" };
                says(moved.abs() >= *by, format!("{metric} moved {moved:+.1}{unit} of {by}{unit}"))
            }
            Self::After(date) => {
                let holds = facts.today > *date;
                says(holds, format!("{date} is {}", if holds { "over" } else { "not over" }))
            }
            Self::ForPeople(_) => says(false, "a person must say so".to_owned()),
        }
    }
}

impl fmt::Display for Reopen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(path) => write!(f, "{path} changed"),
            Self::KeepsSince(1) => f.write_str("1 keep since"),
            Self::KeepsSince(n) => write!(f, "{n} keeps since"),
            Self::Moved { metric, by, percent } => write!(f, "{metric} moved {by}{}", if *percent { " %" } else { "" }),
            Self::After(date) => write!(f, "after {date}"),
            Self::ForPeople(text) => f.write_str(text),
        }
    }
}

/// Reads `METRIC moved N %` and `METRIC moved N`.
fn moved(text: &str) -> Option<Reopen> {
    let (metric, amount) = text.split_once(" moved ")?;
    let (metric, amount) = (metric.trim(), amount.trim());
    let (number, percent) = amount.strip_suffix('%').map_or((amount, false), |number| (number.trim_end(), true));
    let by: f64 = number.parse().ok().filter(|by: &f64| by.is_finite() && *by > 0.0)?;
    let named = !metric.is_empty() && !metric.contains(char::is_whitespace);
    named.then(|| Reopen::Moved { metric: metric.to_owned(), by, percent })
}

fn changed(path: &str, closed: &Comment, later: &[&Keep], facts: &Facts) -> Standing {
    if let Some(keep) = later.iter().find(|keep| touches(&keep.touched, path)) {
        return Standing { holds: true, said: format!("#{} changed {path}", keep.experiment) };
    }
    let since = closed.base.as_ref().and_then(|base| Some((base, facts.changed.get(base)?)));
    match since {
        Some((base, touched)) if touches(touched, path) => {
            Standing { holds: true, said: format!("{path} changed since {base}") }
        }
        Some((base, _)) => Standing { holds: false, said: format!("{path} is as it was at {base}") },
        None => Standing { holds: false, said: format!("no later keep changed {path}") },
    }
}

/// Adds up what keeps changed of a metric: the product of the ratios in percent, else the sum in its unit.
///
/// Each keep was measured against the one before, in pairs, so that the machine's own drift is not in it.
fn movement(metric: &str, percent: bool, later: &[&Keep]) -> f64 {
    let changes = later.iter().filter_map(|keep| keep.metrics.get(metric));
    if percent {
        let ratios = changes.filter(|(before, _)| *before != 0.0).map(|(before, after)| after / before);
        return 100.0 * (ratios.product::<f64>() - 1.0);
    }
    changes.map(|(before, after)| after - before).sum()
}

/// Says whether one of the paths is the one meant: itself, in the folder, or with the prefix before the first `*`.
pub(super) fn covers(path: &str, touched: &str) -> bool {
    let prefix = path.split('*').next().unwrap_or(path);
    if prefix.len() < path.len() || path.ends_with('/') {
        return touched.starts_with(prefix);
    }
    touched.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn touches(touched: &[String], path: &str) -> bool {
    touched.iter().any(|touched| covers(path, touched))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::ExperimentId;

    fn facts() -> Facts {
        let keep = |n, path: &str, read: (f64, f64)| Keep {
            experiment: ExperimentId(n),
            touched: vec![path.to_owned()],
            metrics: BTreeMap::from([("read_ms".to_owned(), read)]),
        };
        Facts {
            keeps: vec![keep(2, "src/options.rs", (100.0, 90.0)), keep(5, "src/put/batch.rs", (80.0, 76.0))],
            changed: BTreeMap::from([("abc".to_owned(), vec!["README.md".to_owned()])]),
            today: jiff::civil::date(2026, 11, 21),
            ..Facts::default()
        }
    }

    fn closed(experiments: &[u32]) -> Comment {
        Comment { closed: experiments.iter().copied().map(ExperimentId).collect(), ..Comment::default() }
    }

    fn holds(condition: &str, after: u32) -> bool {
        Reopen::parse(condition).holds(&closed(&[1, after]), &facts())
    }

    #[test]
    fn a_changed_path_counts_only_after_the_closing_experiment() {
        assert!(holds("src/options.rs changed", 1));
        assert!(!holds("src/options.rs changed", 3));
        for path in ["src/put/batch.rs", "src/put", "src/put/", "src/put/**", "src/p*"] {
            assert!(holds(&format!("{path} changed"), 3), "{path}");
        }
        assert!(!holds("src/pu changed", 3));
    }

    #[test]
    fn what_differs_from_the_commit_of_the_closing_has_changed_too() {
        let condition = Reopen::parse("README.md changed");
        let at = |base: &str| Comment { base: Some(base.to_owned()), ..closed(&[9]) };
        assert!(condition.holds(&at("abc"), &facts()));
        assert!(!condition.holds(&at("unknown"), &facts()));
        assert!(!Reopen::parse("src/options.rs changed").holds(&at("abc"), &facts()));
    }

    #[test]
    fn keeps_and_days_are_counted() {
        assert!(holds("2 keeps since", 1));
        assert!(!holds("2 keeps since", 2));
        assert!(holds("1 keep since", 4));
        assert!(holds("after 2026-11-20", 4));
        assert!(!holds("after 2026-11-21", 4));
        let by_hand = Comment { since: Some(ExperimentId(4)), ..Comment::default() };
        assert!(Reopen::parse("1 keep since").holds(&by_hand, &facts()));
        assert!(!Reopen::parse("2 keeps since").holds(&by_hand, &facts()));
    }

    #[test]
    fn a_metric_moves_by_what_later_keeps_did_to_it_together() {
        // 90 % of 95 % is 85.5 %: 14.5 % less; in its unit 10 and 4 less.
        assert!(holds("read_ms moved 14 %", 1));
        assert!(holds("read_ms moved 14%", 1));
        assert!(!holds("read_ms moved 15 %", 1));
        assert!(!holds("read_ms moved 6 %", 3));
        assert!(holds("read_ms moved 14", 1));
        assert!(!holds("read_ms moved 14.5", 1));
        assert!(!holds("write_ms moved 0.1", 1));
        let standing = Reopen::parse("read_ms moved 20 %").standing(&closed(&[1]), &facts());
        assert_eq!(standing.said, "read_ms moved -14.5 % of 20 %");
    }

    #[test]
    fn what_the_machine_cannot_judge_never_holds() {
        let unknown = [
            "the team says so",
            "0 keeps since",
            "after tomorrow",
            " changed",
            "the file format changed",
            "",
            "read ms moved 1 %",
            "read_ms moved -1 %",
            "read_ms moved",
            "read_ms moved NaN",
        ];
        for text in unknown {
            assert!(matches!(Reopen::parse(text), Reopen::ForPeople(_)), "{text}");
            assert!(!holds(text, 1));
            assert!(!Reopen::parse(text).is_known(), "{text}");
        }
        assert!(Reopen::parse(BY_A_PERSON).is_known());
        assert!(!Reopen::parse("1 keep since").holds(&Comment::default(), &facts()));
    }

    #[test]
    fn a_condition_reads_as_it_was_written() {
        for text in ["src/** changed", "1 keep since", "3 keeps since", "read_ms moved 2.5 %", "commits moved 3", "x"] {
            assert_eq!(Reopen::parse(text).to_string(), text);
        }
    }
}
