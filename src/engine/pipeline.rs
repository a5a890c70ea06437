//! One experiment, in order: screen, apply, build, check, measure, decide, holdout, settle. Prints nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use crate::domain::{
    Arm, CheckOrder, Comparison, Decided, Event, Exit, Flag, MetricName, ObjectId, Phase, PhaseEnded, PhaseStarted,
    Proposal, Reason, RunSummary, Screened, Screening, SentinelOutcome, Status,
};
use crate::policy;

use super::EngineError;
use super::recorder::Durability;
use super::runner::Failure;
use super::session::Session;
use super::summary::metric_row;
use super::workbench::Attempt;

/// Times that a command may fail in both arms before the baseline counts as broken.
pub(super) const BASELINE_TRIES: u32 = 3;

/// Why an experiment goes no further: what it is dropped for.
#[derive(Debug, Clone)]
pub(super) struct Dropped {
    /// The reason.
    pub reason: Reason,
    /// What exactly, in one line.
    pub detail: String,
    /// What the numbers said, where it came to numbers.
    pub comparison: Option<Comparison>,
    /// What became of each held-out metric, where it came to the holdout.
    pub holdout: Vec<SentinelOutcome>,
}

impl Dropped {
    /// Drops for a reason that no number gave.
    pub(super) fn by(reason: Reason, detail: String) -> Self {
        Self { reason, detail, comparison: None, holdout: Vec::new() }
    }
}

impl From<Failure> for Dropped {
    fn from(failure: Failure) -> Self {
        Self::by(failure.reason, failure.detail)
    }
}

/// The result of a step that may end the experiment; the outer error ends the session.
pub(super) type Step<T> = Result<Result<T, Dropped>, EngineError>;

/// Hands the value of a step on, or returns its drop from the enclosing function.
macro_rules! step {
    ($expression:expr) => {
        match $expression? {
            Ok(value) => value,
            Err(dropped) => return Ok(Err(dropped.into())),
        }
    };
}
pub(super) use step;

/// Whether a keep moves the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// A keep is committed and the branch moves.
    Yes,
    /// The candidate is only judged (`try --no-commit`).
    No,
}

impl Session<'_, '_> {
    /// Takes one proposal through the whole pipeline and returns its settling line.
    pub fn experiment(&mut self, proposal: &Proposal, commit: Commit) -> Result<RunSummary, EngineError> {
        let outcome = self.stages(proposal)?;
        let kept = match (&outcome, commit) {
            (Ok(kept), Commit::Yes) => Some(self.commit_keep(proposal, kept)?),
            (Ok(_), Commit::No) | (Err(_), _) => None,
        };
        self.settle(outcome, kept, commit)
    }

    /// Settles a candidate of which nothing can be screened.
    pub(super) fn refuse(&mut self, reason: Reason, detail: &str) -> Result<RunSummary, EngineError> {
        let refused = Screening::Refused { reason, detail: detail.to_owned() };
        let screened = Screened {
            outcome: refused,
            patch_id: None,
            touched: Vec::new(),
            lines_removed: None,
            warnings: Vec::new(),
        };
        if self.recorder.facts().screened.is_none() {
            self.recorder.experiment(Event::Screened(Box::new(screened)), Durability::Synced)?;
        }
        self.settle(Err(Dropped::by(reason, detail.to_owned())), None, Commit::No)
    }

    fn stages(&mut self, proposal: &Proposal) -> Step<Kept> {
        if let Some(why) = self.lost_evidence() {
            return Ok(Err(Dropped::by(Reason::Inconclusive, why)));
        }
        let tree = step!(self.screen(proposal));
        let mut kept = step!(self.try_tree(tree));
        kept.flags.extend(policy::mechanism_unconfirmed(&proposal.asi, &self.changes()));
        Ok(Ok(kept))
    }

    /// Takes a tree from the build to the verdict.
    pub(super) fn try_tree(&mut self, tree: ObjectId) -> Step<Kept> {
        self.bench.lay(&tree)?;
        step!(self.build_candidate());
        let checks_first = self.settings.checks.order == CheckOrder::ChecksFirst;
        if checks_first {
            step!(self.check_candidate());
        }
        let comparison = step!(self.race());
        let decision = policy::decide(&comparison, self.settings.decision.strict);
        if decision.reason.status() != Status::Keep {
            let dropped = Dropped::by(decision.reason, decision.detail);
            return Ok(Err(Dropped { comparison: Some(comparison), ..dropped }));
        }
        if !checks_first {
            step!(self.check_candidate());
        }
        let proof = step!(self.prove(&tree, &comparison));
        let held = step!(self.hold_out(&decision, &comparison));
        let words = [Some(decision.detail), proof, held.detail];
        let detail = words.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let told = held.flags.into_iter().filter(|flag| !decision.flags.contains(flag)).collect::<Vec<_>>();
        let flags = decision.flags.into_iter().chain(told).chain(self.rebuild_is_due()).collect();
        Ok(Ok(Kept { tree, comparison, reason: decision.reason, flags, detail, holdout: held.outcomes }))
    }

    /// Returns the interval of each metric's change over the pairs so far, in percent or in its unit.
    fn changes(&self) -> BTreeMap<MetricName, (f64, f64)> {
        let pairs = self.recorder.facts().pairs();
        let names = pairs.first().map(|pair| pair.candidate.metrics.keys().cloned().collect::<Vec<_>>());
        let change = |name: MetricName| {
            let change = metric_row(self.lens(), &name, &pairs)?.change?;
            Some((name, (change.low, change.high)))
        };
        names.unwrap_or_default().into_iter().filter_map(change).collect()
    }

    fn build_candidate(&mut self) -> Step<()> {
        if self.settings.build.is_none() {
            return Ok(Ok(()));
        }
        let log = self.log(Phase::Build, None);
        let built = self.phase(Phase::Build, None, |session| {
            let _host = session.host_lock()?;
            session.bench.build(Arm::Candidate, log)
        })?;
        Ok(built.map(|_| ()).map_err(Dropped::from))
    }

    /// Runs every check; one that fails, or runs fewer tests, is run on the baseline before the candidate is blamed.
    pub(super) fn check_candidate(&mut self) -> Step<()> {
        for check in self.bench.harness().checks() {
            let checked = step!(self.blamed(Phase::Check, Some(&check.name), |session, arm| {
                let log = session.log(Phase::Check, Some(&format!("{}{}", check.name, suffix(arm))));
                session.bench.check(arm, &check.path, log)
            }));
            step!(self.compare_inventory(&check, checked.tests));
        }
        Ok(Ok(()))
    }

    /// Runs a command for the candidate; when it fails and fails on the baseline too, the attempt is void.
    pub(super) fn blamed<T: ExitOf>(
        &mut self,
        phase: Phase,
        what: Option<&str>,
        mut run: impl FnMut(&mut Self, Arm) -> Attempt<T>,
    ) -> Step<T> {
        let mut last = None;
        for _ in 0..BASELINE_TRIES {
            let failure = match self.phase(phase, what, |session| run(session, Arm::Candidate))? {
                Ok(value) => return Ok(Ok(value)),
                Err(failure) => failure,
            };
            match run(self, Arm::Baseline)? {
                Ok(_) => return Ok(Err(named(failure, what).into())),
                Err(baseline) => last = Some(baseline),
            }
        }
        let detail = last.map(|failure| named(failure, what).detail).unwrap_or_default();
        Err(self.broken(detail))
    }

    /// Runs one phase between its two events.
    pub(super) fn phase<T: ExitOf>(
        &mut self,
        phase: Phase,
        what: Option<&str>,
        run: impl FnOnce(&mut Self) -> Attempt<T>,
    ) -> Attempt<T> {
        self.pause_point()?;
        let what = what.map(str::to_owned);
        let started = PhaseStarted { phase, what: what.clone() };
        self.recorder.experiment(Event::PhaseStarted(started), Durability::Written)?;
        let clock = Instant::now();
        let result = run(self)?;
        let (exit, failure) = match &result {
            Ok(value) => (value.exit(), None),
            Err(failure) => (failure.exit, Some(failure.detail.clone())),
        };
        let ended = PhaseEnded { phase, what, seconds: clock.elapsed().as_secs_f64(), exit, failure };
        self.recorder.experiment(Event::PhaseEnded(Box::new(ended)), Durability::Written)?;
        Ok(result)
    }

    /// Returns the path of a log of the experiment under way, without its ending.
    pub(super) fn log(&self, phase: Phase, what: Option<&str>) -> PathBuf {
        let id = self.recorder.facts().id.unwrap_or(crate::domain::ExperimentId::BASELINE);
        let folder = if phase == Phase::Holdout { self.places.held_out(id) } else { self.places.run(id) };
        folder.join(super::logs::stem(phase, what))
    }

    /// Journals what becomes of the experiment under way, and does it.
    pub(super) fn settle(
        &mut self,
        outcome: Result<Kept, Dropped>,
        commit: Option<ObjectId>,
        mode: Commit,
    ) -> Result<RunSummary, EngineError> {
        let tip = self.bench.tip().clone();
        let decided = match outcome {
            Ok(kept) => Decided {
                status: Status::Keep,
                reason: kept.reason,
                detail: kept.detail,
                flags: kept.flags,
                comparison: Some(kept.comparison),
                holdout: kept.holdout,
                moves_branch: mode == Commit::Yes,
                commit,
                tip,
            },
            Err(dropped) => Decided {
                status: dropped.reason.status(),
                reason: dropped.reason,
                detail: dropped.detail,
                flags: Vec::new(),
                comparison: dropped.comparison,
                holdout: dropped.holdout,
                commit: None,
                tip,
                moves_branch: mode == Commit::Yes,
            },
        };
        self.recorder.experiment(Event::Decided(Box::new(decided.clone())), Durability::Synced)?;
        self.finish(&decided)
    }
}

/// A candidate that passed every stage.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The tree computed at Apply, which is what gets committed.
    pub tree: ObjectId,
    /// What the numbers say.
    pub comparison: Comparison,
    /// Why it is kept.
    pub reason: Reason,
    /// Remarks.
    pub flags: Vec<Flag>,
    /// The verdict in one line.
    pub detail: String,
    /// What became of each held-out metric.
    pub holdout: Vec<SentinelOutcome>,
}

/// Results of commands that may say how their process ended.
pub(super) trait ExitOf {
    /// Returns the exit, where a process ran.
    fn exit(&self) -> Option<Exit>;
}

impl ExitOf for Exit {
    fn exit(&self) -> Option<Exit> {
        Some(*self)
    }
}

impl ExitOf for Option<Exit> {
    fn exit(&self) -> Option<Exit> {
        *self
    }
}

impl<T> ExitOf for (T, Exit) {
    fn exit(&self) -> Option<Exit> {
        Some(self.1)
    }
}

impl ExitOf for () {
    fn exit(&self) -> Option<Exit> {
        None
    }
}

fn suffix(arm: Arm) -> &'static str {
    match arm {
        Arm::Candidate => "",
        Arm::Baseline => "-baseline",
    }
}

fn named(mut failure: Failure, what: Option<&str>) -> Failure {
    if let Some(what) = what {
        failure.detail = format!("{what}: {}", failure.detail);
    }
    failure
}
