//! The views as JSON, for `--json`.

use serde::Serialize;
use serde_json::{Value, json};

use super::claims::ClaimRow;
use super::experiment::ExperimentView;
use super::imported::ImportedView;
use super::lens::Lens;
use super::overview::Overview;
use super::session::{ExperimentRow, SessionView};
use super::validation::ValidationView;
use crate::domain::SessionId;

/// Returns where a session stands, with its keeps.
pub fn status_json(view: &SessionView) -> Value {
    let kept: Vec<&ExperimentRow> = view.keeps().collect();
    let mut value = json!(view);
    if let Some(object) = value.as_object_mut() {
        object.remove("experiments");
        object.insert("kept".to_owned(), json!(kept));
    }
    value
}

/// The listed experiments out of so many settled ones, and what is needed to read them.
#[derive(Serialize)]
struct Log<'v> {
    session: SessionId,
    name: &'v str,
    branch: &'v str,
    primary: &'v Lens,
    validated: Option<&'v ValidationView>,
    settled: usize,
    experiments: &'v [ExperimentRow],
    claims: &'v [ClaimRow],
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<&'v ImportedView>,
}

/// Returns the listed experiments out of so many settled ones, with what was imported, as the text itself: a tree of values would take many
/// times its memory.
pub fn log_json(
    view: &SessionView,
    settled: usize,
    imported: Option<&ImportedView>,
) -> Result<String, serde_json::Error> {
    let SessionView { session, name, branch, primary, validated, experiments, claims, .. } = view;
    let (session, validated) = (*session, validated.as_ref());
    serde_json::to_string_pretty(&Log {
        session,
        name,
        branch,
        primary,
        validated,
        settled,
        experiments,
        claims,
        imported,
    })
}

/// Returns one experiment whole.
pub fn show_json(view: &ExperimentView) -> Value {
    json!(view)
}

/// Returns a whole session, as the text itself.
pub fn report_json(view: &Overview) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(view)
}
