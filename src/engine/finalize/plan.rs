//! Which keeps become which branch: by the files that they touch, or by a plan that a person wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::{ExperimentId, Review};
use crate::git::{GitError, UserRepository};
use crate::state::{ExperimentRecord, SessionState};

use super::FinalizeError;

/// File names that say less than the folder they are in.
const SAY_NOTHING: [&str; 5] = ["mod", "lib", "main", "index", "__init__"];

/// Which keeps are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Those that a person accepted.
    Accepted,
    /// Those that nobody rejected.
    NotRejected,
}

impl Taken {
    fn takes(self, record: &ExperimentRecord) -> bool {
        match self {
            Self::Accepted => record.review == Some(Review::Accepted),
            Self::NotRejected => record.review != Some(Review::Rejected),
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Self::Accepted => "is not accepted; 'autoresearch accept' it, or leave it out",
            Self::NotRejected => "is rejected; 'autoresearch accept' it, or leave it out",
        }
    }
}

/// A plan as people read and write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The groups, each of which becomes a branch.
    pub groups: Vec<PlannedGroup>,
}

/// A group of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedGroup {
    /// Its name, the last part of its branch's.
    pub name: String,
    /// The numbers of its keeps; they are applied in the order in which they were kept.
    pub keeps: Vec<u32>,
}

/// A group whose keeps are to be had.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its keeps, in the order in which they were kept.
    pub keeps: Vec<ExperimentRecord>,
}

/// Returns the keeps that stand and are taken, in order; there is at least one.
pub fn keeps_of(state: &SessionState, taken: Taken) -> Result<Vec<ExperimentRecord>, FinalizeError> {
    if state.keeps().next().is_none() {
        return Err(FinalizeError::NothingKept);
    }
    let keeps: Vec<ExperimentRecord> = state.keeps().filter(|record| taken.takes(record)).cloned().collect();
    if keeps.is_empty() { Err(FinalizeError::NothingAccepted) } else { Ok(keeps) }
}

impl Plan {
    /// Groups keeps by files: two that touch a common file are in one group.
    pub fn by_files(user: &UserRepository, keeps: &[ExperimentRecord]) -> Result<Self, GitError> {
        let paths = |keep: &ExperimentRecord| user.paths_changed(&keep.tip(), &keep.commit());
        let touched: Vec<(ExperimentId, Vec<String>)> =
            keeps.iter().map(|keep| Ok((keep.id, paths(keep)?))).collect::<Result<_, GitError>>()?;
        Ok(grouped(&touched))
    }

    /// Reads a plan that a person wrote.
    pub fn read(text: &str) -> Result<Self, FinalizeError> {
        serde_json::from_str(text).map_err(FinalizeError::PlanSyntax)
    }

    /// Finds the keeps that a plan names, each of which must stand, be taken, and be named once.
    pub fn groups(&self, state: &SessionState, taken: Taken) -> Result<Vec<Group>, FinalizeError> {
        self.check_names()?;
        let mut seen = BTreeSet::new();
        for experiment in self.groups.iter().flat_map(|group| &group.keeps).copied().map(ExperimentId) {
            let record = state.keeps().find(|record| record.id == experiment);
            let refused = |why| FinalizeError::PlannedKeep { experiment, why };
            let record = record.ok_or_else(|| refused("is no keep that stands; 'autoresearch review' lists those"))?;
            if !taken.takes(record) {
                return Err(refused(taken.refusal()));
            }
            if !seen.insert(experiment) {
                return Err(FinalizeError::PlannedTwice { experiment });
            }
        }
        let keeps = |group: &PlannedGroup| {
            state.keeps().filter(|record| group.keeps.contains(&record.id.0)).cloned().collect::<Vec<_>>()
        };
        Ok(self.groups.iter().map(|group| Group { name: group.name.clone(), keeps: keeps(group) }).collect())
    }

    fn check_names(&self) -> Result<(), FinalizeError> {
        if self.groups.is_empty() {
            return Err(FinalizeError::PlanEmpty("no group".to_owned()));
        }
        let mut names = BTreeSet::new();
        for PlannedGroup { name, keeps } in &self.groups {
            let refused = |why| FinalizeError::GroupName { name: name.clone(), why };
            if keeps.is_empty() {
                return Err(FinalizeError::PlanEmpty(format!("no keep in group '{name}'")));
            }
            if !is_name(name) {
                return Err(refused(
                    "but names hold letters, digits, '-', '_' and '.' only, begin and end with a letter or digit, and \
                     have neither '..' nor the ending '.lock'",
                ));
            }
            // Where file names have no case, git keeps such branches in one file.
            if !names.insert(name.to_ascii_lowercase()) {
                return Err(refused("which is there twice; give one of them another name"));
            }
        }
        Ok(())
    }
}

/// Says whether a name can be the last part of a branch's.
fn is_name(name: &str) -> bool {
    let ends = [name.chars().next(), name.chars().last()];
    let inner = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let is_lock = name.rsplit_once('.').is_some_and(|(_, ending)| ending == "lock");
    inner && ends.iter().all(|c| c.is_some_and(|c| c.is_ascii_alphanumeric())) && !name.contains("..") && !is_lock
}

/// Groups keeps, each with the paths that it touches, in the order of their first keeps.
fn grouped(touched: &[(ExperimentId, Vec<String>)]) -> Plan {
    let mut groups: Vec<(Vec<ExperimentId>, Vec<&str>)> = Vec::new();
    for (id, paths) in touched {
        let mut joined = (Vec::new(), Vec::new());
        groups.retain(|(keeps, theirs)| {
            let common = theirs.iter().any(|path| paths.iter().any(|own| own == path));
            if common {
                joined.0.extend(keeps.iter().copied());
                joined.1.extend(theirs.iter().copied());
            }
            !common
        });
        joined.0.push(*id);
        joined.1.extend(paths.iter().map(String::as_str));
        groups.push(joined);
    }
    for (keeps, _) in &mut groups {
        keeps.sort_by_key(|id| touched.iter().position(|(other, _)| other == id));
    }
    groups.sort_by_key(|(keeps, _)| touched.iter().position(|(id, _)| keeps.first() == Some(id)));
    let mut names = BTreeSet::new();
    let planned = groups.into_iter().map(|(keeps, paths)| {
        let mut name = name_of(&paths);
        if !names.insert(name.to_ascii_lowercase()) {
            let first = keeps.first().map_or(0, |id| id.0);
            name = format!("{name}-{first}");
            names.insert(name.to_ascii_lowercase());
        }
        PlannedGroup { name, keeps: keeps.into_iter().map(|id| id.0).collect() }
    });
    Plan { groups: planned.collect() }
}

/// Names a group after the file that most of its keeps touch, the first of those in the alphabet.
fn name_of(paths: &[&str]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        *counts.entry(path).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or_default();
    let path = counts.iter().find(|(_, count)| **count == most).map_or("", |(path, _)| *path);
    let stem = |path: &Path| path.file_stem().map(|stem| plain(&stem.to_string_lossy())).unwrap_or_default();
    let own = stem(Path::new(path));
    let folder = Path::new(path).parent().map(stem).unwrap_or_default();
    let name = if SAY_NOTHING.contains(&own.as_str()) && !folder.is_empty() { folder } else { own };
    if name.is_empty() { "keeps".to_owned() } else { name }
}

/// Leaves of a text what can stand in a name.
fn plain(text: &str) -> String {
    let kept = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect::<String>();
    kept.trim_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(touched: &[(u32, &[&str])]) -> Vec<(String, Vec<u32>)> {
        let owned: Vec<(ExperimentId, Vec<String>)> = touched
            .iter()
            .map(|(id, paths)| (ExperimentId(*id), paths.iter().map(|path| (*path).to_owned()).collect()))
            .collect();
        grouped(&owned).groups.into_iter().map(|group| (group.name, group.keeps)).collect()
    }

    #[test]
    fn keeps_with_a_common_file_are_one_group_also_where_a_later_one_joins_two() {
        assert_eq!(
            plan(&[(1, &["src/wal.rs"]), (3, &["src/io.rs"]), (4, &["src/wal.rs", "src/wal.rs.md"])]),
            [("wal".to_owned(), vec![1, 4]), ("io".to_owned(), vec![3])]
        );
        assert_eq!(plan(&[(1, &["a"]), (2, &["b"]), (3, &["b", "a"])]), [("a".to_owned(), vec![1, 2, 3])]);
    }

    #[test]
    fn a_group_has_a_name_that_says_something_and_that_no_other_has() {
        assert_eq!(
            plan(&[
                (1, &["src/wal/mod.rs"]),
                (2, &["db/wal.c"]),
                (5, &["lib.rs"]),
                (6, &["new\u{e9}.x"]),
                (7, &["--"])
            ]),
            [("wal", 1), ("wal-2", 2), ("lib", 5), ("new", 6), ("keeps", 7)].map(|(n, id)| (n.to_owned(), vec![id]))
        );
    }

    #[test]
    fn names_that_git_would_not_take_are_refused() {
        for good in ["wal", "a.b", "a-b_c", "7"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a/b", ".a", "a.", "-a", "a..b", "a.lock", "a b", "\u{e4}"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
