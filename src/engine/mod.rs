//! (module in work: engine)

pub mod habits;
pub mod starter;
