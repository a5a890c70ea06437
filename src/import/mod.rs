//! (module in work: import)
