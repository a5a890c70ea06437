//! The reference of all keys, written from the JSON Schema so that it cannot say anything else.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::{alternatives, items, properties, schema};

/// Writes the reference as Markdown: a table of the top level, then one of each object in it.
pub fn reference() -> String {
    let schema = schema();
    let mut text = "# Configuration reference\n\n\
        Every key of `autoresearch.config.json`, written by `autoresearch config --reference` from the schema\n\
        ([autoresearch.schema.json](autoresearch.schema.json)). Only `bench.command` and `metrics.primary.name` are required. A value comes\n\
        from the default, the file, the environment, a flag: the last that gives it. `autoresearch config` shows each with its origin.\n"
        .to_owned();
    section(&mut text, "", &schema);
    text
}

fn section(text: &mut String, path: &str, node: &Value) {
    let Some(all) = properties(node) else { return };
    let title = if path.is_empty() { "Top level".to_owned() } else { format!("`{path}`") };
    let _ = write!(text, "\n## {title}\n\n");
    if !path.is_empty() {
        let _ = write!(text, "{}\n\n", described(node));
    }
    text.push_str("| key | values | default | what it is |\n|---|---|---|---|\n");
    for (key, value) in all {
        let default = value.get("default").map_or_else(String::new, |default| format!("`{default}`"));
        let _ = writeln!(text, "| `{key}` | {} | {default} | {} |", kind(value), described(value));
    }
    for (key, value) in all {
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match items(value) {
            Some(item) => section(text, &format!("{inner}[]"), item),
            None => section(text, &inner, value),
        }
    }
}

/// Returns what a key is for, as a cell of a table.
fn described(node: &Value) -> String {
    let text = node.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "\\<")
}

/// Says what values a key takes.
fn kind(node: &Value) -> String {
    if properties(node).is_some() {
        return "object".to_owned();
    }
    if let Some(item) = items(node).filter(|_| !takes(node, "string")) {
        return format!("list of {}", kind(item));
    }
    if let Some(words) = node.get("enum").and_then(Value::as_array) {
        let words = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`"));
        return words.collect::<Vec<_>>().join(", ");
    }
    let names = [("string", "text"), ("integer", "whole number"), ("number", "number"), ("boolean", "true, false")];
    let kinds: Vec<&str> = names.into_iter().filter(|(name, _)| takes(node, name)).map(|(_, word)| word).collect();
    match (kinds.is_empty(), items(node)) {
        (true, _) => "any".to_owned(),
        (false, Some(item)) => format!("{} or list of {}", kinds.join(" or "), kind(item)),
        (false, None) => kinds.join(" or "),
    }
}

/// Says whether a node takes values of a JSON type.
fn takes(node: &Value, name: &str) -> bool {
    alternatives(node).filter_map(|part| part.get("type")).any(|kind| match kind {
        Value::String(only) => only == name,
        Value::Array(all) => all.iter().any(|kind| kind == name),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");

    #[test]
    fn the_shipped_reference_is_the_generated_one() {
        // The variable is for people who changed a key on purpose; a plain run only compares.
        if std::env::var_os("AUTORESEARCH_WRITE_SCHEMA").is_some() {
            std::fs::write(SHIPPED, reference()).unwrap();
        }
        let shipped = std::fs::read_to_string(SHIPPED).unwrap();
        assert!(shipped == reference(), "run this test with AUTORESEARCH_WRITE_SCHEMA=1 and commit docs/");
    }

    #[test]
    fn a_row_says_values_default_and_purpose() {
        let text = reference();
        for row in [
            "| `command` | text or list of text |  | The command: a line for sh -c, or an array of program and arguments.",
            "| `warmup` | whole number | `1` |",
            "| `direction` | `lower`, `higher` | `\"lower\"` |",
            "| `sentinels` | list of object |",
            "## `metrics.sentinels[]`",
        ] {
            assert!(text.contains(row), "{row} is not in\n{text}");
        }
    }
}
