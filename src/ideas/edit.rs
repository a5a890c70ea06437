//! Edits of the text: single entries are marked, moved or added, and every other byte stays.

use std::ops::Range;

use crate::domain::{Axis, ExperimentId};

use super::IdeasError;
use super::catalogue::{Catalogue, Entry, Section, SectionKind, line_end};
use super::close;
use super::comment::Comment;

/// An idea was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The idea's id or label; `None` when the proposal named none.
    pub idea: Option<String>,
    /// What it was, for an idea that the file does not have.
    pub text: String,
    /// What came of it, such as `kept -15.8 %`.
    pub outcome: String,
    /// The experiment.
    pub experiment: ExperimentId,
}

/// What came of a tried idea is no longer so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// What was written of it before, such as `kept -15.8 %`.
    pub before: String,
    /// What is to stand there.
    pub now: Tried,
}

/// An idea is not to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The idea's id.
    pub id: String,
    /// The setting that it is about, where a sweep closes values of one: an idea about it that is still to be tried moves,
    /// and becomes the entry.
    pub axis: Option<String>,
    /// What it was.
    pub text: String,
    /// The values that were tried.
    pub axes: Vec<Axis>,
    /// The experiments that tried it.
    pub experiments: Vec<ExperimentId>,
    /// The measured effect with its interval.
    pub effect: String,
    /// Why it failed.
    pub mechanism: String,
    /// When it may be tried again.
    pub reopen: Option<String>,
}

/// One edit of ideas.md. Doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Ticks the idea, writes what came of it, and moves it to `Tried`.
    Tried(Tried),
    /// Writes what came of it in the place of what was written before; adds it where that is not found.
    Correct(Correction),
    /// Adds an entry under `Closed (do not retry)`, or adds experiments and values to the entry that is there.
    Close(Closing),
}

impl Edit {
    fn section(&self) -> SectionKind {
        match self {
            Self::Tried(_) | Self::Correct(_) => SectionKind::Tried,
            Self::Close(_) => SectionKind::Closed,
        }
    }
}

/// What stands between two outcomes of one idea.
const AND: &str = "; ";

/// Applies an edit to the text of ideas.md. A missing section is added at the end of the text.
///
/// Fails when the text around the place would swallow the new entry, such as a code block that is never closed.
pub fn apply(text: &str, edit: &Edit) -> Result<String, IdeasError> {
    let before = Catalogue::parse(text);
    let edited = match edit {
        Edit::Tried(tried) => mark_tried(text, &before, tried),
        Edit::Correct(correction) => correct(text, &before, correction),
        Edit::Close(closing) => close::close(text, &before, closing),
    };
    if edited == text || is_sound(&before, &Catalogue::parse(&edited), edit) {
        return Ok(edited);
    }
    Err(IdeasError::NotPlaced { section: edit.section().title() })
}

/// Says whether the edited text still has the sections that it had, and one entry more where one was due.
fn is_sound(before: &Catalogue, after: &Catalogue, edit: &Edit) -> bool {
    let titles = |catalogue: &Catalogue| catalogue.sections.iter().map(|s| s.title.clone()).collect::<Vec<_>>();
    let count = |catalogue: &Catalogue| catalogue.sections.iter().map(|s| s.entries.len()).sum::<usize>();
    let (old, new) = (titles(before), titles(after));
    let placed = match edit {
        Edit::Close(closing) => {
            let closed = |catalogue: &Catalogue| close::closed(catalogue, closing).map(|entry| entry.label.is_some());
            let moved = |catalogue: &Catalogue| close::open(catalogue, closing).is_some();
            closed(after).is_some_and(|labelled| labelled || closed(before).is_some() || moved(before))
        }
        Edit::Tried(tried) | Edit::Correct(Correction { now: tried, .. }) => {
            after.entries(SectionKind::Tried).any(|entry| entry.text.contains(&outcome(tried)))
        }
    };
    let entries = count(before)..=count(before) + 1;
    placed && new.starts_with(&old) && new.len() <= old.len() + 1 && entries.contains(&count(after))
}

fn outcome(tried: &Tried) -> String {
    format!("{} (#{})", one_line(&tried.outcome), tried.experiment)
}

fn mark_tried(text: &str, catalogue: &Catalogue, tried: &Tried) -> String {
    let outcome = outcome(tried);
    if catalogue.entries(SectionKind::Tried).any(|entry| entry.text.contains(&outcome)) {
        return text.to_owned();
    }
    let places = [SectionKind::ToTry, SectionKind::FollowUp, SectionKind::Tried];
    let Some((kind, entry)) = tried.idea.as_deref().and_then(|idea| catalogue.find(idea, &places)) else {
        return insert(text, catalogue, SectionKind::Tried, &new_tried(tried, &outcome));
    };
    let separator = if kind == SectionKind::Tried { AND } else { separator(&text[entry.text_start..entry.text_end]) };
    let item = ticked(text, entry, &format!("{separator}{outcome}"));
    if kind == SectionKind::Tried {
        return splice(text, &entry.range, &item);
    }
    let without = splice(text, &entry.range, "");
    insert(&without, &Catalogue::parse(&without), SectionKind::Tried, &item)
}

/// Puts an outcome in the place of the one before, in the entry that has it.
fn correct(text: &str, catalogue: &Catalogue, Correction { before, now }: &Correction) -> String {
    let (said, says) = (outcome(&Tried { outcome: before.clone(), ..now.clone() }), outcome(now));
    let found = catalogue.entries(SectionKind::Tried).find_map(|entry| {
        let own = &text[entry.text_start..entry.text_end];
        own.rfind(&said).map(|at| (entry.text_start + at, own.contains(&says)))
    });
    match found {
        None => mark_tried(text, catalogue, now),
        Some((at, false)) => splice(text, &(at..at + said.len()), &says),
        // The first outcome was written once more after it had been corrected.
        Some((at, true)) => {
            let from = text[..at].strip_suffix(AND).map_or(at, str::len);
            splice(text, &(from..at + said.len()), "")
        }
    }
}

fn new_tried(tried: &Tried, outcome: &str) -> String {
    let what = one_line(&tried.text);
    let comment = tried.idea.as_ref().map(|idea| Comment { id: Some(idea.clone()), ..Comment::default() });
    let comment = comment.map_or_else(String::new, |comment| format!(" {}", comment.render()));
    format!("- [x] {what}{}{outcome}{comment}", separator(&what))
}

/// Returns the entry's own bytes with its box ticked and something added to its text.
pub(super) fn ticked(text: &str, entry: &Entry, addition: &str) -> String {
    let mut item = text[entry.range.clone()].to_owned();
    item.insert_str(entry.text_end - entry.range.start, addition);
    match &entry.task {
        Some(task) => item.replace_range(task.start - entry.range.start..task.end - entry.range.start, "[x]"),
        None => item.insert_str(entry.text_start - entry.range.start, "[x] "),
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

pub(super) fn numbered(experiments: &[ExperimentId]) -> String {
    experiments.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(", ")
}

/// Makes one line of plain text: what could begin HTML or code is defused.
pub(super) fn one_line(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ").replace('<', "\\<");
    if line.matches('`').count() % 2 == 0 { line } else { line.replace('`', "'") }
}

/// Inserts an item at the end of a section, which is added at the end of the text where it is missing.
pub(super) fn insert(text: &str, catalogue: &Catalogue, kind: SectionKind, item: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let item = item.trim_end_matches(['\r', '\n']);
    if let Some(section) = catalogue.section(kind) {
        return insert_into(text, section, item, newline);
    }
    let level = catalogue.sections.iter().find(|s| s.kind != SectionKind::Other).map_or(2, |s| s.level);
    let heading = format!("{} {}", "#".repeat(usize::from(level)), kind.title());
    let gap = gap_after(text, newline);
    format!("{text}{gap}{heading}{newline}{newline}{item}{newline}")
}

fn insert_into(text: &str, section: &Section, item: &str, newline: &str) -> String {
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

fn is_item(text: &str, entry: &Entry) -> bool {
    text[entry.range.clone()].trim_start().starts_with(['-', '*', '+'])
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

pub(super) fn splice(text: &str, range: &Range<usize>, with: &str) -> String {
    [&text[..range.start], with, &text[range.end..]].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            axis: None,
            text: "enlarge the memtable".into(),
            axes: vec![Axis { name: "memtable_mib".into(), value: "128".into() }],
            experiments: experiments.iter().copied().map(ExperimentId).collect(),
            effect: "+0.3 % [-0.5, +1.1]".into(),
            mechanism: "no flush happens\nin either arm".into(),
            reopen: Some("src/options.rs changed".into()),
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
