//! The role of each judged metric: a primary, or one of the sentinels once globs are expanded.

use std::collections::BTreeMap;

use crate::domain::{
    Calibrated, Direction, MetricCalibration, MetricName, Objective, Scale, Sentinel, Settings, number,
};
use crate::measure;
use crate::stats::ToleranceTest;

/// What a metric is judged as.
#[derive(Debug, Clone)]
pub enum Role {
    /// A primary, or a metric of the suite of one that is `worst(...)`.
    Primary {
        /// 0 is the primary, 1 the first co-primary.
        number: u32,
        /// Its settings.
        objective: Objective,
    },
    /// A sentinel.
    Sentinel(Sentinel),
}

impl Role {
    /// Returns the sentinel, where it is one.
    pub fn sentinel(&self) -> Option<&Sentinel> {
        match self {
            Self::Primary { .. } => None,
            Self::Sentinel(sentinel) => Some(sentinel),
        }
    }

    /// Returns the name under which the calibration journals it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Primary { number, .. } => measure::primary_label(*number),
            Self::Sentinel(sentinel) => sentinel.pattern.clone(),
        }
    }

    /// Returns direction and scale of its ring.
    fn lens(&self) -> (Direction, Scale) {
        match self {
            Self::Primary { objective, .. } => (objective.direction, objective.scale),
            Self::Sentinel(sentinel) => (sentinel.direction, ring_scale(sentinel)),
        }
    }
}

/// Maps metrics to their roles; fixed by the calibration.
#[derive(Debug, Clone, Default)]
pub struct Roles(BTreeMap<MetricName, Role>);

impl Roles {
    /// Finds the roles of metrics listed with `primary`, `coPrimary[n]` or the pattern of their sentinel.
    pub fn new<'m>(settings: &Settings, metrics: impl IntoIterator<Item = (&'m MetricName, &'m str)>) -> Self {
        let role = |(name, label): (&MetricName, &str)| {
            let primary = settings.objectives().zip(0..).find(|(_, number)| measure::primary_label(*number) == label);
            if let Some((objective, number)) = primary {
                return Some((name.clone(), Role::Primary { number, objective: objective.clone() }));
            }
            let named = |s: &&Sentinel| s.pattern.replace('\u{b5}', "\u{3bc}") == label;
            Some((name.clone(), Role::Sentinel(settings.sentinels.iter().find(named)?.clone())))
        };
        Self(metrics.into_iter().filter_map(role).collect())
    }

    /// Finds the roles of the holdout's metrics listed with their patterns: each stands as a sentinel.
    pub(super) fn of_holdout<'m>(
        settings: &Settings,
        metrics: impl IntoIterator<Item = (&'m MetricName, &'m str)>,
    ) -> Self {
        let all = settings.holdout.iter().flat_map(|holdout| &holdout.metrics);
        let role = |(name, label): (&MetricName, &str)| {
            let held = all.clone().find(|metric| metric.pattern.replace('\u{b5}', "\u{3bc}") == label)?;
            Some((name.clone(), Role::Sentinel(held.clone())))
        };
        Self(metrics.into_iter().filter_map(role).collect())
    }

    /// Finds the roles that a calibration fixed.
    pub fn of_calibration(settings: &Settings, calibrated: &Calibrated) -> Self {
        Self::new(settings, calibrated.metrics.iter().map(|m| (&m.metric, m.role.as_str())))
    }

    /// Returns the role of a metric.
    pub fn get(&self, metric: &MetricName) -> Option<&Role> {
        self.0.get(metric)
    }

    /// Returns every judged metric with its role.
    pub fn iter(&self) -> impl Iterator<Item = (&MetricName, &Role)> {
        self.0.iter()
    }

    /// Returns the metrics that a primary is judged by: itself, or the suite of one that is `worst(...)`.
    pub fn members(&self, of: u32) -> impl Iterator<Item = &MetricName> {
        let is_member = move |role: &Role| matches!(role, Role::Primary { number, .. } if *number == of);
        self.0.iter().filter(move |(_, role)| is_member(role)).map(|(name, _)| name)
    }

    /// Counts the tests that may be asked of a candidate that wins: every sentinel that has one, and all metrics of the
    /// primaries but one.
    pub(super) fn largest_family(&self, settings: &Settings) -> u32 {
        let tested = |s: &Sentinel| s.tolerance.is_some() || s.tolerance_abs.is_some();
        let sentinels = self.iter().filter(|(_, role)| role.sentinel().is_some_and(tested)).count();
        let sizes: Vec<usize> =
            settings.objectives().zip(0..).map(|(_, number)| self.members(number).count()).collect();
        let primaries = sizes.iter().sum::<usize>() - sizes.iter().copied().min().unwrap_or(0);
        u32::try_from(sentinels + primaries).unwrap_or(u32::MAX)
    }

    /// Returns the sentinel that a metric is watched by.
    pub fn sentinel(&self, metric: &MetricName) -> Option<&Sentinel> {
        self.0.get(metric)?.sentinel()
    }

    /// Returns direction and scale of a metric; one without a role is shown as its primary says (a `worst(...)`), else
    /// as lower is better, on the ratio scale.
    pub fn lens(&self, settings: &Settings, metric: &MetricName) -> (Direction, Scale) {
        let objective = || settings.objectives().find(|objective| objective.name == *metric);
        match self.0.get(metric) {
            Some(role) => role.lens(),
            None => objective().map_or((Direction::Lower, Scale::Ratio), |o| (o.direction, o.scale)),
        }
    }

    /// Returns the smallest regression of a sentinel that is sure to be blocked, on the decision scale, where that is so
    /// large that it hardly guards ([`ToleranceTest::unguarded`]); `None` where it does.
    pub fn sure_beyond(&self, settings: &Settings, calibration: &MetricCalibration) -> Option<f64> {
        let sentinel = self.sentinel(&calibration.metric)?;
        let tolerance = sentinel.tolerance.or(sentinel.tolerance_abs)?;
        let (_, scale) = self.lens(settings, &calibration.metric);
        ToleranceTest { scale, tolerance, s: calibration.s }.unguarded(self.largest_family(settings))
    }

    /// Names a sentinel that cannot be guarded, and the regression up to which it may not show; `None` where it can.
    pub fn unguarded(&self, settings: &Settings, calibration: &MetricCalibration) -> Option<String> {
        let sure = self.sure_beyond(settings, calibration)?;
        let sentinel = self.sentinel(&calibration.metric)?;
        let asked = sentinel.tolerance.or(sentinel.tolerance_abs)?;
        let (metric, (_, scale)) = (&calibration.metric, self.lens(settings, &calibration.metric));
        let word = |size: f64| match scale {
            Scale::Ratio => format!("{:.1} %", 100.0 * size.exp_m1()),
            Scale::Linear => number(size),
        };
        Some(format!("{metric} may regress unseen up to {} (tolerance {})", word(sure), word(scale.setting(asked))))
    }

    /// Returns the unit of a metric where it is known: that of its primary.
    pub(super) fn unit(&self, settings: &Settings, metric: &MetricName) -> String {
        let named = settings.objectives().find(|o| o.name == *metric && !is_worst(&o.name));
        let member = match self.0.get(metric) {
            Some(Role::Primary { objective, .. }) => Some(objective),
            Some(Role::Sentinel(_)) | None => None,
        };
        named.or(member).map(|objective| objective.unit.clone()).unwrap_or_default()
    }
}

/// Says whether a metric is the worst of a suite: its value is a ratio to the calibration, without a unit.
pub(super) fn is_worst(metric: &MetricName) -> bool {
    matches!(metric.aggregate(), Some((crate::domain::Aggregate::Worst, _)))
}

/// Says on which scale the ring of a sentinel stands: limits and exact comparisons need none of their own.
pub(super) fn ring_scale(sentinel: &Sentinel) -> Scale {
    match sentinel.tolerance {
        Some(_) => sentinel.scale,
        None => Scale::Linear,
    }
}
