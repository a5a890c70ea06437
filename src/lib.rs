//! Runs performance experiments on a git repository, unattended, and keeps only what is true.
//!
//! A candidate patch is applied, built, measured against the current best in interleaved pairs, passed through a
//! correctness gate, and committed or dropped by a decision rule that knows about noise. Every step is an event in
//! an append-only journal, and everything shown is a fold over it. The modules import one way only; the table
//! stands in `tests/layers.rs`.

pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod gate;
pub mod git;
pub mod host;
pub mod ideas;
pub mod import;
pub mod journal;
pub mod measure;
pub mod policy;
pub mod process;
pub mod propose;
pub mod report;
pub mod state;
pub mod stats;
