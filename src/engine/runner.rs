//! Runs one configured command in one slot: environment, limits, logs, and a look at the slot afterwards.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{Command, Exit, Outcome, Phase, Reason, Settings};
use crate::git;
use crate::policy;
use crate::process::{self, Environment, Interrupts, Job, JobLimits, ProcessError, SupervisorProgram};

use super::EngineError;
use super::places::Places;
use super::reach::{Ease, Reach};

/// Time between TERM and KILL for a command that ran into its limit.
const GRACE: Duration = Duration::from_secs(2);

/// The temporary folder in a slot's private one, emptied so that nothing passes from one command to the next by it.
const TMP: &str = "tmp";

/// What the logs of a command are called while it runs: it sees their path, which must not tell it its arm.
const RUNNING: &str = "command";

/// What a command is run for and where its output goes.
#[derive(Debug)]
pub(super) struct Errand<'a> {
    /// The phase that it belongs to.
    pub phase: Phase,
    /// The command.
    pub command: &'a Command,
    /// Time limit.
    pub limit: Duration,
    /// Path of the log without its ending; `.out` and `.err` are added.
    pub log: PathBuf,
    /// Whether it may use the network whatever the sandbox says (`prepare.network`).
    pub network: bool,
    /// Further environment variables.
    pub env: Vec<(OsString, OsString)>,
}

impl Errand<'_> {
    /// Returns where standard output goes.
    pub(super) fn stdout(&self) -> PathBuf {
        with_ending(&self.log, "out")
    }

    /// Returns where standard error goes.
    pub(super) fn stderr(&self) -> PathBuf {
        with_ending(&self.log, "err")
    }
}

/// Returns the path of a log with its ending, `out` or `err`.
pub(super) fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    PathBuf::from(path)
}

/// Why a command did not do its work.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The reason as a settled experiment would state it.
    pub reason: Reason,
    /// What happened, in one line.
    pub detail: String,
    /// How the command ended, where it ran.
    pub exit: Option<Exit>,
}

/// Runs commands for one session.
pub(super) struct Runner<'a> {
    settings: &'a Settings,
    places: &'a Places,
    supervisor: &'a SupervisorProgram,
    interrupts: &'a Interrupts,
    /// The environment that the program itself was started in, from which the allow-list picks.
    inherited: Vec<(OsString, OsString)>,
    reach: Reach,
}

impl<'a> Runner<'a> {
    /// Binds the runner to a session.
    pub(super) fn new(
        (settings, places): (&'a Settings, &'a Places),
        reach: Reach,
        supervisor: &'a SupervisorProgram,
        interrupts: &'a Interrupts,
        inherited: Vec<(OsString, OsString)>,
    ) -> Self {
        Self { settings, places, supervisor, interrupts, inherited, reach }
    }

    /// Returns what commands can reach.
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Grants every command more from now on, for a trial; the default ends that.
    pub(super) fn ease(&mut self, ease: Ease) {
        self.reach.ease(ease);
    }

    /// Returns the environment that the program was started in.
    pub(super) fn inherited(&self) -> &[(OsString, OsString)] {
        &self.inherited
    }

    /// Removes a slot's copies of the caches that the settings name.
    pub(super) fn drop_caches(&self, slot: &str) -> Result<(), EngineError> {
        self.reach.drop_caches(&self.places.slot_home(slot))
    }

    /// Hides files and folders from every command for good, where the machine can.
    pub(super) fn keep_secret(&mut self, secret: Vec<PathBuf>) {
        self.reach.keep_secret(secret);
    }

    /// Runs a command in a slot to its end. `Ok(Err(_))` is the command's failure, `Err(_)` is ours.
    pub(super) fn run(&self, slot: SlotPlace<'_>, errand: &Errand<'_>) -> Result<Result<Exit, Failure>, EngineError> {
        let job = self.job(slot, errand)?;
        let ended = process::run(self.supervisor, &job, self.interrupts);
        for (running, log) in [(&job.stdout, errand.stdout()), (&job.stderr, errand.stderr())] {
            name_log(running, &log)?;
        }
        let exit = match ended {
            Err(error @ ProcessError::NoReport { .. }) => return self.unsupervised(errand, error),
            ended => ended?,
        };
        if exit.outcome == Outcome::Aborted && self.interrupts.abort_requested() {
            return Err(EngineError::Interrupted);
        }
        Ok(match failure(errand.phase, exit.outcome) {
            None => Ok(exit),
            Some(reason) => Err(Failure { reason, detail: describe(errand, slot.root, &exit), exit: Some(exit) }),
        })
    }

    /// Makes the death of a supervisor the failure of its command, which alone is near enough to cause it. Where it is
    /// not to blame, the baseline's run tells.
    fn unsupervised(&self, errand: &Errand<'_>, error: ProcessError) -> Result<Result<Exit, Failure>, EngineError> {
        let killed = matches!(&error, ProcessError::NoReport { status, .. } if status.code().is_none());
        match failure(errand.phase, Outcome::Aborted) {
            Some(reason) if killed && !self.interrupts.abort_requested() => {
                Ok(Err(Failure { reason, detail: error.to_string(), exit: None }))
            }
            Some(_) | None => Err(error.into()),
        }
    }

    /// Runs a program of the user's, which is no part of what is measured, as the job says.
    pub(super) fn run_outside(&self, job: &Job) -> Result<Exit, ProcessError> {
        process::run(self.supervisor, job, self.interrupts)
    }

    fn job(&self, slot: SlotPlace<'_>, errand: &Errand<'_>) -> Result<Job, EngineError> {
        let home = self.places.slot_home(slot.name);
        let tmp = home.join(TMP);
        git::remove_below(&home, TMP)?;
        if let Some(folder) = errand.log.parent() {
            std::fs::create_dir_all(folder).map_err(|source| EngineError::io("create folder", folder, source))?;
        }
        let names = [self.settings.sandbox.env.as_slice(), &self.reach.eased().env].concat();
        let environment = Environment { home: &home, tmp: &tmp, names: &names, added: &errand.env };
        self.reach.copy_caches(&home)?;
        environment.create_folders(self.inherited.iter().cloned())?;
        let env = environment.variables(self.inherited.iter().cloned());
        Ok(Job {
            command: errand.command.clone(),
            dir: slot.root.join(&self.settings.working_dir),
            env,
            stdin: None,
            stdout: with_ending(&errand.log.with_file_name(RUNNING), "out"),
            stderr: with_ending(&errand.log.with_file_name(RUNNING), "err"),
            time_limit: errand.limit,
            grace: GRACE,
            limits: self.limits(),
            cores: self.settings.host.pin.clone().filter(|_| is_measured(errand.phase)),
            confinement: self.reach.confine(slot.root, &home, errand.network),
        })
    }

    /// Cuts the kept logs of a finished command to `limits.logBytes`.
    pub(super) fn trim_logs(&self, errand: &Errand<'_>) -> Result<(), EngineError> {
        for log in [errand.stdout(), errand.stderr()] {
            process::trim_log(&log, self.settings.limits.log_bytes)?;
        }
        Ok(())
    }

    fn limits(&self) -> JobLimits {
        let limits = &self.settings.limits;
        JobLimits {
            output_bytes: limits.output_bytes,
            memory_bytes: limits.memory_bytes,
            processes: limits.processes,
            file_bytes: limits.file_bytes,
            disk_free_bytes: Some(limits.disk_free_bytes),
        }
    }
}

/// Says whether a phase's commands are pinned: what is measured is, what builds and checks is not.
fn is_measured(phase: Phase) -> bool {
    match phase {
        Phase::Warmup | Phase::Measure | Phase::Holdout => true,
        Phase::Screen
        | Phase::Apply
        | Phase::Prepare
        | Phase::Build
        | Phase::Check
        | Phase::Decide
        | Phase::VerifyClean
        | Phase::Confirm
        | Phase::Settle => false,
    }
}

/// Where a command runs: a slot's name and root folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlotPlace<'a> {
    /// `a` or `b`.
    pub name: &'a str,
    /// The worktree.
    pub root: &'a Path,
}

/// Gives the log of a command that has ended its own name.
fn name_log(running: &Path, log: &Path) -> Result<(), EngineError> {
    match std::fs::rename(running, log) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(EngineError::io("name", log, source)),
        _ => Ok(()),
    }
}

/// Returns the reason of an end that is no success. An abort that nobody here asked for is one that the command asked its
/// supervisor for. What prepares a slot fails for no candidate: there the reason only says that it failed.
fn failure(phase: Phase, outcome: Outcome) -> Option<Reason> {
    match outcome {
        Outcome::Code(0) => None,
        Outcome::Aborted => failure(phase, Outcome::Code(-1)),
        Outcome::Code(_) | Outcome::Signal(_) | Outcome::TimedOut | Outcome::LimitBroken(_) => {
            policy::failure(phase, outcome).or(Some(Reason::BuildFailed))
        }
    }
}

/// Says in one line how a command ended, with the last words that it left; what lies in the slot is named from there.
fn describe(errand: &Errand<'_>, slot: &Path, exit: &Exit) -> String {
    let command = errand.command.to_string().replace(&format!("{}/", slot.display()), "");
    match exit.outcome {
        Outcome::TimedOut => format!("'{command}' did not end within {:.1} s", errand.limit.as_secs_f64()),
        Outcome::LimitBroken(_) => format!("'{command}' broke its {}", exit.outcome),
        Outcome::Code(_) | Outcome::Signal(_) | Outcome::Aborted => match super::logs::last_line(&errand.stderr()) {
            Some(line) => format!("'{command}' ended with {}: {line}", exit.outcome),
            None => format!("'{command}' ended with {}", exit.outcome),
        },
    }
}
