//! Candidates: where they come from, and how a patch file becomes a [`Proposal`](crate::domain::Proposal).

pub mod agent;
mod diff;
mod mail;
mod patch_file;
mod queue;
mod trailers;

pub use patch_file::{PatchFileError, parse};
pub use queue::{Next, Queue, QueueError, QueueFile};
pub use trailers::TrailerError;
