//! The time that a session was at work, over all its starts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Adds up the times between an event and the next, from each start to the last event before its end.
///
/// Where the clock was set back between two events, their time counts as none, and all that follows as usual.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct WorkClock {
    worked_ms: i64,
    /// The last event since the start; between an end and the next start nothing counts.
    last: Option<Timestamp>,
}

impl WorkClock {
    /// Begins a span; one that a crash left open ends at its last event.
    pub(super) fn start(&mut self, at: Timestamp) {
        self.last = Some(at);
    }

    /// Notes that the session was at work at this time.
    pub(super) fn event(&mut self, at: Timestamp) {
        if let Some(last) = &mut self.last {
            self.worked_ms += milliseconds(*last, at);
            *last = at;
        }
    }

    /// Notes that the time since the last event was no work: a process that ended without a word is gone on from.
    pub(super) fn skip(&mut self, at: Timestamp) {
        if let Some(last) = &mut self.last {
            *last = at;
        }
    }

    /// Ends the span at its last event.
    pub(super) fn stop(&mut self) {
        self.last = None;
    }

    /// Returns the hours up to `now`, or up to the last event.
    pub(super) fn hours(&self, now: Option<Timestamp>) -> f64 {
        let open = self.last.zip(now).map_or(0, |(last, now)| milliseconds(last, now));
        (self.worked_ms + open) as f64 / 3_600_000.0
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millisecond() - from.as_millisecond()).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + 60 * minute).unwrap()
    }

    #[test]
    fn a_clock_that_is_set_back_costs_the_time_between_two_events_and_no_more() {
        let mut clock = WorkClock::default();
        clock.event(at(-9));
        clock.start(at(0));
        clock.event(at(10));
        clock.event(at(-100));
        clock.event(at(-80));
        assert!((clock.hours(None) - 0.5).abs() < 1e-9, "{}", clock.hours(None));
        assert!((clock.hours(Some(at(-50))) - 1.0).abs() < 1e-9, "{}", clock.hours(Some(at(-50))));
        assert!((clock.hours(Some(at(-200))) - 0.5).abs() < 1e-9, "a clock set back again");
        clock.stop();
        clock.event(at(500));
        clock.start(at(-1000));
        assert!((clock.hours(Some(at(-970))) - 1.0).abs() < 1e-9, "a start in the past of the last end");
    }
}
