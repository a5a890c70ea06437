//! Files that grew to the limit of their size: what is left to see of it when a program took the error its own way.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::wire::RunOrder;

/// Says whether a job that ran for a while left a file of exactly the largest size allowed where it may write. The
/// kernel cuts a write that would go beyond, so that a file at its limit has that very size.
pub(super) fn exist(order: &RunOrder, bytes: u64, ran: Duration) -> bool {
    let since = SystemTime::now() - ran - Duration::from_secs(1);
    let places = order.walls.iter().flat_map(|walls| &walls.writable).chain(order.variable("TMPDIR"));
    let places = places.chain([&order.stdout, &order.stderr, &order.dir]);
    places.map(PathBuf::from).any(|place| is_full_below(&place, bytes, since))
}

fn is_full_below(path: &Path, bytes: u64, since: SystemTime) -> bool {
    let Ok(found) = path.symlink_metadata() else { return false };
    if found.is_file() {
        return found.len() == bytes && found.modified().is_ok_and(|time| time >= since);
    }
    let entries = || path.read_dir().into_iter().flatten().flatten();
    found.is_dir() && entries().any(|entry| is_full_below(&entry.path(), bytes, since))
}
