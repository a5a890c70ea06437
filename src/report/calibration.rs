//! What a calibration says of a machine, metric by metric, and what to do where that is poor.

use serde::Serialize;

use super::forecast::ForecastView;
use super::lens::Lens;
use crate::domain::{Arm, Calibrated, MetricCalibration, Pair, Scale};
use crate::stats::{Diagnosis, SlotBias, Tested, TwinRuns};

/// The smallest resolvable effect, as a share, above which a session would miss most improvements.
const COARSE: f64 = 0.05;

/// Outliers, and their share of the runs, from which they are worth mending: one may be an accident.
const MANY_OUTLIERS: usize = 2;
const OUTLIER_SHARE: f64 = 0.1;

/// A metric as it was calibrated.
#[derive(Debug, Clone)]
pub struct CalibratedMetric<'a> {
    /// What the journal says of it.
    pub metric: &'a MetricCalibration,
    /// How it is read.
    pub lens: Lens,
    /// The tolerance that was asked for, on the decision scale, where it is a sentinel with one.
    pub tolerance: Option<f64>,
    /// The regression beyond which it is sure to block, on the decision scale, where it cannot be guarded.
    pub unguarded: Option<f64>,
}

/// A calibration, in the reader's terms: sizes are in percent, or in the metric's unit on the linear scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationReport {
    /// The commit in both slots.
    pub commit: String,
    /// Whether it was made earlier and serves still.
    pub reused: bool,
    /// Pairs of the same program.
    pub pairs: u32,
    /// Seconds of a bench run.
    pub run_s: f64,
    /// Seconds of a full build.
    pub build_s: f64,
    /// Seconds of all checks together, where known.
    pub checks_s: Option<f64>,
    /// Each judged metric, the primary first.
    pub metrics: Vec<MetricReport>,
    /// What the night can do.
    pub forecast: Option<ForecastView>,
}

/// What the calibration says of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricReport {
    /// How it is read.
    #[serde(flatten)]
    pub lens: Lens,
    /// `primary`, or the sentinel's pattern.
    pub role: String,
    /// Median of all runs.
    pub median: f64,
    /// Unit of all sizes.
    pub size_unit: String,
    /// Robust standard deviation `s` of a pair's difference.
    pub noise: f64,
    /// Difference `T` that counts as a jump.
    pub jump: f64,
    /// Standard deviation of a run; its coefficient of variation, in percent, on the ratio scale.
    pub run_spread: Option<f64>,
    /// How much better the candidate's slot is for the same program.
    pub slot_bias: f64,
    /// Standard error of that.
    pub slot_bias_se: f64,
    /// How much worse runs became from the first to the last.
    pub drift: Option<TestedView>,
    /// How much worse the second run of a pair is.
    pub order: Option<TestedView>,
    /// Two levels that the runs jump between.
    pub levels: Option<LevelsView>,
    /// Runs far from all others.
    pub outliers: usize,
    /// Smallest effect that a primary can show, or the tolerance that a sentinel is held to.
    pub resolves: Option<f64>,
    /// Every run in order of time.
    pub runs: Vec<RunView>,
    /// What is poor, and what to do about it.
    pub findings: Vec<FindingView>,
}

/// A size with the probability that chance makes one like it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TestedView {
    /// The size.
    pub value: f64,
    /// Two-sided probability.
    pub p: f64,
    /// Whether it is taken for real.
    pub significant: bool,
}

/// Two levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LevelsView {
    /// How far they are apart.
    pub distance: f64,
    /// Share of the runs on the worse one.
    pub worse_share: f64,
}

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunView {
    /// `a`, the baseline's slot, or `b`, the candidate's.
    pub slot: char,
    /// Its value.
    pub value: f64,
}

/// What kind of thing is poor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ailment {
    /// What can be shown or held is coarse.
    Resolution,
    /// The slots differ.
    Slots,
    /// Runs become worse or better.
    Drift,
    /// The second run of a pair differs from the first.
    Order,
    /// Runs jump between two levels.
    Levels,
    /// Runs lie far from all others.
    Outliers,
}

impl Ailment {
    /// Names it in one word, as the JSON does.
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolution => "resolution",
            Self::Slots => "slots",
            Self::Drift => "drift",
            Self::Order => "order",
            Self::Levels => "levels",
            Self::Outliers => "outliers",
        }
    }
}

/// Something poor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingView {
    /// What kind of thing it is.
    pub about: Ailment,
    /// What.
    pub what: String,
    /// What to do.
    pub cure: String,
}

impl CalibrationReport {
    /// Joins what was calibrated with what its pairs say.
    pub fn new(calibrated: &Calibrated, metrics: &[CalibratedMetric<'_>], pairs: &[Pair]) -> Self {
        let mut metrics: Vec<_> = metrics.iter().map(|metric| MetricReport::new(metric, pairs)).collect();
        metrics.sort_by_key(|metric| metric.role != "primary");
        Self {
            commit: calibrated.commit.to_string(),
            reused: false,
            pairs: calibrated.pairs,
            run_s: calibrated.run_s,
            build_s: calibrated.build_s,
            checks_s: calibrated.checks_s,
            metrics,
            forecast: None,
        }
    }
}

impl MetricReport {
    fn new(calibrated: &CalibratedMetric<'_>, pairs: &[Pair]) -> Self {
        let CalibratedMetric { metric, lens, .. } = calibrated;
        let runs = runs(metric, pairs);
        let diagnosis = diagnose(&runs, lens);
        let size = |size: f64| lens.magnitude(size);
        let tested =
            |tested: Tested| TestedView { value: size(tested.size), p: tested.p, significant: tested.is_significant() };
        Self {
            role: metric.role.clone(),
            median: metric.median,
            size_unit: lens.step_unit().to_owned(),
            noise: size(metric.s),
            jump: size(metric.threshold),
            run_spread: diagnosis.map(|d| size(d.spread)),
            slot_bias: size(metric.bias),
            slot_bias_se: size(metric.bias_se),
            drift: diagnosis.map(|d| tested(d.drift)),
            order: diagnosis.map(|d| tested(d.order)),
            levels: diagnosis
                .and_then(|d| d.levels)
                .map(|levels| LevelsView { distance: size(levels.distance), worse_share: levels.worse_share }),
            outliers: diagnosis.map_or(0, |d| d.outliers),
            resolves: metric.resolves.map(size),
            runs,
            findings: findings(calibrated, diagnosis.as_ref()),
            lens: lens.clone(),
        }
    }

    /// Writes one of the sizes with its unit.
    pub(super) fn size(&self, size: f64) -> String {
        let text = if self.lens.scale == Scale::Ratio { format!("{size:.2}") } else { crate::domain::number(size) };
        super::lens::with_unit(&text, &self.size_unit)
    }
}

fn runs(metric: &MetricCalibration, pairs: &[Pair]) -> Vec<RunView> {
    let of_pair = |pair: &Pair| {
        let (baseline, candidate) = pair.values(&metric.metric)?;
        Some(pair.order.arms().map(|arm| match arm {
            Arm::Baseline => RunView { slot: 'a', value: baseline },
            Arm::Candidate => RunView { slot: 'b', value: candidate },
        }))
    };
    pairs.iter().filter_map(of_pair).flatten().collect()
}

fn diagnose(runs: &[RunView], lens: &Lens) -> Option<Diagnosis> {
    let y = |run: &RunView| lens.scale.y(run.value, lens.direction);
    let twins = runs.chunks_exact(2).filter_map(|two| Some(TwinRuns { first: y(&two[0])?, second: y(&two[1])? }));
    Diagnosis::of(&twins.collect::<Vec<_>>())
}

/// Says what is poor of a metric, and what helps.
fn findings(calibrated: &CalibratedMetric<'_>, diagnosis: Option<&Diagnosis>) -> Vec<FindingView> {
    let mut found = Vec::new();
    found.extend(coarse(calibrated));
    found.extend(biased(calibrated));
    found.extend(diagnosis.into_iter().flat_map(|diagnosis| ailments(diagnosis, &calibrated.lens)));
    found
}

fn finding(about: Ailment, what: String, cure: &str) -> FindingView {
    FindingView { about, what, cure: cure.to_owned() }
}

/// Says that only large effects could be seen.
fn coarse(calibrated: &CalibratedMetric<'_>) -> Option<FindingView> {
    let CalibratedMetric { metric, lens, tolerance, unguarded } = calibrated;
    let resolves = metric.resolves?;
    if metric.role != "primary" {
        let asked = (*tolerance)?;
        let widened = (resolves > asked).then(|| {
            format!(
                "the tolerance of {} is widened to the {} that 20 pairs can tell",
                lens.size(asked),
                lens.size(resolves)
            )
        });
        let coarse = unguarded.map(|sure| {
            format!("it cannot be guarded: a regression is sure to be blocked only beyond {}", lens.size(sure))
        });
        let what = [coarse, widened].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let cure = "a longer bench, a quieter machine, fewer sentinels, or a wider tolerance that says what is held";
        return (!what.is_empty()).then(|| finding(Ailment::Resolution, what, cure));
    }
    let share = match lens.scale {
        Scale::Ratio => resolves.exp_m1(),
        Scale::Linear if metric.median == 0.0 => 0.0, // no share of nothing
        Scale::Linear => (resolves / metric.median).abs(),
    };
    let what = format!("only effects beyond {} can be shown", lens.size(resolves));
    let cure = "a longer bench, more pairs ('decision.maxPairs'), a quieter machine with pinned cores, or a steadier \
                primary such as CPU time (auto.cpu_s) or a counter";
    (share > COARSE).then(|| finding(Ailment::Resolution, what, cure))
}

fn biased(calibrated: &CalibratedMetric<'_>) -> Option<FindingView> {
    let CalibratedMetric { metric, lens, .. } = calibrated;
    let bias = SlotBias { mu: metric.bias, se: metric.bias_se };
    let (better, worse) = if bias.mu > 0.0 { ('b', 'a') } else { ('a', 'b') };
    let what = format!("slot {better} is {} better than {worse} for the same program", lens.size(bias.mu.abs()));
    let cure = "effects must exceed that for the whole session; look for paths, caches or data that differ between the \
                slots";
    (bias.is_significant() && bias.mu != 0.0).then(|| finding(Ailment::Slots, what, cure))
}

fn ailments(diagnosis: &Diagnosis, lens: &Lens) -> Vec<FindingView> {
    let mut found = Vec::new();
    if diagnosis.drift.is_significant() {
        let what = format!("runs became {} from the first to the last", worse_by(diagnosis.drift.size, lens));
        let cure =
            "pairs cancel it, at the price of noise: let the machine settle, fix its clock rate, stop other work";
        found.push(finding(Ailment::Drift, what, cure));
    }
    if diagnosis.order.is_significant() {
        let what = format!("the second run of a pair is {}", worse_by(diagnosis.order.size, lens));
        let cure = "the coin cancels it, at the price of noise: put back what a run leaves behind (files, caches) where \
                    the bench begins, or warm up more ('bench.warmup')";
        found.push(finding(Ailment::Order, what, cure));
    }
    if let Some(levels) = diagnosis.levels {
        let (distance, share) = (lens.size(levels.distance), 100.0 * levels.worse_share);
        let what = format!("runs are on two levels {distance} apart, {share:.0} % of them on the worse one");
        let cure = "pin the program to cores and fix the clock rate; else a counter as the metric, or 60 pairs \
                    ('decision.maxPairs')";
        found.push(finding(Ailment::Levels, what, cure));
    }
    if diagnosis.outliers >= MANY_OUTLIERS && diagnosis.outlier_share() >= OUTLIER_SHARE {
        let what = format!("{} of {} runs lie far from the others", diagnosis.outliers, diagnosis.runs);
        let cure = "stop other work on this machine, or take a longer bench, or CPU time as the metric";
        found.push(finding(Ailment::Outliers, what, cure));
    }
    found
}

fn worse_by(size: f64, lens: &Lens) -> String {
    format!("{} {}", lens.size(size.abs()), if size > 0.0 { "worse" } else { "better" })
}
