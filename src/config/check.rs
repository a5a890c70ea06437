//! Checks of single values: names, paths, times and ranges.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::{Aggregate, Command, MetricName, Scale};

use super::Problem;

/// The metrics that need no line of the bench (FORMATS section 1).
pub(super) const AUTOMATIC: [&str; 6] =
    ["auto.wall_s", "auto.user_s", "auto.sys_s", "auto.cpu_s", "auto.max_rss_bytes", "auto.tree_rss_bytes"];

/// The longest time limit, in seconds: a year.
pub(super) const YEAR_S: f64 = 31_536_000.0;

pub(super) fn text(text: &str) -> Result<String, Problem> {
    match text {
        t if t.trim().is_empty() => Err(Problem::Empty),
        t if t.contains('\0') => Err(Problem::Nul),
        t => Ok(t.to_owned()),
    }
}

pub(super) fn command(command: &Command) -> Result<Command, Problem> {
    let first = match command {
        Command::Shell(line) => line,
        Command::Argv(argv) => argv.first().ok_or(Problem::Empty)?,
    };
    text(first)?;
    if command.argv().iter().any(|word| word.contains('\0')) { Err(Problem::Nul) } else { Ok(command.clone()) }
}

pub(super) fn positive(value: f64) -> Result<f64, Problem> {
    if value > 0.0 { Ok(value) } else { Err(Problem::NotPositive(value)) }
}

pub(super) fn not_negative(value: f64) -> Result<f64, Problem> {
    if value >= 0.0 { Ok(value) } else { Err(Problem::Negative(value)) }
}

pub(super) fn within(value: f64, low: f64, high: f64) -> Result<f64, Problem> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(Problem::OutOfRange { value, low, high }) }
}

pub(super) fn count(value: u32, low: u32, high: u32) -> Result<u32, Problem> {
    within(f64::from(value), f64::from(low), f64::from(high)).map(|_| value)
}

pub(super) fn seconds(value: f64) -> Result<f64, Problem> {
    positive(value).and_then(|s| within(s, 0.0, YEAR_S))
}

pub(super) fn metric_name(name: &str) -> Result<MetricName, Problem> {
    if name.contains(['(', ')']) {
        return aggregate(name);
    }
    let checked = MetricName::new(name).map_err(|error| Problem::MetricName(error.0))?;
    known_automatic(name)?;
    Ok(checked)
}

/// Checks a sentinel's name or glob; whether the glob compiles is for its owner to say.
pub(super) fn metric_pattern(pattern: &str) -> Result<String, Problem> {
    if pattern.contains(['(', ')']) {
        return aggregate(pattern).map(|name| name.as_str().to_owned());
    }
    let allowed = |c| MetricName::allows(c) || is_glob(c);
    if pattern.is_empty() || !pattern.chars().all(allowed) {
        return Err(Problem::MetricName(pattern.to_owned()));
    }
    if !pattern.chars().any(is_glob) {
        known_automatic(pattern)?;
    }
    Ok(pattern.replace('\u{b5}', "\u{3bc}"))
}

fn is_glob(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '!')
}

/// Checks `geomean(glob)` and `worst(glob)`.
fn aggregate(name: &str) -> Result<MetricName, Problem> {
    let (_, glob) = Aggregate::split(name).ok_or_else(|| Problem::Aggregate(name.to_owned()))?;
    if !glob.contains(['*', '?']) {
        known_automatic(glob)?;
    }
    MetricName::new(name).map_err(|error| Problem::MetricName(error.0))
}

/// Refuses an aggregate on the linear scale: a suite is compared by ratios, whatever the sizes of its metrics.
pub(super) fn aggregate_scale(name: &MetricName, scale: Scale) -> Result<(), Problem> {
    match (name.aggregate(), scale) {
        (Some(_), Scale::Linear) => Err(Problem::AggregateLinear(name.to_string())),
        (Some(_), Scale::Ratio) | (None, _) => Ok(()),
    }
}

fn known_automatic(name: &str) -> Result<(), Problem> {
    if name.starts_with("auto.") && !AUTOMATIC.contains(&name) {
        return Err(Problem::NotAutomatic(name.to_owned()));
    }
    Ok(())
}

/// Checks a session name, which becomes a folder and part of a branch.
pub(super) fn session_name(name: &str) -> Result<String, Problem> {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = name.starts_with(char::is_alphanumeric) && name.chars().all(inner) && branch(name).is_ok();
    if good { Ok(name.to_owned()) } else { Err(Problem::Name(name.to_owned())) }
}

/// Makes a session name of a folder's: whatever a name cannot hold becomes `-`.
pub(super) fn name_of_folder(folder: &str) -> Option<String> {
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let mapped: String = folder.chars().map(keep).collect();
    let name = mapped.trim_matches(|c: char| !c.is_alphanumeric());
    session_name(name).ok()
}

/// Checks a branch name as `git check-ref-format --branch` does.
pub(super) fn branch(name: &str) -> Result<String, Problem> {
    if name.starts_with("refs/") {
        return Err(Problem::BranchWithRef(name.to_owned()));
    }
    let forbidden = |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let bad_part = |part: &str| {
        let lock = part.len() >= 5 && part.is_char_boundary(part.len() - 5) && &part[part.len() - 5..] == ".lock";
        part.is_empty() || part.starts_with('.') || lock
    };
    let bad = name.starts_with('-')
        || matches!(name, "HEAD" | "@")
        || name.ends_with('.')
        || name.contains("..")
        || name.contains("@{")
        || name.chars().any(forbidden)
        || name.split('/').any(bad_part);
    if bad { Err(Problem::Branch(name.to_owned())) } else { Ok(name.to_owned()) }
}

pub(super) fn revision(name: &str) -> Result<String, Problem> {
    text(name)?;
    if name.starts_with('-') || name.chars().any(char::is_control) {
        return Err(Problem::Revision(name.to_owned()));
    }
    Ok(name.to_owned())
}

/// Checks a local time of day, `HH:MM`.
pub(super) fn time_of_day(text: &str) -> Result<String, Problem> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes.get(range).filter(|d| d.iter().all(u8::is_ascii_digit));
    let good = bytes.len() == 5
        && bytes[2] == b':'
        && digits(0..2).is_some_and(|hour| hour <= b"23".as_slice())
        && digits(3..5).is_some_and(|minute| minute <= b"59".as_slice());
    if good { Ok(text.to_owned()) } else { Err(Problem::NotTime(text.to_owned())) }
}

/// Resolves a path against a folder, both relative to the repository root, and keeps it inside the repository.
pub(super) fn inside(folder: &str, path: &str) -> Result<String, Problem> {
    text(path)?;
    if path.starts_with(['/', '~']) {
        return Err(Problem::Absolute(path.to_owned()));
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(|| Problem::Escapes(path.to_owned()))?;
            }
            name => parts.push(name),
        }
    }
    Ok(parts.join("/"))
}

/// Checks a glob over paths of the repository: relative, and without `..`.
pub(super) fn glob(glob: &str) -> Result<String, Problem> {
    text(glob)?;
    if glob.starts_with(['/', '~']) {
        return Err(Problem::Absolute(glob.to_owned()));
    }
    if glob.split('/').any(|part| part == "..") {
        return Err(Problem::Escapes(glob.to_owned()));
    }
    Ok(glob.to_owned())
}

/// Checks a folder outside the repository: absolute, or `~/...`, kept as written.
pub(super) fn outer_folder(path: &str) -> Result<String, Problem> {
    text(path)?;
    if path.starts_with('/') || path.starts_with("~/") {
        return Ok(path.to_owned());
    }
    Err(Problem::NotAbsolute(path.to_owned()))
}

/// Resolves a folder outside the repository, `~/` by the HOME of the given environment.
pub(super) fn expanded(path: &str, env: &BTreeMap<String, String>) -> Result<PathBuf, Problem> {
    outer_folder(path)?;
    match path.strip_prefix("~/") {
        None => Ok(PathBuf::from(path)),
        Some(rest) => env
            .get("HOME")
            .filter(|home| home.starts_with('/'))
            .map(|home| PathBuf::from(home).join(rest))
            .ok_or_else(|| Problem::NoHome(path.to_owned())),
    }
}

pub(super) fn variable(name: &str) -> Result<String, Problem> {
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if good { Ok(name.to_owned()) } else { Err(Problem::Variable(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_climb_but_not_out_of_the_repository() {
        assert_eq!(inside("experiments/a", "../..").unwrap(), "");
        assert_eq!(inside("experiments/a", "./x//y/").unwrap(), "experiments/a/x/y");
        assert_eq!(inside("a", "../../x"), Err(Problem::Escapes("../../x".into())));
        assert_eq!(inside("", "/etc"), Err(Problem::Absolute("/etc".into())));
        assert_eq!(inside("", ""), Err(Problem::Empty));
        assert_eq!(glob("src/../../x"), Err(Problem::Escapes("src/../../x".into())));
        assert_eq!(glob("src/..x/**").unwrap(), "src/..x/**");
    }

    #[test]
    fn branch_names_are_those_that_git_takes() {
        for good in ["autoresearch/x", "a.b", "ü", "a@b"] {
            assert!(branch(good).is_ok(), "{good}");
        }
        for bad in
            ["", "-x", "a..b", "a b", "a/", "/a", "a//b", "a.lock", "a/.b", "HEAD", "@", "a@{b", "a~1", "a.", "a\u{7}"]
        {
            assert!(branch(bad).is_err(), "{bad}");
        }
        assert_eq!(branch("refs/heads/a"), Err(Problem::BranchWithRef("refs/heads/a".into())));
    }

    #[test]
    fn a_time_of_day_is_two_digits_colon_two_digits() {
        for good in ["00:00", "07:30", "23:59"] {
            assert!(time_of_day(good).is_ok(), "{good}");
        }
        for bad in ["24:00", "7:30", "07:60", "07-30", "0730", "", "07:3x", "é:00"] {
            assert!(time_of_day(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_folder_becomes_a_name_that_is_one() {
        assert_eq!(name_of_folder("My Project (2)").as_deref(), Some("My-Project--2"));
        assert_eq!(name_of_folder(".hidden").as_deref(), Some("hidden"));
        assert_eq!(name_of_folder("..."), None);
        assert!(session_name("a/b").is_err());
        assert!(session_name("x.lock").is_err());
    }

    #[test]
    fn metric_patterns_are_names_with_glob_signs() {
        assert_eq!(metric_pattern("query.*_\u{b5}s").unwrap(), "query.*_\u{3bc}s");
        assert!(metric_pattern("two words").is_err());
        assert_eq!(metric_pattern("worst(query.*_\u{b5}s)").unwrap(), "worst(query.*_\u{3bc}s)");
        for bad in ["median(query.*)", "geomean(query.*", "geomean()", "geomean(a b)", "worst(geomean(a))"] {
            assert_eq!(metric_pattern(bad), Err(Problem::Aggregate(bad.into())));
        }
        assert_eq!(metric_pattern("geomean(auto.rss)"), Err(Problem::NotAutomatic("auto.rss".into())));
        assert_eq!(metric_pattern("auto.rss"), Err(Problem::NotAutomatic("auto.rss".into())));
        assert!(metric_pattern("auto.*").is_ok());
    }
}
