//! Globs over paths relative to the repository root.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::GateError;

/// A list of globs, with the text of each for messages.
#[derive(Debug, Clone)]
pub(super) struct Globs {
    set: GlobSet,
    written: Vec<String>,
}

impl Globs {
    /// Compiles globs that are relative to a folder of the repository (`""` is its root).
    ///
    /// `*` stays within one folder, `**` does not; a glob that names a folder matches everything in it.
    pub(super) fn new(globs: &[String], folder: &str, key: &'static str) -> Result<Self, GateError> {
        let mut set = GlobSetBuilder::new();
        let escaped = globset::escape(folder);
        for glob in globs {
            let full = join(&escaped, glob).ok_or_else(|| GateError::Outside { path: glob.clone(), key })?;
            let both = if full.is_empty() { vec!["**".to_owned()] } else { vec![format!("{full}/**"), full] };
            for pattern in both {
                set.add(compile(&pattern).map_err(|source| GateError::Glob { glob: glob.clone(), key, source })?);
            }
        }
        let set = set.build().map_err(|source| GateError::Glob {
            glob: globs.join("', '"),
            key,
            source: Box::new(source),
        })?;
        Ok(Self { set, written: globs.to_vec() })
    }

    /// Says whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Returns the first glob, as written, that matches a path.
    pub(super) fn first(&self, path: &str) -> Option<&str> {
        let index = self.set.matches(path).into_iter().min()?;
        Some(&self.written[index / 2])
    }

    /// Returns each glob, as written, that matches a path.
    pub(super) fn all(&self, path: &str) -> Vec<usize> {
        let mut found: Vec<_> = self.set.matches(path).into_iter().map(|index| index / 2).collect();
        found.dedup();
        found
    }
}

fn compile(pattern: &str) -> Result<globset::Glob, Box<dyn std::error::Error + Send + Sync>> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)
}

/// Joins a relative path to a folder and resolves `.` and `..` by name alone; `None` where it leaves the repository.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Says whether one path is the other, or a folder above it.
pub(super) fn contains(folder: &str, path: &str) -> bool {
    match path.strip_prefix(folder) {
        Some(rest) => rest.is_empty() || folder.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(globs: &[&str], folder: &str) -> Globs {
        let globs: Vec<_> = globs.iter().map(|&glob| glob.to_owned()).collect();
        Globs::new(&globs, folder, "scope.allow").unwrap()
    }

    #[test]
    fn a_star_stays_in_its_folder_and_a_folder_means_all_in_it() {
        assert_eq!(globs(&["src/*.rs"], "").first("src/a.rs"), Some("src/*.rs"));
        assert_eq!(globs(&["src/*.rs"], "").first("src/a/b.rs"), None);
        assert_eq!(globs(&["src/"], "").first("src/a/b.rs"), Some("src/"));
        assert_eq!(globs(&["x", "src"], "").first("src/a/b.rs"), Some("src"));
        assert_eq!(globs(&["./src/**"], "").first("src/a/b.rs"), Some("./src/**"));
        assert_eq!(globs(&["src"], "").first("srcs"), None);
        assert_eq!(globs(&["."], "").first("any/thing"), Some("."));
    }

    #[test]
    fn globs_are_relative_to_their_folder_which_is_taken_literally() {
        assert_eq!(globs(&["data/*.txt"], "ex/[a]").first("ex/[a]/data/1.txt"), Some("data/*.txt"));
        assert_eq!(globs(&["../shared/**"], "ex/a").first("ex/shared/b/c"), Some("../shared/**"));
        assert!(matches!(Globs::new(&["../../x".to_owned()], "ex", "harness"), Err(GateError::Outside { .. })));
    }

    #[test]
    fn a_bad_glob_is_named_with_its_key() {
        let error = Globs::new(&["src/[".to_owned()], "", "scope.protect").unwrap_err().to_string();
        assert!(error.starts_with("'src/[' in scope.protect is no glob"), "{error}");
    }
}
