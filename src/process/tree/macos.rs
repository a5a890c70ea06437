//! The process group of a job, as macOS lets no process adopt the orphans below it.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// Does nothing: orphans go to launchd.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(super) fn adopt_orphans() -> std::io::Result<()> {
    Ok(())
}

/// The process group of a job.
#[derive(Debug)]
pub(super) struct Tree {
    group: Pid,
}

impl Tree {
    /// Names the tree that a job just started with, the leader of its group.
    pub(super) fn new(job: Pid) -> Self {
        Self { group: job }
    }

    /// Says whether no process of the group is left.
    pub(super) fn is_gone(&self) -> bool {
        test_kill_process_group(self.group) == Err(Errno::SRCH)
    }

    /// Returns the group's id where a process of it is left.
    pub(super) fn pids(&self) -> Vec<i32> {
        if self.is_gone() { Vec::new() } else { vec![self.group.as_raw_pid()] }
    }

    /// Says no: what processes hold is not known here.
    #[expect(clippy::unused_self, reason = "the same shape as on Linux, where it is known")]
    pub(super) fn holds_more_than(&self, _bytes: u64) -> bool {
        false
    }

    /// Sends a signal to every process of the group; SIGTERM wakes stopped ones.
    pub(super) fn signal(&self, signal: Signal) {
        let _gone = kill_process_group(self.group, signal);
        if signal == Signal::TERM {
            let _gone = kill_process_group(self.group, Signal::CONT);
        }
    }
}

/// Does nothing: the processes of a session cannot be listed without /proc.
pub(super) fn kill_session(_supervisor: u32) {}
