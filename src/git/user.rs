//! The user's repository: where it is, where its branches are, and the only ways in which it is written.

use std::path::{Path, PathBuf};

use crate::domain::{Author, ObjectId};

use super::GitError;
use super::command::{Git, records, to_path};
use super::error::Doing;

/// Object stores of one repository that are looked into; git itself follows five levels.
const BORROWED_MAX: usize = 16;

/// What git is asked of a repository; the last has an answer only in a checkout, and git stops there.
const QUESTIONS: [&str; 5] =
    ["--is-bare-repository", "--show-object-format", "--git-dir", "--git-common-dir", "--show-toplevel"];

/// What the user's HEAD is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// On a branch.
    Branch {
        /// The branch, without `refs/heads/`.
        name: String,
        /// Its commit.
        commit: ObjectId,
    },
    /// On a commit, on no branch.
    Detached {
        /// The commit.
        commit: ObjectId,
    },
    /// On a branch without a commit.
    Unborn {
        /// The branch, without `refs/heads/`.
        name: String,
    },
}

/// A branch about to move, if it still is where it is believed to be.
#[derive(Debug, Clone, Copy)]
pub struct BranchMove<'a> {
    /// The branch, without `refs/heads/`.
    pub name: &'a str,
    /// The commit where it must be now.
    pub from: &'a ObjectId,
    /// The commit where it goes.
    pub to: &'a ObjectId,
    /// The reflog entry.
    pub reflog: &'a str,
}

/// The user's repository, as paths; every call asks git itself, so every kind of repository answers alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRepository {
    root: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

impl UserRepository {
    /// Finds the repository that a folder is in.
    ///
    /// Bare repositories and those in the SHA-256 format are refused; a repository without a commit is not.
    pub fn open(start: &Path) -> Result<Self, GitError> {
        // One process for all: every reading command waits for it.
        let asked = Git::new(start).args(["rev-parse"]).args(QUESTIONS).run()?;
        let text = String::from_utf8_lossy(&asked.stdout).into_owned();
        let mut lines = text.splitn(QUESTIONS.len(), '\n');
        let (Some(bare), Some(format)) = (lines.next(), lines.next().filter(|format| !format.is_empty())) else {
            return Err(GitError::NoRepository { start: start.to_owned(), words: asked.stderr });
        };
        let mut folder = || {
            let path = start.join(lines.next().unwrap_or_default());
            path.canonicalize().doing("find the git folder", &path)
        };
        let (git_dir, common_dir) = (folder()?, folder()?);
        if bare == "true" {
            return Err(GitError::Bare { path: git_dir });
        }
        if format != "sha1" {
            return Err(GitError::ObjectFormat { path: git_dir });
        }
        if asked.code != 0 {
            return Err(GitError::NoRepository { start: start.to_owned(), words: asked.stderr });
        }
        let root = PathBuf::from(lines.next().unwrap_or_default().trim_end_matches('\n'));
        Ok(Self { root: root.canonicalize().doing("find the checkout", &root)?, git_dir, common_dir })
    }

    /// Returns the checkout's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the git folder of this checkout.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Returns the git folder that all checkouts of the repository share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the folder of the object store.
    pub(super) fn objects(&self) -> PathBuf {
        self.common_dir.join("objects")
    }

    /// Returns every folder that objects are read from: the repository's own, and those that it borrows from.
    pub fn object_stores(&self) -> Vec<PathBuf> {
        let mut stores = vec![self.objects()];
        let mut next = 0;
        while let Some(store) = stores.get(next).filter(|_| next < BORROWED_MAX).cloned() {
            let listed = std::fs::read(store.join("info/alternates")).unwrap_or_default();
            let lines = listed.split(|&b| b == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
            let borrowed: Vec<PathBuf> = lines.map(|line| store.join(to_path(line))).collect();
            stores.extend(borrowed.into_iter().filter(|found| found.is_dir()));
            next += 1;
        }
        stores
    }

    /// Prepares a git process in the checkout.
    pub(super) fn git(&self) -> Git {
        Git::new(&self.root)
    }

    /// Returns what HEAD is.
    pub fn head(&self) -> Result<Head, GitError> {
        let commit = self.find("HEAD^{commit}")?;
        let symbolic = self.git().args(["symbolic-ref", "-q", "HEAD"]).run()?;
        let target = String::from_utf8_lossy(&symbolic.stdout).trim_end().to_owned();
        let name = target.strip_prefix("refs/heads/").unwrap_or(&target).to_owned();
        Ok(match (symbolic.code == 0, commit) {
            (true, Some(commit)) => Head::Branch { name, commit },
            (false, Some(commit)) => Head::Detached { commit },
            (_, None) => Head::Unborn { name },
        })
    }

    /// Returns the commit at HEAD, where there is one.
    pub fn require_commit(&self) -> Result<ObjectId, GitError> {
        self.find("HEAD^{commit}")?.ok_or_else(|| GitError::NoCommits { root: self.root.clone() })
    }

    /// Resolves a revision to the commit that it names.
    pub fn resolve(&self, revision: &str) -> Result<ObjectId, GitError> {
        let found = if revision.starts_with('-') { None } else { self.find(&format!("{revision}^{{commit}}"))? };
        found.ok_or_else(|| GitError::NoSuchRevision { revision: revision.to_owned(), root: self.root.clone() })
    }

    fn find(&self, name: &str) -> Result<Option<ObjectId>, GitError> {
        let out = self.git().args(["rev-parse", "-q", "--verify", name]).run()?;
        if out.code != 0 {
            return Ok(None);
        }
        Ok(Some(ObjectId::new(String::from_utf8_lossy(&out.stdout).trim_end())?))
    }

    /// Reads a file of a commit as git stores it, where there is one; a symbolic link is its target.
    pub fn read_file(&self, commit: &ObjectId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let out = self.git().args(["cat-file", "blob"]).arg(format!("{commit}:{path}")).run()?;
        if out.code == 0 {
            return Ok(Some(out.stdout));
        }
        // What is no file of the commit fails alike; a commit that cannot be read does not.
        self.resolve(commit.as_str()).map(|_| None)
    }

    /// Lists the files of a commit with a line that matches an extended regular expression; binary files are left out.
    pub fn files_matching(&self, commit: &ObjectId, pattern: &str) -> Result<Vec<String>, GitError> {
        let out = self.git().args(["grep", "-l", "-I", "-z", "-E", "-e", pattern, commit.as_str()]).run()?;
        // 1 is the answer "none"; whatever else fails here fails louder elsewhere.
        let found = records(&out.stdout).map(|record| String::from_utf8_lossy(record).into_owned());
        let own = |line: String| line.split_once(':').map(|(_, path)| path.to_owned());
        Ok(found.filter_map(own).collect())
    }

    /// Lists the paths that differ between two revisions, both paths of a rename; `None` where one of them is not there.
    pub fn paths_between(&self, from: &str, to: &str) -> Result<Option<Vec<String>>, GitError> {
        let (Ok(from), Ok(to)) = (self.resolve(from), self.resolve(to)) else { return Ok(None) };
        let words = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from.as_str(), to.as_str()];
        let out = self.git().args(words).output()?;
        Ok(Some(records(&out).map(|path| String::from_utf8_lossy(path).into_owned()).collect()))
    }

    /// Returns who commits, from configuration or environment; nothing is guessed from the host's name.
    pub fn identity(&self) -> Result<Author, GitError> {
        let out = self.git().setting("user.useConfigOnly=true").args(["var", "GIT_COMMITTER_IDENT"]).run()?;
        let line = String::from_utf8_lossy(&out.stdout).into_owned();
        let parsed = line.rsplit_once("> ").and_then(|(person, _)| person.rsplit_once(" <"));
        match parsed {
            Some((name, email)) if out.code == 0 && !name.is_empty() && !email.is_empty() => {
                Ok(Author { name: name.to_owned(), email: email.to_owned() })
            }
            _ => Err(GitError::IdentityMissing),
        }
    }

    /// Returns the commit of a branch (named without `refs/heads/`), where there is one.
    pub fn branch_tip(&self, name: &str) -> Result<Option<ObjectId>, GitError> {
        self.find(&format!("refs/heads/{name}^{{commit}}"))
    }

    /// Returns the folder of a checkout that is on a branch.
    pub fn checked_out_in(&self, name: &str) -> Result<Option<PathBuf>, GitError> {
        let listed = self.git().args(["worktree", "list", "--porcelain", "-z"]).output()?;
        let wanted = format!("branch refs/heads/{name}");
        let mut worktree = None;
        for record in records(&listed) {
            if let Some(path) = record.strip_prefix(b"worktree ") {
                worktree = Some(to_path(path));
            } else if record == wanted.as_bytes() {
                return Ok(worktree);
            }
        }
        Ok(None)
    }

    /// Returns a branch whose name makes another one impossible: `autoresearch` for `autoresearch/x`, or `x/y` for `x`.
    pub fn blocking_branch(&self, name: &str) -> Result<Option<String>, GitError> {
        let first = name.split('/').next().unwrap_or(name);
        let listed =
            self.git().args(["for-each-ref", "--format=%(refname:lstrip=2)"]).arg(format!("refs/heads/{first}"));
        let listed = String::from_utf8_lossy(&listed.output()?).into_owned();
        let above = |branch: &str, below: &str| below.strip_prefix(branch).is_some_and(|rest| rest.starts_with('/'));
        Ok(listed.lines().find(|branch| above(branch, name) || above(name, branch)).map(str::to_owned))
    }

    /// Creates a branch at a commit, with a reflog.
    pub fn create_branch(&self, name: &str, at: &ObjectId, reflog: &str) -> Result<(), GitError> {
        let out = self.update_ref(name, at.as_str(), &"0".repeat(40), reflog)?;
        match out {
            None => Ok(()),
            Some(failed) => match self.branch_tip(name)? {
                Some(found) => Err(GitError::BranchExists { branch: name.to_owned(), found }),
                None => Err(failed),
            },
        }
    }

    /// Moves a branch by compare-and-swap; when it is not at `from`, nothing changes ([`GitError::BranchMoved`]).
    pub fn move_branch(&self, change: &BranchMove<'_>) -> Result<(), GitError> {
        let Some(failed) = self.update_ref(change.name, change.to.as_str(), change.from.as_str(), change.reflog)?
        else {
            return Ok(());
        };
        let found = self.branch_tip(change.name)?;
        if found.as_ref() == Some(change.from) {
            return Err(failed);
        }
        Err(GitError::BranchMoved { branch: change.name.to_owned(), expected: change.from.clone(), found })
    }

    /// Gives a branch another name in one transaction; when it is not at `at`, nothing changes ([`GitError::BranchMoved`]).
    ///
    /// A branch of the other name that is there at the same commit was made by an interrupted rename.
    pub fn rename_branch(&self, (from, to): (&str, &str), at: &ObjectId, reflog: &str) -> Result<(), GitError> {
        let made = match self.branch_tip(to)? {
            None => format!("create refs/heads/{to} {at}\n"),
            Some(found) if found == *at => String::new(),
            Some(found) => return Err(GitError::BranchExists { branch: to.to_owned(), found }),
        };
        let commands = format!("{made}delete refs/heads/{from} {at}\n");
        let out =
            self.durable().args(["update-ref", "--create-reflog", "-m", reflog, "--stdin"]).stdin(commands).run()?;
        if out.code == 0 {
            return Ok(());
        }
        let found = self.branch_tip(from)?;
        if found.as_ref() == Some(at) {
            let command = format!("update-ref --stdin (rename {from} to {to})");
            return Err(GitError::Command { command, dir: self.root.clone(), code: out.code, stderr: out.stderr });
        }
        Err(GitError::BranchMoved { branch: from.to_owned(), expected: at.clone(), found })
    }

    /// Prepares a git process that makes what it writes durable.
    fn durable(&self) -> Git {
        let git = self.git().setting("core.fsync=all").setting("core.fsyncMethod=fsync");
        // The git of a process that was killed may hold the reference a moment longer.
        git.setting("core.filesRefLockTimeout=2000")
    }

    /// Runs `git update-ref` durably; an answer is the refusal.
    fn update_ref(&self, name: &str, new: &str, old: &str, reflog: &str) -> Result<Option<GitError>, GitError> {
        let refname = format!("refs/heads/{name}");
        let out = self.durable().args(["update-ref", "--create-reflog", "-m", reflog, &refname, new, old]).run()?;
        Ok((out.code != 0).then(|| GitError::Command {
            command: format!("update-ref {refname} {new} {old}"),
            dir: self.root.clone(),
            code: out.code,
            stderr: out.stderr,
        }))
    }
}
