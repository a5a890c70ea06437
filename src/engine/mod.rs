//! The engine: a session's life, and the pipeline that one experiment goes through. Prints nothing.
//!
//! [`Session::open`] reads the journal back and makes the slots, [`Session::ready`] brings the baseline up and
//! calibrates, [`Session::run`] takes candidates through the pipeline until a rule says stop. Each step is an event
//! that reaches the journal before anything is done about it.

mod aside;
mod calibrate;
mod carry;
mod clock;
pub mod compare;
mod confirm;
pub mod demo;
pub mod doctor;
pub mod dry_run;
mod error;
mod experiment;
mod forecast;
pub mod habits;
mod harness;
mod holdout;
mod home;
mod idea_book;
mod identical;
mod inventory;
mod keep;
mod logs;
mod message;
mod metrics_file;
mod offer;
mod opening;
mod pipeline;
mod places;
mod prepared;
mod race;
mod reach;
mod ready;
mod rebase;
mod recorder;
mod recover;
mod resume;
mod retest;
mod rings;
mod roles;
mod runner;
mod scratch;
mod screen;
mod segments;
mod serving;
mod session;
mod sources;
pub mod starter;
mod summary;
pub mod truth;
mod undo;
mod validate;
mod verify_clean;
mod watch;
mod weather;
mod workbench;

pub use crate::policy::Remaining;
pub use aside::{Aside, Moved, read_aside, set_aside};
pub use error::EngineError;
pub use experiment::ExperimentFacts;
pub use harness::{Sealed, SealedKind, sealed, sealed_everywhere};
pub use identical::identical_pairs;
pub use offer::Offer;
pub use pipeline::Commit;
pub use places::Places;
pub use retest::{Retest, RetestOutcome, Retests};
pub use roles::Roles;
pub use serving::Wanted;
pub use session::{Context, Purpose, Session};
pub use sources::{Candidates, Next, Sources};
pub use summary::{Lens, MetricRow, metric_row};
pub use undo::Undoing;
pub use validate::Validation;
