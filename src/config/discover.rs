//! Where a config file is found: in the start folder or the nearest one above it, up to the repository root, or by the
//! name of one of several experiments.

use std::path::{Path, PathBuf};

use super::ConfigError;

/// The name of every config file.
pub const FILE_NAME: &str = "autoresearch.config.json";

/// Finds the config file that governs a folder: the nearest one from `start` up to `root`, both included.
pub fn discover(start: &Path, root: &Path) -> Result<PathBuf, ConfigError> {
    let not_found =
        || ConfigError::NotFound { start: start.to_owned(), root: root.to_owned(), experiments: experiments(root) };
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

/// The folder whose folders are the experiments of a repository, each with a config of its own.
const EXPERIMENTS: &str = "experiments";

/// Lists the experiments of a repository by name: folders of `experiments/` with a config file, in order.
///
/// A name that is not UTF-8 cannot be typed and is left out; a repository without that folder has none.
pub fn experiments(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join(EXPERIMENTS)).into_iter().flatten().flatten();
    let configured = entries.filter(|entry| entry.path().join(FILE_NAME).is_file());
    let mut names: Vec<String> = configured.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Returns the config file of an experiment; an unknown one is refused with the names of those that there are.
pub fn of_experiment(root: &Path, name: &str) -> Result<PathBuf, ConfigError> {
    let known = experiments(root);
    if known.iter().any(|one| one == name) {
        return Ok(root.join(EXPERIMENTS).join(name).join(FILE_NAME));
    }
    Err(ConfigError::NoExperiment { name: name.to_owned(), folder: root.join(EXPERIMENTS), known })
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
    fn an_experiment_is_found_by_its_name_and_an_unknown_one_is_told_the_others() {
        let root = tempfile::tempdir().unwrap();
        assert!(experiments(root.path()).is_empty());
        for name in ["b", "a", "no-config"] {
            std::fs::create_dir_all(root.path().join("experiments").join(name)).unwrap();
        }
        for name in ["b", "a"] {
            std::fs::write(root.path().join("experiments").join(name).join(FILE_NAME), "{}").unwrap();
        }
        assert_eq!(experiments(root.path()), ["a", "b"]);
        assert_eq!(of_experiment(root.path(), "b").unwrap(), root.path().join("experiments/b").join(FILE_NAME));
        for unknown in ["c", "no-config", "../experiments/a", ""] {
            let message = of_experiment(root.path(), unknown).unwrap_err().to_string();
            assert!(message.contains("there are: a, b"), "{message}");
        }
        let message = discover(root.path(), root.path()).unwrap_err().to_string();
        assert!(message.contains("'--experiment NAME'") && message.contains("a, b"), "{message}");
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
