//! What a session gained, measured afresh from its base to its tip, or that nobody has measured it.

use serde::Serialize;

use crate::report::experiment::MetricLine;
use crate::report::session::SessionView;
use crate::report::validation::ValidationView;

/// What stands at the top of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headline {
    /// Whether there is a validation, and its interval excludes that nothing was gained.
    pub is_validated: bool,
    /// The last validation.
    pub validated: Option<ValidationView>,
    /// Keeps that stand and are not in the tip that was validated; `None` where there is no validation.
    pub kept_since: Option<usize>,
    /// Every metric from base to tip, over the pairs of the validation.
    pub metrics: Vec<MetricLine>,
    /// The headline in words.
    pub text: String,
}

impl Headline {
    pub(super) fn new(session: &SessionView, mut metrics: Vec<MetricLine>) -> Self {
        let validated = session.validated.clone();
        for line in &mut metrics {
            // One figure for one thing: the interval of the validation is the exact one.
            if let Some(validated) = validated.as_ref().filter(|validated| validated.metric.as_str() == line.metric) {
                line.change = Some(validated.change.clone());
            }
        }
        let kept_since = validated.as_ref().map(|validated| {
            let keeps: Vec<_> = session.keeps().collect();
            let stale = validated.tip != session.tip;
            let at = keeps.iter().position(|keep| keep.commit == validated.tip);
            if stale { keeps.len() - at.map_or(0, |at| at + 1) } else { 0 }
        });
        Self {
            is_validated: validated.as_ref().is_some_and(|validated| validated.shown),
            text: text(session, validated.as_ref()),
            kept_since,
            validated,
            metrics,
        }
    }
}

fn text(session: &SessionView, validated: Option<&ValidationView>) -> String {
    let kept = session.counts.kept;
    match validated {
        None if kept == 0 => "nothing was kept".to_owned(),
        None => format!("{}: the gain is not validated", session.primary.metric),
        Some(validated) if validated.shown => {
            format!("{} {} from base to tip, validated", validated.metric, validated.change.short())
        }
        Some(validated) => format!("{}: validated, and no gain is shown", validated.metric),
    }
}
