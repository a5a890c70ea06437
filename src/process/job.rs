//! What a supervised job is: the command, its surroundings and its limits.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::{Command, CoreList, Network};

/// A command to run under a supervisor.
#[derive(Debug, Clone)]
pub struct Job {
    /// What to run. A program without a slash is looked up in the `PATH` of [`Job::env`], one with a slash is
    /// relative to [`Job::dir`].
    pub command: Command,
    /// The folder that it starts in.
    pub dir: PathBuf,
    /// The complete environment; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// The file that it reads from standard input; `None` = nothing. It is opened outside of any confinement.
    pub stdin: Option<PathBuf>,
    /// The file that standard output goes to; created or emptied first. Its folder exists.
    pub stdout: PathBuf,
    /// The file that standard error goes to; created or emptied first. Its folder exists.
    pub stderr: PathBuf,
    /// Wall time after which the process tree is ended.
    pub time_limit: Duration,
    /// Time between SIGTERM and SIGKILL. A broken resource limit waits half a second at most.
    pub grace: Duration,
    /// Its resource limits.
    pub limits: JobLimits,
    /// The cores that it is confined to (Linux only); `None` = those of this program.
    pub cores: Option<CoreList>,
    /// What it may reach.
    pub confinement: Confinement,
}

/// Resource limits of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLimits {
    /// Largest size of the stdout and stderr files together, in bytes; looked at every 50 ms and at the end.
    pub output_bytes: u64,
    /// Memory that the job's processes hold together, in bytes, each shared page counted once; looked at every 50 ms
    /// (Linux only).
    pub memory_bytes: Option<u64>,
    /// Processes of the job at one time, counted every 50 ms (Linux only).
    pub processes: Option<u64>,
    /// Size beyond which no file can grow, in bytes (`RLIMIT_FSIZE`). A process that tries gets SIGXFSZ, or an error
    /// where it ignores that.
    pub file_bytes: Option<u64>,
    /// Free space that must stay on the disk of [`Job::dir`], in bytes; looked at every 50 ms.
    pub disk_free_bytes: Option<u64>,
}

impl Default for JobLimits {
    /// Returns no limit but the default of `limits.outputBytes`, 4 GiB.
    fn default() -> Self {
        Self { output_bytes: 4 << 30, memory_bytes: None, processes: None, file_bytes: None, disk_free_bytes: None }
    }
}

/// What a job may reach. The default enforces nothing.
///
/// What this machine cannot enforce (see [`super::probe`]) is passed over; what it can enforce and then fails is
/// an error, never a job that runs unconfined. Paths that do not exist are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confinement {
    /// Files and folders that may be written, beside `/dev/null` and its like, `/dev/shm`, pseudo-terminals, the
    /// job's own log files, the folder named by its `TMPDIR` and what is `replaced` (Landlock).
    pub writable: Vec<PathBuf>,
    /// Files and folders that look empty (mount namespace) or cannot be read (Landlock, without one). What lies below
    /// one of them and is the job's folder, `writable` or `read_only` stays visible.
    pub hidden: Vec<PathBuf>,
    /// Pairs of a folder and one that is seen in its place and may be written (mount namespace).
    pub replaced: Vec<(PathBuf, PathBuf)>,
    /// Files and folders that stay visible, and may not be written although they lie below a writable one (mount
    /// namespace). A writable path below one of them stays writable.
    pub read_only: Vec<PathBuf>,
    /// What of the network it may reach. `None` and `Loopback` need a network namespace; without one `None` forbids
    /// sockets (seccomp) and `Loopback` is not enforced. `Host` and `Full` change nothing.
    pub network: Network,
    /// Whether to confine at all.
    pub enforce: bool,
}
