//! Confinement where none exists: nothing works, and nothing is applied.

use std::path::Path;

use rustix::process::Pid;

use super::wire::{Abilities, Ability, RunOrder, SetupFailure, Walls};

/// Says that nothing works.
pub(super) fn probe(_scratch: &Path) -> Abilities {
    let missing = Ability::Missing(libc::ENOTSUP);
    Abilities {
        user_namespace: false,
        mount_namespace: missing,
        network_namespace: missing,
        landlock: missing,
        seccomp: missing,
    }
}

/// Does nothing: there is no /proc to shield from.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(super) fn shield() -> std::io::Result<()> {
    Ok(())
}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(super) fn apply(_order: &RunOrder, _walls: &Walls) -> Result<(), SetupFailure> {
    Ok(())
}

/// Does nothing: this system does not enforce a limit on the address space.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(super) fn limit_memory(_job: Pid, _order: &RunOrder) -> Result<(), SetupFailure> {
    Ok(())
}
