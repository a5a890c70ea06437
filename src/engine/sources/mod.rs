//! The candidate sources of a config: each asked in order or in turn for its next candidate.

mod again;
mod agent;
mod queue;
mod range;
mod sweep;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Agent, CandidateSource, CandidatesOrder, Event, Note, Settings};
use crate::git::UserRepository;
use crate::propose::sweep::KnobFileError;
use crate::state::SessionState;
use crate::stats::Supply;

use super::EngineError;
use super::offer::Offer;
use super::recorder::Durability;
use super::session::Session;
pub(super) use again::Shelf;
pub(super) use range::without_patch;

use again::Again;
use agent::AgentSource;
use queue::PatchQueue;
use range::CommitSource;
use sweep::KnobSweep;

/// Seconds between two looks at sources that had nothing.
const FOLLOW_S: i64 = 1;

/// What a source gives when it is asked.
#[derive(Debug)]
pub enum Next {
    /// A candidate that was not tried yet.
    Offer(Box<Offer>),
    /// Nothing before this moment.
    Wait(Timestamp),
    /// Nothing, as far as it knows: it is asked again only because others still have candidates.
    Done,
    /// Nothing, because it was not available for too long: why. It is not asked again.
    GaveUp(String),
}

/// Gives candidates, one after another.
pub trait Candidates {
    /// Returns the next candidate that no settled experiment of the session tried.
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError>;

    /// Says why nothing is left, where a session ends with that.
    fn emptied(&self, _session: &Session<'_, '_>) -> String {
        "every candidate was tried".to_owned()
    }

    /// Ends what it may still be doing, when the session takes no more candidates.
    fn close(&mut self, _session: &mut Session<'_, '_>) -> Result<(), EngineError> {
        Ok(())
    }
}

/// One source of a config.
pub(super) trait Source: Candidates {
    /// Returns the keys ([`Proposed::patch_hash`](crate::domain::Proposed::patch_hash)) of all its candidates, tried or not; `None`
    /// where they are not known beforehand. Fails where the source cannot give any: a folder or a range that is not there.
    fn keys(&self, user: &UserRepository) -> Result<Option<Vec<String>>, EngineError>;

    /// Says what there is none of, where it has no candidate at all.
    fn lacks(&self) -> String;

    /// Says whether it comes to its end by itself.
    fn is_finite(&self) -> bool {
        true
    }
}

/// All sources of a config, after the session's own: keeps from before its base moved.
pub struct Sources {
    all: Vec<Box<dyn Source>>,
    /// The same as the config describes them.
    described: Vec<CandidateSource>,
    order: CandidatesOrder,
    follow: bool,
    /// Whether it was told that there is nothing to do until more come.
    told_idle: bool,
    /// The source that is asked first, where they take turns; `None` before the first candidate of this process.
    turn: Option<usize>,
}

impl Sources {
    /// Makes the sources that the settings name; nothing is read yet.
    pub fn new(settings: &Settings, user: &UserRepository) -> Result<Self, EngineError> {
        let source = |(place, source): (usize, &CandidateSource)| -> Result<Box<dyn Source>, EngineError> {
            match source {
                CandidateSource::Patches(folder) => Ok(Box::new(PatchQueue::new(settings, user.root(), folder))),
                CandidateSource::Commits(range) => Ok(Box::new(CommitSource::new(settings, range))),
                CandidateSource::Sweep(sweep) => Ok(Box::new(KnobSweep::new(settings, sweep))),
                CandidateSource::Agent(agent) => {
                    let earlier = settings.candidates[..place].iter();
                    let same = earlier.filter(|other| other.agent().is_some_and(|other| other.name() == agent.name()));
                    Ok(Box::new(AgentSource::new(settings, user, agent, same.count())?))
                }
            }
        };
        let described = settings.candidates.clone();
        let named = |(place, given)| source((place, given)).map_err(|error| of_source((place, given), error));
        let all = described.iter().enumerate().map(named).collect::<Result<_, _>>()?;
        Ok(Self { all, described, order: settings.candidates_order, follow: false, told_idle: false, turn: None })
    }

    /// Waits for more candidates instead of ending when there are none (`run --follow`).
    #[must_use]
    pub fn following(self, follow: bool) -> Self {
        Self { follow, ..self }
    }

    /// Fails where a source cannot give candidates at all.
    pub fn check(&self, user: &UserRepository) -> Result<(), EngineError> {
        (0..self.all.len()).try_for_each(|place| self.keys(place, user).map(|_| ()))
    }

    /// Says what waits: candidates that are not settled in the session, where there is one.
    pub fn supply(&self, user: &UserRepository, state: Option<&SessionState>) -> Result<Supply, EngineError> {
        let mut count = state.map_or(0, Again::waiting);
        let mut any = count > 0;
        let mut known = true;
        for place in 0..self.all.len() {
            let Some(keys) = self.keys(place, user)? else {
                known = false;
                continue;
            };
            any |= !keys.is_empty();
            let open = |key: &&String| state.is_none_or(|state| state.settled_patch(key).is_none());
            count += keys.iter().filter(open).count();
        }
        Ok(match (known, any) {
            (true, true) => Supply::Listed(u32::try_from(count).unwrap_or(u32::MAX)),
            (true, false) => Supply::Nothing,
            (false, _) if self.all.iter().all(|source| source.is_finite()) => Supply::Finite,
            (false, _) => Supply::Endless,
        })
    }
}

/// Says which source of the config it is that cannot give candidates, by the key that names what is wrong.
fn of_source((place, source): (usize, &CandidateSource), error: EngineError) -> EngineError {
    let inner = match (source, &error) {
        (CandidateSource::Patches(_), _) => "patches".to_owned(),
        (CandidateSource::Commits(_), _) => "commits".to_owned(),
        (CandidateSource::Sweep(sweep), EngineError::KnobFile(knob)) => {
            let index = sweep.knobs.iter().position(|known| known.name == knob.knob()).unwrap_or_default();
            let key = if matches!(knob, KnobFileError::NoFile { .. }) { "file" } else { "pattern" };
            format!("sweep.knobs[{index}].{key}")
        }
        (CandidateSource::Sweep(_), _) => "sweep".to_owned(),
        (CandidateSource::Agent(Agent { command: Some(_), .. }), _) => "agent.command".to_owned(),
        (CandidateSource::Agent(_), _) => "agent.preset".to_owned(),
    };
    EngineError::Source { key: format!("candidates[{place}].{inner}"), source: Box::new(error) }
}

impl Sources {
    /// Asks a source for its keys; an error names the source.
    fn keys(&self, place: usize, user: &UserRepository) -> Result<Option<Vec<String>>, EngineError> {
        self.all[place].keys(user).map_err(|error| of_source((place, &self.described[place]), error))
    }

    /// Says of each source that has no candidate at all, tried or not, what there is none of.
    fn lacking(&self, user: &UserRepository) -> Vec<String> {
        let is_empty = |source: &dyn Source| matches!(source.keys(user), Ok(Some(keys)) if keys.is_empty());
        self.all.iter().filter(|source| is_empty(source.as_ref())).map(|source| source.lacks()).collect()
    }

    /// Says once that nothing is left to try until more comes.
    fn tell_idle(&mut self, session: &mut Session<'_, '_>) -> Result<(), EngineError> {
        if std::mem::replace(&mut self.told_idle, true) {
            return Ok(());
        }
        let text = "every candidate was tried; waiting for more (--follow)".to_owned();
        Ok(session.recorder.session(Event::Note(Note { text }), Durability::Written)?)
    }
}

impl Candidates for Sources {
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        if let Next::Offer(offer) = Again.next(session)? {
            return Ok(Next::Offer(offer));
        }
        let mut earliest: Option<Timestamp> = None;
        let mut gave_up = None;
        // A session that goes on gives the turn to the source after the last one that gave a candidate.
        let turn = self.turn.unwrap_or_else(|| session.state().given_by().map_or(0, |last| last as usize + 1));
        let first = if self.order == CandidatesOrder::Turns { turn } else { 0 };
        for place in 0..self.all.len() {
            let place = (first + place) % self.all.len();
            match self.all[place].next(session)? {
                Next::Offer(offer) => {
                    self.turn = Some(place + 1);
                    session.giving = u32::try_from(place).ok();
                    self.told_idle = false;
                    return Ok(Next::Offer(offer));
                }
                Next::Wait(until) => earliest = Some(earliest.map_or(until, |earliest| earliest.min(until))),
                Next::GaveUp(why) => gave_up = Some(why),
                Next::Done => {}
            }
        }
        if earliest.is_none() && self.follow {
            self.tell_idle(session)?;
        }
        let later = || Timestamp::now() + SignedDuration::from_secs(FOLLOW_S);
        let until = earliest.or_else(|| self.follow.then(later));
        Ok(until.map_or_else(|| gave_up.map_or(Next::Done, Next::GaveUp), Next::Wait))
    }

    fn emptied(&self, session: &Session<'_, '_>) -> String {
        let lacking = self.lacking(session.user);
        match lacking.len() {
            0 if self.all.is_empty() => "nothing to try: the config names no source under 'candidates'".to_owned(),
            0 => "every candidate was tried".to_owned(),
            lacks if lacks == self.all.len() => format!("nothing to try: there is {}", lacking.join(", and ")),
            _ => format!("every candidate was tried; there is {}", lacking.join(", and ")),
        }
    }

    fn close(&mut self, session: &mut Session<'_, '_>) -> Result<(), EngineError> {
        self.all.iter_mut().try_for_each(|source| source.close(session))
    }
}
