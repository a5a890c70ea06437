//! The arguments of `autoresearch ideas`.

use clap::{Args, Subcommand};

use super::{Reading, experiment_number};
use crate::ideas::{CONDITIONS, Reopen};

/// Arguments of `ideas`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch ideas list\n  autoresearch ideas add 'Encode into buffers that are used again'\n  \
    autoresearch ideas close bloom --because 'the lookups that it would answer are gone' --reopen 'src/read.rs changed'\n  \
    autoresearch ideas why next.patch\n\nideas.md is yours: an edit touches one entry and nothing else."
)]
pub(in crate::cli) struct Ideas {
    /// What to do with them.
    #[command(subcommand)]
    pub action: IdeasAction,
}

/// What to do with ideas.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum IdeasAction {
    /// List the ideas, open ones first; closed ones with why, and whether their condition holds now.
    #[command(
        after_help = "Examples:\n  autoresearch ideas list\n  autoresearch ideas list --json | jq '.ideas[] | select(.state == \"reopened\")'"
    )]
    List(Reading),
    /// Add an idea at the end of a section.
    Add(IdeasAdd),
    /// Close an idea, or a value of a setting: candidates that try it are refused from now on.
    Close(IdeasClose),
    /// Move a closed idea back to those to try, with its history.
    Reopen(IdeasReopen),
    /// Say whether a candidate would be refused before anything of it runs, and by what.
    Why(IdeasWhy),
    /// Find the ideas in which all of the words stand.
    Search(IdeasSearch),
    /// Look for what is wrong in ideas.md: names, conditions, experiments, missing reasons.
    #[command(
        after_help = "Examples:\n  autoresearch ideas lint\n\nExit codes: 0 nothing is wrong; 7 something is, each \
        with its file, its line and what to do."
    )]
    Lint(Reading),
}

/// Arguments of `ideas add`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch ideas add 'Encode into buffers that are used again'\n  autoresearch ideas add \
    '**P1.4** Look at the lock in put()' --section follow-up"
)]
pub(in crate::cli) struct IdeasAdd {
    /// What it is, in one line of Markdown.
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// The name by which candidates refer to it. Default: a label at the beginning of the text (**P1.4**), else its first
    /// words.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// The section, by the beginning of its title.
    #[arg(long, value_name = "TITLE", default_value = "To try")]
    pub section: String,
}

/// Arguments of `ideas close`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  autoresearch ideas close arena --because 'the allocator is not the limit'\n  \
    autoresearch ideas close memtable_mib=128 --because 'no flush happens' --reopen '3 keeps since'\n\nExperiments, effect with \
    its interval and base commit are taken from the journal.")]
pub(in crate::cli) struct IdeasClose {
    /// The idea's id or label, or a value of a setting.
    #[arg(value_name = "ID|NAME=VALUE")]
    pub idea: String,
    /// Why it failed.
    #[arg(long, value_name = "MECHANISM")]
    pub because: String,
    /// The experiments that tried it. Default: all of the journal that were measured and not kept.
    #[arg(long, value_name = "N,N...", value_delimiter = ',', value_parser = experiment_number)]
    pub experiments: Vec<u32>,
    /// When it may be tried again: 'PATH changed', 'N keeps since', 'METRIC moved N %', 'METRIC moved N' (in its unit) or
    /// 'after YYYY-MM-DD'. Default: when a person says so.
    #[arg(long, value_name = "CONDITION", value_parser = reopen_condition)]
    pub reopen: Option<String>,
}

/// Reads a condition that the machine can judge.
fn reopen_condition(text: &str) -> Result<String, String> {
    let condition = Reopen::parse(text);
    if condition.is_known() { Ok(condition.to_string()) } else { Err(format!("it can be {CONDITIONS}")) }
}

/// Arguments of `ideas reopen`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoresearch ideas reopen bloom --because 'reads go another way now'")]
pub(in crate::cli) struct IdeasReopen {
    /// The idea's id or label.
    #[arg(value_name = "ID")]
    pub idea: String,
    /// Why it is worth another try.
    #[arg(long, value_name = "TEXT")]
    pub because: String,
}

/// Arguments of `ideas why`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch ideas why next.patch\n  git diff | autoresearch ideas why - --json\n\nExit codes: 0 \
    it would be tried; 4 it would be refused. Asked are closed ideas, settled decisions, whether it applies, scope and sealed \
    paths, and what was tried already, by the code that screens candidates. Nothing of it runs."
)]
pub(in crate::cli) struct IdeasWhy {
    /// A patch file, `-` for standard input, or a commit.
    #[arg(value_name = "PATCH|-|COMMIT")]
    pub candidate: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `ideas search`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  autoresearch ideas search block cache")]
pub(in crate::cli) struct IdeasSearch {
    /// Words or parts of words, whatever the case.
    #[arg(value_name = "WORD", required = true)]
    pub words: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
