//! What of this machine the commands of a session can reach: what is hidden, what stays visible in it, and the caches
//! that each slot has a copy of.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::domain::{Network, Settings};
use crate::git::UserRepository;
use crate::process::{Confinement, Tool, system_places, toolchains};

use super::EngineError;
use super::places::Places;

/// Folders of the system for short-lived files, which a command sees its own one in place of.
const SHARED_TMP: [&str; 2] = ["/tmp", "/var/tmp"];

/// What commands can reach beside their own slot.
#[derive(Debug)]
pub(super) struct Reach {
    home: Option<PathBuf>,
    /// The user's checkout and git folders, and the slots of the session.
    project: Vec<PathBuf>,
    /// What slots and git cannot work without: object stores and the private repository.
    needed: Vec<PathBuf>,
    toolchains: Vec<PathBuf>,
    read_only: Vec<PathBuf>,
    caches: Vec<PathBuf>,
    /// What no command ever sees.
    secret: Vec<PathBuf>,
    network: Network,
    /// What is granted beyond the settings, for a trial.
    ease: Ease,
}

/// What a trial grants beyond the settings, to find out what a command needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ease {
    /// The user's checkout and the other slot can be read.
    pub(super) project: bool,
    /// More of the network.
    pub(super) network: Option<Network>,
    /// Files and folders that can be read.
    pub(super) readable: Vec<PathBuf>,
    /// Files and folders that can be written.
    pub(super) writable: Vec<PathBuf>,
    /// Environment variables that pass.
    pub(super) env: Vec<String>,
}

impl Reach {
    /// Collects what is to be hidden and shown; `inherited` is the environment of this program.
    pub(super) fn new(
        (settings, places): (&Settings, &Places),
        user: &UserRepository,
        private: &Path,
        inherited: &[(OsString, OsString)],
    ) -> Self {
        let home = inherited.iter().find(|(name, _)| name == "HOME").map(|(_, value)| PathBuf::from(value));
        // A home that is everything is nobody's.
        let home = home.filter(|home| home.is_absolute() && home.parent().is_some());
        let outer = |list: &[String]| list.iter().filter_map(|path| expand(path, home.as_deref())).collect();
        let (read_only, caches) = (outer(&settings.sandbox.read_only), outer(&settings.sandbox.caches));
        let mut needed = user.object_stores();
        needed.push(private.to_owned());
        let project = [user.root(), user.common_dir(), user.git_dir(), places.cache()].map(Path::to_owned).to_vec();
        let mut reach = Self {
            home,
            project,
            needed,
            toolchains: Vec::new(),
            read_only,
            caches,
            secret: Vec::new(),
            network: settings.sandbox.network,
            ease: Ease::default(),
        };
        let shared = SHARED_TMP.map(PathBuf::from);
        reach.toolchains = toolchains(inherited, &[reach.hidden(&system_places(false).0).as_slice(), &shared].concat());
        reach
    }

    /// Grants more from now on, for a trial; the default ends that.
    pub(super) fn ease(&mut self, ease: Ease) {
        self.ease = ease;
    }

    /// Hides files and folders from every command for good.
    pub(super) fn keep_secret(&mut self, secret: Vec<PathBuf>) {
        self.secret = secret;
    }

    /// Returns what is granted for a trial.
    pub(super) fn eased(&self) -> &Ease {
        &self.ease
    }

    /// Returns the user's home, where there is one to hide.
    pub(super) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    fn hidden(&self, system: &[PathBuf]) -> Vec<PathBuf> {
        let places = self.home.iter().chain(system).chain(&self.project);
        let open = places.filter(|path| !(self.ease.project && self.project.contains(path)));
        open.chain(&self.secret).cloned().collect()
    }

    /// Confines a command to a slot and its private home. `network` is granted whatever the settings say
    /// (`prepare.network`).
    pub(super) fn confine(&self, slot: &Path, home: &Path, network: bool) -> Confinement {
        let network = if network { Network::Full } else { self.ease.network.unwrap_or(self.network) };
        let (system, shown) = system_places(matches!(network, Network::Host | Network::Full));
        let project = self.project.iter().filter(|_| self.ease.project);
        let lists = [&self.needed, &self.toolchains, &self.read_only, &shown, &self.ease.readable];
        let replaced = SHARED_TMP.iter().map(|place| (PathBuf::from(place), home.join("tmp")));
        let caches = self.caches.iter().map(|cache| (cache.clone(), self.copy_of(cache, home)));
        Confinement {
            writable: [slot, home].map(Path::to_owned).into_iter().chain(self.ease.writable.iter().cloned()).collect(),
            hidden: self.hidden(&system),
            replaced: replaced.chain(caches).collect(),
            read_only: project.chain(lists.into_iter().flatten()).cloned().collect(),
            network,
            enforce: true,
        }
    }

    /// Returns where a slot's copy of a cache lies: at the same place below its private home, where tools look for it
    /// by `HOME`.
    fn copy_of(&self, cache: &Path, home: &Path) -> PathBuf {
        let below_home = self.home.as_deref().and_then(|users| cache.strip_prefix(users).ok());
        match below_home {
            Some(rest) => home.join(rest),
            None => home.join("caches").join(cache.strip_prefix("/").unwrap_or(cache)),
        }
    }

    /// Copies the user's caches into a slot's private home, where they are not there yet.
    pub(super) fn copy_caches(&self, home: &Path) -> Result<(), EngineError> {
        self.caches.iter().try_for_each(|cache| copy_folder(cache, &self.copy_of(cache, home)))
    }

    /// Removes a slot's copies of the caches; the next command gets new ones.
    pub(super) fn drop_caches(&self, home: &Path) -> Result<(), EngineError> {
        self.caches.iter().map(|cache| self.copy_of(cache, home)).try_for_each(|copy| {
            match std::fs::remove_dir_all(&copy) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    Err(EngineError::io("remove folder", &copy, source))
                }
                _ => Ok(()),
            }
        })
    }
}

/// Resolves `~/` by the user's home; `None` where there is none.
fn expand(path: &str, home: Option<&Path>) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        None => Some(PathBuf::from(path)),
        Some(rest) => home.map(|home| home.join(rest)),
    }
}

/// Copies a folder with links, modes and times; one that is not there becomes an empty one. A copy that was cut off is
/// made anew.
fn copy_folder(from: &Path, to: &Path) -> Result<(), EngineError> {
    if to.is_dir() {
        return Ok(());
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| EngineError::io("copy the cache to", &path, source)
    };
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".copying");
    let unfinished = PathBuf::from(unfinished);
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(failed(&unfinished))?;
    }
    if !from.is_dir() {
        return std::fs::create_dir_all(to).map_err(failed(to));
    }
    let copied = Tool::new("cp", Path::new("/")).args(["-R", "-P", "-p"]).arg(from).arg(&unfinished).run()?;
    if copied.code != 0 {
        return Err(EngineError::Refused {
            reason: format!("the cache {} cannot be copied: {}", from.display(), copied.stderr.trim_end()),
            cure: "make it readable, or take it out of 'sandbox.caches'".to_owned(),
        });
    }
    std::fs::rename(&unfinished, to).map_err(failed(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_copied_once_and_a_copy_that_was_cut_off_is_made_anew() {
        let room = tempfile::tempdir().unwrap();
        let (from, to) = (room.path().join("cache"), room.path().join("home/cache"));
        std::fs::create_dir_all(from.join("deep")).unwrap();
        std::fs::write(from.join("deep/file"), "users").unwrap();
        std::fs::create_dir_all(room.path().join("home/cache.copying/half")).unwrap();
        copy_folder(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("deep/file")).unwrap(), "users");
        assert_eq!(std::fs::read_dir(room.path().join("home")).unwrap().count(), 1, "no half is left");
        std::fs::write(to.join("deep/file"), "slots").unwrap();
        copy_folder(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("deep/file")).unwrap(), "slots");
        copy_folder(&room.path().join("none"), &room.path().join("empty")).unwrap();
        assert!(room.path().join("empty").is_dir(), "a cache that is not there yet is an empty one");
    }

    #[test]
    fn paths_of_the_home_are_resolved_by_it_and_others_stay() {
        let home = Some(Path::new("/home/u"));
        assert_eq!(expand("~/.cache/x", home), Some(PathBuf::from("/home/u/.cache/x")));
        assert_eq!(expand("/data", None), Some(PathBuf::from("/data")));
        assert_eq!(expand("~/x", None), None);
    }
}
