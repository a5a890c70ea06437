//! The held-out bench: a part of the config, or a file of its own that lies anywhere.

use std::path::{Path, PathBuf};

use crate::domain::{Holdout, Sentinel};

use super::check;
use super::commands;
use super::file::HoldoutFile;
use super::resolve::Context;
use super::schema;
use super::source::Source;
use super::{ConfigError, Problem};

/// What `--holdout` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldoutFlag {
    /// The holdout of this file, an object as the config's `holdout`.
    File(PathBuf),
    /// None, whatever the config says.
    Without,
}

/// Resolves the holdout: what the flag says, else that of the config.
pub(super) fn resolve(
    context: &Context,
    written: Option<&HoldoutFile>,
    flag: Option<&HoldoutFlag>,
) -> Result<Option<Holdout>, ConfigError> {
    match flag {
        Some(HoldoutFlag::Without) => Ok(None),
        Some(HoldoutFlag::File(path)) => read(path).map(Some),
        None => written.map(|file| of(context, "holdout.", file)).transpose(),
    }
}

/// Reads a holdout from a file of its own.
fn read(path: &Path) -> Result<Holdout, ConfigError> {
    let path = path.canonicalize().map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let (source, value) = Source::read(&path)?;
    let written: HoldoutFile = source.parse_as(&value, &schema::of::<HoldoutFile>())?;
    let holdout = of(&Context::alone(source), "", &written)?;
    Ok(Holdout { file: Some(path), ..holdout })
}

fn of(context: &Context, above: &str, file: &HoldoutFile) -> Result<Holdout, ConfigError> {
    let key = |name: &str| format!("{above}{name}");
    Ok(Holdout {
        command: commands::command(context, &key("command"), file.command.as_ref())?,
        timeout: commands::timeout(context, &key("timeoutSeconds"), file.timeout_seconds)?,
        files: context.each(&key("files"), file.files.as_ref(), check::glob)?,
        metrics: metrics(context, &key("metrics"), file)?,
        file: None,
    })
}

fn metrics(context: &Context, key: &str, file: &HoldoutFile) -> Result<Vec<Sentinel>, ConfigError> {
    let files = context.required(key, file.metrics.as_ref())?;
    context.check(key, if files.is_empty() { Err(Problem::Empty) } else { Ok(()) })?;
    let mut all: Vec<Sentinel> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let path = format!("{key}[{index}]");
        let metric = context.sentinel(&path, file)?;
        let same = all.iter().position(|other| other.pattern == metric.pattern);
        let twice =
            same.map(|first| Problem::TwoRoles { name: metric.pattern.clone(), other: format!("{key}[{first}]") });
        context.check(&format!("{path}.name"), twice.map_or(Ok(()), Err))?;
        all.push(metric);
    }
    Ok(all)
}
