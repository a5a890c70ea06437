//! An agent as a source: a program that is asked for one proposal after another, and waited for while it cannot be had.

mod call;
mod told;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, Zoned};

use crate::domain::{Agent, AgentCall, Event, Note, Obstacle, ProposalFailed, Reason, Settings, Waiting};
use crate::engine::EngineError;
use crate::engine::offer::Offer;
use crate::engine::recorder::Durability;
use crate::engine::session::{Purpose, Session};
use crate::engine::workbench::join;
use crate::git::UserRepository;
use crate::process::Tool;
use crate::propose::agent::{self, Answer, Made, Preset, Reading};
use crate::state::{PATIENCE, SourceState};

use super::{Candidates, Next, Source};
use call::{Ended, Files, Pending};

/// Time between two looks at a call that is waited for.
const NAP: Duration = Duration::from_millis(50);
/// Time between two looks at the stop rules meanwhile.
const LOOK: Duration = Duration::from_secs(1);
/// When a call in the background is looked at again.
const SOON: SignedDuration = SignedDuration::from_millis(200);

/// An agent, and the call that is under way.
pub(super) struct AgentSource {
    agent: Agent,
    /// The name by which the journal knows it.
    name: String,
    preset: Option<&'static Preset>,
    /// The config's folder in the checkout.
    folder: PathBuf,
    pending: Option<Pending>,
    /// Why it is not asked any more.
    gave_up: Option<String>,
}

impl AgentSource {
    /// Takes the settings of an agent, the `same`-th of its name (from 0); nothing is started.
    pub(super) fn new(
        settings: &Settings,
        user: &UserRepository,
        agent: &Agent,
        same: usize,
    ) -> Result<Self, EngineError> {
        let preset =
            agent.preset.as_deref().map(|name| agent::preset(name).ok_or_else(|| unknown(name))).transpose()?;
        let name = if same == 0 { agent.name().to_owned() } else { format!("{}-{}", agent.name(), same + 1) };
        let folder = user.root().join(join(&settings.folder, ""));
        Ok(Self { agent: agent.clone(), name, preset, folder, pending: None, gave_up: None })
    }

    /// Refuses a program that is not there.
    fn find_program(&self) -> Result<(), EngineError> {
        let words = match (&self.agent.command, self.preset) {
            (Some(command), _) => command.words(),
            (None, Some(preset)) => preset.first.to_vec(),
            (None, None) => Vec::new(),
        };
        let plain = |word: &&&str| word.chars().all(|c| c.is_alphanumeric() || "./_-+".contains(c));
        let Some(program) = words.first().filter(plain) else { return Ok(()) };
        let found = Tool::new("sh", &self.folder).args(["-c", "command -v \"$1\"", "sh", program]).run()?;
        if found.code == 0 {
            return self.is_executable(program);
        }
        Err(EngineError::Refused {
            reason: format!("the agent '{}' cannot be started: there is no program '{program}'", self.name),
            cure: "install it, put it on the PATH (a file beside the config is './name'), or name another one under \
                   'candidates'"
                .to_owned(),
        })
    }

    /// Refuses a program of the config's folder that may not be executed.
    fn is_executable(&self, program: &str) -> Result<(), EngineError> {
        let path = self.folder.join(program);
        let mode = std::fs::metadata(&path).map(|file| file.permissions().mode());
        if !program.contains('/') || mode.is_ok_and(|mode| mode & 0o111 != 0) {
            return Ok(());
        }
        Err(EngineError::Refused {
            reason: format!("the agent '{}' cannot be started: {} may not be executed", self.name, path.display()),
            cure: format!("'chmod +x {}' allows it", path.display()),
        })
    }

    /// Returns when it may be asked next, where that is not now.
    fn held_up(&mut self, session: &mut Session<'_, '_>) -> Result<Option<Timestamp>, EngineError> {
        let state = self.state(session);
        if state.is_barren() {
            let why = format!("its last {} proposals were refused before anything of them ran", state.refused);
            self.wait(session, (Obstacle::NothingNew, why), None, None)?;
        }
        let state = self.state(session);
        let failed = state.failed_at.map(|at| agent::after_failure(at, state.failures));
        let until = [state.until, failed].into_iter().flatten().max();
        Ok(until.filter(|until| *until > Timestamp::now()))
    }

    fn state(&self, session: &Session<'_, '_>) -> SourceState {
        session.state().source(&self.name).cloned().unwrap_or_default()
    }

    fn files(&self, session: &Session<'_, '_>) -> Files {
        Files::new(session.places, &self.name)
    }

    /// Makes a call with nothing measured meanwhile; a stop ends it.
    fn call_alone(&self, session: &mut Session<'_, '_>) -> Result<Ended, EngineError> {
        let _host = session.host_lock()?;
        let mut pending = self.start(session)?;
        let mut looked = Instant::now();
        while !pending.is_finished() {
            let look = looked.elapsed() >= LOOK;
            if session.stop_requested() || (look && session.due()?.is_some()) {
                pending.stop();
                break;
            }
            if look {
                looked = Instant::now();
            }
            std::thread::sleep(NAP);
        }
        Ok(pending.join())
    }

    fn start(&self, session: &Session<'_, '_>) -> Result<Pending, EngineError> {
        let told = told::gather(session)?;
        let handed_back = self.state(session).handed_back;
        call::start(session, &self.parts(), &self.files(session), &told, handed_back.as_deref())
    }

    fn parts(&self) -> call::Parts<'_> {
        call::Parts { agent: &self.agent, preset: self.preset, folder: &self.folder }
    }

    /// Takes the end of a call. `None` asks it again at once.
    fn take(&mut self, session: &mut Session<'_, '_>, ended: &Ended) -> Result<Option<Next>, EngineError> {
        let (reading, call) = read(self.preset, ended)?;
        if ended.stopped {
            self.fail(session, "a stop ended the call".to_owned(), (false, true), call)?;
            if session.interrupts.abort_requested() {
                return Err(EngineError::Interrupted);
            }
            return Ok(Some(Next::Wait(Timestamp::now())));
        }
        let files = self.files(session);
        if let Some(conversation) = &reading.conversation {
            files.keep_conversation(conversation)?;
        }
        match reading.answer {
            Answer::Done(text) => self.answered(session, ended, &text, call),
            Answer::Unavailable { obstacle, why, until } => {
                self.wait(session, (obstacle, why), until, Some(call))?;
                Ok(None)
            }
            Answer::Failed { lost: true, .. } if ended.continued => {
                files.forget_conversation()?;
                note(session, format!("the conversation of agent '{}' is gone; a new one begins", self.name))?;
                Ok(None)
            }
            Answer::Failed { why, .. } => {
                self.fail(session, why.clone(), (false, false), call)?;
                if self.state(session).failures >= PATIENCE {
                    self.wait(session, (Obstacle::NothingNew, why), None, None)?;
                }
                Ok(None)
            }
        }
    }

    /// Makes an offer of an answer, or hands it back.
    fn answered(
        &mut self,
        session: &mut Session<'_, '_>,
        ended: &Ended,
        text: &str,
        call: AgentCall,
    ) -> Result<Option<Next>, EngineError> {
        let files = self.files(session);
        let made = call::collect(session, &self.name, self.preset, &files, ended, text)?;
        let (mut proposal, nothing) = match made {
            Made::Proposal(proposal) => (*proposal, None),
            Made::Nothing(proposal, why) => (*proposal, Some(why)),
        };
        if self.state(session).handed_back.is_none() {
            let why = match &nothing {
                Some(why) => Some(why.clone()),
                None => {
                    session.would_refuse(&proposal)?.map(|refused| format!("{}: {}", refused.reason, refused.detail))
                }
            };
            if let Some(why) = why {
                files.keep_rejected(&proposal.patch.0)?;
                self.fail(session, why, (true, false), call)?;
                return Ok(None);
            }
        }
        proposal.call = Some(call);
        if self.agent.while_measuring && may_work_ahead(session, call)? {
            self.pending = Some(self.start(session)?);
        }
        let offer = match nothing {
            None => Offer::Readable(proposal),
            Some(detail) => Offer::Unreadable { proposal, reason: Reason::Empty, detail },
        };
        Ok(Some(Next::Offer(Box::new(offer))))
    }

    /// Journals that it cannot be had, and until when; gives it up where it was waited for as long as it may be.
    fn wait(
        &mut self,
        session: &mut Session<'_, '_>,
        (obstacle, why): (Obstacle, String),
        reset: Option<Timestamp>,
        call: Option<AgentCall>,
    ) -> Result<(), EngineError> {
        let now = Timestamp::now();
        let state = self.state(session);
        let since = state.since.unwrap_or(now);
        let most = SignedDuration::try_from_secs_f64(self.agent.max_wait_s).unwrap_or(SignedDuration::MAX);
        let next = agent::next_try(now, since, state.waits + 1, reset, most);
        let waiting =
            Waiting { source: self.name.clone(), obstacle, why: why.clone(), until: next.unwrap_or(now), call };
        session.recorder.session(Event::Waiting(Box::new(waiting)), Durability::Synced)?;
        if next.is_some() {
            return Ok(());
        }
        let waited = now.duration_since(since).as_secs_f64();
        let text = format!(
            "agent '{}' was waited for {waited:.0} s in a row, maxWaitSeconds is {}: {why}",
            self.name, self.agent.max_wait_s
        );
        self.gave_up = Some(text.clone());
        note(session, format!("{text}; it is not asked again"))
    }

    fn fail(
        &self,
        session: &mut Session<'_, '_>,
        why: String,
        (handed_back, stopped): (bool, bool),
        call: AgentCall,
    ) -> Result<(), EngineError> {
        let failed = ProposalFailed { source: self.name.clone(), why, handed_back, stopped, call: Some(call) };
        Ok(session.recorder.session(Event::ProposalFailed(Box::new(failed)), Durability::Synced)?)
    }
}

impl Candidates for AgentSource {
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        if session.purpose != Purpose::Session {
            return Ok(Next::Done);
        }
        loop {
            if let Some(why) = &self.gave_up {
                return Ok(Next::GaveUp(why.clone()));
            }
            if self.pending.is_none() {
                if let Some(until) = self.held_up(session)? {
                    return Ok(Next::Wait(until));
                }
                if self.gave_up.is_some() {
                    continue;
                }
                if session.due()?.is_some() {
                    return Ok(Next::Wait(Timestamp::now()));
                }
            }
            let Some(ended) = self.ended(session)? else { return Ok(Next::Wait(Timestamp::now() + SOON)) };
            if let Some(next) = self.take(session, &ended)? {
                return Ok(next);
            }
        }
    }

    fn close(&mut self, session: &mut Session<'_, '_>) -> Result<(), EngineError> {
        let Some(mut pending) = self.pending.take() else { return Ok(()) };
        let why = if pending.is_finished() { "the session ended before it was tried" } else { "a stop ended the call" };
        pending.stop();
        let (_, call) = read(self.preset, &pending.join())?;
        self.fail(session, why.to_owned(), (false, true), call)
    }
}

impl AgentSource {
    /// Returns the end of the next call; `None` while one is under way in the background.
    fn ended(&mut self, session: &mut Session<'_, '_>) -> Result<Option<Ended>, EngineError> {
        if !self.agent.while_measuring {
            return self.call_alone(session).map(Some);
        }
        let pending = match self.pending.take() {
            Some(pending) => pending,
            None => self.start(session)?,
        };
        if pending.is_finished() {
            return Ok(Some(pending.join()));
        }
        self.pending = Some(pending);
        Ok(None)
    }
}

impl Source for AgentSource {
    fn keys(&self, _: &UserRepository) -> Result<Option<Vec<String>>, EngineError> {
        self.find_program().map(|()| None)
    }

    fn lacks(&self) -> String {
        format!("no proposal of {}", self.name)
    }

    fn is_finite(&self) -> bool {
        false
    }
}

fn unknown(name: &str) -> EngineError {
    EngineError::Refused {
        reason: format!("there is no agent preset '{name}'"),
        cure: format!("name one of {}, or give a command of your own", agent::names()),
    }
}

/// Reads what a call printed, and what it took.
fn read(preset: Option<&Preset>, ended: &Ended) -> Result<(Reading, AgentCall), EngineError> {
    let reading = match &ended.result {
        Ok(exit) => ended.read(preset, exit.outcome, &Zoned::now())?,
        Err(error) => {
            let answer = Answer::Failed { why: error.to_string(), lost: false };
            Reading { answer, cost: None, conversation: None }
        }
    };
    let call = AgentCall { seconds: ended.seconds, cost: reading.cost, number: Some(ended.number) };
    Ok((reading, call))
}

/// Says whether another proposal will be asked for after the one that `call` made.
fn may_work_ahead(session: &Session<'_, '_>, call: AgentCall) -> Result<bool, EngineError> {
    let (stop, state) = (&session.settings.stop, session.state());
    let last = stop.max_iterations.is_some_and(|most| state.iterations() + 1 >= most);
    let spent = state.agent_cost() + call.cost.unwrap_or(0.0);
    let dear = stop.agent_cost.is_some_and(|most| spent >= most);
    Ok(!last && !dear && session.due()?.is_none())
}

fn note(session: &mut Session<'_, '_>, text: String) -> Result<(), EngineError> {
    Ok(session.recorder.session(Event::Note(Note { text }), Durability::Written)?)
}
