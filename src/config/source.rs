//! The text of a config file with the place of each key.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::file::ConfigFile;
use super::nearest::nearest;
use super::schema::{self, schema};
use super::{ConfigError, Place};

/// One key of the text. Array items count as keys too, such as `candidates[0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    path: String,
    at: usize,
    value: Range<usize>,
}

/// A config file that was read: its text, and where each key stands.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    text: String,
    keys: Vec<Key>,
}

impl Source {
    /// Reads a file and finds its keys; refuses what is not JSON.
    pub(super) fn read(path: &Path) -> Result<(Self, Value), ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let text = text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text);
        let value = serde_json::from_str::<Value>(&text).map_err(|source| {
            let (line, column) = (source.line().max(1), source.column().max(1));
            ConfigError::Syntax { place: Place::File { path: path.to_owned(), line, column }, source }
        })?;
        let mut scan = Scan { text: &text, at: 0, keys: Vec::new() };
        scan.value("");
        let keys = scan.keys;
        Ok((Self { path: path.to_owned(), text, keys }, value))
    }

    /// Reads the known keys into their types; refuses unknown and repeated ones, and values of a wrong type.
    pub(super) fn parse(&self, value: &Value) -> Result<ConfigFile, ConfigError> {
        self.parse_as(value, &schema())
    }

    /// Does the same for another kind of file, which its schema describes.
    pub(super) fn parse_as<T: DeserializeOwned>(&self, value: &Value, schema: &Value) -> Result<T, ConfigError> {
        self.refuse_repeated()?;
        self.refuse_unknown(value, schema)?;
        serde_json::from_str(&self.text).map_err(|source| {
            let offset = self.offset(source.line(), source.column());
            let within = |key: &&Key| key.value.start <= offset && offset <= key.value.end;
            let key = self.keys.iter().rfind(within).map_or("the file", |key| key.path.as_str()).to_owned();
            let place = self.place(&key);
            ConfigError::Type { place, key, source }
        })
    }

    /// Returns the file's path as it was given.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Says whether the file gives this key a value other than null.
    pub(super) fn gives(&self, path: &str) -> bool {
        self.find(path).is_some_and(|key| &self.text[key.value.clone()] != "null")
    }

    /// Returns a key as the file has it: a sweep that lists no knobs describes its only one itself.
    pub(super) fn as_written(&self, key: &str) -> String {
        let Some((sweep, knob)) = key.split_once(".sweep.knobs[") else { return key.to_owned() };
        if self.gives(&format!("{sweep}.sweep.knobs")) {
            return key.to_owned();
        }
        format!("{sweep}.sweep{}", knob.split_once(']').map_or("", |(_, rest)| rest))
    }

    /// Returns the place of a key, or of the nearest key above it where it was left out.
    pub(super) fn place(&self, path: &str) -> Place {
        let mut at = path;
        loop {
            if let Some(key) = self.find(at) {
                return self.place_at(key.at);
            }
            match at.rfind(['.', '[']) {
                Some(cut) => at = &at[..cut],
                None => return self.place_at(0),
            }
        }
    }

    fn find(&self, path: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.path == path)
    }

    fn place_at(&self, offset: usize) -> Place {
        let before = &self.text[..offset];
        let line = before.matches('\n').count() + 1;
        let column = offset - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
        Place::File { path: self.path.clone(), line, column }
    }

    /// Turns a line and a column of the parser (both from 1; column 0 is a line's end) into an offset.
    fn offset(&self, line: usize, column: usize) -> usize {
        let lines = self.text.split_inclusive('\n').take(line.saturating_sub(1));
        (lines.map(str::len).sum::<usize>() + column).saturating_sub(1).min(self.text.len())
    }

    fn refuse_repeated(&self) -> Result<(), ConfigError> {
        let mut seen = std::collections::BTreeSet::new();
        match self.keys.iter().find(|key| !seen.insert(key.path.as_str())) {
            None => Ok(()),
            Some(key) => Err(ConfigError::DuplicateKey { place: self.place_at(key.at), key: key.path.clone() }),
        }
    }

    fn refuse_unknown(&self, value: &Value, root: &Value) -> Result<(), ConfigError> {
        self.walk("", value, root, root)
    }

    fn walk(&self, path: &str, value: &Value, node: &Value, root: &Value) -> Result<(), ConfigError> {
        match (value, schema::items(node)) {
            (Value::Object(object), _) => {
                object.iter().try_for_each(|(name, value)| self.walk_key(path, (name, value), node, root))
            }
            (Value::Array(array), Some(item)) => array
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| self.walk(&format!("{path}[{index}]"), value, item, root)),
            _ => Ok(()),
        }
    }

    fn walk_key(
        &self,
        path: &str,
        (name, value): (&str, &Value),
        node: &Value,
        root: &Value,
    ) -> Result<(), ConfigError> {
        let key = join(path, name);
        match schema::property(node, name) {
            Some(deeper) => self.walk(&key, value, deeper, root),
            None if schema::keys(node).next().is_none() => Ok(()),
            None => {
                let near = nearest(name, schema::keys(node)).map(|near| join(path, near));
                let nearest = near.or_else(|| schema::elsewhere(root, name));
                Err(ConfigError::UnknownKey { place: self.place(&key), key, nearest })
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Walks a text that is known to be JSON, and notes where its keys are.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    keys: Vec<Key>,
}

impl Scan<'_> {
    fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn value(&mut self, path: &str) {
        match self.peek() {
            b'{' => self.members(|scan| scan.member(path)),
            b'[' => {
                let mut index = 0;
                self.members(|scan| {
                    scan.peek();
                    let at = scan.at;
                    scan.record(&format!("{path}[{index}]"), at);
                    index += 1;
                });
            }
            b'"' => self.string(),
            _ => {
                let rest = &self.text[self.at..];
                self.at += rest.find([',', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
            }
        }
    }

    /// Walks what stands between two brackets, separated by commas.
    fn members(&mut self, mut member: impl FnMut(&mut Self)) {
        self.at += 1;
        loop {
            match self.peek() {
                b'}' | b']' | 0 => break,
                b',' => self.at += 1,
                _ => member(self),
            }
        }
        self.at = (self.at + 1).min(self.text.len());
    }

    fn member(&mut self, path: &str) {
        let at = self.at;
        self.string();
        let name = serde_json::from_str::<String>(&self.text[at..self.at]).unwrap_or_default();
        self.peek();
        self.at += 1;
        self.record(&join(path, &name), at);
    }

    fn record(&mut self, path: &str, at: usize) {
        self.peek();
        let slot = self.keys.len();
        let start = self.at;
        self.keys.push(Key { path: path.to_owned(), at, value: start..start });
        self.value(path);
        self.keys[slot].value.end = self.at;
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_item_is_found_where_it_stands() {
        let text = "{ \"a\\u0062\" : [1, {\"x\": \"}\\\"]\"}],\n \"c\":{},\"d\": -1e3}";
        let mut scan = Scan { text, at: 0, keys: Vec::new() };
        scan.value("");
        let found: Vec<_> = scan.keys.iter().map(|k| (k.path.as_str(), &text[k.value.clone()])).collect();
        assert_eq!(
            found,
            [
                ("ab", "[1, {\"x\": \"}\\\"]\"}]"),
                ("ab[0]", "1"),
                ("ab[1]", "{\"x\": \"}\\\"]\"}"),
                ("ab[1].x", "\"}\\\"]\""),
                ("c", "{}"),
                ("d", "-1e3"),
            ]
        );
    }

    #[test]
    fn scanning_any_json_ends() {
        use proptest::prelude::*;
        let leaf =
            prop_oneof![Just(Value::Null), any::<f64>().prop_map(Value::from), any::<String>().prop_map(Value::from)];
        let json = leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect()))
            ]
        });
        proptest!(|(value in json)| {
            let text = serde_json::to_string_pretty(&value).unwrap();
            let mut scan = Scan { text: &text, at: 0, keys: Vec::new() };
            scan.value("");
            prop_assert_eq!(scan.at, text.len());
            for key in &scan.keys {
                prop_assert!(serde_json::from_str::<Value>(&text[key.value.clone()]).is_ok());
            }
        });
    }
}
