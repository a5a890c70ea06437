//! Folds a session's journal into what resume, log and status need: a pure, streaming pass in bounded memory.
//!
//! Feed every record in order: [`SessionState::apply`] for the types that [`wants`] names, with the event read, and
//! [`SessionState::pass_over`] for the others, whose payload need not be parsed. Time and counts are functions of
//! what was folded and are stored nowhere else.

mod again;
mod clock;
mod experiment;
mod imported;
mod session;
mod sources;

#[cfg(test)]
mod tests;

pub use experiment::{EffectSummary, ExperimentRecord, FlagSet, Unfinished};
pub use imported::{ImportedHistory, ImportedRecord};
pub use session::{Epoch, Revert, SameCheck, SessionState, wants};
pub use sources::{PATIENCE, SourceState};
