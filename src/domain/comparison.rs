//! What the numbers of an experiment say: effects, verdicts and sentinel outcomes.

use serde::{Deserialize, Serialize};

use super::{Change, Direction, MetricName, Scale};

/// What the numbers of the primary say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better by at least the minimum effect, with the evidence that the session's alpha asks for.
    Improved,
    /// Worse, with an interval that excludes zero.
    Regressed,
    /// No effect worth keeping is within reach.
    NoEffect,
    /// The pairs ran out before the rule could tell.
    Inconclusive,
    /// No gain, but a regression by the minimum effect is excluded on every primary; only asked of a simplification.
    NotWorse,
}

/// The effect of one metric on the decision scale; above 0 is better, whatever the direction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Hodges-Lehmann estimate.
    pub mu: f64,
    /// Standard error of `mu`.
    pub se: f64,
    /// Estimate shrunk for reporting (`report_effect`).
    pub gain: f64,
    /// Lower limit of the reported interval.
    pub low: f64,
    /// Upper limit of the reported interval.
    pub high: f64,
    /// Complete pairs behind it.
    pub pairs: u32,
    /// Natural logarithm of the evidence; `None` for an exact metric, which needs none.
    pub ln_e: Option<f64>,
    /// The error budget that this candidate had.
    pub alpha: f64,
    /// The scale on which all of this stands.
    pub scale: Scale,
    /// The effect that evidence must exceed, on the decision scale.
    pub delta0: f64,
    /// The smallest effect worth keeping, on the decision scale.
    pub min_effect: f64,
    /// The calibrated (or learned) scale of one pair's difference.
    pub s: f64,
    /// The calibrated jump threshold.
    pub threshold: f64,
}

impl Effect {
    /// Converts gain and interval into the change of the metric itself, for people.
    pub fn change(&self, direction: Direction) -> Change {
        Change::of_effect((self.gain, self.low, self.high), self.scale, direction)
    }

    /// Returns `|mu| / se`, or `None` where the standard error is 0.
    pub fn confidence(&self) -> Option<f64> {
        (self.se > 0.0).then(|| self.mu.abs() / self.se)
    }
}

/// What became of one sentinel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentinelState {
    /// A regression beyond its tolerance is excluded.
    Passed,
    /// It regressed beyond its tolerance.
    Failed,
    /// The pairs ran out before it was clear.
    Unresolved,
    /// `max` or `min` was broken by the median of the candidate's runs.
    LimitBroken,
    /// An exact sentinel had different values in the two arms of a pair.
    NotEqual,
}

impl SentinelState {
    /// Says whether this state forbids a keep.
    pub fn blocks(self) -> bool {
        match self {
            Self::Failed | Self::LimitBroken | Self::NotEqual => true,
            Self::Passed | Self::Unresolved => false,
        }
    }
}

/// The outcome of one sentinel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SentinelOutcome {
    /// The metric, after globs were expanded.
    pub metric: MetricName,
    /// What became of it.
    pub state: SentinelState,
    /// What its test needed, in one line for people: the effective tolerance or the limit.
    pub rule: String,
    /// Hodges-Lehmann estimate on the decision scale, where it has a statistical test.
    pub mu: Option<f64>,
}

/// What the numbers of one co-primary say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoPrimary {
    /// The metric.
    pub metric: MetricName,
    /// What it says by itself.
    pub verdict: Verdict,
    /// Its effect.
    pub effect: Effect,
}

/// What one of several metrics was judged by, fixed before the first pair: all that a race needs to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricTerms {
    /// The metric: a primary, or one of the suite of a `worst(...)`.
    pub metric: MetricName,
    /// Number of its primary: 0 is the primary, 1 the first co-primary.
    pub primary: u32,
    /// The effect that evidence must exceed, on the decision scale.
    pub delta0: f64,
    /// The calibrated scale of one pair's difference; 0 where the calibration found it exact.
    pub s: f64,
    /// The calibrated jump threshold.
    pub threshold: f64,
}

/// Everything that the numbers of one experiment say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What the primaries say together: improved when one of them is.
    pub verdict: Verdict,
    /// The primary's effect.
    pub primary: Effect,
    /// What the primary says by itself, where there are co-primaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_verdict: Option<Verdict>,
    /// What each co-primary says, in the order of the settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_primaries: Vec<CoPrimary>,
    /// Every sentinel that was looked at, primaries that did not win among them; empty when no primary ever won.
    pub sentinels: Vec<SentinelOutcome>,
    /// Anytime lower bound of the told effect at E = 20, where the pairs give one.
    pub bound: Option<f64>,
    /// What each metric was judged by, where they were several; of a single one the effect says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<MetricTerms>,
}

impl Comparison {
    /// Returns the effect to tell, and the number of its primary: the first that won, else primary 0.
    pub fn told(&self) -> (u32, &Effect) {
        let own = self.primary_verdict.unwrap_or(self.verdict);
        let won = |verdict: Verdict| verdict == Verdict::Improved;
        let other = self.co_primaries.iter().zip(1..).find(|(co, _)| won(co.verdict));
        match other {
            Some((co, number)) if !won(own) => (number, &co.effect),
            Some(_) | None => (0, &self.primary),
        }
    }
}
