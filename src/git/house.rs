//! Commits by the rules of the house: signed as git is configured, past the repository's own `commit-msg` hook.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::{Author, ObjectId};
use crate::process::ToolOutput;

use super::command::Git;
use super::error::Doing;
use super::{GitError, UserRepository};

/// Whether commits are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// They are not.
    No,
    /// By git itself, which may ask for a passphrase.
    Yes,
}

/// Whether a rehearsal may ask for a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompts {
    /// It may not: what would ask fails.
    Never,
    /// It may.
    Allowed,
}

/// A commit of the user's repository about to be written.
#[derive(Debug, Clone, Copy)]
pub struct HouseCommit<'a> {
    /// Its tree, an object of the user's store.
    pub tree: &'a ObjectId,
    /// Its parent.
    pub parent: &'a ObjectId,
    /// Its whole message.
    pub message: &'a str,
    /// Who wrote the change; the committer is the user.
    pub author: &'a Author,
    /// When it was written, as git prints it (`%ad` raw); now where it is empty.
    pub written: &'a str,
}

/// What git said of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// It is good. Whether the key is trusted is a question of who verifies.
    Good {
        /// The key, as git names it; may be empty.
        key: String,
    },
    /// There is none, or it is no good.
    Bad {
        /// Git's letter for it (`%G?`).
        letter: String,
        /// Git's words.
        words: String,
    },
    /// Git could not sign.
    NotMade {
        /// Git's words.
        words: String,
    },
}

impl UserRepository {
    /// Says whether git is configured to sign commits.
    pub fn signs_commits(&self) -> Result<bool, GitError> {
        let asked = self.git().args(["config", "--type=bool", "--get", "commit.gpgsign"]).run()?;
        Ok(asked.code == 0 && asked.stdout.trim_ascii() == b"true")
    }

    /// Runs the repository's own `commit-msg` hook over a message, as `git commit` does.
    ///
    /// Returns the message as the hook left it, or what the hook said where it refuses. Without a hook it stays as it is.
    pub fn pass_message(&self, message: &str) -> Result<Result<String, String>, GitError> {
        let room = Room::new()?;
        let file = room.path("COMMIT_EDITMSG");
        fs::write(&file, message).doing("write", &file)?;
        let git = self.git().with_own_hooks().args(["hook", "run", "--ignore-missing", "commit-msg", "--"]);
        let ran = git.arg(&file).run()?;
        if ran.code != 0 {
            return Ok(Err(said(&ran)));
        }
        let left = fs::read(&file).doing("read", &file)?;
        let cleaned = self.git().arg("stripspace").stdin(left).output()?;
        Ok(Ok(String::from_utf8_lossy(&cleaned).into_owned()))
    }

    /// Writes a commit into the user's store, durably; no branch moves.
    pub fn write_commit(&self, new: &HouseCommit<'_>, signing: Signing) -> Result<ObjectId, GitError> {
        let git = self.git().setting("core.fsync=all").setting("core.fsyncMethod=fsync");
        let id = commit_tree(git, new, signing).line()?;
        Ok(ObjectId::new(id)?)
    }

    /// Reads when a commit was written, as git stores it: seconds and the offset of the zone.
    pub fn written_at(&self, commit: &ObjectId) -> Result<String, GitError> {
        self.git().args(["show", "-s", "--format=@%ad", "--date=raw", commit.as_str()]).line()
    }

    /// Makes a signed commit and verifies it; nothing of it is left in the repository.
    pub fn rehearse_signing(&self, message: &str, prompts: Prompts) -> Result<Signature, GitError> {
        let room = Room::new()?;
        let objects = room.path("objects");
        fs::create_dir(&objects).doing("create", &objects)?;
        let author = self.identity()?;
        let parent = self.require_commit()?;
        let tree = ObjectId::new(self.git().args(["rev-parse", &format!("{parent}^{{tree}}")]).line()?)?;
        let new = HouseCommit { tree: &tree, parent: &parent, message, author: &author, written: "" };
        let made = commit_tree(self.apart(&room, prompts)?, &new, Signing::Yes).run()?;
        if made.code != 0 {
            return Ok(Signature::NotMade { words: said(&made) });
        }
        let commit = String::from_utf8_lossy(&made.stdout).trim_end().to_owned();
        let mut git = self.apart(&room, prompts)?;
        if self.signers_file()?.is_none() {
            // Without a list of signers git verifies no ssh signature at all; with an empty one it says whether it is good.
            let nobody = room.path("signers");
            fs::write(&nobody, "").doing("write", &nobody)?;
            git = git.setting(&format!("gpg.ssh.allowedSignersFile={}", nobody.display()));
        }
        let told = git.args(["log", "-1", "--format=%G?%n%GK", &commit]).run()?;
        let answer = String::from_utf8_lossy(&told.stdout).into_owned();
        let (letter, key) = answer.split_once('\n').unwrap_or((&answer, ""));
        Ok(match letter {
            "G" | "U" => Signature::Good { key: key.trim_end().to_owned() },
            _ => Signature::Bad { letter: letter.to_owned(), words: said(&told) },
        })
    }

    fn signers_file(&self) -> Result<Option<String>, GitError> {
        let asked = self.git().args(["config", "--type=path", "--get", "gpg.ssh.allowedSignersFile"]).run()?;
        Ok((asked.code == 0).then(|| String::from_utf8_lossy(&asked.stdout).trim_end().to_owned()))
    }

    /// Prepares git so that new objects go into a room of their own, and that nothing it starts asks for anything.
    fn apart(&self, room: &Room, prompts: Prompts) -> Result<Git, GitError> {
        let git = self
            .git()
            .env("GIT_OBJECT_DIRECTORY", room.path("objects"))
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", super::command::alternate(&self.objects()));
        match prompts {
            Prompts::Allowed => Ok(git),
            Prompts::Never => self.silenced(git, room),
        }
    }

    fn silenced(&self, git: Git, room: &Room) -> Result<Git, GitError> {
        let program = |key: &str| -> Result<Option<String>, GitError> {
            let asked = self.git().args(["config", "--type=path", "--get", key]).run()?;
            Ok((asked.code == 0).then(|| String::from_utf8_lossy(&asked.stdout).trim_end().to_owned()))
        };
        let gpg = program("gpg.openpgp.program")?.or(program("gpg.program")?).unwrap_or_else(|| "gpg".to_owned());
        let quiet = room.script("gpg", &format!("exec '{}' --batch --pinentry-mode error \"$@\"", quoted(&gpg)))?;
        let setting = format!("gpg.openpgp.program={}", quiet.display());
        Ok(git.setting(&setting).env("SSH_ASKPASS_REQUIRE", "force"))
    }
}

fn commit_tree(git: Git, new: &HouseCommit<'_>, signing: Signing) -> Git {
    let git = git.env("GIT_AUTHOR_NAME", &new.author.name).env("GIT_AUTHOR_EMAIL", &new.author.email);
    let git = if new.written.is_empty() { git } else { git.env("GIT_AUTHOR_DATE", new.written) };
    let git = git.args(["commit-tree", new.tree.as_str(), "-p", new.parent.as_str(), "-F", "-"]);
    let git = match signing {
        Signing::Yes => git.arg("-S"),
        Signing::No => git,
    };
    git.stdin(new.message)
}

/// Returns what a program said to people, on either stream.
fn said(ran: &ToolOutput) -> String {
    let text = format!("{}\n{}", ran.stderr.trim(), String::from_utf8_lossy(&ran.stdout).trim());
    // What gpg tells git for the machine to read is not for people.
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("[GNUPG:]")).collect();
    lines.join("\n").trim().to_owned()
}

/// Writes a text for the inside of single quotes of a shell.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''")
}

/// A temporary folder of one rehearsal or message.
struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Result<Self, GitError> {
        let folder = std::env::temp_dir();
        Ok(Self(tempfile::Builder::new().prefix("autoresearch-").tempdir().doing("create a folder in", &folder)?))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, name: &str, line: &str) -> Result<PathBuf, GitError> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        let write = |path: &Path| {
            fs::write(path, format!("#!/bin/sh\n{line}\n"))?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        };
        write(&path).doing("write", &path)?;
        Ok(path)
    }
}
