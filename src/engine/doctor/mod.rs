//! The doctor: everything that a session needs, looked at before a night is spent on it. Prints nothing.
//!
//! One file for each group of checks. [`examine_repository`] needs a repository only, the others need settings too;
//! [`rehearse`] builds and measures the base in two slots of its own, so that a running session is not disturbed and no
//! branch is made.

mod arms;
mod commands;
mod config;
mod finding;
mod inventory;
mod machine;
mod missing;
mod noise;
mod rehearsal;
mod remedy;
mod repository;
mod signing;
mod steps;

pub use commands::{HookTrouble, examine_commands, hook_troubles};
pub use config::examine_config;
pub use finding::{Finding, Group, Report, Verdict, exit_code};
pub use machine::examine_machine;
pub use rehearsal::{Rehearsed, rehearse};
pub use repository::{examine_branch, examine_repository};
pub use signing::examine_signing;
