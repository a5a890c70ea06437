//! Commands as people configure them, and their time limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A command: a string for `sh -c`, or an argument list that no shell reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// One line for `sh -c`.
    Shell(String),
    /// Program and arguments; never empty.
    Argv(Vec<String>),
}

impl Command {
    /// Returns the argument vector that starts the command.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Shell(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
            Self::Argv(argv) => argv.clone(),
        }
    }

    /// Returns the words of the command, split at blanks for a shell line (quotes are not read).
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Shell(line) => line.split_whitespace().collect(),
            Self::Argv(argv) => argv.iter().map(String::as_str).collect(),
        }
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shell(line) => f.write_str(line),
            Self::Argv(argv) => f.write_str(&argv.join(" ")),
        }
    }
}

/// A time limit as configured: a number of seconds, or learned from the calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimeLimit {
    /// A limit in seconds.
    Seconds(f64),
    /// Five times the calibrated median, at least ten seconds.
    Calibrated,
}

impl TimeLimit {
    /// Says what applies before anything was calibrated: one hour.
    pub const UNCALIBRATED: Duration = Duration::from_hours(1);

    /// Resolves the limit from the calibrated median in seconds, where there is one.
    pub fn resolve(self, median_seconds: Option<f64>) -> Duration {
        match (self, median_seconds) {
            (Self::Seconds(s), _) => Duration::from_secs_f64(s),
            (Self::Calibrated, Some(median)) => Duration::from_secs_f64((5.0 * median).max(10.0)),
            (Self::Calibrated, None) => Self::UNCALIBRATED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_left_out_is_five_times_the_median_and_at_least_ten_seconds() {
        assert_eq!(TimeLimit::Calibrated.resolve(Some(0.1)), Duration::from_secs(10));
        assert_eq!(TimeLimit::Calibrated.resolve(Some(60.0)), Duration::from_mins(5));
        assert_eq!(TimeLimit::Seconds(2.5).resolve(Some(60.0)), Duration::from_millis(2500));
    }
}
