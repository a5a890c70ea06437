//! Rebuilds a candidate about to be kept from an empty cache, so that no warm cache can have made the win.

use crate::domain::{Arm, Comparison, Flag, MetricName, Pair, Phase, Reason, VerifyClean};
use crate::measure::{self, PairAttempt};
use crate::stats;

use super::pipeline::{Dropped, Step, step};
use super::session::Session;

/// First full builds up to this many seconds are repeated at once for every keep.
pub(super) const CHEAP_BUILD: f64 = 120.0;

/// Pairs that the rebuilt program is measured in.
pub(super) const PAIRS: u32 = 3;

/// The largest `decision.maxPairs`; numbers beyond it give these pairs coins of their own.
const BEYOND_ANY_RACE: u32 = 1000;

impl Session<'_, '_> {
    /// Rebuilds the candidate from nothing, checks it again, and measures a few pairs: it must be the same program.
    ///
    /// The rebuilt program differs when it does not build, fails a check, prints other invariants, or when less than
    /// half of the gain is left beyond two standard errors of so few pairs.
    pub(super) fn verify_clean(&mut self, comparison: &Comparison) -> Step<()> {
        if !self.rebuilds_at_once() {
            return Ok(Ok(()));
        }
        self.bench.empty_caches(Arm::Candidate)?;
        let log = self.log(Phase::VerifyClean, None);
        let rebuilt = self.phase(Phase::VerifyClean, None, |session| {
            let _host = session.host_lock()?;
            session.bench.build(Arm::Candidate, log)
        })?;
        if let Err(failure) = rebuilt {
            return Ok(Err(stale(format!("rebuilt from an empty cache: {}", failure.detail))));
        }
        if let Err(dropped) = self.check_candidate()? {
            return Ok(Err(stale(format!("rebuilt from an empty cache: {}", dropped.detail))));
        }
        let mut differences = Vec::new();
        let (told, effect) = comparison.told();
        for number in 1..=PAIRS {
            let pair = step!(self.clean_pair(number));
            differences.extend(self.difference(&pair, told));
        }
        let left = stats::hodges_lehmann(&differences);
        let error = 2.0 * effect.s / f64::from(PAIRS).sqrt();
        if left + error < effect.mu.min(effect.mu / 2.0) {
            let detail = format!("rebuilt from an empty cache, {left:.4} of the effect of {:.4} is left", effect.mu);
            return Ok(Err(stale(detail)));
        }
        Ok(Ok(()))
    }

    /// Says whether a keep waits for its rebuild until the next validation.
    pub(super) fn rebuild_is_due(&self) -> Option<Flag> {
        let warm =
            self.settings.build.as_ref().is_some_and(|b| !b.keep.is_empty() && b.verify_clean != VerifyClean::Never);
        (warm && !self.rebuilds_at_once()).then_some(Flag::RebuildDue)
    }

    fn rebuilds_at_once(&self) -> bool {
        let Some(build) = &self.settings.build else { return false };
        if build.keep.is_empty() {
            return false;
        }
        match build.verify_clean {
            VerifyClean::Always => true,
            VerifyClean::Never => false,
            VerifyClean::Auto => self.recorder.state().calibrated().is_some_and(|c| c.build_s < CHEAP_BUILD),
        }
    }

    /// Measures one pair of the rebuilt program; it is no evidence, so it is not journalled as a pair.
    fn clean_pair(&mut self, number: u32) -> Step<Pair> {
        self.pause_point()?;
        match self.attempt_named(BEYOND_ANY_RACE + number, format!("clean-{number:02}"))? {
            PairAttempt::Complete(pair) => Ok(match measure::invariant_difference(&pair.baseline, &pair.candidate) {
                None => Ok(pair),
                Some(difference) => Err(stale(format!("rebuilt from an empty cache: {difference}"))),
            }),
            PairAttempt::CandidateFailed(failure) => Ok(Err(stale(failure.detail))),
            PairAttempt::Void(void) => Err(self.broken(void.why)),
        }
    }

    /// Returns the difference of the primary of a number; of a suite's worst, that of the metric which gained least.
    pub(super) fn difference(&self, pair: &Pair, number: u32) -> Option<f64> {
        let primary = self.settings.objective(number);
        let difference = |metric: &MetricName| {
            let (baseline, candidate) = pair.values(metric)?;
            Some(primary.scale.y(baseline, primary.direction)? - primary.scale.y(candidate, primary.direction)?)
        };
        self.lens().roles.members(number).filter_map(difference).min_by(f64::total_cmp)
    }
}

fn stale(detail: String) -> Dropped {
    Dropped::by(Reason::StaleBuild, detail)
}
