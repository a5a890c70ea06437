//! A commit range as a source: each commit is a candidate, oldest first, whose patch is made when its turn comes.

use std::collections::VecDeque;

use crate::domain::{CommitRange, MetricName, ObjectId, ProposalSource, Reason, Settings};
use crate::engine::EngineError;
use crate::engine::offer::Offer;
use crate::engine::pipeline::Dropped;
use crate::engine::session::{Session, key_of};
use crate::git::UserRepository;
use crate::propose::{self, Ends, Range};

use super::{Candidates, Next, Source};

/// A range, and the commits of it that were not offered yet.
pub(super) struct CommitSource {
    range: Range,
    drop_sealed: bool,
    primary: MetricName,
    ends: Option<Ends>,
    left: VecDeque<ObjectId>,
}

impl CommitSource {
    /// Names the range; nothing is looked up yet.
    pub(super) fn new(settings: &Settings, range: &CommitRange) -> Self {
        Self {
            range: Range::new(&range.range),
            drop_sealed: range.drop_sealed,
            primary: settings.primary.name.clone(),
            ends: None,
            left: VecDeque::new(),
        }
    }

    /// Lists the commits anew where an end of the range has moved.
    fn follow(&mut self, user: &UserRepository) -> Result<(), EngineError> {
        let ends = match (self.range.ends(user), &self.ends) {
            (Ok(ends), _) => ends,
            // A branch that is deleted in the night takes no commit away that was listed.
            (Err(_), Some(_)) => return Ok(()),
            (Err(error), None) => return Err(error.into()),
        };
        if self.ends.as_ref() != Some(&ends) {
            self.left = self.range.commits(user, &ends)?.into();
            self.ends = Some(ends);
        }
        Ok(())
    }

    fn offer(&self, user: &UserRepository, commit: &ObjectId) -> Result<Offer, EngineError> {
        let words = user.commit_words(commit)?;
        // A merge has no change of its own; the screen refuses what has no patch.
        let patch = if words.parents.len() > 1 { Vec::new() } else { user.change_of(&words)? };
        let mut proposal = propose::of_commit(words, patch, &self.primary);
        proposal.drop_sealed = self.drop_sealed;
        Ok(Offer::Readable(proposal))
    }
}

impl Candidates for CommitSource {
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        self.follow(session.user)?;
        while let Some(commit) = self.left.pop_front() {
            if session.state().settled_patch(&key(&commit)).is_none() {
                return Ok(Next::Offer(Box::new(self.offer(session.user, &commit)?)));
            }
        }
        Ok(Next::Done)
    }
}

impl Source for CommitSource {
    fn keys(&self, user: &UserRepository) -> Result<Option<Vec<String>>, EngineError> {
        let commits = self.range.commits(user, &self.range.ends(user)?)?;
        Ok(Some(commits.iter().map(key).collect()))
    }

    fn lacks(&self) -> String {
        format!("no commit in {}", self.range.named())
    }
}

fn key(commit: &ObjectId) -> String {
    key_of(&ProposalSource::Commit(commit.to_string()), &[])
}

/// Says why a proposal without a patch is none: a merge, an empty commit, or an empty patch.
///
/// It is asked of git again when an interrupted session takes the proposal up.
pub(in crate::engine) fn without_patch(user: &UserRepository, source: &ProposalSource) -> Result<Dropped, EngineError> {
    let ProposalSource::Commit(id) = source else {
        return Ok(Dropped::by(Reason::Empty, "the patch contains no change".to_owned()));
    };
    let words = user.commit_words(&user.resolve(id)?)?;
    let commit = words.commit.short();
    if words.parents.len() < 2 {
        return Ok(Dropped::by(Reason::Empty, format!("commit {commit} changes no file")));
    }
    let parents: Vec<&str> = words.parents.iter().map(ObjectId::short).collect();
    let detail = format!("commit {commit} is a merge of {}, and was skipped", parents.join(" and "));
    Ok(Dropped::by(Reason::ApplyFailed, detail))
}
