//! Closes ideas, opens closed ones again, and adds new ones.

use crate::domain::{Axis, ExperimentId};

use super::IdeasError;
use super::catalogue::{Catalogue, Entry, SectionKind};
use super::comment::{self, ClosedAxis, Comment};
use super::placing::{insert, insert_into, is_item, move_to, one_line, rewritten, splice, stop};
use super::reopen::BY_A_PERSON;

/// An idea is not to be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closing {
    /// The idea's id or label; for a value of a setting that belongs to no idea, `name=value`.
    pub id: String,
    /// The setting that it is about, where values of one are closed as such: an idea about it moves and becomes the entry.
    pub axis: Option<String>,
    /// What it was, for an idea that the file does not have; of a setting, what was found out.
    pub text: String,
    /// The values that were tried.
    pub axes: Vec<Axis>,
    /// The experiments that tried it.
    pub experiments: Vec<ExperimentId>,
    /// The measured effect with its interval.
    pub effect: String,
    /// The commit that the last of them was measured against, perhaps abbreviated.
    pub base: Option<String>,
    /// The last settled experiment, where it is none of those.
    pub since: Option<ExperimentId>,
    /// Why it failed.
    pub mechanism: String,
    /// When it may be tried again.
    pub reopen: Option<String>,
}

/// A closed idea may be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reopening {
    /// The idea's id or label.
    pub id: String,
    /// Why.
    pub because: String,
}

/// A new idea.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// Its id, unless the text begins with a label.
    pub id: Option<String>,
    /// What it is, in one line.
    pub text: String,
    /// The title of its section, or the beginning of one; a known section is added where it is missing.
    pub section: String,
}

/// Where an idea is that is not closed.
const OPEN: [SectionKind; 3] = [SectionKind::ToTry, SectionKind::FollowUp, SectionKind::Tried];

/// Closes an idea: its entry moves to `Closed`, a new one is added there, or the one there gets what is new.
pub(super) fn close(text: &str, catalogue: &Catalogue, closing: &Closing) -> String {
    if let Some(entry) = closed_entry(catalogue, closing) {
        return add_to(text, entry, closing);
    }
    match open_entry(catalogue, closing) {
        Some(entry) => move_to(text, entry, SectionKind::Closed, &closed_item(text, entry, closing)),
        None => insert(text, catalogue, SectionKind::Closed, &new_closed(closing)),
    }
}

/// Finds the entry that is closed already: by its name, or because it closes values of the setting.
pub(super) fn closed_entry<'a>(catalogue: &'a Catalogue, closing: &Closing) -> Option<&'a Entry> {
    let named = catalogue.find(&closing.id, &[SectionKind::Closed]).map(|(_, entry)| entry);
    named.or_else(|| catalogue.entries(SectionKind::Closed).find(|entry| is_about(entry, closing)))
}

/// Finds the entry of an idea that is to be closed and is elsewhere: by its name, or because it is about the setting.
pub(super) fn open_entry<'a>(catalogue: &'a Catalogue, closing: &Closing) -> Option<&'a Entry> {
    let called = [Some(&closing.id), closing.axis.as_ref()];
    let mut named = called.into_iter().flatten().filter_map(|name| catalogue.find(name, &OPEN));
    let about = || OPEN.into_iter().flat_map(|kind| catalogue.entries(kind)).find(|entry| is_about(entry, closing));
    named.next().map(|(_, entry)| entry).or_else(about)
}

/// Says whether an entry is about the setting as such, or about one of the values that are closed.
fn is_about(entry: &Entry, closing: &Closing) -> bool {
    let Some(name) = &closing.axis else { return false };
    let axes = entry.comment.iter().flat_map(|comment| &comment.axes);
    let mut own = axes.filter(|axis| axis.name == *name);
    own.any(|axis| axis.value.as_ref().is_none_or(|value| closing.axes.iter().any(|axis| axis.value == *value)))
}

fn closed_axes<'a>(axes: impl IntoIterator<Item = &'a Axis>) -> Vec<ClosedAxis> {
    axes.into_iter().map(|axis| ClosedAxis { name: axis.name.clone(), value: Some(axis.value.clone()) }).collect()
}

fn new_closed(closing: &Closing) -> String {
    let comment = Comment {
        id: Some(closing.id.clone()),
        axes: closed_axes(&closing.axes),
        closed: closing.experiments.clone(),
        base: closing.base.clone(),
        since: closing.since,
        reopen: closing.reopen.clone(),
        ..Comment::default()
    };
    format!("- **{}** {} {}", one_line(&closing.id), sentences(closing, &closing.text), comment.render())
}

/// Says what it was, what was tried, what came of it and why, in sentences.
fn sentences(closing: &Closing, text: &str) -> String {
    let on = closing.base.as_ref().filter(|_| !closing.experiments.is_empty());
    let on = on.map_or_else(String::new, |base| format!(" on {base}"));
    let parts = [
        ("", one_line(text)),
        ("Tried: ", format!("{}{on}", numbered(&closing.experiments))),
        ("Effect: ", one_line(&closing.effect)),
        ("Mechanism: ", one_line(&closing.mechanism)),
        ("Reopen: ", closing.reopen.as_deref().map_or(BY_A_PERSON.to_owned(), one_line)),
    ];
    let told = parts.iter().filter(|(_, what)| !what.is_empty());
    told.map(|(name, what)| format!("{name}{}.", what.trim_end_matches('.'))).collect::<Vec<_>>().join(" ")
}

/// Returns an open entry's own bytes as a closed one, with what came of it. The comment of an idea about a setting names
/// the values in the place of the setting as such, since only they were measured.
fn closed_item(text: &str, entry: &Entry, closing: &Closing) -> String {
    let known = entry.comment.clone().unwrap_or_default();
    let closing = &Closing { reopen: closing.reopen.clone().or(known.reopen), ..closing.clone() };
    let now = Comment {
        closed: union(&known.closed, &closing.experiments),
        base: closing.base.clone().or(known.base),
        since: closing.since,
        reopen: closing.reopen.clone(),
        ..Comment::default()
    };
    // An idea has words of its own; of a setting the closing says what was found out.
    let found = if closing.axis.is_some() { closing.text.as_str() } else { "" };
    let mut said = format!("{}{}", stop(&text[entry.text_start..entry.text_end]), sentences(closing, found));
    let mut pieces = Vec::new();
    if let Some(task) = &entry.task {
        let untried = closing.experiments.is_empty();
        let end = if untried { entry.text_start.max(task.end) } else { task.end };
        pieces.push((task.start..end, if untried { String::new() } else { "[x]".to_owned() }));
    }
    if let Some(at) = &entry.comment_range {
        let written = match &closing.axis {
            Some(name) => comment::with_axes(&text[at.clone()], Some(name), &closed_axes(&closing.axes)),
            None => text[at.clone()].to_owned(),
        };
        pieces.push((at.clone(), comment::with_keys(&written, &now.closing())));
    } else {
        // A label is a name already.
        let id = entry.label.is_none().then(|| closing.id.clone());
        said += " ";
        said += &Comment { id, axes: closed_axes(&closing.axes), ..now }.render();
    }
    pieces.push((entry.text_end..entry.text_end, said));
    rewritten(text, entry, pieces)
}

/// Adds what is new to an entry that is closed already: experiments, and values of a setting.
fn add_to(text: &str, entry: &Entry, closing: &Closing) -> String {
    let known = entry.comment.clone().unwrap_or_default();
    let new: Vec<_> = closing.experiments.iter().filter(|n| !known.closed.contains(n)).copied().collect();
    let covered = |axis: &&Axis| known.axes.iter().any(|closed| closed.covers(axis));
    // An idea that was closed as such has no list of values, and gets none.
    let axes = closing.axes.iter().filter(|axis| closing.axis.is_some() && !covered(axis));
    let axes = closed_axes(axes);
    if new.is_empty() && axes.is_empty() {
        return text.to_owned();
    }
    let told = numbered(if new.is_empty() { &closing.experiments } else { &new });
    let mechanism = one_line(&closing.mechanism);
    let is_told = one_line(&entry.text).contains(&mechanism);
    let why = if is_told { String::new() } else { format!(" Mechanism: {}.", mechanism.trim_end_matches('.')) };
    let effect = one_line(&closing.effect);
    let effect = if effect.is_empty() { effect } else { format!(", {}", effect.trim_end_matches('.')) };
    let sentence = format!(" Again: {told}{effect}.{why}");
    let now = Comment { closed: union(&known.closed, &new), base: closing.base.clone(), ..Comment::default() };
    let end = entry.text_end..entry.text_end;
    if let Some(at) = &entry.comment_range {
        let keys: Vec<_> = now.closing().into_iter().filter(|(_, value)| value.is_some()).collect();
        let comment = comment::with_axes(&comment::with_keys(&text[at.clone()], &keys), None, &axes);
        return splice(text, &entry.range, &rewritten(text, entry, vec![(end, sentence), (at.clone(), comment)]));
    }
    splice(text, &end, &format!("{sentence} {}", Comment { axes, ..now }.render()))
}

fn union(known: &[ExperimentId], new: &[ExperimentId]) -> Vec<ExperimentId> {
    let added = new.iter().filter(|n| !known.contains(n));
    known.iter().chain(added).copied().collect()
}

fn numbered(experiments: &[ExperimentId]) -> String {
    experiments.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(", ")
}

/// Opens a closed idea again: its entry moves to `To try`, with the reason and with its history.
pub(super) fn reopen(text: &str, catalogue: &Catalogue, reopening: &Reopening) -> Result<String, IdeasError> {
    let said = reopened(reopening);
    if catalogue.find(&reopening.id, &[SectionKind::ToTry]).is_some_and(|(_, entry)| entry.text.contains(&said)) {
        return Ok(text.to_owned());
    }
    let Some((_, entry)) = catalogue.find(&reopening.id, &[SectionKind::Closed]) else {
        return Err(IdeasError::NotClosed { idea: reopening.id.clone() });
    };
    let lead = &text[entry.text_start..entry.text_end];
    let mut pieces = vec![(entry.text_end..entry.text_end, format!("{}{said}", stop(lead)))];
    match &entry.task {
        Some(task) => pieces.push((task.clone(), "[ ]".to_owned())),
        None if is_item(text, entry) => pieces.insert(0, (entry.text_start..entry.text_start, "[ ] ".to_owned())),
        None => {}
    }
    if let Some(at) = &entry.comment_range {
        pieces.push((at.clone(), comment::with_keys(&text[at.clone()], &[("since", None), ("reopen", None)])));
    }
    Ok(move_to(text, entry, SectionKind::ToTry, &rewritten(text, entry, pieces)))
}

/// Returns the sentence that a reopened entry gets.
pub(super) fn reopened(reopening: &Reopening) -> String {
    format!("Reopened: {}.", one_line(&reopening.because).trim_end_matches('.'))
}

/// Adds an idea at the end of a section.
pub(super) fn add(text: &str, catalogue: &Catalogue, addition: &Addition) -> Result<String, IdeasError> {
    if let Some((line, idea)) = taken(catalogue, addition) {
        return Err(IdeasError::Taken { idea, line });
    }
    let title = addition.section.trim().to_lowercase();
    let titled = || catalogue.sections.iter().filter(|section| section.level > 0);
    if let Some(section) = titled().find(|section| section.title.to_lowercase().starts_with(&title)) {
        return Ok(insert_into(text, section, &added(addition, section.kind)));
    }
    let kind = SectionKind::of(&addition.section);
    if kind != SectionKind::Other {
        return Ok(insert(text, catalogue, kind, &added(addition, kind)));
    }
    let known = titled().map(|section| section.title.clone()).collect();
    Err(IdeasError::NoSection { section: addition.section.clone(), known })
}

/// Returns the item of a new idea; what is to be tried has a box.
pub(super) fn added(addition: &Addition, kind: SectionKind) -> String {
    let boxed = if kind == SectionKind::ToTry { "[ ] " } else { "" };
    let comment = addition.id.as_ref().map(|id| Comment { id: Some(id.clone()), ..Comment::default() }.render());
    let comment = comment.map_or_else(String::new, |comment| format!(" {comment}"));
    format!("- {boxed}{}{comment}", one_line(&addition.text))
}

/// Returns the entry that has the name of a new idea already.
fn taken(catalogue: &Catalogue, addition: &Addition) -> Option<(usize, String)> {
    let label = Catalogue::parse(&added(addition, SectionKind::ToTry));
    let label = label.sections.iter().flat_map(|s| &s.entries).find_map(|entry| entry.label.clone());
    let names = [addition.id.clone(), label];
    let entries = || catalogue.sections.iter().flat_map(|section| &section.entries);
    names.into_iter().flatten().find_map(|name| Some((entries().find(|entry| entry.is_named(&name))?.line, name)))
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
            ..Closing::default()
        })
    }

    #[test]
    fn an_idea_about_a_setting_moves_with_what_was_found_and_closes_the_values_alone() {
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
    fn more_values_of_a_setting_join_its_entry() {
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

    #[test]
    fn another_mechanism_is_told_with_the_new_experiments() {
        let closing = |n: u32, mechanism: &str| {
            let (id, mechanism) = ("bloom".to_owned(), mechanism.to_owned());
            Edit::Close(Closing { id, mechanism, experiments: vec![ExperimentId(n)], ..Closing::default() })
        };
        let edited = apply(IDEAS, &closing(9, "filling them costs every put")).unwrap();
        let expected = "- **bloom** filters. Again: #9. Mechanism: filling them costs every put. \
                        <!-- autoresearch: id=bloom closed=3,9 -->\n";
        assert!(edited.ends_with(expected), "{edited}");
        assert_eq!(apply(&edited, &closing(3, "known")).unwrap(), edited);
    }
}
