//! Candidates that try to win without being faster, or to do harm: each gets the verdict that it must get, and leaves
//! nothing that changes the verdict of the next.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support/mod.rs"]
mod support;

mod arms;
mod disk;
mod gate;
mod git;
mod numbers;
mod processes;
mod project;
