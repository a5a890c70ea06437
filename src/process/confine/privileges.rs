//! The capabilities of a job that runs as root: only those that lift no wall.

use rustix::process::geteuid;
use rustix::thread::{CapabilitySet, capability_is_in_bounding_set, remove_capability_from_bounding_set};

use super::{SetupFailure, SetupStep};

/// What builds and tests as root need for their own files and processes: the usual set of a container (`moby`,
/// `oci/caps/defaults.go`) without making devices and raw sockets, with priorities and locked memory. None of them mounts, reads
/// past permissions by handle, traces, or raises a limit.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SYS_NICE)
    .union(CapabilitySet::IPC_LOCK)
    .union(CapabilitySet::AUDIT_WRITE)
    .union(CapabilitySet::SETFCAP);

/// Takes away what a command of root would get when it starts; others get nothing then anyway. This thread keeps its
/// own rights.
pub(super) fn drop_excess() -> Result<(), SetupFailure> {
    if !geteuid().is_root() {
        return Ok(());
    }
    for capability in CapabilitySet::all().difference(KEPT).iter() {
        // A kernel that does not know it cannot grant it.
        if !capability_is_in_bounding_set(capability).unwrap_or(false) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            // A root whose rights were cut down like this already may not change them.
            Ok(()) | Err(rustix::io::Errno::PERM) => {}
            Err(error) => return Err(SetupFailure::new(SetupStep::DropPrivileges, "its capabilities", &error.into())),
        }
    }
    Ok(())
}
