//! Other tools' logs and configs, read into a session of their own; and a session written as others can read it.
//!
//! [`read_log`] takes any log of the field apart: each line becomes a run, begins a segment, is known to say nothing of a
//! run, or is listed with the reason why it could not be understood. [`record`] writes that into a journal. Nothing of it
//! was measured here, so none of it is an experiment of the session or a keep of its branch. [`existing`] finds what
//! another tool left in a checkout. [`export`] writes sessions as plain lines, as CSV, and as a copy for committing.

mod error;
pub mod existing;
pub mod export;
mod fields;
mod json;
mod log;
mod record;
mod table;

#[cfg(test)]
mod tests;

pub use error::ImportError;
pub use log::{Log, Start, read_log};
pub use record::{Source, record};
