//! The views as text for a terminal, one file for each command.

mod calibration;
mod claims;
mod evidence_plot;
mod forecast;
mod ideas;
mod imported;
mod log;
mod patch;
mod plot;
mod review;
mod runs_plot;
mod show;
mod status;
mod validation;

pub use calibration::calibration;
pub use claims::claims;
pub use forecast::forecast;
pub use ideas::ideas;
pub use imported::{imported_log, imported_run, imported_status};
pub use log::log;
pub use patch::patch;
pub use review::review;
pub use show::show;
pub use status::status;
pub use validation::validation;

use super::grid::{Tone, one_line};
use crate::domain::Status;

/// Returns the tone in which a status is shown.
pub fn tone(status: Status) -> Tone {
    match status {
        Status::Keep => Tone::Good,
        Status::Discard => Tone::Mild,
        Status::ChecksFailed => Tone::Odd,
        Status::Crash => Tone::Bad,
    }
}

/// Writes one line with a label in front, `label     text`; nothing for an empty text.
fn labelled(label: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{label:<12}{}\n", one_line(text)) }
}

/// Writes evidence against what a keep needs: `ln E 3.1 of 6.9`.
pub fn evidence(ln_e: f64, needed: f64) -> String {
    format!("ln E {ln_e:.1} of {needed:.1}")
}

/// Writes a span of time as people say it: `2.5 ms`, `0.8 s`, `4 min 10 s`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return match 1000.0 * seconds {
            ms if ms >= 99.5 => format!("{seconds:.1} s"),
            ms if ms >= 9.95 => format!("{ms:.0} ms"),
            ms => format!("{ms:.1} ms"),
        };
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a span of time, at least a minute")]
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_in_the_largest_unit_that_fits() {
        assert_eq!(duration(0.84), "0.8 s");
        assert_eq!((duration(0.0421), duration(0.0025)), ("42 ms".to_owned(), "2.5 ms".to_owned()));
        assert_eq!(duration(250.0), "4 min 10 s");
        assert_eq!(duration(7500.0), "2 h 05 min");
    }
}
