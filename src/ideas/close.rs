//! The edit that closes an idea: a new entry, more of one that is there, or an idea that moves.

use crate::domain::{Axis, ExperimentId};

use super::catalogue::{Catalogue, Entry, SectionKind};
use super::comment::{self, ClosedAxis, Comment};
use super::edit::{Closing, insert, numbered, one_line, separator, splice, ticked};

/// Where an idea about a setting waits.
const WAITING: [SectionKind; 2] = [SectionKind::ToTry, SectionKind::FollowUp];

pub(super) fn close(text: &str, catalogue: &Catalogue, closing: &Closing) -> String {
    if let Some(entry) = closed(catalogue, closing) {
        return add(text, entry, closing);
    }
    let Some(entry) = open(catalogue, closing) else {
        return insert(text, catalogue, SectionKind::Closed, &new_closed(closing));
    };
    let item = moved(text, entry, closing);
    let without = splice(text, &entry.range, "");
    insert(&without, &Catalogue::parse(&without), SectionKind::Closed, &item)
}

/// Finds the entry that is closed already: by its id, or because it closes values of the setting.
pub(super) fn closed<'a>(catalogue: &'a Catalogue, closing: &Closing) -> Option<&'a Entry> {
    let by_id = catalogue.find(&closing.id, &[SectionKind::Closed]).map(|(_, entry)| entry);
    by_id.or_else(|| catalogue.entries(SectionKind::Closed).find(|entry| is_about(entry, closing)))
}

/// Finds the idea that waits, where a sweep closes the setting that it is about.
pub(super) fn open<'a>(catalogue: &'a Catalogue, closing: &Closing) -> Option<&'a Entry> {
    let axis = closing.axis.as_ref()?;
    let by_name = catalogue.find(axis, &WAITING).map(|(_, entry)| entry);
    let mut waiting = WAITING.into_iter().flat_map(|kind| catalogue.entries(kind));
    by_name.or_else(|| waiting.find(|entry| is_about(entry, closing)))
}

/// Says whether an entry is about the setting as such, or about one of the values that are closed.
fn is_about(entry: &Entry, closing: &Closing) -> bool {
    let Some(name) = &closing.axis else { return false };
    let axes = entry.comment.iter().flat_map(|comment| &comment.axes);
    let mut own = axes.filter(|axis| axis.name == *name);
    own.any(|axis| axis.value.as_ref().is_none_or(|value| closing.axes.iter().any(|axis| axis.value == *value)))
}

fn new_closed(closing: &Closing) -> String {
    let comment = Comment {
        id: Some(closing.id.clone()),
        axes: closing.axes.iter().map(ClosedAxis::of_value).collect(),
        closed: closing.experiments.clone(),
        reopen: closing.reopen.clone(),
    };
    format!("- **{}** {} {}", one_line(&closing.id), sentences(closing), comment.render())
}

fn sentences(closing: &Closing) -> String {
    let reopen = closing.reopen.as_deref().map_or("by a person".to_owned(), one_line);
    let parts = [
        ("", one_line(&closing.text)),
        ("Tried: ", numbered(&closing.experiments)),
        ("Effect: ", one_line(&closing.effect)),
        ("Mechanism: ", one_line(&closing.mechanism)),
        ("Reopen: ", reopen),
    ];
    let sentences = parts.iter().filter(|(_, what)| !what.is_empty());
    let text: Vec<_> = sentences.map(|(name, what)| format!("{name}{}.", what.trim_end_matches('.'))).collect();
    text.join(" ")
}

/// Returns an idea's own bytes, ticked, with what was found out about it; its comment names the values in the place of
/// the setting as such, since only they were measured.
fn moved(text: &str, entry: &Entry, closing: &Closing) -> String {
    let own = entry.comment.clone().unwrap_or_default();
    let kept = own.axes.into_iter().filter(|axis| Some(&axis.name) != closing.axis.as_ref());
    let comment = Comment {
        id: own.id.or_else(|| entry.label.is_none().then(|| closing.id.clone())),
        axes: kept.chain(closing.axes.iter().map(ClosedAxis::of_value)).collect(),
        closed: closing.experiments.clone(),
        reopen: own.reopen.or_else(|| closing.reopen.clone()),
    };
    let addition = format!("{}{}", separator(&text[entry.text_start..entry.text_end]), sentences(closing));
    let Some(at) = &entry.comment_range else {
        return ticked(text, entry, &format!("{addition} {}", comment.render()));
    };
    let (item, own) = (ticked(text, entry, &addition), &text[at.clone()]);
    match item.rfind(own) {
        Some(start) => splice(&item, &(start..start + own.len()), &comment.render()),
        None => item,
    }
}

fn add(text: &str, entry: &Entry, closing: &Closing) -> String {
    let comment = entry.comment.clone().unwrap_or_default();
    let covered = |axis: &&Axis| comment.axes.iter().any(|closed| closed.covers(axis));
    let axes: Vec<ClosedAxis> = closing.axes.iter().filter(|axis| !covered(axis)).map(ClosedAxis::of_value).collect();
    // An idea that was closed as such has no list of values, and gets none.
    let axes = if closing.axis.is_some() { axes } else { Vec::new() };
    let new: Vec<ExperimentId> = closing.experiments.iter().filter(|n| !comment.closed.contains(n)).copied().collect();
    if new.is_empty() && axes.is_empty() {
        return text.to_owned();
    }
    let told = if new.is_empty() { &closing.experiments } else { &new };
    let sentence = format!(" Again: {}, {}.", numbered(told), one_line(&closing.effect).trim_end_matches('.'));
    let all = [comment.closed, new].concat();
    let end = entry.text_end..entry.text_end;
    if let Some(at) = &entry.comment_range {
        let comment = comment::with_closed(&text[at.clone()], &all, &axes);
        return splice(&splice(text, at, &comment), &end, &sentence);
    }
    let comment = Comment { closed: all, axes, ..Comment::default() };
    splice(text, &end, &format!("{sentence} {}", comment.render()))
}

#[cfg(test)]
mod tests {
    use crate::domain::{Axis, ExperimentId};
    use crate::ideas::{Closing, Edit, apply};

    const IDEAS: &str = "\
# Ideas

## To try

- [ ] first
- [ ] **P2** Let level 0 hold more tables. <!-- autoresearch: id=l0-limit axis=l0_limit -->
- [ ] other <!-- autoresearch: axis=l0_limit=64 -->

## Closed (do not retry)

- **bloom** filters. <!-- autoresearch: id=bloom closed=3 -->
";

    fn sweep(values: &[&str], experiments: &[u32]) -> Edit {
        let axis = |value: &&str| Axis { name: "l0_limit".into(), value: (*value).into() };
        Edit::Close(Closing {
            id: "l0_limit".into(),
            axis: Some("l0_limit".into()),
            text: "l0_limit stays at 4".into(),
            axes: values.iter().map(axis).collect(),
            experiments: experiments.iter().copied().map(ExperimentId).collect(),
            effect: "8: +0.3 % [-0.5, +1.1] (no_effect, #2)".into(),
            mechanism: "knee mapped by a sweep".into(),
            reopen: Some("src/options.rs changed".into()),
        })
    }

    #[test]
    fn an_idea_about_the_setting_moves_with_what_was_found_and_closes_the_values_alone() {
        let edited = apply(IDEAS, &sweep(&["2", "8"], &[1, 2])).unwrap();
        let gone = "- [ ] **P2** Let level 0 hold more tables. <!-- autoresearch: id=l0-limit axis=l0_limit -->\n";
        let moved = "- [x] **P2** Let level 0 hold more tables. l0_limit stays at 4. Tried: #1, #2. \
                     Effect: 8: +0.3 % [-0.5, +1.1] (no_effect, #2). Mechanism: knee mapped by a sweep. \
                     Reopen: src/options.rs changed. <!-- autoresearch: id=l0-limit axis=l0_limit=2 axis=l0_limit=8 \
                     closed=1,2 reopen=\"src/options.rs changed\" -->\n";
        assert_eq!(edited, IDEAS.replace(gone, "") + moved);
        assert_eq!(apply(&edited, &sweep(&["2", "8"], &[1, 2])).unwrap(), edited);
    }

    #[test]
    fn more_values_of_a_later_sweep_join_the_entry_even_under_numbers_that_were_there() {
        let once = apply("", &sweep(&["2", "8"], &[1, 2])).unwrap();
        assert!(once.starts_with("## Closed (do not retry)\n\n- **l0_limit** l0_limit stays at 4. Tried: #1, #2. "));
        let twice = apply(&once, &sweep(&["8", "6"], &[1, 2])).unwrap();
        assert!(twice.contains("Again: #1, #2, 8: +0.3 %"), "{twice}");
        assert!(twice.ends_with("reopen=\"src/options.rs changed\" axis=l0_limit=6 -->\n"), "{twice}");
        assert_eq!(apply(&twice, &sweep(&["8", "6"], &[1, 2])).unwrap(), twice);
    }

    #[test]
    fn an_idea_about_another_value_stays_where_it_is() {
        let others = IDEAS.replace(" id=l0-limit axis=l0_limit", "");
        let edited = apply(&others, &sweep(&["2", "8"], &[1, 2])).unwrap();
        assert!(edited.starts_with(&others), "{edited}");
        let edited = apply(&others, &sweep(&["64"], &[1])).unwrap();
        assert!(!edited.contains("- [ ] other"), "{edited}");
    }
}
