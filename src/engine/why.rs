//! Whether a candidate would be refused before anything of it runs, and by what: the screen of a session without one.

use crate::domain::{Proposal, Screened, Settings};
use crate::gate::{HarnessSnapshot, ScopeRules};
use crate::git::{PrivateRepository, UserRepository};
use crate::ideas::Catalogue;

use super::EngineError;
use super::idea_facts::{Past, idea_facts, read_ideas};
use super::opening::{base_commit, read_back, refuse};
use super::places::Places;
use super::scratch::Scratch;
use super::screen::Examiner;

/// Examines a proposal as the session's screen would now: closed ideas, settled decisions, whether it applies, scope and
/// sealed paths, duplicates. Makes no slot and leaves nothing behind.
pub fn would_be_screened(
    (settings, places, user): (&Settings, &Places, &UserRepository),
    proposal: &Proposal,
) -> Result<Screened, EngineError> {
    let journal = places.journal();
    let past = if journal.exists() { Some(read_back(&journal, settings)?) } else { None };
    let state = past.as_ref().map(|past| &past.state);
    let base = match state.and_then(|state| state.configured()) {
        Some(configured) => configured.base.clone(),
        None => base_commit(user, settings)?,
    };
    let tip = state.and_then(|state| state.tip().cloned()).unwrap_or_else(|| base.clone());
    let survey = user.survey(&base)?;
    refuse(&survey)?;
    let scratch = Scratch::beside(places, "why")?;
    let private = PrivateRepository::open_or_create(scratch.places("state").cache(), user, &survey)?;
    let scope = ScopeRules::new(settings, &HarnessSnapshot::collect(user.root(), settings)?)?;
    let catalogue = Catalogue::parse(&read_ideas(user.root(), settings)?);
    let facts = idea_facts(&catalogue, Past { state, journal: &journal, user, tip: &tip })?;
    let examiner = Examiner {
        user,
        private: &private,
        state,
        base: &base,
        tip: &tip,
        scope: &scope,
        converts: survey.converts(),
        catalogue: &catalogue,
        facts: &facts,
        resumes: false,
        folder: &settings.folder,
    };
    Ok(examiner.screened(proposal)?.screened)
}
