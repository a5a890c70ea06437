//! `autoresearch reject`: keeps are not to be merged. Their ideas are closed as a person's decision, and later keeps that
//! touch the same files are measured again without them.

use super::review::{ids, record, state};
use super::run::{context, resumed_progress};
use super::validate::line;
use crate::cli::args::{Global, Reject};
use crate::cli::error::CliError;
use crate::cli::fold::fold;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{ExperimentId, Review, Reviewed};
use crate::engine::{EngineError, Purpose, Retest, Session, Target, closing_of, ideas_file};
use crate::ideas::{Closing, Edit, edit_or_make};
use crate::process::{Interrupts, SupervisorProgram};
use crate::state::ExperimentRecord;

/// Records the decisions, closes the ideas, says how to take the keeps out, and re-tests what came after them.
pub(in crate::cli) fn run(global: &Global, args: &Reject, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::with_holdout(global, &Overrides::default(), None)?;
    let keeps = ids(&args.experiments);
    decide(&place, &keeps, &args.because, ui)?;
    if !args.no_retest {
        retest_and_tell(&place, &keeps, ui)?;
    }
    Ok(0)
}

/// Records that keeps are not to be merged, closes their ideas, and says how to take them out.
pub(super) fn decide(place: &Place, keeps: &[ExperimentId], because: &str, ui: &Ui) -> Result<(), CliError> {
    let reviewed = Reviewed { review: Review::Rejected, because: because.to_owned() };
    record(place, keeps, &reviewed, ui)?;
    let state = state(place)?;
    for id in keeps {
        let keep = state.experiment(*id).ok_or(CliError::NoSuchKeep { experiment: *id })?;
        close(place, keep, because, ui)?;
        let commit = keep.commit();
        ui.advise(&format!(
            "'autoresearch finalize' leaves it out; on a branch of your own 'git revert {}' takes it out\n",
            commit.short()
        ))?;
    }
    Ok(())
}

/// Re-tests what came after rejected keeps and touches their files, and tells what was found.
pub(super) fn retest_and_tell(place: &Place, keeps: &[ExperimentId], ui: &Ui) -> Result<(), CliError> {
    let found = retest(place, keeps, ui)?;
    if !found.is_empty() {
        ui.line("later keeps of the same files, without what was rejected:")?;
    }
    for retest in found {
        ui.print(&line(&retest, &place.settings.primary.unit))?;
    }
    Ok(())
}

/// Closes the idea that the keep tried, or the patch itself where it names none.
fn close(place: &Place, keep: &ExperimentRecord, because: &str, ui: &Ui) -> Result<(), CliError> {
    let target = Target::Idea(keep.idea.as_deref().map_or_else(|| format!("keep-{}", keep.id), str::to_owned));
    let closing = Closing {
        mechanism: format!("rejected by a person: {because}"),
        ..closing_of(&target, &[keep], &place.settings)
    };
    let (path, name) = (ideas_file(place.repository.root(), &place.settings), closing.id.clone());
    let folder = std::env::temp_dir();
    let scratch = tempfile::tempdir_in(&folder).map_err(|source| CliError::io("make a folder in", &folder, source))?;
    edit_or_make(&path, &Edit::Close(closing), scratch.path())?;
    Ok(ui.line(&format!("closed '{name}' in ideas.md"))?)
}

/// Measures later keeps that touch a file of a rejected one, as they would stand without it.
fn retest(place: &Place, keeps: &[ExperimentId], ui: &Ui) -> Result<Vec<Retest>, CliError> {
    let stood = fold(&place.places.journal())?.and_then(|folded| folded.state.stopped().cloned());
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(place, &supervisor, &interrupts, Purpose::Session);
    let mut progress = resumed_progress(place, ui)?;
    let mut session = Session::open(&context, vec![&mut progress])?;
    let mut measured = Vec::new();
    for keep in keeps {
        if !session.overlapping(*keep)?.is_empty() {
            measured.push(*keep);
        }
    }
    // Where nothing later touches their files there is nothing to make ready.
    let ready = if measured.is_empty() { Ok(()) } else { session.ready_to_validate() };
    let found = ready.and_then(|()| session.retest_without(&measured, stood));
    found.map_err(|error| match error {
        EngineError::StopRequested => CliError::NotValidated,
        error => CliError::Engine(error),
    })
}
