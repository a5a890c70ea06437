//! The command line as typed; the only file that knows clap's types.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::domain::{CoreList, Direction, MetricName};

/// Runs performance experiments on a git repository, unattended, and keeps only what is true.
#[derive(Debug, Parser)]
#[command(name = "autoresearch", version, about, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Start with `autoresearch demo`, or in a repository with `autoresearch init`.")]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// Work as if started in this folder.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Use this config file instead of the nearest autoresearch.config.json.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Use the config of this experiment: experiments/NAME/autoresearch.config.json of the repository.
    #[arg(long = "experiment", value_name = "NAME", global = true, conflicts_with = "config")]
    pub target: Option<String>,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = Colour::Auto, global = true)]
    pub color: Colour,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal that shows them.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a working starting set for this repository: config, bench, checks, ideas.
    Init(Init),
    /// Check everything that a session needs before a night is spent on it.
    Doctor(Doctor),
    /// Measure the baseline against itself: noise, drift, what a night can do.
    Calibrate(Calibrate),
    /// Try the candidates one after another; commit what is truly better to the session's branch.
    Run(Run),
    /// Judge one candidate: a patch file, standard input, the checkout's change or a commit.
    Try(Try),
    /// Compare two commits; needs no config and no session.
    Compare(Compare),
    /// Measure the session's gain afresh: its base against its tip, both built from empty caches.
    Validate(Validate),
    /// End a running session from another terminal, after its current step.
    #[command(after_help = "Examples:\n  autoresearch stop\n  autoresearch -C ~/project stop")]
    Stop(Stopping),
    /// Show where the session stands.
    #[command(after_help = "Examples:\n  autoresearch status\n  autoresearch status --json | jq .kept")]
    Status(Reading),
    /// List the experiments.
    #[command(after_help = "Examples:\n  autoresearch log\n  autoresearch log --json | jq '.experiments[].reason'")]
    Log(Reading),
    /// Show one experiment whole.
    Show(Show),
    /// Run the loop on a real workload whose true verdicts are known.
    Demo(Demo),
    /// Simulate the decision rule: how often it keeps what is false, finds what is true, and what that costs.
    Simulate(Simulate),
    /// Print every setting with its value and origin, and the sealed files.
    Config(ConfigArgs),
    /// Remove slots, caches and old runs; prints the sizes first.
    Clean(Clean),
}

/// Arguments of commands that only read.
#[derive(Debug, Clone, Args)]
pub(super) struct Reading {
    /// Read this session of the repository, also one that 'run --new' moved aside ('autoresearch clean' lists them).
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `stop`.
#[derive(Debug, Clone, Args)]
pub(super) struct Stopping {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch init\n  autoresearch init --print     show the files, write nothing")]
pub(super) struct Init {
    /// Show the files instead of writing them.
    #[arg(long)]
    pub print: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch doctor\n  autoresearch doctor --json\n  autoresearch doctor --pin 2")]
pub(super) struct Doctor {
    /// Confine the measured runs of both arms to these CPU cores, such as 2 or 0,2-3.
    #[arg(long, value_name = "CORES")]
    pub pin: Option<String>,
    /// Ask this holdout before a keep: a JSON file as the config's 'holdout', anywhere; 'none' for none. It stays the
    /// session's until another is given.
    #[arg(long, value_name = "FILE")]
    pub holdout: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `calibrate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch calibrate\n  autoresearch calibrate --pairs 30 --fresh\n  \
    autoresearch calibrate --json | jq '.metrics[0].noise'\n\nA calibration of this machine and these settings is \
    used again for 24 hours.")]
pub(super) struct Calibrate {
    /// Pairs of the same program. Default: decision.calibrationPairs, else 10 to 30 as the session has time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=1000))]
    pub pairs: Option<u32>,
    /// Measure anew, also where an earlier calibration would serve.
    #[arg(long)]
    pub fresh: bool,
    /// Ask this holdout before a keep: a JSON file as the config's 'holdout', anywhere; 'none' for none. It stays the
    /// session's until another is given.
    #[arg(long, value_name = "FILE")]
    pub holdout: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "a field is named after its flag, --dry-run")]
#[command(
    after_help = "Examples:\n  autoresearch run\n  autoresearch run --max-iterations 20\n  autoresearch run --dry-run\n  \
    autoresearch run --rebase main        go on from what main is now\n  autoresearch run --new                start over"
)]
pub(super) struct Run {
    /// Go through every stage for the baseline, screen each candidate, estimate the time; measure no candidate.
    #[arg(long)]
    pub dry_run: bool,
    /// Start over: the session so far is moved aside with its journal and its branch, and stays readable.
    #[arg(long, conflicts_with_all = ["dry_run", "rebase"])]
    pub new: bool,
    /// Go on from this commit: its keeps so far are saved as a branch and tried again there first.
    #[arg(long, value_name = "REF", conflicts_with = "dry_run")]
    pub rebase: Option<String>,
    /// Stop after this many iterations.
    #[arg(long, value_name = "N")]
    pub max_iterations: Option<u32>,
    /// Stop after this many hours.
    #[arg(long, value_name = "HOURS")]
    pub max_hours: Option<f64>,
    /// Stop at this local time of day, such as 07:30.
    #[arg(long, value_name = "HH:MM")]
    pub until: Option<String>,
    /// Wait for more candidates instead of ending when every one was tried.
    #[arg(long)]
    pub follow: bool,
    /// Seed of the coins.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Confine the measured runs of both arms to these CPU cores, such as 2 or 0,2-3.
    #[arg(long, value_name = "CORES")]
    pub pin: Option<String>,
    /// Ask this holdout before a keep: a JSON file as the config's 'holdout', anywhere; 'none' for none. It stays the
    /// session's until another is given.
    #[arg(long, value_name = "FILE")]
    pub holdout: Option<PathBuf>,
}

/// Arguments of `try`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch try fast.patch\n  git diff | autoresearch try -\n  \
    autoresearch try --worktree --json\n  autoresearch try HEAD~2 --no-commit\n  autoresearch try --resume 7")]
pub(super) struct Try {
    /// A patch file, `-` for standard input, or a commit.
    #[arg(required_unless_present_any = ["worktree", "resume"], conflicts_with_all = ["worktree", "resume"], value_name = "PATCH|-|COMMIT")]
    pub candidate: Option<String>,
    /// Take the checkout's uncommitted change.
    #[arg(long)]
    pub worktree: bool,
    /// Go on with inconclusive experiment N: further pairs for the same evidence, on the same tip, at its alpha.
    #[arg(long, value_name = "N", conflicts_with_all = ["worktree", "description"], value_parser = experiment_number)]
    pub resume: Option<u32>,
    /// Judge only; never move the branch.
    #[arg(long)]
    pub no_commit: bool,
    /// Confine the measured runs of both arms to these CPU cores, such as 2 or 0,2-3.
    #[arg(long, value_name = "CORES")]
    pub pin: Option<String>,
    /// One line that says what the candidate changes.
    #[arg(short = 'm', long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Ask this holdout before a keep: a JSON file as the config's 'holdout', anywhere; 'none' for none. It stays the
    /// session's until another is given.
    #[arg(long, value_name = "FILE")]
    pub holdout: Option<PathBuf>,
    /// Print JSON: verdict, reason, effect, ASI, closed ideas touched.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch validate\n  autoresearch validate --leave-one-out --json\n\n\
    Exit codes: 0 the gain is shown (its interval excludes zero) or nothing is kept; 7 it is not shown, the tip fails \
    when built from an empty cache, a keep had to be undone, or a re-tested keep no longer pays; 3 the base does not \
    build or run. `run` validates at its end by itself.")]
pub(super) struct Validate {
    /// Also measure each keep: the tip against the tip without it. Nothing is reverted.
    #[arg(long)]
    pub leave_one_out: bool,
    /// Ask this holdout before a keep: a JSON file as the config's 'holdout', anywhere; 'none' for none. It stays the
    /// session's until another is given.
    #[arg(long, value_name = "FILE")]
    pub holdout: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch compare main my-branch --build 'cargo build --release' \
    --bench ./bench.sh\n  autoresearch compare HEAD~1 HEAD --bench 'python3 bench.py' --metric total_ms")]
pub(super) struct Compare {
    /// The commit to compare against.
    pub base: String,
    /// The commit to judge.
    pub candidate: String,
    /// The bench command; prints METRIC lines, or is timed as a whole.
    #[arg(long, value_name = "CMD")]
    pub bench: String,
    /// The build command.
    #[arg(long, value_name = "CMD")]
    pub build: Option<String>,
    /// The metric to compare by; the only or first METRIC name, else `auto.wall_s`.
    #[arg(long, value_name = "NAME", value_parser = MetricName::new)]
    pub metric: Option<MetricName>,
    /// Which way is better.
    #[arg(long, value_enum, default_value_t = Better::Lower)]
    pub direction: Better,
    /// Largest number of pairs.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(3..=1000))]
    pub max_pairs: u32,
    /// Smallest effect of interest (0.01 = 1 %).
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    pub min_effect: f64,
    /// Seed of the coins.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Confine the measured runs of both arms to these CPU cores, such as 2 or 0,2-3.
    #[arg(long, value_name = "CORES", value_parser = CoreList::new)]
    pub pin: Option<CoreList>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Reads a share above 0 and at most 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        Ok(_) => Err("it is a share: above 0 and at most 1 (0.01 = 1 %)".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Better {
    /// Smaller values are better.
    Lower,
    /// Larger values are better.
    Higher,
}

impl From<Better> for Direction {
    fn from(better: Better) -> Self {
        match better {
            Better::Lower => Self::Lower,
            Better::Higher => Self::Higher,
        }
    }
}

/// Reads the number of an experiment.
fn experiment_number(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    digits.parse().map_err(|_| "give the number of an experiment; 'autoresearch log' lists them".to_owned())
}

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch show 7\n  autoresearch show 7 --json")]
pub(super) struct Show {
    /// The experiment's number, as 'autoresearch log' shows it.
    #[arg(value_name = "N", value_parser = experiment_number)]
    pub experiment: u32,
    /// Read this session of the repository, also one that 'run --new' moved aside ('autoresearch clean' lists them).
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch demo\n  autoresearch demo --quick\n  autoresearch demo --keep /tmp/demo"
)]
pub(super) struct Demo {
    /// The experiment.
    #[arg(default_value = "lsm-batch")]
    pub name: String,
    /// Small runs: at most 100 ms each, about three minutes in all; keeps are not confirmed in swapped slots.
    #[arg(long)]
    pub quick: bool,
    /// Work in this new folder and leave it for a look.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Try only the candidates whose file names contain this text (may be repeated).
    #[arg(long, value_name = "TEXT")]
    pub only: Vec<String>,
}

/// Arguments of `simulate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch simulate\n  autoresearch simulate --from-journal my-session\n  \
    autoresearch simulate --sentinels 12\n  autoresearch simulate --check     exit code 7 where a published figure is missed")]
pub(super) struct Simulate {
    /// Take noise, metric and rule from a session of this repository, or from a journal file.
    #[arg(long, value_name = "NAME|FILE")]
    pub from_journal: Option<String>,
    /// Compare the rule with its published figures; exit code 7 where one is missed.
    #[arg(long, conflicts_with_all = ["from_journal", "sentinels", "alpha"])]
    pub check: bool,
    /// Show how often K sentinels block a harmless patch and one with a regression of 10 %.
    #[arg(long, value_name = "K", conflicts_with = "from_journal", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub sentinels: Option<u16>,
    /// Races of each figure, sessions in proportion; --check takes at least 4000, and 20 000 of no-ops.
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub races: u32,
    /// Error budget of each single candidate; a session's follows from its own rule.
    #[arg(long, value_name = "SHARE", default_value_t = 0.005, value_parser = share)]
    pub alpha: f64,
    /// Seed of the simulated noise.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `config`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch config\n  autoresearch config --schema > autoresearch.schema.json")]
pub(super) struct ConfigArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Print the JSON Schema of the config file.
    #[arg(long, conflicts_with = "json")]
    pub schema: bool,
}

/// Arguments of `clean`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch clean                 print the sizes, remove nothing\n  \
    autoresearch clean --yes           remove slots and caches\n  autoresearch clean --yes --runs 20 also all but the newest 20 runs")]
pub(super) struct Clean {
    /// Remove slots and caches; without it only the sizes are printed.
    #[arg(long)]
    pub yes: bool,
    /// Also remove the patches and logs of all but the newest N experiments.
    #[arg(long, value_name = "N")]
    pub runs: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
