//! jest and vitest: the verbose lists of tests, the lines of files, and the summaries.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::read::Format;
use super::tally::{TestInventory, Times};

/// Files of one output that are held.
const FILES_MAX: usize = 10_000;

static JEST_FILE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\s*(?:PASS|FAIL)\s+(?P<file>\S+\.\w+)(?: \([\d.]+ m?s\))?$").ok());
static JEST_TEST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?P<indent>\s+)(?P<mark>[✓✕○✎√×]) (?P<name>.+?)(?: \([\d.]+ m?s\))?$").ok());
static VITEST_FILE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*[✓❯↓×] +(?:\|[^|]+\| +)?(?P<file>\S+\.\w+) +\((?P<all>\d+)(?: tests?)?(?: \| (?P<of>[^)]*))?\)")
        .ok()
});
static VITEST_TEST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*(?P<mark>[✓↓×]) +(?:\|[^|]+\| +)?(?P<file>\S+\.\w+) > (?P<name>.+?)(?: \d+(?:\.\d+)?m?s)?(?: \[skipped\])?$")
        .ok()
});
static SUMMARY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*Tests:?\s+(?P<counts>(?:\d+ (?:failed|passed|skipped|todo|pending)[,| ]*)+)").ok()
});
static COUNT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\d+) ([a-z]+)").ok());

/// Reads the output of jest and of vitest.
#[derive(Debug, Default)]
pub(super) struct JavaScript {
    /// The file of jest that lists its tests.
    file: String,
    /// The groups that enclose the next test, with their indents.
    groups: Vec<(usize, String)>,
    /// Files that ran, for an output that lists no tests.
    files: BTreeSet<String>,
    named: bool,
    summary: Times,
}

impl Format for JavaScript {
    fn line(&mut self, line: &str, into: &mut TestInventory) {
        let find = |form: &'static LazyLock<Option<Regex>>| form.as_ref().and_then(|form| form.captures(line));
        if let Some(found) = find(&JEST_FILE) {
            found["file"].clone_into(&mut self.file);
            self.groups.clear();
            if self.files.len() < FILES_MAX {
                self.files.insert(self.file.clone());
            }
        } else if let Some(found) = find(&VITEST_TEST) {
            self.named = true;
            note(into, &found["file"], &found["name"], &found["mark"]);
        } else if let Some(found) = find(&VITEST_FILE) {
            self.named = true;
            let all = found["all"].parse().unwrap_or(0);
            let skipped = counts(found.name("of").map_or("", |of| of.as_str())).skipped;
            into.add(&found["file"], "", Times { ran: u64::saturating_sub(all, skipped), skipped });
        } else if let Some(found) = find(&SUMMARY) {
            self.summary = counts(&found["counts"]);
        } else if !self.file.is_empty() {
            self.listed(line, into);
        }
    }

    fn end_of_stream(&mut self, into: &mut TestInventory) {
        if !self.named {
            self.files.iter().for_each(|file| into.ran(file, ""));
            into.add("", "", self.summary);
            into.counted |= self.summary.ran > 0;
        }
        *self = Self::default();
    }
}

impl JavaScript {
    /// Reads a line of jest's list: a test, or a group by its indent.
    fn listed(&mut self, line: &str, into: &mut TestInventory) {
        let indent = line.len() - line.trim_start().len();
        if indent < 2 || line.trim().is_empty() {
            self.groups.clear();
            return;
        }
        self.groups.retain(|(outer, _)| *outer < indent);
        let Some(found) = JEST_TEST.as_ref().and_then(|test| test.captures(line)) else {
            self.groups.push((indent, line.trim().to_owned()));
            return;
        };
        self.named = true;
        let name = found["name"].trim_start_matches("skipped ").trim_start_matches("todo ");
        let path: Vec<&str> = self.groups.iter().map(|(_, group)| group.as_str()).chain([name]).collect();
        note(into, &self.file, &path.join(" > "), &found["mark"]);
    }
}

fn note(into: &mut TestInventory, file: &str, name: &str, mark: &str) {
    match mark {
        "○" | "✎" | "↓" => into.add(file, name, Times { ran: 0, skipped: 1 }),
        _ => into.add(file, name, Times { ran: 1, skipped: 0 }),
    }
}

/// Reads counts such as `1 skipped, 3 passed` or `2 failed | 1 todo`.
fn counts(text: &str) -> Times {
    let mut times = Times::default();
    for found in COUNT.iter().flat_map(|count| count.captures_iter(text)) {
        let number: u64 = found[1].parse().unwrap_or(0);
        match &found[2] {
            "passed" | "failed" => times.ran += number,
            "skipped" | "todo" | "pending" => times.skipped += number,
            _ => {}
        }
    }
    times
}
