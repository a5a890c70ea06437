//! Simulation of the decision rule: how often it errs, what it finds and what that costs, on noise good and bad.
//!
//! The rule that is simulated is the program's own: [`Race`](super::Race), [`Ring`](super::Ring),
//! [`Judge`](super::Judge) and [`Budget`](super::Budget). The noise is a model ([`Noise`]) or what a session measured
//! ([`Recorded`]). [`power`] races single candidates, [`nights`] whole sessions beside the rule "keep what beats the best
//! number of one run", [`watches`] sentinels, [`simplified`] candidates that make the code simpler, and [`check()`] compares
//! all of it with the published figures of statistics section 4. The same seed gives the same figures whatever the number of threads.

mod check;
mod nights;
mod noise;
mod nulls;
mod parallel;
mod published;
mod races;
mod random;
mod recorded;
mod simplifications;
mod watches;

pub use check::{Effort, Finding, Limit, check};
pub use nights::{Ledger, Mix, Night, NightFigures, nights};
pub(in crate::stats) use noise::Machine;
pub use noise::Noise;
pub use races::{Cell, Frequency, power, usual_rule};
pub use recorded::{Recorded, TooFewPairs};
pub use simplifications::{Simplification, simplified};
pub use watches::{WatchError, Watched, Watching, watches};
