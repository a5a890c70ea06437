//! (module in work: engine)
