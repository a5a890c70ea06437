//! `autoresearch config`: every setting with its value and origin, the sealed files, and the schema.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::{ConfigArgs, Global};
use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::{Overrides, Shown, reference, schema};
use crate::engine::{Sealed, sealed, sealed_everywhere};
use crate::report::{Cell, Column, Grid, Screen};

/// Prints the settings, or what their file may hold.
pub(in crate::cli) fn run(global: &Global, args: &ConfigArgs, ui: &Ui) -> Result<u8, CliError> {
    if args.schema {
        ui.json(&schema())?;
        return Ok(0);
    }
    if args.reference {
        ui.print(&reference())?;
        return Ok(0);
    }
    let place = Place::with_holdout(global, &Overrides::default(), None)?;
    let harness = sealed(place.repository.root(), &place.settings)?;
    if args.json {
        ui.json(&as_json(&place, &harness))?;
    } else {
        // Whole values, however long: a terminal wraps them.
        ui.print(&as_text(&place, &harness, Screen { width: None, ..Screen::of_stdout() }))?;
    }
    Ok(0)
}

fn as_json(place: &Place, harness: &Sealed) -> Value {
    let setting = |s: &Shown| json!({"key": s.key, "value": s.value, "origin": s.origin.to_string()});
    let sealed = harness.files.iter().map(|(path, why)| json!({"path": path, "why": why}));
    let built_in =
        sealed_everywhere().map(|kind| json!({"project": kind.project, "globs": kind.globs, "why": kind.why}));
    json!({
        "file": place.config,
        "state": place.places.state(),
        "cache": place.places.cache(),
        "settings": place.shown.iter().map(setting).collect::<Vec<_>>(),
        "sealed": sealed.collect::<Vec<_>>(),
        "sealed_everywhere": built_in.collect::<Vec<_>>(),
        "unmatched": harness.unmatched,
    })
}

fn as_text(place: &Place, harness: &Sealed, screen: Screen) -> String {
    let folders =
        [("config", place.config.as_path()), ("state", place.places.state()), ("cache", place.places.cache())];
    let line = |(name, path): (&str, &Path)| format!("{name:<8}{}\n", path.display());
    let mut text: String = folders.map(line).concat();
    text.push('\n');
    let mut grid = Grid::new(&[Column::Text("key"), Column::Text("origin"), Column::Flexible("value")], screen);
    for setting in &place.shown {
        let origin = setting.origin.to_string();
        grid.row([setting.key.as_str().into(), origin.into(), value(&setting.value).into()]);
    }
    text += &grid.text();
    text += "\nsealed: a candidate that touches one of these is refused\n";
    let mut grid = Grid::new(&[Column::Text("file"), Column::Flexible("why")], screen);
    for (path, why) in &harness.files {
        grid.row([Cell::from(path), why.as_str().into()]);
    }
    text += &grid.text();
    let unmatched = harness.unmatched.iter();
    text.extend(unmatched.map(|glob| format!("warning: harness '{glob}' matches no file\n")));
    text + "\nsealed in every repository, but for what scope.unseal names\n" + &built_in(screen)
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn built_in(screen: Screen) -> String {
    let mut grid = Grid::new(&[Column::Text("project"), Column::Flexible("paths")], screen);
    for kind in sealed_everywhere() {
        grid.row([kind.project.into(), kind.globs.join("  ").into()]);
    }
    grid.text()
}
