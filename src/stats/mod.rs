//! (module in work: stats)
