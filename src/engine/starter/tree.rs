//! A read-only look at a checkout: which files are there and what they say.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::proposal::StarterError;

/// Files looked at; enough to find manifests, benches and tests, and soon over in a huge repository.
const MAX_FILES: usize = 20_000;
/// Folder levels looked at.
const MAX_DEPTH: usize = 6;
/// Bytes read of one file.
const MAX_BYTES: u64 = 4 << 20;
/// Folders that hold what tools made, not what people wrote.
const MADE: [&str; 9] =
    ["target", "node_modules", "vendor", "build", "dist", "venv", "__pycache__", "third_party", "site-packages"];

/// The files of a checkout, as paths relative to its root with `/` between the parts.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    files: Vec<String>,
}

impl Tree {
    /// Lists a checkout level by level, so that a huge one still shows its upper levels.
    pub(super) fn read(root: &Path) -> Result<Self, StarterError> {
        let mut files = Vec::new();
        let mut folders = VecDeque::from([(String::new(), 0)]);
        while let Some((folder, depth)) = folders.pop_front() {
            let listed = match list(&root.join(&folder)) {
                Ok(listed) => listed,
                Err(source) if folder.is_empty() => {
                    return Err(StarterError::Read { path: root.to_owned(), source });
                }
                // A folder that cannot be read below the root hides a hint at most.
                Err(_) => continue,
            };
            for (name, is_folder) in listed {
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if !is_folder {
                    files.push(path);
                } else if depth + 1 < MAX_DEPTH && !name.starts_with('.') && !MADE.contains(&name.as_str()) {
                    folders.push_back((path, depth + 1));
                }
            }
            if files.len() >= MAX_FILES {
                break;
            }
        }
        files.sort();
        Ok(Self { root: root.to_owned(), files })
    }

    /// Says whether a regular file stands at this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).is_ok()
    }

    /// Says whether a folder holds at least one file.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        self.files.iter().any(|file| file.starts_with(&prefix))
    }

    /// Returns every file, in the order of the names.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Returns the first of these names that exists.
    pub(super) fn first_of<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// Reads a file as text; empty when there is none.
    pub(super) fn text(&self, path: &str) -> Result<String, StarterError> {
        if !self.has(path) {
            return Ok(String::new());
        }
        let full = self.root.join(path);
        let mut bytes = Vec::new();
        let read = File::open(&full).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(source) => Err(StarterError::Read { path: full, source }),
        }
    }

    /// Returns the files with this ending that contain one of the needles.
    pub(super) fn containing(&self, ending: &str, needles: &[&str]) -> Result<Vec<&str>, StarterError> {
        let mut found = Vec::new();
        for file in self.files().filter(|file| file.ends_with(ending)) {
            let text = self.text(file)?;
            if needles.iter().any(|needle| text.contains(needle)) {
                found.push(file);
            }
        }
        Ok(found)
    }

    /// Says whether the root's `.gitignore` names this file in so many words.
    pub(super) fn is_ignored(&self, path: &str) -> Result<bool, StarterError> {
        let text = self.text(".gitignore")?;
        Ok(text.lines().any(|line| line.trim().trim_start_matches('/') == path))
    }

    /// Returns the full path of a file of the checkout.
    pub(super) fn full(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

/// Lists one folder by name; symbolic links to folders are not followed.
fn list(folder: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut listed = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        // A name that is not UTF-8 is none that any of the detectors looks for.
        if let (Ok(name), true) = (entry.file_name().into_string(), kind.is_dir() || kind.is_file()) {
            listed.push((name, kind.is_dir()));
        }
    }
    listed.sort();
    Ok(listed)
}

/// Says whether a file's name ends like this after its last dot.
pub(super) fn has_ending(path: &str, ending: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, last)| last == ending)
}
