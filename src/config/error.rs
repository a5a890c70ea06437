//! What can be wrong with a configuration, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::discover::FILE_NAME;

/// Says where a setting was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the config file; lines and columns count from 1, columns in bytes.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// In this environment variable.
    Environment(&'static str),
    /// In this command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// Says why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no config file.
    #[error(
        "no {FILE_NAME} in {} or in a folder above it up to {}; {}",
        start.display(), root.display(), cure(experiments)
    )]
    NotFound {
        /// Where the search began.
        start: PathBuf,
        /// The repository root, where it ended.
        root: PathBuf,
        /// The experiments of the repository, each with a config of its own.
        experiments: Vec<String>,
    },
    /// There is no experiment of this name.
    #[error("there is no experiment '{name}' with a {FILE_NAME} in {}; {}", folder.display(), listed(known))]
    NoExperiment {
        /// The name.
        name: String,
        /// Where experiments are.
        folder: PathBuf,
        /// The names of those that there are.
        known: Vec<String>,
    },
    /// The config file, or the folder that it is in, cannot be read.
    #[error("cannot read the configuration {}: {source}; name a readable UTF-8 file", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The config file is not inside the repository.
    #[error("{} is outside the repository {}; a configuration lives in the repository that it is about", path.display(), root.display())]
    Outside {
        /// The config file.
        path: PathBuf,
        /// The repository root.
        root: PathBuf,
    },
    /// The file is not JSON.
    #[error("{place}: not valid JSON: {source}")]
    Syntax {
        /// Where reading stopped.
        place: Place,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A key that does not exist.
    #[error("{place}: unknown key '{key}'{}", hint(nearest.as_deref()))]
    UnknownKey {
        /// Where it stands.
        place: Place,
        /// Its full path.
        key: String,
        /// The full path of the known key that was most likely meant.
        nearest: Option<String>,
    },
    /// A key that was given twice.
    #[error("{place}: key '{key}' is there twice; delete one of the two")]
    DuplicateKey {
        /// Where the second one stands.
        place: Place,
        /// Its full path.
        key: String,
    },
    /// A value of the wrong type, or a word that the key does not know.
    #[error("{place}: '{key}' has a value of the wrong kind: {source}")]
    Type {
        /// Where its value stands.
        place: Place,
        /// The key's full path.
        key: String,
        /// What was expected.
        source: serde_json::Error,
    },
    /// A required key is missing.
    #[error("{}: the required key '{key}' is missing", path.display())]
    Missing {
        /// The config file.
        path: PathBuf,
        /// Its full path.
        key: String,
    },
    /// A value that cannot be used.
    #[error("{place}: '{key}' {problem}")]
    Invalid {
        /// Where it stands.
        place: Place,
        /// The key's full path.
        key: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean '{key}'?"))
}

/// Says what is wrong with one value; reads as a sentence after the key.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Nothing where something is needed.
    #[error("is empty")]
    Empty,
    /// A text with a NUL character, which no command or path can hold.
    #[error("contains a NUL character")]
    Nul,
    /// A number that must be above zero.
    #[error("is {0}, but must be above 0")]
    NotPositive(f64),
    /// A number that must not be below zero.
    #[error("is {0}, but must be 0 or more")]
    Negative(f64),
    /// A number outside its range.
    #[error("is {value}, but must be from {low} to {high}")]
    OutOfRange {
        /// The number.
        value: f64,
        /// The smallest that is allowed.
        low: f64,
        /// The largest that is allowed.
        high: f64,
    },
    /// A relative effect of more than 100 %, most likely meant in percent.
    #[error("is {0}, which means {percent} % on the ratio scale; write {fraction} for {0} %", percent = .0 * 100.0, fraction = .0 / 100.0)]
    PercentMeant(f64),
    /// A linear metric without a size in its own unit.
    #[error("is missing, and the linear scale needs it, in the metric's own unit")]
    LinearNeeds,
    /// A sentinel that cannot fail.
    #[error("forbids nothing; give it one of tolerance, toleranceAbs, max, min, exact")]
    NoLimit,
    /// Limits that nothing can meet.
    #[error("has min {min} above max {max}")]
    MinAboveMax {
        /// The lower limit.
        min: f64,
        /// The upper limit.
        max: f64,
    },
    /// A metric in two roles.
    #[error("names '{name}', which is already used by '{other}'; a metric stands in one role")]
    TwoRoles {
        /// The metric.
        name: String,
        /// The key of its first role.
        other: String,
    },
    /// A text that cannot name a metric.
    #[error("is '{0}', but metric names hold letters, digits and _ . - / : % µ only")]
    MetricName(String),
    /// A name in `auto.` that is not measured.
    #[error("is '{0}', but the automatic metrics are {names}", names = super::check::AUTOMATIC.join(", "))]
    NotAutomatic(String),
    /// A function of metrics that does not exist, or of nothing.
    #[error(
        "is '{0}', but metrics are made of others only by geomean(glob) and worst(glob), such as geomean(query.*_ms)"
    )]
    Aggregate(String),
    /// A metric made of several on a scale that has no meaning for it.
    #[error("is linear, but {0} compares ratios; delete it, or use \"toleranceAbs\" for a limit in the unit")]
    AggregateLinear(String),
    /// A text that is no list of cores.
    #[error("is wrong: {0}")]
    Cores(#[from] crate::domain::CoreListError),
    /// A text that is no subject of a commit.
    #[error(transparent)]
    Subject(#[from] crate::domain::SubjectError),
    /// A text that is no time of day.
    #[error("is '{0}', but must be a time of day such as \"07:30\"")]
    NotTime(String),
    /// A session name that cannot be part of a folder and a branch name.
    #[error("is '{0}', but names hold letters, digits, '-', '_' and '.' only and begin with a letter or digit")]
    Name(String),
    /// A text that git does not take as a branch name.
    #[error("is '{0}', which git does not allow as a branch name")]
    Branch(String),
    /// A branch given with its ref prefix.
    #[error("is '{0}'; write the branch without 'refs/heads/'")]
    BranchWithRef(String),
    /// A revision that git would read as an option.
    #[error("is '{0}', which is not a revision")]
    Revision(String),
    /// A path that must be relative.
    #[error("is '{0}', but must be a relative path")]
    Absolute(String),
    /// A path that leaves the repository.
    #[error("is '{0}', which leaves the repository")]
    Escapes(String),
    /// A path that must be absolute.
    #[error("is '{0}', but must be an absolute path or begin with ~/")]
    NotAbsolute(String),
    /// A path in the home folder where there is none.
    #[error("is '{0}', but HOME is not set")]
    NoHome(String),
    /// A text that cannot name an environment variable.
    #[error("is '{0}', but environment variables are letters, digits and '_', not beginning with a digit")]
    Variable(String),
    /// A text of the environment that does not parse.
    #[error("is '{text}', but must be {expected}")]
    Unreadable {
        /// The text.
        text: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An entry of `candidates` that names no source, or several.
    #[error(
        "must name exactly one source: patches, commits, sweep or agent, such as {{ \"patches\": \"candidates\" }}"
    )]
    OneSource,
    /// A key that means nothing without another.
    #[error("is only for an entry with {0}; delete it")]
    OnlyWith(&'static str),
    /// A text that is no range of commits.
    #[error("is '{0}', but must be a range of commits such as \"main..perf-branch\"")]
    Range(String),
    /// An agent without a way to run it.
    #[error("needs a preset or a command")]
    NoAgent,
    /// A knob that is set nowhere, or in several places.
    #[error("must name exactly one place of the knob: file (with pattern), env or arg")]
    OneKnob,
    /// A sweep that describes one knob and lists others.
    #[error("describes a knob beside 'knobs'; move it into the list")]
    OneOrMany,
    /// Two knobs of one name.
    #[error("has two knobs named '{0}'; give one of them another 'name'")]
    SameKnob(String),
    /// One name of different knobs in two sweeps.
    #[error("has two sweeps with a knob '{0}' that is set in different places or has another default; rename one")]
    TwoPlaces(String),
    /// A grid that no night gets through.
    #[error(
        "is a grid of {points} combinations, and at most {most} are taken; use the strategy one-at-a-time or climb"
    )]
    LargeGrid {
        /// How many.
        points: usize,
        /// How many at most.
        most: usize,
    },
    /// A variable that is not the program's own.
    #[error("is '{0}', which the loop sets for every command itself")]
    TakenVariable(String),
    /// A text that cannot name a knob.
    #[error("is '{0}', but knobs are named with letters, digits and _ - . / : only; give it a 'name'")]
    KnobName(String),
    /// A value that no knob takes.
    #[error("has the value {0}, but the values of a knob are numbers, true, false, or texts of one line")]
    KnobValue(String),
    /// A value twice.
    #[error("has the value '{0}' twice")]
    SameValue(String),
    /// More values than a sweep takes.
    #[error("has more than {most} values, which is no sweep")]
    TooMany {
        /// How many at most.
        most: usize,
    },
    /// A range that goes down.
    #[error("has 'to' {to} below 'from' {from}; swap them")]
    RangeEnds {
        /// The first value.
        from: f64,
        /// The last value.
        to: f64,
    },
    /// A range that does not move.
    #[error("has the step {0}, but must have one above 0")]
    Step(f64),
    /// A geometric range that does not move.
    #[error("has the factor {0}, but must have one above 1")]
    Factor(f64),
    /// A geometric range that cannot start.
    #[error("has 'from' {0}, but must have one above 0")]
    LogFrom(f64),
    /// No values, or several lists of them.
    #[error("must be given once: as values, range or logRange")]
    OneList,
    /// A pattern that does not compile.
    #[error("is no regular expression: {0}")]
    Pattern(String),
    /// A pattern without a value, or with several.
    #[error("has {0} capture groups, but exactly one must hold the value; write (?:...) for others")]
    Captures(usize),
    /// An argument without a place for the value.
    #[error("is '{0}', but must hold {{value}} once, such as \"--threads {{value}}\"")]
    Template(String),
    /// A climb from an unknown place.
    #[error("needs 'default', the value that the program takes where the knob is not set, for the climb to start from")]
    ClimbFrom,
}
/// Says what to do where no config is found.
fn cure(experiments: &[String]) -> String {
    if experiments.is_empty() {
        "'autoresearch init' writes one".to_owned()
    } else {
        format!("name one of its experiments with '--experiment NAME': {}", experiments.join(", "))
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "there are none".to_owned() } else { format!("there are: {}", known.join(", ")) }
}
