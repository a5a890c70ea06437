//! The file of kept environment and argument knobs.

use std::collections::BTreeMap;

use serde_json::Value;

/// Says why the values of knobs cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KnobValuesError {
    /// It is no JSON object.
    #[error("{file} is not a JSON object of values by knob name: {source}; mend it, or delete it to set nothing")]
    NotAnObject {
        /// The file, relative to the repository root.
        file: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A value that no knob takes.
    #[error("{file} gives knob '{knob}' the value {value}, but values are texts, numbers, true or false; mend it")]
    NoValue {
        /// The file, relative to the repository root.
        file: String,
        /// The knob.
        knob: String,
        /// What stands there.
        value: String,
    },
}

/// Values of environment and argument knobs by name, as a tree holds them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnobValues(BTreeMap<String, String>);

impl KnobValues {
    /// Reads the values; no file is no values. `file` is its name for errors.
    pub fn parse(file: &str, bytes: Option<&[u8]>) -> Result<Self, KnobValuesError> {
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        let read: BTreeMap<String, Value> = serde_json::from_slice(bytes)
            .map_err(|source| KnobValuesError::NotAnObject { file: file.to_owned(), source })?;
        let text = |(knob, value): (String, Value)| match value {
            Value::String(text) if !text.contains('\0') => Ok((knob, text)),
            Value::Number(number) => Ok((knob, number.to_string())),
            Value::Bool(truth) => Ok((knob, truth.to_string())),
            value @ (Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_)) => {
                Err(KnobValuesError::NoValue { file: file.to_owned(), knob, value: value.to_string() })
            }
        };
        read.into_iter().map(text).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the value of a knob, where it has one.
    pub fn get(&self, knob: &str) -> Option<&str> {
        self.0.get(knob).map(String::as_str)
    }

    /// Gives a knob a value.
    pub fn insert(&mut self, knob: &str, value: &str) {
        self.0.insert(knob.to_owned(), value.to_owned());
    }

    /// Writes the values, sorted by name, one a line.
    pub fn render(&self) -> Vec<u8> {
        let quoted = |text: &str| Value::from(text).to_string();
        let lines: Vec<String> = self.0.iter().map(|(k, v)| format!("  {}: {}", quoted(k), quoted(v))).collect();
        format!("{{\n{}\n}}\n", lines.join(",\n")).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_sorted_one_a_line_and_read_back() {
        let mut values = KnobValues::parse("k.json", None).unwrap();
        values.insert("THREADS", "4");
        values.insert("MODE", "a \"b\"");
        let text = "{\n  \"MODE\": \"a \\\"b\\\"\",\n  \"THREADS\": \"4\"\n}\n";
        assert_eq!(String::from_utf8(values.render()).unwrap(), text);
        assert_eq!(KnobValues::parse("k.json", Some(text.as_bytes())).unwrap(), values);
        let by_hand = KnobValues::parse("k.json", Some(b"{\"n\": 4, \"on\": true}")).unwrap();
        assert_eq!((by_hand.get("n"), by_hand.get("on"), by_hand.get("x")), (Some("4"), Some("true"), None));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let said = |text: &str| KnobValues::parse("k.json", Some(text.as_bytes())).unwrap_err().to_string();
        assert!(said("[1]").starts_with("k.json is not a JSON object"), "{}", said("[1]"));
        assert!(said("{\"n\": null}").starts_with("k.json gives knob 'n' the value null"));
    }
}
