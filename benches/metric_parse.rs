//! Times the METRIC parser.

fn main() {}
