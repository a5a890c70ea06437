//! One check after it ran.

use std::path::PathBuf;

use crate::domain::{Exit, Outcome, Reason};

/// One executable of the checks folder after it ran in a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRun {
    /// The check: its file name.
    pub name: String,
    /// How it ended.
    pub exit: Exit,
    /// Where its output is kept.
    pub log: PathBuf,
}

impl CheckRun {
    /// Returns why a candidate is dropped for it, and which check it was; `None` when it exited with code 0.
    ///
    /// Whoever aborted the run (`Outcome::Aborted`) does not ask: it says nothing about the candidate.
    pub fn failure(&self) -> Option<(Reason, String)> {
        let reason = match self.exit.outcome {
            Outcome::Code(0) => return None,
            Outcome::Code(_) | Outcome::Signal(_) | Outcome::Aborted => Reason::CheckFailed,
            Outcome::TimedOut => Reason::CheckTimeout,
            Outcome::LimitBroken(_) => Reason::ResourceLimit,
        };
        Some((reason, format!("{}: {}", self.name, self.exit.outcome)))
    }
}
