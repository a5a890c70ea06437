//! The words of a command that name files of the checkout, and so belong to the harness.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::GateError;
use super::glob::{contains, join};
use crate::domain::{Command, Settings};

/// Shell punctuation that may stand around a file name in a command line.
const PUNCTUATION: [char; 9] = ['\'', '"', ';', '&', '|', '(', ')', '<', '>'];

/// Lists the repository's files that the words of a command name, each with its word.
///
/// A word counts when it names, relative to `workingDir`, a regular file of the checkout that `scope.allow` does not
/// list by its exact path. What the build makes does not count: files in `build.keep`, and, where there is a build,
/// compiled programs.
pub(super) fn sealed_words(
    root: &Path,
    settings: &Settings,
    command: &Command,
) -> Result<Vec<(String, String)>, GateError> {
    let mut sealed = Vec::new();
    for (path, word) in files_named(root, &settings.working_dir, command)? {
        let built = settings.build.is_some() && is_program(&root.join(&path))?;
        if !is_allowed(settings, &path) && !is_kept(settings, &path) && !built {
            sealed.push((path, word));
        }
    }
    Ok(sealed)
}

/// Lists the regular files at or below `root` that the words of a command name relative to a folder of it, each once.
pub(super) fn files_named(root: &Path, folder: &str, command: &Command) -> Result<Vec<(String, String)>, GateError> {
    let mut named: Vec<(String, String)> = Vec::new();
    for word in command.words() {
        let word = plain_word(word);
        let Some(path) = in_repository(root, folder, word).filter(|path| !path.is_empty()) else { continue };
        let file = root.join(&path);
        let is_file = match fs::metadata(&file) {
            Ok(metadata) => metadata.is_file(),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => false,
            Err(error) if matches!(error.kind(), ErrorKind::InvalidFilename | ErrorKind::InvalidInput) => false,
            Err(source) => return Err(GateError::io("look at", file)(source)),
        };
        if is_file && !named.iter().any(|(known, _)| *known == path) {
            named.push((path, word.to_owned()));
        }
    }
    Ok(named)
}

/// Returns a word of a command line without the shell's punctuation around it.
pub(super) fn plain_word(word: &str) -> &str {
    word.trim_matches(PUNCTUATION)
}

/// Returns the path of a word relative to the repository root, where it stays inside.
fn in_repository(root: &Path, working_dir: &str, word: &str) -> Option<String> {
    match Path::new(word).strip_prefix(root) {
        Ok(inside) => join("", inside.to_str()?),
        Err(_) => join(working_dir, word),
    }
}

fn is_allowed(settings: &Settings, path: &str) -> bool {
    settings.scope.allow.iter().any(|allowed| join("", allowed).as_deref() == Some(path))
}

fn is_kept(settings: &Settings, path: &str) -> bool {
    let keep = settings.build.iter().flat_map(|build| &build.keep);
    keep.filter_map(|folder| join(&settings.folder, folder)).any(|folder| contains(&folder, path))
}

/// Says whether a file is a compiled program (ELF or Mach-O).
fn is_program(path: &Path) -> Result<bool, GateError> {
    let mut magic = Vec::new();
    File::open(path).and_then(|file| file.take(4).read_to_end(&mut magic)).map_err(GateError::io("read", path))?;
    let macho = [[0xcf, 0xfa, 0xed, 0xfe], [0xce, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];
    Ok(magic == *b"\x7fELF" || macho.iter().any(|m| magic == m))
}
