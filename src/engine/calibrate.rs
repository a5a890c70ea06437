//! The calibration: pairs of the baseline against itself in both slots, and what they say about noise and bias.

use std::collections::BTreeMap;

use crate::domain::{
    Calibrated, Decision, Direction, Event, HoldoutCalibration, MetricCalibration, MetricName, Pair, Reduce, Scale,
};
use crate::stats::{self, PairScale, SlotBias};

use super::EngineError;
use super::recorder::Durability;
use super::roles::{Role, Roles};
use super::session::Session;

/// What the set-up before a calibration took, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SetupTimes {
    /// The first full build.
    pub build: f64,
    /// The slowest check.
    pub check: f64,
    /// All checks together.
    pub checks: f64,
    /// One run of the holdout, where no more is to be known of it, as in a rehearsal.
    pub held: Option<f64>,
}

impl SetupTimes {
    /// Adds what one check took.
    pub(super) fn add_check(&mut self, seconds: f64) {
        self.check = self.check.max(seconds);
        self.checks += seconds;
    }
}

impl Session<'_, '_> {
    /// Measures as many A/A pairs as are wanted or set, else as many as the session has time for, then those of the
    /// holdout, and journals what they say; `told` hears of each pair before it runs, and of how many there will be at
    /// least.
    pub(super) fn calibrate(
        &mut self,
        wanted: Option<u32>,
        setup: SetupTimes,
        told: &mut dyn FnMut(u32, u32),
    ) -> Result<(), EngineError> {
        let exactly = wanted.or(self.settings.decision.calibration_pairs);
        let mut pairs = Vec::new();
        self.identical_pairs(&mut pairs, exactly.unwrap_or(Decision::FIRST_CALIBRATION_PAIRS), told)?;
        if exactly.is_none() {
            let affordable = self.affordable_pairs(&self.learned(&pairs, setup));
            self.identical_pairs(&mut pairs, affordable, told)?;
        }
        let holdout = match setup.held {
            Some(run_s) => Some(HoldoutCalibration { run_s, ..HoldoutCalibration::default() }),
            None => self.calibrate_holdout(u32::try_from(pairs.len()).unwrap_or(u32::MAX))?,
        };
        self.record_calibration(&pairs, holdout, setup)
    }

    /// Measures pairs of the same code in both slots until there are so many, a fair coin for each order.
    fn identical_pairs(
        &mut self,
        pairs: &mut Vec<Pair>,
        count: u32,
        told: &mut dyn FnMut(u32, u32),
    ) -> Result<(), EngineError> {
        let done = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
        for number in done + 1..=count {
            told(number, count);
            let mut pair = None;
            // A pair across which the machine was suspended is void, and runs again.
            while pair.is_none() {
                pair = self.next_identical_pair(number)?;
            }
            pairs.extend(pair);
        }
        Ok(())
    }

    /// Journals what A/A pairs say, and those of the holdout; time limits, line counts and the size of the next alpha epoch
    /// are fixed from here on.
    fn record_calibration(
        &mut self,
        pairs: &[Pair],
        holdout: Option<HoldoutCalibration>,
        setup: SetupTimes,
    ) -> Result<(), EngineError> {
        let mut calibrated = self.learned(pairs, setup);
        let limit = holdout.iter().map(|holdout| ("holdout".to_owned(), holdout.run_s));
        calibrated.limits.extend(limit);
        calibrated.holdout = holdout;
        calibrated.epoch = self.forecast_epoch(&calibrated);
        calibrated.metrics = self.metric_calibrations(pairs, self.next_alpha(calibrated.epoch));
        check_limits(&Roles::new(self.settings, self.bench.plan.metrics()), pairs)?;
        self.recorder.session(Event::Calibrated(Box::new(calibrated.clone())), Durability::Synced)?;
        self.adopt(&calibrated);
        Ok(())
    }

    /// Says what A/A pairs say, before the next epoch has its size.
    fn learned(&self, pairs: &[Pair], setup: SetupTimes) -> Calibrated {
        let run_s = median_of(pairs, &auto_wall()).unwrap_or(0.0);
        Calibrated {
            commit: self.bench.tip().clone(),
            pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            metrics: self.metric_calibrations(pairs, self.next_alpha(None)),
            parts: self.bench.parts(),
            limits: [("build", setup.build), ("bench", run_s), ("check", setup.check)]
                .map(|(command, seconds)| (command.to_owned(), seconds))
                .into(),
            run_s,
            build_s: setup.build,
            checks_s: Some(setup.checks),
            epoch: None,
            holdout: None,
        }
    }

    /// Takes over time limits, line counts and rings of a calibration.
    pub(super) fn adopt(&mut self, calibrated: &Calibrated) {
        self.bench.adopt(calibrated);
        self.rings.calibrate(calibrated);
    }

    /// Returns the error budget of the next candidate, where an epoch of this size begins unless one is under way.
    fn next_alpha(&self, epoch: Option<u32>) -> f64 {
        match epoch {
            Some(size) if !self.recorder.state().epoch_began() => {
                stats::alpha(self.settings.decision.false_keep_share, 0, size)
            }
            Some(_) | None => self.budget().alpha(),
        }
    }

    fn metric_calibrations(&self, pairs: &[Pair], alpha: f64) -> Vec<MetricCalibration> {
        let roles = Roles::new(self.settings, self.bench.plan.metrics());
        self.calibrations_of(pairs, (&roles, &self.bench.lines), alpha)
    }

    /// Says what pairs show of each metric of one command, whose lines in one run are known.
    pub(super) fn calibrations_of(
        &self,
        pairs: &[Pair],
        (roles, lines): (&Roles, &BTreeMap<MetricName, u32>),
        alpha: f64,
    ) -> Vec<MetricCalibration> {
        let family = roles.largest_family(self.settings);
        let judged = roles.iter().map(|(name, role)| {
            let (direction, scale) = roles.lens(self.settings, name);
            let lines = lines.get(name).copied().unwrap_or(0);
            self.one_metric(pairs, &Judged { name, lines, scale, direction, role, family, alpha })
        });
        judged.collect()
    }

    fn one_metric(&self, pairs: &[Pair], judged: &Judged<'_>) -> MetricCalibration {
        let ring = differences(pairs, judged.name, |v| judged.scale.y(v, judged.direction));
        let absolute = judged.role.sentinel().is_some_and(|s| s.tolerance_abs.is_some());
        let ring_abs = if absolute {
            differences(pairs, judged.name, |v| Scale::Linear.y(v, judged.direction))
        } else {
            Vec::new()
        };
        let scale = PairScale::of(&ring).unwrap_or(PairScale { s: 0.0, threshold: 0.0 });
        let bias = SlotBias::of(&ring).unwrap_or(SlotBias { mu: 0.0, se: 0.0 });
        MetricCalibration {
            metric: judged.name.clone(),
            lines: judged.lines,
            median: median_of(pairs, judged.name).unwrap_or(0.0),
            s: scale.s,
            threshold: scale.threshold,
            bias: bias.mu,
            bias_se: bias.se,
            resolves: self.resolves(judged, scale.s, bias),
            role: judged.role.label(),
            ring,
            ring_abs,
        }
    }

    /// Returns the smallest effect of a primary, or the effective tolerance of a sentinel (that of `toleranceAbs` where it
    /// has no other), on the decision scale.
    fn resolves(&self, judged: &Judged<'_>, s: f64, bias: SlotBias) -> Option<f64> {
        let decision = &self.settings.decision;
        match judged.role {
            Role::Primary { objective, .. } => {
                let min_effect = judged.scale.setting(objective.min_effect);
                let delta0 = stats::delta0(min_effect, Some(bias));
                let alpha = judged.alpha / (1 + self.settings.co_primaries.len()) as f64;
                Some(stats::resolvable_effect(delta0, s, alpha, decision.max_pairs))
            }
            Role::Sentinel(sentinel) => {
                let tolerance = sentinel.tolerance.or(sentinel.tolerance_abs);
                tolerance.map(|g| stats::effective_tolerance(judged.scale.setting(g), judged.family, s))
            }
        }
    }
}

/// Refuses a baseline that breaks one of its own limits.
pub(super) fn check_limits(roles: &Roles, pairs: &[Pair]) -> Result<(), EngineError> {
    for (name, role) in roles.iter() {
        let Some(sentinel) = role.sentinel() else { continue };
        let Some(median) = median_of(pairs, name) else { continue };
        let broken = match (sentinel.max, sentinel.min) {
            (Some(max), _) if median > max => Some(format!("above its max of {max}")),
            (_, Some(min)) if median < min => Some(format!("below its min of {min}")),
            _ => None,
        };
        let unequal =
            sentinel.exact && pairs.iter().any(|p| p.values(name).is_some_and(|(b, c)| b.to_bits() != c.to_bits()));
        if let Some(how) = broken {
            let detail = format!("sentinel {name} is {median} on the baseline, {how}");
            return Err(EngineError::BaselineBroken { detail });
        }
        if unequal {
            let detail = format!("sentinel {name} is configured 'exact' but differs between runs of the same program");
            return Err(EngineError::BaselineBroken { detail });
        }
    }
    Ok(())
}

/// One metric's part in the comparison.
struct Judged<'a> {
    name: &'a MetricName,
    /// Lines of it in one run.
    lines: u32,
    scale: Scale,
    direction: Direction,
    role: &'a Role,
    /// Tests that may share the error budget.
    family: u32,
    /// The error budget of a candidate, that a primary's smallest effect is told for.
    alpha: f64,
}

pub(super) fn auto_wall() -> MetricName {
    MetricName::new("auto.wall_s").unwrap_or_else(|_| unreachable!("a constant name"))
}

fn differences(pairs: &[Pair], metric: &MetricName, y: impl Fn(f64) -> Option<f64>) -> Vec<f64> {
    let difference = |pair: &Pair| {
        let (a, b) = pair.values(metric)?;
        Some(y(a)? - y(b)?)
    };
    pairs.iter().filter_map(difference).collect()
}

pub(super) fn median_of(pairs: &[Pair], metric: &MetricName) -> Option<f64> {
    let both = pairs.iter().filter_map(|pair| pair.values(metric)).flat_map(|(a, b)| [a, b]);
    Reduce::Median.apply(&both.collect::<Vec<_>>())
}
