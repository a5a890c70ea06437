//! Candidates: where they come from, and how a patch file becomes a [`Proposal`](crate::domain::Proposal).

mod diff;
mod mail;
mod patch_file;
mod queue;
mod stillness;
mod trailers;

pub use patch_file::{PatchFileError, parse};
pub use queue::{Next, Queue, QueueError, QueueFile};
pub use stillness::Watched;
pub use trailers::TrailerError;
