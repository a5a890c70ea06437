//! The commits of a range `base..branch`, oldest first.

use crate::domain::ObjectId;
use crate::git::{GitError, UserRepository};

/// Says why a range gives no commit.
#[derive(Debug, thiserror::Error)]
#[error("the commits of '{range}' cannot be listed: {source}")]
pub struct RangeError {
    /// The range as the config names it.
    pub range: String,
    /// What git says.
    pub source: GitError,
}

/// A range as it is named; both ends are looked up anew whenever it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    named: String,
}

/// The two commits that a range leads from and to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    base: ObjectId,
    tip: ObjectId,
}

impl Range {
    /// Names a range `base..branch`; without a branch it leads to HEAD.
    pub fn new(named: &str) -> Self {
        Self { named: named.to_owned() }
    }

    /// Returns the range as the config names it.
    pub fn named(&self) -> &str {
        &self.named
    }

    /// Looks both ends up.
    pub fn ends(&self, user: &UserRepository) -> Result<Ends, RangeError> {
        let (base, branch) = self.named.split_once("..").unwrap_or((&self.named, ""));
        let branch = if branch.is_empty() { "HEAD" } else { branch };
        let resolve = |revision| user.resolve(revision).map_err(|source| self.failed(source));
        Ok(Ends { base: resolve(base)?, tip: resolve(branch)? })
    }

    /// Lists the commits, parents before their children, merges among them. No patch is made.
    pub fn commits(&self, user: &UserRepository, ends: &Ends) -> Result<Vec<ObjectId>, RangeError> {
        user.commits_between(&ends.base, &ends.tip).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: GitError) -> RangeError {
        RangeError { range: self.named.clone(), source }
    }
}
