//! What somebody asks who looks at a running session: what it waits for, how long it may go on, what went wrong.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::session::SessionInput;
use crate::domain::{ExperimentId, Obstacle, Stop, StopRule, Waiting, next_time_of_day};

/// Something that went wrong, in a session that went on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// The experiment that it belongs to.
    pub experiment: Option<ExperimentId>,
    /// What, in one line.
    pub what: String,
}

/// What went wrong last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TroubleView {
    /// The experiment that it belongs to.
    pub experiment: Option<ExperimentId>,
    /// What, in one line.
    pub what: String,
    /// When.
    pub at: Timestamp,
    /// Seconds since.
    pub age_s: f64,
}

impl TroubleView {
    pub(super) fn new(trouble: &Trouble, now: Timestamp) -> Self {
        let Trouble { at, experiment, what } = trouble.clone();
        Self { experiment, what, at, age_s: seconds(at, now) }
    }
}

/// What a running session waits for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitView {
    /// The source that has nothing now.
    pub source: String,
    /// What kind of obstacle it is.
    pub obstacle: Obstacle,
    /// What it said.
    pub why: String,
    /// When it is asked again.
    pub until: Timestamp,
    /// Seconds until then.
    pub left_s: f64,
}

impl WaitView {
    /// Makes the view; `None` where no process is at work, or none waits.
    pub(super) fn new(input: &SessionInput<'_>) -> Option<Self> {
        let Waiting { source, obstacle, why, until, .. } = input.latest.waiting.clone()?;
        input.running.map(|_| Self { source, obstacle, why, until, left_s: seconds(input.now, until) })
    }
}

/// How long a running session may go on by one of its rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeLeft {
    /// The rule.
    pub rule: StopRule,
    /// Seconds; of iterations, by what one took on average so far.
    pub seconds: f64,
    /// Iterations left, where the rule counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u32>,
    /// The time of day, where the rule names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Returns how long a running session may go on, the shortest time first; nothing where no process is at work.
pub(super) fn time_left(input: &SessionInput<'_>, stop: &Stop) -> Vec<TimeLeft> {
    if input.running.is_none() {
        return Vec::new();
    }
    let plain = |rule, seconds: f64| TimeLeft { rule, seconds: seconds.max(0.0), iterations: None, until: None };
    let worked = 3600.0 * input.state.hours(Some(input.now));
    let by_hours = stop.max_hours.map(|hours| plain(StopRule::MaxHours, 3600.0 * hours - worked));
    let by_clock = stop.until.as_deref().and_then(|until| {
        let moment = next_time_of_day(until, &input.state.begun()?.to_zoned(TimeZone::system()))?;
        Some(TimeLeft { until: Some(until.to_owned()), ..plain(StopRule::Until, seconds(input.now, moment)) })
    });
    let by_count = stop.max_iterations.zip(input.latest.pace_s).map(|(most, pace)| {
        let left = most.saturating_sub(input.state.iterations());
        TimeLeft { iterations: Some(left), ..plain(StopRule::MaxIterations, f64::from(left) * pace) }
    });
    let mut all: Vec<TimeLeft> = [by_hours, by_clock, by_count].into_iter().flatten().collect();
    all.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    all
}

/// Returns the seconds from one moment to a later one; 0 where it is earlier.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_millisecond() - from.as_millisecond()).max(0) as f64 / 1000.0
}
