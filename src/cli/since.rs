//! A point from which on experiments are listed, as `--since` takes it.

use jiff::civil::DateTime;
use jiff::{Span, Timestamp, Zoned};

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// An experiment's number.
    Experiment(u32),
    /// A moment.
    Moment(Timestamp),
}

impl Since {
    /// Reads `#40`, a span before now such as `12h`, or a date with or without a time of day in the local time zone.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        Self::read_at(text, &Zoned::now())
    }

    fn read_at(text: &str, now: &Zoned) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || "write an experiment (#40), a span before now (12h, 2d) or a date (2026-11-20)".to_owned();
        if let Some(number) = text.strip_prefix('#') {
            return number.parse().map(Self::Experiment).map_err(|_| wrong());
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self::Moment(moment));
        }
        if let Ok(date) = text.parse::<DateTime>() {
            let local = date.to_zoned(now.time_zone().clone()).map_err(|_| wrong())?;
            return Ok(Self::Moment(local.timestamp()));
        }
        let span: Span = text.parse().map_err(|_| wrong())?;
        let then = now.checked_sub(span.abs()).map_err(|_| wrong())?;
        Ok(Self::Moment(then.timestamp()))
    }

    /// Says whether what has this number and was settled at this moment is from then on.
    pub(super) fn includes(self, number: u32, at: Option<Timestamp>) -> bool {
        match self {
            Self::Experiment(first) => number >= first,
            Self::Moment(moment) => at.is_some_and(|at| at >= moment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let now: Zoned = "2026-11-24T12:00:00+01:00[+01:00]".parse().unwrap();
        Since::read_at(text, &now).map(|since| match since {
            Since::Experiment(number) => format!("#{number}"),
            Since::Moment(moment) => moment.to_string(),
        })
    }

    #[test]
    fn a_number_a_span_a_date_and_a_moment_are_read() {
        assert_eq!(read("#40").unwrap(), "#40");
        assert_eq!(read("12h").unwrap(), "2026-11-23T23:00:00Z");
        assert_eq!(read("2d").unwrap(), "2026-11-22T11:00:00Z");
        assert_eq!(read("2026-11-20").unwrap(), "2026-11-19T23:00:00Z");
        assert_eq!(read("2026-11-20T07:30").unwrap(), "2026-11-20T06:30:00Z");
        assert_eq!(read("2026-11-20T07:30Z").unwrap(), "2026-11-20T07:30:00Z");
    }

    #[test]
    fn anything_else_is_refused_with_what_can_be_written() {
        for text in ["", "#", "#x", "soon", "40", "2026-13-01"] {
            assert!(read(text).unwrap_err().contains("#40"), "{text}");
        }
    }
}
