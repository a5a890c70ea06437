//! The memory limit of a job.

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{RunOrder, SetupFailure, SetupStep};

/// Limits the address space of a process that was just started and of all that it will start. The supervisor itself
/// stays unlimited, as it could not start its threads below a small limit.
pub(in crate::process) fn limit_memory(job: Pid, order: &RunOrder) -> Result<(), SetupFailure> {
    let Some(bytes) = order.memory_bytes else { return Ok(()) };
    let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
    match prlimit(Some(job), Resource::As, limit) {
        // The command ended meanwhile.
        Ok(_) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(SetupFailure::new(SetupStep::LimitMemory, &order.dir, &error.into())),
    }
}
