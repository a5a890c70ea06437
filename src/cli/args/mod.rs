//! The command line as typed; the only file that knows clap's types.

mod demo;
mod ideas;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::since::Since;
use crate::domain::{self, CoreList, Direction, MetricName};
use crate::measure::adapters::Tool;

pub(super) use demo::Demo;
pub(super) use ideas::{Ideas, IdeasAction, IdeasAdd, IdeasClose, IdeasReopen, IdeasSearch, IdeasWhy};

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
    pub of_experiment: Option<String>,
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
    Status(Status),
    /// List the experiments.
    Log(Log),
    /// Write the whole session for who reviews it: a page, a pull request's body, or JSON.
    Report(Report),
    /// Show one experiment whole.
    Show(Show),
    /// Show the keeps in the order in which to look at them: effect against cost, and how few give most of the gain.
    #[command(
        after_help = "Examples:\n  autoresearch review\n  autoresearch review --interactive     decide one after another\n  \
        autoresearch review --json | jq .most_of_it"
    )]
    Review(Review),
    /// Record that keeps are to be merged.
    Accept(Decide),
    /// Record that keeps are not to be merged: closes their ideas, and measures later keeps of their files without them.
    Reject(Reject),
    /// Record that keeps wait for a decision.
    Later(Decide),
    /// Make independent review branches of the accepted keeps, each built, checked and measured by itself.
    Finalize(Finalize),
    /// Write what proves a session as a ref that can be pushed, or as one file: journal, patches, harness.
    Bundle(Bundle),
    /// Recompute every verdict of a record from its raw pairs, and hold a branch's commits against it.
    Verify(Verify),
    /// The catalogue of ideas in ideas.md: what is to be tried, what was, and what is closed.
    Ideas(Ideas),
    /// Run the loop on a real workload whose true verdicts are known.
    Demo(Demo),
    /// Simulate the decision rule: how often it keeps what is false, finds what is true, and what that costs.
    Simulate(Simulate),
    /// Read another tool's session log into a session of its own.
    Import(Import),
    /// Write a session for other readers, or a copy of it for committing.
    Export(Export),
    /// Turn the output of a known benchmark tool into METRIC lines, for a bench script.
    Metrics(Metrics),
    /// Print every setting with its value and origin, and the sealed files.
    Config(ConfigArgs),
    /// Remove slots, caches and old runs; prints the sizes first.
    Clean(Clean),
    /// Print the completions of a shell.
    #[command(
        after_help = "Examples:\n  autoresearch completions bash > ~/.local/share/bash-completion/completions/autoresearch\n  \
        autoresearch completions zsh > ~/.zfunc/_autoresearch\n  autoresearch completions fish > ~/.config/fish/completions/autoresearch.fish"
    )]
    Completions(Completions),
    /// Write the man pages into a folder.
    #[command(after_help = "Example:\n  autoresearch man ~/.local/share/man/man1")]
    Man(Man),
}

/// Arguments of `bundle`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch bundle                 refs/autoresearch-records/<name>, to push\n  \
    autoresearch bundle session.bundle  one file, with the kept commits; git reads it too\n\nWhat tells of the holdout stays here \
    unless --with-holdout is given."
)]
pub(super) struct Bundle {
    /// Write one file with the record and the kept commits.
    pub file: Option<PathBuf>,
    /// Take what the holdout said along; those who propose candidates must not read it.
    #[arg(long)]
    pub with_holdout: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch verify\n  autoresearch verify my-branch --bundle session.bundle\n  \
    autoresearch verify my-branch --ref refs/autoresearch-records/lsm-batch\n\nExit code 7 where a verdict does not follow from its pairs, \
    or a commit is not what the record says.")]
pub(super) struct Verify {
    /// The branch whose commits are checked. Default: the session's.
    pub branch: Option<String>,
    /// Take the record from this bundle.
    #[arg(long, value_name = "FILE", conflicts_with = "reference")]
    pub bundle: Option<PathBuf>,
    /// Take the record from this ref.
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `accept` and `later`.
#[derive(Debug, Args)]
pub(super) struct Decide {
    /// The experiments' numbers, as 'autoresearch review' shows them.
    #[arg(required = true, value_name = "N", value_parser = experiment_number)]
    pub experiments: Vec<u32>,
}

/// Arguments of `reject`.
#[derive(Debug, Args)]
pub(super) struct Reject {
    /// The experiments' numbers, as 'autoresearch review' shows them.
    #[arg(required = true, value_name = "N", value_parser = experiment_number)]
    pub experiments: Vec<u32>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub because: String,
    /// Measure nothing.
    #[arg(long)]
    pub no_retest: bool,
}

/// Arguments of `finalize`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch finalize --preview          what would be made\n  \
    autoresearch finalize --preview > plan.json; edit it; autoresearch finalize --plan plan.json\n  \
    autoresearch finalize --onto main\n\n\
    Keeps that touch a common file come into one branch, named <session branch>-review/<group>. All branches are made, or \
    none.\n\n\
    Exit codes: 0 they are made; 7 one does not build or pass its checks by itself, or together they are not what was \
    accepted; 1 a conflict or another obstacle; 3 the base does not build or run.")]
#[expect(clippy::struct_excessive_bools, reason = "one field for each flag that a person types")]
pub(super) struct Finalize {
    /// Print the plan as --plan takes it, with a table on standard error; make nothing.
    #[arg(long)]
    pub preview: bool,
    /// Group the keeps by this file: {"groups": [{"name": "wal", "keeps": [3, 5]}]}.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Build the branches on this revision. Default: the upstream of the branch in use, where it holds the session's base,
    /// as it was last fetched; else that base.
    #[arg(long, value_name = "REF")]
    pub onto: Option<String>,
    /// Take every keep that is not rejected, not only accepted ones.
    #[arg(long)]
    pub all: bool,
    /// Build and check the branches, but do not measure them; their messages say so.
    #[arg(long)]
    pub no_measure: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder; it is made where it is not there.
    pub folder: PathBuf,
}

/// Arguments of commands that only read.
#[derive(Debug, Clone, Args)]
pub(super) struct Reading {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `review`.
#[derive(Debug, Args)]
pub(super) struct Review {
    /// Ask on the terminal about each keep that is neither accepted nor rejected; every answer is written at once.
    #[arg(short = 'i', long, conflicts_with = "json")]
    pub interactive: bool,
    /// With --interactive: measure nothing at the end. Without it, later keeps of a rejected one's files are measured
    /// without it, as 'autoresearch reject' does.
    #[arg(long, requires = "interactive")]
    pub no_retest: bool,
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

/// Arguments of `log`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch log\n  autoresearch log --status keep,checks_failed --since 12h\n  \
    autoresearch log --grep 'fewer copies' --limit 20\n  autoresearch log --json | jq '.experiments[].reason'")]
pub(super) struct Log {
    /// List only experiments of these statuses, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATUS")]
    pub status: Vec<StatusName>,
    /// List only what was settled since: an experiment (#40), a span before now (12h, 2d) or a local date (2026-11-20).
    #[arg(long, value_name = "WHEN", value_parser = Since::read)]
    pub since: Option<Since>,
    /// List only experiments of this idea of ideas.md.
    #[arg(long, value_name = "ID")]
    pub idea: Option<String>,
    /// List only experiments whose description, hypothesis, idea or side information holds this text, whatever its case.
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// List only the last N of them.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Show this session of the repository, such as an imported one, instead of the config's.
    #[arg(long, value_name = "NAME", value_parser = session_name)]
    pub session: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A status as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum StatusName {
    /// Committed to the session's branch.
    Keep,
    /// Dropped by its numbers, or tried or settled before.
    Discard,
    /// Dropped by the gate.
    ChecksFailed,
    /// Did not apply, build or run.
    Crash,
}

impl From<StatusName> for domain::Status {
    fn from(name: StatusName) -> Self {
        match name {
            StatusName::Keep => Self::Keep,
            StatusName::Discard => Self::Discard,
            StatusName::ChecksFailed => Self::ChecksFailed,
            StatusName::Crash => Self::Crash,
        }
    }
}

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch report > pull-request.md\n  autoresearch report --html night.html\n  \
    autoresearch report --json | jq '.keeps[] | {experiment, commit, change}'\n\nEvery number comes from the journal. \
    Figures of the holdout are in no report."
)]
pub(super) struct Report {
    /// Write one html file that needs nothing else, neither network nor script; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print a pull request's body (the default).
    #[arg(long, conflicts_with_all = ["html", "json"])]
    pub markdown: bool,
    /// Print JSON.
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch status\n  autoresearch status --json | jq .kept\n  \
    autoresearch status --watch           again whenever something happened, until the session ends\n  \
    autoresearch status --watch 10 --json one line of JSON whenever something happened")]
pub(super) struct Status {
    /// Show it again every so many seconds (2 where no number follows), until the session ends or Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = pause)]
    pub watch: Option<Duration>,
    /// Show this session of the repository, such as an imported one, instead of the config's.
    #[arg(long, value_name = "NAME", value_parser = session_name)]
    pub session: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Reads the seconds between two looks.
fn pause(text: &str) -> Result<Duration, String> {
    let said = "a number of seconds from 0.1 to 86400";
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=86400.0).contains(seconds)).ok_or(said)?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads a session's name, which is a folder's too.
fn session_name(text: &str) -> Result<String, String> {
    // '~' is of those that 'run --new' moved aside.
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if text.chars().all(plain) && text.starts_with(char::is_alphanumeric) {
        Ok(text.to_owned())
    } else {
        Err("a session's name is made of letters, digits and - _ .".to_owned())
    }
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch import autoresearch.jsonl\n  autoresearch import .auto/log.jsonl --name before\n  \
    autoresearch log --session imported-autoresearch\n\nStatuses stay as they are written, and no keep of such a log counts as \
    one of this program: nothing of it was measured here. 'autoresearch init --from-existing' makes a config that \
    measures those keeps again."
)]
pub(super) struct Import {
    /// Session logs of other tools: JSON lines, or a table with tabs. Several become one session, in this order.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The session's name here. Default: 'imported-' and the name in the log, else the file's.
    #[arg(long, value_name = "NAME", value_parser = session_name)]
    pub name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch export                     experiments/<name>/journal.jsonl and patches, to commit\n  \
    autoresearch export --format jsonl > autoresearch.jsonl\n  autoresearch export --format csv | column -s, -t\n\nPaths of \
    this machine are replaced. The copy for committing leaves out what the holdout measured, and all logs."
)]
pub(super) struct Export {
    /// Print the runs in this form, instead of the copy for committing.
    #[arg(long, value_enum)]
    pub format: Option<PlainForm>,
    /// Write into this folder instead. Default of the copy: experiments/<name>.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Export this session of the repository instead of the config's.
    #[arg(long, value_name = "NAME", value_parser = session_name)]
    pub session: Option<String>,
}

/// A form that other programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlainForm {
    /// A config line for each segment, a line for each run, as readers of autoresearch.jsonl take them.
    Jsonl,
    /// A table with commas, a row for each run.
    Csv,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch init\n  autoresearch init --print     show the files, write nothing\n  \
    autoresearch init --from-existing     go on from another tool's autoresearch.sh, checks, ideas, config and log"
)]
pub(super) struct Init {
    /// Take bench, checks, ideas, config and goal from what another tool left: autoresearch.sh, autoresearch.checks.sh,
    /// autoresearch.ideas.md, autoresearch.config.json, autoresearch.jsonl, or the same below .auto/.
    #[arg(long)]
    pub from_existing: bool,
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
    after_help = "Examples:\n  autoresearch run\n  autoresearch run --until 07:30 --plateau 20\n  autoresearch run --dry-run\n  \
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
    /// Stop after this many iterations in a row without a keep.
    #[arg(long, value_name = "N")]
    pub plateau: Option<u32>,
    /// Stop once the primary's median of what is kept is this good.
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    pub target: Option<f64>,
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
    /// Look in this session of the repository, such as an imported one, instead of the config's.
    #[arg(long, value_name = "NAME", value_parser = session_name)]
    pub session: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
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

/// Arguments of `metrics`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  go test -bench . -count 5 ./... > \"$out/text\"\n  autoresearch metrics --from gobench \"$out/text\"\n  \
    CRITERION_HOME=\"$out/criterion\" cargo bench\n  autoresearch metrics --from criterion \"$out/criterion\"\n  \
    hyperfine --export-json \"$out/hf.json\" './work' && autoresearch metrics --from hyperfine \"$out/hf.json\"\n\n\
    Names are the benchmarks' own; units are made equal and end the name: _ns, _bytes, _allocs, _bytes_per_s. A benchmark \
    that ran several times gives several lines. Text and JSON are told apart by themselves; JSON has more digits. \
    A benchmark that failed, or none at all, is exit code 1. In a pipe the shell forgets that the tool failed, unless \
    'set -o pipefail' stands in the script: write to a file first, into a new folder, so that no old result is read."
)]
pub(super) struct Metrics {
    /// The tool whose output it is.
    #[arg(long, value_enum, value_name = "TOOL")]
    pub from: BenchTool,
    /// Files that the tool wrote, or criterion's folder; `-` or none is standard input.
    #[arg(value_name = "FILE|DIR|-")]
    pub paths: Vec<PathBuf>,
    /// Put this before every name.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
}

/// A benchmark tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum BenchTool {
    /// `go test -bench`, also with `-json`: ns/op, B/op, allocs/op, MB/s and reported metrics.
    Gobench,
    /// criterion.rs: the median of each estimates.json below a folder, or the typical time of the text.
    Criterion,
    /// Google Benchmark: real and CPU time; counters from its JSON.
    GoogleBenchmark,
    /// pytest-benchmark: medians of the --benchmark-json file, or of the table.
    PytestBenchmark,
    /// hyperfine: the median, user and system time of the --export-json file; the mean of the text.
    Hyperfine,
    /// JMH: each iteration of the -rf json file, or the scores of the table.
    Jmh,
    /// divan: medians of times, counters and allocations.
    Divan,
    /// `time` of a shell, GNU or BSD: `wall_ns`, `user_ns`, `sys_ns`, `max_rss_bytes`.
    Time,
}

impl From<BenchTool> for Tool {
    fn from(tool: BenchTool) -> Self {
        match tool {
            BenchTool::Gobench => Self::Gobench,
            BenchTool::Criterion => Self::Criterion,
            BenchTool::GoogleBenchmark => Self::GoogleBenchmark,
            BenchTool::PytestBenchmark => Self::PytestBenchmark,
            BenchTool::Hyperfine => Self::Hyperfine,
            BenchTool::Jmh => Self::Jmh,
            BenchTool::Divan => Self::Divan,
            BenchTool::Time => Self::Time,
        }
    }
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
    /// Print the reference of all keys, as Markdown.
    #[arg(long, conflicts_with_all = ["json", "schema"])]
    pub reference: bool,
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
