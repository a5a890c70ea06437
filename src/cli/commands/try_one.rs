//! `autoresearch try`: judges one candidate as one more experiment of the session.

use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::run::{context, resumed_progress};
use crate::cli::args::{Global, Try};
use crate::cli::error::CliError;
use crate::cli::place::{self, Place};
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{CandidateSource, ExperimentId, Proposal, ProposalSource, RunSummary, Settings, Status};
use crate::engine::{Commit, EngineError, Offer, Purpose, Session};
use crate::process::{Interrupts, SupervisorProgram};
use crate::propose;

/// Judges the candidate: 0 kept, 4 discarded, 5 crashed, 6 checks failed.
pub(in crate::cli) fn run(global: &Global, args: &Try, ui: &Ui) -> Result<u8, CliError> {
    let flags = Overrides { pin: args.pin.clone(), ..Overrides::default() };
    let place = Place::with_holdout(global, &flags, args.holdout.as_deref())?;
    let candidate = match args.resume {
        Some(experiment) => {
            place.require_session()?;
            Candidate::Earlier(ExperimentId(experiment))
        }
        None => Candidate::New(Box::new(offer(global, args, &place)?)),
    };
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(&place, &supervisor, &interrupts, Purpose::Session);
    let mut progress = if args.json { Progress::quiet(ui) } else { resumed_progress(&place, ui)? };
    let commit = if args.no_commit { Commit::No } else { Commit::Yes };
    let mut session = Session::open(&context, vec![&mut progress])?;
    if let Candidate::Earlier(id) = candidate {
        // Said now, not after the builds.
        session.refuse_to_resume(id)?;
    }
    let run = session.ready().and_then(|()| match &candidate {
        Candidate::New(offer) => session.judge_one(offer, commit),
        Candidate::Earlier(id) => session.go_on_with(*id, commit),
    });
    drop(session);
    let run = run.map_err(|error| match error {
        // For `run` that is a planned end; here 0 would say "kept".
        EngineError::StopRequested => CliError::NoVerdict,
        error => CliError::Engine(error),
    })?;
    if args.json {
        ui.json(&answer(&run, &place.settings, commit))?;
    } else {
        ui.line(&verdict(&run, &place.settings))?;
    }
    Ok(exit_code(run.status))
}

/// What is to be judged.
enum Candidate {
    /// Something new.
    New(Box<Offer>),
    /// An inconclusive experiment, further.
    Earlier(ExperimentId),
}

fn offer(global: &Global, args: &Try, place: &Place) -> Result<Offer, CliError> {
    let mut proposal = read(global, args, place)?;
    if let Some(description) = &args.description {
        proposal.description.clone_from(description);
    }
    Ok(Offer::Readable(proposal))
}

fn read(global: &Global, args: &Try, place: &Place) -> Result<Proposal, CliError> {
    let Some(name) = args.candidate.as_deref().filter(|_| !args.worktree) else {
        let exclude = sealed(place)?;
        let patch = place.repository.worktree_patch(&exclude)?;
        return parse(&patch, "the checkout's change", "worktree");
    };
    named(global, name, place)
}

/// Reads the candidate that is named: a patch file, `-` for standard input, or a commit.
pub(super) fn named(global: &Global, name: &str, place: &Place) -> Result<Proposal, CliError> {
    if name == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|source| CliError::io("read", Path::new("standard input"), source))?;
        return parse(&bytes, "standard input", "-");
    }
    let path = place::start(global)?.join(name);
    if path.is_file() {
        let bytes = std::fs::read(&path).map_err(|source| CliError::io("read", &path, source))?;
        return parse(&bytes, name, name);
    }
    let commit = place.repository.commit_patch(name).map_err(|source| CliError::NoSuchCandidate { path, source })?;
    let mut proposal = parse(&commit.patch, name, commit.commit.as_str())?;
    let (subject, body) = commit.message.split_once('\n').unwrap_or((&commit.message, ""));
    subject.trim().clone_into(&mut proposal.description);
    body.trim().clone_into(&mut proposal.hypothesis);
    proposal.author = Some(commit.author);
    Ok(proposal)
}

fn parse(bytes: &[u8], name: &str, source: &str) -> Result<Proposal, CliError> {
    let source = ProposalSource::Try(source.to_owned());
    Ok(propose::parse(bytes, name, source).map_err(EngineError::from)?)
}

/// Returns what a checkout's change must not carry: sealed files and waiting candidates, which often lie beside it.
fn sealed(place: &Place) -> Result<Vec<String>, CliError> {
    let sealed = crate::engine::sealed(place.repository.root(), &place.settings)?;
    let inside = |path: &str| {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        let folder = place.settings.folder.as_str();
        if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
    };
    let queues = place.settings.candidates.iter().filter_map(|source| match source {
        CandidateSource::Patches(folder) => Some(inside(folder)),
        CandidateSource::Commits(_) | CandidateSource::Sweep(_) | CandidateSource::Agent(_) => None,
    });
    let files = sealed.files.into_iter().map(|(path, _)| path);
    Ok(files.chain([inside("ideas.md")]).chain(queues).collect())
}

/// Returns what an agent needs to know: verdict, reason, effect, side information, closed ideas touched.
fn answer(run: &RunSummary, settings: &Settings, commit: Commit) -> serde_json::Value {
    let objective = settings.objective(run.effect_of);
    let change = run.effect.as_ref().map(|effect| effect.change(objective.direction));
    let why = run.asi.get("auto").and_then(|auto| auto.get("why")).cloned();
    let closed = match run.reason {
        crate::domain::Reason::ClosedIdea | crate::domain::Reason::SettledDecision => why.clone().into_iter().collect(),
        _ => Vec::<serde_json::Value>::new(),
    };
    json!({
        "experiment": run.run,
        "status": run.status,
        "reason": run.reason,
        "why": why,
        "metric": run.metric,
        "effect": run.effect,
        "change": change.map(|c| json!({
            "value": c.value, "low": c.low, "high": c.high, "unit": if c.percent { "%" } else { objective.unit.as_str() },
            "metric": objective.name,
        })),
        "commit": (run.status == Status::Keep && commit == Commit::Yes).then_some(&run.commit),
        "flags": run.flags,
        "asi": run.asi,
        "closed_ideas": closed,
    })
}

fn verdict(run: &RunSummary, settings: &Settings) -> String {
    let objective = settings.objective(run.effect_of);
    let effect = run.effect.as_ref().map(|effect| format!("{} {}", objective.name, effect.change(objective.direction)));
    let why = run.asi.get("auto").and_then(|auto| auto.get("why")).and_then(serde_json::Value::as_str);
    let mut parts = vec![format!("experiment {}: {} ({})", run.run, run.status, run.reason)];
    parts.extend(effect);
    parts.extend(why.map(str::to_owned));
    parts.join("\n  ")
}

/// Returns the exit code that a judged candidate gives (FORMATS section 8).
pub(super) fn exit_code(status: Status) -> u8 {
    match status {
        Status::Keep => 0,
        Status::Discard => 4,
        Status::Crash => 5,
        Status::ChecksFailed => 6,
    }
}
