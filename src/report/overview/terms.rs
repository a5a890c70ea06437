//! The terms on which a session measured and decided, and what its calibration found of the noise.

use serde::Serialize;

use crate::domain::{
    Calibrated, CheckOrder, Configured, Confirm, MetricCalibration, Objective, Patience, Sentinel, Settings,
};
use crate::report::lens::Lens;
use crate::report::session::SessionView;

/// One term: what it is called, and how it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermView {
    /// What it is.
    pub name: String,
    /// How it was.
    pub text: String,
}

/// What a calibration found of one metric, in the reader's terms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoiseView {
    /// The metric.
    pub metric: String,
    /// `primary`, `coPrimary[0]` and so on, or the sentinel's pattern.
    pub role: String,
    /// Median over all runs, with the unit.
    pub median: String,
    /// Noise of one pair's difference.
    pub noise: String,
    /// Smallest effect that can be resolved, or effective tolerance.
    pub resolves: Option<String>,
}

/// Lists how the session measured and decided, from its settings alone.
pub(super) fn methodology(session: &SessionView, configured: &Configured) -> Vec<TermView> {
    let settings = configured.settings.as_ref();
    let decision = &settings.decision;
    let mut terms = vec![
        term("goal", settings.objectives().map(objective).collect::<Vec<_>>().join("; or ")),
        term("bench", settings.bench.command.to_string()),
        term("warm-up", warmup(settings)),
        term("comparison", comparison(settings)),
        term(
            "decision",
            format!(
                "evidence at an error budget of its own for each candidate, so that about {} of the keeps are expected \
                 to be false at most; at most {} pairs, patience {}, seed {}",
                share(decision.false_keep_share),
                decision.max_pairs,
                patience(decision.patience),
                decision.seed.0
            ),
        ),
        term("confirmation", confirmation(decision.confirm).to_owned()),
    ];
    if let Some(build) = &settings.build {
        terms.push(term("build", build.command.to_string()));
    }
    for sentinel in &settings.sentinels {
        terms.push(term("sentinel", guard(sentinel)));
    }
    if settings.holdout.is_some() {
        terms.push(term("holdout", "every keep also had to agree with a bench that no proposer sees".to_owned()));
    }
    terms.push(term("checks", checks(settings)));
    terms.push(term("harness", format!("{} files sealed and hashed", configured.harness.len())));
    terms.push(term("experiments", experiments(session)));
    terms
}

fn term(name: &str, text: String) -> TermView {
    TermView { name: name.to_owned(), text }
}

fn share(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn objective(objective: &Objective) -> String {
    let lens = Lens::from(objective);
    let least = match lens.scale {
        crate::domain::Scale::Ratio => format!("{:.1} %", 100.0 * objective.min_effect),
        crate::domain::Scale::Linear => lens.value(objective.min_effect),
    };
    format!("{}, {} is better, at least {least} is worth keeping", objective.name, objective.direction)
}

fn warmup(settings: &Settings) -> String {
    match settings.bench.warmup {
        0 => "none".to_owned(),
        1 => "one discarded run of each arm".to_owned(),
        n => format!("{n} discarded runs of each arm"),
    }
}

fn comparison(settings: &Settings) -> String {
    let pinned = settings.host.pin.as_ref().map(|_| ", on pinned cores").unwrap_or_default();
    format!(
        "each candidate against the best before it, in interleaved pairs of two built programs, the order of each pair \
         by a coin{pinned}; never against an old number"
    )
}

fn confirmation(confirm: Confirm) -> &'static str {
    match confirm {
        Confirm::Auto => "a win is measured again with the slots swapped where that is cheap",
        Confirm::On => "every win is measured again with the slots swapped",
        Confirm::Off => "wins are not measured again with the slots swapped",
    }
}

fn patience(patience: Patience) -> &'static str {
    match patience {
        Patience::Thorough => "thorough",
        Patience::Normal => "normal",
        Patience::Thrifty => "thrifty",
    }
}

fn guard(sentinel: &Sentinel) -> String {
    let rules = [
        sentinel.tolerance.map(|tolerance| match sentinel.scale {
            crate::domain::Scale::Ratio => format!("at most {:.1} % worse", 100.0 * tolerance),
            crate::domain::Scale::Linear => format!("at most {tolerance} worse"),
        }),
        sentinel.tolerance_abs.map(|tolerance| format!("at most {tolerance} worse in its unit")),
        sentinel.max.map(|max| format!("at most {max}")),
        sentinel.min.map(|min| format!("at least {min}")),
        sentinel.exact.then(|| "exactly the same".to_owned()),
    ];
    let rules: Vec<String> = rules.into_iter().flatten().collect();
    format!("{}: {}", sentinel.pattern, rules.join(", "))
}

fn checks(settings: &Settings) -> String {
    let order = match settings.checks.order {
        CheckOrder::ChecksFirst => "before it is measured",
        CheckOrder::BenchFirst => "after it was measured",
    };
    format!("every executable in {}/ must exit 0 for a candidate, {order}", settings.checks.dir)
}

fn experiments(session: &SessionView) -> String {
    let counts = session.counts;
    format!(
        "{} settled, {} reached the build: {} kept, {} undone, {} discarded, {} failed checks, {} crashed",
        counts.settled,
        counts.iterations,
        counts.kept,
        counts.undone,
        counts.discarded,
        counts.checks_failed,
        counts.crashed
    )
}

/// Lists what the last calibration found of each metric; the holdout's own are left out.
pub(super) fn noise(calibrated: &Calibrated, settings: &Settings) -> Vec<NoiseView> {
    calibrated.metrics.iter().map(|metric| noise_of(metric, settings)).collect()
}

fn noise_of(metric: &MetricCalibration, settings: &Settings) -> NoiseView {
    let lens = lens_of(metric, settings);
    NoiseView {
        metric: metric.metric.to_string(),
        role: metric.role.clone(),
        median: lens.value(metric.median),
        noise: lens.size(metric.s),
        resolves: metric.resolves.map(|size| lens.size(size)),
    }
}

fn lens_of(metric: &MetricCalibration, settings: &Settings) -> Lens {
    let objective = settings.objectives().find(|objective| objective.name == metric.metric);
    let sentinel = || settings.sentinels.iter().find(|sentinel| sentinel.pattern == metric.role);
    match (objective, sentinel()) {
        (Some(objective), _) => Lens::from(objective),
        (None, Some(sentinel)) => Lens {
            metric: metric.metric.clone(),
            unit: String::new(),
            direction: sentinel.direction,
            scale: sentinel.scale,
        },
        (None, None) => Lens { metric: metric.metric.clone(), ..Lens::from(&settings.primary) },
    }
}
