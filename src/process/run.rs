//! Runs a job: starts its supervisor, passes requests to stop on, and reads the report.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::error::ProcessError;
use super::interrupts::Interrupts;
use super::job::Job;
use super::tree;
use super::wire::{self, Abilities, Ability, Order, READY, Report, RunOrder, SUPERVISE, SetupFailure};
use crate::domain::{Command, Exit, Outcome, Usage};

/// How often a request to abort is looked at while a job runs.
const ABORT_POLL: Duration = Duration::from_millis(50);
/// How often a supervisor is started again that a Ctrl-C hit before it left the terminal.
const STARTS: u32 = 3;

/// The program that is started as supervisor; clones share what was found out about the machine.
#[derive(Debug, Clone)]
pub struct SupervisorProgram(Arc<Program>);

#[derive(Debug)]
struct Program {
    path: PathBuf,
    /// Keeps the file that `path` names open.
    _open: Option<File>,
    abilities: OnceLock<Abilities>,
}

impl SupervisorProgram {
    /// Names this very program. On Linux its file is held open, so that a build that replaces it changes nothing.
    pub fn current() -> Result<Self, ProcessError> {
        if cfg!(target_os = "linux") {
            let path = PathBuf::from("/proc/self/exe");
            let open = File::open(&path).map_err(|source| ProcessError::Program { path, source })?;
            // The new process looks this name up in its own table of open files, before those close on exec.
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
            return Ok(Self::new(path.into(), Some(open)));
        }
        let path = std::env::current_exe();
        let path = path.map_err(|source| ProcessError::Program { path: "autoresearch".into(), source })?;
        Ok(Self::new(path, None))
    }

    /// Names a program by its file, as tests do.
    pub fn at(path: &Path) -> Self {
        Self::new(path.to_owned(), None)
    }

    fn new(path: PathBuf, open: Option<File>) -> Self {
        Self(Arc::new(Program { path, _open: open, abilities: OnceLock::new() }))
    }

    /// Returns what of a confinement works here; tried once, in a process of its own.
    fn abilities(&self) -> Result<Abilities, ProcessError> {
        if let Some(known) = self.0.abilities.get() {
            return Ok(*known);
        }
        let command = Command::Argv(vec!["probe of the sandbox".to_owned()]);
        let scratch = tempfile::tempdir().map_err(|source| self.start_error(&command, source))?;
        let call = Call { supervisor: self, command: &command, interrupts: &Interrupts::default() };
        match call.ask(&Order::Probe(scratch.path().into()))? {
            Report::Probed(abilities) => Ok(*self.0.abilities.get_or_init(|| abilities)),
            Report::Failed(failure) => Err(call.setup_error(&failure)),
            Report::Ended(_) | Report::Survivors(_) => {
                Err(self.start_error(&command, io::ErrorKind::InvalidData.into()))
            }
        }
    }

    fn start_error(&self, command: &Command, source: io::Error) -> ProcessError {
        ProcessError::Start { program: self.0.path.clone(), command: command.to_string(), source }
    }
}

/// Runs a job to the end of its whole process tree.
///
/// The command's own failure, also that it does not exist (exit code 127, or 126 when it cannot be executed, with a
/// line in its stderr file), is an [`Outcome`]; an error means that nothing is known about the command. A request
/// to abort ends the job ([`Outcome::Aborted`]); one that was made before starts nothing.
pub fn run(supervisor: &SupervisorProgram, job: &Job, interrupts: &Interrupts) -> Result<Exit, ProcessError> {
    if interrupts.abort_requested() {
        return Ok(Exit { outcome: Outcome::Aborted, usage: Usage::default() });
    }
    let abilities = if job.confinement.enforce { Some(supervisor.abilities()?) } else { None };
    let order = RunOrder::new(job, abilities).map_err(|source| supervisor.start_error(&job.command, source))?;
    let call = Call { supervisor, command: &job.command, interrupts };
    match call.ask(&Order::Run(Box::new(order)))? {
        Report::Ended(exit) => Ok(exit),
        Report::Failed(failure) => Err(call.setup_error(&failure)),
        Report::Survivors(pids) => Err(ProcessError::Survivors { command: job.command.to_string(), pids }),
        Report::Probed(_) => Err(supervisor.start_error(&job.command, io::ErrorKind::InvalidData.into())),
    }
}

/// Returns what of a confinement really works on this machine, found by trying: a text for each of `landlock`,
/// `mount_namespace`, `network_namespace`, `reading`, `seccomp` and `signal_scope` that starts with `works` or
/// `missing`.
pub fn probe(supervisor: &SupervisorProgram) -> Result<BTreeMap<String, String>, ProcessError> {
    let abilities = supervisor.abilities()?;
    let namespace = if abilities.user_namespace { "works (user namespace)" } else { "works" };
    let (reading, hiding) = match (abilities.mount_namespace, abilities.landlock) {
        (Ability::Missing(_), Ability::Works) => {
            (Ability::Works, "works (landlock; sockets with a path stay in reach)")
        }
        (mounts, _) => (mounts, "works (mount namespace)"),
    };
    Ok([
        ("landlock", abilities.landlock, "works"),
        ("mount_namespace", abilities.mount_namespace, namespace),
        ("network_namespace", abilities.network_namespace, namespace),
        ("reading", reading, hiding),
        ("signal_scope", abilities.signal_scope, "works"),
        ("seccomp", abilities.seccomp, "works"),
    ]
    .into_iter()
    .map(|(name, ability, works)| (name.to_owned(), describe(ability, works)))
    .collect())
}

fn describe(ability: Ability, works: &str) -> String {
    match ability {
        Ability::Works => works.to_owned(),
        Ability::Missing(errno) => format!("missing: {}", io::Error::from_raw_os_error(errno)),
    }
}

/// One question to one supervisor.
struct Call<'a> {
    supervisor: &'a SupervisorProgram,
    command: &'a Command,
    interrupts: &'a Interrupts,
}

impl Call<'_> {
    fn ask(&self, order: &Order) -> Result<Report, ProcessError> {
        let failed = |source| self.supervisor.start_error(self.command, source);
        let message = wire::encode(order).map_err(failed)?;
        for _ in 1..STARTS {
            let (pid, output) = self.exchange(&message).map_err(failed)?;
            if !died_at_start(&output) {
                return self.read_report(pid, &output);
            }
        }
        let (pid, output) = self.exchange(&message).map_err(failed)?;
        self.read_report(pid, &output)
    }

    /// Starts a supervisor, sends it the order and waits for its end. The order's pipe stays open: its closing, also
    /// by the death of this program, tells the supervisor to end the job.
    fn exchange(&self, message: &[u8]) -> io::Result<(u32, Output)> {
        let (order_in, mut control) = io::pipe()?;
        let no_environment: [(OsString, OsString); 0] = [];
        // The expression holds the reading end too and must go before the order is written: a supervisor that died
        // then shows as a broken pipe.
        let handle = duct::cmd(&self.supervisor.0.path, [SUPERVISE])
            .full_env(no_environment)
            .stdin_file(order_in)
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .start()?;
        let pid = handle.pids().first().copied().unwrap_or_default();
        let mut control = match control.write_all(message) {
            Ok(()) => Some(control),
            // It died or is no supervisor: what it said and how it ended tell more than the broken pipe.
            Err(_) => None,
        };
        loop {
            match wait(&handle)? {
                Some(output) => return Ok((pid, output)),
                None => release_on_abort(&mut control, self.interrupts),
            }
        }
    }

    fn read_report(&self, pid: u32, output: &Output) -> Result<Report, ProcessError> {
        let line = output.stdout.strip_prefix(READY.as_bytes()).unwrap_or(&output.stdout);
        serde_json::from_slice(line).map_err(|_| {
            tree::kill_session(pid);
            self.no_report(output.status, &output.stderr)
        })
    }

    fn no_report(&self, status: ExitStatus, stderr: &[u8]) -> ProcessError {
        ProcessError::NoReport {
            program: self.supervisor.0.path.clone(),
            command: self.command.to_string(),
            status,
            stderr: String::from_utf8_lossy(stderr).into_owned(),
        }
    }

    fn setup_error(&self, failure: &SetupFailure) -> ProcessError {
        ProcessError::Setup {
            step: failure.step,
            path: PathBuf::from(&failure.path),
            command: self.command.to_string(),
            source: io::Error::from_raw_os_error(failure.errno),
        }
    }
}

/// Says whether a signal hit the supervisor before it was ready, so that the job has not begun.
fn died_at_start(output: &Output) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&output.status).is_some() && output.stdout.is_empty()
}

/// Waits for a while. Signals interrupt the wait, which is no error.
fn wait(handle: &duct::Handle) -> io::Result<Option<Output>> {
    match handle.wait_timeout(ABORT_POLL) {
        Ok(output) => Ok(output.cloned()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}

fn release_on_abort(control: &mut Option<PipeWriter>, interrupts: &Interrupts) {
    if interrupts.abort_requested() {
        *control = None;
    }
}
