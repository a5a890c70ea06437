//! The view of a session: where it stands, and one row for each experiment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::claims::{ClaimRow, Claims};
use super::lens::{ChangeView, Lens, Lenses};
use super::night::{self, TimeLeft, Trouble, TroubleView, WaitView};
use super::validation::ValidationView;
use crate::domain::{
    Calibrated, CandidateRun, Configured, ExperimentId, Flag, ObjectId, Phase, Reason, SessionId, Status, StopRule,
    Waiting,
};
use crate::state::{ExperimentRecord, SessionState, Unfinished};
use crate::stats;

/// What the journal says of the step under way, which the fold does not keep.
#[derive(Debug, Clone, Default)]
pub struct Latest {
    /// The experiment that the step belongs to; the baseline while it is brought up.
    pub experiment: Option<ExperimentId>,
    /// The last phase that began, and which of several of its kind.
    pub phase: Option<(Phase, Option<String>)>,
    /// The last pair that was tried.
    pub pair: Option<CandidateRun>,
    /// What is measured outside of any experiment: a validation, a re-test, a late rebuild.
    pub outside: Option<String>,
    /// The last wait of a source, where nothing followed.
    pub waiting: Option<Waiting>,
    /// What went wrong last.
    pub trouble: Option<Trouble>,
    /// Mean seconds from the proposal of an iteration to its end, once there was one.
    pub pace_s: Option<f64>,
}

/// A process that is at work on a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its id, where it is known.
    pub pid: Option<u32>,
}

/// What a view of a session is made from.
#[derive(Debug, Clone, Copy)]
pub struct SessionInput<'a> {
    /// The fold of the journal.
    pub state: &'a SessionState,
    /// How the primaries of each segment are read.
    pub lenses: &'a BTreeMap<u32, Lenses>,
    /// What commits of ranges claim.
    pub claims: &'a Claims,
    /// The step under way.
    pub latest: &'a Latest,
    /// The process that holds the session's lock.
    pub running: Option<Holder>,
    /// The present time.
    pub now: Timestamp,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// A process is at work on it.
    Running {
        /// Its id, where it is known.
        pid: Option<u32>,
    },
    /// It ended by a rule.
    Stopped {
        /// The rule.
        rule: StopRule,
        /// What exactly.
        detail: String,
    },
    /// No process is at work, and the journal has no end: it was killed.
    CutOff,
}

/// What a session is and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionView {
    /// The session.
    pub session: SessionId,
    /// Its name.
    pub name: String,
    /// Its branch.
    pub branch: String,
    /// The commit that it started from.
    pub base: ObjectId,
    /// The last settled commit.
    pub tip: ObjectId,
    /// What it improves.
    pub primary: Lens,
    /// Further metrics on which a win counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub co_primaries: Vec<Lens>,
    /// Where it stands.
    pub standing: Standing,
    /// When it first started.
    pub started: Option<Timestamp>,
    /// When the last event was written.
    pub last_event: Option<Timestamp>,
    /// Hours at work over all starts.
    pub hours: f64,
    /// What the last calibration learned of the primary.
    pub calibration: Option<CalibrationView>,
    /// Settled experiments by what became of them.
    pub counts: Counts,
    /// The error budget.
    pub budget: BudgetView,
    /// The last validation of the session's gain.
    pub validated: Option<ValidationView>,
    /// The experiment under way, or left unfinished.
    pub under_way: Option<UnderWay>,
    /// What is under way outside of any experiment.
    pub outside: Option<Outside>,
    /// What a running session waits for.
    pub waiting: Option<WaitView>,
    /// How long a running session may go on, by each of its rules that says so, the shortest first.
    pub time_left: Vec<TimeLeft>,
    /// What went wrong last.
    pub last_error: Option<TroubleView>,
    /// Edits of ideas.md that wait.
    pub waiting_edits: usize,
    /// Every settled experiment, in order; the baseline is number 0.
    pub experiments: Vec<ExperimentRow>,
    /// What each settled commit of a range claims, against what was measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimRow>,
}

/// What a calibration learned of the primary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationView {
    /// A/A pairs.
    pub pairs: u32,
    /// Median of the primary, in its unit.
    pub median: f64,
    /// Noise of one pair's difference, on the decision scale.
    pub noise: f64,
    /// Smallest effect that a race can resolve, on the decision scale.
    pub resolves: Option<f64>,
    /// Median wall time of one run, in seconds.
    pub run_s: f64,
}

/// Settled experiments by what became of them; the baseline is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// All of them.
    pub settled: u32,
    /// Keeps that stand.
    pub kept: u32,
    /// Keeps that were reverted.
    pub undone: u32,
    /// Keeps on an earlier base of the session, which are not on its branch.
    pub earlier_base: u32,
    /// Keeps without a commit (`try --no-commit`).
    pub judged_only: u32,
    /// Discards.
    pub discarded: u32,
    /// Those that the gate dropped.
    pub checks_failed: u32,
    /// Those that did not apply, build or run.
    pub crashed: u32,
    /// Those that reached the build.
    pub iterations: u32,
}

/// The error budget of the present epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BudgetView {
    /// Candidates in an epoch.
    pub size: u32,
    /// Candidates measured so far.
    pub measured: u32,
    /// The error budget of the next candidate.
    pub alpha: f64,
}

/// An experiment that was proposed and is not settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnderWay {
    /// Its number.
    pub experiment: ExperimentId,
    /// One line.
    pub description: String,
    /// When it was proposed; for the baseline, the last event.
    pub since: Timestamp,
    /// The last phase that began.
    pub phase: Option<Phase>,
    /// Which of several of its kind.
    pub what: Option<String>,
    /// The last pair tried.
    pub pairs: u32,
    /// Largest number of pairs.
    pub max_pairs: u32,
    /// The running estimate.
    pub change: Option<ChangeView>,
    /// Natural logarithm of the evidence.
    pub ln_e: Option<f64>,
    /// The evidence that a keep needs: `ln K/alpha` with K primaries.
    pub ln_e_needed: f64,
}

/// What goes on outside of any experiment: a validation, the re-test of a keep, a late rebuild.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outside {
    /// What it is.
    pub what: String,
    /// The last phase that began.
    pub phase: Option<Phase>,
    /// Which of several of its kind.
    pub step: Option<String>,
    /// The last pair tried.
    pub pairs: u32,
}

/// One settled experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExperimentRow {
    /// Its number; 0 is the baseline.
    pub experiment: ExperimentId,
    /// What was done.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// Remarks.
    pub flags: Vec<Flag>,
    /// The change of the primary, or of the co-primary that won.
    pub change: Option<ChangeView>,
    /// The co-primary that the change is of; `None` for the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_of: Option<String>,
    /// Complete pairs.
    pub pairs: u32,
    /// Median of the primary over the candidate's runs.
    pub metric: Option<f64>,
    /// The kept commit, else the tip that it was measured against.
    pub commit: ObjectId,
    /// Whether it is a keep that was judged only: there is no commit of it.
    pub judged_only: bool,
    /// Whether it was settled on an earlier base of the session, so that what it kept is not on the branch.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub earlier_base: bool,
    /// One line.
    pub description: String,
    /// The idea that it tried.
    pub idea: Option<String>,
    /// Whether it reached the build.
    pub iteration: bool,
    /// Number of its segment.
    pub segment: u32,
    /// When it was settled.
    pub at: Option<Timestamp>,
}

impl SessionView {
    /// Makes the view; `None` for a journal that says nothing of the session's settings yet.
    pub fn new(input: SessionInput<'_>) -> Option<Self> {
        let state = input.state;
        let configured = state.configured()?;
        let primary = Lens::from(&configured.settings.primary);
        let present = Lenses::from(configured.settings.as_ref());
        let budget = budget(state, configured);
        let running = input.running.is_some();
        let experiments = rows(&input, &present);
        Some(Self {
            session: state.session(),
            name: configured.settings.name.clone(),
            branch: configured.settings.branch.clone(),
            base: configured.base.clone(),
            tip: state.tip().unwrap_or(&configured.base).clone(),
            standing: standing(state, input.running),
            started: state.started(),
            last_event: state.last_event(),
            hours: state.hours(running.then_some(input.now)),
            calibration: state.calibrated().and_then(|calibrated| calibration(calibrated, &primary)),
            counts: counts(state),
            budget,
            validated: state.validated().map(|validated| ValidationView::new(validated, &primary.unit)),
            under_way: under_way(&input, configured, budget.alpha),
            outside: outside(&input),
            waiting: WaitView::new(&input),
            time_left: night::time_left(&input, &configured.settings.stop),
            last_error: input.latest.trouble.as_ref().map(|trouble| TroubleView::new(trouble, input.now)),
            waiting_edits: state.waiting_edits().len(),
            claims: input.claims.rows(&experiments),
            experiments,
            primary,
            co_primaries: configured.settings.co_primaries.iter().map(Lens::from).collect(),
        })
    }

    /// Returns the keeps that stand, without the baseline.
    pub fn keeps(&self) -> impl Iterator<Item = &ExperimentRow> {
        self.experiments.iter().filter(|row| row.stands())
    }
}

impl ExperimentRow {
    /// Says whether this is a candidate's keep that stands.
    pub fn stands(&self) -> bool {
        self.experiment != ExperimentId::BASELINE
            && self.status == Status::Keep
            && !self.judged_only
            && !self.earlier_base
            && !self.flags.contains(&Flag::Undone)
    }
}

fn standing(state: &SessionState, running: Option<Holder>) -> Standing {
    match (running, state.stopped()) {
        (Some(Holder { pid }), _) => Standing::Running { pid },
        (None, Some(stopped)) => Standing::Stopped { rule: stopped.rule, detail: stopped.detail.clone() },
        (None, None) => Standing::CutOff,
    }
}

fn calibration(calibrated: &Calibrated, primary: &Lens) -> Option<CalibrationView> {
    let metric = calibrated.primary()?;
    // The worst of a suite is told as its ratio to the calibration.
    let median = if metric.metric == primary.metric { metric.median } else { 1.0 };
    Some(CalibrationView {
        pairs: calibrated.pairs,
        median,
        noise: metric.s,
        resolves: metric.resolves,
        run_s: calibrated.run_s,
    })
}

fn counts(state: &SessionState) -> Counts {
    let mut counts = Counts::default();
    let before = state.around_rebase().0.len();
    for (at, record) in state.experiments().iter().enumerate().filter(|(_, record)| record.id != ExperimentId::BASELINE)
    {
        counts.settled += 1;
        counts.iterations += u32::from(record.iteration);
        match record.status {
            Status::Keep if judged_only(record) => counts.judged_only += 1,
            Status::Keep if record.stands() && at < before => counts.earlier_base += 1,
            Status::Keep if record.stands() => counts.kept += 1,
            Status::Keep => counts.undone += 1,
            Status::Discard => counts.discarded += 1,
            Status::ChecksFailed => counts.checks_failed += 1,
            Status::Crash => counts.crashed += 1,
        }
    }
    counts
}

fn budget(state: &SessionState, configured: &Configured) -> BudgetView {
    let epoch = state.epoch();
    let share = configured.settings.decision.false_keep_share;
    let size = epoch.size.max(1);
    BudgetView { size, measured: epoch.measured, alpha: stats::alpha(share, epoch.keeps, size) }
}

fn under_way(input: &SessionInput<'_>, configured: &Configured, alpha: f64) -> Option<UnderWay> {
    let decision = &configured.settings.decision;
    let (experiment, description, since, max_pairs) = match input.state.unfinished() {
        Some(Unfinished { id, since, proposed, .. }) => (*id, proposed.description.clone(), *since, decision.max_pairs),
        None if input.running.is_some() && input.latest.experiment == Some(ExperimentId::BASELINE) => {
            let since = input.state.last_event()?;
            let measured = input.latest.pair.is_some();
            let what = if measured { "the calibration: the baseline against itself" } else { "the baseline" };
            (ExperimentId::BASELINE, what.to_owned(), since, decision.most_calibration_pairs())
        }
        None => return None,
    };
    let latest = if input.latest.experiment == Some(experiment) { input.latest } else { &Latest::default() };
    let (phase, what) = latest.phase.clone().unzip();
    let pair = latest.pair.as_ref();
    let lens = Lens::from(&configured.settings.primary);
    Some(UnderWay {
        experiment,
        description,
        since,
        phase,
        what: what.flatten(),
        pairs: pair.map_or(0, |pair| pair.pair),
        max_pairs,
        change: pair.and_then(|pair| pair.estimate).map(|estimate| lens.change(estimate)),
        ln_e: pair.and_then(|pair| pair.ln_e),
        ln_e_needed: -(alpha / configured.settings.objectives().count() as f64).ln(),
    })
}

/// Says what is measured outside of any experiment; what a killed process left is no longer under way.
fn outside(input: &SessionInput<'_>) -> Option<Outside> {
    let what = input.latest.outside.clone().filter(|_| input.running.is_some())?;
    let latest = if input.latest.experiment.is_none() { input.latest } else { &Latest::default() };
    let (phase, step) = latest.phase.clone().unzip();
    Some(Outside { what, phase, step: step.flatten(), pairs: latest.pair.as_ref().map_or(0, |pair| pair.pair) })
}

/// Says whether a keep left the branch where it was; only `try --no-commit` does that.
fn judged_only(record: &ExperimentRecord) -> bool {
    record.id != ExperimentId::BASELINE && record.status == Status::Keep && record.commit() == record.tip()
}

fn rows(input: &SessionInput<'_>, present: &Lenses) -> Vec<ExperimentRow> {
    let (before, since) = input.state.around_rebase();
    let earlier = before.iter().map(|record| ExperimentRow { earlier_base: true, ..row(record, input, present) });
    earlier.chain(since.iter().map(|record| row(record, input, present))).collect()
}

fn row(record: &ExperimentRecord, input: &SessionInput<'_>, present: &Lenses) -> ExperimentRow {
    let lenses = input.lenses.get(&record.segment).unwrap_or(present);
    let of = record.effect.map_or(0, |effect| effect.of);
    let lens = lenses.of(of);
    ExperimentRow {
        experiment: record.id,
        status: record.status,
        reason: record.reason,
        flags: record.flags.iter().collect(),
        change: record.effect.map(|effect| lens.change((effect.gain, effect.low, effect.high))),
        change_of: (of > 0).then(|| lens.metric.to_string()),
        pairs: record.effect.map_or(0, |effect| effect.pairs),
        metric: record.metric,
        judged_only: judged_only(record),
        earlier_base: false,
        commit: record.commit(),
        description: record.description.to_string(),
        idea: record.idea.as_deref().map(str::to_owned),
        iteration: record.iteration,
        segment: record.segment,
        at: Timestamp::from_millisecond(record.timestamp).ok(),
    }
}
