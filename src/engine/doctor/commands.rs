//! Checks that the programs of all commands exist: the first word of each, and the first line of each script.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::{Command, Settings};
use crate::gate::HarnessSnapshot;
use crate::git::UserRepository;

use super::finding::{Finding, Group, Report};

const CHECK: (Group, &str) = (Group::Config, "commands");

/// Words that the shell itself knows, or that start something whose program this reading does not find.
const SHELL_WORDS: [&str; 24] = [
    ".", ":", "[", "[[", "case", "cd", "command", "echo", "env", "eval", "exec", "exit", "export", "false", "for",
    "if", "printf", "set", "source", "test", "time", "true", "ulimit", "while",
];

/// Checks the programs of build, bench, prepare, hooks and scripts; `inherited` says what `PATH` is.
pub fn examine_commands(
    user: &UserRepository,
    settings: &Settings,
    inherited: &[(OsString, OsString)],
    report: &mut dyn Report,
) {
    let search = Search { path: path_of(inherited), dir: user.root().join(&settings.working_dir) };
    let prepare = settings.prepare.as_ref().map(|prepare| ("prepare", &prepare.command));
    let build = settings.build.as_ref().map(|build| ("build", &build.command));
    let mut found = Vec::new();
    let mut bad = 0;
    for (name, command) in prepare.into_iter().chain(build).chain([("bench", &settings.bench.command)]) {
        let Some(word) = program(command) else { continue };
        // What the build makes is not there before it.
        let made = name == "bench" && settings.build.is_some();
        match search.problem(word) {
            None => found.push(word.to_owned()),
            Some(_) if made && word.contains('/') && !search.dir.join(word).exists() => {
                report.found(Finding::skipped(CHECK, format!("{word} of '{name}' is not there before the build")));
            }
            Some(problem) => {
                bad += 1;
                report.found(
                    Finding::failure(CHECK, format!("'{name}' starts {word}, {problem}")).cure(problem.cure(word)),
                );
            }
        }
    }
    for trouble in hook_troubles(user, settings, inherited) {
        report.found(Finding::warning(CHECK, trouble.what).cure(trouble.cure));
    }
    bad += scripts(user, settings, &search, report);
    if bad == 0 {
        report.found(Finding::ok(CHECK, format!("found {}", found.join(", "))));
    }
}

/// What is in the way of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookTrouble {
    /// Which hook, and what is wrong with it.
    pub what: String,
    /// What to do.
    pub cure: String,
}

/// Looks whether the programs of the hooks can be started; a session runs without them, and would tell it only when it calls
/// the first.
pub fn hook_troubles(
    user: &UserRepository,
    settings: &Settings,
    inherited: &[(OsString, OsString)],
) -> Vec<HookTrouble> {
    let search = Search { path: path_of(inherited), dir: user.root().join(&settings.folder) };
    let hooks = [("hooks.before", &settings.hooks.before), ("hooks.after", &settings.hooks.after)];
    let trouble = |(name, command): (&str, &Option<Command>)| {
        let word = program(command.as_ref()?)?;
        let problem = search.problem(word)?;
        let at = search.dir.join(word);
        let word = if word.contains('/') {
            at.strip_prefix(user.root()).unwrap_or(&at).display().to_string()
        } else {
            word.to_owned()
        };
        Some(HookTrouble { what: format!("'{name}' starts {word}, {problem}"), cure: problem.cure(&word) })
    };
    hooks.into_iter().filter_map(trouble).collect()
}

fn path_of(inherited: &[(OsString, OsString)]) -> OsString {
    inherited.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Checks the first lines of the executable sealed files and returns how many name a program that is not there.
fn scripts(user: &UserRepository, settings: &Settings, search: &Search, report: &mut dyn Report) -> usize {
    // What cannot be collected is told by the check of the harness.
    let Ok(snapshot) = HarnessSnapshot::collect(user.root(), settings) else { return 0 };
    let mut bad = 0;
    for file in snapshot.files().iter().filter(|file| file.executable) {
        let Some(interpreter) = interpreter(&file.bytes) else { continue };
        if let Some(problem) = search.problem(&interpreter) {
            bad += 1;
            let cure = if interpreter.ends_with('\r') {
                "write the script with line ends of Unix, without carriage returns".to_owned()
            } else {
                problem.cure(&interpreter)
            };
            let name = interpreter.escape_debug();
            report.found(Finding::failure(CHECK, format!("{} is run by {name}, {problem}", file.path)).cure(cure));
        }
    }
    bad
}

/// Returns the program of a command, where its first word tells.
fn program(command: &Command) -> Option<&str> {
    match command {
        Command::Argv(argv) => argv.first().map(String::as_str),
        Command::Shell(line) => {
            let assigns = |word: &&str| word.split_once('=').is_some_and(|(name, _)| !name.contains('/'));
            let word = line.split_whitespace().find(|word| !assigns(word))?;
            let plain = !word.contains(|c: char| "\"'$`(){}<>|&;*?!~\\".contains(c));
            (plain && !SHELL_WORDS.contains(&word)).then_some(word)
        }
    }
}

/// Returns the program that a script's first line names, looking through `env`.
fn interpreter(bytes: &[u8]) -> Option<String> {
    let line = bytes.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let first = words.next()?;
    if !first.ends_with("/env") {
        return Some(first.to_owned());
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}

/// Where programs are looked for.
struct Search {
    path: OsString,
    dir: PathBuf,
}

/// Why a program cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("which is not on PATH")]
    OffPath,
    #[error("which is not there")]
    Absent,
    #[error("which is not executable")]
    Locked,
}

impl Problem {
    fn cure(self, word: &str) -> String {
        match self {
            Self::OffPath => format!("install {word}, or start autoresearch where it is on PATH"),
            Self::Absent => format!("write {word}, or mend the command"),
            Self::Locked => format!("chmod +x {word}"),
        }
    }
}

impl Search {
    fn problem(&self, word: &str) -> Option<Problem> {
        if !word.contains('/') {
            let on_path = std::env::split_paths(&self.path).any(|folder| executable(&folder.join(word)));
            return (!on_path).then_some(Problem::OffPath);
        }
        let file = self.dir.join(word);
        match (file.is_file(), executable(&file)) {
            (false, _) => Some(Problem::Absent),
            (true, false) => Some(Problem::Locked),
            (true, true) => None,
        }
    }
}

fn executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_a_shell_line_is_its_first_plain_word() {
        let of = |line: &str| program(&Command::Shell(line.to_owned())).map(str::to_owned);
        assert_eq!(of("cargo build --release").as_deref(), Some("cargo"));
        assert_eq!(of("CC=clang ./configure && make").as_deref(), Some("./configure"));
        assert_eq!(of("cd sub && make"), None);
        assert_eq!(of("\"$TOOL\" run"), None);
    }

    #[test]
    fn the_interpreter_is_read_through_env_and_keeps_a_carriage_return() {
        assert_eq!(interpreter(b"#!/usr/bin/env -S python3 -u\n").as_deref(), Some("python3"));
        assert_eq!(interpreter(b"#!/bin/sh\r\necho\r\n").as_deref(), Some("/bin/sh\r"));
        assert_eq!(interpreter(b"\x7fELF"), None);
    }
}
