//! The host lock: one measurement at a time for each user of a host.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::getuid;

/// Time between two attempts.
const RETRY: Duration = Duration::from_millis(100);

/// Says why the host lock is not held.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The lock's file cannot be used.
    #[error("cannot lock {} so that only one measurement runs on this host: {source}", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The lock's file belongs to somebody else, who could hold it forever.
    #[error("the lock file {} belongs to user {owner}; remove it, or set XDG_RUNTIME_DIR to a folder of your own", path.display())]
    ForeignLock {
        /// The lock's file.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
    },
    /// The caller did not want to wait any longer.
    #[error("another session measures on this host and holds {}; waiting for it was ended", path.display())]
    WaitEnded {
        /// The lock's file.
        path: PathBuf,
    },
}

/// The right to build and measure on this host; dropping it, also by the death of this process, gives it back.
#[derive(Debug)]
pub struct HostLock {
    _locked: File,
}

impl HostLock {
    /// Waits for the lock of this user and host. `waiting` is called after each failed attempt, about ten times a
    /// second, with the time waited so far; `Break` ends the wait with [`HostError::WaitEnded`].
    pub fn acquire(waiting: impl FnMut(Duration) -> ControlFlow<()>) -> Result<Self, HostError> {
        Self::acquire_at(&Self::path(), waiting)
    }

    /// Waits for the lock in a given file, as [`HostLock::acquire`] does.
    pub fn acquire_at(path: &Path, mut waiting: impl FnMut(Duration) -> ControlFlow<()>) -> Result<Self, HostError> {
        let failed = |source| HostError::Lock { path: path.to_owned(), source };
        let file = open_own(path)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _locked: file }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            if waiting(start.elapsed()).is_break() {
                return Err(HostError::WaitEnded { path: path.to_owned() });
            }
            std::thread::sleep(RETRY);
        }
    }

    /// Returns the lock's file: in the user's runtime folder, else in `/tmp` with the user's id in its name.
    ///
    /// `/run/user/<uid>` is found also where the environment does not name it (cron), so that two sessions of one
    /// user never take different files.
    pub fn path() -> PathBuf {
        let uid = getuid().as_raw();
        let is_own = |folder: &PathBuf| folder.metadata().is_ok_and(|m| m.is_dir() && m.uid() == uid);
        let usual = Some(PathBuf::from(format!("/run/user/{uid}")));
        let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
        match named.filter(is_own).or(usual.filter(is_own)) {
            Some(folder) => folder.join("autoresearch-host.lock"),
            None => PathBuf::from(format!("/tmp/autoresearch-host-{uid}.lock")),
        }
    }
}

/// Opens the lock's file without following links; in a shared folder anybody could have put it there.
fn open_own(path: &Path) -> Result<File, HostError> {
    let failed = |source| HostError::Lock { path: path.to_owned(), source };
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow);
    let file = options.open(path).map_err(failed)?;
    let owner = file.metadata().map_err(failed)?.uid();
    if owner != getuid().as_raw() {
        return Err(HostError::ForeignLock { path: path.to_owned(), owner });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(_: Duration) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    #[test]
    fn only_one_holds_the_lock_and_a_dropped_one_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = HostLock::acquire_at(&path, never).unwrap();
        assert!(matches!(HostLock::acquire_at(&path, never), Err(HostError::WaitEnded { .. })));
        drop(held);
        assert!(HostLock::acquire_at(&path, never).is_ok());
    }

    #[test]
    fn a_waiting_session_gets_the_lock_when_it_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut held = Some(HostLock::acquire_at(&path, never).unwrap());
        let mut attempts = 0;
        let waited = HostLock::acquire_at(&path, |_| {
            attempts += 1;
            drop(held.take());
            ControlFlow::Continue(())
        });
        assert!(waited.is_ok());
        assert_eq!(attempts, 1);
    }

    #[test]
    fn a_link_in_the_place_of_the_lock_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &path).unwrap();
        let error = HostLock::acquire_at(&path, never).unwrap_err();
        assert!(error.to_string().starts_with("cannot lock "), "{error}");
        assert!(!dir.path().join("elsewhere").exists());
    }
}
