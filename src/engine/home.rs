//! What commands leave in the private home of a slot, as far as the other slot's home has nothing like it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::git;

use super::EngineError;

/// Levels of folders whose entries are compared by name; what lies deeper is taken with its folder, so that the look at
/// a home with large caches stays short.
const LEVELS: usize = 4;

/// What every command or run gets anew.
const RENEWED: [&str; 2] = ["tmp", "metrics"];

/// Settings that are copied from the user's again where they are missing.
const SEEDED: [&str; 2] = [".cargo/config.toml", ".cargo/config"];

/// Removes the settings of which each candidate gets a fresh copy.
pub(super) fn forget_settings(home: &Path) -> Result<(), EngineError> {
    SEEDED.iter().try_for_each(|path| Ok(git::remove_below(home, path)?))
}

/// Lists what lies in a home and not, as the same kind of thing, in another; paths are relative to both.
pub(super) fn strangers(home: &Path, other: &Path) -> Result<BTreeSet<PathBuf>, EngineError> {
    let mut found = BTreeSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        let full = home.join(&folder);
        let entries = match std::fs::read_dir(&full) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            // What a command shut is not looked into.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                found.insert(folder);
                continue;
            }
            Err(source) => return Err(EngineError::io("list", &full, source)),
        };
        for entry in entries {
            let entry = entry.map_err(|source| EngineError::io("list", &full, source))?;
            let kind = entry.file_type().map_err(|source| EngineError::io("look at", &entry.path(), source))?;
            let path = folder.join(entry.file_name());
            if RENEWED.iter().any(|name| path == Path::new(name)) {
                continue;
            }
            if !std::fs::symlink_metadata(other.join(&path)).is_ok_and(|found| found.file_type() == kind) {
                found.insert(path);
            } else if kind.is_dir() && path.components().count() < LEVELS {
                open.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_stranger_is_what_only_one_home_has_down_to_some_depth() {
        let room = tempfile::tempdir().unwrap();
        let (home, other) = (room.path().join("home"), room.path().join("other"));
        for (root, files) in [
            (&home, ["tmp/x", ".cache/tool/old", ".cache/tool/new", "a/b/c/d/deep", ".gitconfig", "kind/file"]),
            (&other, ["x", ".cache/tool/old", ".cache/other", "a/b/c/d/other", "y", "kindred"]),
        ] {
            for file in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
        }
        fs::write(other.join("kind"), "").unwrap();
        let found = strangers(&home, &other).unwrap();
        let expected = [".cache/tool/new", ".gitconfig", "kind"].map(PathBuf::from);
        assert_eq!(found, BTreeSet::from(expected));
        assert!(strangers(&room.path().join("none"), &other).unwrap().is_empty());
    }
}
