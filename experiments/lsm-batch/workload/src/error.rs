//! What can go wrong in the engine.

use std::fmt;

/// A failure of the engine or of the storage below it.
#[derive(Debug)]
pub enum Error {
    /// Stored bytes are not what was written; the text says which kind.
    Corrupt(&'static str),
    /// The simulated machine lost power.
    PowerLost,
    /// A sync id is not 27 base-62 digits below 2^160.
    BadSyncId,
}

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Corrupt(what) => write!(f, "corrupt {what}"),
            Error::PowerLost => write!(f, "power lost"),
            Error::BadSyncId => write!(f, "bad sync id"),
        }
    }
}

impl std::error::Error for Error {}
