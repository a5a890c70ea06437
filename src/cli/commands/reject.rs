//! `autoresearch reject`: a keep is not to be merged. Its idea is closed as a person's decision, and later keeps that touch
//! the same files are measured again without it.

use super::review::{record, state};
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

/// Records the decision, closes the idea, says how to take the keep out, and re-tests what came after it.
pub(in crate::cli) fn run(global: &Global, args: &Reject, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    let id = ExperimentId(args.experiment);
    let reviewed = Reviewed { review: Review::Rejected, because: args.because.clone() };
    record(&place, &[args.experiment], &reviewed, ui)?;
    let state = state(&place)?;
    let Some(keep) = state.experiment(id) else { return Err(CliError::NoSuchKeep { experiment: id }) };
    close(&place, keep, &args.because, ui)?;
    let commit = keep.commit();
    ui.advise(&format!(
        "'autoresearch finalize' leaves it out; on a branch of your own 'git revert {}' takes it out\n",
        commit.short()
    ))?;
    if !args.no_retest {
        for retest in retest(&place, id, ui)? {
            ui.print(&line(&retest, &place.settings.primary.unit))?;
        }
    }
    Ok(0)
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

/// Measures later keeps that touch a file of the rejected one, as they would stand without it.
fn retest(place: &Place, id: ExperimentId, ui: &Ui) -> Result<Vec<Retest>, CliError> {
    let stood = fold(&place.places.journal())?.and_then(|folded| folded.state.stopped().cloned());
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(place, &supervisor, &interrupts, Purpose::Session);
    let mut progress = resumed_progress(place, ui)?;
    let mut session = Session::open(&context, vec![&mut progress])?;
    if session.overlapping(id)?.is_empty() {
        // Nothing later touches its files; the session stands as it stood.
        return Ok(session.retest_without(id, stood)?);
    }
    let found = session.ready_to_validate().and_then(|()| session.retest_without(id, stood));
    found.map_err(|error| match error {
        EngineError::StopRequested => CliError::NotValidated,
        error => CliError::Engine(error),
    })
}
