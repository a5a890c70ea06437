//! Confines what this process starts to some CPU cores, for as long as the guard lives.

use std::io;

use super::error::SetupStep;
use super::wire::SetupFailure;
use crate::domain::CoreList;

/// Puts this thread back on its own cores when dropped. What was started meanwhile stays where it is, with all that it
/// starts itself.
#[derive(Debug)]
pub(super) struct Pinned {
    #[cfg(target_os = "linux")]
    before: rustix::thread::CpuSet,
}

impl Pinned {
    /// Confines this thread, and so what it starts; without a list it does nothing.
    pub(super) fn to(cores: Option<&CoreList>) -> Result<Option<Self>, SetupFailure> {
        let Some(cores) = cores else { return Ok(None) };
        let failed = |error: io::Error| SetupFailure::new(SetupStep::Pin, cores.to_string(), &error);
        Self::enter(cores).map(Some).map_err(failed)
    }

    #[cfg(target_os = "linux")]
    fn enter(cores: &CoreList) -> io::Result<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let before = sched_getaffinity(None)?;
        let mut set = CpuSet::new();
        cores.cores().for_each(|core| set.set(core));
        sched_setaffinity(None, &set)?;
        Ok(Self { before })
    }

    #[cfg(not(target_os = "linux"))]
    fn enter(_: &CoreList) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        // The thread only watches from here on; where it does so changes no result.
        let _ = rustix::thread::sched_setaffinity(None, &self.before);
    }
}
