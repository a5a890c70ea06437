//! Runs commands: trusted helper programs, and supervised jobs whose whole process tree ends when they do.
//!
//! A *job* is any command that may run code of a candidate. It never runs below this program directly: [`run`]
//! starts a small supervisor (this program again, with one hidden first argument, see [`supervisor_main`]) that
//! adopts every orphan of the job, enforces its limits, ends what is left and reports one line.
//!
//! Linux is first class. On macOS a job is its process group only: a process that leaves the group (`setsid`)
//! outlives the job, its CPU time is not counted, and no confinement exists.

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("autoresearch supervises process trees on Linux (and process groups on macOS); this system has neither");

mod awake;
#[cfg_attr(target_os = "macos", path = "confine/macos.rs")]
mod confine;
mod environment;
mod error;
mod full_files;
mod interrupts;
mod job;
mod launch;
mod log;
mod pin;
mod run;
mod supervisor;
mod sys;
mod tool;
mod toolchains;
#[cfg_attr(target_os = "linux", path = "tree/linux.rs")]
#[cfg_attr(target_os = "macos", path = "tree/macos.rs")]
mod tree;
mod wire;

pub use awake::{Awake, AwakeError};
pub use environment::{Environment, SHARED_BUILD_FOLDERS};
pub use error::{ProcessError, SetupStep};
pub use interrupts::Interrupts;
pub use job::{Confinement, Job, JobLimits};
pub use log::trim_log;
pub use run::{SupervisorProgram, probe, run};
pub use supervisor::supervisor_main;
pub use tool::{Tool, ToolError, ToolOutput};
pub use toolchains::{system_places, toolchains};
