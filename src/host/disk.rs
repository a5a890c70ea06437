//! Free disk space.

use std::path::Path;

/// Returns the bytes that this user may still write on the disk of an existing path.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_has_no_known_space() {
        assert_eq!(free_bytes(Path::new("/no/such/path")), None);
        assert!(free_bytes(Path::new("/")).is_some());
    }
}
