//! Reads what a bench run says, and runs one pair of the two arms.
//!
//! [`parse`] takes `METRIC` and `INVARIANT` lines out of any output in constant memory; a [`MetricPlan`] knows which
//! metrics have a role and turns a finished run's files into a [`crate::domain::Reading`] or the reason why the run is
//! none; [`run_pair`] runs the two arms in the order of the coin and says whose fault a failure is.

pub mod adapters;
mod grammar;
mod invariant;
mod pair;
mod parse;
mod plan;
mod run;
mod search;

#[cfg(test)]
mod tests;

pub use grammar::{Line, parse_line};
pub use invariant::{InvariantDifference, Invariants, invariant_difference};
pub use pair::{Bench, BenchFailure, NextPair, PairAttempt, VOIDS_MAX, VoidCount, run_pair};
pub use parse::{Invalid, Parsed, SAMPLES_MAX, Samples, Warning, parse};
pub use plan::{MetricPlan, PlanError, primary_label};
pub use run::{
    InvalidValue, MeasureError, Place, RunFailure, RunFiles, RunReading, RunWarning, Stream, cpu_seconds, first_metric,
    read_run,
};
