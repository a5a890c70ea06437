//! (module in work: ideas)
