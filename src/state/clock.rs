//! The time that a session was at work, over all its starts.

use jiff::Timestamp;

/// Adds up the spans from each start to the last event before its end.
#[derive(Debug, Clone, Default)]
pub(super) struct WorkClock {
    closed_ms: i64,
    span: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: Timestamp,
    last: Timestamp,
}

impl WorkClock {
    /// Begins a span; one that a crash left open ends at its last event.
    pub(super) fn start(&mut self, at: Timestamp) {
        self.stop();
        self.span = Some(Span { start: at, last: at });
    }

    /// Notes that the session was at work at this time. Between an end and the next start nothing counts.
    pub(super) fn event(&mut self, at: Timestamp) {
        if let Some(span) = &mut self.span {
            span.last = span.last.max(at);
        }
    }

    /// Ends the span at its last event.
    pub(super) fn stop(&mut self) {
        if let Some(span) = self.span.take() {
            self.closed_ms += milliseconds(span.start, span.last);
        }
    }

    /// Returns the hours up to `now`, or up to the last event.
    pub(super) fn hours(&self, now: Option<Timestamp>) -> f64 {
        let open = self.span.map_or(0, |span| milliseconds(span.start, now.unwrap_or(span.last).max(span.last)));
        (self.closed_ms + open) as f64 / 3_600_000.0
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millisecond() - from.as_millisecond()).max(0)
}
