//! Any text as ideas.md: an edit done twice is done once, and every line that a person wrote is still there.

#![no_main]

use std::collections::BTreeMap;

use autoresearch::domain::{Axis, ExperimentId};
use autoresearch::ideas::{Catalogue, Closing, Edit, Tried, apply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let catalogue = Catalogue::parse(text);
    let entries = || catalogue.sections.iter().flat_map(|section| &section.entries);
    for entry in entries() {
        assert!(text.get(entry.range.clone()).is_some(), "{entry:?}");
    }
    let first = entries().map(|entry| entry.name()).next();
    for idea in [None, first, Some("new".to_owned())] {
        let (what, outcome) = ("what it was".to_owned(), "kept -5.0 %".to_owned());
        let edit = Edit::Tried(Tried { idea: idea.clone(), text: what, outcome, experiment: ExperimentId(7) });
        let Some(edited) = twice_is_once(text, &edit) else { continue };
        if idea.is_none() {
            nothing_is_lost(text, &edited);
        }
    }
    let closing = Closing {
        id: "memtable-size".to_owned(),
        text: "enlarge it".to_owned(),
        axes: vec![Axis { name: "mib".to_owned(), value: "128".to_owned() }],
        experiments: vec![ExperimentId(3)],
        effect: "+0.3 % [-0.5, +1.1]".to_owned(),
        mechanism: "nothing flushes".to_owned(),
        reopen: Some("src/options.rs changed".to_owned()),
        ..Closing::default()
    };
    let known = entries().any(|entry| entry.is_named("memtable-size"));
    if let Some(edited) = twice_is_once(text, &Edit::Close(closing)).filter(|_| !known) {
        nothing_is_lost(text, &edited);
    }
});

fn twice_is_once(text: &str, edit: &Edit) -> Option<String> {
    let once = apply(text, edit).ok()?;
    assert_eq!(apply(&once, edit).expect("what was edited can be edited"), once, "twice is once");
    Some(once)
}

fn nothing_is_lost(text: &str, edited: &str) {
    let now = lines(edited);
    for (line, count) in lines(text) {
        assert!(now.get(line).copied().unwrap_or(0) >= count, "{line:?} is lost in {edited:?}");
    }
}

fn lines(text: &str) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    // To Markdown a carriage return alone ends a line too.
    for line in text.split(['\n', '\r']).map(str::trim_end) {
        *counts.entry(line).or_insert(0) += 1;
    }
    counts
}
