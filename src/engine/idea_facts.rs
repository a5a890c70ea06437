//! What ideas.md is judged by besides its own words: what was tried and kept since, and what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::domain::{CandidateSource, Event, ExperimentId, ObjectId, PatchId, RunSummary, Settings};
use crate::git::UserRepository;
use crate::ideas::{Catalogue, Comment, Facts, Keep, NamedIdea, Reopen, SectionKind};
use crate::journal::{JournalError, Reader};
use crate::propose::{Queue, QueueError};
use crate::state::SessionState;

use super::EngineError;
use super::offer::Offer;
use super::workbench::join;

/// File name of the catalogue, beside the config.
pub(super) const FILE: &str = "ideas.md";

/// Returns where the ideas.md of a session is in a checkout.
pub fn ideas_file(root: &Path, settings: &Settings) -> PathBuf {
    root.join(join(&settings.folder, FILE))
}

/// Reads ideas.md of a checkout; a missing file is an empty text.
pub fn read_ideas(root: &Path, settings: &Settings) -> Result<String, EngineError> {
    let path = ideas_file(root, settings);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(EngineError::io("read", &path, source)),
    }
}

/// Where the facts come from.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    /// The fold of the journal, where there is one.
    pub state: Option<&'a SessionState>,
    /// The journal.
    pub journal: &'a Path,
    /// The user's repository.
    pub user: &'a UserRepository,
    /// The commit that candidates are applied to.
    pub tip: &'a ObjectId,
}

/// Collects what the entries of a catalogue are judged by. The journal is read again only where a condition needs what
/// the fold does not keep.
pub fn idea_facts(catalogue: &Catalogue, past: Past<'_>) -> Result<Facts, EngineError> {
    let mut facts = Facts { today: jiff::Zoned::now().date(), ..Facts::default() };
    let conditions = conditions(catalogue);
    facts.changed = changed(&conditions, past)?;
    let Some(state) = past.state else { return Ok(facts) };
    let mut tried: BTreeMap<PatchId, Vec<ExperimentId>> = BTreeMap::new();
    for record in state.experiments() {
        if let Some(patch_id) = record.patch_id() {
            tried.entry(patch_id).or_default().push(record.id);
        }
    }
    facts.tried = tried;
    facts.keeps = state.keeps().map(|record| Keep { experiment: record.id, ..Keep::default() }).collect();
    let needs_detail = |(_, reopen): &(&Comment, Reopen)| match reopen {
        Reopen::Changed(_) | Reopen::Moved { .. } => true,
        Reopen::KeepsSince(_) | Reopen::After(_) | Reopen::ForPeople(_) => false,
    };
    if conditions.iter().any(needs_detail) && !facts.keeps.is_empty() {
        fill(&mut facts.keeps, past.journal)?;
    }
    Ok(facts)
}

fn conditions(catalogue: &Catalogue) -> Vec<(&Comment, Reopen)> {
    let comments = catalogue.entries(SectionKind::Closed).filter_map(|entry| entry.comment.as_ref());
    comments.filter_map(|comment| Some((comment, Reopen::parse(comment.reopen.as_ref()?)))).collect()
}

/// Lists what differs between the commits of closings and the tip.
fn changed(conditions: &[(&Comment, Reopen)], past: Past<'_>) -> Result<BTreeMap<String, Vec<String>>, EngineError> {
    let wanted = conditions.iter().filter(|(_, reopen)| matches!(reopen, Reopen::Changed(_)));
    let bases: BTreeSet<&String> = wanted.filter_map(|(comment, _)| comment.base.as_ref()).collect();
    let mut all = BTreeMap::new();
    for base in bases {
        if let Some(paths) = past.user.paths_between(base, past.tip.as_str())? {
            all.insert(base.clone(), paths);
        }
    }
    Ok(all)
}

/// Takes from the journal what each keep touched, and what it did to each metric.
fn fill(keeps: &mut [Keep], journal: &Path) -> Result<(), JournalError> {
    let at: BTreeMap<ExperimentId, usize> = keeps.iter().enumerate().map(|(n, keep)| (keep.experiment, n)).collect();
    for record in Reader::open(journal)?.records() {
        let record = record?;
        let Some(keep) = record.experiment.and_then(|id| at.get(&id)).map(|n| &mut keeps[*n]) else { continue };
        if !matches!(record.kind(), "screened" | "run") {
            continue;
        }
        match record.event()? {
            Some(Event::Screened(screened)) => keep.touched = screened.touched,
            Some(Event::Run(run)) => keep.metrics = medians(&run),
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// Returns the medians of both arms that a settling line tells.
fn medians(run: &RunSummary) -> BTreeMap<String, (f64, f64)> {
    let deltas = run.asi.get("auto").and_then(|auto| auto.get("deltas")).and_then(serde_json::Value::as_object);
    let both = |delta: &serde_json::Value| Some((delta.get("baseline")?.as_f64()?, delta.get("candidate")?.as_f64()?));
    deltas.into_iter().flatten().filter_map(|(name, delta)| Some((name.clone(), both(delta)?))).collect()
}

/// Lists the ideas that the patch files of the candidate folders name; a folder that is not there has none.
pub fn named_ideas(root: &Path, settings: &Settings) -> Result<Vec<NamedIdea>, EngineError> {
    let folders = settings.candidates.iter().filter_map(|source| match source {
        CandidateSource::Patches(folder) => Some(join(&settings.folder, folder)),
        CandidateSource::Commits(_) | CandidateSource::Sweep(_) | CandidateSource::Agent(_) => None,
    });
    let mut named = Vec::new();
    for folder in folders {
        let files = match Queue::new(root, &folder).files() {
            Err(QueueError::Missing { .. }) => continue,
            files => files?,
        };
        for file in files {
            if let Some(idea) = Offer::of_file(&file).and_then(|offer| offer.proposal().idea.clone()) {
                let line = line_of_trailer(&file.bytes()?);
                named.push(NamedIdea { file: file.name, line, idea });
            }
        }
    }
    Ok(named)
}

/// Returns the line of the last `Idea:` trailer before the diff, from 1.
fn line_of_trailer(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let before_diff = text.lines().take_while(|line| !line.starts_with("diff --git ") && !line.starts_with("--- "));
    let is_trailer = |line: &str| line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("idea:"));
    before_diff.enumerate().filter(|(_, line)| is_trailer(line)).last().map_or(1, |(n, _)| n + 1)
}
