//! Finalizing: accepted keeps become review branches, each built, checked and measured by itself, or nothing is made.
//!
//! A [`Plan`] says which keep goes into which branch. [`Session::finalize`] applies each keep's change on a base, holds all
//! branches together against the keeps in order, brings every commit through build, checks and fresh pairs, writes the
//! commits by the rules of the house, and creates all branches at once. Until then nothing but private objects exists.

mod assemble;
mod error;
mod measure;
mod message;
mod plan;
mod write;

use crate::domain::{Finalized, ObjectId, Stopped};
use crate::git::{GitError, UserRepository};
use crate::policy::{self, Remaining};

pub use error::FinalizeError;
pub use plan::{Group, Plan, PlannedGroup, Taken, keeps_of};

use super::EngineError;
use super::experiment::ExperimentFacts;
use super::recorder::Durability;
use super::session::Session;
use assemble::Laid;

/// The commit that review branches are built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onto {
    /// The commit.
    pub commit: ObjectId,
    /// What people call it.
    pub name: String,
}

impl Onto {
    /// Finds it: the revision that is named; else the upstream of the branch in use, where it holds the session's base;
    /// else that base. Nothing is fetched.
    pub fn find(user: &UserRepository, base: &ObjectId, named: Option<&str>) -> Result<Self, GitError> {
        if let Some(named) = named {
            return Ok(Self { commit: user.resolve(named)?, name: named.to_owned() });
        }
        match user.upstream()? {
            Some(upstream) if user.reaches(&upstream.commit, base)? => {
                Ok(Self { commit: upstream.commit, name: upstream.name })
            }
            Some(_) | None => Ok(Self { commit: base.clone(), name: "the session's base".to_owned() }),
        }
    }
}

impl std::fmt::Display for Onto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.commit.short())
    }
}

/// Whether branches are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measuring {
    /// Each is built, checked and measured in fresh pairs.
    Fresh,
    /// Each is built and checked only.
    None,
}

/// What is to be finalized.
#[derive(Debug, Clone)]
pub struct FinalizeOrder {
    /// The groups, each of which becomes a branch.
    pub groups: Vec<Group>,
    /// What they are built on.
    pub onto: Onto,
    /// Whether they are measured.
    pub measuring: Measuring,
}

/// What was made.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// The branches.
    pub branches: Vec<MadeBranch>,
    /// Keeps that the base holds already, and that therefore are in no branch.
    pub held_already: Vec<crate::domain::ExperimentId>,
}

/// A branch that was made.
#[derive(Debug, Clone)]
pub struct MadeBranch {
    /// The branch as the journal has it.
    pub finalized: Finalized,
    /// What is left of the whole branch's effect; `None` where it was not measured.
    pub remaining: Option<Remaining>,
    /// What is left of each commit's effect, in the order of its commits.
    pub remaining_each: Vec<Option<Remaining>>,
}

/// Returns the name of the branch of a group.
pub fn review_branch(session_branch: &str, group: &str) -> String {
    // Not below the session's branch: git has no branch below another.
    format!("{session_branch}-review/{group}")
}

impl Session<'_, '_> {
    /// Makes the review branches, all of them or none, after which the session stands as it `stood` before.
    pub fn finalize(&mut self, order: &FinalizeOrder, stood: Option<Stopped>) -> Result<Made, FinalizeError> {
        let result = self.finalize_all(order);
        if let Err(FinalizeError::Engine(error)) = &result {
            self.stopped_by(error)?;
        }
        if let Some(stood) = stood {
            self.recorder
                .session(crate::domain::Event::Stopped(stood), Durability::Synced)
                .map_err(EngineError::from)?;
        }
        result
    }

    fn finalize_all(&mut self, order: &FinalizeOrder) -> Result<Made, FinalizeError> {
        self.recorder.begin(ExperimentFacts::default());
        let all = self.lay_groups(order)?;
        self.expect_union(order, &all)?;
        let (laid, empty): (Vec<Laid>, Vec<Laid>) = all.into_iter().partition(|laid| !laid.commits.is_empty());
        let held = laid.iter().chain(&empty).flat_map(|laid| laid.held_already.clone()).collect();
        if laid.is_empty() {
            return Err(FinalizeError::NothingLeft { onto: order.onto.to_string() });
        }
        self.refuse_taken(&laid)?;
        self.rehearse_commits(order, &laid)?;
        self.ready_for(order.measuring)?;
        let tip = self.bench.tip().clone();
        let worths = self.measure_all(order, &laid);
        self.bench.restart(tip)?;
        let branches = self.write_all(order, &laid, &worths?)?;
        Ok(Made { branches: branches.into_iter().map(|branch| self.judged(branch)).collect(), held_already: held })
    }

    /// Brings up what is needed to build and to measure.
    fn ready_for(&mut self, measuring: Measuring) -> Result<(), EngineError> {
        match (measuring, self.recorder.state().calibrated().cloned()) {
            // Time limits are all that a build needs of a calibration, however old.
            (Measuring::None, Some(calibrated)) => {
                self.bench.adopt(&calibrated);
                Ok(())
            }
            (Measuring::None, None) | (Measuring::Fresh, _) => self.ready_to_validate(),
        }
    }

    fn judged(&self, finalized: Finalized) -> MadeBranch {
        let left = |measured: &crate::domain::Validated| self.left_of(measured);
        MadeBranch {
            remaining: finalized.measured.as_deref().map(left),
            remaining_each: finalized.commits.iter().map(|keep| finalized.worth(keep).map(left)).collect(),
            finalized,
        }
    }

    /// Says what is left of an effect on the base that it was measured on.
    fn left_of(&self, measured: &crate::domain::Validated) -> Remaining {
        let primary = &self.settings.primary;
        policy::remaining((measured.low, measured.high), primary.scale.setting(primary.min_effect))
    }
}
