//! Trailers at the end of a patch's message that speak to the tool.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::domain::{Asi, Axis, Goal};

/// What the tool's own trailers of a message say, and the message without them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Trailers {
    pub(super) text: String,
    pub(super) idea: Option<String>,
    pub(super) axes: Vec<Axis>,
    pub(super) goal: Goal,
    pub(super) asi: Asi,
}

/// Says what is wrong with a trailer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailerError {
    /// An axis without a value.
    #[error("trailer 'Axis: {0}' must be 'Axis: name=value'")]
    Axis(String),
    /// A goal that does not exist.
    #[error("trailer 'Goal: {0}' must be 'Goal: improve' or 'Goal: simplify'")]
    Goal(String),
    /// Two ideas at once.
    #[error("trailer 'Idea: {0}' is a second one; a patch tries one idea")]
    SecondIdea(String),
    /// Side information that only the tool writes.
    #[error("trailer 'Asi-{0}:' is not for patches; the tool writes 'auto' itself")]
    ReservedAsi(String),
}

static TRAILER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([A-Za-z][A-Za-z0-9_-]*):[ \t]*(.*)$").expect("a constant pattern"));

/// Takes the trailers off the end of a message. Other trailers, such as `Signed-off-by:`, stay in the text.
///
/// Trailers are the last lines of the message as far as they look like `Key: value`, with indented lines continuing
/// the one above; a blank line before them is usual but not needed.
pub(super) fn take(message: &str) -> Result<Trailers, TrailerError> {
    let lines: Vec<&str> = message.lines().map(str::trim_end).collect();
    let mut first = lines.len();
    while first > 0 && belongs(lines[first - 1]) {
        first -= 1;
    }
    while first < lines.len() && !TRAILER.is_match(lines[first]) {
        first += 1;
    }
    let mut found = Trailers::default();
    let mut kept: Vec<String> = lines[..first].iter().map(|line| (*line).to_owned()).collect();
    for (line, joined) in unfolded(&lines[first..]) {
        if !found.read(&joined)? {
            kept.extend(line);
        }
    }
    kept.join("\n").trim().clone_into(&mut found.text);
    Ok(found)
}

/// Says whether a line can stand among trailers.
pub(super) fn belongs(line: &str) -> bool {
    line.is_empty() || line.starts_with([' ', '\t']) || TRAILER.is_match(line)
}

/// Groups lines with those that continue them: the lines as they were, and joined into one.
fn unfolded(lines: &[&str]) -> Vec<(Vec<String>, String)> {
    let mut groups: Vec<(Vec<String>, String)> = Vec::new();
    for line in lines {
        match groups.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some((raw, joined)) => {
                raw.push((*line).to_owned());
                *joined = format!("{joined} {}", line.trim());
            }
            None => groups.push((vec![(*line).to_owned()], (*line).to_owned())),
        }
    }
    groups
}

impl Trailers {
    /// Reads one line; says whether it was one of the tool's.
    fn read(&mut self, line: &str) -> Result<bool, TrailerError> {
        let Some(found) = TRAILER.captures(line) else { return Ok(false) };
        let (key, value) = (&found[1], found[2].trim());
        match key.to_ascii_lowercase().as_str() {
            "idea" if self.idea.is_some() => return Err(TrailerError::SecondIdea(value.to_owned())),
            "idea" => self.idea = Some(value.to_owned()).filter(|idea| !idea.is_empty()),
            "axis" => self.axes.push(axis(value)?),
            "goal" => self.goal = goal(value)?,
            lower if lower.starts_with("asi-") && lower.len() > 4 => self.side(&key[4..], value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Adds side information: JSON where it parses, else text; several of one key become an array.
    ///
    /// Git's trailers know no underscore, so `Asi-next-action-hint` is the key `next_action_hint`.
    fn side(&mut self, key: &str, value: &str) -> Result<(), TrailerError> {
        let name = key.replace('-', "_");
        if name.eq_ignore_ascii_case("auto") {
            return Err(TrailerError::ReservedAsi(key.to_owned()));
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        match self.asi.get_mut(&name) {
            None => {
                self.asi.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
        Ok(())
    }
}

fn axis(text: &str) -> Result<Axis, TrailerError> {
    let (name, value) = text.split_once('=').ok_or_else(|| TrailerError::Axis(text.to_owned()))?;
    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
    if name.is_empty() || value.is_empty() {
        Err(TrailerError::Axis(text.to_owned()))
    } else {
        Ok(Axis { name, value })
    }
}

fn goal(text: &str) -> Result<Goal, TrailerError> {
    match text.to_ascii_lowercase().as_str() {
        "simplify" => Ok(Goal::Simplify),
        "improve" => Ok(Goal::Improve),
        _ => Err(TrailerError::Goal(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_taken_and_the_rest_stays() {
        let message = "Copies are dear.\n\nNote: the cache is small.\nAnd more.\n\nIdea: P1.2\nAxis: batch=1000\nAxis: mode=a=b\n\
            Goal: simplify\nAsi-predicted: {\"allocs\": \"lower\"}\nAsi-mechanism: fewer\n  copies\nSigned-off-by: A <a@b>\n";
        let found = take(message).unwrap();
        assert_eq!(found.text, "Copies are dear.\n\nNote: the cache is small.\nAnd more.\n\nSigned-off-by: A <a@b>");
        assert_eq!(found.idea.as_deref(), Some("P1.2"));
        let axes: Vec<_> = found.axes.iter().map(|axis| (axis.name.as_str(), axis.value.as_str())).collect();
        assert_eq!(axes, [("batch", "1000"), ("mode", "a=b")]);
        assert_eq!(found.goal, Goal::Simplify);
        assert_eq!(
            Value::Object(found.asi),
            serde_json::json!({"predicted": {"allocs": "lower"}, "mechanism": "fewer copies"})
        );
    }

    #[test]
    fn trailers_need_no_blank_line_but_the_end_of_the_message() {
        assert_eq!(take("Because.\nIdea: x").unwrap().idea.as_deref(), Some("x"));
        assert_eq!(take("Idea: x").unwrap().idea.as_deref(), Some("x"));
        let prose = take("Goal: be fast.\nThat is all.").unwrap();
        assert_eq!((prose.goal, prose.text.as_str()), (Goal::Improve, "Goal: be fast.\nThat is all."));
        assert_eq!(take("  indented\n  end").unwrap().text, "indented\n  end");
    }

    #[test]
    fn side_information_of_one_key_becomes_a_list() {
        let asi = take("Asi-next-action-hint: a\nAsi-next_action_hint: 2\nasi-next-action-hint: c").unwrap().asi;
        assert_eq!(Value::Object(asi), serde_json::json!({"next_action_hint": ["a", 2, "c"]}));
    }

    #[test]
    fn a_trailer_that_cannot_be_meant_is_an_error() {
        assert_eq!(take("Axis: batch").unwrap_err(), TrailerError::Axis("batch".into()));
        assert_eq!(take("Goal: faster").unwrap_err(), TrailerError::Goal("faster".into()));
        assert_eq!(take("Idea: a\nIdea: b").unwrap_err(), TrailerError::SecondIdea("b".into()));
        assert_eq!(take("Asi-auto: {}").unwrap_err(), TrailerError::ReservedAsi("auto".into()));
    }
}
