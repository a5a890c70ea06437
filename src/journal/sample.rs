//! A made-up journal of any length, for benchmarks and for tests of scale.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::json;

use super::encode;
use super::format::Header;
use crate::domain::{
    Arm, Asi, Base, Bench, Calibrated, CandidateRun, CandidateSource, CandidatesOrder, CheckOrder, Checks, Command,
    CommitRules, Comparison, Configured, Confirm, Decided, Decision, Direction, Effect, Event, ExperimentId, Goal,
    Hooks, Host, IdeaRules, Inventory, Limits, MetricCalibration, MetricName, Network, ObjectId, Objective, PatchId,
    Patience, Phase, PhaseEnded, PhaseStarted, ProposalSource, Proposed, Reading, Reason, Reduce, RunSummary, Sandbox,
    Scale, Scope, Screened, Screening, Seed, SessionId, Settings, Status, Stop, TimeLimit, Verdict,
};

/// Pairs of each experiment of a sample.
const PAIRS: u32 = 8;

/// One experiment in this many is kept.
const KEEP_EVERY: u32 = 10;

/// 2026-01-01T00:00:00Z in milliseconds since 1970.
const START_MS: i64 = 1_767_225_600_000;

/// Writes a journal of this many settled experiments, the same bytes each time.
///
/// Each experiment has the events that a measured candidate has: proposed, screened, phases, eight pairs, decided,
/// run. One in ten is kept.
pub fn write(out: &mut impl Write, experiments: u32) -> io::Result<()> {
    let header = Header { session: session(), created_by: "autoresearch 0.1.0".to_owned() };
    out.write_all(&header.line()?)?;
    let mut sample = Sample { out, line: Vec::new(), ms: START_MS };
    sample.put(None, &Event::Configured(Box::new(configured())))?;
    sample.put(None, &Event::Calibrated(Box::new(calibrated())))?;
    let mut tip = object(0);
    for number in 1..=experiments {
        tip = sample.experiment(ExperimentId(number), &tip)?;
    }
    Ok(())
}

/// Returns the session of every sample.
pub fn session() -> SessionId {
    SessionId(uuid::Uuid::from_u128(0x019b_76da_a800_7000_8000_0000_0000_0001))
}

/// Returns settings with the defaults of the format and one command.
pub fn settings() -> Settings {
    Settings {
        name: "sample".to_owned(),
        folder: String::new(),
        file: "autoresearch.config.json".to_owned(),
        working_dir: String::new(),
        base: Base::Current,
        branch: "autoresearch/sample".to_owned(),
        prepare: None,
        build: None,
        bench: Bench {
            command: Command::Shell("./bench.sh".to_owned()),
            timeout: TimeLimit::Calibrated,
            warmup: 1,
            metrics_file: false,
        },
        primary: primary(),
        co_primaries: Vec::new(),
        sentinels: Vec::new(),
        holdout: None,
        checks: Checks {
            dir: "checks".to_owned(),
            timeout: TimeLimit::Calibrated,
            order: CheckOrder::ChecksFirst,
            inventory: Inventory::default(),
        },
        harness: Vec::new(),
        scope: Scope::default(),
        candidates: vec![CandidateSource::Patches("candidates".to_owned())],
        candidates_order: CandidatesOrder::default(),
        hooks: Hooks::default(),
        decision: Decision {
            calibration_pairs: Some(10),
            max_pairs: 30,
            false_keep_share: 0.10,
            patience: Patience::Thorough,
            strict: false,
            seed: Seed(1),
            confirm: Confirm::default(),
        },
        stop: Stop::default(),
        limits: Limits {
            output_bytes: 4 << 30,
            log_bytes: 1 << 20,
            memory_bytes: None,
            processes: None,
            file_bytes: None,
            disk_free_bytes: 1 << 30,
        },
        sandbox: Sandbox {
            network: Network::Loopback,
            require: false,
            read_only: Vec::new(),
            caches: Vec::new(),
            env: Vec::new(),
        },
        slots_dir: None,
        host: Host::default(),
        ideas: IdeaRules::default(),
        commit: CommitRules::default(),
    }
}

fn primary() -> Objective {
    Objective {
        name: metric("total_ms"),
        unit: "ms".to_owned(),
        direction: Direction::Lower,
        scale: Scale::Ratio,
        min_effect: 0.01,
        reduce: Reduce::Median,
    }
}

/// Returns the `config` event of a sample.
pub fn configured() -> Configured {
    let settings = settings();
    Configured {
        name: settings.name.clone(),
        metric_name: settings.primary.name.clone(),
        metric_unit: settings.primary.unit.clone(),
        best_direction: settings.primary.direction,
        segment: 0,
        why: "session start".to_owned(),
        settings: Box::new(settings),
        harness: [("bench.sh".to_owned(), "0f".repeat(32))].into(),
        base: object(0),
        epoch: 100,
        environment: [("os".to_owned(), "linux".to_owned())].into(),
        version: "0.1.0".to_owned(),
        measured_since: None,
    }
}

/// Returns the `calibrated` event of a sample.
pub fn calibrated() -> Calibrated {
    Calibrated {
        commit: object(0),
        pairs: 10,
        metrics: vec![MetricCalibration {
            metric: metric("total_ms"),
            role: "primary".to_owned(),
            lines: 1,
            median: 100.0,
            ring: vec![0.001; 10],
            ring_abs: Vec::new(),
            s: 0.01,
            threshold: 0.04,
            bias: 0.001,
            bias_se: 0.0005,
            resolves: Some(0.02),
        }],
        parts: [].into(),
        limits: [("bench".to_owned(), 10.0)].into(),
        run_s: 0.25,
        build_s: 30.0,
        checks_s: None,
        epoch: None,
        holdout: None,
    }
}

/// Returns a made-up object id.
pub fn object(number: u64) -> ObjectId {
    let digits = format!("{:040x}", u128::from(number) | (0xabcd_u128 << 64));
    ObjectId::new(digits).unwrap_or_else(|_| unreachable!("forty digits were written"))
}

fn metric(name: &str) -> MetricName {
    MetricName::new(name).unwrap_or_else(|_| unreachable!("a sample's names are valid"))
}

struct Sample<'a, W> {
    out: &'a mut W,
    line: Vec<u8>,
    ms: i64,
}

impl<W: Write> Sample<'_, W> {
    fn put(&mut self, experiment: Option<ExperimentId>, event: &Event) -> io::Result<()> {
        self.ms += 250;
        let at = Timestamp::from_millisecond(self.ms).map_err(io::Error::other)?;
        self.line.clear();
        encode(&mut self.line, at, experiment, event)?;
        self.out.write_all(&self.line)
    }

    /// Writes one experiment and returns the tip after it.
    fn experiment(&mut self, id: ExperimentId, tip: &ObjectId) -> io::Result<ObjectId> {
        let keep = id.0.is_multiple_of(KEEP_EVERY);
        let commit = if keep { object(1_000_000 + u64::from(id.0)) } else { tip.clone() };
        self.put(Some(id), &Event::Proposed(Box::new(proposed(id, tip))))?;
        self.put(Some(id), &Event::Screened(Box::new(screened(id))))?;
        for phase in [Phase::Apply, Phase::Build, Phase::Check] {
            self.put(Some(id), &Event::PhaseStarted(PhaseStarted { phase, what: None }))?;
            let ended = PhaseEnded { phase, what: None, seconds: 1.25, exit: None, failure: None };
            self.put(Some(id), &Event::PhaseEnded(Box::new(ended)))?;
        }
        for pair in 1..=PAIRS {
            self.put(Some(id), &Event::Pair(Box::new(run_of(id, pair, keep))))?;
        }
        self.put(Some(id), &Event::Decided(Box::new(decided(id, tip, keep))))?;
        let timestamp = self.ms;
        self.put(Some(id), &Event::Run(Box::new(summary(id, &commit, timestamp, keep))))?;
        Ok(commit)
    }
}

fn description(id: ExperimentId) -> String {
    format!("Batch the writes of level {} before the merge", id.0 % 7)
}

fn patch_id(id: ExperimentId) -> PatchId {
    PatchId(object(2_000_000 + u64::from(id.0)))
}

fn proposed(id: ExperimentId, tip: &ObjectId) -> Proposed {
    Proposed {
        author: None,
        base_commit: None,
        commit: true,
        resumes: None,
        drop_sealed: false,
        call: None,
        given_by: None,
        unreadable: None,
        description: description(id),
        hypothesis: "Fewer system calls for the same bytes.".to_owned(),
        idea: id.0.is_multiple_of(3).then(|| format!("idea-{}", id.0)),
        axes: Vec::new(),
        goal: Goal::Improve,
        asi: Asi::new(),
        source: ProposalSource::Queue(format!("candidates/{:05}-batch.patch", id.0)),
        patch_hash: format!("{:032x}", id.0).repeat(2),
        tip: tip.clone(),
    }
}

fn screened(id: ExperimentId) -> Screened {
    Screened {
        outcome: Screening::Accepted { tree: object(3_000_000 + u64::from(id.0)), rung: "exact on the tip".to_owned() },
        patch_id: Some(patch_id(id)),
        touched: vec!["src/merge.rs".to_owned(), "src/writer.rs".to_owned()],
        lines_removed: Some(-4),
        warnings: Vec::new(),
    }
}

fn reading(arm: Arm, id: ExperimentId, pair: u32, keep: bool) -> Reading {
    let wobble = f64::from((id.0 * 31 + pair * 17) % 101) / 1_000.0;
    let total = if keep && arm == Arm::Candidate { 90.0 } else { 100.0 } + wobble;
    let metrics = [
        ("total_ms", total),
        ("read_ms", total * 0.4),
        ("write_ms", total * 0.6),
        ("auto.wall_s", total / 1_000.0),
        ("auto.user_s", total / 1_200.0),
        ("auto.sys_s", total / 9_000.0),
        ("auto.cpu_s", total / 1_100.0),
        ("auto.max_rss_bytes", 52_428_800.0),
    ];
    Reading {
        metrics: metrics.into_iter().map(|(name, value)| (metric(name), value)).collect(),
        invariants: vec!["rows=100000".to_owned()],
    }
}

fn run_of(id: ExperimentId, pair: u32, keep: bool) -> CandidateRun {
    CandidateRun {
        pair,
        order: Seed(1).coin(id, pair),
        baseline: Some(reading(Arm::Baseline, id, pair, keep)),
        candidate: Some(reading(Arm::Candidate, id, pair, keep)),
        void: None,
        load: Some(0.25),
        host: None,
        swapped: false,
        holdout: false,
        estimate: Some((0.1, 0.09, 0.11)),
        ln_e: Some(f64::from(pair)),
    }
}

fn effect(keep: bool) -> Effect {
    let mu = if keep { 0.105 } else { 0.001 };
    Effect {
        mu,
        se: 0.004,
        gain: mu * 0.98,
        low: mu - 0.01,
        high: mu + 0.01,
        pairs: PAIRS,
        ln_e: Some(if keep { 7.5 } else { -1.5 }),
        alpha: 0.001,
        scale: Scale::Ratio,
        delta0: 0.005,
        min_effect: 0.01,
        s: 0.01,
        threshold: 0.04,
    }
}

fn outcome(keep: bool) -> (Status, Reason, Verdict) {
    if keep {
        (Status::Keep, Reason::Improved, Verdict::Improved)
    } else {
        (Status::Discard, Reason::NoEffect, Verdict::NoEffect)
    }
}

fn decided(id: ExperimentId, tip: &ObjectId, keep: bool) -> Decided {
    let (status, reason, verdict) = outcome(keep);
    Decided {
        status,
        reason,
        detail: "total_ms".to_owned(),
        flags: Vec::new(),
        comparison: Some(Comparison {
            verdict,
            primary: effect(keep),
            primary_verdict: None,
            co_primaries: Vec::new(),
            sentinels: Vec::new(),
            bound: None,
            terms: Vec::new(),
        }),
        holdout: Vec::new(),
        commit: keep.then(|| object(1_000_000 + u64::from(id.0))),
        tip: tip.clone(),
        moves_branch: true,
    }
}

fn summary(id: ExperimentId, commit: &ObjectId, timestamp: i64, keep: bool) -> RunSummary {
    let (status, reason, _) = outcome(keep);
    let mut asi = Asi::new();
    asi.insert("hypothesis".to_owned(), json!("Fewer system calls for the same bytes."));
    asi.insert("auto".to_owned(), json!({"phases": {"build": 1.25, "check": 1.25}}));
    RunSummary {
        run: id.0,
        commit: commit.clone(),
        metric: Some(if keep { 90.0 } else { 100.0 }),
        metrics: reading(Arm::Candidate, id, 1, keep).metrics,
        status,
        description: description(id),
        timestamp,
        segment: 0,
        confidence: effect(keep).confidence(),
        asi,
        reason,
        flags: Vec::new(),
        effect: Some(effect(keep)),
        effect_of: 0,
        patch_id: Some(patch_id(id)),
        iteration: true,
        measured: true,
    }
}
