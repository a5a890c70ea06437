//! Files that the user's checkout has and a slot has not: what a command that fails only in a slot most likely wants.

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::{Arm, Settings};
use crate::engine::EngineError;
use crate::engine::logs;
use crate::engine::session::Session;
use crate::engine::workbench::join;

use super::steps::Step;

/// Bytes of a log that are searched for names.
const SEARCHED: usize = 1 << 16;
/// How many files are listed where none is mentioned.
const LISTED: usize = 10;

/// Unversioned files of the checkout that a slot lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Missing {
    /// Those that the command or its output mentions.
    mentioned: Vec<String>,
    /// The others; folders end in `/`.
    others: Vec<String>,
}

/// Finds what a failed step may have missed.
pub(super) fn find(session: &Session<'_, '_>, arm: Arm, step: &Step, log: &Path) -> Result<Missing, EngineError> {
    let slot = session.bench.root(arm);
    let kept: BTreeSet<String> = kept(session.settings);
    let absent = |path: &String| !slot.join(path).exists() && !kept.contains(path.trim_end_matches('/'));
    let all = session.user.unversioned()?.into_iter().map(|found| found.path).filter(absent).collect::<Vec<_>>();
    let mut text = step.command(session);
    for ending in ["err", "out"] {
        text.push('\n');
        text += &logs::tail(&log.with_added_extension(ending), SEARCHED).unwrap_or_default();
    }
    Ok(sort(all, &text, session.user.root()))
}

/// Returns the folders that the build fills itself.
fn kept(settings: &Settings) -> BTreeSet<String> {
    let folders = settings.build.iter().flat_map(|build| &build.keep);
    folders.map(|folder| join(&settings.folder, folder)).collect()
}

fn sort(all: Vec<String>, text: &str, root: &Path) -> Missing {
    let mut missing = Missing::default();
    for path in all {
        match mentioned(&path, text, root) {
            Some(name) => missing.mentioned.push(name),
            None => missing.others.push(path),
        }
    }
    missing
}

/// Returns what of a path a text mentions: the file by path or name, or a file of the folder.
fn mentioned(path: &str, text: &str, root: &Path) -> Option<String> {
    let name = path.trim_end_matches('/').rsplit('/').next()?;
    if !path.ends_with('/') {
        return word_at(text, name).map(|_| path.to_owned());
    }
    let below = word_at(text, path).map(|at| text[at..].split([' ', '\'', '"', '`', ':', ',', ';', ')', '\n', '\t']));
    let file = below.and_then(|mut words| words.next()).map(|word| word.trim_end_matches('.'));
    if let Some(file) = file.filter(|file| root.join(file).is_file()) {
        return Some(file.to_owned());
    }
    word_at(text, name).map(|_| path.to_owned())
}

/// Finds a name that is not part of a longer one.
fn word_at(text: &str, name: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let whole = |at: &usize| {
        let before = text[..*at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(|c| part(c) || c == '.') && (name.ends_with('/') || !after.is_some_and(part))
    };
    text.match_indices(name).map(|(at, _)| at).find(whole)
}

impl Missing {
    /// Says whether nothing is missing.
    pub(super) fn is_empty(&self) -> bool {
        self.mentioned.is_empty() && self.others.is_empty()
    }

    /// Returns the names: those that are mentioned where there are such, else the first of all.
    pub(super) fn names(&self) -> Vec<String> {
        if self.mentioned.is_empty() {
            self.others.iter().take(LISTED).cloned().collect()
        } else {
            self.mentioned.clone()
        }
    }

    /// Says which files the slot lacks and what to do about it.
    pub(super) fn cure(&self, settings: &Settings) -> String {
        let list = self.names().join(", ");
        let more = if self.mentioned.is_empty() && self.others.len() > LISTED {
            format!(" and {} more", self.others.len() - LISTED)
        } else {
            String::new()
        };
        let found = if self.mentioned.is_empty() {
            format!("your checkout has unversioned files that a slot has not: {list}{more}; if it needs one of them, ")
        } else {
            format!("your checkout has {list}, which git does not version and a slot therefore has not: ")
        };
        let relative: Vec<&str> = self.mentioned.iter().map(|path| below(&settings.folder, path)).collect();
        let example = if relative.is_empty() { "FILE".to_owned() } else { relative.join("\", \"") };
        format!("{found}commit it, list it in 'prepare.copy' (\"copy\": [\"{example}\"]), or let 'prepare' make it")
    }
}

fn below<'p>(folder: &str, path: &'p str) -> &'p str {
    path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_the_output_names_is_told_from_the_others() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("data")).unwrap();
        std::fs::write(root.path().join("data/big.bin"), "x").unwrap();
        let all = ["input.txt", ".env", "data/", "old.txt"].map(str::to_owned).to_vec();
        let text = "cat: input.txt: No such file\nopen 'data/big.bin': failed\nvery_old.txt";
        let missing = sort(all, text, root.path());
        assert_eq!(missing.mentioned, ["input.txt", "data/big.bin"]);
        assert_eq!(missing.others, [".env", "old.txt"]);
    }
}
