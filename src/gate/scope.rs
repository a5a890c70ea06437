//! Whether a candidate may touch what it touches: scope, sealed paths, links that leave the repository.

use super::builtin::BUILT_IN;
use super::glob::{Globs, contains, join};
use super::{GateError, HarnessSnapshot};
use crate::domain::{KNOBS_FILE, Reason, Settings};

/// One path of a candidate's change. New, deleted, renamed and changed files and modes all have one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangedPath {
    /// The path, relative to the repository root, with `/`.
    pub path: String,
    /// Where it was before a rename or copy.
    pub old_path: Option<String>,
    /// The target, where the path is a symbolic link afterwards.
    pub becomes_symlink_to: Option<String>,
}

impl ChangedPath {
    /// Makes an ordinary change of one path.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), old_path: None, becomes_symlink_to: None }
    }
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// [`Reason::SealedPath`] or [`Reason::OutOfScope`].
    pub reason: Reason,
    /// The path, and the rule that it broke.
    pub detail: String,
}

/// What candidates may touch, compiled from the settings and the sealed files.
#[derive(Debug, Clone)]
pub struct ScopeRules {
    allow: Globs,
    protect: Globs,
    unseal: Globs,
    harness: Globs,
    /// Sealed files and folders, each with why.
    sealed: Vec<(String, String)>,
    built_in: Vec<(Globs, &'static str)>,
}

impl ScopeRules {
    /// Compiles the rules.
    pub fn new(settings: &Settings, harness: &HarnessSnapshot) -> Result<Self, GateError> {
        let folder = settings.folder.as_str();
        let inside =
            |path: &str, key| join(folder, path).ok_or_else(|| GateError::Outside { path: path.to_owned(), key });
        let mut sealed = vec![
            (inside(&settings.file, "the config file")?, "the config".to_owned()),
            (inside(&settings.checks.dir, "checks.dir")?, "the checks".to_owned()),
            (inside("ideas.md", "ideas.md")?, "a file that people and this tool edit".to_owned()),
            (inside(KNOBS_FILE, KNOBS_FILE)?, "the kept values of knobs, which only a sweep may change".to_owned()),
        ];
        sealed.extend(harness.files().iter().map(|file| (file.path.clone(), file.why.to_string())));
        let built_in = BUILT_IN.iter().map(|rule| {
            let globs: Vec<_> = rule.globs.iter().map(|&glob| glob.to_owned()).collect();
            Ok((Globs::new(&globs, "", "the built-in list")?, rule.ecosystem))
        });
        Ok(Self {
            allow: Globs::new(&settings.scope.allow, "", "scope.allow")?,
            protect: Globs::new(&settings.scope.protect, "", "scope.protect")?,
            unseal: Globs::new(&settings.scope.unseal, "", "scope.unseal")?,
            harness: Globs::new(&settings.harness, folder, "harness")?,
            sealed,
            built_in: built_in.collect::<Result<_, GateError>>()?,
        })
    }

    /// Judges a whole change, both sides of each rename; returns the first refusal, sealed paths before scope.
    pub fn judge(&self, change: &[ChangedPath]) -> Option<Refusal> {
        let paths = || change.iter().flat_map(|c| std::iter::once(&c.path).chain(&c.old_path));
        let sealed = |detail| Refusal { reason: Reason::SealedPath, detail };
        let outside = |detail| Refusal { reason: Reason::OutOfScope, detail };
        paths()
            .find_map(|path| self.sealed(path))
            .or_else(|| paths().find_map(|path| self.sealed_by_list(path)))
            .map(sealed)
            .or_else(|| paths().find_map(|path| self.out_of_scope(path)).map(outside))
            .or_else(|| change.iter().find_map(leaving_link).map(outside))
    }

    /// Says why a path is sealed whatever the settings allow.
    fn sealed(&self, path: &str) -> Option<String> {
        if path.split('/').any(is_git) {
            return Some(format!("{path}: .git* is sealed"));
        }
        if let Some(glob) = self.harness.first(path) {
            return Some(format!("{path}: sealed by harness '{glob}'"));
        }
        // A file in place of a folder above a sealed file would take the sealed file's place just as well.
        let clash = |sealed: &str| contains(sealed, path) || contains(path, sealed);
        let (sealed, why) = self.sealed.iter().find(|(sealed, _)| clash(sealed))?;
        Some(if sealed == path { format!("{path}: {why}") } else { format!("{path}: {sealed} is {why}") })
    }

    fn sealed_by_list(&self, path: &str) -> Option<String> {
        if self.unseal.first(path).is_some() {
            return None;
        }
        let find = |(globs, ecosystem): &(Globs, &str)| {
            let glob = globs.first(path)?;
            Some(format!("{path}: sealed by the built-in '{glob}' ({ecosystem}); scope.unseal can open it"))
        };
        self.built_in.iter().find_map(find)
    }

    fn out_of_scope(&self, path: &str) -> Option<String> {
        if let Some(glob) = self.protect.first(path) {
            return Some(format!("{path}: inside scope.protect '{glob}'"));
        }
        let outside = !self.allow.is_empty() && self.allow.first(path).is_none();
        outside.then(|| format!("{path}: outside scope.allow"))
    }
}

/// Says whether a part of a path is git's own, in any case of letters: some file systems know no other.
fn is_git(part: &str) -> bool {
    part.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(".git"))
}

fn leaving_link(change: &ChangedPath) -> Option<String> {
    let target = change.becomes_symlink_to.as_deref()?;
    let folder = change.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let inside = join(folder, target).is_some_and(|target| !target.split('/').any(is_git));
    (!inside).then(|| format!("{}: a link to '{target}', which leaves the repository", change.path))
}
