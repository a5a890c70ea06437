//! The files of the holdout: which they are, and how its command names them where they are laid.

use std::path::Path;

use super::GateError;
use super::glob::join;
use super::snapshot::{Collector, HarnessFile, SealReason, kept_folders};
use super::words::{files_named, plain_word, sealed_words};
use crate::domain::{Command, Holdout, Settings};

impl Collector<'_> {
    /// Adds the files of a holdout that is a part of the config; what is sealed for another reason stays in sight.
    pub(super) fn add_holdout(&mut self, settings: &Settings) -> Result<(), GateError> {
        let Some(holdout) = settings.holdout.as_ref().filter(|holdout| holdout.outside().is_none()) else {
            return Ok(());
        };
        for (path, _) in sealed_words(self.root(), settings, &holdout.command)? {
            self.add(&path, &SealReason::Holdout)?;
        }
        self.add_held_globs(holdout, &settings.folder, &kept_folders(settings))
    }

    fn add_held_globs(&mut self, holdout: &Holdout, folder: &str, skip: &[String]) -> Result<(), GateError> {
        let globs = (holdout.files.as_slice(), folder, "holdout.files");
        match self.add_globs(globs, skip, &|_| SealReason::Holdout)?.into_iter().next() {
            Some(glob) => Err(GateError::NothingHeld { glob }),
            None => Ok(()),
        }
    }
}

/// Reads the files of a holdout outside the config: those that its command names, and its `files`. Paths are relative to
/// the folder of its file.
pub fn held_outside(holdout: &Holdout) -> Result<Vec<HarnessFile>, GateError> {
    let Some(root) = holdout.outside() else { return Ok(Vec::new()) };
    let mut collector = Collector::new(root);
    for (path, _) in files_named(root, "", &holdout.command)? {
        collector.add(&path, &SealReason::Holdout)?;
    }
    collector.add_held_globs(holdout, "", &[])?;
    Ok(collector.into_files())
}

/// Returns the command with each word that names one of these files replaced by its path below another folder.
pub fn relocated(holdout: &Holdout, files: &[HarnessFile], folder: &Path) -> Command {
    let named = |word: &str| {
        let word = plain_word(word);
        let inside = holdout.outside().and_then(|root| Path::new(word).strip_prefix(root).ok()?.to_str());
        let path = join("", inside.unwrap_or(word))?;
        let file = files.iter().find(|file| file.path == path)?;
        Some((word.to_owned(), folder.join(&file.path).to_string_lossy().into_owned()))
    };
    match &holdout.command {
        Command::Argv(words) => {
            Command::Argv(words.iter().map(|word| named(word).map_or_else(|| word.clone(), |(_, path)| path)).collect())
        }
        Command::Shell(line) => {
            let replaced = line.split_inclusive(char::is_whitespace).map(|word| match named(word.trim_end()) {
                Some((old, path)) if word.starts_with(['\'', '"']) => word.replacen(&old, &path, 1),
                Some((old, path)) => word.replacen(&old, &quoted(&path), 1),
                None => word.to_owned(),
            });
            Command::Shell(replaced.collect())
        }
    }
}

/// Quotes a path for a shell where it needs that.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '=' | '@' | ',');
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::domain::TimeLimit;

    fn holdout(command: Command, files: &[&str], file: Option<PathBuf>) -> Holdout {
        let files = files.iter().map(|&file| file.to_owned()).collect();
        Holdout { command, timeout: TimeLimit::Calibrated, files, metrics: Vec::new(), file }
    }

    fn shell(line: &str) -> Command {
        Command::Shell(line.to_owned())
    }

    /// A folder with a holdout's file, its script and data.
    fn outside() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        for path in ["held.json", "holdout.sh", "data/a.csv", "data/b.csv"] {
            fs::write(folder.path().join(path), path).unwrap();
        }
        let file = folder.path().canonicalize().unwrap().join("held.json");
        (folder, file)
    }

    #[test]
    fn the_words_of_the_command_and_the_listed_files_are_the_holdouts() {
        let (_folder, file) = outside();
        let held = |command, files: &[&str]| {
            let found = held_outside(&holdout(command, files, Some(file.clone()))).unwrap();
            found.into_iter().map(|file| file.path).collect::<Vec<_>>()
        };
        assert_eq!(held(shell("./holdout.sh data/a.csv"), &[]), ["data/a.csv", "holdout.sh"]);
        assert_eq!(held(shell("sh ./holdout.sh"), &["data"]), ["data/a.csv", "data/b.csv", "holdout.sh"]);
        let missing = held_outside(&holdout(shell("x"), &["*.tsv"], Some(file.clone()))).unwrap_err().to_string();
        assert_eq!(missing, "'*.tsv' in holdout.files matches no file; mend or delete it");
    }

    #[test]
    fn words_that_name_its_files_are_moved_and_others_are_not() {
        let (_folder, file) = outside();
        let moved = |command, folder: &str| {
            let holdout = holdout(command, &[], Some(file.clone()));
            relocated(&holdout, &held_outside(&holdout).unwrap(), Path::new(folder))
        };
        assert_eq!(
            moved(shell("./holdout.sh  --in=x data/a.csv; ./target/prog"), "/laid"),
            shell("/laid/holdout.sh  --in=x /laid/data/a.csv; ./target/prog")
        );
        assert_eq!(moved(shell("sh './holdout.sh'"), "/a b"), shell("sh '/a b/holdout.sh'"));
        assert_eq!(moved(shell("sh ./holdout.sh"), "/a b"), shell("sh '/a b/holdout.sh'"));
        let absolute = file.with_file_name("holdout.sh").display().to_string();
        let argv = |words: &[&str]| Command::Argv(words.iter().map(|&word| word.to_owned()).collect());
        assert_eq!(moved(argv(&["sh", &absolute, "data"]), "/laid"), argv(&["sh", "/laid/holdout.sh", "data"]));
    }
}
