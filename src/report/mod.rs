//! (module in work: report)
