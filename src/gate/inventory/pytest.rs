//! pytest: node ids with `-v`, also of xdist's workers; without it the files with a letter for each test.

use std::sync::LazyLock;

use regex::Regex;

use super::read::Format;
use super::tally::{TestInventory, Times};

static VERBOSE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?P<id>\S+::\S.*?) (?P<outcome>PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b").ok());
static WORKER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^\[gw\d+\] (?:\[ *\d+%\] )?(?P<outcome>PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (?P<id>\S+::\S.*?)\s*$",
    )
    .ok()
});
static FILE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?P<file>\S+\.(?:py|md|rst|txt)) (?P<marks>[.FEsxX]+)(?:\s+\[ *\d+%\])?$").ok());
static MORE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(?P<marks>[.FEsxX]+)\s+\[ *\d+%\]$").ok());

/// Reads the output of pytest.
#[derive(Debug, Default)]
pub(super) struct Pytest {
    /// The file that letters at the start of a line belong to.
    file: String,
}

impl Format for Pytest {
    fn line(&mut self, line: &str, into: &mut TestInventory) {
        let find = |form: &'static LazyLock<Option<Regex>>| form.as_ref().and_then(|form| form.captures(line));
        if let Some(found) = find(&VERBOSE).or_else(|| find(&WORKER)) {
            named(&found["id"], &found["outcome"], into);
        } else if let Some(found) = find(&FILE) {
            found["file"].clone_into(&mut self.file);
            into.add(&self.file, "", letters(&found["marks"]));
        } else if let Some(found) = find(&MORE) {
            into.add(&self.file, "", letters(&found["marks"]));
        } else if line.starts_with("====") {
            self.file.clear();
        }
    }

    fn end_of_stream(&mut self, _: &mut TestInventory) {
        self.file.clear();
    }
}

/// Notes a test by its node id. One that is expected to fail proves nothing by running.
fn named(id: &str, outcome: &str, into: &mut TestInventory) {
    let (file, name) = id.split_once("::").unwrap_or(("", id));
    match outcome {
        "SKIPPED" | "XFAIL" => into.skipped(file, name),
        _ => into.ran(file, name),
    }
}

fn letters(marks: &str) -> Times {
    let skipped = marks.bytes().filter(|mark| matches!(mark, b's' | b'x')).count() as u64;
    Times { ran: marks.len() as u64 - skipped, skipped }
}
