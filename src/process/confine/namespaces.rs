//! Entering namespaces, as root or inside a user namespace.

use std::fs;
use std::io;

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

use super::sys;

/// Which namespaces to enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// A user namespace around the others, where this process has no right to make them.
    pub(super) user: bool,
    /// Comes with message queues, semaphores and shared memory of its own.
    pub(super) mount: bool,
    pub(super) network: bool,
}

/// Moves this process into new namespaces. In a user namespace the user keeps their ids; other users' files show
/// as nobody's.
pub(super) fn enter(wanted: Wanted) -> io::Result<()> {
    let mut flags = UnshareFlags::empty();
    flags.set(UnshareFlags::NEWNS | UnshareFlags::NEWIPC, wanted.mount);
    flags.set(UnshareFlags::NEWNET, wanted.network);
    if flags.is_empty() {
        return Ok(());
    }
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    if wanted.user {
        flags.insert(UnshareFlags::NEWUSER);
    }
    sys::unshare(flags)?;
    if wanted.user {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    if wanted.mount {
        // Nothing mounted from here on may reach the rest of the system.
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    }
    Ok(())
}
