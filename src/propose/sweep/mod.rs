//! Knob sweeps: which point is tried next, when a knob is mapped, and how a knob's value is read and written.
//!
//! Everything here is a pure function of the knobs, of their values at the tip, and of what became of the points that
//! are settled. So a session that was interrupted goes on as if nothing had happened.
//!
//! A point that is settled stays settled, also where it was judged against an older tip: a sweep asks each question
//! once. What was no gain on an older tip may be one now; a person who wants to know starts a new session.

mod file;
mod map;
mod point;
mod setting;
mod strategy;
#[cfg(test)]
mod tests;
mod values;

pub use file::{KnobFileError, read_value, with_value};
pub use map::{Fate, Mapping, ValueFate, mapping};
pub use point::{Earlier, Ground, Outcome, Point, Settled, Values};
pub use setting::{Setting, set};
pub use strategy::{count, next, points};
pub use values::{KnobValues, KnobValuesError};
