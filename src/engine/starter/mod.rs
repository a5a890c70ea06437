//! The starting set that `autoresearch init` writes: detection of the ecosystem, and config, bench, checks and ideas for it.
//!
//! Only the file system is read; nothing is run. What is proposed works at once where a benchmark or a test suite
//! was found, and fails with a clear message where nothing is known: no made-up number is ever measured.

mod bundler;
mod cargo;
mod cmake;
mod config_file;
mod detect;
mod existing;
mod golang;
mod make;
mod node;
mod plan;
mod proposal;
mod python;
mod scripts;
mod texts;
mod toml_lines;
mod tree;
mod write;

pub use detect::Ecosystem;
pub use existing::{OldKeeps, propose_existing};
pub use proposal::{Starter, StarterError, StarterFile, propose};
pub use write::write;

#[cfg(test)]
mod tests;
