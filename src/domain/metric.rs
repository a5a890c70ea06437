//! Metrics: names, directions, scales, and how the samples of one run become one value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Says why a text cannot name a metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a metric name (letters, digits and _ . - / : % µ only, or geomean(...) or worst(...) of them)")]
pub struct MetricNameError(pub String);

/// Says how a suite of metrics becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// `geomean(glob)`: the geometric mean of all metrics of one run that match.
    Geomean,
    /// `worst(glob)`: the metric that gained least of all that match, so that a win needs every one of them to win.
    Worst,
}

impl Aggregate {
    /// Splits `function(glob)`; `None` where the text is no aggregate. The glob may hold `*` and `?`.
    pub fn split(text: &str) -> Option<(Self, &str)> {
        let (function, rest) = text.split_once('(')?;
        let glob = rest.strip_suffix(')')?;
        let allowed = |c| MetricName::allows(c) || matches!(c, '*' | '?');
        let kind = match function {
            "geomean" => Self::Geomean,
            "worst" => Self::Worst,
            _ => return None,
        };
        (!glob.is_empty() && glob.chars().all(allowed)).then_some((kind, glob))
    }
}

/// Names a metric as FORMATS section 1 allows: letters, digits and `_ . - / : % µ`; both Greek mu signs are one.
///
/// An [`Aggregate`] of a glob is a name too; no line of output can print one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricName(String);

impl MetricName {
    /// Checks and takes a name; the micro sign U+00B5 becomes the Greek letter U+03BC.
    pub fn new(text: &str) -> Result<Self, MetricNameError> {
        let plain = !text.is_empty() && text.chars().all(Self::allows);
        if !plain && Aggregate::split(text).is_none() {
            return Err(MetricNameError(text.to_owned()));
        }
        Ok(Self(text.replace('\u{b5}', "\u{3bc}")))
    }

    /// Returns the function and the glob of a metric that is made of others.
    pub fn aggregate(&self) -> Option<(Aggregate, &str)> {
        Aggregate::split(&self.0)
    }

    /// Says whether a character may stand in a printed name.
    pub fn allows(c: char) -> bool {
        c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ':' | '%' | '\u{b5}' | '\u{3bc}')
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether the name is reserved for what the tool measures itself (`auto.*`).
    pub fn is_automatic(&self) -> bool {
        self.0.starts_with("auto.")
    }
}

impl TryFrom<String> for MetricName {
    type Error = MetricNameError;

    fn try_from(text: String) -> Result<Self, MetricNameError> {
        Self::new(&text)
    }
}

impl From<MetricName> for String {
    fn from(name: MetricName) -> Self {
        name.0
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Smaller values are better (the default).
    #[default]
    Lower,
    /// Larger values are better.
    Higher,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        })
    }
}

/// Says on what scale two values of a metric are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Natural logarithms; values must be above zero (the default).
    #[default]
    Ratio,
    /// Plain differences in the metric's own unit; for counters that may reach 0 and for signed values.
    Linear,
}

impl Scale {
    /// Puts a value on the decision scale, where smaller is always better; `None` where the scale cannot hold it.
    ///
    /// `y = ln v` (ratio) or `y = v` (linear), negated when higher is better (statistics section 2).
    pub fn y(self, value: f64, direction: Direction) -> Option<f64> {
        let y = match self {
            Self::Ratio if value > 0.0 => value.ln(),
            Self::Linear => value,
            Self::Ratio => return None,
        };
        if !y.is_finite() {
            return None;
        }
        Some(match direction {
            Direction::Lower => y,
            Direction::Higher => -y,
        })
    }

    /// Puts a relative setting (ratio: 0.01 = 1 %) or an absolute one (linear) on the decision scale: `ln(1+p)` or `p`.
    pub fn setting(self, p: f64) -> f64 {
        match self {
            Self::Ratio => p.ln_1p(),
            Self::Linear => p,
        }
    }
}

/// Says how several lines of one metric in one run become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduce {
    /// The middle value, or the mean of the two middle ones (the default).
    #[default]
    Median,
    /// The arithmetic mean.
    Mean,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The value printed last.
    Last,
}

impl Reduce {
    /// Reduces the samples of one run, in the order printed; `None` when there are none.
    pub fn apply(self, samples: &[f64]) -> Option<f64> {
        let last = *samples.last()?;
        let n = samples.len();
        Some(match self {
            Self::Last => last,
            Self::Mean => samples.iter().sum::<f64>() / n as f64,
            Self::Min => samples.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => samples.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Median => {
                let mut sorted = samples.to_vec();
                sorted.sort_by(f64::total_cmp);
                f64::midpoint(sorted[n / 2], sorted[(n - 1) / 2])
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mu_signs_are_the_same_name() {
        assert_eq!(MetricName::new("t_\u{b5}s").unwrap(), MetricName::new("t_\u{3bc}s").unwrap());
        assert!(MetricName::new("two words").is_err());
        assert!(MetricName::new("a=b").is_err());
        assert!(MetricName::new("").is_err());
    }

    #[test]
    fn an_aggregate_of_a_glob_is_a_name() {
        let name = MetricName::new("geomean(query.*_\u{b5}s)").unwrap();
        assert_eq!(name.aggregate(), Some((Aggregate::Geomean, "query.*_\u{3bc}s")));
        assert_eq!(MetricName::new("worst(a?)").unwrap().aggregate(), Some((Aggregate::Worst, "a?")));
        assert_eq!(MetricName::new("geomean_ns").unwrap().aggregate(), None);
        for bad in ["median(a*)", "geomean()", "geomean(a*", "geomean(a b)", "worst(geomean(a*))", "a*"] {
            assert!(MetricName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_higher_is_better_metric_is_turned_round() {
        assert_eq!(Scale::Linear.y(3.0, Direction::Higher), Some(-3.0));
        assert_eq!(Scale::Ratio.y(0.0, Direction::Lower), None);
        assert_eq!(Scale::Ratio.y(1.0, Direction::Lower), Some(0.0));
    }

    #[test]
    fn samples_of_one_run_reduce_as_configured() {
        let samples = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(Reduce::Median.apply(&samples), Some(2.5));
        assert_eq!(Reduce::Mean.apply(&samples), Some(2.5));
        assert_eq!(Reduce::Min.apply(&samples), Some(1.0));
        assert_eq!(Reduce::Max.apply(&samples), Some(4.0));
        assert_eq!(Reduce::Last.apply(&samples), Some(2.0));
        assert_eq!(Reduce::Median.apply(&[]), None);
    }
}
