//! Stop rules that depend on the clock and the disk.

use std::path::Path;

use jiff::{Timestamp, Zoned};

use crate::domain::{Limits, next_time_of_day};
use crate::host;
use crate::policy::Reserve;

/// The moment named by `stop.until`, fixed when the session starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deadline(Option<(Timestamp, String)>);

impl Deadline {
    /// Finds the next time of day `HH:MM` after `now`, in `now`'s time zone; no text = no deadline.
    pub(super) fn next(until: Option<&str>, now: &Zoned) -> Self {
        let moment = until.and_then(|text| Some((next_time_of_day(text, now)?, text.to_owned())));
        Self(moment)
    }

    /// Says that the moment has passed, and which it was, or that no more is left than is kept for the end.
    pub(super) fn passed(&self, reserve: Reserve) -> Option<String> {
        self.passed_at(Timestamp::now(), reserve)
    }

    /// Returns the seconds from `now` to the moment, 0 once it has passed; `None` where there is none.
    pub(super) fn seconds_left(&self, now: Timestamp) -> Option<f64> {
        let (moment, _) = self.0.as_ref()?;
        Some((moment.as_millisecond() - now.as_millisecond()).max(0) as f64 / 1000.0)
    }

    fn passed_at(&self, now: Timestamp, reserve: Reserve) -> Option<String> {
        let (moment, text) = self.0.as_ref()?;
        if now >= *moment {
            return Some(format!("it is {text}"));
        }
        (self.seconds_left(now)? <= reserve.seconds()).then(|| format!("until {text}{}", reserve.words()))
    }
}

/// Says that less disk is free than `limits.diskFreeBytes`.
pub(super) fn disk_low(folder: &Path, limits: &Limits) -> Option<String> {
    let free = host::free_bytes(folder)?;
    let low = free < limits.disk_free_bytes;
    low.then(|| {
        format!("{free} bytes are free in {}, limits.diskFreeBytes is {}", folder.display(), limits.disk_free_bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn until_means_the_next_such_time_of_day() {
        let evening = at("2026-05-01T22:00:00[UTC]");
        let deadline = Deadline::next(Some("07:30"), &evening);
        let passed = |deadline: &Deadline, moment: &str| deadline.passed_at(at(moment).timestamp(), Reserve::default());
        assert_eq!(passed(&deadline, "2026-05-02T07:29:00[UTC]"), None);
        assert_eq!(passed(&deadline, "2026-05-02T07:30:00[UTC]").as_deref(), Some("it is 07:30"));
        assert_eq!(deadline.seconds_left(evening.timestamp()), Some(9.5 * 3600.0));
        assert_eq!(deadline.seconds_left(at("2026-05-03T00:00:00[UTC]").timestamp()), Some(0.0));
        let later = Deadline::next(Some("23:00"), &evening);
        assert!(passed(&later, "2026-05-01T23:00:01[UTC]").is_some());
        assert_eq!(passed(&Deadline::next(None, &evening), "2030-01-01T00:00:00[UTC]"), None);
    }

    #[test]
    fn the_validation_is_reserved_before_the_moment() {
        let deadline = Deadline::next(Some("07:30"), &at("2026-05-01T22:00:00[UTC]"));
        let reserve = Reserve { validation_s: 720.0, candidate_s: 180.0 };
        let passed = |moment: &str| deadline.passed_at(at(moment).timestamp(), reserve);
        assert_eq!(passed("2026-05-02T07:14:59[UTC]"), None);
        let kept = "until 07:30, 12 min kept for the validation";
        assert_eq!(passed("2026-05-02T07:15:00[UTC]").as_deref(), Some(kept));
        assert_eq!(passed("2026-05-02T07:30:00[UTC]").as_deref(), Some("it is 07:30"));
    }
}
