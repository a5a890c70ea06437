//! (module in work: config)
