//! The holdout's own scale: pairs of the baseline against itself, as the bench has them.

use crate::domain::{Arm, CandidateRun, Event, ExperimentId, HoldoutCalibration, Pair, Phase};
use crate::engine::EngineError;
use crate::engine::calibrate::{auto_wall, check_limits, median_of};
use crate::engine::recorder::Durability;
use crate::engine::roles::Roles;
use crate::engine::session::Session;
use crate::measure;

impl Session<'_, '_> {
    /// Runs the holdout once in each slot, so that one which does not work ends the session before hours of work do.
    pub(in crate::engine) fn try_holdout(&mut self) -> Result<(), EngineError> {
        if self.settings.holdout.is_none() {
            return Ok(());
        }
        for arm in [Arm::Baseline, Arm::Candidate] {
            let log = self.log(Phase::Holdout, Some(&arm.to_string()));
            let place = log.clone();
            let what = arm.to_string();
            let result = self.phase(Phase::Holdout, Some(&what), |session| session.one_held_run(arm, log))?;
            if let Err(failure) = result {
                let (detail, place) = (failure.detail, place.display());
                return Err(self.broken(format!("the holdout: {detail}; its output is in {place}.out and .err")));
            }
        }
        Ok(())
    }

    /// Runs the holdout once, alone on this host.
    pub(in crate::engine) fn one_held_run(
        &mut self,
        arm: Arm,
        log: std::path::PathBuf,
    ) -> crate::engine::workbench::Attempt<(crate::domain::Reading, crate::domain::Exit)> {
        let _host = self.host_lock()?;
        self.bench.hold_out(arm, log)
    }

    /// Measures the holdout in pairs of the same code, and says what they show; `None` where there is none.
    pub(in crate::engine) fn calibrate_holdout(
        &mut self,
        count: u32,
    ) -> Result<Option<HoldoutCalibration>, EngineError> {
        if self.settings.holdout.is_none() {
            return Ok(None);
        }
        let mut pairs = Vec::new();
        for number in 1..=count {
            // A pair across which the machine was suspended is void, and runs again.
            while pairs.len() < number as usize {
                pairs.extend(self.identical_held_pair(number)?);
            }
        }
        self.what_pairs_show(&pairs).map(Some)
    }

    fn identical_held_pair(&mut self, number: u32) -> Result<Option<Pair>, EngineError> {
        self.pause_point()?;
        let event = self.identical_held_attempt(number)?;
        let pair = event.complete();
        self.recorder.experiment(Event::Pair(Box::new(event)), Durability::Written)?;
        let difference = pair.as_ref().and_then(|p| measure::invariant_difference(&p.baseline, &p.candidate));
        match difference {
            None => Ok(pair),
            Some(difference) => {
                let detail = format!("the holdout: two runs of the same program differ: {difference}");
                Err(EngineError::BaselineBroken { detail })
            }
        }
    }

    fn identical_held_attempt(&mut self, number: u32) -> Result<CandidateRun, EngineError> {
        let order = self.settings.decision.seed.holdout_coin(ExperimentId::BASELINE, number);
        let mut event = self.identical_attempt(number, order, &mut |session, arm| {
            let log = session.log(Phase::Holdout, Some(&format!("{number:02}-{arm}")));
            match session.one_held_run(arm, log)? {
                Ok((reading, _)) => Ok(reading),
                Err(failure) => Err(session.broken(format!("the holdout: {}", failure.detail))),
            }
        })?;
        event.holdout = true;
        Ok(event)
    }

    fn what_pairs_show(&self, pairs: &[Pair]) -> Result<HoldoutCalibration, EngineError> {
        let Some(held) = &self.bench.held else { return Ok(HoldoutCalibration::default()) };
        let roles = Roles::of_holdout(self.settings, held.plan.metrics());
        check_limits(&roles, pairs)?;
        Ok(HoldoutCalibration {
            pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            metrics: self.calibrations_of(pairs, (&roles, &held.lines), 0.0),
            parts: held.parts(),
            run_s: median_of(pairs, &auto_wall()).unwrap_or(0.0),
        })
    }
}
