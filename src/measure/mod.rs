//! (module in work: measure)
