//! `cargo nextest run`: one line for each test, with its status, its time, its binary and its name.

use std::sync::LazyLock;

use regex::Regex;

use super::read::Format;
use super::tally::TestInventory;

static TEST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^\s*(?:TRY \d+ )?(?P<status>[A-Z][A-Z-]*)(?: [0-9+/]+)? \[[ >0-9.s]*\] +(?:\(\s*\d+/\s*\d+\) +)?(?P<binary>\S+) +(?P<name>\S.*)$",
    )
    .ok()
});

/// Reads the output of nextest.
#[derive(Debug, Default)]
pub(super) struct Nextest;

impl Format for Nextest {
    fn line(&mut self, line: &str, into: &mut TestInventory) {
        let Some(found) = TEST.as_ref().and_then(|test| test.captures(line)) else { return };
        match &found["status"] {
            "SKIP" => into.skipped(&found["binary"], found["name"].trim_end()),
            "PASS" | "FAIL" | "LEAK" | "LEAK-FAIL" | "TIMEOUT" | "FLAKY" | "ABORT" => {
                into.ran(&found["binary"], found["name"].trim_end());
            }
            // `SLOW` stands for a test that has not ended, and `START` for one that began.
            _ => {}
        }
    }
}
