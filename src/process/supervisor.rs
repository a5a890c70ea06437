//! The supervisor: runs one job, ends its whole process tree and reports.

use std::ffi::{OsString, c_int};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus};

use super::confine;
use super::error::SetupStep;
use super::full_files;
use super::launch::{self, Launched, Logs};
use super::sys;
use super::tree::{self, Tree};
use super::wire::{self, Order, READY, Report, RunOrder, SUPERVISE, SetupFailure};
use crate::domain::{Exit, LimitKind, Outcome, Usage};

/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long processes that outlive the command may take to end by themselves, as the `tee` of a process substitution.
const LINGER: Duration = Duration::from_millis(20);
/// Longest grace once a resource limit is broken.
const LIMIT_GRACE: Duration = Duration::from_millis(500);
/// Pause between two rounds of SIGKILL.
const SWEEP: Duration = Duration::from_millis(2);
/// How long SIGKILL may take before survivors are reported.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Stack of the two waiting threads, in bytes.
const STACK: usize = 64 << 10;

/// Whether a signal told this supervisor to end its job.
static TOLD_TO_END: AtomicBool = AtomicBool::new(false);

/// Runs this process as a supervisor when its first argument is the hidden word, and returns its exit code.
///
/// `args` is the whole command line with the program's name. The program's main function calls this before it
/// reads the command line in any other way.
pub fn supervisor_main(mut args: impl Iterator<Item = OsString>) -> Option<i32> {
    if args.nth(1)? != SUPERVISE {
        return None;
    }
    let report = supervise().unwrap_or_else(Report::Failed);
    let line = serde_json::to_string(&report).unwrap_or_default();
    // Nobody is there to hear when the program died; the job has been ended all the same.
    Some(i32::from(tell(&line).is_err()))
}

fn tell(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn supervise() -> Result<Report, SetupFailure> {
    become_supervisor().map_err(|error| SetupFailure::new(SetupStep::Adopt, "", &error))?;
    let order = wire::decode(&mut io::stdin().lock());
    match order.map_err(|error| SetupFailure::new(SetupStep::ReadOrder, "/dev/stdin", &error))? {
        Order::Run(order) => run(&order),
        Order::Probe(scratch) => Ok(Report::Probed(confine::probe(Path::new(&scratch)))),
    }
}

/// Leaves the terminal, adopts orphans, and takes the usual signals as a request to end the job.
fn become_supervisor() -> io::Result<()> {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
        sys::on_signal(signal, on_end)?;
    }
    // What whoever started the program left open is no business of a job.
    sys::close_files_on_start()?;
    rustix::process::setsid()?;
    tree::adopt_orphans()?;
    tell(READY)
}

extern "C" fn on_end(_: c_int) {
    TOLD_TO_END.store(true, Ordering::SeqCst);
}

/// What the waiting threads tell.
#[derive(Debug)]
enum Event {
    /// The command itself ended.
    Exited(Outcome, Instant),
    /// This process has no child any more.
    Childless,
    /// The program closed the control pipe, on purpose or by dying.
    Released,
}

fn run(order: &RunOrder) -> Result<Report, SetupFailure> {
    let logs = Logs::open(order)?;
    if let Some(walls) = &order.walls {
        confine::enter(order, walls)?;
    }
    confine::shield().map_err(|error| SetupFailure::new(SetupStep::Adopt, &order.dir, &error))?;
    limit_files(order)?;
    let started = Instant::now();
    let job = match launch::launch_locked(order, &logs)? {
        Launched::Running(job) => job,
        Launched::Refused(code) => {
            return Ok(Report::Ended(Exit { outcome: Outcome::Code(code), usage: Usage::default() }));
        }
    };
    let watch = Watch::new(order, &logs, started, job);
    // From here on every way out must end the tree.
    match listen(job) {
        Ok(events) => Ok(watch.until_gone(&events)),
        Err(error) => Ok(watch.give_up(SetupFailure::new(SetupStep::Spawn, "thread", &error))),
    }
}

/// Limits the size of files for this process, which writes none any more, and all that it starts.
fn limit_files(order: &RunOrder) -> Result<(), SetupFailure> {
    let Some(bytes) = order.file_bytes else { return Ok(()) };
    let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
    let failed = |error: rustix::io::Errno| SetupFailure::new(SetupStep::LimitFiles, &order.dir, &error.into());
    rustix::process::setrlimit(Resource::Fsize, limit).map_err(failed)
}

/// Starts the threads that wait for children and for the control pipe.
fn listen(job: Pid) -> io::Result<Receiver<Event>> {
    let (events, received) = mpsc::channel();
    let reaped = events.clone();
    thread::Builder::new().stack_size(STACK).spawn(move || reap(job, &reaped))?;
    thread::Builder::new().stack_size(STACK).spawn(move || wait_for_release(&events))?;
    Ok(received)
}

/// Reaps every child until there is none.
fn reap(job: Pid, events: &Sender<Event>) {
    loop {
        let event = match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == job => Event::Exited(outcome(status), Instant::now()),
            Ok(_) | Err(rustix::io::Errno::INTR) => continue,
            Err(_) => Event::Childless,
        };
        let is_last = matches!(event, Event::Childless);
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

fn outcome(status: WaitStatus) -> Outcome {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Outcome::Code(code),
        (None, Some(signal)) => Outcome::Signal(signal),
        (None, None) => Outcome::Code(-1),
    }
}

/// Blocks until the control pipe is closed.
fn wait_for_release(events: &Sender<Event>) {
    let mut rest = [0_u8; 64];
    let mut input = io::stdin();
    loop {
        match input.read(&mut rest) {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    // The receiver is gone only when the tree is.
    let _ended = events.send(Event::Released);
}

/// How far the end of the tree has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    /// The command ended by itself; what it left behind may too until then.
    Lingering(Instant),
    /// SIGTERM was sent; SIGKILL follows then.
    Terminating(Instant),
    /// SIGKILL is sent again and again until then.
    Killing(Instant),
}

/// The watch over one running job.
struct Watch<'a> {
    order: &'a RunOrder,
    logs: &'a Logs,
    tree: Tree,
    started: Instant,
    stage: Stage,
    /// Why this supervisor ended the tree, where it did.
    cause: Option<Outcome>,
    exited: Option<(Outcome, Instant)>,
    childless: bool,
}

impl<'a> Watch<'a> {
    fn new(order: &'a RunOrder, logs: &'a Logs, started: Instant, job: Pid) -> Self {
        let tree = Tree::new(job);
        Self { order, logs, tree, started, stage: Stage::Running, cause: None, exited: None, childless: false }
    }

    /// Follows the job until nothing of it is left.
    fn until_gone(mut self, events: &Receiver<Event>) -> Report {
        loop {
            match events.recv_timeout(self.pause()) {
                Ok(Event::Exited(outcome, at)) => self.command_exited(outcome, at),
                // Both threads outlive the tree, so that the channel never closes before it is gone.
                Ok(Event::Childless) | Err(RecvTimeoutError::Disconnected) => self.childless = true,
                Ok(Event::Released) => self.end(Outcome::Aborted, self.order.grace),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.childless && self.tree.is_gone() {
                return self.report();
            }
            self.advance();
            if let Stage::Killing(until) = self.stage
                && Instant::now() >= until
            {
                return Report::Survivors(self.tree.pids());
            }
        }
    }

    /// Kills the tree at once, for a failure between its start and the watch.
    fn give_up(self, failure: SetupFailure) -> Report {
        self.tree.signal(Signal::KILL);
        Report::Failed(failure)
    }

    /// Returns how long to wait for an event before something is due.
    fn pause(&self) -> Duration {
        let now = Instant::now();
        match self.stage {
            Stage::Running => TICK.min(self.order.time_limit.saturating_sub(now - self.started)),
            Stage::Lingering(then) | Stage::Terminating(then) => TICK.min(then.saturating_duration_since(now)),
            Stage::Killing(_) => SWEEP,
        }
    }

    fn command_exited(&mut self, outcome: Outcome, at: Instant) {
        self.exited = Some((outcome, at));
        if self.stage == Stage::Running {
            self.stage = Stage::Lingering(at + LINGER);
        }
    }

    /// Does what is due.
    fn advance(&mut self) {
        let now = Instant::now();
        match self.stage {
            Stage::Running => self.check_limits(now),
            Stage::Lingering(then) if now >= then => self.terminate(self.order.grace),
            Stage::Terminating(then) if now >= then => {
                self.tree.signal(Signal::KILL);
                self.stage = Stage::Killing(now + GIVE_UP);
            }
            Stage::Lingering(_) | Stage::Terminating(_) => {}
            Stage::Killing(_) => self.tree.signal(Signal::KILL),
        }
    }

    fn check_limits(&mut self, now: Instant) {
        if TOLD_TO_END.load(Ordering::SeqCst) {
            self.end(Outcome::Aborted, self.order.grace);
        } else if now - self.started >= self.order.time_limit {
            self.end(Outcome::TimedOut, self.order.grace);
        } else if let Some(limit) = self.broken_limit() {
            self.end(Outcome::LimitBroken(limit), self.order.grace.min(LIMIT_GRACE));
        }
    }

    fn broken_limit(&self) -> Option<LimitKind> {
        if self.logs.bytes() > self.order.output_bytes {
            return Some(LimitKind::Output);
        }
        if self.order.disk_free_bytes.is_some_and(|least| disk_free(&self.order.dir).is_some_and(|free| free < least)) {
            return Some(LimitKind::Disk);
        }
        if self.order.memory_bytes.is_some_and(|most| self.tree.holds_more_than(most)) {
            return Some(LimitKind::Memory);
        }
        let is_over = |most| self.tree.pids().len() as u64 > most;
        self.order.processes.is_some_and(is_over).then_some(LimitKind::Processes)
    }

    /// Ends a tree whose command still runs.
    fn end(&mut self, cause: Outcome, grace: Duration) {
        match self.stage {
            Stage::Running => {
                self.cause = Some(cause);
                self.terminate(grace);
            }
            Stage::Lingering(_) => self.terminate(grace),
            Stage::Terminating(_) | Stage::Killing(_) => {}
        }
    }

    fn terminate(&mut self, grace: Duration) {
        self.tree.signal(Signal::TERM);
        self.stage = Stage::Terminating(Instant::now() + grace);
    }

    /// Looks at the end for a limit that was broken between two looks, or that the system enforces by itself.
    fn limit_found_broken(&self, own: Outcome) -> Option<LimitKind> {
        if self.logs.bytes() > self.order.output_bytes {
            return Some(LimitKind::Output);
        }
        let most = self.order.file_bytes?;
        let is_told = matches!(own, Outcome::Signal(libc::SIGXFSZ) | Outcome::Code(FILE_TOO_LARGE));
        let is_hidden = || own != Outcome::Code(0) && full_files::exist(self.order, most, self.started.elapsed());
        (is_told || is_hidden()).then_some(LimitKind::File)
    }

    fn report(&self) -> Report {
        let (own_outcome, at) = self.exited.unwrap_or((Outcome::Code(-1), Instant::now()));
        let too_much = self.limit_found_broken(own_outcome).map(Outcome::LimitBroken);
        Report::Ended(Exit {
            outcome: self.cause.or(too_much).unwrap_or(own_outcome),
            usage: Usage { wall_s: (at - self.started).as_secs_f64(), ..sys::children_usage() },
        })
    }
}

/// What the shell makes of SIGXFSZ (POSIX shell, 2.8.2).
const FILE_TOO_LARGE: i32 = 128 + libc::SIGXFSZ;

fn disk_free(path: &OsString) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_command_line_is_not_taken_for_a_supervisor() {
        let line = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>().into_iter();
        assert_eq!(supervisor_main(line(&["autoresearch"])), None);
        assert_eq!(supervisor_main(line(&["autoresearch", "run", "__supervise"])), None);
        assert_eq!(supervisor_main(line(&[])), None);
    }
}
