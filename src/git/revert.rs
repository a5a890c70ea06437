//! Takes one commit's change out of a later tree, or puts it on another one, by a three-way merge.

use crate::domain::ObjectId;

use super::error::Doing;
use super::private::object_id;
use super::{GitError, PrivateRepository};

/// What is left of a tree without one commit's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Without {
    /// The tree.
    Tree(ObjectId),
    /// Something later changed this path at the same place.
    Conflict {
        /// The first such path.
        path: String,
    },
}

/// What two changes of one tree come to together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The tree.
    Tree(ObjectId),
    /// Both changed these paths at the same place; at least one, in order.
    Conflict {
        /// The paths.
        paths: Vec<String>,
    },
}

impl PrivateRepository {
    /// Reverts the change from `parent` to `commit` on the tree of `tip`, with renames found; no reference moves.
    pub fn without(&self, commit: &ObjectId, parent: &ObjectId, tip: &ObjectId) -> Result<Without, GitError> {
        Ok(match self.merge_changes(commit, tip, parent)? {
            Merged::Tree(tree) => Without::Tree(tree),
            Merged::Conflict { paths } => Without::Conflict { path: paths.into_iter().next().unwrap_or_default() },
        })
    }

    /// Merges the changes from `base` to `ours` and from `base` to `theirs`, each a commit or a tree, with renames found.
    pub fn merge_changes(&self, base: &ObjectId, ours: &ObjectId, theirs: &ObjectId) -> Result<Merged, GitError> {
        let mut options = git2::MergeOptions::new();
        options.find_renames(true);
        let (base, ours, theirs) = (self.tree(base)?, self.tree(ours)?, self.tree(theirs)?);
        let merged = self.repo.merge_trees(&base, &ours, &theirs, Some(&options));
        let mut index = merged.doing("merge trees", self.path())?;
        if !index.has_conflicts() {
            let tree = index.write_tree_to(&self.repo).doing("write a tree", self.path())?;
            return Ok(Merged::Tree(object_id(tree)?));
        }
        let conflicts = index.conflicts().doing("read conflicts", self.path())?;
        let entries = conflicts.filter_map(Result::ok).filter_map(|c| c.our.or(c.ancestor).or(c.their));
        let mut paths: Vec<String> = entries.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect();
        paths.sort();
        paths.dedup();
        Ok(Merged::Conflict { paths })
    }
}
