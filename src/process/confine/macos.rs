//! Confinement where none exists: nothing works, and nothing is applied.

use std::fs::File;
use std::path::Path;

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
        signal_scope: missing,
    }
}

/// Does nothing: there is no /proc to shield from.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(super) fn shield() -> std::io::Result<()> {
    Ok(())
}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(super) fn enter(_order: &RunOrder, _walls: &Walls) -> Result<(), SetupFailure> {
    Ok(())
}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(super) fn lock(_order: &RunOrder, _walls: &Walls, _logs: [&File; 2]) -> Result<(), SetupFailure> {
    Ok(())
}
