//! A sealed room for tests of the whole program: own repository, home, cache, git configuration and clock zone.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this module")]

pub mod facts;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

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
        env.counting_files();
        env
    }

    /// Writes and commits the files of the counting project.
    pub fn counting_files(&self) {
        let env = self;
        env.write("src/work", "1000\n");
        env.write("src/other", "first\nsecond\nthird\n");
        env.script("bench.sh", "#!/bin/sh\nset -eu\necho \"METRIC work=$(cat src/work)\"\n");
        // Files beside the repository are the tests' means to talk with a running bench.
        let config = r#"{ "name": "counting", "bench": { "command": "./bench.sh", "warmup": 0 },
                 "metrics": { "primary": { "name": "work", "minEffect": 0.01 } },
                 "scope": { "allow": ["src/**"] },
                 "candidates": [ { "patches": "candidates" } ],
                 "sandbox": { "readOnly": ["~/.."] },
                 "decision": { "calibrationPairs": 4 } }"#;
        env.write("autoresearch.config.json", config);
        env.commit("a counting project");
    }

    /// Makes a counting project whose bench hands over to a script beside the repository as soon as there is one.
    ///
    /// The script is no part of the harness: changing it is weather, not a change of the project.
    pub fn hooked_project() -> Self {
        let env = Self::counting_project();
        let hook = env.beside("hook");
        let hook = hook.display();
        env.script(
            "bench.sh",
            &format!(
                "#!/bin/sh\nset -eu\nif [ -x {hook} ]; then exec {hook}; fi\necho \"METRIC work=$(cat src/work)\"\n"
            ),
        );
        env.show_journal();
        env.commit("a bench that can be hooked");
        env
    }

    /// Lets commands count what the session has written so far, which is hidden from them otherwise.
    pub fn show_journal(&self) {
        let shown = ["~/..", "~/../repo/.git/autoresearch/counting"];
        self.configure(|config| config["sandbox"]["readOnly"] = serde_json::json!(shown));
    }

    /// Sets the script that the hooked bench hands over to; it starts in the slot.
    pub fn hook(&self, body: &str) {
        let (path, new) = (self.beside("hook"), self.beside("hook.new"));
        fs::write(&new, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, path).unwrap();
    }

    /// Takes the hooked bench's script away.
    pub fn unhook(&self) {
        fs::remove_file(self.beside("hook")).unwrap();
    }

    /// Rewrites the config, uncommitted.
    pub fn configure(&self, edit: impl FnOnce(&mut serde_json::Value)) {
        let mut config = serde_json::from_str(&self.read("autoresearch.config.json")).unwrap();
        edit(&mut config);
        self.write("autoresearch.config.json", config.to_string());
    }

    /// Makes a change in the checkout, and returns its diff and the tree that git makes of it; the checkout is put back.
    pub fn diff_of(&self, change: impl FnOnce(&Self)) -> (Vec<u8>, String) {
        change(self);
        self.git(["add", "-A", "--", ".", ":!candidates"]);
        let diff = self.git_bytes(["diff", "--cached", "--binary", "-M", "HEAD"]);
        let tree = self.git(["write-tree"]).trim().to_owned();
        self.git(["reset", "-q", "--hard", "HEAD"]);
        (diff, tree)
    }

    /// Makes a candidate of a change in the checkout, and returns the tree that git makes of it.
    pub fn change(&self, name: &str, change: impl FnOnce(&Self)) -> String {
        let (diff, tree) = self.diff_of(change);
        self.raw_patch(name, diff);
        tree
    }

    /// Writes a candidate patch as it stands, with the time of a file that nobody writes to any more.
    pub fn raw_patch(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.write(&format!("candidates/{name}"), bytes);
        let file = fs::File::options().append(true).open(self.repo().join("candidates").join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_mins(1)).unwrap();
    }

    /// Returns everything that a session must leave alone: checkout, index, stash, config, and all refs but its branch.
    pub fn belongings(&self) -> (String, String) {
        let own =
            [".git/objects", ".git/autoresearch", ".git/refs/heads/autoresearch", ".git/logs/refs/heads/autoresearch"];
        let refs = self.git(["for-each-ref"]);
        let others = refs.lines().filter(|line| !line.contains("refs/heads/autoresearch/"));
        (fingerprint(&self.repo(), &own), others.collect::<Vec<_>>().join("\n"))
    }

    /// Returns the commit that a revision names.
    #[track_caller]
    pub fn rev(&self, revision: &str) -> String {
        self.git(["rev-parse", "--verify", revision]).trim().to_owned()
    }

    /// Says whether a revision names something.
    pub fn has_rev(&self, revision: &str) -> bool {
        self.git_says(["rev-parse", "-q", "--verify", revision])
    }

    /// Runs git and says whether it succeeded.
    pub fn git_says<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> bool {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.repo());
        self.seal(&mut command);
        command.output().unwrap().status.success()
    }

    /// Returns the journal's bytes of a session; nothing where there is none.
    pub fn journal_bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.state(name).join("journal.jsonl")).unwrap_or_default()
    }

    /// Returns the journal's text of a session; nothing where there is none.
    pub fn journal_text(&self, name: &str) -> String {
        String::from_utf8(self.journal_bytes(name)).unwrap()
    }

    /// Returns the journal's lines of one kind.
    pub fn events(&self, name: &str, kind: &str) -> Vec<serde_json::Value> {
        self.journal(name).into_iter().filter(|line| line["type"] == kind).collect()
    }

    /// Returns the settling line of a candidate by its description.
    #[track_caller]
    pub fn settled(&self, name: &str, description: &str) -> serde_json::Value {
        let mut runs = self.events(name, "run");
        runs.retain(|run| run["description"] == description);
        assert_eq!(runs.len(), 1, "settling lines of '{description}': {runs:?}\nall: {:?}", self.verdicts(name));
        runs.remove(0)
    }

    /// Asserts what became of candidates, each as (description, status, reason, a part of why).
    #[track_caller]
    pub fn expect_verdicts(&self, name: &str, expected: &[(&str, &str, &str, &str)]) {
        let mut wrong = Vec::new();
        for &(description, status, reason, part) in expected {
            let run = self.settled(name, description);
            let why = run["asi"]["auto"]["why"].as_str().unwrap_or_default();
            if run["status"] != status || run["reason"] != reason || !why.contains(part) {
                wrong.push(format!(
                    "{description}: {} {} '{why}', expected {status} {reason} '{part}'",
                    run["status"], run["reason"]
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Starts the program without waiting for it.
    pub fn spawn<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Child {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Waits until no process works in a folder of this room any more.
    #[track_caller]
    pub fn wait_for_quiet(&self) {
        let works_here = |entry: std::io::Result<fs::DirEntry>| {
            fs::read_link(entry.unwrap().path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.root.path()))
        };
        wait_for("the end of all processes", || !fs::read_dir("/proc").unwrap().any(works_here));
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
        if let Some(before) = before {
            self.write(file, before);
        } else {
            self.git(["reset", "-q", "--", file]);
            fs::remove_file(self.repo().join(file)).unwrap();
        }
        self.raw_patch(name, diff);
    }

    /// Runs git in the repository with everything of the machine shut out, and returns its standard output.
    #[track_caller]
    pub fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        String::from_utf8_lossy(&self.git_bytes(args)).into_owned()
    }

    /// Runs git as [`Self::git`] does and returns the bytes.
    #[track_caller]
    pub fn git_bytes<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Vec<u8> {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.repo());
        self.seal(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
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
        self.command(args).stdin(Stdio::null()).output().unwrap().into()
    }

    fn seal(&self, command: &mut Command) {
        let keep = ["PATH", "LD_LIBRARY_PATH", "RUSTUP_HOME", "LLVM_PROFILE_FILE"];
        let kept: Vec<_> = keep.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect();
        command.env_clear().envs(kept);
        command.env("HOME", self.beside("home")).env("XDG_CACHE_HOME", self.beside("cache"));
        command.env("TMPDIR", self.beside("tmp")).env("XDG_RUNTIME_DIR", self.beside("tmp"));
        command.env("GIT_CONFIG_GLOBAL", self.global_config()).env("GIT_CONFIG_NOSYSTEM", "1");
        // Other tests keep the machine busy; none of them waits for another.
        command.env("AUTORESEARCH_MAX_WAIT_SECONDS", "0");
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

/// Waits until something is so.
#[track_caller]
pub fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_mins(2), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Hashes everything below a folder: paths, modes, contents and link targets.
pub fn fingerprint(folder: &Path, skip: &[&str]) -> String {
    blake3::hash(listing(folder, skip).join("\n").as_bytes()).to_hex().to_string()
}

/// Lists everything below a folder, each with its mode and a hash of its content or link target.
pub fn listing(folder: &Path, skip: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    walk(folder, folder, skip, &mut all);
    all
}

fn walk(root: &Path, folder: &Path, skip: &[&str], all: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if skip.contains(&name.as_str()) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).unwrap();
        let content = match (meta.is_dir(), meta.is_symlink()) {
            (true, _) => Vec::new(),
            (false, true) => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
            (false, false) => fs::read(&path).unwrap(),
        };
        all.push(format!("{name} {:o} {}", meta.permissions().mode(), blake3::hash(&content).to_hex()));
        if meta.is_dir() {
            walk(root, &path, skip, all);
        }
    }
}
