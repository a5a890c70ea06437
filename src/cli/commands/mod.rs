//! The commands, one file each: `run(global, arguments, ui)` does what was asked and returns the exit code.

pub(super) mod bundle;
pub(super) mod calibrate;
pub(super) mod clean;
pub(super) mod compare;
pub(super) mod config;
pub(super) mod demo;
mod demo_table;
pub(super) mod doctor;
mod dry_run;
pub(super) mod export;
pub(super) mod import;
pub(super) mod init;
pub(super) mod log;
pub(super) mod manual;
pub(super) mod metrics;
pub(super) mod report;
pub(super) mod review;
pub(super) mod run;
pub(super) mod show;
pub(super) mod simulate;
mod simulate_journal;
mod simulate_table;
pub(super) mod status;
pub(super) mod stop;
pub(super) mod try_one;
pub(super) mod validate;
pub(super) mod verify;
