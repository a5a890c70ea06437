//! The decision rule: what pairs of noisy runs say about a candidate, and how much error a session may spend on it.
//!
//! [`Ring`] knows how much the machine's pairs scatter, [`Race`] walks the pairs of the primary to a verdict,
//! [`sentinel_test`] watches the secondary metrics, and [`Judge`] joins them over whole [`Pair`](crate::domain::Pair)s.
//! [`report_effect`], [`lower_bound`] and [`validation_interval`] are what people see; [`Budget`] hands out the
//! error budget of a session. [`Diagnosis`] says what ails a machine, and [`Forecast`] what a night can do on it.
//! Everything is on the decision scale of [`Scale::y`](crate::domain::Scale::y), where a difference
//! `d = y_baseline - y_candidate` above 0 is better. [`simulation`] holds the rule against noise models.
//!
//! "Statistics section n" in these docs is the rule's specification, which `tests/statistics.rs` holds the
//! implementation to by worked cases.

mod budget;
mod confirm;
mod contest;
mod diagnosis;
mod estimate;
mod evidence;
mod forecast;
mod guard;
mod holdout;
mod judge;
mod quantile;
mod race;
mod rank;
mod ring;
mod sentinel;
pub mod simulation;
mod values;

pub use budget::{Budget, COMPARE_ALPHA, alpha, epoch_size};
pub use confirm::{CONFIRM_PAIRS, Confirmation, confirmation};
pub use contest::{GoalPlan, Member};
pub use diagnosis::{Diagnosis, Levels, Tested, TwinRuns};
pub use estimate::{
    Interval, Report, hodges_lehmann, lower_bound, median, report_effect, reported_se, validation_interval,
};
pub use evidence::Evidence;
pub use forecast::{Costs, Forecast, Horizon, Part, RunsNeeded, Supply, calibration_pairs, runs_needed};
pub use guard::effective_tolerance;
pub use holdout::{HoldoutJudge, pairs_to_pass};
pub use judge::{Estimate, Judge, JudgeError, Plan, Step};
pub use quantile::{t_upper, z_upper};
pub use race::{Call, Race, RaceRule, Standing};
pub use ring::{PairScale, Ring, SlotBias, delta0, resolvable_effect};
pub use sentinel::{Look, SentinelPlan, ToleranceTest, family, sentinel_test};
pub use values::{ValueError, differences, y_pairs};
