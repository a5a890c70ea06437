//! `autoresearch ideas add`, `close` and `reopen`: one entry of ideas.md is added or moved, and nothing else.

use super::ideas::Book;
use crate::cli::args::{IdeasAdd, IdeasClose, IdeasReopen};
use crate::cli::error::CliError;
use crate::cli::ui::Ui;
use crate::domain::ExperimentId;
use crate::engine::{Target, closing_of, ideas_file, tried_in_vain};
use crate::ideas::{Addition, Catalogue, Closing, Edit, Reopening, SectionKind, edit_or_make, new_id};
use crate::state::ExperimentRecord;

/// Adds an idea.
pub(super) fn add(book: &Book<'_>, args: &IdeasAdd, ui: &Ui) -> Result<u8, CliError> {
    let id = args.id.clone().or_else(|| new_id(&book.catalogue, &args.text));
    let addition = Addition { id, text: args.text.clone(), section: args.section.clone() };
    // The entries that were there are known by their words; the new one is what is left.
    let after = edited(book, &Edit::Add(addition.clone()))?;
    let entries = |catalogue: &Catalogue| {
        let all = catalogue.sections.iter().flat_map(|section| &section.entries);
        all.map(|entry| (entry.name(), entry.text.clone(), entry.line)).collect::<Vec<_>>()
    };
    let known = entries(&book.catalogue);
    let is_new = |(name, text, _): &&(String, String, usize)| !known.iter().any(|(n, t, _)| n == name && t == text);
    let new = entries(&after);
    let (name, line) = new.iter().find(is_new).map_or((args.text.as_str(), 1), |(name, _, line)| (name, *line));
    ui.line(&format!("added '{name}' ({}:{line})", book.file))?;
    Ok(0)
}

/// Closes an idea or a value of a setting, with what the journal says of it.
pub(super) fn close(book: &Book<'_>, args: &IdeasClose, ui: &Ui) -> Result<u8, CliError> {
    let target = Target::parse(&args.idea);
    let mut closing = of_journal(book, args, &target)?;
    closing.mechanism.clone_from(&args.because);
    closing.reopen.clone_from(&args.reopen);
    refuse(book, &target, &closing)?;
    let after = edited(book, &Edit::Close(closing.clone()))?;
    let numbers: Vec<String> = closing.experiments.iter().map(|n| format!("#{n}")).collect();
    let of = if numbers.is_empty() { String::new() } else { format!(", by {}", numbers.join(", ")) };
    ui.line(&format!("closed '{}'{of} ({})", closing.id, line_in(book, &after, &closing.id, SectionKind::Closed)))?;
    Ok(0)
}

/// Opens a closed idea again.
pub(super) fn reopen(book: &Book<'_>, args: &IdeasReopen, ui: &Ui) -> Result<u8, CliError> {
    let reopening = Reopening { id: args.idea.clone(), because: args.because.clone() };
    let after = edited(book, &Edit::Reopen(reopening))?;
    ui.line(&format!("reopened '{}' ({})", args.idea, line_in(book, &after, &args.idea, SectionKind::ToTry)))?;
    Ok(0)
}

/// Makes an edit of the file, and returns the catalogue as it is then.
fn edited(book: &Book<'_>, edit: &Edit) -> Result<Catalogue, CliError> {
    let folder = std::env::temp_dir();
    let scratch = tempfile::tempdir_in(&folder).map_err(|source| CliError::io("make a folder in", &folder, source))?;
    let path = ideas_file(book.place.repository.root(), &book.place.settings);
    edit_or_make(&path, edit, scratch.path())?;
    let text = std::fs::read_to_string(&path).map_err(|source| CliError::io("read", &path, source))?;
    Ok(Catalogue::parse(&text))
}

fn line_in(book: &Book<'_>, after: &Catalogue, name: &str, kind: SectionKind) -> String {
    let line = after.find(name, &[kind]).map_or(1, |(_, entry)| entry.line);
    format!("{}:{line}", book.file)
}

/// Takes from the journal what it says of a target; without a journal the experiments are those that were named.
fn of_journal(book: &Book<'_>, args: &IdeasClose, target: &Target) -> Result<Closing, CliError> {
    let named: Vec<ExperimentId> = args.experiments.iter().copied().map(ExperimentId).collect();
    let Some(state) = book.folded.as_ref().map(|folded| &folded.state) else {
        let base = book.place.repository.require_commit()?;
        let base = Some(base.short().to_owned());
        return Ok(Closing { experiments: named, base, ..closing_of(target, &[], &book.place.settings) });
    };
    let last = state.experiments().iter().map(|record| record.id).max().unwrap_or(ExperimentId::BASELINE);
    let find = |id: &ExperimentId| state.experiment(*id).ok_or(CliError::NoExperiment { experiment: *id, last });
    let experiments: Vec<&ExperimentRecord> = if named.is_empty() {
        tried_in_vain(state, target)
    } else {
        named.iter().map(find).collect::<Result<_, _>>()?
    };
    let settings = state.configured().map_or(&book.place.settings, |configured| configured.settings.as_ref());
    let mut closing = closing_of(target, &experiments, settings);
    if experiments.is_empty() {
        closing.since = Some(last);
        closing.base = state.tip().map(|tip| tip.short().to_owned());
    }
    Ok(closing)
}

/// Refuses to close what nobody knows, and what is closed already.
fn refuse(book: &Book<'_>, target: &Target, closing: &Closing) -> Result<(), CliError> {
    let kinds = [SectionKind::Closed, SectionKind::ToTry, SectionKind::FollowUp, SectionKind::Tried];
    let (idea, file) = (closing.id.clone(), book.file.clone());
    match (book.catalogue.find(&closing.id, &kinds), target) {
        (Some((SectionKind::Closed, entry)), _) => {
            let known = entry.comment.as_ref().map(|comment| comment.closed.as_slice()).unwrap_or_default();
            if closing.experiments.iter().any(|n| !known.contains(n)) {
                return Ok(());
            }
            Err(CliError::AlreadyClosed { idea, file, line: entry.line })
        }
        (None, Target::Idea(_)) if closing.experiments.is_empty() => Err(CliError::NoIdea { idea, file }),
        (Some(_), _) | (None, Target::Idea(_) | Target::Axis(_)) => Ok(()),
    }
}
