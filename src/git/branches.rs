//! Several branches of the user's repository at once, and what the branch in use follows.

use std::fmt::Write as _;

use crate::domain::ObjectId;

use super::{GitError, UserRepository};

/// A branch and a commit of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchAt {
    /// The branch, without `refs/heads/`; a remote-tracking one as git shortens it.
    pub name: String,
    /// The commit.
    pub commit: ObjectId,
}

impl UserRepository {
    /// Returns the upstream of the branch that HEAD is on, as it was last fetched; nothing is fetched now.
    pub fn upstream(&self) -> Result<Option<BranchAt>, GitError> {
        let asked = self.git().args(["rev-parse", "--abbrev-ref", "--verify", "-q", "@{upstream}"]).run()?;
        let name = String::from_utf8_lossy(&asked.stdout).trim_end().to_owned();
        if asked.code != 0 || name.is_empty() {
            return Ok(None);
        }
        let commit = self.resolve("@{upstream}")?;
        Ok(Some(BranchAt { name, commit }))
    }

    /// Creates branches, all of them or none, each with a reflog.
    pub fn create_branches(&self, branches: &[BranchAt], reflog: &str) -> Result<(), GitError> {
        let mut orders = String::from("start\n");
        for BranchAt { name, commit } in branches {
            let _ = writeln!(orders, "create refs/heads/{name} {commit}");
        }
        self.update_refs(orders, reflog)
    }

    /// Removes branches that are where they were made, all of them or none.
    pub fn remove_branches(&self, branches: &[BranchAt]) -> Result<(), GitError> {
        let mut orders = String::from("start\n");
        for BranchAt { name, commit } in branches {
            let _ = writeln!(orders, "delete refs/heads/{name} {commit}");
        }
        self.update_refs(orders, "")
    }

    fn update_refs(&self, mut orders: String, reflog: &str) -> Result<(), GitError> {
        orders.push_str("prepare\ncommit\n");
        let git = self.git().setting("core.fsync=all").setting("core.fsyncMethod=fsync");
        let git = git.setting("core.filesRefLockTimeout=2000").args(["update-ref", "--create-reflog"]);
        let git = if reflog.is_empty() { git } else { git.args(["-m", reflog]) };
        git.arg("--stdin").stdin(orders).output().map(drop)
    }

    /// Lists the paths that a commit changes against another, both of a renamed file.
    pub fn paths_changed(&self, from: &ObjectId, to: &ObjectId) -> Result<Vec<String>, GitError> {
        let git = self.git().args(["diff-tree", "-r", "--no-renames", "--name-only", "-z", from.as_str(), to.as_str()]);
        let listed = git.output()?;
        Ok(super::command::records(&listed).map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }
}
