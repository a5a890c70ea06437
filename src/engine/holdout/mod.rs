//! The holdout: a bench that candidates are not tuned to, asked of those about to be kept, and out of their sight.
//!
//! Its files are in no slot but while its command runs, its logs and figures are in the private state only, and commands
//! see neither the originals nor the journal where the machine can hide them. What a settled experiment, a kept commit or
//! a refusal says of it names no figure.

mod calibrate;
mod files;
mod run;
mod stage;

pub(super) use files::{HeldFiles, without_holdout};
pub(super) use run::HeldOut;
