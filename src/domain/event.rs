//! Events: complete facts about what happened, in the past tense, as the journal keeps them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    AgentCall, Asi, Author, Axis, Change, Comparison, Direction, Effect, Exit, ExperimentId, Finalized, Flag, Goal,
    HookRan, HostReading, Imported, ImportedRun, ImportedSegment, MetricName, ObjectId, Order, Pair, PatchId, Phase,
    ProposalFailed, ProposalSource, Reading, Reason, Rebased, Reviewed, Scale, SentinelOutcome, Settings, Status,
    StopRule, VoidPair, Waiting,
};

/// One thing that happened. The journal adds when, and to which experiment.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The session started, or its settings changed: a new segment.
    Configured(Box<Configured>),
    /// A/A pairs were run.
    Calibrated(Box<Calibrated>),
    /// A proposal arrived and got its number.
    Proposed(Box<Proposed>),
    /// The proposal was screened and applied, or refused.
    Screened(Box<Screened>),
    /// A phase began.
    PhaseStarted(PhaseStarted),
    /// A phase ended.
    PhaseEnded(Box<PhaseEnded>),
    /// A pair was measured.
    Pair(Box<CandidateRun>),
    /// The verdict stands; synced before anything is done about it.
    Decided(Box<Decided>),
    /// The experiment is settled: the one line per experiment that existing readers know.
    Run(Box<RunSummary>),
    /// A keep was reverted.
    Undone(Undone),
    /// Two commits of the session were built afresh and compared, for no decision.
    Validated(Box<Validated>),
    /// A session went on after an end.
    Resumed(Resumed),
    /// A step left unfinished by a crash was completed or undone.
    Recovered(Recovered),
    /// ideas.md was edited, or the edit waits.
    IdeaEdited(IdeaEdited),
    /// What the sandbox really enforces here.
    SandboxApplied(SandboxApplied),
    /// Which tests a check runs on the tip.
    Inventoried(Box<Inventoried>),
    /// A source cannot give a candidate now.
    Waiting(Box<Waiting>),
    /// A call of a source gave nothing that became an experiment.
    ProposalFailed(Box<ProposalFailed>),
    /// A hook was called.
    HookRan(Box<HookRan>),
    /// The session went on from another base; synced before the branch moves.
    Rebased(Box<Rebased>),
    /// A person decided about a keep.
    Reviewed(Reviewed),
    /// A review branch was made of accepted keeps.
    Finalized(Box<Finalized>),
    /// A log of another tool was read.
    Imported(Box<Imported>),
    /// A segment of an imported log begins.
    ImportedSegment(Box<ImportedSegment>),
    /// A run of an imported log.
    ImportedRun(Box<ImportedRun>),
    /// Something worth knowing that changes nothing.
    Note(Note),
    /// The session ended.
    Stopped(Stopped),
}

/// The settings of a segment and what they were resolved against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configured {
    /// Session name (known to existing readers).
    pub name: String,
    /// Primary's name (known to existing readers).
    #[serde(rename = "metricName")]
    pub metric_name: MetricName,
    /// Primary's unit (known to existing readers).
    #[serde(rename = "metricUnit")]
    pub metric_unit: String,
    /// Primary's direction (known to existing readers).
    #[serde(rename = "bestDirection")]
    pub best_direction: Direction,
    /// Number of this segment, from 0.
    pub segment: u32,
    /// Why a segment began.
    pub why: String,
    /// All settings.
    pub settings: Box<Settings>,
    /// Sealed files with the hash (BLAKE3, hex) of each.
    pub harness: BTreeMap<String, String>,
    /// The commit that the session started from.
    pub base: ObjectId,
    /// Candidates in one alpha epoch (`A`).
    pub epoch: u32,
    /// What machine this is.
    pub environment: BTreeMap<String, String>,
    /// What the tool is.
    pub version: String,
    /// The first segment in which things were measured and judged as in this one; `None` is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_since: Option<u32>,
}

impl Configured {
    /// Returns the first segment in which things were measured and judged as in this one.
    pub fn measured_since(&self) -> u32 {
        self.measured_since.unwrap_or(self.segment)
    }

    /// Says whether what was measured before it is no evidence any more.
    pub fn measures_anew(&self) -> bool {
        self.measured_since() >= self.segment
    }
}

/// The result of a calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// The commit in both slots.
    pub commit: ObjectId,
    /// Pairs run.
    pub pairs: u32,
    /// What was learned of each metric: the primary and every sentinel, globs expanded.
    pub metrics: Vec<MetricCalibration>,
    /// Lines in one run of each metric that stands only in a `geomean(...)`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<MetricName, u32>,
    /// Seconds by command (`build`, `bench`, `check`, `holdout`), from which time limits follow.
    pub limits: BTreeMap<String, f64>,
    /// Median wall time of one bench run in seconds.
    pub run_s: f64,
    /// Wall time of the first full build in seconds.
    pub build_s: f64,
    /// Wall time of all checks together in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks_s: Option<f64>,
    /// Candidates in one alpha epoch (`A`) by the forecast of the night, from the next epoch that begins; `None` leaves
    /// that of the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// What pairs of the holdout said, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<HoldoutCalibration>,
}

/// The holdout's own part of a calibration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HoldoutCalibration {
    /// Pairs run.
    pub pairs: u32,
    /// What was learned of each of its metrics, globs expanded.
    pub metrics: Vec<MetricCalibration>,
    /// Lines in one run of each metric that stands only in a `geomean(...)`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<MetricName, u32>,
    /// Median wall time of one run in seconds.
    pub run_s: f64,
}

impl Calibrated {
    /// Returns what was learned of the primary; of a suite's worst, of the metric with the largest noise.
    pub fn primary(&self) -> Option<&MetricCalibration> {
        let members = self.metrics.iter().filter(|metric| metric.role == "primary");
        members.max_by(|a, b| a.s.total_cmp(&b.s))
    }
}

/// What the calibration learned of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricCalibration {
    /// The metric.
    pub metric: MetricName,
    /// `primary`, `coPrimary[0]` and so on, or the sentinel's pattern.
    pub role: String,
    /// Lines of it in one run.
    pub lines: u32,
    /// Median over all runs, in the metric's unit.
    pub median: f64,
    /// A/A differences on the decision scale, in order.
    pub ring: Vec<f64>,
    /// A/A differences of plain values, for a sentinel with `toleranceAbs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ring_abs: Vec<f64>,
    /// Pair scale `s`.
    pub s: f64,
    /// Jump threshold `T`.
    pub threshold: f64,
    /// Slot bias: Hodges-Lehmann estimate of the A/A differences.
    pub bias: f64,
    /// Standard error of the bias.
    pub bias_se: f64,
    /// Smallest resolvable effect of a primary, or effective tolerance of a sentinel, on the decision scale.
    pub resolves: Option<f64>,
}

/// A proposal that got its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// One line.
    pub description: String,
    /// Why it should help.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hypothesis: String,
    /// The idea that it tries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idea: Option<String>,
    /// The settings that it tries a value of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<Axis>,
    /// What it is for.
    #[serde(default)]
    pub goal: Goal,
    /// Side information as given.
    #[serde(default, skip_serializing_if = "Asi::is_empty")]
    pub asi: Asi,
    /// Where it came from.
    pub source: ProposalSource,
    /// Hash (BLAKE3, hex) of the source's name and the patch as given; the text itself is in `runs/`.
    pub patch_hash: String,
    /// The tip that it will be measured against.
    pub tip: ObjectId,
    /// Who wrote it, where the patch says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// The commit that the patch says it was made on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_commit: Option<String>,
    /// Whether a keep would be committed (`false` under `try --no-commit`).
    pub commit: bool,
    /// The inconclusive experiment whose evidence this one goes on with (`try --resume`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<ExperimentId>,
    /// Whether sealed paths are left out of the patch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drop_sealed: bool,
    /// What the call of the agent that made it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<AgentCall>,
    /// Which of the sources in the config gave it, from 0; `None` where none of them did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_by: Option<u32>,
    /// Why nothing of it can be screened; `None` where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Unreadable>,
}

/// Why what stands in a candidate's place is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The reason that it is refused for.
    pub reason: Reason,
    /// What is wrong with it, in one line.
    pub detail: String,
}

/// The screen's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Screened {
    /// What the screen said.
    pub outcome: Screening,
    /// The patch's stable id on the tip, where it applied.
    pub patch_id: Option<PatchId>,
    /// Paths that it touches.
    pub touched: Vec<String>,
    /// Lines that are not blank which it removes, less those that it adds; `None` where it did not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines_removed: Option<i64>,
    /// Things to know that refuse nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Whether the screen let a proposal through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screening {
    /// It goes on to the build.
    Accepted {
        /// The tree that a keep would commit.
        tree: ObjectId,
        /// The rung of the patch ladder that applied it.
        rung: String,
    },
    /// Nothing of it ran.
    Refused {
        /// Why.
        reason: Reason,
        /// The path, hunk, idea or experiment that it ran into.
        detail: String,
    },
}

/// A phase that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseStarted {
    /// The phase.
    pub phase: Phase,
    /// The check's name, or whatever else tells several of one phase apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// A phase that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseEnded {
    /// The phase.
    pub phase: Phase,
    /// The check's name, or whatever else tells several of one phase apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// How its command ended, where it ran one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// Why it failed; `None` when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// One attempt at a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateRun {
    /// The pair's number, from 1.
    pub pair: u32,
    /// Which arm ran first.
    pub order: Order,
    /// The baseline's reading, where its run succeeded.
    pub baseline: Option<Reading>,
    /// The candidate's reading, where its run succeeded.
    pub candidate: Option<Reading>,
    /// Why the pair does not count; `None` when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<VoidPair>,
    /// One-minute load average before the pair, in journals that have no `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
    /// What the machine was like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostReading>,
    /// Whether it confirms a win with the slots swapped, and so is no part of the race.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub swapped: bool,
    /// Whether it is a pair of the holdout: its readings are of another command than the race's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holdout: bool,
    /// The running estimate `(gain, low, high)` on the decision scale after this pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<(f64, f64, f64)>,
    /// Natural logarithm of the evidence after this pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_e: Option<f64>,
}

impl CandidateRun {
    /// Returns the pair where it is complete and counts.
    pub fn complete(&self) -> Option<Pair> {
        match (&self.baseline, &self.candidate, &self.void) {
            (Some(baseline), Some(candidate), None) => Some(Pair {
                number: self.pair,
                order: self.order,
                baseline: baseline.clone(),
                candidate: candidate.clone(),
            }),
            _ => None,
        }
    }
}

/// A verdict that stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// What will be done.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// What exactly, in one line: the check, the sentinel, the path.
    pub detail: String,
    /// Remarks on a keep.
    pub flags: Vec<Flag>,
    /// What the numbers say, where it came to numbers.
    pub comparison: Option<Comparison>,
    /// What became of each held-out metric, where it came to the holdout. For people only: no settling line, commit or
    /// detail repeats it, since proposers read those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holdout: Vec<SentinelOutcome>,
    /// The finished commit of a keep, whose objects are durable already.
    pub commit: Option<ObjectId>,
    /// The tip that it was measured against, from which a keep moves the branch.
    pub tip: ObjectId,
    /// Whether a keep moves the branch (`false` under `try --no-commit`, where nothing is committed).
    pub moves_branch: bool,
}

/// The settling line of an experiment. Field names are those that existing readers know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The experiment's number; 0 is the baseline.
    pub run: u32,
    /// The kept commit, else the tip that it was measured against.
    pub commit: ObjectId,
    /// Median of the primary over the candidate's runs; `None` when there are none, never 0.
    pub metric: Option<f64>,
    /// Medians of all metrics over the candidate's runs.
    pub metrics: BTreeMap<MetricName, f64>,
    /// What was done.
    pub status: Status,
    /// One line.
    pub description: String,
    /// Milliseconds since 1970 (UTC).
    pub timestamp: i64,
    /// Number of the segment.
    pub segment: u32,
    /// `|mu| / se`.
    pub confidence: Option<f64>,
    /// Side information: as given, and what the tool adds under `auto`.
    pub asi: Asi,
    /// Why.
    pub reason: Reason,
    /// Remarks on a keep.
    pub flags: Vec<Flag>,
    /// The effect of the first primary that won, else of the primary.
    pub effect: Option<Effect>,
    /// Which primary `effect` is of: 0 is the primary, 1 the first co-primary.
    #[serde(default, skip_serializing_if = "is_first")]
    pub effect_of: u32,
    /// The patch's stable id.
    pub patch_id: Option<PatchId>,
    /// Whether it reached the build, and so counts as an iteration.
    pub iteration: bool,
    /// Whether it was measured, and so spent an index of the alpha epoch.
    pub measured: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_first(number: &u32) -> bool {
    *number == 0
}

/// A keep that was reverted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// The revert commit.
    pub commit: ObjectId,
    /// Why.
    pub why: String,
    /// The tip that it was made on, from which the branch moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<ObjectId>,
}

/// Two commits of a session compared in fresh pairs of builds from empty caches, used for no decision.
///
/// Its `pair` lines stand before it, without an experiment. Effects are on the decision scale, above 0 is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Validated {
    /// Its number in the session, from 1; its coins follow from it.
    pub number: u32,
    /// The keep that `base` is the tip without; `None` where `base` is the session's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<ExperimentId>,
    /// The commit measured as baseline.
    pub base: ObjectId,
    /// The commit measured as candidate: the tip.
    pub tip: ObjectId,
    /// The primary.
    pub metric: MetricName,
    /// Which way it is better.
    pub direction: Direction,
    /// The scale of all effects here.
    pub scale: Scale,
    /// Complete pairs.
    pub pairs: u32,
    /// Hodges-Lehmann estimate.
    pub gain: f64,
    /// Lower limit of the exact signed-rank interval.
    pub low: f64,
    /// Upper limit of it.
    pub high: f64,
    /// The sum of the shrunk gains of the keeps that stand, where they were measured by the same metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Claimed>,
    /// Keeps that are known from here on to be the same program when they are built from an empty cache.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rebuilt: Vec<ExperimentId>,
    /// The primary's readings, baseline and candidate, pair by pair.
    pub values: Vec<(f64, f64)>,
    /// Wall time of builds, checks and pairs, in seconds.
    pub seconds: f64,
    /// What the figure does not say.
    pub remark: String,
}

/// What the keeps of a session claim together, on the decision scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Claimed {
    /// The sum of their shrunk gains.
    pub gain: f64,
    /// Standard error of the difference between this sum and the validated gain.
    pub se: f64,
}

impl Validated {
    /// Converts gain and interval into the change of the metric itself, for people.
    pub fn change(&self) -> Change {
        Change::of_effect((self.gain, self.low, self.high), self.scale, self.direction)
    }

    /// Says whether the interval excludes that nothing was gained.
    pub fn is_shown(&self) -> bool {
        self.low > 0.0
    }

    /// Says whether the gain is below what the keeps claim by more than two standard errors (statistics section 3).
    pub fn falls_short(&self) -> bool {
        // Sums of exact logarithms differ in their last digits.
        let rounding = |claimed: f64| 1e-9 * claimed.abs().max(1.0);
        self.claimed.is_some_and(|c| c.gain - self.gain > 2.0 * c.se + rounding(c.gain))
    }
}

/// A session that went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The tip at that moment.
    pub tip: ObjectId,
    /// Whether the old calibration still serves.
    pub calibration_reused: bool,
}

/// A step that a crash had left unfinished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// What was found.
    pub found: String,
    /// What was done about it.
    pub action: String,
}

/// An edit of ideas.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdeaEdited {
    /// The idea.
    pub idea: String,
    /// What was written.
    pub edit: String,
    /// The values that a sweep closed, where it is such an edit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<Axis>,
    /// Whether it is in the file; `false` = it waits here.
    pub written: bool,
}

/// What the sandbox enforces on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxApplied {
    /// Each means with what became of it.
    pub enforced: BTreeMap<String, String>,
}

/// Which tests a check runs on the tip: a candidate must run them too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventoried {
    /// The check.
    pub check: String,
    /// The tip.
    pub commit: ObjectId,
    /// Tests that ran.
    pub ran: u64,
    /// Tests that were skipped or ignored.
    pub skipped: u64,
    /// Hash (BLAKE3, hex) of the list of those that ran; the list itself is in `inventory/`.
    pub hash: String,
    /// Tests that are not compared, because two runs of the same code did not both run them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// Something worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What.
    pub text: String,
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The rule.
    pub rule: StopRule,
    /// What exactly, in one line.
    pub detail: String,
}
