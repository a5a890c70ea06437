//! What a slot's files are expected to be, kept in memory where no command can change it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use git2::{IndexEntry, IndexTime, Oid};

use super::objects::Node;

/// Changes younger than this when a file's state was taken may be hidden by the kernel's coarse clock.
const COARSE_CLOCK: Duration = Duration::from_millis(20);

/// A file's state on disk, from which a change is told without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    device: u64,
    inode: u64,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stat {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Returns the file's size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Says whether a later change could carry the same times, because the clock had not moved on.
    fn is_racy(&self, taken: SystemTime) -> bool {
        let (seconds, nanos) = self.modified.max(self.changed);
        let seconds = u64::try_from(seconds).unwrap_or_default();
        let last = UNIX_EPOCH + Duration::new(seconds, u32::try_from(nanos).unwrap_or_default());
        let coarse = if nanos == 0 { Duration::from_secs(2) } else { COARSE_CLOCK };
        taken.duration_since(last).is_ok_and(|age| age < coarse) || last > taken
    }
}

/// A state together with whether it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) stat: Stat,
    trusted: bool,
}

impl Seal {
    /// Takes the state of a file whose content was just written or read.
    pub(super) fn new(meta: &Metadata) -> Self {
        let stat = Stat::of(meta);
        Self { stat, trusted: !stat.is_racy(SystemTime::now()) }
    }

    /// Says whether the file is certainly as it was.
    pub(super) fn holds(&self, now: &Stat) -> bool {
        self.trusted && self.stat == *now
    }
}

/// One file that a slot must hold.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    /// Its mode and blob.
    pub(super) node: Node,
    /// Whether its bytes are the blob's, whatever attributes say (harness files).
    pub(super) raw: bool,
    /// The blob id of the bytes on disk; `None` until git has converted them.
    pub(super) digest: Option<Oid>,
    /// Its state when it was last known to be right.
    pub(super) seal: Option<Seal>,
    /// The scan that saw it last.
    pub(super) seen: u32,
}

/// A folder with tracked files.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) files: HashMap<OsString, Tracked>,
    pub(super) folders: HashMap<OsString, Folder>,
    pub(super) seen: u32,
}

impl Folder {
    pub(super) fn get_mut(&mut self, path: &[u8]) -> Option<&mut Tracked> {
        let (folders, name) = split(path);
        let mut here = self;
        for folder in folders {
            here = here.folders.get_mut(folder)?;
        }
        here.files.get_mut(name)
    }

    pub(super) fn insert(&mut self, path: &[u8], tracked: Tracked) {
        let (folders, name) = split(path);
        let mut here = self;
        for folder in folders {
            here = here.folders.entry(folder.to_owned()).or_default();
        }
        here.files.insert(name.to_owned(), tracked);
    }

    /// Removes a file, and folders that hold nothing tracked any more.
    pub(super) fn remove(&mut self, path: &[u8]) -> Option<Tracked> {
        match path.iter().position(|&b| b == b'/') {
            None => self.files.remove(OsStr::from_bytes(path)),
            Some(at) => {
                let name = OsStr::from_bytes(&path[..at]);
                let folder = self.folders.get_mut(name)?;
                let removed = folder.remove(&path[at + 1..]);
                if folder.files.is_empty() && folder.folders.is_empty() {
                    self.folders.remove(name);
                }
                removed
            }
        }
    }

    /// Lists the paths of all files below.
    pub(super) fn paths(&self, prefix: &[u8], all: &mut Vec<Vec<u8>>) {
        all.extend(self.files.keys().map(|name| [prefix, name.as_bytes()].concat()));
        for (name, folder) in &self.folders {
            folder.paths(&[prefix, name.as_bytes(), b"/"].concat(), all);
        }
    }
}

fn split(path: &[u8]) -> (Vec<&OsStr>, &OsStr) {
    let mut parts: Vec<&OsStr> = path.split(|&b| b == b'/').map(OsStr::from_bytes).collect();
    let name = parts.pop().unwrap_or_default();
    (parts, name)
}

/// Joins a folder's path and a name.
pub(super) fn join(prefix: &[u8], name: &OsStr) -> Vec<u8> {
    let mut path = prefix.to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend(name.to_owned().into_vec());
    path
}

/// Makes the index entry of a tracked file from its state on disk.
pub(super) fn index_entry(path: &[u8], node: Node, stat: Option<&Stat>) -> IndexEntry {
    let low = |n: u64| u32::try_from(n & u64::from(u32::MAX)).unwrap_or_default();
    let time = |(seconds, nanos): (i64, i64)| {
        IndexTime::new(i32::try_from(seconds).unwrap_or_default(), u32::try_from(nanos).unwrap_or_default())
    };
    IndexEntry {
        ctime: time(stat.map_or((0, 0), |s| s.changed)),
        mtime: time(stat.map_or((0, 0), |s| s.modified)),
        dev: stat.map_or(0, |s| low(s.device)),
        ino: stat.map_or(0, |s| low(s.inode)),
        mode: node.mode,
        uid: stat.map_or(0, |s| s.owner.0),
        gid: stat.map_or(0, |s| s.owner.1),
        file_size: stat.map_or(0, |s| low(s.size)),
        id: node.id,
        flags: 0,
        flags_extended: 0,
        path: path.to_vec(),
    }
}
