//! The file itself: read, edit, compare with what was read, replace.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::edit::{Edit, apply};
use super::error::IdeasError;

/// How often an edit is tried again when somebody else writes the file meanwhile.
const ATTEMPTS: u32 = 5;

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The file has it now.
    Edited,
    /// The file had it already.
    Unchanged,
    /// There is no such file; the edit waits.
    Missing,
}

/// Edits ideas.md in place: its mode stays, and what somebody else writes meanwhile is never lost.
///
/// A symbolic link stays one; the file that it leads to is replaced.
pub fn edit_file(path: &Path, edit: &Edit) -> Result<Written, IdeasError> {
    edit_between(path, edit, &mut || {})
}

/// As [`edit_file`], with something that happens between reading and comparing.
fn edit_between(path: &Path, edit: &Edit, between: &mut dyn FnMut()) -> Result<Written, IdeasError> {
    for _ in 0..ATTEMPTS {
        let Some(old) = read(path)? else { return Ok(Written::Missing) };
        let new = apply(&old, edit)?;
        if new == old {
            return Ok(Written::Unchanged);
        }
        let failed = |source| IdeasError::Write { path: path.to_owned(), source };
        let (temp, target) = prepare(path, &new).map_err(failed)?;
        between();
        if read(path)?.as_ref() == Some(&old) {
            temp.persist(&target).map_err(|error| failed(error.error))?;
            sync_folder(&target).map_err(failed)?;
            return Ok(Written::Edited);
        }
    }
    Err(IdeasError::Busy { path: path.to_owned(), attempts: ATTEMPTS })
}

fn read(path: &Path) -> Result<Option<String>, IdeasError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IdeasError::Read { path: path.to_owned(), source }),
    }
}

/// Writes the new text to a synced temporary file beside the real one, with its mode.
fn prepare(path: &Path, text: &str) -> io::Result<(tempfile::NamedTempFile, PathBuf)> {
    let target = path.canonicalize()?;
    let mut temp = tempfile::NamedTempFile::new_in(folder(&target))?;
    temp.write_all(text.as_bytes())?;
    temp.as_file().set_permissions(fs::metadata(&target)?.permissions())?;
    temp.as_file().sync_all()?;
    Ok((temp, target))
}

fn sync_folder(target: &Path) -> io::Result<()> {
    fs::File::open(folder(target))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::ExperimentId;
    use crate::ideas::Tried;

    fn edit() -> Edit {
        let (text, outcome) = ("tried it".to_owned(), "no effect".to_owned());
        Edit::Tried(Tried { idea: None, text, outcome, experiment: ExperimentId(2) })
    }

    const DONE: &str = "- [x] tried it: no effect (#2)\n";

    #[test]
    fn the_file_is_replaced_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ideas.md");
        fs::write(&path, "## Tried\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(edit_file(&path, &edit()).unwrap(), Written::Edited);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("## Tried\n\n{DONE}"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(edit_file(&path, &edit()).unwrap(), Written::Unchanged);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_change_made_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ideas.md");
        fs::write(&path, "## Tried\n").unwrap();
        let mut once = true;
        let mut between = || {
            if std::mem::take(&mut once) {
                fs::write(&path, "mine\n\n## Tried\n").unwrap();
            }
        };
        assert_eq!(edit_between(&path, &edit(), &mut between).unwrap(), Written::Edited);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("mine\n\n## Tried\n\n{DONE}"));
    }

    #[test]
    fn a_file_that_never_rests_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ideas.md");
        fs::write(&path, "").unwrap();
        let mut n = 0;
        let mut between = || {
            n += 1;
            fs::write(&path, format!("{n}\n")).unwrap();
        };
        let error = edit_between(&path, &edit(), &mut between).unwrap_err();
        assert!(error.to_string().ends_with("changed 5 times while it was edited; the edit waits in the journal"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "5\n");
    }

    #[test]
    fn a_missing_file_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ideas.md");
        assert_eq!(edit_file(&path, &edit()).unwrap(), Written::Missing);
        assert!(!path.exists());
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.md"), dir.path().join("ideas.md"));
        fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink("real.md", &link).unwrap();
        assert_eq!(edit_file(&link, &edit()).unwrap(), Written::Edited);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains(DONE));
    }
}
