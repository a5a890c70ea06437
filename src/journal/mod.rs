//! (module in work: journal)
