//! ideas.md as `ideas list` and `ideas search` show it.

use serde::Serialize;

use crate::domain::ExperimentId;
use crate::ideas::{Catalogue, Entry, Facts, Reopen, Section, SectionKind};

/// A catalogue, or a part of it.
#[derive(Debug, Clone, Serialize)]
pub struct IdeasView {
    /// The file, relative to the repository root.
    pub file: String,
    /// The entries: open ones first, then tried, closed and settled ones.
    pub ideas: Vec<IdeaView>,
}

/// One entry.
#[derive(Debug, Clone, Serialize)]
pub struct IdeaView {
    /// What it is called.
    pub name: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// The title of its section.
    pub section: String,
    /// What that means.
    pub state: IdeaState,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its leading text in one line.
    pub text: String,
    /// The values of settings that it is about.
    pub axes: Vec<String>,
    /// The experiments that it names.
    pub experiments: Vec<ExperimentId>,
    /// Why it failed, where it says so.
    pub mechanism: Option<String>,
    /// When it may be tried again, where it says so.
    pub reopen: Option<ReopenView>,
}

/// What the section of an entry means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdeaState {
    /// To be tried.
    ToTry,
    /// For people to look at.
    FollowUp,
    /// Closed, and its condition holds: it may be tried again.
    Reopened,
    /// Tried.
    Tried,
    /// Not to be tried again.
    Closed,
    /// Decided by people.
    Settled,
    /// In a section that the tool does not know.
    Other,
}

/// A condition for trying a closed idea again.
#[derive(Debug, Clone, Serialize)]
pub struct ReopenView {
    /// As it is written.
    pub condition: String,
    /// Whether the machine can judge it.
    pub known: bool,
    /// Whether it holds now.
    pub holds: bool,
    /// How far it has come.
    pub standing: String,
}

impl IdeasView {
    /// Shows every entry of the known sections, and of others what has a box or a machine comment.
    pub fn of_all(file: String, catalogue: &Catalogue, facts: &Facts) -> Self {
        let of_section = |section: &'_ Section| {
            let shown =
                |entry: &&Entry| section.kind != SectionKind::Other || entry.is_task() || entry.comment.is_some();
            section.entries.iter().filter(shown).map(|entry| IdeaView::new(section, entry, facts)).collect::<Vec<_>>()
        };
        let mut ideas: Vec<IdeaView> = catalogue.sections.iter().flat_map(of_section).collect();
        ideas.sort_by_key(|idea| idea.state);
        Self { file, ideas }
    }

    /// Shows the entries that were found, in the same order.
    pub fn of_found(file: String, found: &[(&Section, &Entry)], facts: &Facts) -> Self {
        let mut ideas: Vec<_> = found.iter().map(|(section, entry)| IdeaView::new(section, entry, facts)).collect();
        ideas.sort_by_key(|idea| idea.state);
        Self { file, ideas }
    }
}

impl IdeaView {
    fn new(section: &Section, entry: &Entry, facts: &Facts) -> Self {
        let comment = entry.comment.clone().unwrap_or_default();
        let reopen = comment.reopen.as_ref().filter(|_| section.kind == SectionKind::Closed).map(|text| {
            let condition = Reopen::parse(text);
            let standing = condition.standing(&comment, facts);
            let (known, holds) = (condition.is_known(), standing.holds);
            ReopenView { condition: text.clone(), known, holds, standing: standing.said }
        });
        let mut experiments = entry.experiments();
        experiments.extend(comment.closed.iter().filter(|n| !entry.text.contains(&format!("(#{n})"))));
        experiments.sort_unstable();
        Self {
            name: entry.name(),
            state: state(section.kind, reopen.as_ref()),
            section: section.title.trim().to_owned(),
            line: entry.line,
            text: entry.summary(),
            axes: comment.axes.iter().map(ToString::to_string).collect(),
            experiments,
            mechanism: entry.mechanism(),
            reopen,
            id: comment.id,
        }
    }
}

fn state(kind: SectionKind, reopen: Option<&ReopenView>) -> IdeaState {
    match kind {
        SectionKind::ToTry => IdeaState::ToTry,
        SectionKind::FollowUp => IdeaState::FollowUp,
        SectionKind::Tried => IdeaState::Tried,
        SectionKind::Closed if reopen.is_some_and(|reopen| reopen.holds) => IdeaState::Reopened,
        SectionKind::Closed => IdeaState::Closed,
        SectionKind::Settled => IdeaState::Settled,
        SectionKind::Other => IdeaState::Other,
    }
}
