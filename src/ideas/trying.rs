//! Marks ideas as tried, and corrects what was written of them.

use crate::domain::ExperimentId;

use super::catalogue::{Catalogue, Entry, SectionKind};
use super::comment::Comment;
use super::placing::{insert, move_to, one_line, rewritten, separator, splice};

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

/// What stands between two outcomes of one idea.
const AND: &str = "; ";

/// Where what came of an idea is written: the entry of one that was closed meanwhile has it too.
const RECORDS: [SectionKind; 2] = [SectionKind::Tried, SectionKind::Closed];

pub(super) fn outcome(tried: &Tried) -> String {
    format!("{} (#{})", one_line(&tried.outcome), tried.experiment)
}

/// Says whether the file tells what came of a tried idea.
pub(super) fn is_told(catalogue: &Catalogue, tried: &Tried) -> bool {
    let outcome = outcome(tried);
    records(catalogue).any(|entry| entry.text.contains(&outcome))
}

fn records(catalogue: &Catalogue) -> impl Iterator<Item = &Entry> {
    RECORDS.into_iter().flat_map(|kind| catalogue.entries(kind))
}

pub(super) fn mark_tried(text: &str, catalogue: &Catalogue, tried: &Tried) -> String {
    if is_told(catalogue, tried) {
        return text.to_owned();
    }
    let outcome = outcome(tried);
    let places = [SectionKind::ToTry, SectionKind::FollowUp, SectionKind::Tried, SectionKind::Closed];
    let Some((kind, entry)) = tried.idea.as_deref().and_then(|idea| catalogue.find(idea, &places)) else {
        return insert(text, catalogue, SectionKind::Tried, &new_tried(tried, &outcome));
    };
    let lead = &text[entry.text_start..entry.text_end];
    match kind {
        SectionKind::Tried => splice(text, &entry.range, &ticked(text, entry, &format!("{AND}{outcome}"))),
        SectionKind::Closed => {
            splice(text, &(entry.text_end..entry.text_end), &format!("{}{outcome}", separator(lead)))
        }
        SectionKind::ToTry | SectionKind::FollowUp | SectionKind::Settled | SectionKind::Other => {
            let item = ticked(text, entry, &format!("{}{outcome}", separator(lead)));
            move_to(text, entry, SectionKind::Tried, &item)
        }
    }
}

/// Puts an outcome in the place of the one before, in the entry that has it.
pub(super) fn correct(text: &str, catalogue: &Catalogue, Correction { before, now }: &Correction) -> String {
    let (said, says) = (outcome(&Tried { outcome: before.clone(), ..now.clone() }), outcome(now));
    let found = records(catalogue).find_map(|entry| {
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
fn ticked(text: &str, entry: &Entry, addition: &str) -> String {
    let tick = match &entry.task {
        Some(task) => (task.clone(), "[x]".to_owned()),
        None => (entry.text_start..entry.text_start, "[x] ".to_owned()),
    };
    rewritten(text, entry, vec![tick, (entry.text_end..entry.text_end, addition.to_owned())])
}
