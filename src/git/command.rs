//! Git processes: one clean environment, nothing interactive, no hooks, no network.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::process::{Tool, ToolOutput};

use super::GitError;

/// Inherited variables that are kept: who commits, and where the configuration is.
const KEPT: [&str; 9] = [
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_EXEC_PATH",
];

/// Settings of every git process, stronger than any configuration file.
const FORCED: [&str; 17] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.askPass=",
    "credential.helper=",
    "protocol.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "color.ui=false",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "index.sparse=false",
    "index.skipHash=false",
    "index.version=2",
    "submodule.recurse=false",
    "advice.addEmbeddedRepo=false",
];

const FIXED_ENV: [(&str, &str); 9] = [
    ("LC_ALL", "C"),
    ("LANGUAGE", "C"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", "false"),
    ("SSH_ASKPASS", "false"),
];

/// One git process about to run.
pub(super) struct Git {
    dir: PathBuf,
    settings: Vec<String>,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    stdin: Vec<u8>,
}

impl Git {
    /// Prepares git in a folder with the user's configuration.
    pub(super) fn new(dir: &Path) -> Self {
        let env = FIXED_ENV.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
        let settings = FORCED.map(str::to_owned).to_vec();
        Self { dir: dir.to_owned(), settings, args: Vec::new(), env, stdin: Vec::new() }
    }

    /// Prepares git in a folder that sees no configuration but that of its repository.
    pub(super) fn secluded(dir: &Path) -> Self {
        Self::new(dir).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1")
    }

    /// Adds a setting.
    pub(super) fn setting(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Lets the repository's own hooks run.
    pub(super) fn with_own_hooks(mut self) -> Self {
        self.settings.retain(|setting| !setting.starts_with("core.hooksPath="));
        self
    }

    /// Adds one argument.
    pub(super) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub(super) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    pub(super) fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Sets what git reads.
    pub(super) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs git; any exit code is an answer.
    pub(super) fn run(self) -> Result<ToolOutput, GitError> {
        let own: Vec<&str> = self.env.iter().map(|(name, _)| *name).collect();
        let foreign = foreign_variables(&own);
        let mut tool = if foreign.is_empty() {
            Tool::new("git", &self.dir)
        } else {
            foreign.into_iter().fold(Tool::new("env", &self.dir), |env, name| env.arg("-u").arg(name)).arg("git")
        };
        for setting in self.settings {
            tool = tool.arg("-c").arg(setting);
        }
        for (name, value) in self.env {
            tool = tool.env(name, value);
        }
        Ok(tool.args(self.args).stdin(self.stdin).run()?)
    }

    /// Runs git and takes what it printed; any exit code but 0 is an error.
    pub(super) fn output(self) -> Result<Vec<u8>, GitError> {
        let (command, dir) = (abridge(&self.args), self.dir.clone());
        let out = self.run()?;
        if out.code == 0 {
            return Ok(out.stdout);
        }
        Err(GitError::Command { command, dir, code: out.code, stderr: out.stderr })
    }

    /// Runs git and takes the one line that it printed.
    pub(super) fn line(self) -> Result<String, GitError> {
        let (command, dir) = (abridge(&self.args), self.dir.clone());
        let text = self.output()?;
        let line = text.strip_suffix(b"\n").unwrap_or(&text);
        String::from_utf8(line.to_vec()).map_err(|e| GitError::Answer {
            command,
            dir,
            answer: String::from_utf8_lossy(e.as_bytes()).into_owned(),
        })
    }
}

/// Shortens a long argument list for a message.
fn abridge(words: &[OsString]) -> String {
    const SHOWN: usize = 12;
    let mut text = words.iter().take(SHOWN).map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    if words.len() > SHOWN {
        text.push_str(" ...");
    }
    text
}

/// Lists inherited variables that would point git somewhere else, but for those that are set anyway.
fn foreign_variables(own: &[&str]) -> Vec<OsString> {
    let foreign = |name: &OsStr| {
        name.to_str().is_some_and(|text| text.starts_with("GIT_") && !KEPT.contains(&text) && !own.contains(&text))
    };
    std::env::vars_os().map(|(name, _)| name).filter(|name| foreign(name)).collect()
}

/// Splits NUL-terminated records.
pub(super) fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_suffix(b"\0").into_iter().flat_map(|all| all.split(|&b| b == 0))
}

/// Reads a path as git wrote it.
pub(super) fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// Writes a folder as `GIT_ALTERNATE_OBJECT_DIRECTORIES` wants it: quoted when it holds the separator or a quote.
pub(super) fn alternate(folder: &Path) -> OsString {
    let bytes = folder.as_os_str().as_bytes();
    if !bytes.iter().any(|b| b":\"\n\\".contains(b)) {
        return folder.as_os_str().to_owned();
    }
    let mut quoted = vec![b'"'];
    for &b in bytes {
        match b {
            b'\n' => quoted.extend(b"\\n"),
            b'"' | b'\\' => quoted.extend([b'\\', b]),
            _ => quoted.push(b),
        }
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}
