//! Candidates: where they come from, and how a patch file becomes a [`Proposal`](crate::domain::Proposal).

pub mod agent;
mod claim;
mod commit;
mod diff;
mod mail;
mod patch_file;
mod queue;
mod range;
mod stillness;
pub mod sweep;
mod trailers;

pub use commit::of_commit;
pub use patch_file::{PatchFileError, parse};
pub use queue::{Next, Queue, QueueError, QueueFile};
pub use range::{Ends, Range, RangeError};
pub use stillness::Watched;
pub use trailers::TrailerError;
