//! Where a config file is found: in the start folder or the nearest one above it, up to the repository root.

use std::path::{Path, PathBuf};

use super::ConfigError;

/// The name of every config file.
pub const FILE_NAME: &str = "autoresearch.config.json";

/// Finds the config file that governs a folder: the nearest one from `start` up to `root`, both included.
pub fn discover(start: &Path, root: &Path) -> Result<PathBuf, ConfigError> {
    let not_found = || ConfigError::NotFound { start: start.to_owned(), root: root.to_owned() };
    let start = std::path::absolute(start).map_err(|source| ConfigError::Read { path: start.to_owned(), source })?;
    let root = std::path::absolute(root).map_err(|source| ConfigError::Read { path: root.to_owned(), source })?;
    if !start.starts_with(&root) {
        return Err(not_found());
    }
    start
        .ancestors()
        .take_while(|folder| folder.starts_with(&root))
        .map(|folder| folder.join(FILE_NAME))
        .find(|file| file.is_file())
        .ok_or_else(not_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_config_at_or_above_the_start_is_found() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("experiments/a/src");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(root.path().join(FILE_NAME), "{}").unwrap();
        assert_eq!(discover(&deep, root.path()).unwrap(), root.path().join(FILE_NAME));
        std::fs::write(root.path().join("experiments/a").join(FILE_NAME), "{}").unwrap();
        assert_eq!(discover(&deep, root.path()).unwrap(), root.path().join("experiments/a").join(FILE_NAME));
    }

    #[test]
    fn a_config_above_the_repository_is_not_found_and_the_error_names_init() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("repo");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(outer.path().join(FILE_NAME), "{}").unwrap();
        let message = discover(&root, &root).unwrap_err().to_string();
        assert!(message.starts_with("no autoresearch.config.json in "), "{message}");
        assert!(message.contains("'autoresearch init' writes one"), "{message}");
    }
}
