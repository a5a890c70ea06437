//! Compares two commits without config and session: the base is the baseline, the candidate's tree the change.

use std::ffi::OsString;
use std::path::Path;

use crate::domain::{
    Arm, Base, Bench, Build, Calibrated, CandidatesOrder, CheckOrder, Checks, Command, CommitRules, Confirm, Decision,
    Direction, Event, ExperimentId, Hooks, Host, IdeaRules, Inventory, Limits, MetricCalibration, MetricName, Note,
    ObjectId, Objective, Observer, PatchText, Patience, Phase, Proposal, ProposalSource, Reduce, RunSummary, Sandbox,
    Scale, Scope, Screened, Screening, Seed, Settings, Stop, TimeLimit, VerifyClean,
};
use crate::git::UserRepository;
use crate::measure;
use crate::process::{Interrupts, SupervisorProgram};
use crate::stats;

use super::EngineError;
use super::experiment::ExperimentFacts;
use super::offer::Offer;
use super::opening::refuse;
use super::pipeline::Commit;
use super::places::Places;
use super::recorder::Durability;
use super::runner::with_ending;
use super::scratch::Scratch;
use super::session::{Context, Purpose, Session};
use super::summary::{MetricRow, metric_row};
use super::watch::{Untold, Watch};

/// A name that no file of a project has: without a config there is neither a config file nor a checks folder.
const NO_SUCH_FILE: &str = ".autoresearch-compare-has-none";

/// Pairs of the base against itself before the candidate is measured.
const CALIBRATION_PAIRS: u32 = 10;

/// What a comparison works in.
pub struct Surroundings<'a> {
    /// The user's repository.
    pub user: &'a UserRepository,
    /// The user's folder for caches.
    pub cache_home: &'a Path,
    /// The program that supervises commands.
    pub supervisor: &'a SupervisorProgram,
    /// Requests to stop.
    pub interrupts: &'a Interrupts,
    /// The environment that the program was started in.
    pub inherited: Vec<(OsString, OsString)>,
}

/// What is to be compared, and how.
#[derive(Debug, Clone)]
pub struct Question {
    /// The revision to compare against.
    pub base: String,
    /// The revision to judge.
    pub candidate: String,
    /// The bench, one line for `sh -c`.
    pub bench: String,
    /// The build, one line for `sh -c`.
    pub build: Option<String>,
    /// Where both start, relative to the repository root.
    pub working_dir: String,
    /// The metric; `None` = the one that a first run on the base names first, else `auto.wall_s`.
    pub metric: Option<MetricName>,
    /// Which way is better.
    pub direction: Direction,
    /// Smallest effect of interest, relative (0.01 = 1 %).
    pub min_effect: f64,
    /// Largest number of pairs.
    pub max_pairs: u32,
    /// Seed of the coins.
    pub seed: Seed,
    /// What is asked of the measuring machine.
    pub host: Host,
}

/// What a comparison found.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The commit compared against.
    pub base: ObjectId,
    /// The commit judged.
    pub candidate: ObjectId,
    /// The primary metric and how it was compared.
    pub primary: Objective,
    /// The verdict with the primary's effect.
    pub run: RunSummary,
    /// Complete pairs of base and candidate.
    pub pairs: u32,
    /// Both arms of every metric over these pairs, the primary first.
    pub rows: Vec<MetricRow>,
    /// Pairs of the base against itself.
    pub calibration_pairs: u32,
    /// What these said of the primary.
    pub calibration: Option<MetricCalibration>,
    /// What makes the answer mean less than it seems.
    pub warnings: Vec<String>,
}

/// Compares two commits: base against itself, then base against candidate until the rule has its verdict.
///
/// Nothing of the user's repository changes. Fails with [`EngineError::BaselineBroken`] when the base does not build or
/// run; a candidate that fails is an answer.
pub fn compare(
    around: &Surroundings<'_>,
    question: &Question,
    observer: &mut dyn Observer,
) -> Result<Answer, EngineError> {
    let base = around.user.resolve(&question.base)?;
    let candidate = around.user.resolve(&question.candidate)?;
    refuse(&around.user.survey(&candidate)?)?;
    let mut settings = settings(question, &base);
    let usual = Places::new(around.user.common_dir(), around.cache_home, &settings);
    let scratch = Scratch::beside(&usual, "compare")?;
    if question.metric.is_none() {
        let mut watch = Watch::new(&mut *observer, Untold::AllButPhases);
        let places = scratch.places("first");
        let mut session = Session::open(&around.context(&settings, &places), vec![&mut watch])?;
        let first = session.first_metric()?;
        drop(session);
        settings.primary.name = first.unwrap_or(settings.primary.name);
    }
    let places = scratch.places("state");
    let mut watch = Watch::new(observer, Untold::Answers);
    let mut session = Session::open(&around.context(&settings, &places), vec![&mut watch])?;
    let warnings = session.doubts(&candidate)?;
    session.ready()?;
    let run = session.try_commit(&candidate, question)?;
    Ok(session.answer(run, candidate, warnings))
}

impl<'a> Surroundings<'a> {
    fn context<'c>(&self, settings: &'c Settings, places: &'c Places) -> Context<'c>
    where
        'a: 'c,
    {
        Context {
            settings,
            places,
            user: self.user,
            supervisor: self.supervisor,
            interrupts: self.interrupts,
            inherited: self.inherited.clone(),
            purpose: Purpose::Comparison,
        }
    }
}

impl Session<'_, '_> {
    /// Builds the base, runs its bench once, and returns the metric that it named first.
    fn first_metric(&mut self) -> Result<Option<MetricName>, EngineError> {
        self.recorder.begin(ExperimentFacts::new(ExperimentId::BASELINE));
        self.build_baseline(Arm::Baseline)?;
        let what = "first";
        let log = self.log(Phase::Warmup, Some(what));
        let run = self.phase(Phase::Warmup, Some(what), |session| session.one_run(Arm::Baseline, log.clone()))?;
        self.healthy(run)?;
        Ok(measure::first_metric(&with_ending(&log, "out"), &with_ending(&log, "err"))?)
    }

    /// Notes what makes a comparison with a commit mean less than it seems.
    fn doubts(&mut self, candidate: &ObjectId) -> Result<Vec<String>, EngineError> {
        let touched = self.bench.private().touched(self.bench.tip(), candidate)?;
        let (sealed, free): (Vec<String>, Vec<String>) =
            touched.into_iter().map(|touched| touched.path).partition(|path| self.bench.harness().seals(path));
        let mut doubts = Vec::new();
        if candidate == self.bench.tip() {
            doubts.push("base and candidate are the same commit: what is measured is noise".to_owned());
        } else if sealed.is_empty() && free.is_empty() {
            doubts.push("the two commits hold the same files: what is measured is noise".to_owned());
        }
        if !sealed.is_empty() {
            let alone = if free.is_empty() { "; nothing else differs, so what is measured is noise" } else { "" };
            doubts.push(format!(
                "the bench command names {}, which differs between the commits: both are measured with the checkout's \
                 version (a bench script that calls it takes each commit's own){alone}",
                sealed.join(", ")
            ));
        }
        for doubt in &doubts {
            self.recorder.session(Event::Note(Note { text: doubt.clone() }), Durability::Written)?;
        }
        Ok(doubts)
    }

    /// Takes a commit's whole tree from the build to the verdict.
    fn try_commit(&mut self, candidate: &ObjectId, question: &Question) -> Result<RunSummary, EngineError> {
        let tree = self.tree_with_harness(candidate)?;
        self.propose(&Offer::Readable(proposal(candidate, question)), Commit::No)?;
        let touched = self.bench.private().touched(self.bench.tip(), candidate)?;
        let screened = Screened {
            outcome: Screening::Accepted { tree: tree.clone(), rung: "the commit's whole tree".to_owned() },
            patch_id: None,
            touched: touched.into_iter().map(|touched| touched.path).collect(),
            lines_removed: None,
            warnings: Vec::new(),
        };
        self.recorder.experiment(Event::Screened(Box::new(screened)), Durability::Written)?;
        let outcome = self.try_tree(tree)?;
        self.settle(outcome, None, Commit::No)
    }

    /// Returns a commit's tree with the sealed files laid over it, so that both arms are measured by the same ones.
    fn tree_with_harness(&self, commit: &ObjectId) -> Result<ObjectId, EngineError> {
        let private = self.bench.private();
        Ok(private.tree_of(&private.private_commit(commit, self.bench.harness().files())?)?)
    }

    fn answer(&self, run: RunSummary, candidate: ObjectId, warnings: Vec<String>) -> Answer {
        let primary = self.settings.primary.clone();
        let pairs = self.recorder.facts().pairs();
        let others = pairs.first().map(|pair| pair.candidate.metrics.keys().cloned().collect::<Vec<_>>());
        let names =
            [primary.name.clone()].into_iter().chain(others.into_iter().flatten().filter(|n| *n != primary.name));
        let calibrated: Option<&Calibrated> = self.recorder.state().calibrated();
        Answer {
            base: self.bench.tip().clone(),
            candidate,
            rows: names.filter_map(|name| metric_row(self.lens(), &name, &pairs)).collect(),
            pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            calibration_pairs: calibrated.map_or(0, |calibrated| calibrated.pairs),
            calibration: calibrated.and_then(|c| c.primary().cloned()),
            primary,
            run,
            warnings,
        }
    }
}

fn proposal(candidate: &ObjectId, question: &Question) -> Proposal {
    let description = format!("{}..{}", question.base, question.candidate);
    Proposal::untold(description, ProposalSource::Try(candidate.to_string()), PatchText::default())
}

/// Makes the settings of a comparison: those of a session without gate, scope and stop rules.
fn settings(question: &Question, base: &ObjectId) -> Settings {
    let shell = |line: &String| Command::Shell(line.clone());
    Settings {
        name: "compare".to_owned(),
        folder: String::new(),
        file: NO_SUCH_FILE.to_owned(),
        working_dir: question.working_dir.clone(),
        base: Base::Revision(base.to_string()),
        branch: String::new(),
        prepare: None,
        build: question.build.as_ref().map(|build| Build {
            command: shell(build),
            timeout: TimeLimit::Calibrated,
            keep: Vec::new(),
            verify_clean: VerifyClean::Never,
        }),
        bench: Bench {
            command: shell(&question.bench),
            timeout: TimeLimit::Calibrated,
            warmup: 1,
            metrics_file: false,
        },
        primary: primary(question),
        co_primaries: Vec::new(),
        sentinels: Vec::new(),
        holdout: None,
        checks: Checks {
            dir: NO_SUCH_FILE.to_owned(),
            timeout: TimeLimit::Calibrated,
            order: CheckOrder::ChecksFirst,
            inventory: Inventory::Off,
        },
        harness: Vec::new(),
        scope: Scope::default(),
        candidates: Vec::new(),
        candidates_order: CandidatesOrder::default(),
        hooks: Hooks::default(),
        decision: decision(question),
        stop: Stop::default(),
        limits: limits(),
        sandbox: sandbox(),
        slots_dir: None,
        host: question.host.clone(),
        ideas: IdeaRules::default(),
        commit: CommitRules::default(),
    }
}

fn primary(question: &Question) -> Objective {
    let wall = || MetricName::new("auto.wall_s").unwrap_or_else(|_| unreachable!("a constant name"));
    Objective {
        name: question.metric.clone().unwrap_or_else(wall),
        unit: String::new(),
        direction: question.direction,
        scale: Scale::Ratio,
        min_effect: question.min_effect,
        reduce: Reduce::Median,
    }
}

/// The one candidate is the first of an epoch whose share of false keeps gives it [`stats::COMPARE_ALPHA`].
fn decision(question: &Question) -> Decision {
    Decision {
        calibration_pairs: Some(CALIBRATION_PAIRS),
        max_pairs: question.max_pairs,
        false_keep_share: stats::COMPARE_ALPHA * f64::from(stats::epoch_size(None, None, None)),
        patience: Patience::Thorough,
        strict: false,
        seed: question.seed,
        // A comparison is asked for a number, and keeps nothing.
        confirm: Confirm::Off,
    }
}

fn limits() -> Limits {
    Limits {
        output_bytes: 4 << 30,
        log_bytes: 1 << 20,
        memory_bytes: None,
        processes: None,
        file_bytes: None,
        disk_free_bytes: 1 << 30,
    }
}

fn sandbox() -> Sandbox {
    Sandbox {
        network: crate::domain::Network::default(),
        require: false,
        read_only: vec!["~/.cargo/registry".to_owned()],
        caches: Vec::new(),
        env: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_candidate_of_a_comparison_has_the_error_budget_of_one() {
        let question = Question {
            base: "a".to_owned(),
            candidate: "b".to_owned(),
            bench: "true".to_owned(),
            build: None,
            working_dir: String::new(),
            metric: None,
            direction: Direction::Lower,
            min_effect: 0.01,
            max_pairs: 30,
            seed: Seed(1),
            host: Host::default(),
        };
        let epoch = stats::epoch_size(None, None, None);
        let alpha = stats::Budget::new(decision(&question).false_keep_share, epoch).alpha();
        assert!((alpha - stats::COMPARE_ALPHA).abs() < 1e-12, "{alpha}");
    }
}
