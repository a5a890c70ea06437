//! Times folds.

fn main() {}
