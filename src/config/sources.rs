//! Candidate sources and hooks: as people write them, and resolved.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Agent, CandidateSource, CommitRange, Hooks, Knob, KnobCommand, KnobPlace, Strategy, Sweep};

use super::check;
use super::file::CommandFile;
use super::resolve::Context;
use super::{ConfigError, Problem};

pub(super) const AGENT_TIMEOUT_S: f64 = 1800.0;
pub(super) const AGENT_MAX_WAIT_S: f64 = 21_600.0;
/// Values of one knob; more would be no sweep but a night of its own.
const MOST_VALUES: usize = 1000;
/// Combinations of a grid.
const MOST_POINTS: usize = 10_000;
/// Variables that commands get from the loop, or that would let both arms build into one folder.
const TAKEN_VARIABLES: [&str; 7] =
    ["HOME", "PATH", "TMPDIR", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"];

/// One source of candidates; exactly one of its kinds.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object such as { \"patches\": \"candidates\" }")]
pub(super) struct CandidateFile {
    /// Folder, relative to this file's folder, of *.patch and *.diff files, taken in name order.
    pub(super) patches: Option<String>,
    /// A range of commits, base..branch: each commit is a candidate, oldest first.
    pub(super) commits: Option<String>,
    /// With commits: leave out sealed paths of a commit, where it would be refused otherwise.
    #[schemars(extend("default" = false))]
    pub(super) drop_sealed: Option<bool>,
    /// Values of one or more knobs of the program.
    pub(super) sweep: Option<SweepFile>,
    /// A program that proposes changes.
    pub(super) agent: Option<AgentFile>,
}

/// Values of one knob, or of several in knobs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", expecting = "an object with file and pattern, env or arg, and values")]
#[schemars(extend("additionalProperties" = false))]
pub(super) struct SweepFile {
    /// Several knobs; in place of one that is described here.
    pub(super) knobs: Option<Vec<KnobFile>>,
    /// Which points are tried: grid (every combination), one-at-a-time (every value of each knob), climb (the neighbours of the present values, moving on from kept ones).
    #[serde(default)]
    #[schemars(schema_with = "strategy", extend("default" = "grid"))]
    pub(super) strategy: Option<Strategy>,
    /// The only knob.
    #[serde(flatten)]
    pub(super) one: KnobFile,
}

/// One knob. Unknown keys are refused by the schema: the parser cannot, where this is a part of a sweep.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("additionalProperties" = false))]
pub(super) struct KnobFile {
    /// The knob's name, which becomes the axis of its candidates. Default: from pattern, env or arg.
    pub(super) name: Option<String>,
    /// A file, relative to this file's folder, that holds the value.
    pub(super) file: Option<String>,
    /// With file: a regular expression with one capture group, which is the value. It must match once.
    pub(super) pattern: Option<String>,
    /// An environment variable. A kept value stands in autoresearch.knobs.json beside this file, in the commit; commands see it from there.
    pub(super) env: Option<String>,
    /// An argument that is put behind the command, with {value} in it; several words are several arguments. A kept value is stored as that of env.
    pub(super) arg: Option<String>,
    /// With env or arg: of which command.
    #[serde(default)]
    #[schemars(schema_with = "command", extend("default" = "bench"))]
    pub(super) of: Option<KnobCommand>,
    /// The values, numbers or texts.
    pub(super) values: Option<Vec<Value>>,
    /// Values from `from` to `to` in steps of `step`.
    pub(super) range: Option<RangeFile>,
    /// Values from `from` to `to`, each `factor` times the one before.
    pub(super) log_range: Option<LogRangeFile>,
    /// With env or arg: the value that the program takes where it is not set.
    pub(super) default: Option<Value>,
}

/// An arithmetic range.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    expecting = "an object such as { \"from\": 1, \"to\": 8, \"step\": 1 }"
)]
pub(super) struct RangeFile {
    /// The first value.
    from: f64,
    /// The largest value.
    to: f64,
    /// The distance between two values.
    #[schemars(extend("exclusiveMinimum" = 0))]
    step: f64,
}

/// A geometric range.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    expecting = "an object such as { \"from\": 1, \"to\": 64, \"factor\": 2 }"
)]
pub(super) struct LogRangeFile {
    /// The first value, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    from: f64,
    /// The largest value.
    to: f64,
    /// The ratio of two neighbouring values, above 1.
    #[schemars(extend("exclusiveMinimum" = 1))]
    factor: f64,
}

/// A program that proposes changes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object such as { \"preset\": \"claude\" }")]
pub(super) struct AgentFile {
    /// A command line that is known by name: claude, codex, gemini, opencode, pi, aider.
    pub(super) preset: Option<String>,
    /// The command, with {prompt}, {context} and {worktree} for the paths of the prompt, the JSON context and the scratch worktree that it edits. Default: the preset's.
    pub(super) command: Option<CommandFile>,
    /// Time limit of one call in seconds.
    #[schemars(extend("default" = AGENT_TIMEOUT_S, "exclusiveMinimum" = 0))]
    pub(super) timeout_seconds: Option<f64>,
    /// Longest time in seconds to wait for an agent that is not available (limits of use, network, login).
    #[schemars(extend("default" = AGENT_MAX_WAIT_S, "minimum" = 0))]
    pub(super) max_wait_seconds: Option<f64>,
    /// Whether it may work on its next proposal while something is measured; it disturbs what is measured.
    #[schemars(extend("default" = false))]
    pub(super) while_measuring: Option<bool>,
}

/// Programs that run around each experiment, with JSON on standard input; 30 seconds each, outside the sandbox.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    expecting = "an object such as { \"after\": \"hooks/after.sh\" }"
)]
pub(super) struct HooksFile {
    /// Runs before each experiment, in this file's folder.
    pub(super) before: Option<CommandFile>,
    /// Runs after each experiment, in this file's folder.
    pub(super) after: Option<CommandFile>,
}

pub(super) fn hooks(context: &Context, file: &HooksFile) -> Result<Hooks, ConfigError> {
    let command = |key: &str, file: Option<&CommandFile>| {
        file.map(|command| context.check(key, check::command(&command.0))).transpose()
    };
    Ok(Hooks {
        before: command("hooks.before", file.before.as_ref())?,
        after: command("hooks.after", file.after.as_ref())?,
    })
}

pub(super) fn candidates(context: &Context, files: &[CandidateFile]) -> Result<Vec<CandidateSource>, ConfigError> {
    let all = files.iter().enumerate().map(|(index, file)| source(context, &format!("candidates[{index}]"), file));
    let all = all.collect::<Result<Vec<_>, _>>()?;
    match conflicting_knob(&all) {
        Some(name) => context.check("candidates", Err(Problem::TwoPlaces(name))),
        None => Ok(all),
    }
}

/// Returns the name that two sweeps give to different knobs, of which at least one is set for a command: a kept value
/// of it could be of either.
fn conflicting_knob(sources: &[CandidateSource]) -> Option<String> {
    let mut known: Vec<&Knob> = Vec::new();
    for source in sources {
        let CandidateSource::Sweep(sweep) = source else { continue };
        for knob in &sweep.knobs {
            let differs = |other: &Knob| (&other.place, &other.default) != (&knob.place, &knob.default);
            if known.iter().filter(|other| other.name == knob.name).any(|other| differs(other)) {
                return Some(knob.name.clone());
            }
            known.push(knob);
        }
    }
    None
}

fn source(context: &Context, key: &str, file: &CandidateFile) -> Result<CandidateSource, ConfigError> {
    let at = |name: &str| format!("{key}.{name}");
    if file.drop_sealed.is_some() && file.commits.is_none() {
        return context.check(&at("dropSealed"), Err(Problem::OnlyWith("commits")));
    }
    match (&file.patches, &file.commits, &file.sweep, &file.agent) {
        (Some(dir), None, None, None) => context.check(&at("patches"), context.path(dir)).map(CandidateSource::Patches),
        (None, Some(range), None, None) => {
            let range = context.check(&at("commits"), commit_range(range))?;
            let drop_sealed = file.drop_sealed.unwrap_or_default();
            Ok(CandidateSource::Commits(CommitRange { range, drop_sealed }))
        }
        (None, None, Some(sweep), None) => self::sweep(context, &at("sweep"), sweep).map(CandidateSource::Sweep),
        (None, None, None, Some(agent)) => self::agent(context, &at("agent"), agent).map(CandidateSource::Agent),
        _ => context.check(key, Err(Problem::OneSource)),
    }
}

/// Checks `base..branch`: two revisions, of which the second may be left out for HEAD.
fn commit_range(text: &str) -> Result<String, Problem> {
    check::revision(text)?;
    let (base, branch) = text.split_once("..").ok_or_else(|| Problem::Range(text.to_owned()))?;
    if base.is_empty() || branch.starts_with('.') || branch.contains("..") {
        return Err(Problem::Range(text.to_owned()));
    }
    Ok(text.to_owned())
}

fn agent(context: &Context, key: &str, file: &AgentFile) -> Result<Agent, ConfigError> {
    let at = |name: &str| format!("{key}.{name}");
    let preset = file.preset.as_deref().map(|name| context.check(&at("preset"), check::text(name))).transpose()?;
    let command = file.command.as_ref().map(|c| context.check(&at("command"), check::command(&c.0))).transpose()?;
    if preset.is_none() && command.is_none() {
        return context.check(key, Err(Problem::NoAgent));
    }
    let wait = file.max_wait_seconds.unwrap_or(AGENT_MAX_WAIT_S);
    Ok(Agent {
        preset,
        command,
        timeout_s: context
            .check(&at("timeoutSeconds"), check::seconds(file.timeout_seconds.unwrap_or(AGENT_TIMEOUT_S)))?,
        max_wait_s: context.check(&at("maxWaitSeconds"), check::within(wait, 0.0, check::YEAR_S))?,
        while_measuring: file.while_measuring.unwrap_or_default(),
    })
}

fn sweep(context: &Context, key: &str, file: &SweepFile) -> Result<Sweep, ConfigError> {
    let strategy = file.strategy.unwrap_or_default();
    let knobs = match &file.knobs {
        Some(_) if file.one != KnobFile::default() => return context.check(key, Err(Problem::OneOrMany)),
        Some(knobs) if knobs.is_empty() => return context.check(&format!("{key}.knobs"), Err(Problem::Empty)),
        Some(knobs) => knobs
            .iter()
            .enumerate()
            .map(|(index, file)| knob(context, &format!("{key}.knobs[{index}]"), file, strategy))
            .collect::<Result<Vec<_>, _>>()?,
        None => vec![knob(context, key, &file.one, strategy)?],
    };
    let mut names = std::collections::BTreeSet::new();
    if let Some(twice) = knobs.iter().find(|knob| !names.insert(knob.name.as_str())) {
        return context.check(key, Err(Problem::SameKnob(twice.name.clone())));
    }
    let combinations = knobs.iter().map(|knob| knob.values.len()).fold(1, usize::saturating_mul);
    if strategy == Strategy::Grid && combinations > MOST_POINTS {
        return context.check(key, Err(Problem::LargeGrid { points: combinations, most: MOST_POINTS }));
    }
    Ok(Sweep { knobs, strategy })
}

fn knob(context: &Context, key: &str, file: &KnobFile, strategy: Strategy) -> Result<Knob, ConfigError> {
    let at = |name: &str| format!("{key}.{name}");
    let of = file.of.unwrap_or_default();
    let (place, usual) = match (&file.file, &file.env, &file.arg) {
        (Some(path), None, None) => {
            let path = context.check(&at("file"), context.path(path))?;
            let pattern = context.required(&at("pattern"), file.pattern.as_ref())?;
            let usual = context.check(&at("pattern"), one_capture(pattern))?;
            (KnobPlace::File { file: path, pattern: pattern.clone() }, usual)
        }
        (None, Some(variable), None) => {
            let variable = context.check(&at("env"), free_variable(variable))?;
            (KnobPlace::Env { variable: variable.clone(), of }, variable)
        }
        (None, None, Some(template)) => {
            let usual = context.check(&at("arg"), argument(template))?;
            (KnobPlace::Arg { template: template.clone(), of }, usual)
        }
        _ => return context.check(key, Err(Problem::OneKnob)),
    };
    let in_file = matches!(place, KnobPlace::File { .. });
    for (given, name) in [(file.of.is_some(), "of"), (file.default.is_some(), "default")] {
        if given && in_file {
            return context.check(&at(name), Err(Problem::OnlyWith("env or arg")));
        }
    }
    if file.pattern.is_some() && !in_file {
        return context.check(&at("pattern"), Err(Problem::OnlyWith("file")));
    }
    let values = context.check(&values_key(key, file), values(file))?;
    let default = file.default.as_ref().map(|value| context.check(&at("default"), value_text(value))).transpose()?;
    if strategy == Strategy::Climb && !in_file && default.is_none() {
        return context.check(key, Err(Problem::ClimbFrom));
    }
    let name = context.check(&at("name"), knob_name(file.name.as_deref().unwrap_or(&usual)))?;
    Ok(Knob { name, place, values, default })
}

/// Checks the name of a variable that a knob may set.
fn free_variable(name: &str) -> Result<String, Problem> {
    let name = check::variable(name)?;
    if name.starts_with("AUTORESEARCH_") || TAKEN_VARIABLES.contains(&name.as_str()) {
        Err(Problem::TakenVariable(name))
    } else {
        Ok(name)
    }
}

fn values_key(key: &str, file: &KnobFile) -> String {
    let name = if file.range.is_some() {
        "range"
    } else if file.log_range.is_some() {
        "logRange"
    } else {
        "values"
    };
    format!("{key}.{name}")
}

/// Compiles a pattern, insists on one capture group, and finds a name in what stands before it.
fn one_capture(pattern: &str) -> Result<String, Problem> {
    let compiled = regex::Regex::new(pattern).map_err(|error| Problem::Pattern(error.to_string()))?;
    if compiled.captures_len() != 2 {
        return Err(Problem::Captures(compiled.captures_len() - 1));
    }
    let before = pattern.split('(').next().unwrap_or_default();
    let mut words = before.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| {
        word.starts_with(|c: char| c.is_alphabetic() || c == '_') && word.len() > 1 && !KEYWORDS.contains(word)
    });
    Ok(words.next().unwrap_or_default().to_owned())
}

/// Words before a value that name no knob.
const KEYWORDS: [&str; 16] = [
    "const",
    "static",
    "let",
    "var",
    "define",
    "usize",
    "int",
    "pub",
    "size_t",
    "final",
    "private",
    "public",
    "crate",
    "mut",
    "auto",
    "constexpr",
];

/// Checks an argument template, and takes the flag's name from it.
fn argument(template: &str) -> Result<String, Problem> {
    check::text(template)?;
    if template.matches("{value}").count() != 1 {
        return Err(Problem::Template(template.to_owned()));
    }
    let flag = template.split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default();
    Ok(flag.trim_start_matches('-').replace("{value}", ""))
}

fn knob_name(name: &str) -> Result<String, Problem> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
    if !name.is_empty() && name.chars().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err(Problem::KnobName(name.to_owned()))
    }
}

fn values(file: &KnobFile) -> Result<Vec<String>, Problem> {
    let values = match (&file.values, file.range, file.log_range) {
        (Some(values), None, None) => values.iter().map(value_text).collect::<Result<Vec<_>, _>>()?,
        (None, Some(range), None) => arithmetic(range)?,
        (None, None, Some(range)) => geometric(range)?,
        _ => return Err(Problem::OneList),
    };
    let mut seen = std::collections::BTreeSet::new();
    match values.iter().find(|value| !seen.insert(value.as_str())) {
        Some(twice) => Err(Problem::SameValue(twice.clone())),
        None if values.is_empty() => Err(Problem::Empty),
        None if values.len() > MOST_VALUES => Err(Problem::TooMany { most: MOST_VALUES }),
        None => Ok(values),
    }
}

fn value_text(value: &Value) -> Result<String, Problem> {
    let text = match value {
        Value::String(text) => check::text(text)?,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(Problem::KnobValue(value.to_string())),
    };
    // A value stands in a line `Axis: name=value`.
    if text.chars().any(char::is_control) { Err(Problem::KnobValue(text)) } else { Ok(text) }
}

fn arithmetic(RangeFile { from, to, step }: RangeFile) -> Result<Vec<String>, Problem> {
    check::positive(step).map_err(|_| Problem::Step(step))?;
    rises(from, to)?;
    points(to + step * 1e-9, |n| from + step * n)
}

fn geometric(LogRangeFile { from, to, factor }: LogRangeFile) -> Result<Vec<String>, Problem> {
    check::positive(from).map_err(|_| Problem::LogFrom(from))?;
    rises(from, to)?;
    check::positive(factor - 1.0).map_err(|_| Problem::Factor(factor))?;
    points(to * (1.0 + 1e-9), |n| from * factor.powf(n))
}

fn rises(from: f64, to: f64) -> Result<(), Problem> {
    if to >= from { Ok(()) } else { Err(Problem::RangeEnds { from, to }) }
}

/// Lists the points of a rising function up to `to`.
fn points(to: f64, at: impl Fn(f64) -> f64) -> Result<Vec<String>, Problem> {
    let points = (0..=MOST_VALUES).map(|n| at(n as f64)).take_while(|point| *point <= to);
    let points: Vec<String> = points.map(rounded).collect();
    if points.len() > MOST_VALUES { Err(Problem::TooMany { most: MOST_VALUES }) } else { Ok(points) }
}

/// Writes a point of a range: whole where it is whole, else with at most 12 significant digits.
fn rounded(value: f64) -> String {
    let text = format!("{value:.11e}");
    text.parse::<f64>().unwrap_or(value).to_string()
}

super::file::words! {
    strategy: Strategy::Grid, Strategy::OneAtATime, Strategy::Climb;
    command: KnobCommand::Build, KnobCommand::Bench;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_without_rounding_dust() {
        let range = |from, to, step| arithmetic(RangeFile { from, to, step }).unwrap().join(" ");
        assert_eq!(range(2.0, 10.0, 4.0), "2 6 10");
        assert_eq!(range(0.1, 0.5, 0.1), "0.1 0.2 0.3 0.4 0.5");
        assert_eq!(range(-1.0, 1.0, 3.0), "-1");
        let log = |from, to, factor| geometric(LogRangeFile { from, to, factor }).unwrap().join(" ");
        assert_eq!(log(1.0, 1024.0, 4.0), "1 4 16 64 256 1024");
        assert_eq!(log(3.0, 25.0, 2.0), "3 6 12 24");
        assert!(arithmetic(RangeFile { from: 0.0, to: 1.0, step: 1e-9 }).is_err());
        assert!(geometric(LogRangeFile { from: 1.0, to: 2.0, factor: 1.0 }).is_err());
    }

    #[test]
    fn a_knob_is_named_after_what_stands_before_its_value() {
        assert_eq!(one_capture(r"const BATCH: usize = (\d+)").unwrap(), "BATCH");
        assert_eq!(one_capture(r"l0_threshold\s*=\s*(\d+)").unwrap(), "l0_threshold");
        assert!(matches!(one_capture(r"(\d+)-(\d+)"), Err(Problem::Captures(2))));
        assert!(matches!(one_capture(r"(\d+"), Err(Problem::Pattern(_))));
        assert_eq!(argument("--threads={value}").unwrap(), "threads");
        assert!(argument("--threads").is_err());
    }

    #[test]
    fn a_range_of_commits_has_two_ends() {
        for good in ["main..perf", "main..", "v1.0..HEAD~2"] {
            assert!(commit_range(good).is_ok(), "{good}");
        }
        for bad in ["main", "main...perf", "..perf", "-x..y", "a..b..c"] {
            assert!(commit_range(bad).is_err(), "{bad}");
        }
    }
}
