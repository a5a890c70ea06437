//! When a limit ends, as agents say it in their own words.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use regex::{Captures, Regex};

/// A clock time that passed so little ago is meant, and not that of tomorrow.
const JUST_PASSED: SignedDuration = SignedDuration::from_mins(10);

/// A way to say when a limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetForm {
    /// Seconds since 1970: `...|1749924000`, `"resets_at":1777936568`.
    UnixSeconds,
    /// A time from now on: `try again in 2 days 17 hours 14 minutes`, `reset after 4h28m20s`, `retry after 30s`, `Retry-After: 30`,
    /// `"resets_in_seconds":600`.
    Duration,
    /// A time of day: `resets 12:50am (America/Los_Angeles)`, `will reset at 3pm`, `resets 18:30`.
    Clock,
    /// A day and a time of day: `try again at Jul 5th, 2026 8:19 PM`, `resets Oct 9, 5pm (UTC)`.
    Date,
    /// `2026-07-05T20:19:00Z`, also with a blank and an offset.
    Iso,
}

/// Every form, for a program that nothing is known of.
pub(super) const ANY: [ResetForm; 5] =
    [ResetForm::UnixSeconds, ResetForm::Iso, ResetForm::Duration, ResetForm::Date, ResetForm::Clock];

const CLOCK: &str = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>am|pm|a\.m\.|p\.m\.)?";
const ZONE: &str = r"(?:\s*\((?P<zone>[A-Za-z0-9_+\-/]+)\))?";

/// Finds when a limit ends; the first form that the text has decides. Times without a zone are those of `now`'s.
pub(super) fn find(text: &str, forms: &[ResetForm], now: &Zoned) -> Option<Timestamp> {
    forms.iter().find_map(|form| match form {
        ResetForm::UnixSeconds => unix(text),
        ResetForm::Duration => duration(text, now),
        ResetForm::Clock => clock(text, now),
        ResetForm::Date => date(text, now),
        ResetForm::Iso => iso(text, now),
    })
}

fn captures<'t>(pattern: &str, text: &'t str) -> Option<Captures<'t>> {
    Regex::new(pattern).expect("a constant pattern").captures(text)
}

fn unix(text: &str) -> Option<Timestamp> {
    let found = captures(r#"(?:\||resets?_?at["\s:=]+)(\d{10})(\d{3})?\b"#, text)?;
    Timestamp::from_second(found[1].parse().ok()?).ok()
}

fn duration(text: &str, now: &Zoned) -> Option<Timestamp> {
    let bare = captures(r#"(?i)(?:retry-after|resets?_in_seconds)["\s:=]+(\d+(?:\.\d+)?)\s*(?:["},]|s\b|$|\n)"#, text);
    let seconds = if let Some(found) = bare { found[1].parse::<f64>().ok()? } else { counted(text)? };
    let wait = SignedDuration::try_from_secs_f64(seconds).ok()?;
    now.timestamp().checked_add(wait).ok()
}

/// Finds a time from now on in words, in seconds.
fn counted(text: &str) -> Option<f64> {
    let unit = r"\d+(?:\.\d+)?\s*(?:days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b?[\s,]*(?:and\s+)?";
    let pattern = format!(r#"(?i)(?:again|retry|retrydelay|resets?|resetting)["\s:]*(?:in|after)?[\s"]*((?:{unit})+)"#);
    Some(added(&captures(&pattern, text)?[1]))
}

/// Adds up `4h28m20s` or `2 days 17 hours`, in seconds.
fn added(text: &str) -> f64 {
    let part = Regex::new(r"(?i)(\d+(?:\.\d+)?)\s*([dhms])").expect("a constant pattern");
    let seconds = |found: Captures<'_>| {
        let number: f64 = found[1].parse().unwrap_or(0.0);
        number
            * match &found[2].to_ascii_lowercase()[..] {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                _ => 1.0,
            }
    };
    part.captures_iter(text).map(seconds).sum()
}

fn clock(text: &str, now: &Zoned) -> Option<Timestamp> {
    let found = captures(&format!(r"(?i)(?:resets?|again)(?:\s+at)?\s+{CLOCK}{ZONE}"), text)?;
    let time = time_of(&found)?;
    // `resets 3` says too little.
    found.name("half").or(found.name("minute"))?;
    let here = now.with_time_zone(zone_of(&found, now));
    let today = here.with().time(time).build().ok()?;
    let passed = here.timestamp().duration_since(today.timestamp());
    let next = if passed > JUST_PASSED { today.checked_add(1.day()).ok()? } else { today };
    Some(next.timestamp())
}

fn date(text: &str, now: &Zoned) -> Option<Timestamp> {
    let pattern = format!(
        r"(?i)(?:resets?|again)(?:\s+at|\s+on)?\s+(?P<month>[a-z]{{3}})[a-z]*\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?(?:\s+(?P<year>\d{{4}}),?)?(?:\s+at)?\s+{CLOCK}{ZONE}"
    );
    let found = captures(&pattern, text)?;
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = months.iter().position(|month| found["month"].eq_ignore_ascii_case(month))? + 1;
    let year = found.name("year").and_then(|year| year.as_str().parse().ok());
    let day = found["day"].parse().ok()?;
    let at = |year: i16| {
        let date = Date::new(year, i8::try_from(month).ok()?, day).ok()?;
        let moment = DateTime::from_parts(date, time_of(&found)?);
        Some(moment.to_zoned(zone_of(&found, now)).ok()?.timestamp())
    };
    match year {
        Some(year) => at(year),
        // Without a year it is the next such day.
        None => at(now.year()).filter(|moment| *moment >= now.timestamp()).or_else(|| at(now.year() + 1)),
    }
}

fn iso(text: &str, now: &Zoned) -> Option<Timestamp> {
    let found =
        captures(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?", text)?;
    let moment: DateTime = format!("{}T{}", &found[1], &found[2]).parse().ok()?;
    let offset = found.get(3).map(|zone| zone.as_str());
    let zone = match offset {
        None => now.time_zone().clone(),
        Some("Z" | "UTC") => TimeZone::UTC,
        Some(offset) => {
            let digits: i32 = offset[1..].replace(':', "").parse().ok()?;
            let seconds = (digits / 100) * 3600 + (digits % 100) * 60;
            let seconds = if offset.starts_with('-') { -seconds } else { seconds };
            jiff::tz::Offset::from_seconds(seconds).ok()?.to_time_zone()
        }
    };
    Some(moment.to_zoned(zone).ok()?.timestamp())
}

fn time_of(found: &Captures<'_>) -> Option<Time> {
    let hour: i8 = found["hour"].parse().ok()?;
    let minute = found.name("minute").map_or(Some(0), |minute| minute.as_str().parse().ok())?;
    let half = found.name("half").map(|half| half.as_str().to_ascii_lowercase());
    let hour = match half.as_deref().map(|half| half.starts_with('p')) {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    Time::new(hour, minute, 0, 0).ok()
}

/// Returns the zone that is named, else that of `now`.
fn zone_of(found: &Captures<'_>, now: &Zoned) -> TimeZone {
    let named = found.name("zone").and_then(|zone| TimeZone::get(zone.as_str()).ok());
    named.unwrap_or_else(|| now.time_zone().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-05-01T22:00:00[UTC]".parse().unwrap()
    }

    /// Returns what is found, as minutes from now.
    fn minutes(text: &str) -> Option<i64> {
        find(text, &ANY, &now()).map(|at| at.duration_since(now().timestamp()).as_mins())
    }

    #[test]
    fn seconds_since_1970_are_understood() {
        let at = now().timestamp().as_second() + 7200;
        assert_eq!(minutes(&format!("Claude AI usage limit reached|{at}")), Some(120));
        assert_eq!(minutes(&format!(r#"{{"type":"usage_limit_reached","resets_at":{at},"x":1}}"#)), Some(120));
        assert_eq!(minutes(&format!("reset_at = {at}000")), Some(120), "milliseconds too");
    }

    #[test]
    fn times_from_now_on_are_understood() {
        for (text, expected) in [
            ("Upgrade to Pro or try again in 2 days 17 hours 14 minutes.", 3914),
            ("You've hit your usage limit. Try again in 2h 15m.", 135),
            ("Your quota will reset after 4h28m20s.", 268),
            ("please retry after 90s", 1),
            ("Please try again in 1 hour and 5 minutes", 65),
            ("HTTP 429\nRetry-After: 120\n", 2),
            (r#"{"resets_in_seconds":13872}"#, 231),
            (r#""retryDelay": "34.5s""#, 0),
        ] {
            assert_eq!(minutes(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn times_of_day_are_the_next_such() {
        for (text, expected) in [
            ("You've hit your limit · resets 1am (UTC)", 180),
            ("Claude usage limit reached. Your limit will reset at 11pm (UTC).", 60),
            ("resets at 3am", 300),
            ("session limit · resets 12:50am", 170),
            ("resets 21:55", -5),
            ("resets 9:30 PM", 23 * 60 + 30),
            ("try again at 12:05 PM", 14 * 60 + 5),
        ] {
            assert_eq!(minutes(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn days_and_iso_times_are_understood() {
        for (text, expected) in [
            ("or try again at May 2nd, 2026 8:19 PM.", 22 * 60 + 19),
            ("resets May 3, 5pm (UTC)", 43 * 60),
            ("limit resets on Jan 1 at 12am (UTC)", 244 * 1440 + 120),
            ("limit until 2026-05-01T23:30:00Z", 90),
            ("limit until 2026-05-02 01:30:00 +0200", 90),
            ("limit until 2026-05-01 22:30", 30),
        ] {
            assert_eq!(minutes(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn text_without_a_time_has_none() {
        for text in
            ["", "limit reached", "resets 3", "try again later", "resets at 25:00", "reset 13pm", "again Foo 3, 5pm"]
        {
            assert_eq!(minutes(text), None, "{text}");
        }
    }
}
