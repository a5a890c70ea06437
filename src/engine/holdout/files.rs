//! The files of the holdout: read once, laid for one run of its command, taken away after it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::{Command, Holdout, Settings};
use crate::engine::EngineError;
use crate::gate::{self, HarnessFile, HarnessSnapshot, SealReason};

/// The folder below a slot's private one in which the files of a holdout outside the repository are laid.
const FOLDER: &str = "holdout";

/// The files as they were at session start, and where they come from.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct HeldFiles {
    files: Vec<HarnessFile>,
    /// The folder of the holdout's own file; `None` where they are files of the repository.
    outside: Option<PathBuf>,
    /// What commands do not see: the originals, and what says what the holdout is.
    originals: Vec<PathBuf>,
}

impl HeldFiles {
    /// Reads the files, or takes those of the repository from the snapshot of what is sealed there.
    pub(in crate::engine) fn collect(
        root: &Path,
        settings: &Settings,
        snapshot: &HarnessSnapshot,
    ) -> Result<Self, EngineError> {
        let Some(holdout) = &settings.holdout else { return Ok(Self::default()) };
        let outside = holdout.outside().map(Path::to_owned);
        let files = match &outside {
            Some(_) => gate::held_outside(holdout)?,
            None => snapshot.files().iter().filter(|file| file.why == SealReason::Holdout).cloned().collect(),
        };
        let config = snapshot.files().iter().filter(|file| file.why == SealReason::Config);
        let told = holdout.file.clone().into_iter().chain(config.map(|file| root.join(&file.path)));
        let folder = outside.as_deref().unwrap_or(root);
        let originals = files.iter().map(|file| folder.join(&file.path)).chain(told).collect();
        Ok(Self { files, outside, originals })
    }

    /// Returns the files of the repository that are in no slot, relative to its root.
    pub(in crate::engine) fn absent(&self) -> Vec<String> {
        let paths = self.files.iter().map(|file| file.path.clone());
        if self.outside.is_none() { paths.collect() } else { Vec::new() }
    }

    /// Returns the files and folders that commands do not see.
    pub(in crate::engine) fn originals(&self) -> &[PathBuf] {
        &self.originals
    }

    /// Returns the hash (BLAKE3, hex) of each file that is not one of the repository.
    pub(in crate::engine) fn hashes_outside(&self) -> impl Iterator<Item = (String, String)> {
        let named = |folder: &PathBuf| {
            let files = self.files.iter();
            files.map(|file| (folder.join(&file.path).display().to_string(), file.hash.clone())).collect::<Vec<_>>()
        };
        self.outside.as_ref().map(named).unwrap_or_default().into_iter()
    }

    /// Lays the files for one run: those of the repository in the slot, others in a folder below the slot's private one.
    pub(super) fn lay(&self, slot: &Path, home: &Path) -> Result<Laid, EngineError> {
        let mut laid = Laid::default();
        let mut folder = slot.to_owned();
        if self.outside.is_some() {
            folder = home.join(FOLDER);
            remove(&folder)?;
            make_folders(&folder, &mut laid)?;
            laid.outside = Some(folder.clone());
        }
        for file in &self.files {
            lay_one(&folder, file, &mut laid)?;
        }
        Ok(laid)
    }

    /// Removes what a process that ended in the middle of a run left in a slot's private folder.
    pub(in crate::engine) fn clear(home: &Path) -> Result<(), EngineError> {
        remove(&home.join(FOLDER))
    }

    /// Returns the command as it names the files where they lie.
    pub(super) fn command(&self, holdout: &Holdout, laid: &Laid) -> Command {
        match &laid.outside {
            Some(folder) => gate::relocated(holdout, &self.files, folder),
            None => holdout.command.clone(),
        }
    }
}

/// Files and folders that were laid; dropping it takes them away.
#[derive(Debug, Default)]
pub(super) struct Laid {
    /// The folder of a holdout outside the repository.
    pub(super) outside: Option<PathBuf>,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Laid {
    /// Takes everything away, and says what cannot be.
    pub(super) fn take_away(mut self) -> Result<(), EngineError> {
        if let Some(folder) = self.outside.take() {
            remove(&folder)?;
        }
        std::mem::take(&mut self.files).iter().try_for_each(|file| remove(file))
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        // On the way of another error, which is the one to tell.
        let _ = self.outside.take().map(|folder| remove(&folder));
        self.files.iter().for_each(|file| drop(remove(file)));
        // A folder that something else was put into stays.
        self.folders.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

fn lay_one(folder: &Path, file: &HarnessFile, laid: &mut Laid) -> Result<(), EngineError> {
    let path = folder.join(&file.path);
    let parent = path.parent().unwrap_or(folder);
    stay_inside(folder, parent)?;
    make_folders(parent, laid)?;
    remove(&path)?;
    fs::write(&path, &file.bytes).map_err(|source| EngineError::io("write", &path, source))?;
    laid.files.push(path.clone());
    let mode = if file.executable { 0o755 } else { 0o644 };
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(&path, permissions).map_err(|source| EngineError::io("set the mode of", &path, source))
}

/// Removes a link or file that a command left where a folder of the way belongs, where it leads out of the slot.
fn stay_inside(folder: &Path, parent: &Path) -> Result<(), EngineError> {
    let real = |path: &Path| path.canonicalize().map_err(|source| EngineError::io("resolve", path, source));
    let inside = real(folder)?;
    let below = parent.strip_prefix(folder).unwrap_or(Path::new(""));
    let mut way = folder.to_owned();
    for part in below.components() {
        way.push(part);
        let Ok(kind) = fs::symlink_metadata(&way) else { return Ok(()) };
        let leads_in = way.canonicalize().is_ok_and(|real| real.is_dir() && real.starts_with(&inside));
        if !kind.is_dir() && !leads_in {
            return remove(&way);
        }
    }
    Ok(())
}

/// Makes a folder and those above it, and remembers the new ones.
fn make_folders(folder: &Path, laid: &mut Laid) -> Result<(), EngineError> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    for new in missing.into_iter().rev() {
        fs::create_dir(new).map_err(|source| EngineError::io("create folder", new, source))?;
        laid.folders.push(new.to_owned());
    }
    Ok(())
}

/// Removes a file, a link or a whole folder; nothing where there is none.
fn remove(path: &Path) -> Result<(), EngineError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(EngineError::io("remove", path, source)),
        _ => Ok(()),
    }
}

/// Returns a config without its `holdout`; the same bytes where it has none.
pub(in crate::engine) fn without_holdout(config: &[u8]) -> Vec<u8> {
    let parsed = serde_json::from_slice::<serde_json::Value>(config.strip_prefix(b"\xef\xbb\xbf").unwrap_or(config));
    let Ok(serde_json::Value::Object(mut keys)) = parsed else { return config.to_owned() };
    match keys.remove("holdout") {
        Some(_) => format!("{:#}\n", serde_json::Value::Object(keys)).into_bytes(),
        None => config.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn held(paths: &[&str]) -> HeldFiles {
        let file = |path: &&str| HarnessFile {
            path: (*path).to_owned(),
            executable: path.ends_with("sh"),
            bytes: path.as_bytes().to_vec(),
            hash: String::new(),
            why: SealReason::Holdout,
        };
        HeldFiles { files: paths.iter().map(file).collect(), ..HeldFiles::default() }
    }

    #[test]
    fn files_are_there_while_they_are_laid_and_gone_afterwards() {
        let slot = tempfile::tempdir().unwrap();
        fs::create_dir(slot.path().join("src")).unwrap();
        let files = held(&["holdout.sh", "src/held.csv", "new/deep/held.csv"]);
        let laid = files.lay(slot.path(), slot.path()).unwrap();
        assert_eq!(fs::read_to_string(slot.path().join("new/deep/held.csv")).unwrap(), "new/deep/held.csv");
        let mode = fs::metadata(slot.path().join("holdout.sh")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        laid.take_away().unwrap();
        let left: Vec<_> = fs::read_dir(slot.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["src"]);
        assert_eq!(fs::read_dir(slot.path().join("src")).unwrap().count(), 0);
    }

    #[test]
    fn what_lies_outside_is_laid_below_the_private_folder() {
        let (slot, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = HeldFiles { outside: Some(PathBuf::from("/elsewhere")), ..held(&["data/held.csv"]) };
        let laid = files.lay(slot.path(), home.path()).unwrap();
        assert!(home.path().join("holdout/data/held.csv").is_file() && files.absent().is_empty());
        assert_eq!(fs::read_dir(slot.path()).unwrap().count(), 0);
        drop(laid);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        assert_eq!(files.hashes_outside().next().unwrap().0, "/elsewhere/data/held.csv");
    }

    #[test]
    fn a_planted_file_or_link_is_replaced_and_leads_nowhere() {
        let (slot, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(slot.path().join("holdout.sh")).unwrap();
        symlink(other.path(), slot.path().join("data")).unwrap();
        symlink(other.path().join("target"), slot.path().join("link.csv")).unwrap();
        let laid = held(&["holdout.sh", "data/held.csv", "link.csv"]).lay(slot.path(), slot.path()).unwrap();
        assert!(slot.path().join("data").symlink_metadata().unwrap().is_dir());
        assert!(slot.path().join("link.csv").symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
        drop(laid);
    }

    #[test]
    fn a_config_is_laid_without_its_holdout() {
        let told = without_holdout(br#"{ "name": "x", "holdout": { "command": "secret" } }"#);
        assert_eq!(String::from_utf8(told).unwrap(), "{\n  \"name\": \"x\"\n}\n");
        for same in [&b"{ \"name\": 1 }"[..], b"no json"] {
            assert_eq!(without_holdout(same), same);
        }
    }
}
