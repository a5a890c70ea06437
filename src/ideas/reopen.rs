//! When a closed idea may be tried again.

use jiff::civil::Date;

use crate::domain::ExperimentId;

use super::matching::{Facts, Keep};

/// A condition for trying a closed idea again. The language is small on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reopen {
    /// `src/options.rs changed`: a later keep touched the path, something in the folder, or a path with the prefix
    /// before the first `*`.
    Changed(String),
    /// `3 keeps since`: that many candidates were kept later.
    KeepsSince(u32),
    /// `after 2026-12-01`: that day is over.
    After(Date),
    /// Anything else is for people and never holds by machine.
    ForPeople(String),
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
            _ => Self::ForPeople(text.to_owned()),
        }
    }

    /// Says whether the condition holds for an idea that these experiments closed.
    ///
    /// What counts keeps needs to know since when: without a closing experiment it never holds.
    pub fn holds(&self, closed: &[ExperimentId], facts: &Facts) -> bool {
        let since = closed.iter().max();
        let later = || facts.keeps.iter().filter(|keep| since.is_some_and(|since| keep.experiment > *since));
        match self {
            Self::Changed(path) => later().any(|keep| touches(keep, path)),
            Self::KeepsSince(n) => later().count() >= *n as usize,
            Self::After(date) => facts.today > *date,
            Self::ForPeople(_) => false,
        }
    }
}

fn touches(keep: &Keep, path: &str) -> bool {
    let prefix = path.split('*').next().unwrap_or(path);
    let is_pattern = prefix.len() < path.len() || path.ends_with('/');
    let inside =
        |touched: &str| touched.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    keep.touched.iter().any(|touched| if is_pattern { touched.starts_with(prefix) } else { inside(touched) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let keep = |n, path: &str| Keep { experiment: ExperimentId(n), touched: vec![path.to_owned()] };
        Facts {
            keeps: vec![keep(2, "src/options.rs"), keep(5, "src/put/batch.rs")],
            today: jiff::civil::date(2026, 11, 21),
            ..Facts::default()
        }
    }

    fn holds(condition: &str, closed: u32) -> bool {
        Reopen::parse(condition).holds(&[ExperimentId(1), ExperimentId(closed)], &facts())
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
    fn keeps_and_days_are_counted() {
        assert!(holds("2 keeps since", 1));
        assert!(!holds("2 keeps since", 2));
        assert!(holds("1 keep since", 4));
        assert!(holds("after 2026-11-20", 4));
        assert!(!holds("after 2026-11-21", 4));
    }

    #[test]
    fn what_the_machine_cannot_judge_never_holds() {
        for text in ["the team says so", "0 keeps since", "after tomorrow", " changed", "the file format changed", ""] {
            assert!(matches!(Reopen::parse(text), Reopen::ForPeople(_)), "{text}");
            assert!(!holds(text, 1));
        }
        assert!(!Reopen::parse("1 keep since").holds(&[], &facts()));
    }
}
