//! Puts text into ideas.md and takes it out, in whole items; nothing else of the file changes.

use std::ops::Range;

use super::catalogue::{Catalogue, Entry, Section, SectionKind, line_end};

/// Inserts an item at the end of a section, which is added at the end of the text where it is missing.
pub(super) fn insert(text: &str, catalogue: &Catalogue, kind: SectionKind, item: &str) -> String {
    let newline = newline_of(text);
    let item = item.trim_end_matches(['\r', '\n']);
    if let Some(section) = catalogue.section(kind) {
        return insert_into(text, section, item);
    }
    let level = catalogue.sections.iter().find(|s| s.kind != SectionKind::Other).map_or(2, |s| s.level);
    let heading = format!("{} {}", "#".repeat(usize::from(level)), kind.title());
    let gap = gap_after(text, newline);
    format!("{text}{gap}{heading}{newline}{newline}{item}{newline}")
}

/// Inserts an item at the end of a section.
pub(super) fn insert_into(text: &str, section: &Section, item: &str) -> String {
    let newline = newline_of(text);
    let body = &text[section.body.clone()];
    let content = body.trim_end();
    let at = section.body.start + if content.is_empty() { 0 } else { line_end(body, content.len()) };
    let follows_list = section.entries.last().is_some_and(|last| last.range.end >= at && is_item(text, last));
    let (before, after) = text.split_at(at);
    let gap = match (follows_list, before.ends_with('\n') || before.is_empty()) {
        (true, true) => "",
        (true, false) => newline,
        (false, _) => &gap_after(before, newline),
    };
    let rest = if after.is_empty() || after.starts_with(['\r', '\n']) { "" } else { newline };
    format!("{before}{gap}{item}{newline}{rest}{after}")
}

/// Moves an entry to the end of another section, in other words.
pub(super) fn move_to(text: &str, entry: &Entry, kind: SectionKind, item: &str) -> String {
    let without = splice(text, &entry.range, "");
    insert(&without, &Catalogue::parse(&without), kind, item)
}

/// Says whether an entry is an item of a list with bullets.
pub(super) fn is_item(text: &str, entry: &Entry) -> bool {
    text[entry.range.clone()].trim_start().starts_with(['-', '*', '+'])
}

/// Returns an entry's own bytes with pieces put in the place of others; the places must not overlap.
pub(super) fn rewritten(text: &str, entry: &Entry, mut pieces: Vec<(Range<usize>, String)>) -> String {
    // What is inserted before something else comes first; so the last is written first.
    pieces.sort_by_key(|(at, _)| (at.start, at.end));
    let mut item = text[entry.range.clone()].to_owned();
    for (at, with) in pieces.into_iter().rev() {
        item.replace_range(at.start - entry.range.start..at.end - entry.range.start, &with);
    }
    item
}

/// Returns what stands between an entry's text and what came of it.
pub(super) fn separator(text: &str) -> &'static str {
    match text.chars().last() {
        None => "",
        Some('.' | ':' | ';' | '!' | '?' | ',') => " ",
        Some(_) => ": ",
    }
}

/// Returns what ends an entry's sentence before another one.
pub(super) fn stop(text: &str) -> &'static str {
    match text.chars().last() {
        None => "",
        Some('.' | ':' | ';' | '!' | '?' | ',') => " ",
        Some(_) => ". ",
    }
}

/// Makes one line of plain text: what could begin HTML or code is defused.
pub(super) fn one_line(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ").replace('<', "\\<");
    if line.matches('`').count() % 2 == 0 { line } else { line.replace('`', "'") }
}

pub(super) fn splice(text: &str, range: &Range<usize>, with: &str) -> String {
    [&text[..range.start], with, &text[range.end..]].concat()
}

fn newline_of(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Returns what makes the next text begin after a blank line.
fn gap_after(text: &str, newline: &str) -> String {
    if text.is_empty() || text.ends_with("\n\n") || text.ends_with("\n\r\n") {
        String::new()
    } else if text.ends_with('\n') {
        newline.to_owned()
    } else {
        newline.repeat(2)
    }
}
