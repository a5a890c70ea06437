//! Edits of files such as people write them: whatever is done, every word stays and no line is reflowed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::{Axis, ExperimentId};

use super::catalogue::{Catalogue, SectionKind};
use super::{Addition, Closing, Edit, Reopening, Tried, apply};

/// A team's file: nested lists, code, a table, comments of people, numbered lists and hard line breaks.
const TEAM: &str = r#"# Ideas: import

<!-- Please keep the order of P1. -- the storage people -->

Notes for whoever reads this: numbers are medians of 20 runs,
see `docs/bench.md`.

## To try (ordered)

- [ ] **P1.1** Checksum more than one byte per step. <!-- autoresearch: id=crc -->
- [ ] **P1.2** Encode into buffers that are used again;
  the batch copies key and value, see `batch.rs:819`.

  Steps:
  1. scratch buffers for the three keys
  2. one for the value
     - truncate, do not free
  ```rust
  let mut key = Vec::with_capacity(64); // - [ ] not an idea
  ```
- [ ] **P1.3** Skip the lookup where a grant cannot exist yet  
  (hard break above) <!-- autoresearch: id=skip-get axis=lookup=off -->

* [ ] starred, without a name

### Later

1. numbered <!-- autoresearch: id=numbered -->
2. `code first` and then words

| knob | values |
|------|--------|
| l0   | 2, 8   |

## Tried

- [x] **P0** pre-size the batch: kept -6.1 % (#2)

## Follow-up / human review

- What a promotion costs on a *small* machine.

## Closed (do not retry)

- **Bloom filters** in front of tables: +2.9 %. The lookups disappear with P1.3.
  > "we tried this twice" -- review
  <!-- autoresearch: id=bloom-filters closed=3 reopen="src/read.rs changed" -->

A paragraph about memtables. <!-- autoresearch: id=memtable closed=16 -->

## Settled decisions

- One call is one commit.
- The log is synced before a call returns. <!-- autoresearch: id=sync path=src/wal.rs pattern="sync_data" -->

---
<details><summary>old</summary>

- [ ] folded away

</details>
"#;

/// A short file of one person.
const PERSON: &str = "ideas\n=====\n\nTo try\n------\n- simd\n+ [ ] **arena** allocate once\n\nclosed\n------\n";

fn tried(idea: &str, n: u32) -> Edit {
    let (text, outcome) = (format!("what {idea} was"), "dropped (no_effect), +0.1 %".to_owned());
    Edit::Tried(Tried { idea: Some(idea.to_owned()), text, outcome, experiment: ExperimentId(n) })
}

fn close(idea: &str, n: u32) -> Edit {
    Edit::Close(Closing {
        id: idea.to_owned(),
        text: format!("what {idea} was"),
        axes: vec![Axis { name: "knob".into(), value: n.to_string() }],
        experiments: vec![ExperimentId(n)],
        effect: "+0.1 % [-0.2, +0.4]".into(),
        base: Some("0123456789".into()),
        mechanism: "the allocator is not the limit".into(),
        reopen: n.is_multiple_of(2).then(|| "3 keeps since".to_owned()),
        ..Closing::default()
    })
}

fn reopen(idea: &str, n: u32) -> Edit {
    Edit::Reopen(Reopening { id: idea.to_owned(), because: format!("reason {n}") })
}

fn add(section: &str, n: u32) -> Edit {
    Edit::Add(Addition { id: Some(format!("new-{n}")), text: format!("new idea {n}"), section: section.to_owned() })
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let names = ["crc", "P1.2", "skip-get", "numbered", "P0", "Bloom filters", "memtable", "arena", "fresh"];
    let sections = ["To try", "Follow-up", "Settled", "Closed"];
    let edit = (0..4_u8, 0..names.len(), 4_u32..40).prop_map(move |(kind, name, n)| match kind {
        0 => tried(names[name], n),
        1 => close(names[name], n),
        2 => reopen(names[name], n),
        _ => add(sections[name % sections.len()], n),
    });
    prop::collection::vec(edit, 1..8)
}

fn file() -> impl Strategy<Value = String> {
    (prop::sample::select(vec![TEAM, PERSON, ""]), any::<bool>(), any::<bool>()).prop_map(|(text, windows, whole)| {
        let text = if whole { text } else { text.trim_end() };
        if windows { text.replace('\n', "\r\n") } else { text.to_owned() }
    })
}

/// Counts the words of a text, without boxes and machine comments, which the tool may change.
fn words(text: &str) -> BTreeMap<String, usize> {
    let machine = regex::Regex::new(r"(?s)<!--\s*autoresearch:.*?-->").unwrap();
    let text = machine.replace_all(text, " ").replace("[ ]", " ").replace("[x]", " ");
    let mut counts = BTreeMap::new();
    for word in text.split_whitespace().map(|word| word.trim_end_matches([':', '.', ';'])) {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}

/// Returns the lines of `old` that `new` does not have in the same number.
fn lost(old: &str, new: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let mut there = lines(new);
    let mut missing = lines(old);
    missing.retain(|line| there.iter().position(|other| other == line).map(|at| there.swap_remove(at)).is_none());
    missing
}

proptest! {
    #[test]
    fn whatever_is_edited_no_word_of_a_person_is_lost(text in file(), edits in edits()) {
        let mut now = text.clone();
        for edit in &edits {
            let before = now.clone();
            if let Ok(edited) = apply(&now, edit) {
                prop_assert!(lost(&before, &edited).len() <= 2, "{edit:?} touches more than an entry:\n{edited}");
                if !matches!(edit, Edit::Add(_)) {
                    prop_assert_eq!(apply(&edited, edit).unwrap(), edited.clone());
                }
                now = edited;
            }
        }
        let there = words(&now);
        for (word, count) in words(&text) {
            prop_assert!(there.get(&word).is_some_and(|now| *now >= count), "'{word}' is lost by {edits:?}:\n{now}");
        }
        prop_assert_eq!(text.contains("\r\n"), now.contains("\r\n") && !text.is_empty());
        prop_assert!(!text.contains("\r\n") || !now.replace("\r\n", "").contains('\n'), "mixed line ends:\n{now:?}");
    }
}

fn lines_of(text: &str, name: &str, kind: SectionKind) -> String {
    let catalogue = Catalogue::parse(text);
    let (_, entry) = catalogue.find(name, &[kind]).unwrap_or_else(|| panic!("no {name} in:\n{text}"));
    text[entry.range.clone()].to_owned()
}

#[test]
fn an_idea_has_one_entry_that_moves_through_its_life() {
    let text = apply(TEAM, &tried("skip-get", 7)).unwrap();
    let text = apply(&text, &close("P1.3", 7)).unwrap();
    let closed = lines_of(&text, "skip-get", SectionKind::Closed);
    assert_eq!(
        closed,
        "- [x] **P1.3** Skip the lookup where a grant cannot exist yet  \n  (hard break above): dropped (no_effect), +0.1 % (#7). \
         Tried: #7 on 0123456789. Effect: +0.1 % [-0.2, +0.4]. Mechanism: the allocator is not the limit. Reopen: by a \
         person. <!-- autoresearch: id=skip-get axis=lookup=off closed=7 base=0123456789 -->\n"
    );
    let text = apply(&text, &reopen("skip-get", 1)).unwrap();
    let open = lines_of(&text, "skip-get", SectionKind::ToTry);
    assert!(open.starts_with("- [ ] **P1.3** Skip the lookup"), "{open}");
    assert!(open.contains("Reopen: by a person. Reopened: reason 1. <!-- autoresearch: id=skip-get"), "{open}");
    let text = apply(&text, &close("skip-get", 8)).unwrap();
    let closed = lines_of(&text, "skip-get", SectionKind::Closed);
    assert!(closed.contains("closed=7,8 base=0123456789 reopen=\"3 keeps since\" -->"), "{closed}");
    let names = Catalogue::parse(&text);
    let count = names.sections.iter().flat_map(|s| &s.entries).filter(|entry| entry.is_named("skip-get")).count();
    assert_eq!(count, 1);
}

#[test]
fn what_is_nested_in_an_entry_moves_with_it_as_it_was() {
    let text = apply(TEAM, &close("P1.2", 9)).unwrap();
    let closed = lines_of(&text, "P1.2", SectionKind::Closed);
    let nested = "  Steps:\n  1. scratch buffers for the three keys\n  2. one for the value\n     - truncate, do not free\n  \
                  ```rust\n  let mut key = Vec::with_capacity(64); // - [ ] not an idea\n  ```\n";
    assert!(closed.ends_with(nested), "{closed}");
    assert!(
        closed.starts_with("- [x] **P1.2** Encode into buffers that are used again;\n  the batch copies"),
        "{closed}"
    );
    assert!(closed.contains("`batch.rs:819`. Tried: #9"), "{closed}");
}

#[test]
fn a_new_idea_goes_to_the_end_of_its_section() {
    let text = apply(TEAM, &add("follow", 1)).unwrap();
    let line = "- What a promotion costs on a *small* machine.\n";
    assert_eq!(text, TEAM.replace(line, &format!("{line}- new idea 1 <!-- autoresearch: id=new-1 -->\n")));
    let text = apply("", &add("To try", 1)).unwrap();
    assert_eq!(text, "## To try\n\n- [ ] new idea 1 <!-- autoresearch: id=new-1 -->\n");
    let error = apply(&text, &add("To try", 1)).unwrap_err().to_string();
    assert_eq!(error, "'new-1' is the name of another entry (line 3); give another --id");
    let error = apply(TEAM, &add("Elsewhere", 1)).unwrap_err().to_string();
    assert!(
        error.starts_with("there is no section 'Elsewhere'; the file has: Ideas: import, To try (ordered)"),
        "{error}"
    );
}

#[test]
fn only_a_closed_idea_is_reopened() {
    let error = apply(TEAM, &reopen("crc", 1)).unwrap_err().to_string();
    assert_eq!(error, "no closed entry is called 'crc'; 'autoresearch ideas list' shows the names");
}
