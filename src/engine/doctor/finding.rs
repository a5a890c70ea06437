//! What a check found, and who is told.

use serde::Serialize;
use serde_json::{Map, Value};

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is in the way.
    Ok,
    /// A session can run, but something makes its answers slower or worse.
    Warning,
    /// A session cannot run, or its answers could not be believed.
    Failure,
    /// Not looked at, because something else must be mended first.
    Skipped,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The user's repository.
    Repository,
    /// The configuration and what it names.
    Config,
    /// This machine.
    Machine,
    /// The two slots.
    Slots,
    /// The base's own commands in a slot.
    Baseline,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub group: Group,
    /// Short name of the check, such as `identity`.
    pub check: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found, as one sentence or a few.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
    /// Measured facts by name; units are in the names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
}

impl Finding {
    fn new((group, check): (Group, &'static str), verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { group, check, verdict, detail: detail.into(), cure: None, facts: Map::new() }
    }

    /// Says that all is well.
    pub fn ok(check: (Group, &'static str), detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, detail)
    }

    /// Says that something could be better.
    pub fn warning(check: (Group, &'static str), detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, detail)
    }

    /// Says that something must be mended.
    pub fn failure(check: (Group, &'static str), detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Failure, detail)
    }

    /// Says that something was not looked at.
    pub fn skipped(check: (Group, &'static str), detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Skipped, detail)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

/// Is told each finding when it is found.
pub trait Report {
    /// Receives a finding.
    fn found(&mut self, finding: Finding);
    /// Receives what is done now and may take long.
    fn doing(&mut self, what: &str);
    /// Receives how far that is, such as `pair 3 of 10`.
    fn progress(&mut self, how_far: &str);
}

/// Returns the exit code: 0 when nothing failed, 3 when only the baseline did, else 1.
pub fn exit_code(findings: &[Finding]) -> u8 {
    let failed = |test: &dyn Fn(Group) -> bool| findings.iter().any(|f| f.verdict == Verdict::Failure && test(f.group));
    match (failed(&|group| group != Group::Baseline), failed(&|group| group == Group::Baseline)) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_names_what_to_mend_first() {
        let baseline = Finding::failure((Group::Baseline, "build"), "it fails");
        let config = Finding::failure((Group::Config, "commands"), "not found");
        let warning = Finding::warning((Group::Machine, "load"), "busy");
        assert_eq!(exit_code(std::slice::from_ref(&warning)), 0);
        assert_eq!(exit_code(&[warning.clone(), baseline.clone()]), 3);
        assert_eq!(exit_code(&[baseline, config, warning]), 1);
    }
}
