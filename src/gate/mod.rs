//! Judges what a candidate touches, seals the harness, and knows the checks: all before anything of a candidate runs.
//!
//! A [`HarnessSnapshot`] is taken once from the user's checkout; a [`ScopeRules`] is compiled from the settings and the
//! snapshot and judges the whole change of a candidate.

mod builtin;
mod error;
mod glob;
mod holdout;
mod inventory;
mod scope;
mod snapshot;
mod words;

#[cfg(test)]
mod tests;

pub use builtin::{BUILT_IN, SealedRule};
pub use error::GateError;
pub use holdout::{held_outside, relocated};
pub use inventory::{CheckOutput, JunitFiles, LostTest, TestInventory, TestName, Times, read_inventory};
pub use scope::{ChangedPath, Refusal, ScopeRules};
pub use snapshot::{HarnessChange, HarnessFile, HarnessSnapshot, SealReason};
