//! Recovery: completes or undoes the one step that a crash can have left unfinished.

use crate::domain::{Decided, Event, ExperimentId, ObjectId, Recovered, RunSummary, Settings};
use crate::git::{BranchMove, GitError, PrivateRepository, UserRepository};
use crate::state::Revert;

use super::EngineError;
use super::experiment::ExperimentFacts;
use super::idea_book::OwedEdit;
use super::places::Places;
use super::recorder::{Durability, Recorder};
use super::roles::Roles;
use super::summary::{Lens, SummaryContext, run_summary};

/// What a recovery works with.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    /// The resolved settings.
    pub settings: &'a Settings,
    /// Where the session's files live.
    pub places: &'a Places,
    /// The user's repository.
    pub user: &'a UserRepository,
    /// The private one, which has the objects of a decided keep too.
    pub private: &'a PrivateRepository,
}

/// An experiment that was completed at the start.
pub(super) struct Completed {
    /// Its number.
    pub id: ExperimentId,
    /// Its settling line.
    pub run: RunSummary,
    /// The edits of ideas.md that it owes.
    pub owed: Vec<OwedEdit>,
}

/// Completes every experiment that was left with a verdict, oldest first, and leaves the others to the loop.
///
/// A keep whose commit is in no store any more is left to the loop too, which makes it again of the same evidence.
/// Returns the settling lines, each with the edits of ideas.md that it owes.
pub(super) fn complete_all(
    recorder: &mut Recorder<'_>,
    mut unfinished: Vec<ExperimentFacts>,
    ground: Ground<'_>,
    roles: &Roles,
) -> Result<Vec<Completed>, EngineError> {
    let lost = |decided: &Decided| decided.commit.as_ref().is_some_and(|id| ground.private.tree_of(id).is_err());
    for facts in &mut unfinished {
        facts.decided.take_if(|decided| lost(decided));
    }
    let (decided, left): (Vec<_>, Vec<_>) = unfinished.into_iter().partition(|facts| facts.decided.is_some());
    recorder.leave(left.into());
    let mut complete = |facts| complete(recorder, facts, ground, roles).transpose();
    decided.into_iter().filter_map(&mut complete).collect()
}

/// Completes an experiment whose verdict is in the journal but whose settling line is not.
///
/// The commit's objects were durable before the verdict was written, so a keep is completed by moving the branch from
/// the old tip, unless it moved already. Returns the settling line.
fn complete(
    recorder: &mut Recorder<'_>,
    facts: ExperimentFacts,
    ground: Ground<'_>,
    roles: &Roles,
) -> Result<Option<Completed>, EngineError> {
    let Ground { settings, places, .. } = ground;
    let Some(decided) = facts.decided.clone() else { return Ok(None) };
    let id = facts.id;
    recorder.begin(facts);
    let action = match decided.commit.as_ref().filter(|_| decided.moves_branch) {
        Some(commit) => move_branch(ground, &decided, commit)?,
        None => "wrote its settling line",
    };
    let found = format!("experiment {} was decided but not settled", id.map_or(0, |id| id.0));
    recorder.session(Event::Recovered(Recovered { found, action: action.to_owned() }), Durability::Written)?;
    let run_dir = places.run(id.unwrap_or(ExperimentId::BASELINE));
    let context = SummaryContext {
        lens: Lens { settings, roles },
        segment: recorder.state().configured().map_or(0, |configured| configured.segment),
        timestamp: jiff::Timestamp::now().as_millisecond(),
        run_dir: &run_dir,
    };
    let run = run_summary(recorder.facts(), &decided, context);
    recorder.experiment(Event::Run(Box::new(run.clone())), Durability::Synced)?;
    let owed = OwedEdit::of(recorder.facts().proposed.as_ref(), &run, settings, recorder.state());
    recorder.begin(ExperimentFacts::default());
    Ok(id.map(|id| Completed { id, run, owed }))
}

/// Completes the revert of a keep that is in the journal: the branch moves from the tip before it.
///
/// The revert's objects were durable before it was written. A branch that is at neither commit is left to the check that
/// follows.
pub(super) fn complete_revert(recorder: &mut Recorder<'_>, ground: Ground<'_>) -> Result<(), EngineError> {
    let (user, branch) = (ground.user, ground.settings.branch.as_str());
    let Some(Revert { experiment, from, to }) = recorder.state().reverted().cloned() else { return Ok(()) };
    if user.branch_tip(branch)?.as_ref() != Some(&from) {
        return Ok(());
    }
    publish(ground, &to, &from)?;
    let reflog = "autoresearch: complete the undoing of a keep after an interruption";
    user.move_branch(&BranchMove { name: branch, from: &from, to: &to, reflog })?;
    let found = format!("experiment {experiment} was undone but the branch had not moved");
    let recovered = Recovered { found, action: "moved the branch to the revert".to_owned() };
    Ok(recorder.session(Event::Recovered(recovered), Durability::Written)?)
}

fn move_branch(ground: Ground<'_>, decided: &Decided, commit: &ObjectId) -> Result<&'static str, EngineError> {
    const MOVED: &str = "the branch had moved; wrote its settling line";
    let (user, branch) = (ground.user, &ground.settings.branch);
    let found = user.branch_tip(branch)?;
    if found.as_ref() == Some(commit) {
        return Ok(MOVED);
    }
    if found.as_ref() != Some(&decided.tip) {
        return Err(EngineError::BranchMoved { branch: branch.clone(), found, expected: decided.tip.clone() });
    }
    publish(ground, commit, &decided.tip)?;
    let reflog = "autoresearch: complete a keep after an interruption";
    match user.move_branch(&BranchMove { name: branch, from: &decided.tip, to: commit, reflog }) {
        // The git of the process that was killed lived on and got there first.
        Err(GitError::BranchMoved { found, .. }) if found.as_ref() == Some(commit) => Ok(MOVED),
        moved => Ok(moved.map(|()| "moved the branch and wrote its settling line")?),
    }
}

/// Copies a commit to the user's store again where a `git gc` has thrown it away meanwhile.
fn publish(ground: Ground<'_>, commit: &ObjectId, tip: &ObjectId) -> Result<(), EngineError> {
    if ground.user.resolve(commit.as_str()).is_err() {
        ground.private.publish(commit, tip)?;
    }
    Ok(())
}
