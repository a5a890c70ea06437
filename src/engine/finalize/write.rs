//! Writes the commits of the review branches by the rules of the house, and creates all branches at once.

use std::collections::BTreeMap;

use crate::domain::{
    Author, Change, Event, ExperimentId, Finalized, FinalizedKeep, ObjectId, ProposalSource, Validated,
};
use crate::engine::EngineError;
use crate::engine::recorder::Durability;
use crate::engine::session::Session;
use crate::git::{BranchAt, GitError, HouseCommit, Prompts, Signature, Signing};
use crate::journal::Reader;
use crate::policy::Remaining;
use crate::state::ExperimentRecord;

use super::assemble::{Laid, LaidKeep};
use super::measure::Worth;
use super::message::{ReviewMessage, Told, review_message};
use super::{FinalizeError, FinalizeOrder};

/// What all commits are written with.
struct House {
    signing: Signing,
    committer: Author,
    /// The agent that proposed each keep, where agents are named.
    agents: BTreeMap<ExperimentId, String>,
}

impl Session<'_, '_> {
    /// Passes every message to the repository's own hook and signs one commit, before time is spent on measuring.
    pub(super) fn rehearse_commits(&self, order: &FinalizeOrder, all: &[Laid]) -> Result<(), FinalizeError> {
        let house = self.house()?;
        for laid in all {
            for keep in &laid.commits {
                self.message(&house, order, laid, (keep, &Worth::default()))?;
            }
        }
        if house.signing == Signing::No {
            return Ok(());
        }
        match self.user.rehearse_signing("A rehearsal\n", Prompts::Allowed)? {
            Signature::Good { .. } | Signature::Bad { .. } => Ok(()),
            Signature::NotMade { words } => Err(FinalizeError::Signing { words }),
        }
    }

    /// Writes every commit, creates every branch, and journals them; where that fails no branch is left.
    pub(super) fn write_all(
        &mut self,
        order: &FinalizeOrder,
        all: &[Laid],
        worths: &[Worth],
    ) -> Result<Vec<Finalized>, FinalizeError> {
        let house = self.house()?;
        let mut made = Vec::new();
        for (laid, worth) in all.iter().zip(worths) {
            made.push(self.write_group(&house, order, laid, worth)?);
        }
        let branches: Vec<BranchAt> =
            made.iter().map(|group| BranchAt { name: group.branch.clone(), commit: group.tip.clone() }).collect();
        self.user.create_branches(&branches, &format!("autoresearch: finalize on {}", order.onto))?;
        for group in &made {
            let event = Event::Finalized(Box::new(group.clone()));
            if let Err(error) = self.recorder.session(event, Durability::Synced) {
                self.user.remove_branches(&branches)?;
                return Err(error.into());
            }
        }
        Ok(made)
    }

    fn write_group(
        &self,
        house: &House,
        order: &FinalizeOrder,
        laid: &Laid,
        worth: &Worth,
    ) -> Result<Finalized, FinalizeError> {
        let onto = &order.onto.commit;
        let mut parent = onto.clone();
        let mut commits = Vec::new();
        for (index, keep) in laid.commits.iter().enumerate() {
            let message = self.message(house, order, laid, (keep, worth))?;
            let commit = self.write_one(house, keep, &parent, &message)?;
            let measured = worth.each.get(index).cloned().flatten();
            let measured = measured.map(|measured| Box::new(between(measured, &parent, &commit)));
            commits.push(FinalizedKeep { experiment: keep.record.id, commit: commit.clone(), measured });
            parent = commit;
        }
        Ok(Finalized {
            group: laid.name.clone(),
            branch: laid.branch.clone(),
            onto: onto.clone(),
            measured: worth.whole.clone().map(|measured| Box::new(between(measured, onto, &parent))),
            tip: parent,
            commits,
        })
    }

    fn write_one(
        &self,
        house: &House,
        keep: &LaidKeep,
        parent: &ObjectId,
        message: &str,
    ) -> Result<ObjectId, FinalizeError> {
        self.bench.private().publish_tree(&keep.tree, &keep.parent)?;
        let own = keep.record.commit();
        let author = self.user.commit_words(&own)?.author;
        let written = self.user.written_at(&own)?;
        let new = HouseCommit { tree: &keep.tree, parent, message, author: &author, written: &written };
        self.user.write_commit(&new, house.signing).map_err(|error| match (house.signing, error) {
            (Signing::Yes, GitError::Command { stderr, .. }) => {
                FinalizeError::Signing { words: stderr.trim().to_owned() }
            }
            (_, error) => error.into(),
        })
    }

    /// Makes the message of a keep on its branch, as the repository's own hook leaves it.
    fn message(
        &self,
        house: &House,
        order: &FinalizeOrder,
        laid: &Laid,
        (keep, worth): (&LaidKeep, &Worth),
    ) -> Result<String, FinalizeError> {
        let many = laid.commits.len() > 1;
        let id = keep.record.id;
        let told = |measured| Told { measured, remaining: self.left_of(measured) };
        let each = |id: ExperimentId| {
            let index = laid.commits.iter().position(|other| other.record.id == id)?;
            if many { worth.each.get(index)?.as_ref() } else { worth.whole.as_ref() }
        };
        let is_gone = |id: &ExperimentId| each(*id).is_some_and(|m| self.left_of(m) == Remaining::NoLonger);
        let gone: Vec<ExperimentId> = laid.commits.iter().map(|keep| keep.record.id).filter(is_gone).collect();
        let own = self.user.commit_words(&keep.record.commit())?.message;
        let message = review_message(&ReviewMessage {
            settings: self.settings,
            session: self.recorder.state().session(),
            experiment: id,
            own: &own,
            claimed: &self.claimed_change(&keep.record),
            group: &laid.name,
            keeps: &laid.keeps(),
            onto: &order.onto,
            alone: each(id).map(told),
            whole: worth.whole.as_ref().filter(|_| many).map(told),
            gone: &gone,
            agent: house.agents.get(&id).map(String::as_str),
            committer: &house.committer,
        });
        let passed = self.user.pass_message(&message)?;
        passed.map_err(|words| FinalizeError::Hook { experiment: id, words })
    }

    /// Returns what the session itself measured of a keep, in short.
    fn claimed_change(&self, record: &ExperimentRecord) -> String {
        let short = record.effect.map(|effect| {
            let objective = self.settings.objective(effect.of);
            let gain = (effect.gain, effect.low, effect.high);
            Change::of_effect(gain, objective.scale, objective.direction).short()
        });
        short.unwrap_or_default()
    }

    fn house(&self) -> Result<House, FinalizeError> {
        let rules = &self.settings.commit;
        let sign = rules.sign.map_or_else(|| self.user.signs_commits(), Ok)?;
        Ok(House {
            signing: if sign { Signing::Yes } else { Signing::No },
            committer: self.identity.clone().ok_or(GitError::IdentityMissing)?,
            agents: if rules.assisted_by { self.agents()? } else { BTreeMap::new() },
        })
    }

    /// Reads which agent proposed what; a keep that was tried again was proposed by who proposed it first.
    fn agents(&self) -> Result<BTreeMap<ExperimentId, String>, EngineError> {
        let mut agents: BTreeMap<ExperimentId, String> = BTreeMap::new();
        for record in Reader::open(&self.places.journal())?.records() {
            let record = record?;
            let Some(id) = record.experiment.filter(|_| record.kind() == "proposed") else { continue };
            let Some(Event::Proposed(proposed)) = record.event()? else { continue };
            let agent = match &proposed.source {
                ProposalSource::Agent(name) => Some(name.clone()),
                ProposalSource::Again(earlier) => agents.get(earlier).cloned(),
                ProposalSource::Queue(_)
                | ProposalSource::Try(_)
                | ProposalSource::Commit(_)
                | ProposalSource::Sweep(_) => None,
            };
            agents.extend(agent.map(|agent| (id, agent)));
        }
        Ok(agents)
    }
}

/// Names the commits that were written in place of the private ones of the same files.
fn between(measured: Validated, base: &ObjectId, tip: &ObjectId) -> Validated {
    Validated { base: base.clone(), tip: tip.clone(), ..measured }
}
