//! Brings every commit of the review branches through build and checks, and measures what it is worth on its base.

use crate::domain::{ExperimentId, ObjectId, Validated};
use crate::engine::EngineError;
use crate::engine::pipeline::{Dropped, Step};
use crate::engine::session::Session;
use crate::engine::validate::Opposed;

use super::assemble::{Laid, LaidKeep};
use super::{FinalizeError, FinalizeOrder, Measuring};

/// What a group was measured to be worth.
#[derive(Debug, Clone, Default)]
pub(super) struct Worth {
    /// The whole branch on the base.
    pub whole: Option<Validated>,
    /// Each commit on the one before it; nothing for a branch of one commit.
    pub each: Vec<Option<Validated>>,
}

/// Two commits of a review branch.
struct Stretch<'l> {
    laid: &'l Laid,
    /// The keep whose commit alone it is; `None` for the whole branch.
    keep: Option<&'l LaidKeep>,
    base: &'l ObjectId,
    tip: &'l ObjectId,
}

impl Session<'_, '_> {
    /// Builds, checks and measures every group; the first that fails ends it.
    pub(super) fn measure_all(&mut self, order: &FinalizeOrder, all: &[Laid]) -> Result<Vec<Worth>, FinalizeError> {
        let mut number = self.recorder.state().validations();
        let mut worths = Vec::new();
        for laid in all {
            let mut worth = Worth::default();
            let many = laid.commits.len() > 1;
            for keep in laid.commits.iter().filter(|_| many) {
                let stretch = Stretch { laid, keep: Some(keep), base: &keep.parent, tip: &keep.commit };
                worth.each.push(self.measure_one(&stretch, order, &mut number)?);
            }
            let tip = laid.tip(&order.onto.commit);
            // Where nothing is measured, the last commit was built and checked above.
            if !many || order.measuring == Measuring::Fresh {
                let stretch = Stretch { laid, keep: None, base: &order.onto.commit, tip };
                worth.whole = self.measure_one(&stretch, order, &mut number)?;
            }
            worths.push(worth);
        }
        Ok(worths)
    }

    fn measure_one(
        &mut self,
        stretch: &Stretch<'_>,
        order: &FinalizeOrder,
        number: &mut u32,
    ) -> Result<Option<Validated>, FinalizeError> {
        *number += 1;
        let (base, tip) = (stretch.base.clone(), stretch.tip.clone());
        let opposed = Opposed { number: *number, without: None, base, tip };
        let branch = &stretch.laid.branch;
        self.announce(&match stretch.keep {
            Some(keep) => format!("keep #{} on branch {branch}", keep.record.id),
            None => format!("branch {branch} ({}) on {}", stretch.laid.keeps(), order.onto),
        })?;
        match self.judge_stretch(&opposed, order.measuring) {
            Ok(Ok(measured)) => Ok(measured),
            Ok(Err(dropped)) => Err(fails(stretch, order, dropped)),
            Err(EngineError::BaselineBroken { detail }) => {
                Err(FinalizeError::OntoBroken { onto: order.onto.to_string(), detail })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn judge_stretch(&mut self, opposed: &Opposed, measuring: Measuring) -> Step<Option<Validated>> {
        match measuring {
            Measuring::None => Ok(self.build_opposed(opposed)?.map(|()| None)),
            Measuring::Fresh => {
                let measured = self.compare_opposed(opposed)?;
                Ok(measured.map(|m| Some(Validated { claimed: None, ..self.validated(opposed, &m) })))
            }
        }
    }

    /// Builds and checks two commits without measuring.
    fn build_opposed(&mut self, opposed: &Opposed) -> Step<()> {
        self.bench.oppose(&opposed.base, &opposed.tip)?;
        let result = self.build_and_check(opposed);
        self.bench.reunite()?;
        result
    }
}

fn fails(stretch: &Stretch<'_>, order: &FinalizeOrder, dropped: Dropped) -> FinalizeError {
    let experiment: Option<ExperimentId> = stretch.keep.map(|keep| keep.record.id);
    let named = experiment.map_or_else(|| stretch.laid.keeps(), |id| format!("keep #{id}"));
    FinalizeError::Fails {
        group: stretch.laid.name.clone(),
        experiment,
        onto: order.onto.to_string(),
        reason: dropped.reason,
        detail: dropped.detail,
        cure: format!(
            "put {named} into one group with what it needs ('autoresearch finalize --preview' prints the plan to edit), or \
             leave it out; the logs are in the session's runs/0000"
        ),
    }
}

impl From<crate::journal::JournalError> for FinalizeError {
    fn from(error: crate::journal::JournalError) -> Self {
        Self::Engine(EngineError::from(error))
    }
}
