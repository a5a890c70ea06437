//! Where a command works: the repository, its config, the resolved settings and the session's folders.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::error::CliError;
use super::ui::Ui;
use crate::config::{self, ConfigError, HoldoutFlag, Overrides, Resolved, Shown};
use crate::domain::{Event, Settings};
use crate::engine::{Aside, EngineError, Places, read_aside};
use crate::git::UserRepository;
use crate::journal::{Reader, SessionLock};
use crate::report::Holder;

/// Everything that a command of a session starts from.
#[derive(Debug)]
pub(super) struct Place {
    /// The user's repository.
    pub(super) repository: UserRepository,
    /// The config file.
    pub(super) config: PathBuf,
    /// The settings.
    pub(super) settings: Settings,
    /// Every setting with its origin.
    pub(super) shown: Vec<Shown>,
    /// The session's folders.
    pub(super) places: Places,
}

impl Place {
    /// Finds the place that the global flags and the present folder name, and resolves its settings. Says so where only the
    /// experiments of a repository have a config, and there is but one.
    pub(super) fn find(global: &Global, flags: &Overrides) -> Result<Self, CliError> {
        let (place, only) = Self::found(global, flags)?;
        if let Some(name) = only {
            Ui::new(global.color).tell(&format!("using the only experiment here, '--experiment {name}'"));
        }
        Ok(place)
    }

    /// Finds the place, and the name of its experiment where nobody named it.
    fn found(global: &Global, flags: &Overrides) -> Result<(Self, Option<String>), CliError> {
        let start = start(global)?;
        let repository = UserRepository::open(&start)?;
        let (config, only) = config_of(global, &start, &repository)?;
        let env = environment();
        let Resolved { settings, shown } = config::load(repository.root(), &config, &env, flags)?;
        let places = places_of(&repository, &env, &settings)?;
        Ok((Self { repository, config, settings, shown, places }, only))
    }

    /// Finds the place of a command that works on the session, with the holdout of `--holdout`, else the one that an earlier
    /// `--holdout` gave the session: who leaves the flag out does not lose its guard.
    pub(super) fn with_holdout(global: &Global, flags: &Overrides, holdout: Option<&Path>) -> Result<Self, CliError> {
        let with = |flag| Overrides { holdout: Some(flag), ..flags.clone() };
        if let Some(file) = holdout {
            let flag = if file == Path::new("none") {
                HoldoutFlag::Without
            } else {
                HoldoutFlag::File(start(global)?.join(file))
            };
            return Self::find(global, &with(flag));
        }
        let place = Self::find(global, flags)?;
        match place.earlier_holdout() {
            Some(file) => Ok(Self::found(global, &with(HoldoutFlag::File(file)))?.0),
            None => Ok(place),
        }
    }

    /// Returns the file of the holdout that the session has from an earlier `--holdout`.
    fn earlier_holdout(&self) -> Option<PathBuf> {
        let mut settings = None;
        // Whoever needs more of a broken journal than this says what is wrong with it; `run --new` does not.
        let _ = read_settings(&self.places.journal(), &mut settings);
        settings?.holdout?.file
    }

    /// Says where the config names a source that cannot give candidates.
    pub(super) fn located(&self, error: EngineError) -> CliError {
        let EngineError::Source { key, source } = error else { return error.into() };
        match config::place_of(&self.config, &key) {
            Some((place, key)) => CliError::Source { place, key, source },
            None => EngineError::Source { key, source }.into(),
        }
    }

    /// Refuses a place where no session has begun yet.
    pub(super) fn require_session(&self) -> Result<(), CliError> {
        if self.places.journal().exists() { Ok(()) } else { Err(self.no_session()) }
    }

    /// Says that no session has begun here yet.
    pub(super) fn no_session(&self) -> CliError {
        CliError::NoSession { name: self.settings.name.clone(), journal: self.places.journal() }
    }

    /// Says which process is at work on the session, by its lock; `None` where none is.
    pub(super) fn holder(&self) -> Result<Option<Holder>, CliError> {
        holder(&SessionLock::path_of(&self.places.journal()))
    }
}

/// A session of the repository by its name, for commands that read what is there.
#[derive(Debug)]
pub(super) struct Named {
    /// The repository.
    pub(super) repository: UserRepository,
    /// The session's name.
    pub(super) name: String,
    /// The folder of its journal and runs.
    pub(super) state: PathBuf,
    /// What became of it, where it was moved aside.
    pub(super) aside: Option<Aside>,
}

impl Named {
    /// Finds the session of a name, which needs no config; without one, that of the config.
    pub(super) fn find(global: &Global, name: Option<&str>) -> Result<Self, CliError> {
        let Some(name) = name else {
            let Place { repository, settings, places, .. } = Place::find(global, &Overrides::default())?;
            return Ok(Self { repository, name: settings.name, state: places.state().to_owned(), aside: None });
        };
        let repository = UserRepository::open(&start(global)?)?;
        let known = sessions(&repository);
        if !known.iter().any(|one| one == name) {
            return Err(CliError::NoSuchSession { name: name.to_owned(), known });
        }
        let state = Places::state_of(repository.common_dir(), name);
        // A session whose own name is taken up again has a file of this kind, too; only what moved is aside.
        let aside = read_aside(&state).filter(|aside| aside.name == name);
        Ok(Self { repository, name: name.to_owned(), state, aside })
    }

    /// Returns the session of a place.
    pub(super) fn of(place: &Place) -> Self {
        let (repository, state) = (place.repository.clone(), place.places.state().to_owned());
        Self { repository, name: place.settings.name.clone(), state, aside: None }
    }

    /// Says that no session has begun here yet.
    pub(super) fn no_session(&self) -> CliError {
        CliError::NoSession { name: self.name.clone(), journal: self.journal() }
    }

    /// Returns the journal's path.
    pub(super) fn journal(&self) -> PathBuf {
        self.state.join("journal.jsonl")
    }

    /// Says which process is at work on the session, by its lock; `None` where none is.
    pub(super) fn holder(&self) -> Result<Option<Holder>, CliError> {
        holder(&SessionLock::path_of(&self.journal()))
    }
}

/// The folder of all sessions' states in a common git folder.
const STATE: &str = "autoresearch";

/// Returns the config file that the flags name, else the one that governs the start folder, else that of the only
/// experiment, with its name.
fn config_of(
    global: &Global,
    start: &Path,
    repository: &UserRepository,
) -> Result<(PathBuf, Option<String>), CliError> {
    let root = repository.root();
    match (&global.config, &global.of_experiment) {
        (Some(_), Some(_)) => return Err(CliError::TwoConfigs),
        (Some(file), None) => return Ok((start.join(file), None)),
        (None, Some(name)) => return Ok((config::of_experiment(root, name)?, None)),
        (None, None) => {}
    }
    match (config::discover(start, root), config::experiments(root).as_slice()) {
        (Err(ConfigError::NotFound { .. }), [only]) => Ok((config::of_experiment(root, only)?, Some(only.clone()))),
        (found, _) => Ok((found?, None)),
    }
}

fn places_of(
    repository: &UserRepository,
    env: &BTreeMap<String, String>,
    settings: &Settings,
) -> Result<Places, CliError> {
    let cache = match (cache_of(env), &settings.slots_dir) {
        (Some(home), _) => home,
        (None, Some(slots)) => slots.clone(),
        (None, None) => return Err(CliError::NoCacheHome),
    };
    Ok(Places::new(repository.common_dir(), &cache, settings))
}

/// Lists the sessions of a repository by name, those that were moved aside among them.
fn sessions(repository: &UserRepository) -> Vec<String> {
    let folder = repository.common_dir().join(STATE);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let begun = entries.filter(|entry| entry.path().join("journal.jsonl").is_file());
    let mut names: Vec<String> = begun.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Reads the settings that a journal says last, as far as it can be read.
fn read_settings(journal: &Path, last: &mut Option<Settings>) -> Result<(), CliError> {
    for record in Reader::open(journal)?.records() {
        let record = record?;
        if record.kind() == "config"
            && let Some(Event::Configured(configured)) = record.event()?
        {
            *last = Some(*configured.settings);
        }
    }
    Ok(())
}

/// Returns the folder that a command starts in, without links.
pub(super) fn start(global: &Global) -> Result<PathBuf, CliError> {
    let folder = global.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    folder.canonicalize().map_err(|source| CliError::io("start in", &folder, source))
}

/// Returns the environment as far as it is text, which is all that settings can come from.
pub(super) fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Returns the user's cache folder, of which there must be one.
pub(super) fn cache_home() -> Result<PathBuf, CliError> {
    cache_of(&environment()).ok_or(CliError::NoCacheHome)
}

/// Returns the user's cache folder: `XDG_CACHE_HOME` where it is absolute, else `~/.cache`.
fn cache_of(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    let absolute = |name: &str| env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
}

/// Looks whether a lock file is locked, without making or writing it.
fn holder(lock: &Path) -> Result<Option<Holder>, CliError> {
    let mut file = match File::open(lock) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CliError::io("open", lock, source)),
    };
    // Shared and given back at once: two who look do not see each other.
    match file.try_lock_shared() {
        Ok(()) => {
            // Said aloud: a child that is being started at this moment shares the open file until it runs.
            let _ = file.unlock();
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text);
            Ok(Some(Holder { pid: read.ok().and_then(|_| text.trim().parse().ok()) }))
        }
        Err(TryLockError::Error(source)) => Err(CliError::io("look at the lock", lock, source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_cache_folder_is_the_one_of_the_desktop_standard() {
        assert_eq!(cache_of(&env(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")])), Some(PathBuf::from("/c")));
        assert_eq!(cache_of(&env(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")])), Some(PathBuf::from("/h/.cache")));
        assert_eq!(cache_of(&env(&[])), None);
    }

    #[test]
    fn a_held_lock_names_its_holder_and_a_free_one_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.jsonl");
        let lock = SessionLock::path_of(&journal);
        assert_eq!(holder(&lock).unwrap(), None);
        assert!(!lock.exists());
        let held = SessionLock::acquire(&journal).unwrap();
        assert_eq!(holder(&lock).unwrap(), Some(Holder { pid: Some(std::process::id()) }));
        drop(held);
        let left = folder.path().join("left.lock");
        std::fs::write(&left, "1\n").unwrap();
        assert_eq!(holder(&left).unwrap(), None);
    }
}
