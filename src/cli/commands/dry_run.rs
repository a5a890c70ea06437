//! `autoresearch run --dry-run`: what a session would do, before a night is spent on it.

use std::fmt::Write as _;

use super::run::context;
use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::domain::{PhaseEnded, Screening};
use crate::engine::dry_run::{Candidate, DryRun, dry_run};
use crate::engine::{EngineError, Purpose};
use crate::process::{Interrupts, SupervisorProgram};
use crate::report::text::{self, duration};
use crate::report::{self, Lens, one_line};

/// Brings the baseline up, screens every candidate and forecasts the session: 0, or 3 where the baseline fails.
pub(super) fn run(place: &Place, ui: &Ui) -> Result<u8, CliError> {
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(place, &supervisor, &interrupts, Purpose::Rehearsal);
    let mut progress = Progress::new(ui);
    let found = dry_run(&context, &mut progress).map_err(|error| match error {
        EngineError::Interrupted | EngineError::StopRequested => CliError::Interrupted,
        other => other.into(),
    })?;
    drop(progress);
    ui.print(&[baseline(&found, place), candidates(&found), forecast(&found, place)].concat())?;
    Ok(0)
}

fn baseline(found: &DryRun, place: &Place) -> String {
    let mut text = format!("The baseline {} passes every stage.\n", found.tip.short());
    let stage = |stage: &PhaseEnded| {
        let what = stage.what.as_deref().unwrap_or_default();
        vec![stage.phase.to_string(), one_line(what), duration(stage.seconds)]
    };
    let stages: Vec<_> = found.stages.iter().map(stage).collect();
    if !stages.is_empty() {
        let _ = writeln!(text, "{}", report::table(&["stage", "of", "took"], &stages).trim_end());
    }
    let lens = Lens::from(&place.settings.primary);
    let calibrated = &found.calibrated;
    if let Some(metric) = calibrated.primary() {
        let resolves = metric.resolves.map(|size| format!(", {} can be resolved", lens.size(size)));
        let _ = writeln!(
            text,
            "{} is {}; over {} pairs of the same program a pair's noise is {}{}.",
            metric.metric,
            lens.value(metric.median),
            calibrated.pairs,
            lens.size(metric.s),
            resolves.unwrap_or_default()
        );
    }
    text
}

fn candidates(found: &DryRun) -> String {
    let mut text = format!("\nCandidates: {}; accepted by the screen: {}", found.candidates.len(), found.accepted());
    if found.tried > 0 {
        let _ = write!(text, "; tried already: {}", found.tried);
    }
    text.push_str(".\n");
    if !found.candidates.is_empty() {
        let rows: Vec<_> = found.candidates.iter().map(row).collect();
        let _ = writeln!(text, "{}", report::table(&["candidate", "screen", "how"], &rows).trim_end());
    }
    text
}

fn row(candidate: &Candidate) -> Vec<String> {
    let (verdict, how) = match &candidate.screened.outcome {
        Screening::Accepted { rung, .. } => ("accepted".to_owned(), format!("applies ({rung})")),
        Screening::Refused { reason, detail } => (reason.to_string(), detail.clone()),
    };
    let told = [how].into_iter().chain(candidate.screened.warnings.iter().cloned()).collect::<Vec<_>>();
    vec![one_line(&candidate.name), verdict, one_line(&told.join("; "))]
}

/// Says what the session that follows can do with the candidates that the screen let through.
fn forecast(found: &DryRun, place: &Place) -> String {
    let Some(forecast) = &found.forecast else { return String::new() };
    let view = super::calibrate::view(forecast, &found.calibrated, &place.settings);
    let warning = view.warning.as_ref().map(|warning| format!("warning: {warning}\n"));
    format!("\n{}{}", text::forecast(&view), warning.unwrap_or_default())
}
