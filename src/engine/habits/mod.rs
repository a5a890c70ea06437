//! Dangerous habits of bench scripts, found by reading their text: what turns a failure into a number.

mod find;
mod patterns;
mod script;

pub use find::{Habit, HabitKind, inspect};

#[cfg(test)]
mod tests;
