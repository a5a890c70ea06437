//! `autoresearch calibrate`: measures the baseline against itself, and says what ails the machine and what a night can do.

use serde_json::json;

use super::run::{context, resumed_progress};
use crate::cli::args::{Calibrate, Global};
use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{Calibrated, MetricCalibration, Pair, Scale, Settings};
use crate::engine::{EngineError, Purpose, Roles, Session, Wanted, identical_pairs};
use crate::process::{Interrupts, SupervisorProgram};
use crate::report::{CalibratedMetric, CalibrationReport, ForecastView, Lens, Screen, text};
use crate::stats::Forecast;

/// Calibrates, or finds the calibration that serves, and tells what it says: 0, or 3 where the baseline fails.
pub(in crate::cli) fn run(global: &Global, args: &Calibrate, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::with_holdout(global, &Overrides::default(), args.holdout.as_deref())?;
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(&place, &supervisor, &interrupts, Purpose::Session);
    let mut progress = if args.json { Progress::quiet(ui) } else { resumed_progress(&place, ui)? };
    let mut session = Session::open(&context, vec![&mut progress])?;
    let before = session.state().calibrated_at();
    match session.ready_as(Wanted { pairs: args.pairs, fresh: args.fresh }) {
        Ok(()) => {}
        Err(EngineError::StopRequested) => return Err(CliError::Interrupted),
        Err(error) => return Err(error.into()),
    }
    let reused = before.is_some() && session.state().calibrated_at() == before;
    let forecast = session.forecast();
    let calibrated = session.state().calibrated().cloned().ok_or(EngineError::NotCalibrated)?;
    session.rest("calibrated; 'autoresearch run' goes on from here")?;
    drop(session);
    let pairs = identical_pairs(&place.places.journal())?;
    let mut report = report(&calibrated, &pairs, &place.settings);
    report.reused = reused;
    report.forecast = forecast.map(|forecast| view(&forecast, &calibrated, &place.settings));
    if args.json {
        ui.json(&json!(report))?;
    } else {
        ui.print(&text::calibration(&report, Screen::of_stdout()))?;
    }
    Ok(0)
}

/// Says what a calibration and its pairs say, metric by metric.
pub(super) fn report(calibrated: &Calibrated, pairs: &[Pair], settings: &Settings) -> CalibrationReport {
    let roles = Roles::of_calibration(settings, calibrated);
    let metrics: Vec<_> = calibrated.metrics.iter().map(|metric| read_as(metric, &roles, settings)).collect();
    CalibrationReport::new(calibrated, &metrics, pairs)
}

/// Says how a metric is read.
fn read_as<'m>(metric: &'m MetricCalibration, roles: &Roles, settings: &Settings) -> CalibratedMetric<'m> {
    let (direction, scale) = roles.lens(settings, &metric.metric);
    let sentinel = roles.sentinel(&metric.metric);
    let unit = if metric.metric == settings.primary.name { settings.primary.unit.clone() } else { String::new() };
    // Runs of a sentinel that is held to limits stand on the plain scale, where nothing need be above 0.
    let scale = if sentinel.is_some_and(|s| s.tolerance.is_none()) { Scale::Linear } else { scale };
    let lens = Lens { metric: metric.metric.clone(), unit, direction, scale };
    let tolerance = sentinel.and_then(|sentinel| sentinel.tolerance).map(|asked| scale.setting(asked));
    let unguarded = tolerance.and_then(|_| roles.sure_beyond(settings, metric));
    CalibratedMetric { metric, lens, tolerance, unguarded }
}

/// Takes a forecast with the smallest effect that this calibration announced.
pub(super) fn view(forecast: &Forecast, calibrated: &Calibrated, settings: &Settings) -> ForecastView {
    let primary = calibrated.metrics.iter().find(|metric| metric.metric == settings.primary.name);
    ForecastView::new(forecast, settings, primary.and_then(|metric| metric.resolves))
}
