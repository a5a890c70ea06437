//! ideas.md: what is to be tried, what was tried, and what is closed; read, matched and edited in place.
//!
//! People own the file. The tool moves, marks and adds single entries and leaves every other byte as it was.

mod catalogue;
mod close;
mod comment;
mod edit;
mod error;
mod file;
mod matching;
mod reopen;

pub use catalogue::{Catalogue, Entry, Section, SectionKind};
pub use comment::{ClosedAxis, Comment, CommentProblem};
pub use edit::{Closing, Correction, Edit, Tried, apply};
pub use error::IdeasError;
pub use file::{Written, edit_file};
pub use matching::{Facts, Found, Keep, Match, Question, Why, match_proposal};
pub use reopen::Reopen;
