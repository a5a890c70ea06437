//! (module in work: git)
