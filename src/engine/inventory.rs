//! The tests that each check runs on the tip, which every candidate must run too.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Arm, Event, Exit, Inventoried, ObjectId, Phase, Reason};
use crate::gate::{LostTest, TestInventory};

use super::EngineError;
use super::harness::CheckFile;
use super::pipeline::{BASELINE_TRIES, Dropped, ExitOf, Step};
use super::recorder::Durability;
use super::screen::write_whole;
use super::session::Session;

/// Lost tests that a verdict names.
const NAMED: usize = 5;

/// Tests of one check that may be left out because their names differ from run to run; with more there is no inventory.
const LEFT_OUT_MAX: usize = 100;

/// A check that passed.
#[derive(Debug)]
pub(super) struct Checked {
    /// How it ended.
    pub exit: Exit,
    /// The tests that it ran, where it says so.
    pub tests: TestInventory,
}

impl ExitOf for Checked {
    fn exit(&self) -> Option<Exit> {
        Some(self.exit)
    }
}

/// The inventories of a session, by check.
#[derive(Debug, Default)]
pub(super) struct Inventories {
    /// What the tip runs.
    references: BTreeMap<String, TestInventory>,
    /// What the candidate under way ran.
    seen: BTreeMap<String, TestInventory>,
    /// Tests whose names differ between two runs of the same code, as they are shown.
    left_out: BTreeMap<String, BTreeSet<String>>,
    /// What the journal says last.
    told: BTreeMap<String, Inventoried>,
    /// Checks whose reference is that of a tip which was undone.
    lapsed: BTreeSet<String>,
}

impl Inventories {
    /// Takes in one event of the journal; a segment that measures anew may check another way.
    pub(super) fn apply(&mut self, event: &Event) {
        if matches!(event, Event::Configured(configured) if configured.measures_anew()) {
            *self = Self::default();
        }
        let Event::Inventoried(told) = event else { return };
        self.left_out.insert(told.check.clone(), told.left_out.iter().cloned().collect());
        self.told.insert(told.check.clone(), (**told).clone());
    }

    /// Notes what a check ran in the candidate's slot.
    pub(super) fn saw(&mut self, check: &str, tests: TestInventory) {
        self.seen.insert(check.to_owned(), tests);
    }

    /// Returns what a check ran last.
    pub(super) fn seen(&self, check: &str) -> Option<&TestInventory> {
        self.seen.get(check)
    }

    /// Says that the tip is another one than the references are of.
    pub(super) fn lapse(&mut self) {
        self.lapsed = self.references.keys().cloned().collect();
    }

    /// Returns the tests of the tip that a candidate did not run.
    fn lost(&self, check: &str, tests: &TestInventory) -> Vec<LostTest> {
        self.references.get(check).map(|reference| reference.lost_in(tests)).unwrap_or_default()
    }

    /// Takes in another run of the check on the tip; returns the tests that vanished without any change.
    fn narrow(&mut self, check: &str, mut again: TestInventory) -> Vec<LostTest> {
        if self.lapsed.remove(check) {
            again.leave_out(self.left_out.entry(check.to_owned()).or_default());
            self.references.insert(check.to_owned(), again);
            return Vec::new();
        }
        let reference = self.references.entry(check.to_owned()).or_default();
        let vanished = reference.keep_common(&again);
        self.leave_out(check, &vanished);
        vanished
    }

    fn leave_out(&mut self, check: &str, vanished: &[LostTest]) {
        let gone = vanished.iter().filter(|lost| lost.candidate.ran == 0).map(|lost| lost.test.to_string());
        self.left_out.entry(check.to_owned()).or_default().extend(gone);
    }
}

impl Session<'_, '_> {
    /// Takes the inventory of a check that passed on the baseline. What the same code does not run in the other slot too,
    /// as its names vary, is left out; that is asked once for a calibration.
    pub(super) fn take_inventory(
        &mut self,
        check: &CheckFile,
        mut tests: TestInventory,
        twice: bool,
    ) -> Result<(), EngineError> {
        if tests.is_empty() {
            return Ok(());
        }
        let mut vanished = Vec::new();
        if twice {
            let again = self.check_in_other_slot(check)?;
            vanished = tests.keep_common(&again);
            self.inventory.leave_out(&check.name, &vanished);
        }
        tests.leave_out(self.inventory.left_out.entry(check.name.clone()).or_default());
        self.inventory.references.insert(check.name.clone(), tests);
        self.tell_inventory(check, &vanished)
    }

    fn check_in_other_slot(&mut self, check: &CheckFile) -> Result<TestInventory, EngineError> {
        let what = format!("{}-other-slot", check.name);
        let log = self.log(Phase::Check, Some(&what));
        let result =
            self.phase(Phase::Check, Some(&what), |session| session.bench.check(Arm::Candidate, &check.path, log))?;
        match result {
            Ok(checked) => Ok(checked.tests),
            Err(failure) => Err(self.broken(format!("check {} in the other slot: {}", check.name, failure.detail))),
        }
    }

    /// Holds the tests that a check ran for the candidate against those of the tip.
    ///
    /// Before the candidate is blamed the check runs on the baseline again: a test that the same code does not run a
    /// second time is no test of the inventory.
    pub(super) fn compare_inventory(&mut self, check: &CheckFile, tests: TestInventory) -> Step<()> {
        // Two commits that are opposed are no candidate and its tip.
        if self.bench.is_opposed() {
            return Ok(Ok(()));
        }
        if !self.inventory.lost(&check.name, &tests).is_empty() {
            let again = self.check_baseline_again(check)?;
            let vanished = self.inventory.narrow(&check.name, again);
            self.tell_inventory(check, &vanished)?;
        }
        let lost = self.inventory.lost(&check.name, &tests);
        if !lost.is_empty() {
            return Ok(Err(Dropped::by(Reason::TestRemoved, removed(&check.name, &lost, tests.is_cut()))));
        }
        self.inventory.saw(&check.name, tests);
        Ok(Ok(()))
    }

    fn check_baseline_again(&mut self, check: &CheckFile) -> Result<TestInventory, EngineError> {
        let mut last = String::new();
        for _ in 0..BASELINE_TRIES {
            self.pause_point()?;
            let log = self.log(Phase::Check, Some(&format!("{}-baseline", check.name)));
            match self.bench.check(Arm::Baseline, &check.path, log)? {
                Ok(checked) => return Ok(checked.tests),
                Err(failure) => last = failure.detail,
            }
        }
        Err(self.broken(format!("{}: {last}", check.name)))
    }

    /// Makes what the kept candidate ran the tip's inventory: tests that it added must stay.
    pub(super) fn adopt_inventories(&mut self) -> Result<(), EngineError> {
        for check in self.bench.harness().checks() {
            let Some(mut tests) = self.inventory.seen.remove(&check.name) else { continue };
            tests.leave_out(self.inventory.left_out.entry(check.name.clone()).or_default());
            if !tests.is_empty() {
                self.inventory.lapsed.remove(&check.name);
                self.inventory.references.insert(check.name.clone(), tests);
                self.tell_inventory(&check, &[])?;
            }
        }
        Ok(())
    }

    /// Journals a check's inventory where it is another one than before, and keeps its names in a file of that hash.
    fn tell_inventory(&mut self, check: &CheckFile, vanished: &[LostTest]) -> Result<(), EngineError> {
        let left_out = self.inventory.left_out.get(&check.name).cloned().unwrap_or_default();
        if !vanished.is_empty() {
            let listed = listed(vanished.iter().map(|lost| lost.test.to_string()));
            self.note(format!(
                "check {}: left out of its tests, as two runs of one code differ: {listed}",
                check.name
            ))?;
        }
        if left_out.len() > LEFT_OUT_MAX {
            self.inventory.references.remove(&check.name);
            return self.note(format!("check {}: its tests have other names in each run: not compared", check.name));
        }
        let Some(tests) = self.inventory.references.get(&check.name) else { return Ok(()) };
        let told = inventoried(check, self.bench.tip(), tests, left_out);
        if self.inventory.told.get(&check.name) == Some(&told) {
            return Ok(());
        }
        write_whole(&self.places.inventory(&told.hash), tests.text().as_bytes())?;
        self.inventory.told.insert(check.name.clone(), told.clone());
        Ok(self.recorder.session(Event::Inventoried(Box::new(told)), Durability::Written)?)
    }
}

fn inventoried(check: &CheckFile, tip: &ObjectId, tests: &TestInventory, left_out: BTreeSet<String>) -> Inventoried {
    Inventoried {
        check: check.name.clone(),
        commit: tip.clone(),
        ran: tests.count_ran(),
        skipped: tests.count_skipped(),
        hash: blake3::hash(tests.text().as_bytes()).to_hex().to_string(),
        left_out: left_out.into_iter().collect(),
    }
}

/// Says which tests a candidate did not run.
fn removed(check: &str, lost: &[LostTest], cut: bool) -> String {
    let tests = if lost.len() == 1 { "1 test".to_owned() } else { format!("{} tests", lost.len()) };
    let names = listed(lost.iter().map(ToString::to_string));
    let cut = if cut { "; its output names more tests than are compared" } else { "" };
    format!("{check}: {tests} of the baseline did not run: {names}; one with another name counts as removed{cut}")
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let first = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}
