//! Tells which files of a live queue are written whole, so that none is judged half.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A file that looks whole is taken once nobody has written to it for this time.
const MOMENT: Duration = Duration::from_millis(500);

/// One that looks cut off may still be on its way through a slow pipe or network; as it is it is taken only after this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// By what a file shows that it was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    pub(super) fn of(found: &Metadata) -> Self {
        Self { size: found.len(), modified: found.modified().ok(), inode: found.ino() }
    }
}

/// The last change of a file that was seen.
#[derive(Debug)]
struct Look {
    stamp: Stamp,
    at: Instant,
    /// How long before that the change was, by the file's own time.
    age: Duration,
}

/// What is known of the files of a queue: which were taken, and since when each stands still.
///
/// One that is changed after it was taken is another candidate.
#[derive(Debug, Default)]
pub struct Watched {
    taken: BTreeMap<PathBuf, Stamp>,
    seen: BTreeMap<PathBuf, Look>,
}

impl Watched {
    pub(super) fn take(&mut self, path: &Path, stamp: Stamp) {
        self.seen.remove(path);
        self.taken.insert(path.to_owned(), stamp);
    }

    pub(super) fn is_taken(&self, path: &Path, stamp: Stamp) -> bool {
        self.taken.get(path) == Some(&stamp)
    }

    /// Returns the time for which a file must still stand still before it is taken; zero where it can be now.
    pub(super) fn left(&mut self, path: &Path, stamp: Stamp, looks_whole: impl FnOnce() -> bool) -> Duration {
        self.left_at((Instant::now(), SystemTime::now()), path, stamp, looks_whole)
    }

    fn left_at(
        &mut self,
        (now, clock): (Instant, SystemTime),
        path: &Path,
        stamp: Stamp,
        looks_whole: impl FnOnce() -> bool,
    ) -> Duration {
        let age = stamp.modified.and_then(|modified| clock.duration_since(modified).ok()).unwrap_or_default();
        let fresh = || Look { stamp, at: now, age };
        let look = self.seen.entry(path.to_owned()).or_insert_with(fresh);
        if look.stamp != stamp {
            *look = fresh();
        }
        let still = look.age + now.duration_since(look.at);
        if still < MOMENT {
            return MOMENT.saturating_sub(still);
        }
        let left = PATIENCE.saturating_sub(still);
        if left.is_zero() || looks_whole() { Duration::ZERO } else { left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose time is that of a moment (seconds after the start).
    fn stamp(start: SystemTime, size: u64, second: u64) -> Stamp {
        Stamp { size, modified: Some(start + Duration::from_secs(second)), inode: 1 }
    }

    /// Asks at a moment (milliseconds after the start) what is left, in milliseconds.
    fn left(room: &mut Watched, start: (Instant, SystemTime), at: u64, stamp: Stamp, whole: bool) -> u128 {
        let after = Duration::from_millis(at);
        room.left_at((start.0 + after, start.1 + after), Path::new("a.patch"), stamp, || whole).as_millis()
    }

    #[test]
    fn a_file_that_looks_whole_stands_still_for_a_moment_and_one_that_is_cut_for_long() {
        let (mut room, start) = (Watched::default(), (Instant::now(), SystemTime::now()));
        let first = stamp(start.1, 10, 5);
        assert_eq!(left(&mut room, start, 5000, first, true), 500);
        assert_eq!(left(&mut room, start, 5400, first, true), 100);
        assert_eq!(left(&mut room, start, 5500, first, false), 9500);
        assert_eq!(left(&mut room, start, 5500, first, true), 0);
        let longer = stamp(start.1, 20, 6);
        assert_eq!(left(&mut room, start, 6000, longer, true), 500, "it was written to");
        assert_eq!(left(&mut room, start, 16_000, longer, false), 0);
    }

    #[test]
    fn an_old_file_is_taken_at_once_and_one_from_the_future_after_a_moment() {
        let (mut room, start) = (Watched::default(), (Instant::now(), SystemTime::now()));
        assert_eq!(left(&mut room, start, 60_000, stamp(start.1, 10, 0), false), 0);
        let future = stamp(start.1, 11, 3600);
        assert_eq!(left(&mut room, start, 60_000, future, true), 500);
        assert_eq!(left(&mut room, start, 60_500, future, true), 0);
    }

    #[test]
    fn a_file_is_taken_once_and_again_after_a_change() {
        let mut room = Watched::default();
        let (path, first) = (Path::new("a.patch"), stamp(SystemTime::now(), 1, 0));
        room.take(path, first);
        assert!(room.is_taken(path, first) && !room.is_taken(path, Stamp { size: 2, ..first }));
    }
}
