//! The file itself: read, edit, compare with what was read, replace.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::edit::{Edit, apply};
use super::error::IdeasError;

/// How often an edit is tried again when somebody else writes the file meanwhile.
const ATTEMPTS: u32 = 5;

/// What a new file begins with.
const SECTIONS: &str = "# Ideas\n\n## To try\n\n## Tried\n\n## Follow-up / human review\n\n## Closed (do not retry)\n\n## Settled decisions\n";

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
/// A symbolic link stays one; the file that it leads to is replaced. The new text is first written into `scratch`, a
/// folder of one process at a time, so that a kill leaves nothing in the checkout; where that is another file system,
/// beside the file.
pub fn edit_file(path: &Path, edit: &Edit, scratch: &Path) -> Result<Written, IdeasError> {
    edit_between(path, edit, scratch, &mut || {})
}

/// Edits ideas.md as [`edit_file`] does; a missing one is made, with its sections.
pub fn edit_or_make(path: &Path, edit: &Edit, scratch: &Path) -> Result<Written, IdeasError> {
    match edit_file(path, edit, scratch)? {
        Written::Missing => make(path, &apply(SECTIONS, edit)?),
        written @ (Written::Edited | Written::Unchanged) => Ok(written),
    }
}

fn make(path: &Path, text: &str) -> Result<Written, IdeasError> {
    let write = || -> io::Result<()> {
        let mut file = fs::File::create_new(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| IdeasError::Write { path: path.to_owned(), source })?;
    Ok(Written::Edited)
}

/// As [`edit_file`], with something that happens between reading and comparing.
fn edit_between(path: &Path, edit: &Edit, scratch: &Path, between: &mut dyn FnMut()) -> Result<Written, IdeasError> {
    for _ in 0..ATTEMPTS {
        let Some(old) = read(path)? else { return Ok(Written::Missing) };
        let new = apply(&old, edit)?;
        if new == old {
            return Ok(Written::Unchanged);
        }
        let failed = |source| IdeasError::Write { path: path.to_owned(), source };
        let target = path.canonicalize().map_err(failed)?;
        let fresh = prepare(&target, &new, scratch).map_err(failed)?;
        between();
        if read(path)?.as_ref() == Some(&old) {
            replace(&target, &fresh, &new).map_err(failed)?;
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

/// Writes the new text, synced and with the mode of the real file, into the scratch folder.
fn prepare(target: &Path, text: &str, scratch: &Path) -> io::Result<PathBuf> {
    let fresh = scratch.join("ideas.md.new");
    // A process that was killed may have left one, with a mode that lets nobody write it.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) | Ok(()) => fill(fs::File::create_new(&fresh)?, target, text)?,
    }
    Ok(fresh)
}

fn fill(mut file: fs::File, target: &Path, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::metadata(target)?.permissions())?;
    file.sync_all()
}

/// Puts the new file in the place of the old one; from another file system by way of a copy beside it.
fn replace(target: &Path, fresh: &Path, text: &str) -> io::Result<()> {
    match fs::rename(fresh, target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let beside = tempfile::NamedTempFile::new_in(folder(target))?;
            fill(beside.reopen()?, target, text)?;
            beside.persist(target).map_err(|error| error.error)?;
            fs::remove_file(fresh)?;
        }
        renamed => renamed?,
    }
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
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("ideas.md");
        fs::write(&path, "## Tried\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(edit_file(&path, &edit(), scratch.path()).unwrap(), Written::Edited);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("## Tried\n\n{DONE}"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(edit_file(&path, &edit(), scratch.path()).unwrap(), Written::Unchanged);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_change_made_meanwhile_is_kept() {
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("ideas.md");
        fs::write(&path, "## Tried\n").unwrap();
        let mut once = true;
        let mut between = || {
            if std::mem::take(&mut once) {
                fs::write(&path, "mine\n\n## Tried\n").unwrap();
            }
        };
        assert_eq!(edit_between(&path, &edit(), scratch.path(), &mut between).unwrap(), Written::Edited);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("mine\n\n## Tried\n\n{DONE}"));
    }

    #[test]
    fn a_file_that_never_rests_is_left_alone() {
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("ideas.md");
        fs::write(&path, "").unwrap();
        let mut n = 0;
        let mut between = || {
            n += 1;
            fs::write(&path, format!("{n}\n")).unwrap();
        };
        let error = edit_between(&path, &edit(), scratch.path(), &mut between).unwrap_err();
        assert!(error.to_string().ends_with("changed 5 times while it was edited; close it elsewhere and try again"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "5\n");
    }

    #[test]
    fn a_missing_file_is_not_made() {
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("ideas.md");
        assert_eq!(edit_file(&path, &edit(), scratch.path()).unwrap(), Written::Missing);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_is_made_where_that_is_asked_for() {
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("ideas.md");
        assert_eq!(edit_or_make(&path, &edit(), scratch.path()).unwrap(), Written::Edited);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, SECTIONS.replace("## Tried\n", &format!("## Tried\n\n{DONE}")));
        assert_eq!(edit_or_make(&path, &edit(), scratch.path()).unwrap(), Written::Unchanged);
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (real, link) = (dir.path().join("real.md"), dir.path().join("ideas.md"));
        fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink("real.md", &link).unwrap();
        assert_eq!(edit_file(&link, &edit(), scratch.path()).unwrap(), Written::Edited);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains(DONE));
    }

    #[test]
    fn what_a_killed_process_left_is_in_nobodys_way() {
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, left) = (dir.path().join("ideas.md"), scratch.path().join("ideas.md.new"));
        fs::write(&path, "## Tried\n").unwrap();
        fs::write(&left, "half").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(edit_file(&path, &edit(), scratch.path()).unwrap(), Written::Edited);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("## Tried\n\n{DONE}"));
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_on_another_file_system_is_replaced_too() {
        let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir_in("/dev/shm"));
        let Ok(scratch) = scratch else { return eprintln!("skipped: there is no /dev/shm") };
        let path = dir.path().join("ideas.md");
        fs::write(&path, "## Tried\n").unwrap();
        assert_eq!(edit_file(&path, &edit(), scratch.path()).unwrap(), Written::Edited);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("## Tried\n\n{DONE}"));
        assert_eq!((fs::read_dir(dir.path()).unwrap().count(), fs::read_dir(scratch.path()).unwrap().count()), (1, 0));
    }
}
