//! A sealed room for tests with git: a temporary repository, a pinned environment, no installed identity.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use autoresearch::domain::{Author, ObjectId};
use autoresearch::git::{HarnessFile, PrivateRepository, Slot, SlotName, UserRepository};

/// A user's repository and, beside it, the folder for the private one.
pub(crate) struct Room {
    pub(crate) dir: tempfile::TempDir,
}

impl Room {
    /// Makes an empty repository on branch `main`.
    pub(crate) fn empty(init: &[&str]) -> Self {
        let room = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(room.user_path()).unwrap();
        room.git(&[&["init", "-q", "-b", "main"], init].concat());
        room.pin();
        room
    }

    /// Sets an identity and overrides what a machine's own configuration may say.
    pub(crate) fn pin(&self) {
        let settings = [
            ("user.name", "Ada Test"),
            ("user.email", "ada@example.org"),
            ("core.autocrlf", "false"),
            ("core.eol", "lf"),
            ("core.excludesFile", "/dev/null"),
            ("core.attributesFile", "/dev/null"),
            ("commit.gpgSign", "false"),
        ];
        for (key, value) in settings {
            self.git(&["config", key, value]);
        }
    }

    /// Makes a repository with a few files of every kind, committed.
    pub(crate) fn new() -> Self {
        let room = Self::empty(&[]);
        room.write("src/main.txt", numbered(40));
        room.write("src/other.txt", "other\n");
        room.write("README", "read me\n");
        room.write("run.sh", "#!/bin/sh\necho hi\n");
        fs::set_permissions(room.user_path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("README", room.user_path().join("link")).unwrap();
        room.write("data.bin", [0_u8, 1, 2, 255, 0, 7].repeat(50));
        room.write(".gitignore", "*.o\ntarget/\nnode_modules/\n");
        room.commit("base");
        room
    }

    pub(crate) fn user_path(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.user_path().join(path), content);
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        String::from_utf8_lossy(&self.git_bytes(args)).into_owned()
    }

    pub(crate) fn git_bytes(&self, args: &[&str]) -> Vec<u8> {
        git_in(&self.user_path(), args)
    }

    /// Commits everything; returns the commit.
    pub(crate) fn commit(&self, message: &str) -> ObjectId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.head()
    }

    pub(crate) fn head(&self) -> ObjectId {
        ObjectId::new(self.git(&["rev-parse", "HEAD"]).trim()).unwrap()
    }

    /// Takes the checkout's change as a patch and undoes it.
    pub(crate) fn take_patch(&self) -> Vec<u8> {
        self.git(&["add", "-A"]);
        let patch = self.git_bytes(&["diff", "--cached", "--binary", "-M", "HEAD"]);
        self.git(&["reset", "-q", "--hard"]);
        patch
    }

    pub(crate) fn user(&self) -> UserRepository {
        UserRepository::open(&self.user_path()).unwrap()
    }

    pub(crate) fn private(&self) -> PrivateRepository {
        let user = self.user();
        let survey = user.survey(&self.head()).unwrap();
        PrivateRepository::open_or_create(&self.workspace(), &user, &survey).unwrap()
    }

    /// Opens and resets a slot at a commit with a harness.
    pub(crate) fn slot(&self, private: &PrivateRepository, harness: &[HarnessFile]) -> (Slot, ObjectId) {
        let commit = private.private_commit(&self.head(), harness).unwrap();
        let mut slot = Slot::open_or_create(private, SlotName::A, &commit).unwrap();
        slot.reset(&commit, &[]).unwrap();
        (slot, commit)
    }
}

pub(crate) fn numbered(lines: usize) -> String {
    (1..=lines).flat_map(|n| ["line ".to_owned(), n.to_string(), "\n".to_owned()]).collect()
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Runs git with nothing of this machine's configuration.
pub(crate) fn git_in(dir: &Path, args: &[&str]) -> Vec<u8> {
    let out = sealed(dir).args(args).output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

/// Runs git and returns whether it succeeded.
pub(crate) fn git_says(dir: &Path, args: &[&str]) -> bool {
    sealed(dir).args(args).output().unwrap().status.success()
}

fn sealed(dir: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "2024-01-02T03:04:05Z")
        .env("GIT_COMMITTER_DATE", "2024-01-02T03:04:05Z")
        .env("LC_ALL", "C")
        .args(["-c", "protocol.file.allow=always"]);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    git
}

pub(crate) fn ada() -> Author {
    Author { name: "Ada Test".to_owned(), email: "ada@example.org".to_owned() }
}

/// Lists every file below a folder with its kind, mode and bytes, but for some top folders.
pub(crate) fn contents(root: &Path, without: &[&str]) -> BTreeMap<String, (String, Vec<u8>)> {
    let mut all = BTreeMap::new();
    collect(root, root, without, &mut all);
    all
}

fn collect(root: &Path, dir: &Path, without: &[&str], all: &mut BTreeMap<String, (String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if without.contains(&name.as_str()) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            all.insert(name, ("folder".to_owned(), Vec::new()));
            collect(root, &path, without, all);
        } else if meta.is_symlink() {
            let target = fs::read_link(&path).unwrap().to_string_lossy().into_owned();
            all.insert(name, ("link".to_owned(), target.into_bytes()));
        } else {
            all.insert(name, (format!("{:o}", meta.mode()), fs::read(&path).unwrap()));
        }
    }
}
