//! Holds the commits of a branch against the journal: each must say what its experiment's line says, of the same patch.

use crate::domain::{ExperimentId, ObjectId, PatchId, RunSummary, SessionId, Settings};
use crate::engine::EngineError;
use crate::engine::message::trailers_of;

use super::replay::{Kept, Replayed};
use crate::git::{CommitWords, UserRepository};

/// What was found about one commit of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFinding {
    /// The commit.
    pub commit: ObjectId,
    /// Its subject.
    pub subject: String,
    /// The experiment that it says it is.
    pub experiment: Option<ExperimentId>,
    /// What does not agree; `None` where all of it does.
    pub fault: Option<String>,
}

/// Checks every commit of a list, oldest first, against the session's record.
pub(super) fn audit_commits(
    user: &UserRepository,
    commits: &[CommitWords],
    record: &Replayed,
) -> Result<Vec<CommitFinding>, EngineError> {
    commits.iter().map(|commit| audit(user, commit, record)).collect()
}

fn audit(user: &UserRepository, commit: &CommitWords, record: &Replayed) -> Result<CommitFinding, EngineError> {
    let session = record.state.session();
    let subject = commit.message.lines().next().unwrap_or_default().to_owned();
    let found = |experiment, fault| CommitFinding { commit: commit.commit.clone(), subject, experiment, fault };
    let trailer = |name: &str| trailer(&commit.message, name);
    if trailer("Undone").is_some() && trailer("Session").as_deref() == Some(&session.to_string()) {
        return Ok(found(None, None));
    }
    let Some(id) = trailer("Experiment").and_then(|number| number.parse().ok()).map(ExperimentId) else {
        return Ok(found(None, Some("it carries no experiment, so nothing proves it".to_owned())));
    };
    if trailer("Session").as_deref() != Some(&session.to_string()) {
        return Ok(found(Some(id), Some("it is of another session than the record".to_owned())));
    }
    let Some(Kept { run, settings }) = record.keeps.get(&id) else {
        return Ok(found(Some(id), Some(format!("the record has no keep {id}"))));
    };
    let patch = user.commit_patch(commit.commit.as_str())?.patch;
    let fault =
        said(&commit.message, run, session, settings).or(of_another_patch(user.patch_id(&patch)?.as_ref(), run));
    Ok(found(Some(id), fault))
}

/// Says which trailer differs from what the settling line gives.
fn said(message: &str, run: &RunSummary, session: SessionId, settings: &Settings) -> Option<String> {
    let expected = trailers_of(run, session, settings);
    let differing = expected.into_iter().find(|(name, value)| trailer(message, name).as_deref() != Some(value));
    differing.map(|(name, value)| {
        let found = trailer(message, name).unwrap_or_else(|| "nothing".to_owned());
        format!("its {name} says {found}, but the record {value}")
    })
}

fn of_another_patch(found: Option<&PatchId>, run: &RunSummary) -> Option<String> {
    if found == run.patch_id.as_ref() {
        return None;
    }
    let words = |id: Option<&PatchId>| id.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    Some(format!("its change is patch {}, but the record kept {}", words(found), words(run.patch_id.as_ref())))
}

/// Returns the value of a message's last trailer of a name.
fn trailer(message: &str, name: &str) -> Option<String> {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(|value| value.trim().to_owned());
    message.lines().rev().find_map(value)
}
