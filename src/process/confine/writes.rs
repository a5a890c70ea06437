//! Forbidding writes outside a list of paths, with Landlock.

use std::io;
use std::path::PathBuf;

use landlock::{
    ABI, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    path_beneath_rules,
};

use super::{RunOrder, SetupFailure, SetupStep, Walls};

/// What every program may write: the usual devices, shared memory and pseudo-terminals.
const DEVICES: [&str; 8] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm", "/dev/ptmx", "/dev/pts"];

/// Lists what a job may write.
pub(super) fn allowed(order: &RunOrder, walls: &Walls) -> Vec<PathBuf> {
    // A job opens its own log files again when it writes to /dev/stdout or /dev/stderr.
    let logs = [&order.stdout, &order.stderr].map(PathBuf::from);
    let mut paths: Vec<PathBuf> = walls.writable.iter().map(PathBuf::from).chain(logs).collect();
    paths.extend(order.variable("TMPDIR").map(PathBuf::from));
    paths.extend(DEVICES.map(PathBuf::from));
    paths
}

/// Restricts this process and all it starts to writing below these paths; those that do not exist are passed over.
pub(super) fn restrict(paths: &[PathBuf]) -> Result<(), SetupFailure> {
    let failed = |error: &io::Error| SetupFailure::new(SetupStep::RestrictWrites, "its writable paths", error);
    match enforce(paths) {
        Ok(RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced) => Ok(()),
        Ok(RulesetStatus::NotEnforced) => Err(failed(&io::Error::from_raw_os_error(libc::EOPNOTSUPP))),
        Err(error) => Err(failed(&system_error(&error))),
    }
}

/// Digs out what the system said.
fn system_error(error: &RulesetError) -> io::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(code);
        }
        cause = error.source();
    }
    io::Error::from_raw_os_error(libc::EOPNOTSUPP)
}

/// Moving a file between folders must be allowed explicitly (ABI 2, Linux 5.19): an older kernel would forbid it
/// always, and no build runs so. Truncation (ABI 3) is restricted where the kernel can. `ioctl` and Unix sockets,
/// which later ABIs count as writing, stay free.
fn enforce(paths: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_write(ABI::V2))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::Truncate)?
        .create()?
        .add_rules(path_beneath_rules(paths, AccessFs::from_write(ABI::V3)))?
        .restrict_self()?;
    Ok(status.ruleset)
}
