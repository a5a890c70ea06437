//! Moves a session to another base: the tip before is saved as a branch of its own, and the session's branch moves.

use crate::domain::{Event, ObjectId, Rebased, Recovered};
use crate::git::{BranchMove, GitError, UserRepository};

use super::EngineError;
use super::opening::refuse_checked_out;
use super::recorder::{Durability, Recorder};
use super::recover::Ground;

/// Journals the move to the commit that a revision names, and makes it.
///
/// What is in the journal is completed by the next start where this one ends before it is done. Refused where the
/// session stands on that base already, and where the branch is checked out or not where the session left it.
pub(super) fn rebase(recorder: &mut Recorder<'_>, ground: Ground<'_>, named: &str) -> Result<(), EngineError> {
    let (user, branch) = (ground.user, ground.settings.branch.as_str());
    let base = user.resolve(named)?;
    let state = recorder.state();
    let (Some(configured), Some(tip)) = (state.configured(), state.tip().cloned()) else {
        return Err(refused(
            "the session has no base yet".to_owned(),
            "start it with 'autoresearch run'; 'base' in the config says from where",
        ));
    };
    if state.rebasing().is_some_and(|pending| pending.base == base) {
        return Ok(());
    }
    if configured.base == base && state.rebasing().is_none() {
        let reason = format!("'{named}' is the session's base already ({})", base.short());
        return Err(refused(reason, "go on with 'autoresearch run', or name another commit"));
    }
    refuse_checked_out(user, branch)?;
    let found = user.branch_tip(branch)?;
    if found.as_ref() != Some(&tip) {
        return Err(EngineError::BranchMoved { branch: branch.to_owned(), found, expected: tip });
    }
    let saved = free_name(user, branch, &base)?;
    let rebased = Rebased { from: tip, base, named: named.to_owned(), saved };
    recorder.session(Event::Rebased(Box::new(rebased)), Durability::Synced)?;
    follow(recorder, ground).map(|_| ())
}

/// Completes a move that an earlier process journalled, and says so where anything was left to do.
pub(super) fn complete(recorder: &mut Recorder<'_>, ground: Ground<'_>) -> Result<(), EngineError> {
    if !follow(recorder, ground)? {
        return Ok(());
    }
    let found = "the session was to go on from another base but its branch had not moved".to_owned();
    let recovered = Recovered { found, action: "saved the tip before and moved the branch".to_owned() };
    Ok(recorder.session(Event::Recovered(recovered), Durability::Written)?)
}

/// Saves the tip before and moves the branch, as far as that is not done; says whether there was anything to do. A branch that is at
/// neither commit is left to the check that follows.
fn follow(recorder: &Recorder<'_>, ground: Ground<'_>) -> Result<bool, EngineError> {
    let (user, branch) = (ground.user, ground.settings.branch.as_str());
    let Some(Rebased { from, base, named, saved }) = recorder.state().rebasing() else { return Ok(false) };
    if user.branch_tip(branch)?.as_ref() != Some(from) {
        return Ok(false);
    }
    let saving = save(user, saved, from)?;
    if from == base {
        return Ok(saving);
    }
    let reflog = format!("autoresearch: go on from {named}");
    let change = BranchMove { name: branch, from, to: base, reflog: &reflog };
    user.move_branch(&change).map(|()| true).map_err(|error| match error {
        GitError::BranchMoved { branch, expected, found } => EngineError::BranchMoved { branch, found, expected },
        other => other.into(),
    })
}

/// Makes the branch that keeps the tip before, where it is not there yet.
fn save(user: &UserRepository, saved: &str, from: &ObjectId) -> Result<bool, EngineError> {
    match user.branch_tip(saved)? {
        Some(found) if found == *from => Ok(false),
        Some(found) => Err(refused(
            format!("branch '{saved}' is at {}, but the tip before the new base belongs there", found.short()),
            &format!("rename it ('git branch -m {saved} NEW-NAME') and run again"),
        )),
        None => {
            user.create_branch(saved, from, "autoresearch: the tip before another base")?;
            Ok(true)
        }
    }
}

/// Returns a name for the tip before that no branch has.
fn free_name(user: &UserRepository, branch: &str, base: &ObjectId) -> Result<String, EngineError> {
    let first = format!("{branch}-before-{}", base.short());
    let mut name = first.clone();
    let mut number = 1_u32;
    while user.branch_tip(&name)?.is_some() {
        number += 1;
        name = format!("{first}-{number}");
    }
    Ok(name)
}

fn refused(reason: String, cure: &str) -> EngineError {
    EngineError::Refused { reason, cure: cure.to_owned() }
}
