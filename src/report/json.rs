//! The views as JSON, for `--json`.

use serde_json::{Value, json};

use super::experiment::ExperimentView;
use super::session::{ExperimentRow, SessionView};

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

/// Returns every experiment, and what is needed to read them.
pub fn log_json(view: &SessionView) -> Value {
    json!({
        "session": view.session,
        "name": view.name,
        "branch": view.branch,
        "primary": view.primary,
        "validated": view.validated,
        "experiments": view.experiments,
    })
}

/// Returns one experiment whole.
pub fn show_json(view: &ExperimentView) -> Value {
    json!(view)
}
