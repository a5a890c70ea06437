//! `autoresearch demo`: the loop on real workloads whose candidates have a known truth.

use std::path::Path;

use crate::cli::args::{Demo, Global};
use crate::cli::error::CliError;
use crate::cli::ui::Ui;
use crate::engine::truth::Truth;
use crate::process::{Interrupts, SupervisorProgram};

mod experiments;
mod orders;
mod scratch;
mod table;
mod trial;

use experiments::Experiment;
use scratch::Scratch;
use trial::{Bench, Trial};

/// The experiment of a demo that names none.
const USUAL: &str = "lsm-batch";

/// Runs the demo and says whether the loop found the truth: 0, or 7 where it did not.
pub(in crate::cli) fn run(_global: &Global, args: &Demo, ui: &Ui) -> Result<u8, CliError> {
    let chosen = chosen(args, ui)?;
    let scratch = Scratch::new(args.keep.as_deref())?;
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let bench = Bench { ui, interrupts: &interrupts, supervisor: &supervisor, quick: args.quick };
    match args.orders {
        Some(orders) => in_orders(&bench, &scratch, &chosen, args, orders),
        None => against_truth(&bench, &scratch, &chosen, args),
    }
}

/// Returns the experiments to run; with `--all` those whose programs are here, and a loud word about the others.
fn chosen(args: &Demo, ui: &Ui) -> Result<Vec<Experiment>, CliError> {
    if !args.all {
        let experiment = experiments::find(args.name.as_deref().unwrap_or(USUAL))?;
        return match experiment.missing_program() {
            Some(program) => {
                Err(CliError::ProgramMissing { program: program.to_owned(), experiment: experiment.name().to_owned() })
            }
            None => Ok(vec![experiment]),
        };
    }
    let mut chosen = Vec::new();
    for experiment in experiments::all()? {
        match experiment.missing_program() {
            Some(program) => ui.warn(&format!(
                "SKIPPED: experiment {} needs {program}, which does not start here ('{program} --version')",
                experiment.name()
            )),
            None => chosen.push(experiment),
        }
    }
    Ok(chosen)
}

fn against_truth(bench: &Bench<'_>, scratch: &Scratch, chosen: &[Experiment], args: &Demo) -> Result<u8, CliError> {
    let mut trials = Vec::new();
    for experiment in chosen {
        let trial = bench.try_in(scratch.path(), experiment, &args.of(experiment), false)?;
        bench.ui.print(&table::table(&trial))?;
        bench.ui.line(&where_to_look(&trial, scratch.stays()))?;
        trials.push(trial);
        if bench.interrupts.stop_requested() {
            return Err(CliError::Interrupted);
        }
    }
    if args.all {
        bench.ui.print(&table::summary(&trials))?;
    }
    if let Some(file) = &args.table {
        write(file, &table::markdown(&trials, bench.size()))?;
    }
    Ok(if trials.iter().all(Trial::agrees) { 0 } else { 7 })
}

fn in_orders(
    bench: &Bench<'_>,
    scratch: &Scratch,
    chosen: &[Experiment],
    args: &Demo,
    orders: u32,
) -> Result<u8, CliError> {
    let mut equal = true;
    let mut text = table::heading("The same candidates in several orders");
    for experiment in chosen {
        let outcome = orders::compare(bench, &scratch.path().join(experiment.name()), experiment, orders)?;
        bench.ui.print(&outcome.text())?;
        text.push_str(&outcome.markdown());
        equal &= outcome.is_equal();
    }
    if let Some(file) = &args.table {
        write(file, &format!("{}\n", text.trim_end()))?;
    }
    Ok(if equal { 0 } else { 7 })
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(file, text).map_err(|source| CliError::io("write", file, source))
}

fn where_to_look(trial: &Trial, stays: bool) -> String {
    if !stays {
        return "The scratch folder is gone; '--keep DIR' leaves repository, branch and journal for a look.".to_owned();
    }
    format!(
        "Branch:  git -C {} log {}\nJournal: {}",
        trial.project.display(),
        trial.settings.branch,
        trial.places.journal().display()
    )
}

impl Demo {
    /// Returns an experiment's candidates whose file names contain one of the texts of `--only`.
    fn of(&self, experiment: &Experiment) -> Vec<Truth> {
        let takes = |truth: &&Truth| self.only.is_empty() || self.only.iter().any(|text| truth.patch.contains(text));
        experiment.known().candidates.iter().filter(takes).cloned().collect()
    }
}
