//! `autoresearch finalize`: accepted keeps become independent review branches.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::run::{context, resumed_progress};
use crate::cli::args::{Finalize, Global};
use crate::cli::error::CliError;
use crate::cli::fold::fold;
use crate::cli::place::Place;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{ExperimentId, FinalizedKeep, Validated};
use crate::engine::finalize::{
    FinalizeError, FinalizeOrder, Group, Made, MadeBranch, Measuring, Onto, Plan, Taken, keeps_of, review_branch,
};
use crate::engine::{EngineError, Purpose, Remaining, Session};
use crate::process::{Interrupts, SupervisorProgram};
use crate::report::{self, ChangeView};
use crate::state::SessionState;

/// Finalizes: 0 every branch is made, 7 one does not build or pass by itself, 1 a conflict or another obstacle.
pub(in crate::cli) fn run(global: &Global, args: &Finalize, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::with_holdout(global, &Overrides::default(), None)?;
    place.require_session()?;
    let state = fold(&place.places.journal())?.ok_or_else(|| place.no_session())?.state;
    let taken = if args.all { Taken::NotRejected } else { Taken::Accepted };
    let plan = plan(&place, &state, args.plan.as_deref(), taken)?;
    let groups = plan.groups(&state, taken)?;
    let onto = onto(&place, &state, args.onto.as_deref())?;
    if args.preview {
        if !args.json {
            ui.tell(&preview(&place, &groups, &onto)?);
        }
        ui.json(&serde_json::to_value(&plan).unwrap_or_default())?;
        return Ok(0);
    }
    let measuring = if args.no_measure { Measuring::None } else { Measuring::Fresh };
    let made = make(&place, &state, &FinalizeOrder { groups, onto: onto.clone(), measuring }, (args, ui))?;
    let unit = place.settings.primary.unit.as_str();
    if args.json {
        ui.json(&as_json(&made, &onto, unit))?;
    } else {
        ui.advise(&as_text(&made, &onto, unit))?;
    }
    Ok(0)
}

/// Reads the plan, or makes one of the files that the keeps touch.
fn plan(place: &Place, state: &SessionState, file: Option<&Path>, taken: Taken) -> Result<Plan, CliError> {
    let Some(file) = file else {
        let keeps = keeps_of(state, taken)?;
        return Ok(Plan::by_files(&place.repository, &keeps).map_err(EngineError::from)?);
    };
    let text = std::fs::read_to_string(file).map_err(|source| CliError::io("read the plan", file, source))?;
    Ok(Plan::read(&text)?)
}

fn onto(place: &Place, state: &SessionState, named: Option<&str>) -> Result<Onto, CliError> {
    let base = &state.configured().ok_or_else(|| place.no_session())?.base;
    Ok(Onto::find(&place.repository, base, named)?)
}

/// Shows what each branch would hold.
fn preview(place: &Place, groups: &[Group], onto: &Onto) -> Result<String, CliError> {
    let mut rows = Vec::new();
    for group in groups {
        for keep in &group.keeps {
            let paths = place.repository.paths_changed(&keep.tip(), &keep.commit())?;
            let branch = review_branch(&place.settings.branch, &group.name);
            rows.push(vec![branch, format!("#{}", keep.id), paths.join(" "), keep.description.to_string()]);
        }
    }
    Ok(format!("on {onto}:\n{}", report::table(&["branch", "keep", "files", "change"], &rows)))
}

/// Opens the session and makes the branches.
fn make(
    place: &Place,
    state: &SessionState,
    order: &FinalizeOrder,
    (args, ui): (&Finalize, &Ui),
) -> Result<Made, CliError> {
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(place, &supervisor, &interrupts, Purpose::Session);
    let mut progress = if args.json { Progress::quiet(ui) } else { resumed_progress(place, ui)? };
    let mut session = Session::open(&context, vec![&mut progress])?;
    session.finalize(order, state.stopped().cloned()).map_err(|error| match error {
        FinalizeError::Engine(EngineError::StopRequested | EngineError::Interrupted) => CliError::NotFinalized,
        error => CliError::Finalize(error),
    })
}

fn as_text(made: &Made, onto: &Onto, unit: &str) -> String {
    let count = made.branches.len();
    let mut text = format!("{count} {} on {onto}\n", if count == 1 { "branch" } else { "branches" });
    for branch in &made.branches {
        text.push_str(&branch_text(branch, unit));
    }
    for id in &made.held_already {
        let _ = writeln!(text, "#{id} is left out: {} holds its change already", onto.name);
    }
    if count > 1 {
        text.push_str("merged together they are what the keeps come to in order\n");
    }
    text
}

fn branch_text(branch: &MadeBranch, unit: &str) -> String {
    let finalized = &branch.finalized;
    let mut text = format!("\n{} at {}\n", finalized.branch, finalized.tip.short());
    let whole = finalized.measured.as_deref();
    let worth = |measured: Option<&Validated>, remaining: Option<Remaining>| match measured.zip(remaining) {
        None => "built and checked, not measured".to_owned(),
        Some((measured, remaining)) => {
            let change = ChangeView::new(measured.change(), unit);
            format!("{} {change}, {} pairs{}", measured.metric, measured.pairs, words(remaining))
        }
    };
    if finalized.commits.len() > 1 && whole.is_some() {
        let _ = writeln!(text, "  together {}", worth(whole, branch.remaining));
    }
    for (keep, remaining) in finalized.commits.iter().zip(&branch.remaining_each) {
        let _ = writeln!(text, "  #{} {}", keep.experiment, worth(finalized.worth(keep), *remaining));
    }
    text
}

fn words(remaining: Remaining) -> &'static str {
    match remaining {
        Remaining::Pays => "",
        Remaining::NoLonger => ": its effect is gone on this base",
        Remaining::Untold => ": these pairs do not tell whether any effect is left",
    }
}

fn word(remaining: Remaining) -> &'static str {
    match remaining {
        Remaining::Pays => "pays",
        Remaining::NoLonger => "gone",
        Remaining::Untold => "untold",
    }
}

fn as_json(made: &Made, onto: &Onto, unit: &str) -> Value {
    let gone = |branch: &MadeBranch| -> Vec<ExperimentId> {
        let commits = branch.finalized.commits.iter().zip(&branch.remaining_each);
        commits.filter(|(_, left)| **left == Some(Remaining::NoLonger)).map(|(keep, _)| keep.experiment).collect()
    };
    let effect = |measured: Option<&Validated>, remaining: Option<Remaining>| -> Value {
        measured.map_or(Value::Null, |measured| {
            json!({
                "metric": measured.metric,
                "change": ChangeView::new(measured.change(), unit),
                "pairs": measured.pairs,
                "remaining": remaining.map(word),
            })
        })
    };
    let keep = |branch: &MadeBranch, (keep, remaining): (&FinalizedKeep, &Option<Remaining>)| {
        json!({
            "experiment": keep.experiment,
            "commit": keep.commit,
            "effect": effect(branch.finalized.worth(keep), *remaining),
        })
    };
    let branch = |branch: &MadeBranch| {
        let keeps = branch.finalized.commits.iter().zip(&branch.remaining_each);
        json!({
            "group": branch.finalized.group,
            "branch": branch.finalized.branch,
            "tip": branch.finalized.tip,
            "effect": effect(branch.finalized.measured.as_deref(), branch.remaining),
            "gone": gone(branch),
            "keeps": keeps.map(|of| keep(branch, of)).collect::<Vec<_>>(),
        })
    };
    json!({
        "onto": { "commit": onto.commit, "name": onto.name },
        "branches": made.branches.iter().map(branch).collect::<Vec<_>>(),
        "held_already": made.held_already,
    })
}
