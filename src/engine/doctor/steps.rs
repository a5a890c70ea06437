//! One step of the rehearsal in one slot: alone first, then with everything in sight where it failed alone.

use std::path::PathBuf;

use crate::domain::{Arm, Command, Phase, Reason};
use crate::engine::EngineError;
use crate::engine::harness::CheckFile;
use crate::engine::runner::Failure;
use crate::engine::session::Session;

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
    /// It failed.
    Failed(Failure),
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

    /// Runs the step; a slot's own build and bench are tried with all else hidden first, where `hide` is set. It is
    /// cleared when hiding turns out not to work here.
    pub(super) fn run(&self, session: &mut Session<'_, '_>, arm: Arm, hide: &mut bool) -> Result<Outcome, EngineError> {
        if !(*hide && matches!(self, Self::Build | Self::Bench | Self::Holdout)) {
            return Ok(self.once(session, arm)?.map_or_else(Outcome::Failed, Outcome::Done));
        }
        let objects = session.user.common_dir().join("objects");
        session.bench.seclude(Some(arm), &objects);
        let alone = self.once(session, arm);
        session.bench.seclude(None, &objects);
        let alone = match alone {
            Ok(Ok(seconds)) => return Ok(Outcome::Done(seconds)),
            // A tracked file that was rewritten has nothing to do with what is in sight.
            Ok(Err(failure)) if rewrote(&failure) => return Ok(Outcome::Failed(failure)),
            Ok(Err(failure)) => Some(failure),
            // The probe promised more than these paths allow; the command itself did not run.
            Err(EngineError::Process(_)) => None,
            Err(error) => return Err(error),
        };
        *hide &= alone.is_some();
        Ok(match (self.once(session, arm)?, alone) {
            (Ok(seconds), Some(alone)) => Outcome::NotAlone(seconds, alone),
            (Ok(seconds), None) => Outcome::Done(seconds),
            (Err(failure), _) => Outcome::Failed(failure),
        })
    }

    fn once(&self, session: &mut Session<'_, '_>, arm: Arm) -> Result<Result<f64, Failure>, EngineError> {
        let log = self.log(session, arm);
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
