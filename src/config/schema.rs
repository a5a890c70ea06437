//! The JSON Schema of the config file, and what it knows about keys.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::ConfigFile;
use super::nearest::same;

/// Returns the JSON Schema (draft 2020-12) of `autoresearch.config.json`, generated from the types that read it.
pub fn schema() -> Value {
    of::<ConfigFile>()
}

/// Returns the JSON Schema (draft 2020-12) of what a type reads.
pub(super) fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Returns what describes the value of a key of the object that `node` describes; `None` where there is no such key.
pub(super) fn property<'a>(node: &'a Value, key: &str) -> Option<&'a Value> {
    properties(node)?.get(key)
}

/// Lists the keys of the object that `node` describes.
pub(super) fn keys(node: &Value) -> impl Iterator<Item = &str> {
    properties(node).into_iter().flatten().map(|(key, _)| key.as_str())
}

/// Returns what describes the items of the array that `node` describes.
pub(super) fn items(node: &Value) -> Option<&Value> {
    alternatives(node).find_map(|part| part.get("items"))
}

/// Finds a key of this name anywhere in the schema; returns its full path.
pub(super) fn elsewhere(node: &Value, name: &str) -> Option<String> {
    let all = properties(node)?;
    if let Some(key) = all.keys().find(|key| same(key, name)) {
        return Some(key.clone());
    }
    all.iter().find_map(|(key, value)| elsewhere(value, name).map(|rest| format!("{key}.{rest}")))
}

pub(super) fn properties(node: &Value) -> Option<&serde_json::Map<String, Value>> {
    alternatives(node).find_map(|part| part.get("properties")).and_then(Value::as_object)
}

/// Returns the node and whatever its `anyOf` offers.
pub(super) fn alternatives(node: &Value) -> impl Iterator<Item = &Value> {
    std::iter::once(node).chain(node.get("anyOf").and_then(Value::as_array).into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/autoresearch.schema.json");

    #[test]
    fn the_shipped_schema_is_the_generated_one() {
        // The variable is for people who changed a key on purpose; a plain run only compares.
        let generated = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
        if std::env::var_os("AUTORESEARCH_WRITE_SCHEMA").is_some() {
            std::fs::write(SHIPPED, &generated).unwrap();
        }
        let shipped = std::fs::read_to_string(SHIPPED).unwrap();
        assert!(shipped == generated, "run this test with AUTORESEARCH_WRITE_SCHEMA=1 and commit docs/");
    }

    #[test]
    fn every_key_of_the_schema_is_described() {
        fn walk(node: &Value, path: &str) {
            for (key, value) in properties(node).into_iter().flatten() {
                assert!(value.get("description").is_some(), "{path}.{key} has no description");
                walk(value, &format!("{path}.{key}"));
            }
            if let Some(item) = items(node) {
                walk(item, &format!("{path}[]"));
            }
        }
        walk(&schema(), "");
    }

    #[test]
    fn only_what_has_no_default_is_required() {
        let schema = schema();
        let required = |pointer: &str| schema.pointer(&format!("{pointer}/required")).cloned().unwrap_or_default();
        assert_eq!(required(""), serde_json::json!(["bench", "metrics"]));
        assert_eq!(required("/properties/bench"), serde_json::json!(["command"]));
        assert_eq!(required("/properties/build"), serde_json::json!(["command"]));
        assert_eq!(required("/properties/metrics"), serde_json::json!(["primary"]));
        assert_eq!(required("/properties/metrics/properties/primary"), serde_json::json!(["name"]));
        assert_eq!(required("/properties/metrics/properties/sentinels/items"), serde_json::json!(["name"]));
        assert_eq!(required("/properties/decision"), Value::Null);
    }

    #[test]
    fn a_key_is_found_where_it_belongs() {
        let schema = schema();
        assert_eq!(elsewhere(&schema, "maxIterations").as_deref(), Some("stop.maxIterations"));
        assert!(property(&schema, "commit").is_some());
        assert_eq!(property(&schema, "mcp"), None);
    }
}
