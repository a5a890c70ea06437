//! What people and programs read of a session: view models, and their text and JSON.
//!
//! A view holds facts in the reader's terms (a change of the metric in percent or in its unit, never the decision
//! scale) and serialises as the `--json` of its command. [`text`] writes it for a terminal of a given width. Gains of
//! several experiments are never added up: each was measured against another baseline.

mod calibration;
mod claims;
mod cost;
mod experiment;
mod forecast;
mod grid;
pub mod html;
mod ideas;
mod imported;
mod json;
mod lens;
pub mod markdown;
mod night;
mod overview;
mod plain;
mod review;
mod session;
#[cfg(test)]
mod tests;
pub mod text;
mod validation;

pub use calibration::{
    Ailment, CalibratedMetric, CalibrationReport, FindingView, LevelsView, MetricReport, RunView, TestedView,
};
pub use claims::{ClaimRow, Claims};
pub use cost::Cost;
pub use experiment::{EffectView, ExperimentParts, ExperimentView, LogTail, MetricLine, PairView, PhaseView};
pub use forecast::{ForecastView, RunsView};
pub use grid::{Cell, Column, Grid, Screen, Tone, markdown_table, one_line, table};
pub use ideas::{IdeaState, IdeaView, IdeasView, ReopenView};
pub use imported::{ImportedRow, ImportedView};
pub use json::{log_json, report_json, show_json, status_json};
pub use lens::{ChangeView, Lens, Lenses};
pub use night::{TimeLeft, Trouble, TroubleView, WaitView};
pub use overview::{
    ClosedIdea, DroppedGroup, DroppedRow, Gone, Headline, IN_FULL, KeepParts, KeepView, MechanismGroup, NoiseView,
    Origin, Overview, OverviewParts, PairPoint, PatchView, Point, PredictionView, Remark, TermView, ToldView,
};
pub use plain::cut;
pub use review::{MostOfIt, ReviewInput, ReviewRow, ReviewView};
pub use session::{
    BudgetView, CalibrationView, Counts, ExperimentRow, Holder, Latest, Outside, SessionInput, SessionView, Standing,
    UnderWay,
};
pub use validation::ValidationView;
