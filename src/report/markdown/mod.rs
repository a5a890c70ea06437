//! The report as a pull request's body: headline numbers, what changed, methodology, safety, what did not work.

mod body;
mod escape;
mod safety;

pub use body::body;
