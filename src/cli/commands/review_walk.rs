//! `autoresearch review --interactive`: asks about one undecided keep after another, and writes each answer at once.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::Path;

use super::reject;
use super::review::{record, state, view};
use super::show::everything;
use crate::cli::dialogue::{Action, Dialogue};
use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::domain::{ExperimentId, MetricName, Review, Reviewed};
use crate::journal::Journal;
use crate::report::{ExperimentView, PatchView, ReviewRow, Screen, one_line, text};
use crate::state::ExperimentRecord;

/// Bytes of a patch that are shown; `git show` has the rest.
const PATCH: usize = 1 << 18;

/// Walks the keeps that are neither accepted nor rejected, in the order of the table.
pub(super) fn run(place: &Place, retest: bool, ui: &Ui) -> Result<u8, CliError> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(CliError::NoTerminal);
    }
    let view = view(place)?;
    let open: Vec<&ReviewRow> = view.rows.iter().filter(|row| is_open(row)).collect();
    if open.is_empty() {
        let nothing = if view.rows.is_empty() {
            "nothing is kept, so there is nothing to review"
        } else {
            "every keep is decided"
        };
        ui.line(nothing)?;
        return closing(place, ui);
    }
    // Who could not write an answer is told before the first question.
    drop(Journal::open(&place.places.journal())?);
    ui.print(&view.sentence().map_or_else(String::new, |sentence| format!("{sentence}\n")))?;
    let dialogue = Dialogue::new(open.iter().map(|row| row.experiment));
    let mut walk = Walk { place, ui, dialogue, rows: &open, raced_by: raced_by(place)? };
    walk.walk()?;
    let rejected = walk.answered(Review::Rejected);
    ui.line(&walk.summary())?;
    if retest && !rejected.is_empty() {
        reject::retest_and_tell(place, &rejected, ui)?;
    }
    closing(place, ui)
}

/// Says whether a keep waits for a decision.
fn is_open(row: &ReviewRow) -> bool {
    match row.review {
        None | Some(Review::Later) => true,
        Some(Review::Accepted | Review::Rejected) => false,
    }
}

/// Returns the metric whose effect made each keep one.
fn raced_by(place: &Place) -> Result<BTreeMap<ExperimentId, MetricName>, CliError> {
    let state = state(place)?;
    let settings = state.configured().map_or(&place.settings, |configured| &configured.settings);
    let name = |keep: &ExperimentRecord| settings.objective(keep.effect.map_or(0, |effect| effect.of)).name.clone();
    Ok(state.keeps().map(|keep| (keep.id, name(keep))).collect())
}

/// Says what to do next with what is decided by now.
fn closing(place: &Place, ui: &Ui) -> Result<u8, CliError> {
    let state = state(place)?;
    let left = state.keeps().filter(|keep| !matches!(keep.review, Some(Review::Accepted | Review::Rejected))).count();
    if left > 0 {
        ui.advise(&format!("{left} of the keeps wait; 'autoresearch review --interactive' goes on with them\n"))?;
    }
    if state.keeps().any(|keep| keep.review == Some(Review::Accepted)) {
        ui.advise("'autoresearch finalize --preview' shows the review branches of the accepted ones\n")?;
    }
    Ok(0)
}

/// A walk, and what it is over.
struct Walk<'w> {
    place: &'w Place,
    ui: &'w Ui,
    dialogue: Dialogue,
    /// The keeps, in the order of the dialogue's stops.
    rows: &'w [&'w ReviewRow],
    /// The metric whose effect made each keep one.
    raced_by: BTreeMap<ExperimentId, MetricName>,
}

impl Walk<'_> {
    /// Asks until every keep was answered, or the person leaves.
    fn walk(&mut self) -> Result<(), CliError> {
        self.introduce()?;
        while self.dialogue.present().is_some() {
            self.ui.print(&self.dialogue.question())?;
            let line = read_line()?;
            match self.dialogue.take(line.as_deref()) {
                Action::Decide(keep, reviewed) => {
                    self.decide(keep, &reviewed)?;
                    self.introduce()?;
                }
                Action::Present => self.introduce()?,
                Action::Patch(keep) => self.ui.print(&text::patch(&self.patch(keep)?, Screen::of_stdout()))?,
                Action::Whole(keep) => {
                    let patch = self.patch(keep)?;
                    self.ui.print(&text::show(&self.look(keep)?, Some(&patch), Screen::of_stdout()))?;
                }
                Action::Say(said) => self.ui.line(&said)?,
                Action::Ask => {}
                Action::End if line.is_some() => break,
                Action::End => {
                    // Behind the question, where only the input was ended.
                    self.ui.line("")?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes a decision, with everything that its command does at once.
    fn decide(&self, keep: ExperimentId, reviewed: &Reviewed) -> Result<(), CliError> {
        match reviewed.review {
            Review::Accepted | Review::Later => record(self.place, &[keep], reviewed, self.ui),
            Review::Rejected => reject::decide(self.place, &[keep], &reviewed.because, self.ui),
        }
    }

    /// Shows the keep that is asked about next.
    fn introduce(&self) -> Result<(), CliError> {
        let Some((place, stop)) = self.dialogue.present() else { return Ok(()) };
        let row = self.rows[place - 1];
        let whole = self.look(row.experiment)?;
        let metric = self.raced_by.get(&row.experiment).filter(|_| !row.on_final_code);
        let card = Card { row, whole: &whole, metric: metric.unwrap_or(&whole.primary.metric) };
        let decided = stop.answer.or(row.review);
        Ok(self.ui.print(&format!("\n{place} of {}   {}", self.rows.len(), card.text(decided)))?)
    }

    fn look(&self, keep: ExperimentId) -> Result<ExperimentView, CliError> {
        everything(&self.place.places.journal(), keep, &self.place.places.run(keep))
    }

    /// Reads the change that would be merged.
    fn patch(&self, keep: ExperimentId) -> Result<PatchView, CliError> {
        let row = self.rows.iter().find(|row| row.experiment == keep);
        let row = row.ok_or(CliError::NoSuchKeep { experiment: keep })?;
        let patch = self.place.repository.commit_patch(row.commit.as_str())?.patch;
        let shown = &patch[..patch.len().min(PATCH)];
        Ok(PatchView {
            text: String::from_utf8_lossy(shown).into_owned(),
            left_out: (patch.len() - shown.len()) as u64,
        })
    }

    fn answered(&self, review: Review) -> Vec<ExperimentId> {
        let stops = self.dialogue.stops().iter().filter(|stop| stop.answer == Some(review));
        stops.map(|stop| stop.experiment).collect()
    }

    fn summary(&self) -> String {
        let count = |review| self.answered(review).len();
        let (accepted, rejected, later) = (count(Review::Accepted), count(Review::Rejected), count(Review::Later));
        let unanswered = self.rows.len() - accepted - rejected - later;
        format!("\n{accepted} accepted, {rejected} rejected, {later} later, {unanswered} not answered")
    }
}

/// Reads a line of the terminal; `None` at its end, and where the terminal went away.
fn read_line() -> Result<Option<String>, CliError> {
    let mut line = Vec::new();
    let read = io::stdin().lock().read_until(b'\n', &mut line);
    read.map_err(|source| CliError::io("read", Path::new("standard input"), source))?;
    Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()))
}

/// What there is to know of a keep before it is decided.
struct Card<'c> {
    row: &'c ReviewRow,
    whole: &'c ExperimentView,
    /// The metric that the row's change is of.
    metric: &'c MetricName,
}

impl Card<'_> {
    fn text(&self, decided: Option<Review>) -> String {
        let row = self.row;
        let lines = [
            ("effect", self.effect()),
            ("cost", self.cost()),
            ("look twice", self.marks()),
            ("hypothesis", self.whole.hypothesis.clone()),
            ("mechanism", self.mechanism()),
            ("so far", format!("{:.0} % of the gain, with all keeps above it in the table", 100.0 * row.cumulative)),
            ("decided", decided.map(|review| review.to_string()).unwrap_or_default()),
        ];
        let filled = lines.iter().filter(|(_, value)| !value.trim().is_empty());
        let lines = filled.map(|(label, value)| format!("  {label:<12}{}\n", one_line(value)));
        format!("#{} {}\n", row.experiment, one_line(&row.description)) + &lines.collect::<String>()
    }

    fn effect(&self) -> String {
        let change = self.row.change.as_deref().unwrap_or("not in numbers");
        let how = if self.row.on_final_code { "left on the final code" } else { "as it was raced" };
        format!("{} {change}, {how}", self.metric)
    }

    fn cost(&self) -> String {
        let count = |count: u32, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
        let cost = &self.row.cost;
        let paths: Vec<&str> = cost.paths.iter().map(String::as_str).collect();
        format!("{} in {}: {}", count(cost.lines, "line"), count(cost.files, "file"), paths.join(", "))
    }

    fn marks(&self) -> String {
        let flags = self.row.flags.iter().map(|flag| flag.to_string().replace('_', " "));
        self.row.cost.marks.iter().map(|mark| (*mark).to_owned()).chain(flags).collect::<Vec<_>>().join(", ")
    }

    /// Returns how it helps, as its proposer says.
    fn mechanism(&self) -> String {
        let value = self.whole.asi.get("mechanism");
        value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
    }
}
