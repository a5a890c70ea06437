//! The layers above the file: environment variables and flags, for a few scalar settings.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::file::ConfigFile;
use super::{ConfigError, HoldoutFlag, Place, Problem};

/// Settings given for one start, above the file. `cli` fills them from flags; variables fill a second set.
///
/// | key | variable | flag |
/// |---|---|---|
/// | `base` | `AUTORESEARCH_BASE` | `--base` |
/// | `branch` | `AUTORESEARCH_BRANCH` | `--branch` |
/// | `decision.maxPairs` | `AUTORESEARCH_MAX_PAIRS` | `--max-pairs` |
/// | `decision.seed` | `AUTORESEARCH_SEED` | `--seed` |
/// | `stop.maxIterations` | `AUTORESEARCH_MAX_ITERATIONS` | `--max-iterations` |
/// | `stop.maxHours` | `AUTORESEARCH_MAX_HOURS` | `--max-hours` |
/// | `stop.until` | `AUTORESEARCH_UNTIL` | `--until` |
/// | `stop.plateau` | `AUTORESEARCH_PLATEAU` | `--plateau` |
/// | `stop.target` | `AUTORESEARCH_TARGET` | `--target` |
/// | `slots.dir` | `AUTORESEARCH_SLOTS_DIR` | `--slots-dir` |
/// | `host.pin` | `AUTORESEARCH_PIN` | `--pin` |
/// | `host.maxWaitSeconds` | `AUTORESEARCH_MAX_WAIT_SECONDS` | `--max-wait-seconds` |
/// | `holdout` |  | `--holdout` |
///
/// No variable names a holdout: those who propose candidates see variables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// Revision that the session starts from.
    pub base: Option<String>,
    /// The session's branch.
    pub branch: Option<String>,
    /// Largest number of pairs of one race.
    pub max_pairs: Option<u32>,
    /// Seed of the coins.
    pub seed: Option<u64>,
    /// Settled experiments that reached Build, after which to stop.
    pub max_iterations: Option<u32>,
    /// Hours after which to stop.
    pub max_hours: Option<f64>,
    /// Local time of day at which to stop, `HH:MM`.
    pub until: Option<String>,
    /// Iterations in a row without a keep, after which to stop.
    pub plateau: Option<u32>,
    /// Median of the primary at which the goal is reached, in its unit.
    pub target: Option<f64>,
    /// Where the slots live.
    pub slots_dir: Option<String>,
    /// Cores that measured runs are confined to.
    pub pin: Option<String>,
    /// Seconds that a pair waits at most for a quiet machine.
    pub max_wait_seconds: Option<f64>,
    /// The held-out bench, in place of that of the config.
    pub holdout: Option<HoldoutFlag>,
}

/// A setting that layers above the file can give.
struct Scalar {
    key: &'static str,
    variable: &'static str,
    flag: &'static str,
}

macro_rules! scalars {
    ($($name:ident: $key:literal, $variable:literal, $flag:literal;)*) => {
        $(const $name: Scalar = Scalar { key: $key, variable: $variable, flag: $flag };)*
    };
}
scalars! {
    BASE: "base", "AUTORESEARCH_BASE", "--base";
    BRANCH: "branch", "AUTORESEARCH_BRANCH", "--branch";
    MAX_PAIRS: "decision.maxPairs", "AUTORESEARCH_MAX_PAIRS", "--max-pairs";
    SEED: "decision.seed", "AUTORESEARCH_SEED", "--seed";
    MAX_ITERATIONS: "stop.maxIterations", "AUTORESEARCH_MAX_ITERATIONS", "--max-iterations";
    MAX_HOURS: "stop.maxHours", "AUTORESEARCH_MAX_HOURS", "--max-hours";
    UNTIL: "stop.until", "AUTORESEARCH_UNTIL", "--until";
    PLATEAU: "stop.plateau", "AUTORESEARCH_PLATEAU", "--plateau";
    TARGET: "stop.target", "AUTORESEARCH_TARGET", "--target";
    SLOTS_DIR: "slots.dir", "AUTORESEARCH_SLOTS_DIR", "--slots-dir";
    PIN: "host.pin", "AUTORESEARCH_PIN", "--pin";
    MAX_WAIT: "host.maxWaitSeconds", "AUTORESEARCH_MAX_WAIT_SECONDS", "--max-wait-seconds";
}

/// The environment that a configuration is read in.
pub(super) type Environment = BTreeMap<String, String>;

/// Where each setting came from that a layer above the file gave.
pub(super) type Overlaid = BTreeMap<&'static str, Place>;

/// Lays the environment and then the flags over the file.
pub(super) fn overlay(file: &mut ConfigFile, env: &Environment, flags: &Overrides) -> Result<Overlaid, ConfigError> {
    let mut overlaid = Overlaid::new();
    from_environment(env)?.lay(file, &mut |scalar| {
        overlaid.insert(scalar.key, Place::Environment(scalar.variable));
    });
    flags.lay(file, &mut |scalar| {
        overlaid.insert(scalar.key, Place::Flag(scalar.flag));
    });
    if flags.holdout.is_some() {
        overlaid.insert("holdout", Place::Flag("--holdout"));
    }
    Ok(overlaid)
}

impl Overrides {
    fn lay(&self, file: &mut ConfigFile, note: &mut dyn FnMut(&Scalar)) {
        let stop = file.stop.get_or_insert_default();
        let decision = file.decision.get_or_insert_default();
        let slots = file.slots.get_or_insert_default();
        let host = file.host.get_or_insert_default();
        put(&mut file.base, self.base.as_ref(), &BASE, note);
        put(&mut file.branch, self.branch.as_ref(), &BRANCH, note);
        put(&mut decision.max_pairs, self.max_pairs.as_ref(), &MAX_PAIRS, note);
        put(&mut decision.seed, self.seed.as_ref(), &SEED, note);
        put(&mut stop.max_iterations, self.max_iterations.as_ref(), &MAX_ITERATIONS, note);
        put(&mut stop.max_hours, self.max_hours.as_ref(), &MAX_HOURS, note);
        put(&mut stop.until, self.until.as_ref(), &UNTIL, note);
        put(&mut stop.plateau, self.plateau.as_ref(), &PLATEAU, note);
        put(&mut stop.target, self.target.as_ref(), &TARGET, note);
        put(&mut slots.dir, self.slots_dir.as_ref(), &SLOTS_DIR, note);
        put(&mut host.pin, self.pin.as_ref(), &PIN, note);
        put(&mut host.max_wait_seconds, self.max_wait_seconds.as_ref(), &MAX_WAIT, note);
    }
}

fn put<T: Clone>(slot: &mut Option<T>, value: Option<&T>, scalar: &Scalar, note: &mut dyn FnMut(&Scalar)) {
    if let Some(value) = value {
        *slot = Some(value.clone());
        note(scalar);
    }
}

fn from_environment(env: &Environment) -> Result<Overrides, ConfigError> {
    Ok(Overrides {
        base: variable(env, &BASE, "a revision")?,
        branch: variable(env, &BRANCH, "a branch name")?,
        max_pairs: variable(env, &MAX_PAIRS, "a whole number")?,
        seed: variable(env, &SEED, "a whole number")?,
        max_iterations: variable(env, &MAX_ITERATIONS, "a whole number")?,
        max_hours: variable(env, &MAX_HOURS, "a number")?,
        until: variable(env, &UNTIL, "a time of day")?,
        plateau: variable(env, &PLATEAU, "a whole number")?,
        target: variable(env, &TARGET, "a number")?,
        slots_dir: variable(env, &SLOTS_DIR, "a folder")?,
        pin: variable(env, &PIN, "a list of cores")?,
        max_wait_seconds: variable(env, &MAX_WAIT, "a number")?,
        holdout: None,
    })
}

/// Reads one variable; an empty one counts as not set.
fn variable<T: FromStr>(env: &Environment, scalar: &Scalar, expected: &'static str) -> Result<Option<T>, ConfigError> {
    let Some(text) = env.get(scalar.variable).filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| ConfigError::Invalid {
        place: Place::Environment(scalar.variable),
        key: scalar.key.to_owned(),
        problem: Problem::Unreadable { text: text.clone(), expected },
    })
}
