//! The commands of a config: prepare, build and bench.

use crate::domain::{Bench, Build, Prepare, TimeLimit};

use super::file::{BenchFile, BuildFile, CommandFile, PrepareFile};
use super::resolve::{Context, PREPARE_NETWORK, WARMUP};
use super::{ConfigError, check};

pub(super) fn prepare(context: &Context, file: Option<&PrepareFile>) -> Result<Option<Prepare>, ConfigError> {
    let Some(file) = file else { return Ok(None) };
    let path = |text: &str| context.path(text);
    Ok(Some(Prepare {
        command: command(context, "prepare.command", file.command.as_ref())?,
        timeout: timeout(context, "prepare.timeoutSeconds", file.timeout_seconds)?,
        network: file.network.unwrap_or(PREPARE_NETWORK),
        rerun_when: context.each("prepare.rerunWhen", file.rerun_when.as_ref(), path)?,
        copy: context.each("prepare.copy", file.copy.as_ref(), path)?,
    }))
}

pub(super) fn build(context: &Context, file: Option<&BuildFile>) -> Result<Option<Build>, ConfigError> {
    let Some(file) = file else { return Ok(None) };
    Ok(Some(Build {
        command: command(context, "build.command", file.command.as_ref())?,
        timeout: timeout(context, "build.timeoutSeconds", file.timeout_seconds)?,
        keep: context.each("build.keep", file.keep.as_ref(), |text| context.path(text))?,
        verify_clean: file.verify_clean.unwrap_or_default(),
    }))
}

pub(super) fn bench(context: &Context, file: &BenchFile) -> Result<Bench, ConfigError> {
    Ok(Bench {
        command: command(context, "bench.command", file.command.as_ref())?,
        timeout: timeout(context, "bench.timeoutSeconds", file.timeout_seconds)?,
        warmup: context.check("bench.warmup", check::count(file.warmup.unwrap_or(WARMUP), 0, 1000))?,
        metrics_file: file.metrics_file.unwrap_or_default(),
    })
}

/// Reads a time limit; one left out is learned at calibration.
pub(super) fn timeout(context: &Context, key: &str, seconds: Option<f64>) -> Result<TimeLimit, ConfigError> {
    match seconds {
        None => Ok(TimeLimit::Calibrated),
        Some(seconds) => context.check(key, check::seconds(seconds)).map(TimeLimit::Seconds),
    }
}

pub(super) fn command(
    context: &Context,
    key: &str,
    file: Option<&CommandFile>,
) -> Result<crate::domain::Command, ConfigError> {
    let command = context.required(key, file)?;
    context.check(key, check::command(&command.0))
}
