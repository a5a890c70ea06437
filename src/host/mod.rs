//! (module in work: host)
