//! ideas.md: what is to be tried, what was tried, and what is closed; read, matched and edited in place.
//!
//! People own the file. The tool moves, marks and adds single entries and leaves every other byte as it was.

mod catalogue;
mod closing;
mod comment;
mod edit;
mod error;
mod file;
mod lint;
mod matching;
mod naming;
mod placing;
mod reopen;
mod search;
mod settled;
mod trying;

#[cfg(test)]
mod real_files;

pub use catalogue::{Catalogue, Entry, Section, SectionKind};
pub use closing::{Addition, Closing, Reopening};
pub use comment::{ClosedAxis, Comment, CommentProblem};
pub use edit::{Edit, apply};
pub use error::IdeasError;
pub use file::{Written, edit_file, edit_or_make};
pub use lint::{Finding, LintFacts, LintRule, NamedIdea, lint};
pub use matching::{Facts, Found, Keep, Match, Question, Why, is_reopened, match_proposal};
pub use naming::new_id;
pub use reopen::{BY_A_PERSON, CONDITIONS, Reopen, Standing};
pub use search::search;
pub use settled::FileChange;
pub use trying::{Correction, Tried};
