//! (module in work: cli)
