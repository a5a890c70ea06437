//! (module in work: process)
