//! When an agent is asked again that did not answer.

use jiff::{SignedDuration, Timestamp};

/// The longest pause between two tries, in minutes.
const LONGEST_MIN: i64 = 30;
/// The shortest wait that is one: what is left of patience below it is nothing.
const SHORTEST: SignedDuration = SignedDuration::from_millis(500);
/// The pause after the first call that failed, in seconds; it doubles with each one in a row.
const FAILED_S: i64 = 5;
/// The longest pause after a call that failed, in seconds.
const FAILED_LONGEST_S: i64 = 60;

/// Returns when an agent is asked again that has been unavailable since a moment, for the `waits`-th time in a row (from 1);
/// `None` where it was waited for long enough.
///
/// It is asked when its limit ends (`reset`) where it says so and that lies ahead, else after 1, 2, 4 ... 30 minutes; never
/// later than `most` after `since`.
pub fn next_try(
    now: Timestamp,
    since: Timestamp,
    waits: u32,
    reset: Option<Timestamp>,
    most: SignedDuration,
) -> Option<Timestamp> {
    if most.saturating_sub(now.duration_since(since)) < SHORTEST {
        return None;
    }
    let doubled = 1_i64.checked_shl(waits.saturating_sub(1)).unwrap_or(LONGEST_MIN).clamp(1, LONGEST_MIN);
    let pause = later(now, SignedDuration::from_mins(doubled));
    Some(reset.filter(|reset| *reset > now).unwrap_or(pause).min(later(since, most)))
}

/// Returns when an agent is called again after so many calls in a row that failed.
pub fn after_failure(at: Timestamp, failures: u32) -> Timestamp {
    let doubled = FAILED_S.checked_shl(failures.saturating_sub(1)).unwrap_or(FAILED_LONGEST_S);
    later(at, SignedDuration::from_secs(doubled.clamp(FAILED_S, FAILED_LONGEST_S)))
}

/// Adds a time; what lies beyond all time is its end.
fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + 60 * minute).unwrap()
    }

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    #[test]
    fn pauses_double_up_to_half_an_hour() {
        let pauses: Vec<i64> = [1, 2, 3, 4, 5, 6, 7, 80]
            .map(|waits| next_try(at(0), at(0), waits, None, DAY).unwrap().duration_since(at(0)).as_mins())
            .to_vec();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn a_known_end_of_the_limit_is_waited_for_but_never_longer_than_allowed() {
        assert_eq!(next_try(at(0), at(0), 1, Some(at(150)), DAY), Some(at(150)));
        assert_eq!(next_try(at(0), at(0), 1, Some(at(-5)), DAY), Some(at(1)), "an end that has passed says nothing");
        let six_hours = SignedDuration::from_hours(6);
        assert_eq!(next_try(at(0), at(0), 1, Some(at(10_000)), six_hours), Some(at(360)));
        assert_eq!(next_try(at(350), at(0), 9, None, six_hours), Some(at(360)));
        assert_eq!(next_try(at(360), at(0), 10, None, six_hours), None);
        assert_eq!(next_try(at(0), at(0), 1, None, SignedDuration::ZERO), None);
    }

    #[test]
    fn a_call_that_failed_is_made_again_soon_at_first() {
        let pauses: Vec<i64> =
            [1, 2, 3, 4, 5, 90].map(|n| after_failure(at(0), n).duration_since(at(0)).as_secs()).to_vec();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
    }
}
