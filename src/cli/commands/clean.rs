//! `autoresearch clean`: what a session takes on disk, and the removal of what can be made again.

use std::ffi::OsStr;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::args::{Clean, Global};
use crate::cli::error::CliError;
use crate::cli::fold::fold;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::ExperimentId;
use crate::git;
use crate::journal::SessionLock;

/// Prints the sizes; with `--yes` removes slots, caches and the runs that `--runs` gives up.
pub(in crate::cli) fn run(global: &Global, args: &Clean, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    // Held to the end: a session that starts now would lose its slots under its feet.
    let _lock = if args.yes { lock(&place)? } else { None };
    let sizes = Sizes::measure(&place, args.runs)?;
    if args.yes {
        remove_cache(&place)?;
        for run in &sizes.old_runs {
            remove_folder(run)?;
            remove_folder(&held_out(&place, run))?;
        }
    }
    if args.json {
        ui.json(&sizes.json(&place, args))?;
    } else {
        ui.advise(&sizes.text(&place, args))?;
    }
    Ok(0)
}

fn lock(place: &Place) -> Result<Option<SessionLock>, CliError> {
    let known = place.places.state().is_dir();
    Ok(known.then(|| SessionLock::acquire(&place.places.journal())).transpose()?)
}

pub(super) fn remove_cache(place: &Place) -> Result<(), CliError> {
    let cache = place.places.cache();
    git::remove_workspace(cache)?;
    remove_folder(cache)
}

/// What a session takes on disk, in bytes.
struct Sizes {
    slots: u64,
    homes: u64,
    journal: u64,
    runs: u64,
    old_runs: Vec<PathBuf>,
    old_bytes: u64,
    /// Earlier sessions that were moved aside, each with its folder.
    aside: Vec<(PathBuf, u64)>,
}

impl Sizes {
    fn measure(place: &Place, keep: Option<usize>) -> Result<Self, CliError> {
        let slots = git::workspace_size(place.places.cache())?.total();
        let all_runs = runs(place)?;
        let mut old_runs = keep.map(|keep| oldest(&all_runs, keep)).unwrap_or_default();
        if keep.is_some() {
            // A resumed session goes on from the files of the experiments that it left.
            let needed: Vec<_> = unfinished(place)?.into_iter().map(|id| place.places.run(id)).collect();
            old_runs.retain(|run| !needed.contains(run));
        }
        let with_holdout = |run: &PathBuf| Ok::<_, CliError>(size(run)? + size(&held_out(place, run))?);
        let old_bytes = old_runs.iter().map(with_holdout).sum::<Result<u64, _>>()?;
        Ok(Self {
            slots,
            homes: size(place.places.cache())?.saturating_sub(slots),
            journal: size(&place.places.journal())?,
            runs: size(&place.places.runs())? + size(&place.places.held_out_logs())?,
            old_runs,
            old_bytes,
            aside: place
                .places
                .moved_aside()
                .into_iter()
                .map(|folder| Ok((size(&folder)?, folder)).map(|(bytes, folder)| (folder, bytes)))
                .collect::<Result<_, CliError>>()?,
        })
    }

    fn json(&self, place: &Place, args: &Clean) -> Value {
        json!({
            "removed": args.yes,
            "cache": {"path": place.places.cache(), "slots_bytes": self.slots, "homes_bytes": self.homes},
            "runs": {"path": place.places.runs(), "bytes": self.runs},
            "old_runs": {"count": self.old_runs.len(), "bytes": self.old_bytes},
            "journal": {"path": place.places.journal(), "bytes": self.journal},
            "aside": self.aside.iter().map(|(folder, bytes)| json!({
                "session": name_of(folder), "path": folder, "bytes": bytes
            })).collect::<Vec<_>>(),
        })
    }

    fn text(&self, place: &Place, args: &Clean) -> String {
        let verb = if args.yes { "removed" } else { "can go" };
        let line = |bytes: u64, what: &str, path: &Path, fate: &str| {
            format!("{:>10}  {what:<9} {fate:<8} {}\n", amount(bytes), path.display())
        };
        let mut text = line(self.slots, "slots", place.places.cache(), verb);
        text += &line(self.homes, "caches", place.places.cache(), verb);
        if !self.old_runs.is_empty() {
            let what = format!("{} old runs", self.old_runs.len());
            text += &line(self.old_bytes, &what, &place.places.runs(), verb);
        }
        let left = if args.yes { self.runs.saturating_sub(self.old_bytes) } else { self.runs };
        text += &line(left, "runs", &place.places.runs(), "stay");
        text += &line(self.journal, "journal", &place.places.journal(), "stays");
        for (folder, bytes) in &self.aside {
            text += &line(*bytes, "aside", folder, "stays");
        }
        if let Some((folder, _)) = self.aside.last() {
            let name = name_of(folder);
            let how = "reads what was moved aside; 'rm -r' its folder once it is of no use";
            text += &["'autoresearch log --session ", &name, "' ", how, "\n"].concat();
        }
        if !args.yes {
            text +=
                "nothing was removed; '--yes' removes what can go, '--yes --runs N' also all but the newest N runs\n";
        }
        text
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the folder of the holdout's logs beside that of an experiment.
fn held_out(place: &Place, run: &Path) -> PathBuf {
    place.places.held_out_logs().join(run.file_name().unwrap_or_default())
}

/// Returns the folders of all experiments, oldest first.
fn runs(place: &Place) -> Result<Vec<PathBuf>, CliError> {
    let folder = place.places.runs();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(CliError::io("list", &folder, source)),
    };
    let number = |path: &PathBuf| path.file_name().and_then(OsStr::to_str)?.parse::<u32>().ok();
    let mut numbered: Vec<(u32, PathBuf)> =
        entries.flatten().map(|entry| entry.path()).filter_map(|path| Some((number(&path)?, path))).collect();
    numbered.sort();
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

fn oldest(runs: &[PathBuf], keep: usize) -> Vec<PathBuf> {
    runs[..runs.len().saturating_sub(keep)].to_vec()
}

fn unfinished(place: &Place) -> Result<Vec<ExperimentId>, CliError> {
    let folded = fold(&place.places.journal())?;
    Ok(folded.map(|folded| folded.state.all_unfinished().map(|left| left.id).collect()).unwrap_or_default())
}

/// Adds up the disk blocks of a file or folder; links are not followed, and what is missing takes nothing.
fn size(path: &Path) -> Result<u64, CliError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(CliError::io("examine", path, source)),
    };
    let mut bytes = blocks(&found);
    if found.is_dir() {
        let entries = fs::read_dir(path).map_err(|source| CliError::io("list", path, source))?;
        for entry in entries {
            bytes += size(&entry.map_err(|source| CliError::io("list", path, source))?.path())?;
        }
    }
    Ok(bytes)
}

fn blocks(found: &Metadata) -> u64 {
    found.blocks() * 512 // st_blocks counts units of 512 bytes, whatever the file system's block
}

/// Removes a folder with everything in it, also where folders are read-only, as some tools leave their caches.
fn remove_folder(folder: &Path) -> Result<(), CliError> {
    let removed = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            make_writable(folder).and_then(|()| fs::remove_dir_all(folder))
        }
        other => other,
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|source| CliError::io("remove", folder, source)),
    }
}

fn make_writable(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

/// Writes a number of bytes as people say it.
fn amount(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_stand_in_the_largest_unit() {
        assert_eq!(amount(512), "512 B");
        assert_eq!(amount(1536), "1.5 KiB");
        assert_eq!(amount(3 << 30), "3.0 GiB");
    }

    #[test]
    fn the_newest_runs_stay() {
        let all: Vec<PathBuf> = ["0001", "0002", "0010"].iter().map(PathBuf::from).collect();
        assert_eq!(oldest(&all, 2), [PathBuf::from("0001")]);
        assert!(oldest(&all, 5).is_empty());
    }

    #[test]
    fn a_read_only_cache_is_removed_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        fs::create_dir_all(cache.join("mod/inner")).unwrap();
        fs::write(cache.join("mod/inner/file"), "x").unwrap();
        for path in ["mod/inner", "mod"] {
            fs::set_permissions(cache.join(path), Permissions::from_mode(0o500)).unwrap();
        }
        assert!(size(&cache).unwrap() > 0);
        remove_folder(&cache).unwrap();
        assert!(!cache.exists());
        remove_folder(&cache).unwrap();
    }
}
