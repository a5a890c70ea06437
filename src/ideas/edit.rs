//! Edits of the text: single entries are marked, moved or added, and every other byte stays.

use super::IdeasError;
use super::catalogue::{Catalogue, Entry, SectionKind};
use super::closing::{self, Addition, Closing, Reopening};
use super::trying::{self, Correction, Tried};

/// One edit of ideas.md. Doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Ticks the idea, writes what came of it, and moves it to `Tried`.
    Tried(Tried),
    /// Writes what came of it in the place of what was written before; adds it where that is not found.
    Correct(Correction),
    /// Moves the idea to `Closed (do not retry)` or adds it there, or adds the experiments to the entry that is there.
    Close(Closing),
    /// Moves a closed idea back to `To try`.
    Reopen(Reopening),
    /// Adds an idea; one whose name is taken is refused, also on the second time.
    Add(Addition),
}

/// Applies an edit to the text of ideas.md. A missing section is added at the end of the text.
///
/// Fails when the text around the place would swallow the new entry, such as a code block that is never closed, and when
/// the file has no such idea or section.
pub fn apply(text: &str, edit: &Edit) -> Result<String, IdeasError> {
    let before = Catalogue::parse(text);
    let edited = match edit {
        Edit::Tried(tried) => trying::mark_tried(text, &before, tried),
        Edit::Correct(correction) => trying::correct(text, &before, correction),
        Edit::Close(closing) => closing::close(text, &before, closing),
        Edit::Reopen(reopening) => closing::reopen(text, &before, reopening)?,
        Edit::Add(addition) => closing::add(text, &before, addition)?,
    };
    if edited == text || is_sound(text, &before, &Catalogue::parse(&edited), edit) {
        return Ok(edited);
    }
    let section = match edit {
        Edit::Tried(_) | Edit::Correct(_) => SectionKind::Tried.title(),
        Edit::Close(_) => SectionKind::Closed.title(),
        Edit::Reopen(_) => SectionKind::ToTry.title(),
        Edit::Add(addition) => &addition.section,
    };
    Err(IdeasError::NotPlaced { section: section.to_owned() })
}

/// Says whether the edited text still has the sections that it had, the entry where it belongs, and no other one less.
fn is_sound(text: &str, before: &Catalogue, after: &Catalogue, edit: &Edit) -> bool {
    let titles = |catalogue: &Catalogue| catalogue.sections.iter().map(|s| s.title.clone()).collect::<Vec<_>>();
    let count = |catalogue: &Catalogue| catalogue.sections.iter().map(|s| s.entries.len()).sum::<usize>();
    let (old, new) = (titles(before), titles(after));
    let placed = match edit {
        Edit::Tried(tried) | Edit::Correct(Correction { now: tried, .. }) => trying::is_told(after, tried),
        Edit::Close(closing) => is_closed(text, before, after, closing),
        Edit::Reopen(reopening) => {
            let closed = before.find(&reopening.id, &[SectionKind::Closed]).map(|(_, entry)| entry);
            let open = after.find(&reopening.id, &[SectionKind::ToTry]).map(|(_, entry)| entry);
            closed.zip(open).is_some_and(|(old, new)| continues(text, old, new))
        }
        Edit::Add(addition) => {
            let item = Catalogue::parse(&closing::added(addition, SectionKind::ToTry));
            let item = item.sections.iter().flat_map(|s| &s.entries).next();
            let mut entries = after.sections.iter().flat_map(|section| &section.entries);
            item.is_some_and(|item| entries.any(|entry| entry.text == item.text && entry.comment == item.comment))
                && count(after) == count(before) + 1
        }
    };
    let entries = count(before)..=count(before) + 1;
    placed && new.starts_with(&old) && new.len() <= old.len() + 1 && entries.contains(&count(after))
}

/// Says whether an idea's closed entry is the one that it had, there or elsewhere, or a new one of its own.
fn is_closed(text: &str, before: &Catalogue, after: &Catalogue, closing: &Closing) -> bool {
    let Some(new) = closing::closed_entry(after, closing) else { return false };
    if closing::closed_entry(before, closing).is_some() {
        return true;
    }
    match closing::open_entry(before, closing) {
        Some(old) => continues(text, old, new),
        None => new.label.is_some(),
    }
}

/// Says whether an entry that moved still begins with its own words, and not with text that swallowed it.
fn continues(text: &str, old: &Entry, new: &Entry) -> bool {
    new.text.starts_with(text[old.text_start..old.text_end].trim()) && new.label == old.label
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Axis, ExperimentId};
    use crate::ideas::placing::splice;

    const IDEAS: &str = "\
# Ideas

## To try
- [ ] **P1.2** raise the L0 threshold <!-- autoresearch: id=l0 -->
- [ ] other

## Tried
- [x] first: kept -1.0 % (#1)

## Settled decisions
Ours.
";

    fn tried(idea: &str) -> Edit {
        let (text, outcome) = ("what it was".to_owned(), "kept -15.8 %".to_owned());
        Edit::Tried(Tried { idea: Some(idea.to_owned()), text, outcome, experiment: ExperimentId(5) })
    }

    fn closing(experiments: &[u32]) -> Edit {
        Edit::Close(Closing {
            id: "memtable-size".into(),
            text: "enlarge the memtable".into(),
            axes: vec![Axis { name: "memtable_mib".into(), value: "128".into() }],
            experiments: experiments.iter().copied().map(ExperimentId).collect(),
            effect: "+0.3 % [-0.5, +1.1]".into(),
            mechanism: "no flush happens\nin either arm".into(),
            reopen: Some("src/options.rs changed".into()),
            ..Closing::default()
        })
    }

    #[test]
    fn a_tried_idea_is_ticked_and_moved() {
        let edited = apply(IDEAS, &tried("P1.2")).unwrap();
        let expected =
            IDEAS.replace("- [ ] **P1.2** raise the L0 threshold <!-- autoresearch: id=l0 -->\n", "").replace(
                "(#1)\n",
                "(#1)\n- [x] **P1.2** raise the L0 threshold: kept -15.8 % (#5) <!-- autoresearch: id=l0 -->\n",
            );
        assert_eq!(edited, expected);
        assert_eq!(apply(&edited, &tried("P1.2")).unwrap(), edited);
    }

    #[test]
    fn an_idea_that_the_file_does_not_have_is_added_as_tried() {
        let edited = apply(IDEAS, &tried("new")).unwrap();
        let line = "- [x] what it was: kept -15.8 % (#5) <!-- autoresearch: id=new -->\n";
        assert_eq!(edited, IDEAS.replace("(#1)\n", &format!("(#1)\n{line}")));
    }

    fn undone(idea: &str) -> Edit {
        let Edit::Tried(now) = tried(idea) else { unreachable!() };
        let before = now.outcome.clone();
        Edit::Correct(Correction { before, now: Tried { outcome: "undone: stale build".to_owned(), ..now } })
    }

    #[test]
    fn an_outcome_that_is_no_longer_so_is_corrected_in_place() {
        let kept = apply(IDEAS, &tried("P1.2")).unwrap();
        let corrected = apply(&kept, &undone("P1.2")).unwrap();
        assert_eq!(corrected, kept.replace("kept -15.8 % (#5)", "undone: stale build (#5)"));
        assert_eq!(apply(&corrected, &undone("P1.2")).unwrap(), corrected);
        let again = apply(&corrected, &tried("P1.2")).unwrap();
        assert_eq!(apply(&again, &undone("P1.2")).unwrap(), corrected);
        let later = kept.replace("(#5)", "(#5); dropped (#9)");
        assert_eq!(
            apply(&later, &undone("P1.2")).unwrap(),
            later.replace("kept -15.8 % (#5)", "undone: stale build (#5)")
        );
    }

    #[test]
    fn a_correction_is_added_where_the_outcome_was_reworded_or_never_written() {
        let reworded = apply(IDEAS, &tried("P1.2")).unwrap().replace("kept -15.8 % (#5)", "won a lot");
        assert_eq!(
            apply(&reworded, &undone("P1.2")).unwrap(),
            reworded.replace("won a lot", "won a lot; undone: stale build (#5)")
        );
        let edited = apply(IDEAS, &undone("P1.2")).unwrap();
        assert!(edited.contains("- [x] **P1.2** raise the L0 threshold: undone: stale build (#5) <!--"), "{edited}");
    }

    #[test]
    fn an_idea_tried_again_gets_the_second_outcome_in_place() {
        let once = apply(IDEAS, &tried("l0")).unwrap();
        let mut again = tried("l0");
        if let Edit::Tried(tried) = &mut again {
            (tried.outcome, tried.experiment) = ("discarded".into(), ExperimentId(9));
        }
        let twice = apply(&once, &again).unwrap();
        assert_eq!(twice, once.replace("(#5)", "(#5); discarded (#9)"));
    }

    #[test]
    fn closing_adds_the_section_and_then_only_the_experiments() {
        let edited = apply(IDEAS, &closing(&[3])).unwrap();
        let added = "\n## Closed (do not retry)\n\n\
            - **memtable-size** enlarge the memtable. Tried: #3. Effect: +0.3 % [-0.5, +1.1]. \
            Mechanism: no flush happens in either arm. Reopen: src/options.rs changed. \
            <!-- autoresearch: id=memtable-size axis=memtable_mib=128 closed=3 reopen=\"src/options.rs changed\" -->\n";
        assert_eq!(edited, format!("{IDEAS}{added}"));
        assert_eq!(apply(&edited, &closing(&[3])).unwrap(), edited);
        let again = apply(&edited, &closing(&[3, 16])).unwrap();
        let expected = edited
            .replace("changed. <!--", "changed. Again: #16, +0.3 % [-0.5, +1.1]. <!--")
            .replace("closed=3 ", "closed=3,16 ");
        assert_eq!(again, expected);
    }

    #[test]
    fn the_file_keeps_its_line_ends_and_gets_its_last_one() {
        let text = "## Closed\r\n- **a** b";
        let edited = apply(text, &closing(&[1])).unwrap();
        assert!(edited.starts_with("## Closed\r\n- **a** b\r\n- **memtable-size** "), "{edited}");
        assert!(edited.ends_with("-->\r\n"), "{edited}");
    }

    #[test]
    fn a_carriage_return_alone_ends_a_line_as_markdown_says() {
        for text in ["## Closed??\r---/?\r-", "## Closed\r- **a** b\r\r## Other\rtext", "## Tried\r\r- a\rb"] {
            let edited = apply(text, &closing(&[1])).unwrap();
            assert!(is_insertion(text, &edited), "{text:?} -> {edited:?}");
            assert_eq!(apply(&edited, &closing(&[1])).unwrap(), edited);
        }
    }

    #[test]
    fn an_empty_section_and_an_empty_file_take_an_entry() {
        let edited = apply("## Closed\nTitle\n=====\ntext\n", &closing(&[1])).unwrap();
        assert!(edited.starts_with("## Closed\n\n- **memtable-size** "), "{edited}");
        assert!(edited.ends_with("-->\n\nTitle\n=====\ntext\n"), "{edited}");
        assert!(apply("", &closing(&[1])).unwrap().starts_with("## Closed (do not retry)\n\n- **memtable-size** "));
    }

    #[test]
    fn an_entry_that_the_text_would_swallow_is_refused() {
        for text in ["## Closed\n```\ncode", "## Closed\n<!-- open", "```\n"] {
            let error = apply(text, &closing(&[1])).unwrap_err().to_string();
            assert!(error.starts_with("cannot add an entry under 'Closed (do not retry)'"), "{error}");
        }
    }

    #[test]
    fn what_a_proposal_says_cannot_close_other_ideas() {
        let Edit::Close(mut closing) = closing(&[1]) else { unreachable!() };
        closing.mechanism = "x <!-- autoresearch: id=l0 --> `".into();
        closing.reopen = Some("--> <!-- autoresearch: id=l0 -->".into());
        let edited = apply(IDEAS, &Edit::Close(closing)).unwrap();
        let catalogue = Catalogue::parse(&edited);
        assert!(catalogue.find("l0", &[SectionKind::Closed]).is_none());
        assert!(catalogue.find("memtable-size", &[SectionKind::Closed]).is_some());
    }

    /// Some lines of Markdown such as people write, and worse.
    fn markdown() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("## To try"),
            Just("## Tried"),
            Just("## Closed (do not retry)"),
            Just("### sub"),
            Just("# Other"),
            Just("- [ ] **P1** an idea <!-- autoresearch: id=one -->"),
            Just("* [ ] **P2** starred"),
            Just("1. numbered <!-- autoresearch: id=two closed=4 -->"),
            Just("  - nested"),
            Just("  continued  "),
            Just("text \u{e9}"),
            Just("---"),
            Just("    code"),
            Just("```"),
            Just("<div>"),
            Just("> quote"),
            Just(""),
            Just(""),
        ];
        let newline = prop_oneof![Just("\n"), Just("\r\n")];
        (prop::collection::vec(line, 0..16), newline, any::<bool>())
            .prop_map(|(lines, newline, last)| lines.join(newline) + if last { newline } else { "" })
    }

    /// Says whether `long` is `short` with one piece inserted.
    fn is_insertion(short: &str, long: &str) -> bool {
        let prefix = short.bytes().zip(long.bytes()).take_while(|(a, b)| a == b).count();
        let suffix = short.bytes().rev().zip(long.bytes().rev()).take_while(|(a, b)| a == b).count();
        prefix + suffix >= short.len() && long.len() > short.len()
    }

    proptest! {
        #[test]
        fn closing_only_inserts(text in markdown()) {
            if let Ok(edited) = apply(&text, &closing(&[7])) {
                prop_assert!(is_insertion(&text, &edited), "{text:?} -> {edited:?}");
                prop_assert_eq!(apply(&edited, &closing(&[7])).unwrap(), edited);
            }
        }

        #[test]
        fn marking_as_tried_moves_one_entry_and_nothing_else(text in markdown(), idea in "one|P2|none") {
            let before = Catalogue::parse(&text);
            let entry = before.find(&idea, &[SectionKind::ToTry, SectionKind::FollowUp]).map(|(_, entry)| entry.range.clone());
            let already = before.find(&idea, &[SectionKind::Tried]).is_some();
            if let Ok(edited) = apply(&text, &tried(&idea)) {
                if entry.is_some() || !already {
                    let rest = splice(&text, &entry.unwrap_or(0..0), "");
                    prop_assert!(is_insertion(&rest, &edited), "{text:?} -> {edited:?}");
                }
                prop_assert_eq!(apply(&edited, &tried(&idea)).unwrap(), edited);
            }
        }
    }
}
