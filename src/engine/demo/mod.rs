//! The demo's own work: a scratch repository, what was found, what one noisy run would have said, and the truth.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::{Direction, Event, ExperimentId, Observer, RunSummary, Settings, Status, Validated};
use crate::process::Tool;

use super::EngineError;
use super::truth::{Agreement, Expected, Truth, judge};

mod orders;

pub use orders::shuffled;

/// What became of one candidate, and what its first run alone would have said.
#[derive(Debug, Clone)]
pub struct Found {
    /// File name of the patch.
    pub patch: String,
    /// The settling line.
    pub run: RunSummary,
    /// Bench runs used, both arms.
    pub runs: u32,
    /// What keeping whatever beats the best number so far would have done; `None` where it was never measured.
    pub naive_keep: Option<bool>,
}

/// Listens to a session and collects what the demo shows.
#[derive(Debug, Default)]
pub struct Collector {
    direction: Direction,
    primary: Option<crate::domain::MetricName>,
    sources: BTreeMap<ExperimentId, String>,
    first: BTreeMap<ExperimentId, f64>,
    runs: BTreeMap<ExperimentId, u32>,
    best: Option<f64>,
    found: Vec<Found>,
    validated: Option<Validated>,
}

impl Collector {
    /// Returns what was found, in the order of the experiments, and the last validation of all keeps.
    pub fn found(self) -> (Vec<Found>, Option<Validated>) {
        (self.found, self.validated)
    }

    /// Judges as peers do: the first run of the candidate against the best number recorded so far.
    fn naive(&mut self, id: ExperimentId) -> Option<bool> {
        let value = *self.first.get(&id)?;
        let better = match (self.best, self.direction) {
            (None, _) => false,
            (Some(best), Direction::Lower) => value < best,
            (Some(best), Direction::Higher) => value > best,
        };
        if better || self.best.is_none() {
            self.best = Some(value);
        }
        Some(better)
    }

    fn settled(&mut self, id: ExperimentId, run: &RunSummary) {
        let naive_keep = self.naive(id);
        let Some(source) = self.sources.remove(&id) else { return };
        let patch = source.rsplit('/').next().unwrap_or(&source).to_owned();
        let runs = self.runs.get(&id).copied().unwrap_or(0);
        self.found.push(Found { patch, run: run.clone(), runs, naive_keep });
    }
}

impl Observer for Collector {
    fn event(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        match (event, experiment) {
            (Event::Configured(configured), _) => {
                self.direction = configured.best_direction;
                self.primary = Some(configured.metric_name.clone());
            }
            (Event::Proposed(proposed), Some(id)) => {
                self.sources.insert(id, proposed.source.to_string());
            }
            (Event::Pair(attempt), Some(id)) => {
                *self.runs.entry(id).or_default() += 2;
                let value = self.primary.as_ref().and_then(|p| attempt.candidate.as_ref()?.metrics.get(p));
                if let Some(value) = value {
                    self.first.entry(id).or_insert(*value);
                }
            }
            (Event::Run(run), Some(id)) => self.settled(id, run),
            (Event::Validated(validated), None) if validated.without.is_none() => {
                self.validated = Some((**validated).clone());
            }
            _ => {}
        }
    }
}

/// One line of the demo's table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is true.
    pub truth: Truth,
    /// What was found, where it was tried.
    pub found: Option<Found>,
    /// Whether the two agree.
    pub agreement: Agreement,
}

impl Row {
    /// Says whether nothing speaks against the loop here.
    pub fn agrees(&self) -> bool {
        match self.agreement {
            Agreement::Agrees | Agreement::Undefined { .. } => true,
            Agreement::Differs | Agreement::OutOfBand { .. } | Agreement::NotTried => false,
        }
    }

    /// Says whether keeping by one noisy run would have been wrong here; `None` where it was never measured.
    pub fn naive_is_wrong(&self) -> Option<bool> {
        let kept = self.found.as_ref()?.naive_keep?;
        let is_right = |e: &Expected| (e.status == Status::Keep) == kept;
        Some(!self.truth.expected.iter().any(is_right))
    }
}

/// Puts truth and findings side by side, in the order of the truth file.
pub fn rows(truths: &[Truth], found: &[Found], settings: &Settings) -> Vec<Row> {
    let runs: BTreeMap<String, RunSummary> = found.iter().map(|f| (f.patch.clone(), f.run.clone())).collect();
    let row = |truth: &Truth| Row {
        agreement: judge(truth, &runs, settings.primary.direction),
        found: found.iter().find(|f| f.patch == truth.patch).cloned(),
        truth: truth.clone(),
    };
    truths.iter().map(row).collect()
}

/// Makes a folder a git repository with one commit of everything in it but the candidates and their truth.
pub fn make_repository(folder: &Path) -> Result<(), EngineError> {
    let exclude = folder.join(".git/info/exclude");
    git(folder, &["init", "-q", "-b", "main"])?;
    git(folder, &["config", "user.name", "autoresearch demo"])?;
    git(folder, &["config", "user.email", "demo@localhost"])?;
    std::fs::write(&exclude, "/candidates/\n/truth.json\n")
        .map_err(|source| EngineError::io("write", &exclude, source))?;
    git(folder, &["add", "-A"])?;
    git(folder, &["-c", "commit.gpgsign=false", "commit", "-q", "--no-verify", "-m", "The workload of the demo"])
}

/// Fetches a branch of another demo's repository under a name of its own.
pub fn fetch_branch(into: &Path, from: &Path, branch: &str, name: &str) -> Result<(), EngineError> {
    let refs = format!("+refs/heads/{branch}:refs/heads/{name}");
    git(into, &["fetch", "-q", &from.to_string_lossy(), &refs])
}

fn git(folder: &Path, args: &[&str]) -> Result<(), EngineError> {
    let output = Tool::new("git", folder)
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .run()?;
    if output.code == 0 {
        return Ok(());
    }
    let reason = format!("'git {}' failed in {}: {}", args.join(" "), folder.display(), output.stderr.trim());
    Err(EngineError::Refused { reason, cure: "is git 2.36 or later installed?".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_naive_rule_keeps_whatever_beats_the_best_number_so_far() {
        let mut collector = Collector { best: Some(10.0), ..Collector::default() };
        for (id, value, kept) in [(1, 9.0, true), (2, 9.5, false), (3, 8.9, true)] {
            collector.first.insert(ExperimentId(id), value);
            assert_eq!(collector.naive(ExperimentId(id)), Some(kept));
        }
        assert_eq!(collector.naive(ExperimentId(4)), None);
    }
}
