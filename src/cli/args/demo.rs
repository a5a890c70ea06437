//! The arguments of `demo`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  autoresearch demo                          the experiment lsm-batch, some minutes\n  \
    autoresearch demo --all --quick            every experiment, at most three minutes each\n  \
    autoresearch demo n1-register --keep /tmp/demo\n  autoresearch demo ./my-experiment          a folder with candidates/ and truth.json\n  \
    autoresearch demo --quick --orders 3       three orders of the candidates; are the ends equal?\n\n\
    Exit code 0 where every verdict and the end state agree with the truth, 7 where one does not."
)]
pub(in crate::cli) struct Demo {
    /// The experiment: one that comes with the program (lsm-batch unless named), or a folder of the same form.
    #[arg(value_name = "NAME|DIR", conflicts_with = "all")]
    pub name: Option<String>,
    /// Run every experiment that comes with the program; one whose language is not installed is skipped, and said so.
    #[arg(long)]
    pub all: bool,
    /// Small runs: at most 100 ms each, about three minutes in all; keeps are not confirmed in swapped slots.
    #[arg(long)]
    pub quick: bool,
    /// Work in this new folder and leave it for a look.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Try only the candidates whose file names contain this text (may be repeated).
    #[arg(long, value_name = "TEXT")]
    pub only: Vec<String>,
    /// Run the candidates in N orders, the first that of their names; says which keeps differ and measures the ends against each other.
    #[arg(long, value_name = "N", conflicts_with = "only", value_parser = clap::value_parser!(u32).range(2..=20))]
    pub orders: Option<u32>,
    /// Write the tables into this file too, in Markdown.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
}
