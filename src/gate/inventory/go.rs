//! `go test`: `--- PASS` lines of `-v`, events of `-json`, and one line for each package.

use serde::Deserialize;
use std::borrow::Cow;

use super::read::Format;
use super::tally::{TestInventory, Times};

/// Most tests of one package held before its own line comes.
const HELD_MAX: usize = 200_000;

/// Reads the output of `go test`.
#[derive(Debug, Default)]
pub(super) struct Go {
    /// Tests of the package under way, whose name comes last, with whether each was skipped.
    held: Vec<(String, bool)>,
}

/// One event of `go test -json`.
#[derive(Deserialize)]
struct TestEvent<'a> {
    #[serde(rename = "Action", borrow)]
    action: Cow<'a, str>,
    #[serde(rename = "Package", borrow, default)]
    package: Cow<'a, str>,
    #[serde(rename = "Test", borrow, default)]
    test: Option<Cow<'a, str>>,
}

impl Format for Go {
    fn line(&mut self, line: &str, into: &mut TestInventory) {
        if line.starts_with('{') && line.contains("\"Action\"") {
            event(line, into);
        } else if let Some(test) = test(line) {
            if self.held.len() < HELD_MAX {
                self.held.push(test);
            }
        } else if let Some((package, ran)) = package(line) {
            if self.held.is_empty() && ran {
                into.ran(package, "");
            }
            self.hand_over(package, into);
        }
    }

    fn end_of_stream(&mut self, into: &mut TestInventory) {
        self.hand_over("", into);
    }
}

impl Go {
    fn hand_over(&mut self, package: &str, into: &mut TestInventory) {
        for (name, skipped) in self.held.drain(..) {
            into.add(package, &name, Times { ran: u64::from(!skipped), skipped: u64::from(skipped) });
        }
    }
}

/// Reads a line such as `    --- PASS: TestImport/empty (0.00s)`; returns whether it was skipped.
fn test(line: &str) -> Option<(String, bool)> {
    let rest = line.trim_start_matches('\u{16}').trim_start().strip_prefix("--- ")?;
    let (status, rest) = rest.split_once(": ")?;
    let skipped = match status {
        "PASS" | "FAIL" => false,
        "SKIP" => true,
        _ => return None,
    };
    let (name, time) = rest.rsplit_once(" (")?;
    time.ends_with("s)").then(|| (name.to_owned(), skipped))
}

/// Reads the line of a package; returns whether any test of it ran.
fn package(line: &str) -> Option<(&str, bool)> {
    let mut words = line.split('\t');
    let status = words.next()?.trim_end();
    let package = words.next()?;
    let time = words.next()?;
    let is_time = time.starts_with("(cached)") || time.split(' ').next()?.ends_with('s');
    let ran = matches!(status, "ok" | "FAIL") && !line.contains("[no tests to run]");
    (matches!(status, "ok" | "FAIL") && is_time).then_some((package, ran))
}

fn event(line: &str, into: &mut TestInventory) {
    let Ok(event) = serde_json::from_str::<TestEvent<'_>>(line) else { return };
    let Some(test) = event.test else { return };
    match event.action.as_ref() {
        "pass" | "fail" => into.add(&event.package, &test, Times { ran: 1, skipped: 0 }),
        "skip" => into.add(&event.package, &test, Times { ran: 0, skipped: 1 }),
        _ => {}
    }
}
