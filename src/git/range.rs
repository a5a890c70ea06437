//! Commits of the user's repository one by one: those of a range, and what one says and changes.

use crate::domain::{Author, ObjectId, PatchId};

use super::checkout::{CommitPatch, DIFF};
use super::{GitError, UserRepository};

/// The empty tree, which git knows in every repository: what a commit without a parent changes.
pub(super) const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// What a commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitWords {
    /// The commit.
    pub commit: ObjectId,
    /// Its parents; none for a root commit, several for a merge.
    pub parents: Vec<ObjectId>,
    /// Who wrote it.
    pub author: Author,
    /// The whole message.
    pub message: String,
}

impl CommitWords {
    /// Returns what the commit changes: its first parent, or the empty tree for a root commit.
    pub fn base(&self) -> &str {
        self.parents.first().map_or(EMPTY_TREE, ObjectId::as_str)
    }
}

impl UserRepository {
    /// Lists the commits that one commit reaches and another does not, parents before their children. Reads no patch.
    pub fn commits_between(&self, base: &ObjectId, tip: &ObjectId) -> Result<Vec<ObjectId>, GitError> {
        let git = self.git().args(["rev-list", "--topo-order", "--reverse", tip.as_str()]).arg(format!("^{base}"));
        let listed = String::from_utf8_lossy(&git.arg("--").output()?).into_owned();
        listed.lines().map(|id| Ok(ObjectId::new(id)?)).collect()
    }

    /// Returns the commit where two lines of history part; `None` where they have none in common.
    pub fn merge_base(&self, one: &ObjectId, other: &ObjectId) -> Result<Option<ObjectId>, GitError> {
        let asked = self.git().args(["merge-base", one.as_str(), other.as_str()]).run()?;
        let line = String::from_utf8_lossy(&asked.stdout).into_owned();
        Ok(line.lines().next().filter(|_| asked.code == 0).map(ObjectId::new).transpose()?)
    }

    /// Returns the stable id of a patch; `None` of one that changes nothing.
    pub fn patch_id(&self, patch: &[u8]) -> Result<Option<PatchId>, GitError> {
        let line = self.git().args(["patch-id", "--stable"]).stdin(patch).line()?;
        let id = line.split(' ').next().filter(|id| !id.is_empty());
        Ok(id.map(ObjectId::new).transpose()?.map(PatchId))
    }

    /// Says whether a commit is another one or an ancestor of it.
    pub fn reaches(&self, tip: &ObjectId, commit: &ObjectId) -> Result<bool, GitError> {
        let asked = self.git().args(["merge-base", "--is-ancestor", commit.as_str(), tip.as_str()]).run()?;
        Ok(asked.code == 0)
    }

    /// Reads what a commit says of itself.
    pub fn commit_words(&self, commit: &ObjectId) -> Result<CommitWords, GitError> {
        let git = self.git().args(["show", "-s", "--no-mailmap", "--format=%an%x00%ae%x00%P%x00%B", commit.as_str()]);
        let text = String::from_utf8_lossy(&git.output()?).into_owned();
        let mut fields = text.splitn(4, '\0').map(str::to_owned);
        let mut field = || fields.next().unwrap_or_default();
        let author = Author { name: field(), email: field() };
        let parents = field().split_whitespace().map(ObjectId::new).collect::<Result<_, _>>()?;
        Ok(CommitWords { commit: commit.clone(), parents, author, message: field().trim_end().to_owned() })
    }

    /// Takes the change of a commit against its first parent as a patch; empty where it changes nothing.
    pub fn change_of(&self, words: &CommitWords) -> Result<Vec<u8>, GitError> {
        self.git().arg("diff").args(DIFF).args([words.base(), words.commit.as_str()]).output()
    }

    /// Takes the change of the commit that a revision names as a patch.
    pub fn commit_patch(&self, revision: &str) -> Result<CommitPatch, GitError> {
        let words = self.commit_words(&self.resolve(revision)?)?;
        let patch = self.change_of(&words)?;
        Ok(CommitPatch { commit: words.commit, author: words.author, message: words.message, patch })
    }
}
