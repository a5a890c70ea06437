//! Re-tests keeps: what each is still worth on the final code, by the tip against the tip without it.

use std::collections::BTreeSet;

use crate::domain::{Event, ExperimentId, ObjectId, Stopped, Validated};
use crate::git::Without;
use crate::policy::{self, Remaining};
use crate::state::ExperimentRecord;

use super::EngineError;
use super::experiment::ExperimentFacts;
use super::recorder::Durability;
use super::session::Session;
use super::validate::Opposed;

/// Keeps that are doubted first when a validation falls short.
const DOUBTED: usize = 3;

/// Which keeps a validation re-tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retests {
    /// None.
    None,
    /// Those with the smallest evidence, where the gain falls short of what the keeps claim.
    Doubted,
    /// All, those with the smallest evidence first.
    All,
}

/// What a re-test of one keep found.
#[derive(Debug, Clone)]
pub struct Retest {
    /// The keep.
    pub experiment: ExperimentId,
    /// One line that says what it changed.
    pub description: String,
    /// What became of it.
    pub outcome: RetestOutcome,
}

/// What became of the re-test of a keep.
#[derive(Debug, Clone)]
pub enum RetestOutcome {
    /// It was measured.
    Measured {
        /// What its remaining effect is.
        validated: Box<Validated>,
        /// What that says.
        remaining: Remaining,
    },
    /// It cannot be taken out of the tip alone.
    Stuck {
        /// What is in the way.
        why: String,
    },
}

impl RetestOutcome {
    /// Says whether the keep is to be reverted, by a person.
    pub fn no_longer_pays(&self) -> bool {
        matches!(self, Self::Measured { remaining: Remaining::NoLonger, .. })
    }
}

impl Session<'_, '_> {
    /// Re-tests keeps, those with the smallest evidence first; none is reverted.
    pub(super) fn retest(&mut self, which: Retests, last: Option<&Validated>) -> Result<Vec<Retest>, EngineError> {
        let doubted = last.is_some_and(Validated::falls_short);
        let most = match which {
            Retests::None => 0,
            Retests::Doubted => {
                if doubted {
                    DOUBTED
                } else {
                    0
                }
            }
            Retests::All => usize::MAX,
        };
        let mut keeps: Vec<ExperimentRecord> = self.recorder.state().keeps().cloned().collect();
        keeps.sort_by(|a, b| evidence(a).total_cmp(&evidence(b)));
        keeps.into_iter().take(most).map(|keep| self.retest_one(&keep)).collect()
    }

    /// Re-tests later keeps that touch a file of a rejected one, as they would stand without that one; then the session
    /// stands as it `stood` before.
    pub fn retest_without(
        &mut self,
        rejected: &[ExperimentId],
        stood: Option<Stopped>,
    ) -> Result<Vec<Retest>, EngineError> {
        let each: Result<Vec<_>, _> = rejected.iter().map(|keep| self.retest_overlapping(*keep)).collect();
        let result = each.map(|found| found.into_iter().flatten().collect());
        match (&result, stood) {
            (Err(error), _) => drop(self.stopped_by(error)?),
            (Ok(_), Some(stood)) => self.recorder.session(Event::Stopped(stood), Durability::Synced)?,
            (Ok(_), None) => {}
        }
        result
    }

    fn retest_overlapping(&mut self, rejected: ExperimentId) -> Result<Vec<Retest>, EngineError> {
        self.recorder.begin(ExperimentFacts::default());
        let later = self.overlapping(rejected)?;
        let record = self.recorder.state().experiment(rejected).cloned();
        let record = record.ok_or(EngineError::Unrecorded { experiment: rejected })?;
        let retest = |keep: &ExperimentRecord, outcome| Retest {
            experiment: keep.id,
            description: keep.description.to_string(),
            outcome,
        };
        if later.is_empty() {
            return Ok(Vec::new());
        }
        let without = match self.tip_without(&record)? {
            Ok(without) => without,
            Err(why) => {
                let stuck = |keep| retest(keep, RetestOutcome::Stuck { why: why.clone() });
                return Ok(later.iter().map(stuck).collect());
            }
        };
        let mut found = Vec::new();
        for keep in &later {
            let outcome = match self.commit_without(keep, &without)? {
                Err(why) => RetestOutcome::Stuck { why },
                Ok(base) => self.remaining_effect(keep, base, without.clone())?,
            };
            found.push(retest(keep, outcome));
        }
        Ok(found)
    }

    /// Lists the keeps after one that touch a file which it touches, in order.
    pub fn overlapping(&self, keep: ExperimentId) -> Result<Vec<ExperimentRecord>, EngineError> {
        let state = self.recorder.state();
        let touched = |record: &ExperimentRecord| -> Result<BTreeSet<String>, EngineError> {
            let touched = self.bench.private().touched(&record.tip(), &record.commit())?;
            Ok(touched.into_iter().map(|touched| touched.path).collect())
        };
        let Some(record) = state.keeps().find(|record| record.id == keep) else { return Ok(Vec::new()) };
        let own = touched(record)?;
        let mut found = Vec::new();
        for later in state.keeps().skip_while(|record| record.id != keep).skip(1) {
            if !touched(later)?.is_disjoint(&own) {
                found.push(later.clone());
            }
        }
        Ok(found)
    }

    fn retest_one(&mut self, keep: &ExperimentRecord) -> Result<Retest, EngineError> {
        let outcome = match self.tip_without(keep)? {
            Err(why) => RetestOutcome::Stuck { why },
            Ok(without) => self.remaining_effect(keep, without, self.bench.tip().clone())?,
        };
        let verdict = match &outcome {
            RetestOutcome::Stuck { why } => Some(format!("cannot be reverted alone: {why}")),
            RetestOutcome::Measured { validated, remaining: Remaining::NoLonger } => {
                let commit = keep.commit();
                let change = validated.change();
                Some(format!("no longer pays on the final code ({change}); consider 'git revert {}'", commit.short()))
            }
            RetestOutcome::Measured { .. } => None,
        };
        if let Some(verdict) = verdict {
            self.note(format!("keep #{} {verdict}", keep.id))?;
        }
        Ok(Retest { experiment: keep.id, description: keep.description.to_string(), outcome })
    }

    /// Writes the tip without one keep as a private commit, or says what is in the way.
    fn tip_without(&self, keep: &ExperimentRecord) -> Result<Result<ObjectId, String>, EngineError> {
        self.commit_without(keep, self.bench.tip())
    }

    /// Writes a commit without one keep as a private commit, or says what is in the way.
    fn commit_without(&self, keep: &ExperimentRecord, tip: &ObjectId) -> Result<Result<ObjectId, String>, EngineError> {
        let tree = match self.bench.private().without(&keep.commit(), &keep.tip(), tip)? {
            Without::Tree(tree) => tree,
            Without::Conflict { path } => return Ok(Err(format!("a later keep changed {path} at the same place"))),
        };
        if tree == self.bench.private().tree_of(tip)? {
            return Ok(Err("later keeps left nothing of it".to_owned()));
        }
        Ok(Ok(self.private_commit_of(&tree, &format!("The tip without keep {} (private)\n", keep.id))?))
    }

    /// Measures `tip` against `without`, which lacks a keep.
    fn remaining_effect(
        &mut self,
        keep: &ExperimentRecord,
        without: ObjectId,
        tip: ObjectId,
    ) -> Result<RetestOutcome, EngineError> {
        let opposed = Opposed { tip, ..self.opposed(Some(keep.id), without) };
        let measured = match self.compare_afresh(&opposed) {
            Ok(Ok(measured)) => measured,
            Ok(Err(dropped)) => return Ok(RetestOutcome::Stuck { why: dropped.detail }),
            Err(EngineError::BaselineBroken { detail }) => {
                return Ok(RetestOutcome::Stuck { why: format!("without it: {detail}") });
            }
            Err(error) => return Err(error),
        };
        let validated = self.record_validated(self.validated(&opposed, &measured))?;
        let primary = &self.settings.primary;
        let smallest = primary.scale.setting(primary.min_effect);
        let remaining = policy::remaining((validated.low, validated.high), smallest);
        Ok(RetestOutcome::Measured { validated: Box::new(validated), remaining })
    }
}

/// Returns what orders keeps by doubt; pairs that were compared plainly leave none.
fn evidence(keep: &ExperimentRecord) -> f64 {
    keep.effect.and_then(|effect| effect.ln_e).unwrap_or(f64::INFINITY)
}
