//! One finished run: its output files become a reading, or the reason why they are none.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::parse::{Parsed, Samples, parse};
use super::plan::{MetricPlan, Wanted};
use crate::domain::{MetricName, Reading, Reason, Reduce, Usage};

/// Says why a run's output could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The file system refused.
    #[error("cannot read the bench output {}: {source}; was it removed while the session ran?", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The files of one finished run.
#[derive(Debug, Clone, Copy)]
pub struct RunFiles<'a> {
    /// Standard output.
    pub stdout: &'a Path,
    /// Standard error.
    pub stderr: &'a Path,
    /// The file named by `$AUTORESEARCH_METRICS` under `bench.metricsFile`: then metrics come from it alone, and
    /// invariants from it too. A file that was never written says nothing.
    pub metrics_file: Option<&'a Path>,
}

/// One of a run's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The metrics file.
    MetricsFile,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::MetricsFile => "metrics file",
        })
    }
}

/// A line of a run's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub stream: Stream,
    /// The line's number, from 1.
    pub line: u64,
    /// The line, cut at 200 bytes.
    pub text: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}: '{}'", self.stream, self.line, self.text.escape_debug())
    }
}

/// What is wrong with a metric that was printed.
#[derive(Debug, Clone, PartialEq)]
pub enum InvalidValue {
    /// A line does not parse.
    Line {
        /// Where.
        place: Place,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The number of lines is not that of the calibration.
    Lines {
        /// Lines printed.
        printed: u64,
        /// Lines of each run at calibration.
        calibrated: u32,
    },
    /// The value is zero or less and its logarithm is to be compared.
    NotPositive(f64),
    /// The lines of the run do not reduce to a finite number.
    NotFinite,
    /// There are more lines than are kept.
    TooMany(u64),
}

/// Why a run that exited well is no measurement.
#[derive(Debug, Clone, PartialEq)]
pub enum RunFailure {
    /// The primary or a sentinel was not printed.
    MetricMissing {
        /// Its name, or the glob that nothing matches.
        name: String,
    },
    /// The primary or a sentinel was printed, and is no number that can be compared.
    MetricInvalid {
        /// Its name.
        name: MetricName,
        /// What is wrong.
        value: InvalidValue,
    },
}

impl RunFailure {
    /// Returns the reason that an experiment dropped for it has.
    pub fn reason(&self) -> Reason {
        match self {
            Self::MetricMissing { .. } => Reason::MetricMissing,
            Self::MetricInvalid { .. } => Reason::MetricInvalid,
        }
    }
}

impl fmt::Display for RunFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MetricMissing { name } => write!(f, "the bench printed no line 'METRIC {name}=<number>'"),
            Self::MetricInvalid { name, value } => match value {
                InvalidValue::Line { place, why } => write!(f, "{name}: {why} ({place})"),
                InvalidValue::Lines { printed, calibrated } => {
                    write!(f, "{name}: {printed} lines in this run, {calibrated} at calibration")
                }
                InvalidValue::NotPositive(value) => {
                    write!(f, "{name}: {value} is not above zero; set scale to linear if it may be so")
                }
                InvalidValue::NotFinite => write!(f, "{name}: its lines do not reduce to a finite number"),
                InvalidValue::TooMany(count) => write!(f, "{name}: {count} lines in one run are too many"),
            },
        }
    }
}

/// A line that looks like a metric or an invariant, is none, and concerns no role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunWarning {
    /// Where.
    pub place: Place,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for RunWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

/// What one finished run said.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReading {
    /// The values, or why there are none.
    pub outcome: Result<Reading, RunFailure>,
    /// Lines of each metric that has a role, for [`MetricPlan::fixed_by`]; empty when the run failed.
    pub lines: BTreeMap<MetricName, u32>,
    /// Lines that concern no role; the first 32 of each file.
    pub warnings: Vec<RunWarning>,
}

/// Reads the files of a run that exited with code 0, adds the automatic metrics, and judges it by the plan.
///
/// stdout is read before stderr. Metrics without a role are reduced by their median.
pub fn read_run(files: RunFiles<'_>, usage: &Usage, plan: &MetricPlan) -> Result<RunReading, MeasureError> {
    let mut run = Run::default();
    let metrics_in = |stream| files.metrics_file.is_none() == (stream != Stream::MetricsFile);
    run.take(Stream::Stdout, parse_file(files.stdout)?, metrics_in(Stream::Stdout), plan);
    run.take(Stream::Stderr, parse_file(files.stderr)?, metrics_in(Stream::Stderr), plan);
    if let Some(path) = files.metrics_file {
        // A pipe or a link that stands there instead was never written as a file, and reading it might not end.
        let is_file = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
        let parsed = if is_file { parse_file(path)? } else { Parsed::default() };
        run.take(Stream::MetricsFile, parsed, true, plan);
    }
    run.add_automatic(usage);
    Ok(run.judge(plan))
}

/// Returns the CPU time that a run used, in seconds (`auto.cpu_s`).
pub fn cpu_seconds(reading: &Reading) -> Option<f64> {
    reading.metrics.iter().find(|(name, _)| name.as_str() == "auto.cpu_s").map(|(_, seconds)| *seconds)
}

/// Returns the metric that a finished run's output names first, stdout before stderr.
pub fn first_metric(stdout: &Path, stderr: &Path) -> Result<Option<MetricName>, MeasureError> {
    match parse_file(stdout)?.first {
        Some(first) => Ok(Some(first)),
        None => Ok(parse_file(stderr)?.first),
    }
}

fn parse_file(path: &Path) -> Result<Parsed, MeasureError> {
    File::open(path).and_then(parse).map_err(|source| MeasureError::Read { path: path.to_owned(), source })
}

#[derive(Default)]
struct Run {
    samples: BTreeMap<MetricName, Samples>,
    invariants: Vec<String>,
    failure: Option<RunFailure>,
    warnings: Vec<RunWarning>,
}

impl Run {
    fn take(&mut self, stream: Stream, parsed: Parsed, metrics: bool, plan: &MetricPlan) {
        self.invariants.extend(parsed.invariants.into_lines());
        let warnings = parsed.warnings.into_iter().map(|warning| RunWarning {
            place: Place { stream, line: warning.line, text: warning.text },
            why: warning.why,
        });
        self.warnings.extend(warnings);
        if !metrics {
            return;
        }
        for (name, mut samples) in parsed.samples {
            let all = self.samples.entry(name).or_default();
            all.values.append(&mut samples.values);
            all.count += samples.count;
        }
        let mut invalid: Vec<_> = parsed.invalid.into_iter().collect();
        invalid.sort_by_key(|(_, invalid)| invalid.line);
        for (name, invalid) in invalid {
            let place = Place { stream, line: invalid.line, text: invalid.text };
            if name.is_automatic() || plan.has_role(&name) {
                let value = InvalidValue::Line { place, why: invalid.why };
                self.failure.get_or_insert(RunFailure::MetricInvalid { name, value });
            } else {
                self.warnings.push(RunWarning { place, why: invalid.why });
            }
        }
    }

    fn add_automatic(&mut self, usage: &Usage) {
        let values = [
            ("auto.wall_s", usage.wall_s),
            ("auto.user_s", usage.user_s),
            ("auto.sys_s", usage.sys_s),
            ("auto.cpu_s", usage.cpu_s()),
            ("auto.max_rss_bytes", usage.max_rss_bytes as f64),
        ];
        for (name, value) in values {
            if let Ok(name) = MetricName::new(name) {
                self.samples.insert(name, Samples { values: vec![value], count: 1 });
            }
        }
    }

    fn judge(mut self, plan: &MetricPlan) -> RunReading {
        let warnings = std::mem::take(&mut self.warnings);
        match self.values(plan) {
            Ok((metrics, lines)) => {
                RunReading { outcome: Ok(Reading { metrics, invariants: self.invariants }), lines, warnings }
            }
            Err(failure) => RunReading { outcome: Err(failure), lines: BTreeMap::new(), warnings },
        }
    }

    #[expect(clippy::type_complexity, reason = "two maps by metric, used once, next to their only caller")]
    fn values(
        &mut self,
        plan: &MetricPlan,
    ) -> Result<(BTreeMap<MetricName, f64>, BTreeMap<MetricName, u32>), RunFailure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let present: Vec<MetricName> = self.samples.keys().cloned().collect();
        let wanted = plan.wanted(&present).map_err(|name| RunFailure::MetricMissing { name: name.to_owned() })?;
        let median = |samples: &Samples| Reduce::Median.apply(&samples.values).filter(|v| v.is_finite());
        let mut metrics: BTreeMap<_, _> =
            self.samples.iter().filter_map(|(name, samples)| Some((name.clone(), median(samples)?))).collect();
        let mut lines = BTreeMap::new();
        for want in wanted {
            let missing = || RunFailure::MetricMissing { name: want.name.to_string() };
            let samples = self.samples.get(want.name).ok_or_else(missing)?;
            let value = value_of(want, samples)
                .map_err(|value| RunFailure::MetricInvalid { name: want.name.clone(), value })?;
            metrics.insert(want.name.clone(), value);
            lines.insert(want.name.clone(), u32::try_from(samples.count).unwrap_or(u32::MAX));
        }
        metrics.extend(plan.aggregates(&metrics));
        Ok((metrics, lines))
    }
}

fn value_of(want: Wanted<'_>, samples: &Samples) -> Result<f64, InvalidValue> {
    if let Some(calibrated) = want.lines.filter(|lines| u64::from(*lines) != samples.count) {
        return Err(InvalidValue::Lines { printed: samples.count, calibrated });
    }
    if samples.values.len() as u64 != samples.count {
        return Err(InvalidValue::TooMany(samples.count));
    }
    let value = want.reduce.apply(&samples.values).filter(|v| v.is_finite()).ok_or(InvalidValue::NotFinite)?;
    if want.positive && value <= 0.0 {
        return Err(InvalidValue::NotPositive(value));
    }
    Ok(value)
}
