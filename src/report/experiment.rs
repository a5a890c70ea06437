//! The view of one experiment: everything that the journal and its folder say about it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::lens::{ChangeView, Lens};
use crate::domain::{
    Arm, Asi, Axis, CandidateRun, CoPrimary, Comparison, Decided, Effect, ExperimentId, Flag, HostReading, ObjectId,
    Objective, Order, Pair, Phase, PhaseEnded, ProposalSource, Proposed, Reading, Reason, Reduce, RunSummary, Screened,
    Screening, SentinelOutcome, Settings, Status, Undone, Verdict,
};

/// What a view of an experiment is made from.
#[derive(Debug, Clone)]
pub struct ExperimentParts<'a> {
    /// Its number.
    pub id: ExperimentId,
    /// The settings of its segment.
    pub settings: &'a Settings,
    /// What machine it ran on.
    pub environment: &'a BTreeMap<String, String>,
    /// What the sandbox enforced.
    pub sandbox: &'a BTreeMap<String, String>,
    /// The proposal.
    pub proposed: Option<&'a Proposed>,
    /// The screen's outcome.
    pub screened: Option<&'a Screened>,
    /// Phases that ended, in order.
    pub phases: &'a [PhaseEnded],
    /// Every attempt at a pair, void ones included, in order.
    pub attempts: &'a [CandidateRun],
    /// The verdict.
    pub decided: Option<&'a Decided>,
    /// The settling line.
    pub run: Option<&'a RunSummary>,
    /// The revert of its keep.
    pub undone: Option<&'a Undone>,
    /// Every metric of both arms.
    pub metrics: Vec<MetricLine>,
    /// Its folder.
    pub folder: &'a Path,
    /// The files in its folder, by name.
    pub files: Vec<String>,
    /// The ends of the logs of its commands.
    pub logs: Vec<LogTail>,
}

/// The end of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogTail {
    /// The file's name.
    pub file: String,
    /// Its last lines.
    pub text: String,
}

/// One metric of an experiment: medians of both arms and the change with its interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricLine {
    /// The metric.
    pub metric: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// Median over the baseline's runs.
    pub baseline: f64,
    /// Median over the candidate's runs.
    pub candidate: f64,
    /// The change; `None` where the values cannot be compared.
    pub change: Option<ChangeView>,
}

/// The primary's effect, in the reader's terms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EffectView {
    /// What the numbers say.
    pub verdict: Verdict,
    /// The change of the metric.
    pub change: ChangeView,
    /// Complete pairs.
    pub pairs: u32,
    /// Natural logarithm of the evidence; `None` for an exact metric, which needs none.
    pub ln_e: Option<f64>,
    /// The evidence that a keep needed: `ln 1/alpha`.
    pub ln_e_needed: f64,
    /// The error budget that it had.
    pub alpha: f64,
    /// The smallest effect worth keeping, as people read it.
    pub min_effect: String,
    /// The noise of one pair's difference, as people read it.
    pub noise: String,
}

/// A co-primary's effect.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoPrimaryView {
    /// The metric.
    pub metric: String,
    /// What its numbers say.
    pub effect: EffectView,
}

/// One attempt at a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairView {
    /// The pair's number.
    pub pair: u32,
    /// Which arm ran first.
    pub order: Order,
    /// The primary in the baseline's run.
    pub baseline: Option<f64>,
    /// The primary in the candidate's run.
    pub candidate: Option<f64>,
    /// The change from one to the other, in percent or in the unit.
    pub change: Option<f64>,
    /// Why the pair does not count.
    pub void: Option<String>,
    /// Natural logarithm of the evidence after it.
    pub ln_e: Option<f64>,
    /// Whether it was measured with the slots swapped, to confirm a win.
    pub swapped: bool,
    /// The arm during which others kept the machine much busier than during the other; the pair counts all the same.
    pub disturbed: Option<Arm>,
    /// What the machine was like.
    pub host: Option<HostReading>,
}

/// A phase that ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseView {
    /// The phase.
    pub phase: Phase,
    /// Which of several of its kind.
    pub what: Option<String>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// How its command ended.
    pub exit: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// What a held-out metric came to.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldMetric {
    /// What became of it.
    pub outcome: SentinelOutcome,
    /// Median over the baseline's runs.
    pub baseline: Option<f64>,
    /// Median over the candidate's runs.
    pub candidate: Option<f64>,
}

/// What the holdout said of an experiment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HoldoutView {
    /// Complete pairs.
    pub pairs: usize,
    /// Each of its metrics; none where it came to no outcome.
    pub metrics: Vec<HeldMetric>,
    /// Its phases that ended.
    pub phases: Vec<PhaseView>,
}

/// Everything about one experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExperimentView {
    /// Its number.
    pub experiment: ExperimentId,
    /// One line.
    pub description: String,
    /// What was done; `None` while it is under way.
    pub status: Option<Status>,
    /// Why.
    pub reason: Option<Reason>,
    /// What exactly.
    pub detail: String,
    /// Remarks.
    pub flags: Vec<Flag>,
    /// The kept commit.
    pub commit: Option<ObjectId>,
    /// Whether it was judged only, so that a keep has no commit.
    pub judged_only: bool,
    /// The tip that it was measured against.
    pub tip: Option<ObjectId>,
    /// The revert of the keep, and why.
    pub undone: Option<Undone>,
    /// The inconclusive experiment whose evidence it goes on with.
    pub resumes: Option<ExperimentId>,
    /// Why it should help.
    pub hypothesis: String,
    /// The idea that it tries.
    pub idea: Option<String>,
    /// The settings that it tries a value of.
    pub axes: Vec<Axis>,
    /// Where it came from.
    pub source: Option<String>,
    /// The candidate as a patch against the tip, where the file is there.
    pub patch: Option<PathBuf>,
    /// How the patch was applied.
    pub rung: Option<String>,
    /// Paths that it touches.
    pub touched: Vec<String>,
    /// What the screen warned of.
    pub warnings: Vec<String>,
    /// How the primary is read.
    pub primary: Lens,
    /// The primary's effect, where it came to numbers.
    pub effect: Option<EffectView>,
    /// The effect of each co-primary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub co_primaries: Vec<CoPrimaryView>,
    /// Every metric of both arms.
    pub metrics: Vec<MetricLine>,
    /// Every sentinel that was looked at.
    pub sentinels: Vec<SentinelOutcome>,
    /// Every attempt at a pair.
    pub pairs: Vec<PairView>,
    /// Every phase that ended.
    pub phases: Vec<PhaseView>,
    /// What the holdout said: shown to people, and in no JSON, which proposers read.
    #[serde(skip)]
    pub holdout: HoldoutView,
    /// Side information, with what the tool knows under `auto`.
    pub asi: Asi,
    /// Its folder.
    pub folder: PathBuf,
    /// The files in it.
    pub files: Vec<String>,
    /// The ends of the logs of its commands.
    pub logs: Vec<LogTail>,
    /// What machine it ran on.
    pub environment: BTreeMap<String, String>,
    /// What the sandbox enforced.
    pub sandbox: BTreeMap<String, String>,
}

/// The name of the candidate's patch in its folder (FORMATS section 2).
const PATCH: &str = "candidate.patch";

impl ExperimentView {
    /// Makes the view.
    pub fn new(parts: ExperimentParts<'_>) -> Self {
        let lens = Lens::from(&parts.settings.primary);
        let proposed = parts.proposed;
        let comparison = parts.decided.and_then(|decided| decided.comparison.as_ref());
        let (rung, refusal) = screening(parts.screened);
        let holdout = holdout(&parts);
        let decided_detail = parts.decided.map(|decided| decided.detail.clone());
        Self {
            experiment: parts.id,
            description: description(&parts),
            status: parts.decided.map(|d| d.status).or(parts.run.map(|r| r.status)),
            reason: parts.decided.map(|d| d.reason).or(parts.run.map(|r| r.reason)),
            detail: decided_detail.or(refusal).unwrap_or_default(),
            flags: flags(&parts),
            commit: parts.decided.and_then(|decided| decided.commit.clone()),
            judged_only: parts.decided.is_some_and(|decided| !decided.moves_branch),
            tip: parts.decided.map(|d| d.tip.clone()).or(proposed.map(|p| p.tip.clone())),
            undone: parts.undone.cloned(),
            resumes: proposed.and_then(|p| p.resumes),
            hypothesis: proposed.map(|p| p.hypothesis.clone()).unwrap_or_default(),
            idea: proposed.and_then(|p| p.idea.clone()),
            axes: proposed.map(|p| p.axes.clone()).unwrap_or_default(),
            source: proposed.map(|p| source(&p.source)),
            patch: parts.files.iter().any(|file| file == PATCH).then(|| parts.folder.join(PATCH)),
            rung,
            touched: parts.screened.map(|s| s.touched.clone()).unwrap_or_default(),
            warnings: parts.screened.map(|s| s.warnings.clone()).unwrap_or_default(),
            effect: comparison.map(|c| effect((c.primary_verdict.unwrap_or(c.verdict), &c.primary), &lens)),
            co_primaries: comparison.map(|c| co_primaries(c, parts.settings)).unwrap_or_default(),
            metrics: parts.metrics,
            sentinels: comparison.map(|c| c.sentinels.clone()).unwrap_or_default(),
            pairs: parts.attempts.iter().filter(|a| !a.holdout).map(|attempt| pair(attempt, &lens)).collect(),
            phases: parts.phases.iter().filter(|ended| ended.phase != Phase::Holdout).map(phase).collect(),
            holdout,
            asi: asi(parts.run, proposed),
            folder: parts.folder.to_owned(),
            files: parts.files,
            logs: parts.logs,
            environment: parts.environment.clone(),
            sandbox: parts.sandbox.clone(),
            primary: lens,
        }
    }
}

fn description(parts: &ExperimentParts<'_>) -> String {
    let proposed = parts.proposed.map(|proposed| proposed.description.clone());
    proposed.or_else(|| parts.run.map(|run| run.description.clone())).unwrap_or_default()
}

fn source(source: &ProposalSource) -> String {
    match source {
        ProposalSource::Queue(path) => path.clone(),
        ProposalSource::Try(what) => format!("try {what}"),
        ProposalSource::Commit(id) => format!("commit {}", &id[..id.len().min(10)]),
        ProposalSource::Sweep(point) => format!("sweep {point}"),
        ProposalSource::Agent(name) => format!("agent {name}"),
        ProposalSource::Again(experiment) => format!("keep #{experiment} again"),
    }
}

fn flags(parts: &ExperimentParts<'_>) -> Vec<Flag> {
    let mut flags = parts.decided.map(|decided| decided.flags.clone()).unwrap_or_default();
    if parts.undone.is_some() {
        flags.push(Flag::Undone);
    }
    flags
}

/// Returns the rung of an accepted patch, and the detail of a refused one.
fn screening(screened: Option<&Screened>) -> (Option<String>, Option<String>) {
    match screened.map(|screened| &screened.outcome) {
        Some(Screening::Accepted { rung, .. }) => (Some(rung.clone()), None),
        Some(Screening::Refused { detail, .. }) => (None, Some(detail.clone())),
        None => (None, None),
    }
}

fn co_primaries(comparison: &Comparison, settings: &Settings) -> Vec<CoPrimaryView> {
    let pairs = comparison.co_primaries.iter().zip(&settings.co_primaries);
    let view = |(co, objective): (&CoPrimary, &Objective)| CoPrimaryView {
        metric: co.metric.to_string(),
        effect: effect((co.verdict, &co.effect), &Lens::from(objective)),
    };
    pairs.map(view).collect()
}

fn effect((verdict, effect): (Verdict, &Effect), lens: &Lens) -> EffectView {
    EffectView {
        verdict,
        change: lens.change((effect.gain, effect.low, effect.high)),
        pairs: effect.pairs,
        ln_e: effect.ln_e,
        ln_e_needed: -effect.alpha.ln(),
        alpha: effect.alpha,
        min_effect: lens.size(effect.min_effect),
        noise: lens.size(effect.s),
    }
}

fn pair(attempt: &CandidateRun, lens: &Lens) -> PairView {
    let value = |reading: Option<&Reading>| reading?.metrics.get(&lens.metric).copied();
    let (baseline, candidate) = (value(attempt.baseline.as_ref()), value(attempt.candidate.as_ref()));
    let change = attempt.complete().and_then(|_| lens.step(baseline?, candidate?));
    PairView {
        pair: attempt.pair,
        order: attempt.order,
        baseline,
        candidate,
        change,
        void: attempt.void.as_ref().map(|void| format!("{}: {}", void.arm, void.why)),
        ln_e: attempt.ln_e,
        swapped: attempt.swapped,
        disturbed: attempt.host.as_ref().and_then(HostReading::disturbed),
        host: attempt.host,
    }
}

fn holdout(parts: &ExperimentParts<'_>) -> HoldoutView {
    let pairs: Vec<Pair> = parts.attempts.iter().filter(|a| a.holdout).filter_map(CandidateRun::complete).collect();
    let metric = |outcome: &SentinelOutcome| {
        let values: Vec<(f64, f64)> = pairs.iter().filter_map(|pair| pair.values(&outcome.metric)).collect();
        let median = |of: &dyn Fn(&(f64, f64)) -> f64| Reduce::Median.apply(&values.iter().map(of).collect::<Vec<_>>());
        HeldMetric { outcome: outcome.clone(), baseline: median(&|v| v.0), candidate: median(&|v| v.1) }
    };
    let outcomes = parts.decided.map_or(&[][..], |decided| &decided.holdout);
    let phases = parts.phases.iter().filter(|ended| ended.phase == Phase::Holdout).map(phase).collect();
    HoldoutView { pairs: pairs.len(), metrics: outcomes.iter().map(metric).collect(), phases }
}

fn phase(ended: &PhaseEnded) -> PhaseView {
    PhaseView {
        phase: ended.phase,
        what: ended.what.clone(),
        seconds: ended.seconds,
        exit: ended.exit.map(|exit| exit.outcome.to_string()),
        failure: ended.failure.clone(),
    }
}

fn asi(run: Option<&RunSummary>, proposed: Option<&Proposed>) -> Asi {
    run.map(|run| run.asi.clone()).or_else(|| proposed.map(|p| p.asi.clone())).unwrap_or_default()
}
