//! The configuration: the file as written, checked and resolved into [`Settings`](crate::domain::Settings), each value with its origin.
//!
//! Two stages (the file with everything optional, then settings with every default filled in) over four layers:
//! default < file < environment < flag. Unknown keys, and keys of features that this version lacks, are refused.

mod check;
mod commands;
mod commit;
mod discover;
mod error;
mod file;
mod holdout;
mod layers;
mod nearest;
mod origin;
mod reference;
mod resolve;
mod schema;
mod source;
mod sources;
#[cfg(test)]
mod tests;

pub use discover::{FILE_NAME, discover, experiments, of_experiment};
pub use error::{ConfigError, Place, Problem};
pub use holdout::HoldoutFlag;
pub use layers::Overrides;
pub use origin::{Origin, Shown, changed_keys};
pub use reference::reference;
pub use resolve::{Resolved, load, place_of};
pub use schema::schema;
