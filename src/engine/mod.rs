//! (module in work: engine)

pub mod habits;
