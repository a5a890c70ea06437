//! The disk: append-only files in memory, a ledger of what was synced, and a power switch (frozen).

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// A simulated disk. Clones are the same disk.
///
/// It lives in memory, so that a benchmark measures the engine and not the kernel, the file system or other users of
/// the machine's disk. `power_cut` takes away everything that was never synced.
#[derive(Clone, Default)]
pub struct Storage {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Clone, Default)]
struct Disk {
    files: BTreeMap<String, File>,
    fsyncs: u64,
    bytes_written: u64,
    syncs_left: Option<u64>,
}

#[derive(Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
}

impl Storage {
    /// Makes an empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes another disk with the same files; its counters start at zero.
    pub fn copied(&self) -> Self {
        let files = self.disk().files.clone();
        let disk = Disk {
            files,
            ..Disk::default()
        };
        Self {
            disk: Arc::new(Mutex::new(disk)),
        }
    }

    /// Makes every call fail once `syncs` more syncs were done.
    pub fn lose_power_after(&self, syncs: u64) {
        self.disk().syncs_left = Some(syncs);
    }

    /// Cuts every file back to what was synced and brings the power back.
    pub fn power_cut(&self) {
        let mut disk = self.disk();
        disk.syncs_left = None;
        for file in disk.files.values_mut() {
            file.bytes.truncate(file.synced);
        }
    }

    /// Appends bytes to a file, which is made when missing.
    pub fn append(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut disk = self.powered()?;
        disk.bytes_written += bytes.len() as u64;
        let file = disk.files.entry(name.to_owned()).or_default();
        file.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes a new file; one of the same name that a power cut left behind is replaced.
    pub fn write_new(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut disk = self.powered()?;
        disk.bytes_written += bytes.len() as u64;
        let (bytes, synced) = (bytes.to_vec(), 0);
        disk.files.insert(name.to_owned(), File { bytes, synced });
        Ok(())
    }

    /// Makes everything that was written to a file durable.
    pub fn sync(&self, name: &str) -> Result<()> {
        let mut disk = self.powered()?;
        let file = disk.files.entry(name.to_owned()).or_default();
        file.synced = file.bytes.len();
        disk.fsyncs += 1;
        if let Some(left) = &mut disk.syncs_left {
            *left -= 1;
        }
        Ok(())
    }

    /// Cuts a file to a length.
    pub fn truncate(&self, name: &str, len: usize) -> Result<()> {
        let mut disk = self.powered()?;
        if let Some(file) = disk.files.get_mut(name) {
            file.bytes.truncate(len);
            file.synced = file.synced.min(len);
        }
        Ok(())
    }

    /// Returns the bytes of a file; none when there is no such file.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let disk = self.powered()?;
        let file = disk.files.get(name);
        Ok(file.map(|file| file.bytes.clone()).unwrap_or_default())
    }

    /// Removes a file at once and durably.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.powered()?.files.remove(name);
        Ok(())
    }

    /// Returns the names of all files.
    pub fn names(&self) -> Vec<String> {
        self.disk().files.keys().cloned().collect()
    }

    /// Returns how many syncs were done.
    pub fn fsyncs(&self) -> u64 {
        self.disk().fsyncs
    }

    /// Returns how many bytes were written.
    pub fn bytes_written(&self) -> u64 {
        self.disk().bytes_written
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("the disk is never poisoned")
    }

    fn powered(&self) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.disk();
        match disk.syncs_left {
            Some(0) => Err(Error::PowerLost),
            _ => Ok(disk),
        }
    }
}
