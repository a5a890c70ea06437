//! One line as a JSON object, also where a program wrote `NaN` into it.

use serde_json::{Map, Value};

/// Reads an object; says whether numbers that JSON does not have were read as null.
pub(super) fn object(text: &str) -> Result<(Map<String, Value>, bool), String> {
    let (value, repaired) = match serde_json::from_str(text) {
        Ok(value) => (value, false),
        Err(error) => {
            let whole = without_odd_numbers(text).and_then(|text| serde_json::from_str(&text).ok());
            (whole.ok_or_else(|| format!("not JSON: {error}"))?, true)
        }
    };
    match value {
        Value::Object(object) => Ok((object, repaired)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("JSON, but no object".to_owned())
        }
    }
}

/// Puts `null` in place of `NaN`, `Infinity` and `-Infinity`, and of numbers too large for 64 bits, outside of strings;
/// `None` where there are none.
fn without_odd_numbers(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => string_length(rest),
            '-' | '+' | '.' | '0'..='9' | 'a'..='z' | 'A'..='Z' => {
                let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')));
                let length = length.unwrap_or(rest.len());
                if is_odd(&rest[..length]) {
                    found = true;
                    out.push_str("null");
                    rest = &rest[length..];
                    continue;
                }
                length
            }
            c => c.len_utf8(),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    found.then_some(out)
}

fn is_odd(word: &str) -> bool {
    let unsigned = word.trim_start_matches('-');
    let named = matches!(unsigned, "NaN" | "nan" | "Infinity" | "inf" | "Inf");
    let number = unsigned.starts_with(|c: char| c.is_ascii_digit());
    named || number && word.parse::<f64>().is_ok_and(f64::is_infinite)
}

/// Returns the length of a string with its quotes; of one without an end, of all that is left.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_does_not_have_become_null_outside_of_strings() {
        let (object, repaired) =
            object(r#"{"a":NaN,"b":-Infinity,"c":"NaN \" inf","d":1e999,"e":2.5e3,"f":true}"#).unwrap();
        assert!(repaired);
        assert_eq!(
            Value::Object(object).to_string(),
            r#"{"a":null,"b":null,"c":"NaN \" inf","d":null,"e":2500.0,"f":true}"#
        );
    }

    #[test]
    fn what_is_no_object_says_why() {
        assert!(object("{\"a\":").unwrap_err().starts_with("not JSON: "));
        assert!(object("/tmp/log.jsonl").unwrap_err().starts_with("not JSON: "));
        assert_eq!(object("[1]").unwrap_err(), "JSON, but no object");
        assert!(!object("{}").unwrap().1);
    }
}
