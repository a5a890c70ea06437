//! One step of the rehearsal in one slot, and what it lacks where it fails.

use std::path::PathBuf;

use crate::domain::{Arm, Command, Phase, Reason};
use crate::engine::EngineError;
use crate::engine::harness::CheckFile;
use crate::engine::reach::Ease;
use crate::engine::runner::Failure;
use crate::engine::session::Session;

use super::remedy::{self, Need};

/// A command of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `prepare`.
    Prepare,
    /// `build`.
    Build,
    /// One check.
    Check(CheckFile),
    /// One run of the bench.
    Bench,
    /// One run of the holdout.
    Holdout,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It did its work, in so many seconds.
    Done(f64),
    /// It did its work only while it could reach the other slot or the user's checkout.
    NotAlone(f64, Failure),
    /// It failed, perhaps for want of something that the sandbox keeps from it.
    Failed(Failure, Option<Need>),
}

impl Step {
    /// Returns the name of the check that reports on the step.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Build => "build",
            Self::Check(_) => "checks",
            Self::Bench => "bench",
            Self::Holdout => "holdout",
        }
    }

    /// Returns the command's words as a person wrote them.
    pub(super) fn command(&self, session: &Session<'_, '_>) -> String {
        let text = |command: &Command| command.to_string();
        let settings = session.settings;
        match self {
            Self::Prepare => settings.prepare.as_ref().map(|prepare| text(&prepare.command)).unwrap_or_default(),
            Self::Build => settings.build.as_ref().map(|build| text(&build.command)).unwrap_or_default(),
            Self::Check(check) => check.path.clone(),
            Self::Bench => text(&settings.bench.command),
            Self::Holdout => settings.holdout.as_ref().map(|holdout| text(&holdout.command)).unwrap_or_default(),
        }
    }

    /// Returns the log's path without its ending.
    pub(super) fn log(&self, session: &Session<'_, '_>, arm: Arm) -> PathBuf {
        let arm = arm.to_string();
        match self {
            Self::Prepare => session.log(Phase::Prepare, Some(&arm)),
            Self::Build => session.log(Phase::Build, Some(&arm)),
            Self::Check(check) => session.log(Phase::Check, Some(&check.name)),
            Self::Bench => session.log(Phase::Measure, Some(&format!("00-{arm}"))),
            Self::Holdout => session.log(Phase::Holdout, Some(&arm)),
        }
    }

    /// Runs the step as a session would, and finds out what it lacks where it fails.
    pub(super) fn run(&self, session: &mut Session<'_, '_>, arm: Arm) -> Result<Outcome, EngineError> {
        let log = self.log(session, arm);
        let failure = match self.once(session, arm, log)? {
            Ok(seconds) => return Ok(Outcome::Done(seconds)),
            // A tracked file that was rewritten has nothing to do with what is in reach.
            Err(failure) if rewrote(&failure) => return Ok(Outcome::Failed(failure, None)),
            Err(failure) => failure,
        };
        let need = remedy::find(session, self, arm)?;
        if need != Some(Need::Project) {
            return Ok(Outcome::Failed(failure, need));
        }
        // The rest of the rehearsal goes on with them in sight.
        session.bench.ease(Ease { project: true, ..Ease::default() });
        let again = self.once(session, arm, self.log(session, arm))?;
        Ok(match again {
            Ok(seconds) => Outcome::NotAlone(seconds, failure),
            Err(failure) => Outcome::Failed(failure, None),
        })
    }

    /// Runs the step once.
    pub(super) fn once(
        &self,
        session: &mut Session<'_, '_>,
        arm: Arm,
        log: PathBuf,
    ) -> Result<Result<f64, Failure>, EngineError> {
        let clock = std::time::Instant::now();
        let result = match self {
            Self::Prepare => session.bench.prepare(arm, log)?,
            Self::Build => {
                let _host = session.host_lock()?;
                session.bench.build(arm, log)?.map(drop)
            }
            Self::Check(check) => session
                .bench
                .check(arm, &check.path, log)?
                .map(|checked| session.inventory.saw(&check.name, checked.tests)),
            Self::Bench => session.one_run(arm, log)?.map(drop),
            Self::Holdout => session.one_held_run(arm, log)?.map(drop),
        };
        Ok(result.map(|()| clock.elapsed().as_secs_f64()))
    }
}

/// Says whether a failure is that tracked files were rewritten.
pub(super) fn rewrote(failure: &Failure) -> bool {
    matches!(failure.reason, Reason::TreeChanged | Reason::HarnessChanged)
}
