//! Where each setting came from, for people who ask.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use crate::domain::{
    Base, CandidateSource, CommitRange, CommitRules, Decision, KnobPlace, Objective, Sentinel, Settings, TimeLimit,
};

use super::Place;
use super::layers::Overlaid;
use super::source::Source;

/// The layer that a setting came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave it.
    Default,
    /// The config file.
    File,
    /// This environment variable.
    Environment(&'static str),
    /// This command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment(name) | Self::Flag(name) => name,
        })
    }
}

/// One setting as `autoresearch config` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its full path in the file, such as `bench.warmup` or `metrics.sentinels[0].tolerance`.
    pub key: String,
    /// Its value in the file's notation; null where there is none.
    pub value: Value,
    /// The layer that it came from.
    pub origin: Origin,
}

/// Lists every setting with its origin, in the order of the format.
pub(super) fn list(settings: &Settings, source: &Source, overlaid: &Overlaid) -> Vec<Shown> {
    let above = |key: &str| overlaid.get(if key.starts_with("holdout.") { "holdout" } else { key });
    let origin = |key: &str| match above(key) {
        Some(Place::Environment(name)) => Origin::Environment(name),
        Some(Place::Flag(name)) => Origin::Flag(name),
        Some(Place::File { .. }) | None if source.gives(key) => Origin::File,
        Some(Place::File { .. }) | None => Origin::Default,
    };
    let show = |(key, value): (String, Value)| {
        let key = source.as_written(&key);
        Shown { origin: origin(&key), key, value }
    };
    rows(settings).map(show).collect()
}

/// Lists the keys, by their paths in the file, whose values differ between two settings.
pub fn changed_keys(old: &Settings, new: &Settings) -> Vec<String> {
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) = (rows(old).collect(), rows(new).collect());
    let all = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    all.filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
}

type Rows = Vec<(String, Value)>;

fn rows(settings: &Settings) -> impl Iterator<Item = (String, Value)> {
    let all = [
        top(settings),
        commands(settings),
        metrics(settings),
        holdout(settings),
        gate(settings),
        rules(settings),
        limits(settings),
        commit(settings),
    ];
    all.into_iter().flatten()
}

fn row(key: &str, value: impl Into<Value>) -> (String, Value) {
    (key.to_owned(), value.into())
}

fn timeout(limit: TimeLimit) -> Value {
    match limit {
        TimeLimit::Seconds(seconds) => json!(seconds),
        TimeLimit::Calibrated => json!("5 x the calibrated median, at least 10"),
    }
}

fn top(s: &Settings) -> Rows {
    let base = match &s.base {
        Base::Current => Value::Null,
        Base::Revision(revision) => json!(revision),
    };
    vec![
        row("name", s.name.clone()),
        row("base", base),
        row("branch", s.branch.clone()),
        row("workingDir", if s.working_dir.is_empty() { ".".to_owned() } else { s.working_dir.clone() }),
    ]
}

fn command(command: &crate::domain::Command) -> Value {
    match command {
        crate::domain::Command::Shell(line) => json!(line),
        crate::domain::Command::Argv(argv) => json!(argv),
    }
}

fn commands(s: &Settings) -> Rows {
    let mut rows = Rows::new();
    match &s.prepare {
        None => rows.push(row("prepare", Value::Null)),
        Some(prepare) => rows.extend([
            row("prepare.command", command(&prepare.command)),
            row("prepare.timeoutSeconds", timeout(prepare.timeout)),
            row("prepare.network", prepare.network),
            row("prepare.rerunWhen", json!(prepare.rerun_when)),
            row("prepare.copy", json!(prepare.copy)),
        ]),
    }
    match &s.build {
        None => rows.push(row("build", Value::Null)),
        Some(build) => rows.extend([
            row("build.command", command(&build.command)),
            row("build.timeoutSeconds", timeout(build.timeout)),
            row("build.keep", json!(build.keep)),
            row("build.verifyClean", json!(build.verify_clean)),
        ]),
    }
    rows.extend([
        row("bench.command", command(&s.bench.command)),
        row("bench.timeoutSeconds", timeout(s.bench.timeout)),
        row("bench.warmup", s.bench.warmup),
        row("bench.metricsFile", s.bench.metrics_file),
    ]);
    rows
}

fn metrics(s: &Settings) -> Rows {
    let mut rows = objective_rows("metrics.primary", &s.primary);
    for (index, objective) in s.co_primaries.iter().enumerate() {
        rows.extend(objective_rows(&format!("metrics.coPrimary[{index}]"), objective));
    }
    for (index, sentinel) in s.sentinels.iter().enumerate() {
        rows.extend(sentinel_rows(&format!("metrics.sentinels[{index}]"), sentinel));
    }
    rows
}

fn objective_rows(path: &str, o: &Objective) -> Rows {
    let at = |key: &str, value: Value| (format!("{path}.{key}"), value);
    vec![
        at("name", json!(o.name.as_str())),
        at("unit", json!(o.unit)),
        at("direction", json!(o.direction)),
        at("scale", json!(o.scale)),
        at("minEffect", json!(o.min_effect)),
        at("reduce", json!(o.reduce)),
    ]
}

fn sentinel_rows(path: &str, s: &Sentinel) -> Rows {
    let at = |key: &str, value: Value| (format!("{path}.{key}"), value);
    let limits = [("tolerance", s.tolerance), ("toleranceAbs", s.tolerance_abs), ("max", s.max), ("min", s.min)];
    let mut rows = vec![at("name", json!(s.pattern)), at("direction", json!(s.direction)), at("scale", json!(s.scale))];
    rows.extend(limits.into_iter().filter_map(|(key, value)| value.map(|value| at(key, json!(value)))));
    rows.extend([at("exact", json!(s.exact)), at("reduce", json!(s.reduce))]);
    rows
}

fn holdout(s: &Settings) -> Rows {
    let Some(holdout) = &s.holdout else { return vec![row("holdout", Value::Null)] };
    let mut rows = Rows::new();
    rows.extend(holdout.file.as_ref().map(|file| row("holdout", file.display().to_string())));
    rows.extend([
        row("holdout.command", command(&holdout.command)),
        row("holdout.timeoutSeconds", timeout(holdout.timeout)),
        row("holdout.files", json!(holdout.files)),
    ]);
    for (index, metric) in holdout.metrics.iter().enumerate() {
        rows.extend(sentinel_rows(&format!("holdout.metrics[{index}]"), metric));
    }
    rows
}

fn gate(s: &Settings) -> Rows {
    let mut rows = vec![
        row("checks.dir", s.checks.dir.clone()),
        row("checks.timeoutSeconds", timeout(s.checks.timeout)),
        row("checks.order", json!(s.checks.order)),
        row("checks.inventory", json!(s.checks.inventory)),
        row("harness", json!(s.harness)),
        row("scope.allow", json!(s.scope.allow)),
        row("scope.protect", json!(s.scope.protect)),
        row("scope.unseal", json!(s.scope.unseal)),
    ];
    if s.candidates.is_empty() {
        rows.push(row("candidates", json!([])));
    }
    for (index, source) in s.candidates.iter().enumerate() {
        rows.extend(source_rows(&format!("candidates[{index}]"), source));
    }
    rows.push(row("candidatesOrder", json!(s.candidates_order)));
    rows
}

fn source_rows(path: &str, source: &CandidateSource) -> Rows {
    let at = |key: &str, value: Value| (format!("{path}.{key}"), value);
    match source {
        CandidateSource::Patches(dir) => vec![at("patches", json!(dir))],
        CandidateSource::Commits(CommitRange { range, drop_sealed }) => {
            vec![at("commits", json!(range)), at("dropSealed", json!(drop_sealed))]
        }
        CandidateSource::Sweep(sweep) => {
            let mut rows = vec![at("sweep.strategy", json!(sweep.strategy))];
            for (index, knob) in sweep.knobs.iter().enumerate() {
                let place = match &knob.place {
                    KnobPlace::File { file, pattern } => format!("{file} {pattern}"),
                    KnobPlace::Env { variable, of } => format!("{variable} of {}", json!(of)),
                    KnobPlace::Arg { template, of } => format!("{template} of {}", json!(of)),
                };
                let mut value = json!({ "name": knob.name, "place": place, "values": knob.values });
                if let Some(default) = &knob.default {
                    value["default"] = json!(default);
                }
                rows.push(at(&format!("sweep.knobs[{index}]"), value));
            }
            rows
        }
        CandidateSource::Agent(agent) => vec![
            at("agent.preset", json!(agent.preset)),
            at("agent.command", agent.command.as_ref().map_or(Value::Null, command)),
            at("agent.timeoutSeconds", json!(agent.timeout_s)),
            at("agent.maxWaitSeconds", json!(agent.max_wait_s)),
            at("agent.whileMeasuring", json!(agent.while_measuring)),
        ],
    }
}

fn calibration_pairs(decision: &Decision) -> Value {
    let (first, most) = (Decision::FIRST_CALIBRATION_PAIRS, Decision::MOST_CALIBRATION_PAIRS);
    let by_time = || json!(format!("{first} to {most}, as the session has time"));
    decision.calibration_pairs.map_or_else(by_time, |pairs| json!(pairs))
}

fn rules(s: &Settings) -> Rows {
    vec![
        row("decision.calibrationPairs", calibration_pairs(&s.decision)),
        row("decision.maxPairs", s.decision.max_pairs),
        row("decision.falseKeepShare", s.decision.false_keep_share),
        row("decision.patience", json!(s.decision.patience)),
        row("decision.strict", s.decision.strict),
        row("decision.seed", s.decision.seed.0),
        row("decision.confirm", json!(s.decision.confirm)),
        row("stop.maxIterations", json!(s.stop.max_iterations)),
        row("stop.maxHours", json!(s.stop.max_hours)),
        row("stop.until", json!(s.stop.until)),
        row("stop.plateau", json!(s.stop.plateau)),
        row("stop.consecutiveCheckFailures", json!(s.stop.consecutive_check_failures)),
        row("stop.target", json!(s.stop.target)),
        row("stop.consecutiveCrashes", json!(s.stop.consecutive_crashes)),
        row("stop.agentCost", json!(s.stop.agent_cost)),
        row("stop.file", json!(s.stop.file)),
        row("hooks.before", s.hooks.before.as_ref().map_or(Value::Null, command)),
        row("hooks.after", s.hooks.after.as_ref().map_or(Value::Null, command)),
    ]
}

fn commit(s: &Settings) -> Rows {
    let CommitRules { sign, sign_off, change_id, subject, assisted_by } = &s.commit;
    vec![
        row("commit.sign", sign.map_or_else(|| json!("as git's commit.gpgsign"), |sign| json!(sign))),
        row("commit.signOff", *sign_off),
        row("commit.changeId", *change_id),
        row("commit.subject", subject.as_str()),
        row("commit.assistedBy", *assisted_by),
    ]
}

fn limits(s: &Settings) -> Rows {
    vec![
        row("limits.outputBytes", s.limits.output_bytes),
        row("limits.logBytes", s.limits.log_bytes),
        row("limits.memoryBytes", json!(s.limits.memory_bytes)),
        row("limits.processes", json!(s.limits.processes)),
        row("limits.fileBytes", json!(s.limits.file_bytes)),
        row("limits.diskFreeBytes", s.limits.disk_free_bytes),
        row("sandbox.network", json!(s.sandbox.network)),
        row("sandbox.require", s.sandbox.require),
        row("sandbox.readOnly", json!(s.sandbox.read_only)),
        row("sandbox.caches", json!(s.sandbox.caches)),
        row("sandbox.env", json!(s.sandbox.env)),
        row("slots.dir", json!(s.slots_dir)),
        row("host.pin", json!(s.host.pin)),
        row("host.maxWaitSeconds", s.host.max_wait_s),
        row("ideas.closeAfter", json!(s.ideas.close_after)),
    ]
}
