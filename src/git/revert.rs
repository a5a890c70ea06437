//! Takes one commit's change out of a later tree, by a three-way merge.

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

impl PrivateRepository {
    /// Reverts the change from `parent` to `commit` on the tree of `tip`, with renames found; no reference moves.
    pub fn without(&self, commit: &ObjectId, parent: &ObjectId, tip: &ObjectId) -> Result<Without, GitError> {
        let mut options = git2::MergeOptions::new();
        options.find_renames(true);
        let (base, ours, theirs) = (self.tree(commit)?, self.tree(tip)?, self.tree(parent)?);
        let merged = self.repo.merge_trees(&base, &ours, &theirs, Some(&options));
        let mut index = merged.doing("merge trees", self.path())?;
        if !index.has_conflicts() {
            let tree = index.write_tree_to(&self.repo).doing("write a tree", self.path())?;
            return Ok(Without::Tree(object_id(tree)?));
        }
        let first = index.conflicts().doing("read conflicts", self.path())?.find_map(Result::ok);
        let entry = first.and_then(|c| c.our.or(c.ancestor).or(c.their));
        let path = entry.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).unwrap_or_default();
        Ok(Without::Conflict { path })
    }
}
