//! (module in work: state)
