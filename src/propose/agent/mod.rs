//! Agents: programs that propose changes. What they are told, how they are run, and what their output says.
//!
//! Nothing here runs anything: [`prompt`] and [`Context::to_json`] make what an agent reads, [`Preset`] and
//! [`own_command`] its command line, [`read_output`] turns its end and output into an [`Answer`], and [`compose`] makes a
//! proposal of what it left.

mod command;
mod context;
mod lines;
mod outcome;
mod patience;
mod presets;
mod prompt;
mod proposal;
mod reset;
mod side;

pub use command::{CallPaths, own_command, preset_command};
pub use context::{
    Aim, Closed, Context, Diagnostics, Idea, LEFT_OUT, LIMIT as CONTEXT_LIMIT, MetricNow, Scoped, Tried,
};
pub use outcome::{Answer, Output, Reading, read_output};
pub use patience::{after_failure, next_try};
pub use presets::{Conversation, PRESETS, Preset, Printed, names, preset};
pub use prompt::{HANDED_OVER_MAX, PromptParts, prompt};
pub use proposal::{Made, compose};
pub use side::Side;
