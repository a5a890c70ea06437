//! Confirms a win before it is kept: each arm is rebuilt in the other's slot, and further pairs must agree.

use crate::domain::{Arm, Comparison, Confirm, Effect, Event, HostReading, ObjectId, Pair, Phase, Reason, Verdict};
use crate::measure::{self, PairAttempt};
use crate::stats::{self, Confirmation};

use super::EngineError;
use super::pipeline::{Dropped, Step, step};
use super::recorder::Durability;
use super::session::Session;

/// Seconds that two rebuilds may always take: twenty keeps of a night then cost two minutes at most.
///
/// Not more, for the swap has little to find. Of five wins of patches that only moved code (`experiments/layout`) it
/// stopped none, as a build that is the same everywhere takes its luck along into the other slot; of five true wins of
/// lsm-batch it stopped none, and took 19 s for each with two builds of 8 s.
const NEXT_TO_NOTHING: f64 = 5.0;

/// Bytes of an environment variable that only swapped runs see: where the stack begins depends on them.
const PADDING: usize = 1021;

impl Session<'_, '_> {
    /// Asks once more of a win what made it, and returns what to add to its verdict.
    ///
    /// With the slots swapped one clean rebuild serves two questions: whether the gain is there without a warm cache,
    /// and whether it is there in the other place. Without a confirmation only the first is asked.
    pub(super) fn prove(&mut self, tree: &ObjectId, comparison: &Comparison) -> Step<Option<String>> {
        if !self.confirms(comparison) {
            return Ok(self.verify_clean(comparison)?.map(|()| None));
        }
        self.bench.padding = PADDING;
        let swapped = self.confirm(tree, comparison);
        self.bench.padding = 0;
        let (differences, answer) = step!(swapped);
        let (_, effect) = comparison.told();
        let left = stats::hodges_lehmann(&differences);
        let contradicted = answer == Confirmation::Contradicted;
        // Two things changed at once, so that a loss is measured again with only one of them changed.
        if self.rebuilds_at_once() && (contradicted || super::verify_clean::is_lost(&differences, effect)) {
            self.change_slots(tree)?;
            step!(self.rebuild_clean());
            step!(self.warm_up());
            step!(self.compare_clean(comparison));
        }
        if contradicted {
            return Ok(Err(luck_of_place(comparison, left, differences.len())));
        }
        Ok(Ok(Some(format!("confirmed by {} pairs in swapped slots", differences.len()))))
    }

    /// Says whether a win is confirmed; one of an exact metric has nothing to confirm, and a simplification claims no win.
    fn confirms(&self, comparison: &Comparison) -> bool {
        let (_, effect) = comparison.told();
        let is_exact = effect.s <= 0.0;
        let costs = || is_cheap(self.rebuild_seconds(), self.race_seconds(comparison));
        !is_exact
            && comparison.verdict == Verdict::Improved
            && match self.settings.decision.confirm {
                Confirm::On => true,
                Confirm::Off => false,
                Confirm::Auto => costs(),
            }
    }

    /// Returns what rebuilding both slots will take: from nothing, or as the candidate's own build took.
    fn rebuild_seconds(&self) -> f64 {
        if self.rebuilds_at_once() {
            return 2.0 * self.recorder.state().calibrated().map_or(0.0, |calibrated| calibrated.build_s);
        }
        let phases = self.recorder.facts().phases.iter().rev();
        2.0 * phases.filter(|ended| ended.phase == Phase::Build).map(|ended| ended.seconds).next().unwrap_or(0.0)
    }

    /// Returns what the race's runs took, by the calibration's time for one.
    fn race_seconds(&self, comparison: &Comparison) -> f64 {
        let run_s = self.recorder.state().calibrated().map_or(0.0, |calibrated| calibrated.run_s);
        2.0 * f64::from(comparison.told().1.pairs) * run_s
    }

    /// Swaps the slots, rebuilds both arms and measures the pairs; pairs that an interrupted session left count.
    fn confirm(&mut self, tree: &ObjectId, comparison: &Comparison) -> Step<(Vec<f64>, Confirmation)> {
        let (told, effect) = comparison.told();
        self.change_slots(tree)?;
        step!(self.rebuild_both());
        step!(self.warm_up());
        let mut pairs = self.recorder.facts().swapped_pairs();
        loop {
            if let Some(difference) = pairs.last().and_then(invariant_difference) {
                return Ok(Err(Dropped::by(Reason::InvariantChanged, format!("in the other slot: {difference}"))));
            }
            let differences: Vec<f64> = pairs.iter().filter_map(|pair| self.difference(pair, told)).collect();
            match stats::confirmation(&differences, effect.s, effect.delta0) {
                Confirmation::Undecided => {}
                answer => return Ok(Ok((differences, answer))),
            }
            let number = effect.pairs + u32::try_from(pairs.len()).unwrap_or(u32::MAX) + 1;
            let (pair, host) = step!(self.measured_pair(number, &|event| event.swapped = true));
            self.record_swapped(&pair, host)?;
            pairs.push(pair);
        }
    }

    fn record_swapped(&mut self, pair: &Pair, host: HostReading) -> Result<(), EngineError> {
        let mut event = PairAttempt::Complete(pair.clone()).to_event(pair.number, pair.order);
        (event.host, event.swapped) = (Some(host), true);
        Ok(self.recorder.experiment(Event::Pair(Box::new(event)), Durability::Written)?)
    }

    /// Lets the arms change slots.
    fn change_slots(&mut self, tree: &ObjectId) -> Result<(), EngineError> {
        let _host = self.host_lock()?;
        self.bench.change_slots(tree)
    }

    /// Rebuilds both arms where they are now, from empty caches where a keep is to be rebuilt so, and checks again what
    /// was so rebuilt.
    fn rebuild_both(&mut self) -> Step<()> {
        if self.rebuilds_at_once() {
            return self.rebuild_clean();
        }
        step!(self.rebuild(Arm::Candidate));
        self.rebuild_baseline()?;
        Ok(Ok(()))
    }

    /// Rebuilds both arms from empty caches and checks the candidate again.
    fn rebuild_clean(&mut self) -> Step<()> {
        for arm in [Arm::Candidate, Arm::Baseline] {
            self.bench.empty_caches(arm)?;
        }
        step!(self.rebuild(Arm::Candidate));
        self.rebuild_baseline()?;
        self.check_rebuilt()
    }

    fn rebuild(&mut self, arm: Arm) -> Step<()> {
        let what = arm.to_string();
        let log = self.log(Phase::Confirm, Some(&what));
        let built = self.phase(Phase::Confirm, Some(&what), |session| {
            let _host = session.host_lock()?;
            session.bench.build(arm, log)
        })?;
        let failed = |failure: super::runner::Failure| format!("rebuilt in the other slot: {}", failure.detail);
        Ok(built.map(|_| ()).map_err(|failure| Dropped::by(Reason::StaleBuild, failed(failure))))
    }

    /// Rebuilds the baseline; what a candidate left in the slot's cache is not its fault, so it gets an empty one then.
    fn rebuild_baseline(&mut self) -> Result<(), EngineError> {
        if self.rebuild(Arm::Baseline)?.is_ok() {
            return Ok(());
        }
        self.bench.empty_caches(Arm::Baseline)?;
        let again = self.rebuild(Arm::Baseline)?;
        again.map_err(|dropped| self.broken(dropped.detail))
    }
}

fn invariant_difference(pair: &Pair) -> Option<String> {
    measure::invariant_difference(&pair.baseline, &pair.candidate).map(|difference| difference.to_string())
}

/// Says whether two rebuilds cost at most as much as the race did, or next to nothing.
fn is_cheap(rebuild_s: f64, race_s: f64) -> bool {
    rebuild_s <= race_s.max(NEXT_TO_NOTHING)
}

fn luck_of_place(comparison: &Comparison, left: f64, pairs: usize) -> Dropped {
    let Effect { mu, pairs: raced, .. } = *comparison.told().1;
    Dropped {
        reason: Reason::Inconclusive,
        detail: format!(
            "better by {mu:.4} in {raced} pairs, but by {left:.4} in {pairs} more with the slots swapped: the luck of one \
             place"
        ),
        comparison: Some(comparison.clone()),
        holdout: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebuilding_is_cheap_beside_a_long_race_or_when_it_takes_seconds() {
        assert!(is_cheap(0.0, 0.0), "nothing to build");
        assert!(is_cheap(5.0, 1.0));
        assert!(!is_cheap(6.0, 1.0));
        assert!(is_cheap(300.0, 400.0));
        assert!(!is_cheap(300.0, 200.0));
    }
}
