//! The view of a validation: what was gained from the base to a tip, or what one keep is still worth.

use serde::Serialize;

use super::lens::ChangeView;
use crate::domain::{Change, ExperimentId, MetricName, ObjectId, Validated};

/// Two builds compared in fresh pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValidationView {
    /// Its number.
    pub number: u32,
    /// The keep that was left out of `base`; `None` where that is the session's base.
    pub without: Option<ExperimentId>,
    /// The commit measured as baseline.
    pub base: ObjectId,
    /// The tip that was measured.
    pub tip: ObjectId,
    /// The metric.
    pub metric: MetricName,
    /// Its change with the exact signed-rank interval.
    pub change: ChangeView,
    /// Pairs.
    pub pairs: u32,
    /// The change that the keeps claim together, in percent or in the unit.
    pub claimed: Option<f64>,
    /// Whether the interval excludes that nothing was gained.
    pub shown: bool,
    /// Whether it is below what the keeps claim by more than two standard errors.
    pub falls_short: bool,
    /// What the figure does not say.
    pub remark: String,
}

impl ValidationView {
    /// Takes a validation; `unit` is that of its metric.
    pub fn new(validated: &Validated, unit: &str) -> Self {
        let claim = |gain: f64| Change::of_effect((gain, gain, gain), validated.scale, validated.direction).value;
        Self {
            number: validated.number,
            without: validated.without,
            base: validated.base.clone(),
            tip: validated.tip.clone(),
            metric: validated.metric.clone(),
            change: ChangeView::new(validated.change(), unit),
            pairs: validated.pairs,
            claimed: validated.claimed.map(|claimed| claim(claimed.gain)),
            shown: validated.is_shown(),
            falls_short: validated.falls_short(),
            remark: validated.remark.clone(),
        }
    }
}
