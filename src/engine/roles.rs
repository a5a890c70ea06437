//! The role of each judged metric: the primary, or one of the sentinels once globs are expanded.

use std::collections::BTreeMap;

use crate::domain::{Calibrated, Direction, MetricName, Scale, Sentinel, Settings};

/// Role names as the calibration journals them.
const PRIMARY: &str = "primary";

/// Maps metrics to their roles; fixed by the calibration.
#[derive(Debug, Clone, Default)]
pub struct Roles(BTreeMap<MetricName, Option<Sentinel>>);

impl Roles {
    /// Finds the roles of metrics listed with `primary` or the pattern of their sentinel.
    pub fn new<'m>(settings: &Settings, metrics: impl IntoIterator<Item = (&'m MetricName, &'m str)>) -> Self {
        let role = |(name, role): (&MetricName, &str)| {
            if role == PRIMARY {
                return Some((name.clone(), None));
            }
            let named = |s: &&Sentinel| s.pattern.replace('\u{b5}', "\u{3bc}") == role;
            Some((name.clone(), Some(settings.sentinels.iter().find(named)?.clone())))
        };
        Self(metrics.into_iter().filter_map(role).collect())
    }

    /// Finds the roles that a calibration fixed.
    pub fn of_calibration(settings: &Settings, calibrated: &Calibrated) -> Self {
        Self::new(settings, calibrated.metrics.iter().map(|m| (&m.metric, m.role.as_str())))
    }

    /// Returns every judged metric with its sentinel; `None` is the primary.
    pub fn iter(&self) -> impl Iterator<Item = (&MetricName, Option<&Sentinel>)> {
        self.0.iter().map(|(name, sentinel)| (name, sentinel.as_ref()))
    }

    /// Returns the sentinel that a metric is watched by.
    pub fn sentinel(&self, metric: &MetricName) -> Option<&Sentinel> {
        self.0.get(metric)?.as_ref()
    }

    /// Returns direction and scale of a metric; one without a role is shown as lower is better, on the ratio scale.
    pub fn lens(&self, settings: &Settings, metric: &MetricName) -> (Direction, Scale) {
        match self.0.get(metric) {
            Some(None) => (settings.primary.direction, settings.primary.scale),
            Some(Some(sentinel)) => (sentinel.direction, ring_scale(sentinel)),
            None => (Direction::Lower, Scale::Ratio),
        }
    }
}

/// Says on which scale the ring of a sentinel stands: limits and exact comparisons need none of their own.
pub(super) fn ring_scale(sentinel: &Sentinel) -> Scale {
    match sentinel.tolerance {
        Some(_) => sentinel.scale,
        None => Scale::Linear,
    }
}
