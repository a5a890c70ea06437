//! A worktree for whoever proposes changes: the files of a commit, with a git folder of its own that shares nothing.
//!
//! Its git folder holds one commit without a parent, and copies of that commit's objects: the user's references, history
//! and object store are out of its reach. What changed is found out with the private repository's settings and an index
//! that lies elsewhere, so that nothing in the worktree's git folder has a say in it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use git2::Signature;

use crate::domain::ObjectId;

use super::checkout::DIFF;
use super::command::{Git, records};
use super::error::Doing;
use super::private::{MIRRORED, absent, object_id, oid};
use super::scan::remove;
use super::{GitError, PrivateRepository};

/// The branch that the worktree is on.
const BRANCH: &str = "work";

/// A worktree that somebody edits.
pub struct Scratch<'p> {
    private: &'p PrivateRepository,
    root: PathBuf,
    index: PathBuf,
    at: PathBuf,
    /// Untracked paths that are nobody's change, as exclude patterns.
    litter: &'p [&'p str],
}

impl PrivateRepository {
    /// Names the worktree below a folder; nothing is made yet. `litter` are exclude patterns of untracked files that are no
    /// part of a change.
    pub fn scratch<'p>(&'p self, folder: &Path, litter: &'p [&'p str]) -> Scratch<'p> {
        let (root, index, at) = (folder.join("work"), folder.join("index"), folder.join("at"));
        Scratch { private: self, root, index, at, litter }
    }

    /// Writes a commit of another one's tree that has no parent; the same tree gives the same commit.
    fn parentless(&self, commit: &ObjectId) -> Result<ObjectId, GitError> {
        let of = self.repo.find_commit(oid(commit)?).doing("read a commit", self.path())?;
        let tree = of.tree().doing("read a tree", self.path())?;
        let who = Signature::new("autoresearch", "autoresearch@localhost", &of.time()).doing("sign", self.path())?;
        let message = "The program as it is now\n";
        object_id(self.repo.commit(None, &who, &who, message, &tree, &[]).doing("commit", self.path())?)
    }
}

impl Scratch<'_> {
    /// Returns the worktree's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Puts files, index and HEAD at a private commit's tree. What is ignored stays, as builds may be warm; other untracked
    /// files go.
    pub fn reset(&self, commit: &ObjectId) -> Result<(), GitError> {
        let here = self.private.parentless(commit)?;
        fs::create_dir_all(&self.root).doing("create", &self.root)?;
        self.git().args(["read-tree", "--reset", "-u", here.as_str()]).output()?;
        let keep = self.litter.iter().flat_map(|pattern| ["-e".to_owned(), (*pattern).to_owned()]);
        self.git().args(["clean", "-ffdq"]).args(keep).output()?;
        self.renew_folder(&here)
    }

    /// Says whether the commit has a file at a path.
    pub fn is_tracked(&self, commit: &ObjectId, path: &str) -> Result<bool, GitError> {
        Ok(self.private.read_file(commit, path)?.is_some())
    }

    /// Takes what differs from a private commit's tree as a patch, new files included, but for ignored and excluded paths.
    pub fn patch(&self, commit: &ObjectId, exclude: &[&str]) -> Result<Vec<u8>, GitError> {
        let here = self.private.parentless(commit)?;
        self.git().args(["add", "-u", "--", "."]).output()?;
        let litter = self.litter.iter().map(|pattern| format!("--exclude={pattern}"));
        let others = self.git().args(["ls-files", "-z", "--others", "--exclude-standard"]).args(litter).output()?;
        let mut fresh = Vec::new();
        for path in records(&others).filter(|path| !path.ends_with(b"/")) {
            fresh.extend_from_slice(path);
            fresh.push(0);
        }
        self.git().args(["update-index", "--add", "-z", "--stdin"]).stdin(fresh).output()?;
        let excluded = exclude.iter().map(|path| format!(":(top,exclude,literal){path}"));
        let git = self.git().args(["diff", "--cached"]).args(DIFF).args([here.as_str(), "--", ":(top)"]);
        git.args(excluded).output()
    }

    /// Prepares git on the worktree's files with the private repository's settings, and an index that lies elsewhere.
    fn git(&self) -> Git {
        Git::secluded(&self.root)
            .env("GIT_DIR", self.private.path())
            .env("GIT_WORK_TREE", &self.root)
            .env("GIT_INDEX_FILE", &self.index)
            .setting("core.bare=false")
            .setting("core.sparseCheckout=false")
    }

    /// Writes the worktree's own git folder anew, whatever was done to it; objects that it has stay.
    fn renew_folder(&self, here: &ObjectId) -> Result<(), GitError> {
        let folder = self.root.join(".git");
        if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
            remove(&folder)?;
        }
        fs::create_dir_all(&folder).doing("create", &folder)?;
        for entry in fs::read_dir(&folder).doing("list", &folder)? {
            let entry = entry.doing("list", &folder)?;
            if entry.file_name() != "objects" {
                remove(&entry.path())?;
            }
        }
        // An alternate would show more than the one commit.
        remove(&folder.join("objects/info"))?;
        for part in ["refs/heads", "info", "objects/info", "objects/pack"] {
            fs::create_dir_all(folder.join(part)).doing("create", &folder.join(part))?;
        }
        self.copy_objects(here, &folder)?;
        place(&folder.join("HEAD"), format!("ref: refs/heads/{BRANCH}\n").as_bytes())?;
        place(&folder.join("config"), self.configuration()?.as_bytes())?;
        place(&folder.join("refs/heads").join(BRANCH), format!("{here}\n").as_bytes())?;
        let exclude = fs::read(self.private.path().join("info/exclude")).unwrap_or_default();
        place(&folder.join("info/exclude"), &exclude)?;
        fs::copy(&self.index, folder.join("index")).doing("copy", &self.index).map(|_| ())
    }

    /// Copies the commit's objects, but for those that the last reset copied already.
    fn copy_objects(&self, here: &ObjectId, folder: &Path) -> Result<(), GitError> {
        let packs = folder.join("objects/pack");
        let emptied = fs::read_dir(&packs).doing("list", &packs)?.next().is_none();
        let last = match fs::read_to_string(&self.at) {
            Ok(last) => Some(last.trim().to_owned()).filter(|_| !emptied),
            Err(e) if absent(&e) => None,
            Err(e) => return Err(e).doing("read", &self.at),
        };
        if last.as_deref() == Some(here.as_str()) {
            return Ok(());
        }
        remove(&self.at)?;
        let known = last.and_then(|last| ObjectId::new(last).ok());
        let known = known.filter(|id| oid(id).is_ok_and(|id| self.private.repo.find_commit(id).is_ok()));
        let wanted = known.map_or_else(|| format!("{here}\n"), |known| format!("{here}\n^{known}\n"));
        let pack = self.private.git().args(["pack-objects", "--revs", "--stdout", "-q"]).stdin(wanted).output()?;
        // A repository of git's own making, into whose store the objects go.
        place(&folder.join("HEAD"), format!("ref: refs/heads/{BRANCH}\n").as_bytes())?;
        place(&folder.join("config"), self.configuration()?.as_bytes())?;
        Git::secluded(folder).env("GIT_DIR", folder).args(["index-pack", "--stdin"]).stdin(pack).output()?;
        place(&self.at, format!("{here}\n").as_bytes())
    }

    /// Returns what makes the worktree's own git treat files as the user's does.
    fn configuration(&self) -> Result<String, GitError> {
        let path = self.private.path().join("config");
        let mirrored = fs::read_to_string(&path).doing("read", &path)?;
        let kept = mirrored.lines().filter(|line| {
            let key = line.trim_start().split(' ').next().unwrap_or_default();
            let sparse = key.starts_with("sparse");
            !sparse && MIRRORED.iter().any(|known| known.strip_prefix("core.") == Some(key))
        });
        let kept = kept.flat_map(|line| [line, "\n"]).collect::<String>();
        Ok(format!("[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tlogallrefupdates = true\n{kept}"))
    }
}

fn place(path: &Path, bytes: &[u8]) -> Result<(), GitError> {
    fs::File::create(path).and_then(|mut file| file.write_all(bytes)).doing("write", path)
}
