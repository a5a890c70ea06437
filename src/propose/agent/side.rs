//! `asi.json`: what an agent says about its proposal.

use serde_json::Value;

use crate::domain::{Asi, Axis, Goal};
use crate::propose::patch_file::one_line;
use crate::propose::trailers;

use super::lines::head;

/// The largest file that is read, in bytes.
const LARGEST: usize = 64 << 10;
/// The longest description, in bytes.
const DESCRIPTION_MAX: usize = 200;
/// The key that says what could not be read.
const PROBLEM: &str = "asi_problem";

/// What an agent says about its proposal; everything may be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    /// One line that says what it changes.
    pub description: Option<String>,
    /// Why it should help.
    pub hypothesis: String,
    /// The idea of ideas.md that it tries.
    pub idea: Option<String>,
    /// The settings that it tries a value of.
    pub axes: Vec<Axis>,
    /// What it is for.
    pub goal: Goal,
    /// All else that it says, and under `asi_problem` what of it cannot be read.
    pub asi: Asi,
}

impl Side {
    /// Reads the file. What cannot be read is told in the side information and stops nothing.
    pub fn read(bytes: &[u8]) -> Self {
        let mut side = Self::default();
        if bytes.len() > LARGEST {
            side.problem(format!("asi.json is larger than {LARGEST} bytes"));
            return side;
        }
        match serde_json::from_slice::<Value>(bytes) {
            Ok(Value::Object(keys)) => keys.into_iter().for_each(|(key, value)| side.take(key, value)),
            Ok(_) => side.problem("asi.json is no JSON object".to_owned()),
            Err(error) => side.problem(format!("asi.json cannot be read: {error}")),
        }
        side
    }

    fn take(&mut self, key: String, value: Value) {
        match (key.as_str(), value) {
            ("description", Value::String(text)) => {
                let line = one_line(&text);
                self.description = Some(head(&line, DESCRIPTION_MAX).to_owned()).filter(|line| !line.is_empty());
            }
            ("hypothesis", Value::String(text)) => text.trim().clone_into(&mut self.hypothesis),
            ("idea", Value::String(text)) => self.idea = Some(one_line(&text)).filter(|idea| !idea.is_empty()),
            ("axis" | "axes", value) => self.axes(value),
            ("goal", Value::String(text)) => match trailers::goal(text.trim()) {
                Ok(goal) => self.goal = goal,
                Err(error) => self.problem(error.to_string()),
            },
            ("auto", _) => self.problem("'auto' is written by the tool itself".to_owned()),
            ("description" | "hypothesis" | "idea" | "goal", Value::Null) => {}
            ("description" | "hypothesis" | "idea" | "goal", _) => self.problem(format!("'{key}' is no text")),
            (_, value) => drop(self.asi.insert(key, value)),
        }
    }

    /// Takes `"name=value"`, a list of those, or `{"name": value}`.
    fn axes(&mut self, value: Value) {
        match value {
            Value::Null => {}
            Value::String(text) => self.axis(&text),
            Value::Array(list) => list.into_iter().for_each(|value| self.axes(value)),
            Value::Object(pairs) => {
                for (name, value) in pairs {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    self.axis(&format!("{name}={value}"));
                }
            }
            Value::Bool(_) | Value::Number(_) => self.problem("'axis' is no text".to_owned()),
        }
    }

    fn axis(&mut self, text: &str) {
        match trailers::axis(&one_line(text)) {
            Ok(axis) => self.axes.push(axis),
            Err(error) => self.problem(error.to_string()),
        }
    }

    /// Notes the first thing that cannot be read.
    fn problem(&mut self, text: String) {
        self.asi.entry(PROBLEM).or_insert_with(|| text.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_keys_are_understood_and_others_kept() {
        let side = Side::read(
            br#"{ "description": "Raise\nthe batch", "hypothesis": "Fewer syncs.", "mechanism": "one fsync for more",
                  "predicted": {"fsyncs": "lower"}, "idea": "P1.2", "axis": ["batch=1000", {"mode": 3}], "goal": "simplify" }"#,
        );
        assert_eq!((side.description.as_deref(), side.hypothesis.as_str()), (Some("Raise the batch"), "Fewer syncs."));
        assert_eq!((side.idea.as_deref(), side.goal), (Some("P1.2"), Goal::Simplify));
        let axes: Vec<_> = side.axes.iter().map(|axis| format!("{}={}", axis.name, axis.value)).collect();
        assert_eq!(axes, ["batch=1000", "mode=3"]);
        let rest = serde_json::json!({"mechanism": "one fsync for more", "predicted": {"fsyncs": "lower"}});
        assert_eq!(Value::Object(side.asi), rest);
    }

    #[test]
    fn what_cannot_be_read_is_told_and_stops_nothing() {
        for (bytes, part) in [
            (&b"{ not json"[..], "cannot be read"),
            (b"[1]", "no JSON object"),
            (br#"{"axis": "batch"}"#, "name=value"),
            (br#"{"axis": 3}"#, "'axis' is no text"),
            (br#"{"goal": "win"}"#, "simplify"),
            (br#"{"idea": 3}"#, "'idea' is no text"),
            (br#"{"auto": {}}"#, "the tool itself"),
            (" ".repeat(LARGEST + 1).as_bytes(), "larger than"),
        ] {
            let side = Side::read(bytes);
            let problem = side.asi[PROBLEM].as_str().unwrap();
            assert!(problem.contains(part), "{problem}");
        }
        assert_eq!(Side::read(br#"{"idea": null, "axis": null}"#), Side::default());
    }
}
