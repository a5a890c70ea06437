//! Says which checks tell the tests that they run.

use crate::domain::Inventory;
use crate::engine::session::Session;

use super::finding::{Finding, Group, Report};

const CHECK: (Group, &str) = (Group::Baseline, "tests");

/// Reports the inventory of each check that passed, from what it printed.
pub(super) fn report(session: &Session<'_, '_>, report: &mut dyn Report) {
    if session.settings.checks.inventory == Inventory::Off {
        let detail = "not looked at: checks.inventory is off, so a candidate may take tests out";
        report.found(Finding::skipped(CHECK, detail));
        return;
    }
    for check in session.bench.harness().checks() {
        let Some(tests) = session.inventory.seen(&check.name) else { continue };
        let (ran, skipped) = (tests.count_ran(), tests.count_skipped());
        let finding = if tests.is_empty() {
            Finding::ok(CHECK, format!("{} names no tests, so none of it can be missed", check.name))
        } else {
            let tests = if ran == 1 { "1 test".to_owned() } else { format!("{ran} tests") };
            let aside = if skipped == 0 { String::new() } else { format!(" and skips {skipped}") };
            Finding::ok(CHECK, format!("{} runs {tests}{aside}; a candidate must run them too", check.name))
        };
        report.found(finding.fact("check", check.name).fact("ran", ran).fact("skipped", skipped));
    }
}
