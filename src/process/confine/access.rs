//! Restricting which paths a job may write and read, and which processes it may reach, with Landlock.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::{RunOrder, SetupFailure, SetupStep, Walls};

/// What every program may write: the usual devices, shared memory and pseudo-terminals.
const DEVICES: [&str; 8] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm", "/dev/ptmx", "/dev/pts"];

/// What a job may do to which paths.
#[derive(Debug, Clone, Default)]
pub(super) struct Grants<'f> {
    /// What it may write, and read.
    pub(super) write: Vec<PathBuf>,
    /// What it may read; `None` is everything.
    pub(super) read: Option<Vec<PathBuf>>,
    /// Open files that it may write, wherever they lie: it opens its logs again by /dev/stdout and /dev/stderr.
    pub(super) files: Vec<&'f File>,
}

impl<'f> Grants<'f> {
    /// Lists what a job may reach. Reading is restricted here only where nothing could be hidden by mounts.
    pub(super) fn of(order: &RunOrder, walls: &Walls, logs: [&'f File; 2]) -> Self {
        let replacements = walls.replaced.iter().map(|(_, by)| by);
        let mut write: Vec<PathBuf> = walls.writable.iter().chain(replacements).map(PathBuf::from).collect();
        write.extend(order.variable("TMPDIR").map(PathBuf::from));
        let readable = (!walls.abilities.mount_namespace.works()).then(|| {
            let shown = write.iter().cloned().chain(walls.read_only.iter().map(PathBuf::from));
            let shown: Vec<PathBuf> = shown.chain([PathBuf::from(&order.dir)]).collect();
            visible(walls.hidden.iter().chain(walls.replaced.iter().map(|(place, _)| place)).map(Path::new), &shown)
        });
        write.extend(DEVICES.map(PathBuf::from));
        Self { write, read: readable, files: logs.to_vec() }
    }
}

/// Lists what can be read when some paths are hidden and others, perhaps below them, shown: whole folders as far out
/// as possible. Folders above a hidden path can be entered but not listed.
fn visible<'a>(hidden: impl Iterator<Item = &'a Path>, shown: &[PathBuf]) -> Vec<PathBuf> {
    let settled = |path: &Path| path.canonicalize().ok();
    let shown: Vec<PathBuf> = shown.iter().filter_map(|path| settled(path)).collect();
    let hidden: Vec<PathBuf> = hidden.filter_map(settled).filter(|path| !shown.contains(path)).collect();
    let mut found = Vec::new();
    for root in std::iter::once(Path::new("/")).chain(shown.iter().map(PathBuf::as_path)) {
        collect(root, &hidden, &mut found);
    }
    found
}

fn collect(path: &Path, hidden: &[PathBuf], found: &mut Vec<PathBuf>) {
    if hidden.iter().any(|other| other == path) {
        return;
    }
    if !hidden.iter().any(|other| other.starts_with(path)) {
        return found.push(path.to_owned());
    }
    let Ok(entries) = path.read_dir() else { return };
    for entry in entries.flatten() {
        // What a link leads to is found at its own place.
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            collect(&entry.path(), hidden, found);
        }
    }
}

/// Restricts this thread and all it starts to these paths, and to signals and abstract sockets among themselves;
/// paths that do not exist are passed over.
pub(super) fn restrict(grants: &Grants<'_>) -> Result<(), SetupFailure> {
    let failed = |error: &io::Error| SetupFailure::new(SetupStep::RestrictAccess, "its own paths", error);
    match enforce(grants) {
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
/// always, and no build runs so. Truncation (ABI 3) and the scopes of signals and abstract sockets (ABI 6) are
/// restricted where the kernel can. `ioctl` and Unix sockets, which later ABIs count as writing, stay free: sockets
/// of others are hidden with the folders that they lie in.
fn enforce(grants: &Grants<'_>) -> Result<RulesetStatus, RulesetError> {
    let again = AccessFs::WriteFile | AccessFs::Truncate;
    let read = AccessFs::from_read(ABI::V2);
    let mut handled = AccessFs::from_write(ABI::V2);
    if grants.read.is_some() {
        handled |= read;
    }
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(handled)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::Truncate)?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .add_rules(path_beneath_rules(&grants.write, AccessFs::from_write(ABI::V3)))?
        .add_rules(path_beneath_rules(grants.read.iter().flatten(), read))?
        .add_rules(grants.files.iter().map(|file| Ok::<_, RulesetError>(PathBeneath::new(file, again))))?
        .restrict_self()?;
    Ok(status.ruleset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_left_out_and_what_is_shown_below_it_is_not() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["home/slot/secret", "home/keys", "tools"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("home/slot/file"), "").unwrap();
        let hidden = [root.join("home"), root.join("home/slot/secret")];
        let found = visible(hidden.iter().map(PathBuf::as_path), &[root.join("home/slot")]);
        assert!(found.contains(&root.join("tools")) && found.contains(&root.join("home/slot/file")));
        assert!(found.iter().all(|path| !root.join("home").starts_with(path)), "{found:?}");
        assert!(!found.contains(&root.join("home/slot/secret")));
    }
}
