//! Writing a starting set: all of it or nothing, and never over anything that exists.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::proposal::{Starter, StarterError, StarterFile};

/// Writes every file of a starting set below the root.
///
/// When any of them exists, all such are named and nothing is written. When writing fails half-way, what was written
/// is removed again, with the folders made for it.
pub fn write(root: &Path, starter: &Starter) -> Result<(), StarterError> {
    let paths: Vec<String> = starter.files.iter().filter_map(|file| in_the_way(root, &file.path)).collect();
    if !paths.is_empty() {
        return Err(StarterError::Exists { paths });
    }
    let mut made = Made::default();
    for file in &starter.files {
        let path = root.join(&file.path);
        write_one(&path, file, &mut made).map_err(|source| StarterError::Write { path, source })?;
    }
    made.keep();
    Ok(())
}

/// Returns what stands where a file is to be: the path itself, also a dangling link, or a file in place of a folder.
fn in_the_way(root: &Path, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    (1..=parts.len()).find_map(|count| {
        let part = parts[..count].join("/");
        let full = root.join(&part);
        let blocked = if count == parts.len() { full.symlink_metadata().is_ok() } else { is_no_folder(&full) };
        blocked.then_some(part)
    })
}

fn is_no_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok() && !path.is_dir()
}

/// Writes one file beside its place, syncs it, and moves it there unless something appeared meanwhile.
fn write_one(path: &Path, file: &StarterFile, made: &mut Made) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    made.folder(folder)?;
    let mut temporary = NamedTempFile::new_in(folder)?;
    temporary.write_all(file.text.as_bytes())?;
    let permissions = if file.executable { 0o755 } else { 0o644 };
    temporary.as_file().set_permissions(Permissions::from_mode(permissions))?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path).map_err(|error| error.error)?;
    made.files.push(path.to_owned());
    Ok(())
}

/// What this run made; removed again on drop unless kept.
#[derive(Debug, Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    /// Makes a folder with its missing parents and remembers each.
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.folder(parent)?;
        }
        fs::create_dir(folder)?;
        self.folders.push(folder.to_owned());
        Ok(())
    }

    fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Best effort: the error that led here is the one to report.
        for file in self.files.drain(..).rev() {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}
