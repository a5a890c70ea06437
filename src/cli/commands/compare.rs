//! `autoresearch compare`: two commits, one answer; no config and no session.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::try_one::exit_code;
use crate::cli::args::{Compare, Global};
use crate::cli::error::CliError;
use crate::cli::place;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::domain::{Change, Effect, Host, Reason, Seed, Status};
use crate::engine::compare::{Answer, Question, Surroundings, compare};
use crate::engine::{EngineError, MetricRow};
use crate::git::UserRepository;
use crate::process::{Interrupts, SupervisorProgram};
use crate::report::{self, Lens};

/// Compares: 0 the candidate is better, 4 it is not, 5 it fails, 6 it computes something else; 3 the base fails.
pub(in crate::cli) fn run(global: &Global, args: &Compare, ui: &Ui) -> Result<u8, CliError> {
    let start = place::start(global)?;
    let user = UserRepository::open(&start)?;
    let inside = start.strip_prefix(user.root()).unwrap_or(&start);
    let question = question(args, inside.to_string_lossy().into_owned());
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let around = Surroundings {
        user: &user,
        cache_home: &place::cache_home()?,
        supervisor: &supervisor,
        interrupts: &interrupts,
        inherited: std::env::vars_os().collect(),
    };
    let mut progress = if args.json { Progress::quiet(ui) } else { Progress::new(ui) };
    let answer = compare(&around, &question, &mut progress).map_err(|error| of_base(error, &args.base))?;
    drop(progress);
    if args.json {
        ui.json(&as_json(&answer))?;
    } else {
        ui.print(&as_text(&answer, args))?;
    }
    Ok(exit_code(answer.run.status))
}

fn question(args: &Compare, working_dir: String) -> Question {
    Question {
        base: args.base.clone(),
        candidate: args.candidate.clone(),
        bench: args.bench.clone(),
        build: args.build.clone(),
        working_dir,
        metric: args.metric.clone(),
        direction: args.direction.into(),
        min_effect: args.min_effect,
        max_pairs: args.max_pairs,
        seed: Seed(args.seed),
        // Somebody sits and waits for the answer.
        host: Host { pin: args.pin.clone(), max_wait_s: 0.0 },
    }
}

/// Says of an end what it means where there is no session to go on with.
fn of_base(error: EngineError, base: &str) -> CliError {
    match error {
        EngineError::BaselineBroken { detail } => CliError::BaseBroken { base: base.to_owned(), detail },
        EngineError::Interrupted | EngineError::StopRequested => CliError::Interrupted,
        other => other.into(),
    }
}

fn as_text(answer: &Answer, args: &Compare) -> String {
    let mut text = format!("{}\n", verdict(answer, args));
    for warning in &answer.warnings {
        let _ = writeln!(text, "but: {warning}");
    }
    if !answer.rows.is_empty() {
        let rows: Vec<Vec<String>> = answer.rows.iter().map(|row| cells(row, answer)).collect();
        let _ = write!(text, "\n{}\n", report::table(&["metric", "base", "candidate", "change"], &rows));
    }
    let _ = writeln!(text, "{}", effort(answer));
    text.extend(log_tail(answer));
    text
}

fn cells(row: &MetricRow, answer: &Answer) -> Vec<String> {
    let [metric, base, candidate, change] = row.cells();
    let judged = effect(answer).filter(|_| row.metric == answer.primary.name);
    vec![metric, base, candidate, judged.map_or(change, |effect| change_of(effect, answer).to_string())]
}

fn effect(answer: &Answer) -> Option<&Effect> {
    answer.run.effect.as_ref()
}

fn change_of(effect: &Effect, answer: &Answer) -> Change {
    effect.change(answer.primary.direction)
}

/// Says in words what was found.
fn verdict(answer: &Answer, args: &Compare) -> String {
    let (candidate, base) = (&args.candidate, &args.base);
    let smallest = format!("{} %", 100.0 * args.min_effect);
    let why = || why(answer).unwrap_or_default().to_owned();
    let words = match answer.run.status {
        Status::Keep => format!("{candidate} is better than {base}"),
        Status::Discard if answer.run.reason == Reason::Regressed => format!("{candidate} is worse than {base}"),
        Status::Discard if answer.run.reason == Reason::NoEffect => {
            format!("no gain of {smallest} or more: {candidate} is not better than {base}")
        }
        Status::Discard => format!(
            "not told within {} pairs: a longer bench, a quieter machine or a larger --max-pairs may tell",
            args.max_pairs
        ),
        Status::ChecksFailed if answer.run.reason == Reason::InvariantChanged => {
            format!("{candidate} computes something else than {base}: {}", why())
        }
        Status::ChecksFailed | Status::Crash => format!("{candidate} fails where {base} does not: {}", why()),
    };
    match effect(answer) {
        Some(effect) => {
            format!("{}: {} {}", answer.run.reason, answer.primary.name, change_of(effect, answer)) + "\n" + &words
        }
        None => format!("{}: {words}", answer.run.reason),
    }
}

fn why(answer: &Answer) -> Option<&str> {
    answer.run.asi.get("auto")?.get("why")?.as_str()
}

/// Says how much was measured and what that can resolve.
fn effort(answer: &Answer) -> String {
    let lens = Lens::from(&answer.primary);
    let plural = if answer.pairs == 1 { "" } else { "s" };
    let mut text = format!("{} pair{plural} ({} runs)", answer.pairs, 2 * answer.pairs);
    let _ = write!(text, "; before them {} pairs of the base against itself", answer.calibration_pairs);
    if let Some(calibration) = &answer.calibration {
        let _ = write!(text, ": a pair's noise is {}", lens.size(calibration.s));
        let resolves = calibration.resolves.map(|size| format!(", {} can be resolved", lens.size(size)));
        text.extend(resolves);
    }
    text
}

/// Returns the end of what a failed command said: its log goes away with the slots.
fn log_tail(answer: &Answer) -> Option<String> {
    let failed = answer.run.asi.get("auto")?.get("failed")?;
    let tail = ["stderr_tail", "stdout_tail"].iter().find_map(|key| failed.get(*key)?.as_str())?;
    Some(format!("\n{}\n", tail.trim_end()))
}

fn as_json(answer: &Answer) -> Value {
    let calibration = answer.calibration.as_ref();
    json!({
        "base": answer.base,
        "candidate": answer.candidate,
        "metric": answer.primary.name,
        "direction": answer.primary.direction,
        "verdict": answer.run.reason,
        "status": answer.run.status,
        "why": why(answer),
        "effect": answer.run.effect,
        "change": effect(answer).map(|effect| change_json(&change_of(effect, answer))),
        "metrics": answer.rows.iter().map(row_json).collect::<serde_json::Map<_, _>>(),
        "pairs": answer.pairs,
        "calibration": {
            "pairs": answer.calibration_pairs,
            "noise": calibration.map(|metric| metric.s),
            "resolves": calibration.and_then(|metric| metric.resolves),
        },
        "failed": answer.run.asi.get("auto").and_then(|auto| auto.get("failed")),
        "warnings": answer.warnings,
    })
}

fn row_json(row: &MetricRow) -> (String, Value) {
    let change = row.change.as_ref().map(change_json);
    (row.metric.to_string(), json!({ "base": row.baseline, "candidate": row.candidate, "change": change }))
}

fn change_json(change: &Change) -> Value {
    let unit = if change.percent { "%" } else { "" };
    json!({ "value": change.value, "low": change.low, "high": change.high, "unit": unit })
}
