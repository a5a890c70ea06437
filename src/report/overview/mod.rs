//! The view of a whole session for who reviews it: what was gained, by which keeps, at what cost, and what did not work.
//!
//! One model serves `report --html`, `--markdown` and `--json`. Every number in it comes from the journal; what a
//! proposer said of a candidate stands apart, marked as told and not measured. Figures of the holdout are in none of it:
//! a report leaves the machine, and whoever reads it may propose the next candidate.

mod dropped;
mod headline;
mod keep;
mod terms;
#[cfg(test)]
mod tests;
mod view;

pub use dropped::{DroppedGroup, DroppedRow, MechanismGroup, Remark};
pub use headline::Headline;
pub use keep::{KeepParts, KeepView, Origin, PairPoint, PatchView, PredictionView, ToldView};
pub use terms::{NoiseView, TermView};
pub use view::{ClosedIdea, Gone, IN_FULL, Overview, OverviewParts, Point};
