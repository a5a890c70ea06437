//! Where a session's files live: its state beside the repository's git folder, its slots in the cache folder.

use std::path::{Path, PathBuf};

use crate::domain::{ExperimentId, Settings};

/// File name of a journal in its state folder.
const JOURNAL: &str = "journal.jsonl";

/// Folder of the holdout's logs in a state folder.
const HELD_OUT: &str = "holdout";

/// The folders of one session.
#[derive(Debug, Clone)]
pub struct Places {
    /// `<git common dir>/autoresearch/<name>`: journal, runs, lock. Out of reach of checkouts and `git clean`.
    state: PathBuf,
    /// `<cache>/<repository>/<name>`: private repository, slots, their homes.
    cache: PathBuf,
}

impl Places {
    /// Derives all folders from the repository's common git folder and the user's cache folder.
    pub fn new(common_dir: &Path, cache_home: &Path, settings: &Settings) -> Self {
        let repository = blake3::hash(common_dir.as_os_str().as_encoded_bytes()).to_hex();
        let slots = settings.slots_dir.clone().unwrap_or_else(|| cache_home.join("autoresearch"));
        Self {
            state: Self::state_of(common_dir, &settings.name),
            cache: slots.join(&repository[..16]).join(&settings.name),
        }
    }

    /// Returns the folder of the state of a session by its name.
    pub fn state_of(common_dir: &Path, name: &str) -> PathBuf {
        common_dir.join("autoresearch").join(name)
    }

    /// Puts everything in one folder: the state in a part of its own, the slots where every part finds them.
    pub(super) fn within(folder: &Path, part: &str) -> Self {
        Self { state: folder.join(part), cache: folder.join("slots") }
    }

    /// Returns the folders of a rehearsal of the session, none of which the session itself uses.
    #[must_use]
    pub fn rehearsal(&self) -> Self {
        // No session's name holds this sign.
        let mut name = self.cache.file_name().unwrap_or_default().to_owned();
        name.push("~doctor");
        Self { state: self.state.join("doctor"), cache: self.cache.with_file_name(name) }
    }

    /// Returns the folder of journal and runs.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Returns the session's name, which is that of its state folder.
    pub fn name(&self) -> String {
        self.state.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Lists the state folders of earlier sessions of this name that were moved aside, oldest first.
    pub fn moved_aside(&self) -> Vec<PathBuf> {
        let prefix = format!("{}~", self.name());
        let number = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix(&prefix)?.parse::<u32>().ok();
        let parent = self.state.parent().unwrap_or(&self.state);
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<_> = entries.filter_map(|path| Some((number(&path)?, path))).collect();
        found.sort();
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// Returns the journal's path.
    pub fn journal(&self) -> PathBuf {
        self.state.join(JOURNAL)
    }

    /// Returns the file whose presence asks a running session to stop.
    pub fn stop_request(&self) -> PathBuf {
        self.state.join("stop")
    }

    /// Returns the folder of one experiment's patch and logs.
    pub fn run(&self, experiment: ExperimentId) -> PathBuf {
        self.state.join("runs").join(format!("{:04}", experiment.0))
    }

    /// Returns the folder of the holdout's logs of every experiment, apart from all that a proposer may read.
    pub fn held_out_logs(&self) -> PathBuf {
        self.state.join(HELD_OUT)
    }

    /// Returns what no command may read even of what is shown to it: journals and the holdout's logs, those of earlier
    /// sessions of this name among them.
    pub(super) fn private(&self) -> Vec<PathBuf> {
        let of = |state: &PathBuf| [state.join(JOURNAL), state.join(HELD_OUT)];
        let states = self.moved_aside();
        std::iter::once(&self.state).chain(&states).flat_map(of).collect()
    }

    /// Returns the folder of one experiment's logs of the holdout.
    pub fn held_out(&self, experiment: ExperimentId) -> PathBuf {
        self.held_out_logs().join(format!("{:04}", experiment.0))
    }

    /// Returns the folder of what the last hooks read and printed.
    pub fn hooks(&self) -> PathBuf {
        self.state.join("hooks")
    }

    /// Returns the folder of every experiment's patches and logs.
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// Returns the file that lists the tests of an inventory by its hash.
    pub fn inventory(&self, hash: &str) -> PathBuf {
        self.state.join("inventory").join(format!("{hash}.txt"))
    }

    /// Returns the folder that holds the private repository, the slots and their homes.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Returns a slot's private folder, of which `home` and `tmp` are parts. Both slots' have equal length.
    pub fn slot_home(&self, slot: &str) -> PathBuf {
        self.cache.join(format!("home-{slot}"))
    }
}
