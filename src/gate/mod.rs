//! (module in work: gate)
