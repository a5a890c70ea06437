//! A sealed room for tests of the whole program: own repository, home, cache, git configuration and clock zone.

#![allow(dead_code, reason = "each test file uses its own part of this module")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A temporary folder with a git repository in it, and a home of its own.
pub struct TestEnvironment {
    root: tempfile::TempDir,
}

/// What the program answered.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl TestEnvironment {
    /// Makes a folder without a repository.
    pub fn empty() -> Self {
        let root = tempfile::Builder::new().prefix("autoresearch-test-").tempdir().unwrap();
        for folder in ["repo", "home", "cache", "tmp"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root }
    }

    /// Makes a repository without a commit.
    pub fn unborn() -> Self {
        let env = Self::empty();
        env.git(["init", "-q", "-b", "main"]);
        env
    }

    /// Makes a committed project whose bench prints the number in `src/work` exactly.
    pub fn counting_project() -> Self {
        let env = Self::unborn();
        env.write("src/work", "1000\n");
        env.write("src/other", "first\nsecond\nthird\n");
        env.script("bench.sh", "#!/bin/sh\nset -eu\necho \"METRIC work=$(cat src/work)\"\n");
        env.write(
            "autoresearch.config.json",
            r#"{ "name": "counting", "bench": { "command": "./bench.sh", "warmup": 0 },
                 "metrics": { "primary": { "name": "work", "minEffect": 0.01 } },
                 "scope": { "allow": ["src/**"] },
                 "candidates": [ { "patches": "candidates" } ],
                 "decision": { "calibrationPairs": 4 } }"#,
        );
        env.commit("a counting project");
        env
    }

    /// Returns the repository's folder.
    pub fn repo(&self) -> PathBuf {
        self.root.path().join("repo")
    }

    /// Returns a folder beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Returns the state folder of a session.
    pub fn state(&self, name: &str) -> PathBuf {
        self.repo().join(".git/autoresearch").join(name)
    }

    /// Returns the journal's lines of a session, parsed.
    pub fn journal(&self, name: &str) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.state(name).join("journal.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the settling lines of candidates as (description, status, reason).
    pub fn verdicts(&self, name: &str) -> Vec<(String, String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let runs = self.journal(name).into_iter().filter(|l| l["type"] == "run" && l["run"] != 0);
        runs.map(|l| (text(&l["description"]), text(&l["status"]), text(&l["reason"]))).collect()
    }

    /// Writes a file of the repository.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes an executable file of the repository.
    pub fn script(&self, path: &str, content: &str) {
        self.write(path, content);
        fs::set_permissions(self.repo().join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Reads a file of the repository.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo().join(path)).unwrap()
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// Makes a patch that changes a file of HEAD to new content, as `git diff` would; the checkout is put back.
    pub fn patch(&self, name: &str, file: &str, content: &str) {
        let before = fs::read(self.repo().join(file)).ok();
        self.write(file, content);
        self.git(["add", "-N", "--", file]);
        let diff = self.git(["diff", "--binary", "HEAD", "--", file]);
        match before {
            Some(before) => self.write(file, before),
            None => {
                self.git(["reset", "-q", "--", file]);
                fs::remove_file(self.repo().join(file)).unwrap();
            }
        }
        self.write(&format!("candidates/{name}"), diff);
    }

    /// Runs git in the repository with everything of the machine shut out, and returns its standard output.
    #[track_caller]
    pub fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.repo());
        self.seal(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Prepares the program, started in the repository.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoresearch"));
        command.args(args).current_dir(self.repo());
        self.seal(&mut command);
        command
    }

    /// Runs the program in the repository.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Answer {
        self.command(args).stdin(std::process::Stdio::null()).output().unwrap().into()
    }

    fn seal(&self, command: &mut Command) {
        let keep = ["PATH", "LD_LIBRARY_PATH", "RUSTUP_HOME", "LLVM_PROFILE_FILE"];
        let kept: Vec<_> = keep.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect();
        command.env_clear().envs(kept);
        command.env("HOME", self.beside("home")).env("XDG_CACHE_HOME", self.beside("cache"));
        command.env("TMPDIR", self.beside("tmp")).env("XDG_RUNTIME_DIR", self.beside("tmp"));
        command.env("GIT_CONFIG_GLOBAL", self.global_config()).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("LC_ALL", "C").env("TZ", "UTC").env("NO_COLOR", "1");
    }

    fn global_config(&self) -> PathBuf {
        let path = self.beside("gitconfig");
        if !path.exists() {
            fs::write(&path, "[user]\n\tname = Test Person\n\temail = test@example.com\n").unwrap();
        }
        path
    }
}

/// Hashes everything below a folder: paths, modes, contents and link targets.
pub fn fingerprint(folder: &Path, skip: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    walk(folder, folder, skip, &mut hasher);
    hasher.finalize().to_hex().to_string()
}

fn walk(root: &Path, folder: &Path, skip: &[&str], hasher: &mut blake3::Hasher) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if skip.contains(&name.as_str()) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).unwrap();
        hasher.update(name.as_bytes()).update(&meta.permissions().mode().to_le_bytes());
        if meta.is_dir() {
            walk(root, &path, skip, hasher);
        } else if meta.is_symlink() {
            hasher.update(fs::read_link(&path).unwrap().as_os_str().as_encoded_bytes());
        } else {
            hasher.update(&fs::read(&path).unwrap());
        }
    }
}
