//! Any text as ideas.md: an edit done twice is done once, and every line that a person wrote is still there.

#![no_main]

use std::collections::BTreeMap;

use autoresearch::domain::ExperimentId;
use autoresearch::ideas::{Catalogue, Edit, Tried, apply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let idea = Catalogue::parse(text).sections.iter().flat_map(|section| &section.entries).map(|entry| entry.name()).next();
    let named = idea.is_some();
    let tried = Tried { idea, text: "what it was".to_owned(), outcome: "kept -5.0 %".to_owned(), experiment: ExperimentId(7) };
    let edit = Edit::Tried(tried);
    let Ok(once) = apply(text, &edit) else { return };
    assert_eq!(apply(&once, &edit).expect("what was edited can be edited"), once, "twice is once");
    if !named {
        for (line, count) in lines(text) {
            let now = lines(&once).get(line).copied().unwrap_or(0);
            assert!(now >= count, "{line:?} is lost in {once:?}");
        }
    }
});

fn lines(text: &str) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for line in text.lines().map(str::trim_end) {
        *counts.entry(line).or_insert(0) += 1;
    }
    counts
}
