//! The Test Anything Protocol, and the `spec` list of `node --test`: nested names, skips by a directive.

use std::sync::LazyLock;

use regex::Regex;

use super::read::Format;
use super::tally::{TestInventory, Times};

static POINT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?P<indent> *)(?:not )?ok \d+(?: -)? +(?P<name>\S.*)$").ok());
static SUBTEST: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(?P<indent> *)# Subtest: (?P<name>.+)$").ok());
static GROUP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(?P<indent> *)▶ (?P<name>.+)$").ok());
static SPEC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?P<indent> *)(?P<mark>[✔✖﹣⚠]) (?P<name>.+?) \([\d.]+ms\)(?P<rest>.*)$").ok());

/// Reads TAP and the `spec` list.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The groups under way, with their indents.
    groups: Vec<(usize, String)>,
}

impl Format for Node {
    fn line(&mut self, line: &str, into: &mut TestInventory) {
        let find = |form: &'static LazyLock<Option<Regex>>| form.as_ref().and_then(|form| form.captures(line));
        if let Some(found) = find(&SUBTEST).or_else(|| find(&GROUP)) {
            let indent = found["indent"].len();
            self.groups.retain(|(outer, _)| *outer < indent);
            self.groups.push((indent, found["name"].trim_end().to_owned()));
        } else if let Some(found) = find(&POINT) {
            let (name, directive) = found["name"].split_once(" # ").unwrap_or((&found["name"], ""));
            self.note(found["indent"].len(), name.trim_end(), directive, into);
        } else if let Some(found) = find(&SPEC) {
            let directive = if &found["mark"] == "﹣" { "SKIP" } else { found["rest"].trim_start_matches([' ', '#']) };
            self.note(found["indent"].len(), &found["name"], directive, into);
        } else if line.starts_with("✖ failing tests:") {
            self.groups.clear();
        }
    }

    fn end_of_stream(&mut self, _: &mut TestInventory) {
        self.groups.clear();
    }
}

impl Node {
    fn note(&mut self, indent: usize, name: &str, directive: &str, into: &mut TestInventory) {
        self.groups.retain(|(outer, _)| *outer < indent);
        let directive = directive.to_ascii_uppercase();
        let skipped = directive.starts_with("SKIP") || directive.starts_with("TODO");
        let path: Vec<&str> = self.groups.iter().map(|(_, group)| group.as_str()).chain([name]).collect();
        into.add("", &path.join(" > "), Times { ran: u64::from(!skipped), skipped: u64::from(skipped) });
    }
}
