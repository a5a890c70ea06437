//! The config file as people write it: every key, everything optional.
//!
//! The comments on the keys become the descriptions of the JSON Schema, so they speak to the people who write the file.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Error as _, SeqAccess, Visitor};

use crate::domain::{
    CandidatesOrder, CheckOrder, Command, Confirm, Direction, Inventory, Network, Patience, Reduce, Scale, VerifyClean,
};

use super::commit::CommitFile;
use super::sources::{CandidateFile, HooksFile};

/// What to optimise, how to measure it, and when to stop.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "autoresearch.config.json")]
#[expect(dead_code, reason = "a key that is only accepted is known but never read")]
pub(super) struct ConfigFile {
    /// Where editors find the schema of this file.
    #[serde(rename = "$schema")]
    pub(super) schema: Option<String>,
    /// Name of the session; also the folder of its state. Default: the name of the folder that this file is in.
    pub(super) name: Option<String>,
    /// Revision that the session starts from. Default: the commit of the current branch at the first start.
    pub(super) base: Option<String>,
    /// Branch that keeps are committed to, without refs/heads/. Default: autoresearch/<name>.
    pub(super) branch: Option<String>,
    /// Folder in which commands start, relative to this file's folder.
    #[schemars(extend("default" = super::resolve::WORKING_DIR))]
    pub(super) working_dir: Option<String>,
    /// Set-up that runs once in each slot, on base code only.
    pub(super) prepare: Option<PrepareFile>,
    /// How the program is built. Leave out where nothing needs building.
    pub(super) build: Option<BuildFile>,
    /// How the program is measured.
    #[schemars(required)]
    pub(super) bench: Option<BenchFile>,
    /// What to improve and what must not get worse.
    #[schemars(required)]
    pub(super) metrics: Option<MetricsFile>,
    /// The gate: executable files that must all exit 0.
    pub(super) checks: Option<ChecksFile>,
    /// A bench that candidates are not tuned to: a win is kept only where its metrics did not get worse. Or --holdout FILE.
    pub(super) holdout: Option<HoldoutFile>,
    /// More files that candidates must not touch, as globs relative to this file's folder.
    pub(super) harness: Option<Vec<String>>,
    /// What candidates may touch, as globs relative to the repository root.
    pub(super) scope: Option<ScopeFile>,
    /// Where candidates come from, in order. Default: none.
    pub(super) candidates: Option<Vec<CandidateFile>>,
    /// In which order several sources are asked: each to its end (listed), or one candidate of each in turn (turns).
    #[serde(default)]
    #[schemars(schema_with = "candidates_order", extend("default" = "listed"))]
    pub(super) candidates_order: Option<CandidatesOrder>,
    /// The decision rule.
    pub(super) decision: Option<DecisionFile>,
    /// When to stop. Default: when every candidate was tried.
    pub(super) stop: Option<StopFile>,
    /// Programs that run before and after each experiment.
    pub(super) hooks: Option<HooksFile>,
    /// Resource limits of each command.
    pub(super) limits: Option<LimitsFile>,
    /// What commands may reach.
    pub(super) sandbox: Option<SandboxFile>,
    /// Where the two slots live.
    pub(super) slots: Option<SlotsFile>,
    /// What is asked of the measuring machine.
    pub(super) host: Option<HostFile>,
    /// What the loop does with the ideas of ideas.md.
    pub(super) ideas: Option<IdeasFile>,
    /// How the commits of review branches are written; keeps on the session's branch follow none of it.
    pub(super) commit: Option<CommitFile>,
}

/// Set-up that runs on base code only.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PrepareFile {
    /// The command: a line for sh -c, or an array of program and arguments.
    #[schemars(required)]
    pub(super) command: Option<CommandFile>,
    /// Time limit in seconds. Default: 5 times the calibrated median, at least 10.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) timeout_seconds: Option<f64>,
    /// Whether it may use the network.
    #[schemars(extend("default" = super::resolve::PREPARE_NETWORK))]
    pub(super) network: Option<bool>,
    /// Files, relative to this file's folder, whose change makes it run again.
    pub(super) rerun_when: Option<Vec<String>>,
    /// Untracked files and folders of the checkout, relative to this file's folder, copied into each slot first.
    pub(super) copy: Option<Vec<String>>,
}

/// How the program is built.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BuildFile {
    /// The command: a line for sh -c, or an array of program and arguments.
    #[schemars(required)]
    pub(super) command: Option<CommandFile>,
    /// Time limit in seconds. Default: 5 times the calibrated median, at least 10.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) timeout_seconds: Option<f64>,
    /// Folders, relative to this file's folder, that survive between candidates as warm caches.
    pub(super) keep: Option<Vec<String>>,
    /// When a keep is rebuilt from an empty cache.
    #[serde(default)]
    #[schemars(schema_with = "verify_clean", extend("default" = "auto"))]
    pub(super) verify_clean: Option<VerifyClean>,
}

/// How the program is measured.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BenchFile {
    /// The command: a line for sh -c, or an array of program and arguments. It prints lines METRIC <name>=<number>.
    #[schemars(required)]
    pub(super) command: Option<CommandFile>,
    /// Time limit of one run in seconds. Default: 5 times the calibrated median, at least 10.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) timeout_seconds: Option<f64>,
    /// Discarded runs of each arm after each build.
    #[schemars(extend("default" = super::resolve::WARMUP))]
    pub(super) warmup: Option<u32>,
    /// Whether metrics come only from the file named by `$AUTORESEARCH_METRICS`.
    #[schemars(extend("default" = false))]
    pub(super) metrics_file: Option<bool>,
}

/// What to improve and what must not get worse.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MetricsFile {
    /// The metric to improve.
    #[schemars(required)]
    pub(super) primary: Option<PrimaryFile>,
    /// Metrics on which a win counts as well; while another one wins, each must not get worse by its minEffect.
    pub(super) co_primary: Option<Vec<PrimaryFile>>,
    /// Metrics that must not get worse.
    pub(super) sentinels: Option<Vec<SentinelFile>>,
}

/// The metric to improve.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PrimaryFile {
    /// Its name: that of a METRIC line, geomean(glob) or worst(glob) of several, or `auto.wall_s`, `auto.user_s`, `auto.sys_s`, `auto.cpu_s`, `auto.max_rss_bytes`.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// Its unit, for people.
    pub(super) unit: Option<String>,
    /// Which way is better.
    #[serde(default)]
    #[schemars(schema_with = "direction", extend("default" = "lower"))]
    pub(super) direction: Option<Direction>,
    /// ratio compares logarithms and needs values above 0; linear compares differences.
    #[serde(default)]
    #[schemars(schema_with = "scale", extend("default" = "ratio"))]
    pub(super) scale: Option<Scale>,
    /// Smallest effect worth keeping: 0.01 is 1 % (ratio, the default), or in the metric's unit (linear, required).
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) min_effect: Option<f64>,
    /// How several lines of one run become one value.
    #[serde(default)]
    #[schemars(schema_with = "reduce", extend("default" = "median"))]
    pub(super) reduce: Option<Reduce>,
}

/// A metric that must not get worse; needs one of tolerance, toleranceAbs, max, min, exact.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SentinelFile {
    /// Its name, a glob over names, geomean(glob) or worst(glob).
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// Which way is better.
    #[serde(default)]
    #[schemars(schema_with = "direction", extend("default" = "lower"))]
    pub(super) direction: Option<Direction>,
    /// The scale of tolerance: ratio (0.05 is 5 %) or linear (in the metric's unit; needs tolerance).
    #[serde(default)]
    #[schemars(schema_with = "scale", extend("default" = "ratio"))]
    pub(super) scale: Option<Scale>,
    /// Largest tolerated regression on that scale.
    #[schemars(extend("minimum" = 0))]
    pub(super) tolerance: Option<f64>,
    /// Largest tolerated regression in the metric's own unit, by a test of its own; with both, either one passes it.
    #[schemars(extend("minimum" = 0))]
    pub(super) tolerance_abs: Option<f64>,
    /// Largest allowed median of the candidate's runs.
    pub(super) max: Option<f64>,
    /// Smallest allowed median of the candidate's runs.
    pub(super) min: Option<f64>,
    /// Whether both arms of every pair must have the same value.
    #[schemars(extend("default" = false))]
    pub(super) exact: Option<bool>,
    /// How several lines of one run become one value.
    #[serde(default)]
    #[schemars(schema_with = "reduce", extend("default" = "median"))]
    pub(super) reduce: Option<Reduce>,
}

/// A bench that candidates are not tuned to.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HoldoutFile {
    /// The command: a line for sh -c, or an array of program and arguments. Its files are out of sight but for its stage.
    #[schemars(required)]
    pub(super) command: Option<CommandFile>,
    /// Time limit of one run in seconds. Default: 5 times the calibrated median, at least 10.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) timeout_seconds: Option<f64>,
    /// More files that are out of sight but for its stage, as globs relative to this file's folder.
    pub(super) files: Option<Vec<String>>,
    /// What must not get worse, at least one metric; lines METRIC <name>=<number> of this command.
    #[schemars(required)]
    pub(super) metrics: Option<Vec<SentinelFile>>,
}

/// The gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChecksFile {
    /// Folder, relative to this file's folder, whose executable files must all exit 0, in name order.
    #[schemars(extend("default" = super::resolve::CHECKS_DIR))]
    pub(super) dir: Option<String>,
    /// Time limit of each check in seconds. Default: 5 times the calibrated median, at least 10.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) timeout_seconds: Option<f64>,
    /// Whether checks run before the bench, or after it for those that would be kept.
    #[serde(default)]
    #[schemars(schema_with = "check_order", extend("default" = "checks-first"))]
    pub(super) order: Option<CheckOrder>,
    /// Whether a candidate must run every test that the tip runs, by what the checks print. auto: where they name tests.
    #[serde(default)]
    #[schemars(schema_with = "inventory", extend("default" = "auto"))]
    pub(super) inventory: Option<Inventory>,
}

/// What candidates may touch.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScopeFile {
    /// Allowed paths. Default: everything.
    pub(super) allow: Option<Vec<String>>,
    /// Forbidden paths, also where allow lists them.
    pub(super) protect: Option<Vec<String>>,
    /// Built-in sealed paths (lock files, build scripts ...) that candidates may touch all the same.
    pub(super) unseal: Option<Vec<String>>,
}

/// The decision rule.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DecisionFile {
    /// Pairs of baseline against baseline at session start. Default: 10, and up to 30 while they cost little of the
    /// session's time.
    pub(super) calibration_pairs: Option<u32>,
    /// Largest number of pairs for one candidate.
    #[schemars(extend("default" = super::resolve::MAX_PAIRS))]
    pub(super) max_pairs: Option<u32>,
    /// Share of the keeps that may be false.
    #[schemars(extend("default" = super::resolve::FALSE_KEEP_SHARE))]
    pub(super) false_keep_share: Option<f64>,
    /// How soon a hopeless candidate is given up.
    #[serde(default)]
    #[schemars(schema_with = "patience", extend("default" = "thorough"))]
    pub(super) patience: Option<Patience>,
    /// Whether an unresolved sentinel forbids a keep.
    #[schemars(extend("default" = false))]
    pub(super) strict: Option<bool>,
    /// Seed of the coins that order each pair.
    #[schemars(extend("default" = super::resolve::SEED))]
    pub(super) seed: Option<u64>,
    /// Whether a win is measured again with the slots swapped before it is kept. auto: where rebuilding is cheap.
    #[serde(default)]
    #[schemars(schema_with = "confirm", extend("default" = "auto"))]
    pub(super) confirm: Option<Confirm>,
}

/// When to stop; a rule left out is off.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StopFile {
    /// Experiments that reached the build.
    #[schemars(extend("minimum" = 1))]
    pub(super) max_iterations: Option<u32>,
    /// Hours of the session.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) max_hours: Option<f64>,
    /// A local time of day.
    #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub(super) until: Option<String>,
    /// Experiments in a row without a keep.
    #[schemars(extend("minimum" = 1))]
    pub(super) plateau: Option<u32>,
    /// Times in a row that the same check failed.
    #[schemars(extend("minimum" = 1))]
    pub(super) consecutive_check_failures: Option<u32>,
    /// A median of the primary at which the goal is reached.
    pub(super) target: Option<f64>,
    /// Experiments in a row that crashed.
    #[schemars(extend("minimum" = 1))]
    pub(super) consecutive_crashes: Option<u32>,
    /// What the agents may cost in all, in the unit that they print (US dollars).
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) agent_cost: Option<f64>,
    /// A file, relative to this file's folder, whose presence in the checkout stops the session.
    pub(super) file: Option<String>,
}

/// Resource limits of each command.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LimitsFile {
    /// Largest stdout and stderr of one command together, in bytes.
    #[schemars(extend("default" = super::resolve::OUTPUT_BYTES))]
    pub(super) output_bytes: Option<u64>,
    /// Largest log kept of one command, in bytes; longer ones are cut in the middle.
    #[schemars(extend("default" = super::resolve::LOG_BYTES))]
    pub(super) log_bytes: Option<u64>,
    /// Memory that one command's processes hold together, in bytes. Default: no limit.
    pub(super) memory_bytes: Option<u64>,
    /// Processes of one command. Default: no limit.
    pub(super) processes: Option<u64>,
    /// Free disk below which the session stops, in bytes.
    #[schemars(extend("default" = super::resolve::DISK_FREE_BYTES))]
    pub(super) disk_free_bytes: Option<u64>,
    /// Largest file that a command may write, in bytes. Default: no limit.
    pub(super) file_bytes: Option<u64>,
}

/// What commands may reach.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SandboxFile {
    /// What of the network: nothing, a loopback of their own, this host, or everything.
    #[serde(default)]
    #[schemars(schema_with = "network", extend("default" = "loopback"))]
    pub(super) network: Option<Network>,
    /// Whether to refuse a machine that cannot enforce this.
    #[schemars(extend("default" = false))]
    pub(super) require: Option<bool>,
    /// Further files and folders outside the repository that may be read, also the sockets in them: absolute, or ~/...
    #[schemars(extend("default" = super::resolve::READ_ONLY))]
    pub(super) read_only: Option<Vec<String>>,
    /// Further folders that may be written, one copy per slot: absolute, or ~/...
    pub(super) caches: Option<Vec<String>>,
    /// Further environment variables that commands see.
    pub(super) env: Option<Vec<String>>,
}

/// Where the two slots live.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SlotsFile {
    /// An absolute folder, or ~/... Default: the user's cache folder.
    pub(super) dir: Option<String>,
}

/// What is asked of the measuring machine.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HostFile {
    /// CPU cores that the measured runs of both arms are confined to, such as "2" or "0,2-3". Default: all.
    pub(super) pin: Option<String>,
    /// Seconds that a pair waits at most while the machine is clearly busier than at calibration.
    #[schemars(extend("default" = super::resolve::MAX_WAIT_S, "minimum" = 0))]
    pub(super) max_wait_seconds: Option<f64>,
}

/// What the loop does with the ideas of ideas.md.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct IdeasFile {
    /// Experiments without effect after which an idea, or one value of a setting, is closed by the loop. Default: never.
    #[schemars(extend("minimum" = 1))]
    pub(super) close_after: Option<u32>,
}

/// A command as written: a string or an array of strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandFile(pub(super) Command);

impl<'de> Deserialize<'de> for CommandFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CommandVisitor).map(Self)
    }
}

struct CommandVisitor;

impl<'de> Visitor<'de> for CommandVisitor {
    type Value = Command;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command: a string, or an array of strings")
    }

    fn visit_str<E: serde::de::Error>(self, line: &str) -> Result<Command, E> {
        Ok(Command::Shell(line.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Command, A::Error> {
        let mut argv = Vec::new();
        while let Some(word) = words.next_element::<String>()? {
            argv.push(word);
        }
        if argv.is_empty() { Err(A::Error::invalid_length(0, &self)) } else { Ok(Command::Argv(argv)) }
    }
}

impl JsonSchema for CommandFile {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 }
            ]
        })
    }
}

/// Makes functions that describe an enumeration by its words.
macro_rules! words {
    ($($name:ident: $($value:expr),+;)*) => {$(
        fn $name(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "enum": [$($value,)+ null] })
        }
    )*};
}
pub(super) use words;

words! {
    candidates_order: CandidatesOrder::Listed, CandidatesOrder::Turns;
    direction: Direction::Lower, Direction::Higher;
    scale: Scale::Ratio, Scale::Linear;
    reduce: Reduce::Median, Reduce::Mean, Reduce::Min, Reduce::Max, Reduce::Last;
    verify_clean: VerifyClean::Auto, VerifyClean::Always, VerifyClean::Never;
    check_order: CheckOrder::ChecksFirst, CheckOrder::BenchFirst;
    inventory: Inventory::Auto, Inventory::Off;
    confirm: Confirm::Auto, Confirm::On, Confirm::Off;
    patience: Patience::Thorough, Patience::Normal, Patience::Thrifty;
    network: Network::None, Network::Loopback, Network::Host, Network::Full;
}
