//! From the file as written to settings: defaults, checks and cross-checks.

use std::path::{Path, PathBuf};

use crate::domain::{
    Base, Checks, CoreList, Decision, Host, IdeaRules, Limits, MetricName, Objective, Sandbox, Scale, Scope, Sentinel,
    Settings, Stop,
};

use super::check;
use super::commands;
use super::commit;
use super::file::{
    ChecksFile, ConfigFile, DecisionFile, HostFile, IdeasFile, LimitsFile, PrimaryFile, SandboxFile, ScopeFile,
    SentinelFile, StopFile,
};
use super::holdout;
use super::layers::{self, Environment, Overlaid};
use super::origin::{self, Shown};
use super::source::Source;
use super::sources;
use super::{ConfigError, Overrides, Place, Problem};

pub(super) const WORKING_DIR: &str = ".";
pub(super) const PREPARE_NETWORK: bool = true;
pub(super) const WARMUP: u32 = 1;
pub(super) const CHECKS_DIR: &str = "checks";
pub(super) const MAX_PAIRS: u32 = 30;
pub(super) const FALSE_KEEP_SHARE: f64 = 0.10;
pub(super) const SEED: u64 = 1;
pub(super) const OUTPUT_BYTES: u64 = 4 << 30;
pub(super) const LOG_BYTES: u64 = 1 << 20;
pub(super) const DISK_FREE_BYTES: u64 = 1 << 30;
pub(super) const READ_ONLY: [&str; 1] = ["~/.cargo/registry"];
pub(super) const MAX_WAIT_S: f64 = 60.0;
const MIN_EFFECT: f64 = 0.01;
/// Four pairs set the scale of a metric that has none yet (statistics section 3), so fewer calibrate nothing.
const FEWEST_CALIBRATION_PAIRS: u32 = 4;
/// No rule keeps before the third pair (statistics section 3).
const FEWEST_PAIRS: u32 = 3;
const MOST_PAIRS: u32 = 1000;

/// Settings, and where each of them came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// What the session uses.
    pub settings: Settings,
    /// Every setting with its origin, in the order of the format.
    pub shown: Vec<Shown>,
}

/// Reads and resolves a config file of the repository at `root`: default < file < environment < flag.
///
/// Of `env` only the variables of [`Overrides`] and `HOME` are read. Fails on the first thing that is wrong, with its
/// place; never ignores a key.
pub fn load(root: &Path, file: &Path, env: &Environment, flags: &Overrides) -> Result<Resolved, ConfigError> {
    let (source, value) = Source::read(file)?;
    let mut written = source.parse(&value)?;
    let overlaid = layers::overlay(&mut written, env, flags)?;
    let spot = Spot::of(root, file)?;
    let context = Context { source, overlaid, spot };
    let settings = context.settings(&written, env, flags)?;
    let shown = origin::list(&settings, &context.source, &context.overlaid);
    Ok(Resolved { settings, shown })
}

/// Returns where a config file gives a key of the settings, or the nearest one above it, and the key as it is written
/// there; `None` where the file cannot be read any more.
pub fn place_of(file: &Path, key: &str) -> Option<(Place, String)> {
    let (source, _) = Source::read(file).ok()?;
    let key = source.as_written(key);
    Some((source.place(&key), key))
}

/// Where a config file is in its repository.
struct Spot {
    folder: String,
    file: String,
    name: Option<String>,
}

impl Spot {
    fn of(root: &Path, file: &Path) -> Result<Self, ConfigError> {
        let outside = || ConfigError::Outside { path: file.to_owned(), root: root.to_owned() };
        let parent = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (real_root, real_parent) = (canonical(root)?, canonical(parent)?);
        let inner = real_parent.strip_prefix(&real_root).map_err(|_| outside())?;
        let last = real_parent.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Ok(Self {
            folder: inner.to_str().ok_or_else(outside)?.to_owned(),
            file: file.file_name().and_then(|name| name.to_str()).ok_or_else(outside)?.to_owned(),
            name: check::name_of_folder(last),
        })
    }
}

fn canonical(path: &Path) -> Result<PathBuf, ConfigError> {
    path.canonicalize().map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

/// What resolving one value needs: the place of its key, and the folder that its paths are relative to.
pub(super) struct Context {
    source: Source,
    overlaid: Overlaid,
    spot: Spot,
}

impl Context {
    /// Makes the context of a file that is no config and has no layer above it.
    pub(super) fn alone(source: Source) -> Self {
        let spot = Spot { folder: String::new(), file: String::new(), name: None };
        Self { source, overlaid: Overlaid::new(), spot }
    }

    /// Gives a problem its key and place.
    pub(super) fn check<T>(&self, key: &str, result: Result<T, Problem>) -> Result<T, ConfigError> {
        result.map_err(|problem| {
            let place = self.overlaid.get(key).cloned().unwrap_or_else(|| self.source.place(key));
            ConfigError::Invalid { place, key: key.to_owned(), problem }
        })
    }

    /// Insists on a required key.
    pub(super) fn required<'a, T>(&self, key: &str, value: Option<&'a T>) -> Result<&'a T, ConfigError> {
        value.ok_or_else(|| ConfigError::Missing { path: self.source.path().to_owned(), key: key.to_owned() })
    }

    /// Checks each of a list of texts, which may be left out.
    pub(super) fn each(
        &self,
        key: &str,
        list: Option<&Vec<String>>,
        check: impl Fn(&str) -> Result<String, Problem>,
    ) -> Result<Vec<String>, ConfigError> {
        let item = |(index, text): (usize, &String)| self.check(&format!("{key}[{index}]"), check(text));
        list.into_iter().flatten().enumerate().map(item).collect()
    }

    /// Checks a path that is relative to the config's folder; it is kept as written.
    pub(super) fn path(&self, text: &str) -> Result<String, Problem> {
        check::inside(&self.spot.folder, text).map(|_| text.to_owned())
    }

    fn settings(&self, file: &ConfigFile, env: &Environment, flags: &Overrides) -> Result<Settings, ConfigError> {
        let name = self.name(file)?;
        let working_dir = file.working_dir.as_deref().unwrap_or(WORKING_DIR);
        let metrics = self.required("metrics", file.metrics.as_ref())?;
        let primary = self.primary("metrics.primary", self.required("metrics.primary", metrics.primary.as_ref())?)?;
        let co_primaries = self.co_primaries(metrics.co_primary.as_deref().unwrap_or_default(), &primary)?;
        let scale = primary.scale;
        Ok(Settings {
            folder: self.spot.folder.clone(),
            file: self.spot.file.clone(),
            working_dir: self.check("workingDir", check::inside(&self.spot.folder, working_dir))?,
            base: match &file.base {
                None => Base::Current,
                Some(base) => Base::Revision(self.check("base", check::revision(base))?),
            },
            branch: match &file.branch {
                None => format!("autoresearch/{name}"),
                Some(branch) => self.check("branch", check::branch(branch))?,
            },
            name,
            prepare: commands::prepare(self, file.prepare.as_ref())?,
            build: commands::build(self, file.build.as_ref())?,
            bench: commands::bench(self, self.required("bench", file.bench.as_ref())?)?,
            sentinels: self.sentinels(metrics.sentinels.as_deref().unwrap_or_default(), (&primary, &co_primaries))?,
            primary,
            co_primaries,
            holdout: holdout::resolve(self, file.holdout.as_ref(), flags.holdout.as_ref())?,
            checks: self.checks(&file.checks.clone().unwrap_or_default())?,
            harness: self.each("harness", file.harness.as_ref(), check::glob)?,
            scope: self.scope(&file.scope.clone().unwrap_or_default())?,
            candidates: sources::candidates(self, file.candidates.as_deref().unwrap_or_default())?,
            candidates_order: file.candidates_order.unwrap_or_default(),
            hooks: sources::hooks(self, &file.hooks.clone().unwrap_or_default())?,
            decision: self.decision(&file.decision.clone().unwrap_or_default())?,
            stop: self.stop(&file.stop.clone().unwrap_or_default(), scale)?,
            limits: self.limits(&file.limits.clone().unwrap_or_default())?,
            sandbox: self.sandbox(&file.sandbox.clone().unwrap_or_default())?,
            slots_dir: match file.slots.as_ref().and_then(|slots| slots.dir.as_deref()) {
                None => None,
                Some(dir) => Some(self.check("slots.dir", check::expanded(dir, env))?),
            },
            host: self.host(&file.host.clone().unwrap_or_default())?,
            ideas: self.ideas(&file.ideas.clone().unwrap_or_default())?,
            commit: commit::resolve(self, &file.commit.clone().unwrap_or_default())?,
        })
    }

    fn name(&self, file: &ConfigFile) -> Result<String, ConfigError> {
        match (&file.name, &self.spot.name) {
            (Some(name), _) => self.check("name", check::session_name(name)),
            (None, Some(folder)) => Ok(folder.clone()),
            (None, None) => self.required("name", None::<&String>).cloned(),
        }
    }

    fn primary(&self, path: &str, file: &PrimaryFile) -> Result<Objective, ConfigError> {
        let key = |name: &str| format!("{path}.{name}");
        let name = self.required(&key("name"), file.name.as_ref())?;
        let name = self.check(&key("name"), check::metric_name(name))?;
        let scale = file.scale.unwrap_or_default();
        self.check(&key("scale"), check::aggregate_scale(&name, scale))?;
        Ok(Objective {
            name,
            unit: file.unit.clone().unwrap_or_default(),
            direction: file.direction.unwrap_or_default(),
            scale,
            min_effect: self.check(&key("minEffect"), min_effect(file.min_effect, scale))?,
            reduce: file.reduce.unwrap_or_default(),
        })
    }

    fn co_primaries(&self, files: &[PrimaryFile], primary: &Objective) -> Result<Vec<Objective>, ConfigError> {
        let mut all: Vec<Objective> = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let path = format!("metrics.coPrimary[{index}]");
            let objective = self.primary(&path, file)?;
            self.check(&format!("{path}.name"), single_role(objective.name.as_str(), (primary, &all), &[]))?;
            all.push(objective);
        }
        Ok(all)
    }

    fn sentinels(
        &self,
        files: &[SentinelFile],
        primaries: (&Objective, &[Objective]),
    ) -> Result<Vec<Sentinel>, ConfigError> {
        let mut sentinels: Vec<Sentinel> = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let path = format!("metrics.sentinels[{index}]");
            let sentinel = self.sentinel(&path, file)?;
            self.check(&format!("{path}.name"), single_role(&sentinel.pattern, primaries, &sentinels))?;
            sentinels.push(sentinel);
        }
        Ok(sentinels)
    }

    pub(super) fn sentinel(&self, path: &str, file: &SentinelFile) -> Result<Sentinel, ConfigError> {
        let key = |name: &str| format!("{path}.{name}");
        let size = |name: &str, value: Option<f64>| {
            value.map(|size| self.check(&key(name), check::not_negative(size))).transpose()
        };
        let name = self.required(&key("name"), file.name.as_ref())?;
        let sentinel = Sentinel {
            pattern: self.check(&key("name"), check::metric_pattern(name))?,
            direction: file.direction.unwrap_or_default(),
            scale: file.scale.unwrap_or_default(),
            tolerance: size("tolerance", file.tolerance)?,
            tolerance_abs: size("toleranceAbs", file.tolerance_abs)?,
            max: file.max,
            min: file.min,
            exact: file.exact.unwrap_or_default(),
            reduce: file.reduce.unwrap_or_default(),
        };
        if let Ok(aggregate) = MetricName::new(&sentinel.pattern) {
            self.check(&key("scale"), check::aggregate_scale(&aggregate, sentinel.scale))?;
        }
        if sentinel.scale == Scale::Linear && sentinel.tolerance.is_none() {
            return self.check(&key("tolerance"), Err(Problem::LinearNeeds));
        }
        self.check(path, forbids_something(&sentinel))?;
        Ok(sentinel)
    }

    fn checks(&self, file: &ChecksFile) -> Result<Checks, ConfigError> {
        let dir = file.dir.as_deref().unwrap_or(CHECKS_DIR);
        Ok(Checks {
            dir: self.check("checks.dir", self.path(dir))?,
            timeout: commands::timeout(self, "checks.timeoutSeconds", file.timeout_seconds)?,
            order: file.order.unwrap_or_default(),
            inventory: file.inventory.unwrap_or_default(),
        })
    }

    fn scope(&self, file: &ScopeFile) -> Result<Scope, ConfigError> {
        Ok(Scope {
            allow: self.each("scope.allow", file.allow.as_ref(), check::glob)?,
            protect: self.each("scope.protect", file.protect.as_ref(), check::glob)?,
            unseal: self.each("scope.unseal", file.unseal.as_ref(), check::glob)?,
        })
    }

    fn decision(&self, file: &DecisionFile) -> Result<Decision, ConfigError> {
        let pairs = |key: &str, value: u32, fewest| self.check(key, check::count(value, fewest, MOST_PAIRS));
        let share = file.false_keep_share.unwrap_or(FALSE_KEEP_SHARE);
        let share = check::positive(share).and_then(|share| check::within(share, 0.0, 0.5));
        let calibration = |value| pairs("decision.calibrationPairs", value, FEWEST_CALIBRATION_PAIRS);
        Ok(Decision {
            calibration_pairs: file.calibration_pairs.map(calibration).transpose()?,
            max_pairs: pairs("decision.maxPairs", file.max_pairs.unwrap_or(MAX_PAIRS), FEWEST_PAIRS)?,
            false_keep_share: self.check("decision.falseKeepShare", share)?,
            patience: file.patience.unwrap_or_default(),
            strict: file.strict.unwrap_or_default(),
            seed: crate::domain::Seed(file.seed.unwrap_or(SEED)),
            confirm: file.confirm.unwrap_or_default(),
        })
    }

    fn stop(&self, file: &StopFile, scale: Scale) -> Result<Stop, ConfigError> {
        let count =
            |key: &str, value: Option<u32>| value.map(|n| self.check(key, check::count(n, 1, u32::MAX))).transpose();
        let target = |value: f64| match scale {
            Scale::Ratio => check::positive(value),
            Scale::Linear => Ok(value),
        };
        let until = file.until.as_deref().map(|text| self.check("stop.until", check::time_of_day(text)));
        let max_hours = file.max_hours.map(|hours| self.check("stop.maxHours", hours_of(hours)));
        Ok(Stop {
            max_iterations: count("stop.maxIterations", file.max_iterations)?,
            max_hours: max_hours.transpose()?,
            until: until.transpose()?,
            plateau: count("stop.plateau", file.plateau)?,
            consecutive_check_failures: count("stop.consecutiveCheckFailures", file.consecutive_check_failures)?,
            target: file.target.map(|value| self.check("stop.target", target(value))).transpose()?,
            consecutive_crashes: count("stop.consecutiveCrashes", file.consecutive_crashes)?,
            agent_cost: file.agent_cost.map(|cost| self.check("stop.agentCost", check::positive(cost))).transpose()?,
            file: file.file.as_deref().map(|path| self.check("stop.file", self.path(path))).transpose()?,
        })
    }

    fn limits(&self, file: &LimitsFile) -> Result<Limits, ConfigError> {
        let some =
            |key: &str, value: u64| self.check(key, if value > 0 { Ok(value) } else { Err(Problem::NotPositive(0.0)) });
        let maybe = |key: &str, value: Option<u64>| value.map(|value| some(key, value)).transpose();
        Ok(Limits {
            output_bytes: some("limits.outputBytes", file.output_bytes.unwrap_or(OUTPUT_BYTES))?,
            log_bytes: some("limits.logBytes", file.log_bytes.unwrap_or(LOG_BYTES))?,
            memory_bytes: maybe("limits.memoryBytes", file.memory_bytes)?,
            processes: maybe("limits.processes", file.processes)?,
            file_bytes: maybe("limits.fileBytes", file.file_bytes)?,
            disk_free_bytes: file.disk_free_bytes.unwrap_or(DISK_FREE_BYTES),
        })
    }

    fn host(&self, file: &HostFile) -> Result<Host, ConfigError> {
        let cores = |text: &String| CoreList::new(text).map_err(Problem::from);
        let pin = file.pin.as_ref().map(|text| self.check("host.pin", cores(text))).transpose()?;
        let most = file.max_wait_seconds.unwrap_or(MAX_WAIT_S);
        let max_wait_s = self.check("host.maxWaitSeconds", check::within(most, 0.0, check::YEAR_S))?;
        Ok(Host { pin, max_wait_s })
    }

    fn ideas(&self, file: &IdeasFile) -> Result<IdeaRules, ConfigError> {
        let count = |n| self.check("ideas.closeAfter", check::count(n, 1, u32::MAX));
        Ok(IdeaRules { close_after: file.close_after.map(count).transpose()? })
    }

    fn sandbox(&self, file: &SandboxFile) -> Result<Sandbox, ConfigError> {
        let standard = READ_ONLY.map(str::to_owned).to_vec();
        let read_only = file.read_only.as_ref().unwrap_or(&standard);
        Ok(Sandbox {
            network: file.network.unwrap_or_default(),
            require: file.require.unwrap_or_default(),
            read_only: self.each("sandbox.readOnly", Some(read_only), check::outer_folder)?,
            caches: self.each("sandbox.caches", file.caches.as_ref(), check::outer_folder)?,
            env: self.each("sandbox.env", file.env.as_ref(), check::variable)?,
        })
    }
}

/// Refuses a name that an earlier key uses already.
fn single_role(
    name: &str,
    (primary, co_primaries): (&Objective, &[Objective]),
    sentinels: &[Sentinel],
) -> Result<(), Problem> {
    let others = std::iter::once((primary.name.as_str(), "metrics.primary".to_owned()))
        .chain((0..).zip(co_primaries).map(|(n, co): (u32, _)| (co.name.as_str(), format!("metrics.coPrimary[{n}]"))))
        .chain((0..).zip(sentinels).map(|(n, s): (u32, _)| (s.pattern.as_str(), format!("metrics.sentinels[{n}]"))));
    match others.into_iter().find(|(other, _)| *other == name) {
        Some((_, other)) => Err(Problem::TwoRoles { name: name.to_owned(), other }),
        None => Ok(()),
    }
}

fn min_effect(value: Option<f64>, scale: Scale) -> Result<f64, Problem> {
    match (value, scale) {
        (None, Scale::Ratio) => Ok(MIN_EFFECT),
        (None, Scale::Linear) => Err(Problem::LinearNeeds),
        (Some(value), Scale::Ratio) if value > 1.0 => Err(Problem::PercentMeant(value)),
        (Some(value), Scale::Ratio | Scale::Linear) => check::positive(value),
    }
}

fn hours_of(hours: f64) -> Result<f64, Problem> {
    check::positive(hours)?;
    check::seconds(hours * 3600.0).map(|_| hours).map_err(|_| Problem::OutOfRange {
        value: hours,
        low: 0.0,
        high: 8760.0,
    })
}

fn forbids_something(s: &Sentinel) -> Result<(), Problem> {
    let limits = [s.tolerance, s.tolerance_abs, s.max, s.min];
    match (s.min, s.max) {
        _ if !s.exact && limits.iter().all(Option::is_none) => Err(Problem::NoLimit),
        (Some(min), Some(max)) if min > max => Err(Problem::MinAboveMax { min, max }),
        _ => Ok(()),
    }
}
