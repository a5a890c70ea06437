//! The settings of a session, resolved: every default filled in, every value checked.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, Zoned, civil::Time};
use serde::{Deserialize, Serialize};

use super::{
    CandidateSource, CandidatesOrder, Command, CommitRules, CoreList, Direction, Hooks, MetricName, Reduce, Scale,
    Seed, TimeLimit,
};

/// Everything that a session was told. Paths are relative to the repository root unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Session name; also the folder of its state.
    pub name: String,
    /// Folder of the config file, `""` for the repository root.
    pub folder: String,
    /// File name of the config in `folder`.
    pub file: String,
    /// Where commands start, relative to the repository root.
    pub working_dir: String,
    /// What the session starts from.
    pub base: Base,
    /// The session's branch, without `refs/heads/`.
    pub branch: String,
    /// Set-up that runs on base code only.
    pub prepare: Option<Prepare>,
    /// How the program is built; `None` where nothing needs building.
    pub build: Option<Build>,
    /// How it is measured.
    pub bench: Bench,
    /// What to improve.
    pub primary: Objective,
    /// Metrics on which a win counts as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_primaries: Vec<Objective>,
    /// What must not get worse.
    pub sentinels: Vec<Sentinel>,
    /// A bench that candidates are not tuned to; asked of those about to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Holdout>,
    /// The gate.
    pub checks: Checks,
    /// More sealed files, as globs relative to `folder`.
    pub harness: Vec<String>,
    /// What candidates may touch.
    pub scope: Scope,
    /// Where candidates come from, in order.
    pub candidates: Vec<CandidateSource>,
    /// In which order the sources are asked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub candidates_order: CandidatesOrder,
    /// The decision rule's settings.
    pub decision: Decision,
    /// When to stop.
    pub stop: Stop,
    /// Programs that run around each experiment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hooks: Hooks,
    /// Resource limits of each command.
    pub limits: Limits,
    /// What commands may reach.
    pub sandbox: Sandbox,
    /// Where the slots live; `None` is the user's cache folder.
    pub slots_dir: Option<PathBuf>,
    /// What is asked of the measuring machine.
    #[serde(default, skip_serializing_if = "is_default")]
    pub host: Host,
    /// What the loop does with ideas.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ideas: IdeaRules,
    /// How the commits of review branches are written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub commit: CommitRules,
}

/// What the loop does with ideas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdeaRules {
    /// Experiments without effect after which an idea, or a value of a setting, is closed; `None` leaves that to people.
    pub close_after: Option<u32>,
}

impl Settings {
    /// Returns every primary: the first, then the co-primaries, in the order in which their effects are numbered.
    pub fn objectives(&self) -> impl Iterator<Item = &Objective> {
        std::iter::once(&self.primary).chain(&self.co_primaries)
    }

    /// Returns the primary of a number, 0 being the first; one that is not there is read as the first.
    pub fn objective(&self, number: u32) -> &Objective {
        self.objectives().nth(number as usize).unwrap_or(&self.primary)
    }
}

/// What a session starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Base {
    /// The commit of the current branch at the first start.
    Current,
    /// A revision as git names it.
    Revision(String),
}

/// The `prepare` command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepare {
    /// The command.
    pub command: Command,
    /// Its time limit.
    pub timeout: TimeLimit,
    /// Whether it may use the network.
    pub network: bool,
    /// Files (relative to `folder`) whose change makes it run again.
    pub rerun_when: Vec<String>,
    /// Untracked files of the checkout (relative to `folder`) copied into each slot first.
    pub copy: Vec<String>,
}

/// The build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// The command.
    pub command: Command,
    /// Its time limit.
    pub timeout: TimeLimit,
    /// Folders (relative to `folder`) that survive between candidates as warm caches.
    pub keep: Vec<String>,
    /// When a keep is rebuilt from an empty cache.
    pub verify_clean: VerifyClean,
}

/// When a keep is rebuilt from an empty cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerifyClean {
    /// At once when the first full build took under two minutes, else at validation.
    #[default]
    Auto,
    /// At once, before every keep.
    Always,
    /// Never.
    Never,
}

/// The bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bench {
    /// The command.
    pub command: Command,
    /// Its time limit.
    pub timeout: TimeLimit,
    /// Discarded runs of each arm after each build.
    pub warmup: u32,
    /// Whether metrics come only from the file named by `$AUTORESEARCH_METRICS`.
    pub metrics_file: bool,
}

/// A primary metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Objective {
    /// Its name.
    pub name: MetricName,
    /// Its unit, for people.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// The scale on which it is compared.
    pub scale: Scale,
    /// Smallest effect worth keeping: relative (ratio, 0.01 = 1 %) or in the metric's unit (linear).
    pub min_effect: f64,
    /// How several lines of one run become one value.
    pub reduce: Reduce,
}

/// A secondary metric with a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sentinel {
    /// A metric name or a glob over metric names.
    pub pattern: String,
    /// Which way is better.
    pub direction: Direction,
    /// The scale of `tolerance`.
    pub scale: Scale,
    /// Largest tolerated regression: relative (ratio) or in the metric's unit (linear).
    pub tolerance: Option<f64>,
    /// Largest tolerated regression in the metric's own unit, by a test of its own.
    pub tolerance_abs: Option<f64>,
    /// Largest allowed median of the candidate's runs.
    pub max: Option<f64>,
    /// Smallest allowed median of the candidate's runs.
    pub min: Option<f64>,
    /// Whether both arms of every pair must print the same value.
    pub exact: bool,
    /// How several lines of one run become one value.
    pub reduce: Reduce,
}

/// The held-out bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holdout {
    /// The command. Its relative words name files below the folder of `file`, else below `working_dir`.
    pub command: Command,
    /// Time limit of one run.
    pub timeout: TimeLimit,
    /// Further files that are laid for its stage only, as globs relative to the folder of `file`, else to `folder`.
    pub files: Vec<String>,
    /// What must not get worse; at least one.
    pub metrics: Vec<Sentinel>,
    /// The file that it was read from (`--holdout`), absolute; `None` is the config.
    pub file: Option<PathBuf>,
}

impl Holdout {
    /// Returns the folder of its own file, outside the config; `None` where it is a part of the config.
    pub fn outside(&self) -> Option<&Path> {
        self.file.as_deref()?.parent()
    }
}

/// The gate's checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checks {
    /// Folder (relative to `folder`) whose executable files must all exit 0.
    pub dir: String,
    /// Time limit of each check.
    pub timeout: TimeLimit,
    /// Whether checks run before or after the bench.
    pub order: CheckOrder,
    /// Whether a candidate must run the tests that the tip runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inventory: Inventory,
}

/// Whether a candidate must run the tests that the tip runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inventory {
    /// Where a check says which tests it runs (the default).
    #[default]
    Auto,
    /// Never.
    Off,
}

/// Whether checks run before or after the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOrder {
    /// Checks, then the bench (the default).
    #[default]
    ChecksFirst,
    /// The bench, then the checks of those that would be kept.
    BenchFirst,
}

/// What candidates may touch: globs relative to the repository root.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// Allowed paths; empty allows everything.
    pub allow: Vec<String>,
    /// Forbidden paths, also where `allow` lists them.
    pub protect: Vec<String>,
    /// Built-in sealed paths that candidates may touch all the same.
    pub unseal: Vec<String>,
}

/// The decision rule's settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// A/A pairs at session start; `None` leaves them to the time that the session has.
    pub calibration_pairs: Option<u32>,
    /// Largest number of pairs of one race.
    pub max_pairs: u32,
    /// Share of keeps that may be false over an epoch (`q` of statistics section 3).
    pub false_keep_share: f64,
    /// How soon a hopeless race ends.
    pub patience: Patience,
    /// Whether an unresolved sentinel forbids a keep; also drops the jump bet.
    pub strict: bool,
    /// Seed of the coins.
    pub seed: Seed,
    /// When a win is confirmed in swapped slots before it is kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confirm: Confirm,
}

impl Decision {
    /// A/A pairs that a calibration begins with where none are set (statistics section 3).
    pub const FIRST_CALIBRATION_PAIRS: u32 = 10;
    /// A/A pairs that it never goes beyond then.
    pub const MOST_CALIBRATION_PAIRS: u32 = 30;

    /// Returns the largest number of A/A pairs that a calibration can come to.
    pub fn most_calibration_pairs(&self) -> u32 {
        self.calibration_pairs.unwrap_or(Self::MOST_CALIBRATION_PAIRS)
    }
}

/// When a win is confirmed in swapped slots before it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// Where rebuilding both slots is cheap beside the race, or next to nothing (the default).
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How soon a hopeless race ends: the `z` of the futility rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Patience {
    /// z = 1 (the default).
    #[default]
    Thorough,
    /// z = 0.8.
    Normal,
    /// z = 0.6.
    Thrifty,
}

impl Patience {
    /// Returns `z` of the futility rule (statistics section 3).
    pub fn z(self) -> f64 {
        match self {
            Self::Thorough => 1.0,
            Self::Normal => 0.8,
            Self::Thrifty => 0.6,
        }
    }
}

/// When to stop; `None` = that rule is off.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// Settled experiments that reached Build.
    pub max_iterations: Option<u32>,
    /// Hours of this session, over all its starts.
    pub max_hours: Option<f64>,
    /// A local time of day, `HH:MM`.
    pub until: Option<String>,
    /// Iterations in a row without a keep.
    pub plateau: Option<u32>,
    /// Times in a row that the same check failed.
    pub consecutive_check_failures: Option<u32>,
    /// A median of the primary at which the goal is reached.
    pub target: Option<f64>,
    /// Experiments in a row that crashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consecutive_crashes: Option<u32>,
    /// What the agents may cost over all starts of the session, in the unit that they print (US dollars).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_cost: Option<f64>,
    /// A file (relative to the config's folder) whose presence in the checkout stops the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Returns the next moment after `after`, in its time zone, at which it is this time of day, `HH:MM`.
pub fn next_time_of_day(text: &str, after: &Zoned) -> Option<Timestamp> {
    let time: Time = text.parse().ok()?;
    let today = after.with().time(time).build().ok()?;
    let next = if today > *after { today } else { today.tomorrow().ok()? };
    Some(next.timestamp())
}

/// Resource limits of each command; `None` = none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Largest stdout and stderr of one command together, in bytes.
    pub output_bytes: u64,
    /// Largest log kept of one command, in bytes; longer ones are cut in the middle.
    pub log_bytes: u64,
    /// Memory that one command's processes hold together, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes of one command.
    pub processes: Option<u64>,
    /// Largest file that a command may write, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// Free disk below which the session stops, in bytes.
    pub disk_free_bytes: u64,
}

/// What is asked of the measuring machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    /// Cores that the measured runs of both arms are confined to; `None` = all.
    pub pin: Option<CoreList>,
    /// Seconds that a pair waits at most for a machine that is busier than at calibration.
    pub max_wait_s: f64,
}

impl Default for Host {
    /// Returns no pinning and a minute of patience.
    fn default() -> Self {
        Self { pin: None, max_wait_s: 60.0 }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What commands may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sandbox {
    /// What of the network.
    pub network: Network,
    /// Whether to refuse a machine that cannot enforce this.
    pub require: bool,
    /// Further folders that may be read; absolute, or `~/...`.
    pub read_only: Vec<String>,
    /// Further folders that may be written, one copy per slot.
    pub caches: Vec<String>,
    /// Further environment variables that commands see.
    pub env: Vec<String>,
}

/// What of the network commands may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Nothing.
    None,
    /// A loopback interface of their own (the default).
    #[default]
    Loopback,
    /// This host.
    Host,
    /// Everything.
    Full,
}
