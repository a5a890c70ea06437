//! `autoresearch validate`: measures the session's gain afresh, and what each keep is still worth.

use serde_json::{Value, json};

use super::run::{context, resumed_progress};
use crate::cli::args::{Global, Validate};
use crate::cli::error::CliError;
use crate::cli::fold::fold;
use crate::cli::place::Place;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::Validated;
use crate::engine::{EngineError, Purpose, Remaining, Retest, RetestOutcome, Retests, Session, Validation};
use crate::process::{Interrupts, SupervisorProgram};
use crate::report::{ChangeView, ValidationView, text};

/// The exit code of what is not as it was to be verified.
const NOT_SO: u8 = 7;

/// Validates: 0 the gain is shown, 7 it is not, or a keep was undone or no longer pays.
pub(in crate::cli) fn run(global: &Global, args: &Validate, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::with_holdout(global, &Overrides::default(), args.holdout.as_deref())?;
    place.require_session()?;
    let stood = fold(&place.places.journal())?.and_then(|folded| folded.state.stopped().cloned());
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(&place, &supervisor, &interrupts, Purpose::Session);
    let mut progress = if args.json { Progress::quiet(ui) } else { resumed_progress(&place, ui)? };
    let mut session = Session::open(&context, vec![&mut progress])?;
    let retests = if args.leave_one_out { Retests::All } else { Retests::Doubted };
    let found = session.ready_to_validate().and_then(|()| session.validate_alone(retests, stood));
    let tip = session.state().tip().map(ToString::to_string).unwrap_or_default();
    drop(session);
    let found = found.map_err(|error| match error {
        EngineError::StopRequested => CliError::NotValidated,
        error => CliError::Engine(error),
    })?;
    let unit = place.settings.primary.unit.as_str();
    if args.json {
        ui.json(&as_json(&found, unit))?;
    } else {
        ui.advise(&as_text(&found, unit, &tip))?;
    }
    Ok(exit_code(&found))
}

fn exit_code(found: &Validation) -> u8 {
    let gone = found.retests.iter().any(|retest| retest.outcome.no_longer_pays());
    let unshown = found.validated.as_ref().is_some_and(|validated| !validated.is_shown());
    if gone || unshown || found.failed.is_some() || !found.undone.is_empty() { NOT_SO } else { 0 }
}

fn as_text(found: &Validation, unit: &str, tip: &str) -> String {
    let mut parts = Vec::new();
    for undone in &found.undone {
        parts.push(format!("undone: #{} by {}: {}\n", undone.experiment, undone.commit.short(), undone.why));
    }
    match (&found.validated, &found.failed) {
        (Some(validated), _) => parts.push(text::validation(&ValidationView::new(validated, unit), tip)),
        (None, Some(failed)) => parts.push(format!("not validated: {failed}\n")),
        (None, None) => parts.push("nothing is kept, so there is nothing to validate\n".to_owned()),
    }
    parts.extend(found.retests.iter().map(|retest| line(retest, unit)));
    parts.concat()
}

/// Says what a re-test found.
pub(super) fn line(retest: &Retest, unit: &str) -> String {
    let said = match &retest.outcome {
        RetestOutcome::Stuck { why } => format!("cannot be reverted alone: {why}"),
        RetestOutcome::Measured { validated, remaining } => {
            format!("{} {}: {}", validated.metric, change(validated, unit), words(*remaining))
        }
    };
    format!("#{} {}\n  {said}\n", retest.experiment, retest.description)
}

fn change(validated: &Validated, unit: &str) -> ChangeView {
    ChangeView::new(validated.change(), unit)
}

fn words(remaining: Remaining) -> &'static str {
    match remaining {
        Remaining::Pays => "still pays",
        Remaining::NoLonger => "no longer pays; consider reverting it",
        Remaining::Untold => "these pairs do not tell",
    }
}

fn as_json(found: &Validation, unit: &str) -> Value {
    let undone = found.undone.iter();
    json!({
        "validated": found.validated.as_ref().map(|validated| ValidationView::new(validated, unit)),
        "failed": found.failed,
        "undone": undone.map(|u| json!({"experiment": u.experiment, "commit": u.commit, "why": u.why})).collect::<Vec<_>>(),
        "retests": found.retests.iter().map(|retest| retest_json(retest, unit)).collect::<Vec<_>>(),
    })
}

fn retest_json(retest: &Retest, unit: &str) -> Value {
    let (outcome, effect, why) = match &retest.outcome {
        RetestOutcome::Stuck { why } => ("cannot_be_reverted_alone", None, Some(why)),
        RetestOutcome::Measured { validated, remaining } => (word(*remaining), Some(change(validated, unit)), None),
    };
    json!({
        "experiment": retest.experiment,
        "description": retest.description,
        "outcome": outcome,
        "change": effect,
        "why": why,
    })
}

fn word(remaining: Remaining) -> &'static str {
    match remaining {
        Remaining::Pays => "pays",
        Remaining::NoLonger => "no_longer_pays",
        Remaining::Untold => "untold",
    }
}
