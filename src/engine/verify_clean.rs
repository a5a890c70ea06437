//! Rebuilds a candidate about to be kept from an empty cache, so that no warm cache can have made the win.

use crate::domain::{Arm, Comparison, Effect, Flag, MetricName, Pair, Phase, Reason, VerifyClean};
use crate::measure::{self, NextPair, PairAttempt, VoidCount};
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
        step!(self.check_rebuilt());
        self.compare_clean(comparison)
    }

    /// Checks a candidate again that was rebuilt from an empty cache.
    pub(super) fn check_rebuilt(&mut self) -> Step<()> {
        let checked = self.check_candidate()?;
        Ok(checked.map_err(|dropped| stale(format!("rebuilt from an empty cache: {}", dropped.detail))))
    }

    /// Measures a few pairs of a candidate rebuilt from an empty cache, all else as in the race.
    pub(super) fn compare_clean(&mut self, comparison: &Comparison) -> Step<()> {
        let mut differences = Vec::new();
        let (told, effect) = comparison.told();
        for number in 1..=PAIRS {
            let pair = step!(self.clean_pair(number));
            differences.extend(self.difference(&pair, told));
        }
        if is_lost(&differences, effect) {
            let left = stats::hodges_lehmann(&differences);
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

    pub(super) fn rebuilds_at_once(&self) -> bool {
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
        let mut voids = VoidCount::default();
        loop {
            self.pause_point()?;
            let (attempt, _) = self.attempt_named(BEYOND_ANY_RACE + number, format!("clean-{number:02}"))?;
            let next = voids.record(&attempt);
            match attempt {
                PairAttempt::Complete(pair) => {
                    return Ok(match measure::invariant_difference(&pair.baseline, &pair.candidate) {
                        None => Ok(pair),
                        Some(difference) => Err(stale(format!("rebuilt from an empty cache: {difference}"))),
                    });
                }
                PairAttempt::CandidateFailed(failure) => return Ok(Err(stale(failure.detail))),
                PairAttempt::Void(void) | PairAttempt::Suspended(void) => {
                    if next == NextPair::BaselineBroken {
                        return Err(self.broken(void.why));
                    }
                }
            }
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

/// Says whether less than half of an effect is left in further pairs, beyond two standard errors of so few; of an effect
/// below 0, such as a simplification may have, whether more than that is lost.
pub(super) fn is_lost(differences: &[f64], effect: &Effect) -> bool {
    let error = 2.0 * effect.s / (differences.len() as f64).sqrt();
    stats::hodges_lehmann(differences) + error < effect.mu.min(effect.mu / 2.0)
}

fn stale(detail: String) -> Dropped {
    Dropped::by(Reason::StaleBuild, detail)
}
