//! What a kept change costs those who must live with it, read from its patch.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

/// The cost of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Cost {
    /// Lines added and removed, blank ones left out.
    pub lines: u32,
    /// Files touched.
    pub files: u32,
    /// Their paths.
    #[serde(skip)]
    pub paths: BTreeSet<String>,
    /// What a reviewer looks at twice, each once: `unsafe`, `threads`, `dependencies`, `public API`.
    pub marks: Vec<&'static str>,
}

static UNSAFE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\bunsafe\b|\breinterpret_cast\b|\bimport \x22C\x22|\bunsafe\.Pointer\b|\bctypes\b")
        .expect("a constant pattern")
});
static THREADS: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"\bthread::|\brayon\b|\bpar_iter|\bstd::(?:jthread|thread|async)\b|\bpthread_|\bgo func\b|\bnew Thread\b|\bThread\(|\bExecutor|\bmultiprocessing\b|\bworker_threads\b|\bspawn_blocking\b|\btokio::spawn\b|\bAtomic[A-Z]|\bMutex\b";
    Regex::new(words).expect("a constant pattern")
});
static PUBLIC: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"^\s*(?:pub\s+(?:const\s+|async\s+|unsafe\s+)*(?:fn|struct|enum|trait|type|mod|const|static|use)\b|export\s|module\.exports\b|func\s+(?:\([^)]*\)\s*)?[A-Z]|public\s)";
    Regex::new(words).expect("a constant pattern")
});

/// Files that say what a program depends on.
const MANIFESTS: [&str; 14] = [
    "Cargo.toml",
    "Cargo.lock",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "go.mod",
    "go.sum",
    "pyproject.toml",
    "requirements.txt",
    "uv.lock",
    "Gemfile",
    "Gemfile.lock",
    "pom.xml",
];

const UNSAFE_CODE: &str = "unsafe";
const WORKERS: &str = "threads";
const DEPENDENCIES: &str = "dependencies";
const API: &str = "public API";

/// All marks, in the order in which they are shown.
const MARKS: [&str; 4] = [UNSAFE_CODE, WORKERS, DEPENDENCIES, API];

impl Cost {
    /// Reads a unified diff.
    pub fn of(patch: &str) -> Self {
        let mut reading = Reading::default();
        patch.lines().for_each(|line| reading.line(line));
        let Reading { lines, paths, mut seen, .. } = reading;
        if paths.iter().any(|path| MANIFESTS.contains(&path.rsplit('/').next().unwrap_or(path))) {
            seen.insert(DEPENDENCIES);
        }
        let marks = MARKS.into_iter().filter(|mark| seen.contains(mark)).collect();
        Self { lines, files: u32::try_from(paths.len()).unwrap_or(u32::MAX), paths, marks }
    }
}

/// How far a diff was read.
#[derive(Debug, Default)]
struct Reading {
    in_hunk: bool,
    lines: u32,
    paths: BTreeSet<String>,
    seen: BTreeSet<&'static str>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("diff --git ") {
            self.in_hunk = false;
            self.paths.extend(rest.rsplit(" b/").next().map(str::to_owned));
        } else if line.starts_with("@@ ") {
            self.in_hunk = true;
        } else if self.in_hunk {
            self.change(line);
        }
    }

    fn change(&mut self, line: &str) {
        let (sign, text) = match (line.strip_prefix('+'), line.strip_prefix('-')) {
            (Some(text), _) => ('+', text),
            (_, Some(text)) => ('-', text),
            (None, None) => return,
        };
        if text.trim().is_empty() {
            return;
        }
        self.lines += 1;
        // A signature that goes away or changes breaks callers; a new one is a promise.
        let added = sign == '+';
        let found = [
            (UNSAFE_CODE, added && UNSAFE.is_match(text)),
            (WORKERS, added && THREADS.is_match(text)),
            (API, PUBLIC.is_match(text)),
        ];
        self.seen.extend(found.into_iter().filter(|(_, there)| *there).map(|(mark, _)| mark));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_counted_by_its_lines_files_and_what_needs_a_second_look() {
        let patch = "diff --git a/src/a.rs b/src/a.rs\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,4 +1,4 @@\n x\n-pub fn old() {}\n\
            +let y = unsafe { *p };\n+\n+std::thread::spawn(f);\ndiff --git a/Cargo.toml b/Cargo.toml\n--- a/Cargo.toml\n+++ b/Cargo.toml\n@@ -1 +1,2 @@\n a\n+rayon = \"1\"\n";
        let cost = Cost::of(patch);
        assert_eq!((cost.lines, cost.files), (4, 2));
        assert_eq!(cost.marks, ["unsafe", "threads", "dependencies", "public API"]);
        let plain = Cost::of("diff --git a/b b/b\n@@ -1 +1 @@\n-fn f() {}\n+fn g() {}\n");
        assert_eq!((plain.lines, plain.files, plain.marks.len()), (2, 1, 0));
    }

    #[test]
    fn unsafe_that_goes_away_costs_nothing() {
        assert!(Cost::of("diff --git a/b b/b\n@@ -1 +0,0 @@\n-unsafe { f() }\n").marks.is_empty());
    }
}
