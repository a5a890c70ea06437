//! A list of tests, each with how often it ran and how often it was skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most tests of one inventory; an output with more is cut there and says so.
const TESTS_MAX: usize = 200_000;

/// Most bytes of all names of one inventory.
const BYTES_MAX: usize = 32 << 20;

/// Longest name that is kept as it is, in bytes; of a longer one the beginning and a hash.
const NAME_MAX: usize = 400;

/// What a test is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestName {
    /// The binary, file or package that it belongs to; empty where the output does not say.
    pub suite: String,
    /// Its name there; empty for tests that are only counted.
    pub name: String,
}

impl fmt::Display for TestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.suite.as_str(), self.name.as_str()) {
            ("", "") => f.write_str("tests without a name"),
            (suite, "") => f.write_str(suite),
            ("", name) => f.write_str(name),
            (suite, name) => write!(f, "{suite} {name}"),
        }
    }
}

/// How often a test ran and was skipped in one run of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Times that it ran to an end, whatever that was.
    pub ran: u64,
    /// Times that it was skipped, ignored, or not expected to pass.
    pub skipped: u64,
}

/// A test that ran on the baseline, and less often or not at all in the candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostTest {
    /// The test.
    pub test: TestName,
    /// What became of it on the baseline.
    pub baseline: Times,
    /// What became of it in the candidate.
    pub candidate: Times,
}

impl fmt::Display for LostTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.test.fmt(f)?;
        let (before, now) = (self.baseline.ran, self.candidate);
        if now.ran > 0 || before > 1 {
            write!(f, " ({} of {before} ran)", now.ran)?;
        } else if now.skipped > 0 {
            f.write_str(" (skipped)")?;
        }
        Ok(())
    }
}

/// The tests of one run of a check. The order in which they ran is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TestInventory {
    tests: BTreeMap<TestName, Times>,
    bytes: usize,
    /// Whether some tests stand without the binary that they belong to.
    pub(super) unassigned: bool,
    /// Whether a summary stands in place of names: jest lists the tests of one file and only counts those of two.
    pub(super) counted: bool,
    cut: bool,
}

impl TestInventory {
    /// Notes that a test of a unique name ran; a second time changes nothing.
    pub(super) fn ran(&mut self, suite: &str, name: &str) {
        if let Some(times) = self.entry(suite, name) {
            times.ran = times.ran.max(1);
        }
    }

    /// Notes that a test of a unique name was skipped.
    pub(super) fn skipped(&mut self, suite: &str, name: &str) {
        if let Some(times) = self.entry(suite, name) {
            times.skipped = times.skipped.max(1);
        }
    }

    /// Adds up tests whose names are not unique, or that are only counted.
    pub(super) fn add(&mut self, suite: &str, name: &str, more: Times) {
        if more == Times::default() {
            return;
        }
        if let Some(times) = self.entry(suite, name) {
            times.ran += more.ran;
            times.skipped += more.skipped;
        }
    }

    fn entry(&mut self, suite: &str, name: &str) -> Option<&mut Times> {
        let test = TestName { suite: shortened(suite), name: shortened(name) };
        if !self.tests.contains_key(&test) {
            let bytes = test.suite.len() + test.name.len();
            if self.tests.len() >= TESTS_MAX || self.bytes + bytes > BYTES_MAX {
                self.cut = true;
                return None;
            }
            self.bytes += bytes;
        }
        Some(self.tests.entry(test).or_default())
    }

    /// Takes in the tests of another source of the same run.
    pub(super) fn merge(&mut self, other: &Self) {
        for (test, times) in &other.tests {
            if let Some(own) = self.entry(&test.suite, &test.name) {
                own.ran = own.ran.max(times.ran);
                own.skipped = own.skipped.max(times.skipped);
            }
        }
        self.unassigned |= other.unassigned;
        self.counted |= other.counted;
        self.cut |= other.cut;
    }

    /// Says whether no test was recognised.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Says whether there were more tests than an inventory holds.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Counts the tests that ran.
    pub fn count_ran(&self) -> u64 {
        self.tests.values().map(|times| times.ran).sum()
    }

    /// Counts the tests that were skipped.
    pub fn count_skipped(&self) -> u64 {
        self.tests.values().map(|times| times.skipped).sum()
    }

    /// Returns the tests that ran in this inventory and less often in a candidate's, in the order of their names.
    ///
    /// Where one of the two could not tell which binary each test belongs to, both are compared without.
    pub fn lost_in(&self, candidate: &Self) -> Vec<LostTest> {
        if self.counted != candidate.counted {
            return self.only_counts().lost_in(&candidate.only_counts());
        }
        if self.unassigned != candidate.unassigned {
            return self.without_suites().lost_in(&candidate.without_suites());
        }
        let lost = |(test, baseline): (&TestName, &Times)| {
            let candidate = candidate.tests.get(test).copied().unwrap_or_default();
            (candidate.ran < baseline.ran).then(|| LostTest { test: test.clone(), baseline: *baseline, candidate })
        };
        self.tests.iter().filter_map(lost).collect()
    }

    /// Leaves out what another run of the same code did not run as often, and returns that.
    pub fn keep_common(&mut self, again: &Self) -> Vec<LostTest> {
        if self.counted != again.counted {
            *self = self.only_counts();
            return self.keep_common(&again.only_counts());
        }
        if self.unassigned != again.unassigned {
            *self = self.without_suites();
            return self.keep_common(&again.without_suites());
        }
        let lost = self.lost_in(again);
        for LostTest { test, candidate, .. } in &lost {
            if let Some(times) = self.tests.get_mut(test) {
                times.ran = candidate.ran;
            }
        }
        self.tests.retain(|_, times| *times != Times::default());
        lost
    }

    /// Leaves out tests by their names as they are shown.
    pub fn leave_out(&mut self, tests: &BTreeSet<String>) {
        if !tests.is_empty() {
            self.tests.retain(|test, _| !tests.contains(&test.to_string()));
        }
    }

    fn without_suites(&self) -> Self {
        let mut all = Self { unassigned: true, cut: self.cut, ..Self::default() };
        for (test, times) in &self.tests {
            all.add("", &test.name, *times);
        }
        all
    }

    /// Adds all tests up, without the lines of files that stand beside a summary.
    fn only_counts(&self) -> Self {
        let mut all = Self { counted: true, cut: self.cut, ..Self::default() };
        let is_file = |test: &TestName| self.counted && test.name.is_empty() && !test.suite.is_empty();
        for times in self.tests.iter().filter(|(test, _)| !is_file(test)).map(|(_, times)| times) {
            all.add("", "", *times);
        }
        all
    }

    /// Renders the tests that ran, one a line and in order, as the state folder keeps them.
    pub fn text(&self) -> String {
        let ran = self.tests.iter().filter(|(_, times)| times.ran > 0);
        let line = |(test, times): (&TestName, &Times)| format!("{}\t{}\t{}\n", times.ran, test.suite, test.name);
        ran.map(line).collect()
    }
}

/// Returns a name of bounded length that is still its own.
fn shortened(name: &str) -> String {
    if name.len() <= NAME_MAX {
        return name.to_owned();
    }
    let head: String = name.chars().take(NAME_MAX / 8).collect();
    format!("{head}... {}", &blake3::hash(name.as_bytes()).to_hex()[..16])
}
