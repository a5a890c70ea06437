//! The noise of the base against itself, and the smallest effect that a session could resolve with it.

use crate::domain::{Arm, Calibrated, MetricCalibration, Objective, Phase, Scale, Sentinel};
use crate::engine::EngineError;
use crate::engine::calibrate::SetupTimes;
use crate::engine::roles::{Role, Roles};
use crate::engine::session::Session;

use super::finding::{Finding, Group, Report};

const CHECK: (Group, &str) = (Group::Baseline, "noise");

/// The smallest resolvable effect, as a share, above which a session would miss most improvements.
const COARSE: f64 = 0.05;

/// Warms up and calibrates as a session does, and reports on every judged metric.
pub(super) fn measure(
    session: &mut Session<'_, '_>,
    times: SetupTimes,
    report: &mut dyn Report,
) -> Result<(), EngineError> {
    report.doing("noise: pairs of the base against itself");
    match calibrate(session, times, report) {
        Ok(()) => {}
        Err(EngineError::BaselineBroken { detail }) => {
            report.found(Finding::failure(CHECK, detail));
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    let Some(calibrated) = session.state().calibrated().cloned() else { return Err(EngineError::NotCalibrated) };
    let roles = Roles::of_calibration(session.settings, &calibrated);
    for metric in &calibrated.metrics {
        let (_, scale) = roles.lens(session.settings, &metric.metric);
        let finding = match roles.get(&metric.metric) {
            Some(Role::Sentinel(sentinel)) => {
                watched(metric, scale, (sentinel, roles.unguarded(session.settings, metric)))
            }
            Some(Role::Primary { objective, .. }) => primary(session, (metric, objective), &calibrated),
            None => continue,
        };
        report.found(facts(finding, metric));
    }
    Ok(())
}

fn calibrate(session: &mut Session<'_, '_>, times: SetupTimes, report: &mut dyn Report) -> Result<(), EngineError> {
    warm_up(session)?;
    session.calibrate(None, times, &mut |number, count| report.progress(&format!("pair {number} of {count}")))
}

fn warm_up(session: &mut Session<'_, '_>) -> Result<(), EngineError> {
    for arm in [Arm::Baseline, Arm::Candidate] {
        for _ in 0..session.settings.bench.warmup {
            let log = session.log(Phase::Warmup, Some(&arm.to_string()));
            if let Err(failure) = session.one_run(arm, log)? {
                return Err(session.broken(failure.detail));
            }
        }
    }
    Ok(())
}

/// Says a difference on a decision scale for people.
fn shown(scale: Scale, value: f64, unit: &str) -> String {
    match scale {
        Scale::Ratio => format!("{:.2} %", 100.0 * value.exp_m1()),
        Scale::Linear => format!("{value:.4} {unit}").trim_end().to_owned(),
    }
}

fn primary(
    session: &Session<'_, '_>,
    (metric, goal): (&MetricCalibration, &Objective),
    calibrated: &Calibrated,
) -> Finding {
    let shown = |value: f64| shown(goal.scale, value, &goal.unit);
    let smallest = metric.resolves.map_or_else(|| "not known".to_owned(), |effect| shown(effect.abs()));
    let detail = format!(
        "{}: noise of a pair {}, difference of the slots {}, a run takes {:.2} s; the smallest effect that {} pairs \
         resolve is {smallest}",
        metric.metric,
        shown(metric.s),
        shown(metric.bias),
        calibrated.run_s,
        session.settings.decision.max_pairs,
    );
    let found = if coarse(metric, goal.scale) {
        Finding::warning(CHECK, detail).cure(
            "a longer bench, more pairs (decision.maxPairs), a quieter machine, or a steadier primary such as CPU time \
             (auto.cpu_s) or a counter",
        )
    } else {
        Finding::ok(CHECK, detail)
    };
    found.fact("run_s", calibrated.run_s).fact("build_s", calibrated.build_s).fact("pairs", calibrated.pairs)
}

fn watched(metric: &MetricCalibration, scale: Scale, (sentinel, unguarded): (&Sentinel, Option<String>)) -> Finding {
    let noise = shown(scale, metric.s, "");
    let limit = match metric.resolves {
        Some(limit) => format!("a regression beyond {} is told from noise", shown(scale, limit, "")),
        None if sentinel.exact => "it must be equal in both arms".to_owned(),
        None => "it is held to its limits".to_owned(),
    };
    let detail = format!("sentinel {}: noise of a pair {noise}; {limit}", metric.metric);
    match unguarded {
        None => Finding::ok(CHECK, detail),
        Some(unguarded) => Finding::warning(CHECK, format!("{detail}; {unguarded}")).cure(
            "a longer bench, a quieter machine, fewer sentinels, or a larger tolerance; it blocks little as it is",
        ),
    }
}

fn facts(finding: Finding, metric: &MetricCalibration) -> Finding {
    finding
        .fact("metric", metric.metric.to_string())
        .fact("role", metric.role.clone())
        .fact("median", metric.median)
        .fact("s", metric.s)
        .fact("bias", metric.bias)
        .fact("bias_se", metric.bias_se)
        .fact("resolves", metric.resolves)
}

/// Says whether only large effects could be seen.
fn coarse(metric: &MetricCalibration, scale: Scale) -> bool {
    let share = metric.resolves.map(|effect| match scale {
        Scale::Ratio => effect.abs().exp_m1(),
        Scale::Linear if metric.median == 0.0 => 0.0, // no share of nothing
        Scale::Linear => (effect / metric.median).abs(),
    });
    share.is_none_or(|share| share > COARSE)
}
