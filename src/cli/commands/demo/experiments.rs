//! The experiments with known truth: those that come with the program, and any folder of the same form.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::cli::error::CliError;
use crate::engine::truth::{self, Known, Truth};
use crate::process::Tool;

/// The experiments that come with the program.
static EXPERIMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments");

const TRUTH: &str = "truth.json";
const CANDIDATES: &str = "candidates";

/// An experiment and what is known of it.
pub(super) struct Experiment {
    files: Files,
    known: Known,
}

enum Files {
    BuiltIn(&'static Dir<'static>),
    Folder(PathBuf),
}

/// How an experiment is laid out.
pub(super) struct Layout<'a> {
    /// The size, which its file `profile` names.
    pub size: &'a str,
    /// The candidates in the order in which they are to be tried.
    pub candidates: &'a [Truth],
    /// Whether their files are numbered by that order, or keep their names.
    pub numbered: bool,
}

/// Returns every experiment that comes with the program, by name.
pub(super) fn all() -> Result<Vec<Experiment>, CliError> {
    EXPERIMENTS.dirs().filter_map(built_in).collect()
}

/// Finds an experiment by its name, or by a folder that holds one.
pub(super) fn find(name: &str) -> Result<Experiment, CliError> {
    if let Some(experiment) = EXPERIMENTS.get_dir(name).and_then(built_in) {
        return experiment;
    }
    let folder = Path::new(name);
    if folder.join(TRUTH).is_file() {
        let known = truth::read(&folder.join(TRUTH))?;
        return Ok(Experiment { files: Files::Folder(folder.to_owned()), known });
    }
    let known = all()?.iter().map(|experiment| experiment.name().to_owned()).collect();
    Err(CliError::NoSuchExperiment { name: name.to_owned(), known })
}

fn built_in(dir: &'static Dir<'static>) -> Option<Result<Experiment, CliError>> {
    let path = dir.path().join(TRUTH);
    let file = dir.get_file(&path)?;
    let known = truth::parse(file.contents(), &path);
    Some(known.map(|known| Experiment { files: Files::BuiltIn(dir), known }).map_err(CliError::from))
}

impl Experiment {
    /// Returns its name.
    pub(super) fn name(&self) -> &str {
        &self.known.experiment
    }

    /// Returns what is known of it.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Returns the first program that it needs and that does not start here.
    pub(super) fn missing_program(&self) -> Option<&str> {
        let starts = |program: &str| {
            let version = Tool::new(program, Path::new("/")).args(["--version"]).run();
            version.is_ok_and(|output| output.code == 0)
        };
        self.known.needs.iter().map(String::as_str).find(|program| !starts(program))
    }

    /// Writes its files into a new folder.
    pub(super) fn lay_out(&self, folder: &Path, layout: &Layout<'_>) -> Result<(), CliError> {
        if folder.exists() {
            return Err(CliError::FolderExists { path: folder.to_owned() });
        }
        let mut write = |relative: &Path, content: &[u8]| match target(relative, layout) {
            Some(name) => write_file(&folder.join(name), content),
            None => Ok(()),
        };
        match &self.files {
            Files::BuiltIn(dir) => each_built_in(dir, dir.path(), &mut write)?,
            Files::Folder(from) => each_file(from, from, &mut write)?,
        }
        let profile = folder.join("profile");
        fs::write(&profile, format!("{}\n", layout.size)).map_err(|source| CliError::io("write", &profile, source))
    }
}

type Write<'a> = dyn FnMut(&Path, &[u8]) -> Result<(), CliError> + 'a;

fn each_built_in(dir: &Dir<'_>, root: &Path, write: &mut Write<'_>) -> Result<(), CliError> {
    for file in dir.files() {
        let Ok(relative) = file.path().strip_prefix(root) else { continue };
        write(relative, file.contents())?;
    }
    dir.dirs().try_for_each(|sub| each_built_in(sub, root, write))
}

fn each_file(dir: &Path, root: &Path, write: &mut Write<'_>) -> Result<(), CliError> {
    let unreadable = |source| CliError::io("read folder", dir, source);
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            // What a build by hand left is no part of the experiment, and can be large.
            if path.file_name().is_none_or(|name| name != "target") {
                each_file(&path, root, write)?;
            }
        } else if let Ok(relative) = path.strip_prefix(root) {
            let content = fs::read(&path).map_err(|source| CliError::io("read", &path, source))?;
            write(relative, &content)?;
        }
    }
    Ok(())
}

/// Names a file as the laid out experiment has it; `None` for a candidate that is not to be tried.
fn target(relative: &Path, layout: &Layout<'_>) -> Option<PathBuf> {
    if !relative.starts_with(CANDIDATES) {
        return Some(without_in(relative));
    }
    let name = relative.file_name()?.to_str()?;
    let place = layout.candidates.iter().position(|truth| truth.patch == name)?;
    let name = if layout.numbered { numbered(place, name) } else { name.to_owned() };
    Some(Path::new(CANDIDATES).join(name))
}

fn numbered(place: usize, name: &str) -> String {
    format!("{place:04}--{name}")
}

/// Returns the name that a candidate has in the experiment, without the number of its place.
pub(super) fn own_name(name: &str) -> &str {
    name.split_once("--")
        .filter(|(number, _)| number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()))
        .map_or(name, |(_, own)| own)
}

/// Names a file as the workload needs it: manifests are stored as `Cargo.toml.in`, so that the published crate has them.
fn without_in(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|ending| ending == "in") { path.with_extension("") } else { path.to_owned() }
}

/// Writes a file; a script is executable, a mode that the embedded form does not keep.
fn write_file(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
        let mode = if content.starts_with(b"#!") { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    write().map_err(|source| CliError::io("write", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_candidate_is_known_by_its_own_name() {
        assert_eq!(own_name(&numbered(12, "03-merge--twice.patch")), "03-merge--twice.patch");
        assert_eq!(own_name("03--merge.patch"), "03--merge.patch");
    }
}
