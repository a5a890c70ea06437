//! `autoresearch run`: tries the candidates one after another and keeps what is truly better.

use std::fmt::Write as _;

use crate::cli::args::{Global, Run};
use crate::cli::error::CliError;
use crate::cli::fold::{fold, session_view};
use crate::cli::place::Place;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{StopRule, Stopped};
use crate::engine::doctor;
use crate::engine::{Context, EngineError, Moved, Purpose, Session, Sources, battery_warning, set_aside};
use crate::process::{Awake, Interrupts, SupervisorProgram};
use crate::report::{Screen, ValidationView, text};
use crate::state::SessionState;

/// Runs the session to its stop and says what was kept: 0 for a planned stop, 8 for another rule.
pub(in crate::cli) fn run(global: &Global, args: &Run, ui: &Ui) -> Result<u8, CliError> {
    let flags = Overrides {
        seed: args.seed,
        max_iterations: args.max_iterations,
        max_hours: args.max_hours,
        until: args.until.clone(),
        plateau: args.plateau,
        target: args.target,
        pin: args.pin.clone(),
        ..Overrides::default()
    };
    let place = Place::with_holdout(global, &flags, args.holdout.as_deref())?;
    let sources = Sources::new(&place.settings, &place.repository).map_err(|error| place.located(error))?;
    let mut sources = sources.following(args.follow);
    // A source that is not there is said now, not after the calibration.
    sources.check(&place.repository).map_err(|error| place.located(error))?;
    tell_hooks(&place, ui);
    if args.dry_run {
        return super::dry_run::run(&place, ui);
    }
    // Held to the end: what waits for the lock of the old session must not take it for that of the new one.
    let _moved = if args.new { start_over(&place, ui)? } else { None };
    if args.rebase.is_some() {
        place.require_session()?;
    }
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(&place, &supervisor, &interrupts, Purpose::Session);
    let mut progress = resumed_progress(&place, ui)?;
    let mut session = Session::open_onto(&context, vec![&mut progress], args.rebase.as_deref())?;
    let stopped = match session.over_already()? {
        Some(stopped) => stopped,
        None => match work(&mut session, &mut sources, &place, ui)? {
            Some(stopped) => stopped,
            // A planned end, which the progress told already.
            None => return Ok(0),
        },
    };
    let text = closing(session.state(), &stopped, &place);
    drop(session);
    let claims = session_view(&place, ui)?.claims;
    ui.print(&text::claims(&claims, Screen::of_stdout()))?;
    ui.advise(&text)?;
    Ok(exit_code(stopped.rule))
}

/// Brings the baseline up and tries the candidates, with the machine kept awake; `None` where a stop was asked for before the
/// first.
fn work(
    session: &mut Session<'_, '_>,
    sources: &mut Sources,
    place: &Place,
    ui: &Ui,
) -> Result<Option<Stopped>, CliError> {
    let _awake = awake(place, ui);
    match session.ready() {
        Ok(()) => {}
        Err(EngineError::StopRequested) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    tell_forecast(session, place, ui);
    Ok(Some(session.run(sources)?))
}

/// Keeps the machine awake where the system can, and warns where its battery will end the night.
fn awake(place: &Place, ui: &Ui) -> Option<Awake> {
    if let Some(warning) = battery_warning() {
        ui.warn(&warning);
    }
    match Awake::hold(&format!("measures the performance session '{}'", place.settings.name)) {
        Ok(awake) => Some(awake),
        Err(error) => {
            ui.tell(&format!("note: the machine is not kept from falling asleep ({error})"));
            None
        }
    }
}

/// Warns of hooks that cannot be started, before the first is called.
fn tell_hooks(place: &Place, ui: &Ui) {
    let inherited: Vec<_> = std::env::vars_os().collect();
    for trouble in doctor::hook_troubles(&place.repository, &place.settings, &inherited) {
        ui.warn(&format!("{}; {}", trouble.what, trouble.cure));
    }
}

/// Moves the session so far aside and says where it is; a new one starts from empty caches as any other.
fn start_over(place: &Place, ui: &Ui) -> Result<Option<Moved>, CliError> {
    let Some(moved) = set_aside(&place.repository, &place.places, &place.settings)? else {
        ui.tell("there is no session so far; starting the first");
        return Ok(None);
    };
    let Moved { aside, folder, .. } = &moved;
    let branch = aside.branch.as_ref().map(|branch| format!(", its branch is {branch}")).unwrap_or_default();
    ui.tell(&format!("the session so far is now '{}' in {}{branch}", aside.name, folder.display()));
    ui.tell(&ui.worded(&format!("  autoresearch log --session {}", aside.name)));
    super::clean::remove_cache(place)?;
    Ok(Some(moved))
}

/// Tells what the night can do, and warns where that is little.
fn tell_forecast(session: &Session<'_, '_>, place: &Place, ui: &Ui) {
    let (Some(forecast), Some(calibrated)) = (session.forecast(), session.state().calibrated()) else { return };
    let view = super::calibrate::view(&forecast, calibrated, &place.settings);
    ui.tell(text::forecast(&view).trim_end());
    if let Some(warning) = &view.warning {
        ui.warn(warning);
    }
}

/// Shows progress that goes on from what the journal tells already.
pub(super) fn resumed_progress<'u>(place: &Place, ui: &'u Ui) -> Result<Progress<'u>, CliError> {
    let progress = Progress::new(ui);
    Ok(match fold(&place.places.journal())? {
        Some(folded) => progress.after(&folded.state),
        None => progress,
    })
}

/// Gathers what a session is opened with.
pub(super) fn context<'a>(
    place: &'a Place,
    supervisor: &'a SupervisorProgram,
    interrupts: &'a Interrupts,
    purpose: Purpose,
) -> Context<'a> {
    Context {
        settings: &place.settings,
        places: &place.places,
        user: &place.repository,
        supervisor,
        interrupts,
        inherited: std::env::vars_os().collect(),
        purpose,
    }
}

/// Says what was kept and where to look; the sum of the kept effects is no measurement and is not shown.
fn closing(state: &SessionState, stopped: &Stopped, place: &Place) -> String {
    let tried = state.experiments().iter().filter(|record| record.id.0 != 0).count();
    let kept = state.keeps().count();
    let mut text = format!("stopped: {} ({})\n{tried} tried, {kept} kept", stopped.rule, stopped.detail);
    if kept > 0 {
        let branch = &place.settings.branch;
        let _ = write!(text, " on branch {branch}\n  git log {}..{branch}", base(state));
    }
    text.push('\n');
    text.push_str(&gain(state, place, kept));
    text.push_str("  autoresearch log\n");
    text
}

/// Says what the keeps are worth together, which is measured and never added up.
fn gain(state: &SessionState, place: &Place, kept: usize) -> String {
    let tip = state.tip().map(ToString::to_string).unwrap_or_default();
    match state.validated() {
        Some(validated) => text::validation(&ValidationView::new(validated, &place.settings.primary.unit), &tip),
        None if kept > 0 => "not validated yet: 'autoresearch validate' measures what was gained\n".to_owned(),
        None => String::new(),
    }
}

fn base(state: &SessionState) -> String {
    state.configured().map_or_else(|| "HEAD".to_owned(), |configured| configured.base.short().to_owned())
}

fn exit_code(rule: StopRule) -> u8 {
    match rule {
        StopRule::CandidatesExhausted
        | StopRule::MaxIterations
        | StopRule::MaxHours
        | StopRule::Until
        | StopRule::Plateau
        | StopRule::Target
        | StopRule::AgentCost
        | StopRule::StopFile
        | StopRule::Requested => 0,
        StopRule::BaselineBroken => 3,
        StopRule::Interrupted => 130,
        StopRule::ConsecutiveCheckFailures
        | StopRule::ConsecutiveCrashes
        | StopRule::AgentUnavailable
        | StopRule::DiskLow
        | StopRule::BranchMoved
        | StopRule::UndoConflict => 8,
    }
}
