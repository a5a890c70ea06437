//! The lock that lets one process at a time write a session's journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::JournalError;

/// How often a lock that is held is tried again, and the time between.
const GLANCES: u32 = 10;
const GLANCE: Duration = Duration::from_millis(10);

/// Holds a session's lock until it is dropped; the operating system frees it when the process dies.
///
/// The lock file stays where it is: removing it would let two processes lock two files of one name.
#[derive(Debug)]
pub struct SessionLock {
    file: File,
}

impl Drop for SessionLock {
    fn drop(&mut self) {
        // Closing alone would not free it while a child, forked at this moment, still has a copy of the descriptor.
        let _ = self.file.unlock();
    }
}

impl SessionLock {
    /// Locks the session whose journal this is, or says who else does. The lock file stands beside the journal.
    pub fn acquire(journal: &Path) -> Result<Self, JournalError> {
        let path = Self::path_of(journal);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(JournalError::io("open the lock file", &path))?;
        match lock_patiently(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Locked { pid: holder(&mut file), path }),
            Err(TryLockError::Error(source)) => return Err(JournalError::io("lock", &path)(source)),
        }
        write_pid(&mut file).map_err(JournalError::io("write the lock file", &path))?;
        Ok(Self { file })
    }

    /// Returns the lock file that belongs to a journal.
    pub fn path_of(journal: &Path) -> PathBuf {
        journal.with_extension("lock")
    }
}

/// Tries for a moment: a command that only looks holds the lock for microseconds.
fn lock_patiently(file: &File) -> Result<(), TryLockError> {
    for _ in 0..GLANCES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(GLANCE),
            done => return done,
        }
    }
    file.try_lock()
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())
}

/// Reads who holds the lock; nothing where the file does not say it (yet).
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
