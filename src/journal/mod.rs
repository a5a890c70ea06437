//! Keeps the journal: JSON Lines, append only, one writer, and the only truth about a session.
//!
//! The first line is the header; every other line is one event: `{"type":"pair","at":"2026-01-02T03:04:05Z",
//! "experiment":7,...}`. A line counts once its newline is there. Reading takes two steps: the envelope (type, time,
//! experiment) of every line, and the payload only of those that the caller asks for. Unknown types and keys are
//! passed over and stay in the file; another major format is refused; a torn last line is cut by the next writer and
//! reported; a bad line elsewhere is an error with its number.

mod error;
mod format;
mod lock;
mod reader;
pub mod sample;
mod writer;

#[cfg(test)]
mod tests;

pub use error::JournalError;
pub use format::{FORMAT, Header, encode, kind};
pub use lock::SessionLock;
pub use reader::{Position, Reader, Record, Records, TornTail};
pub use writer::Journal;
