//! Shows a run while it goes on: a live area on a terminal, plain lines elsewhere.
//!
//! The area is redrawn when something happened and never by a clock: a thread that wakes up while a program is
//! measured would be measured with it.

mod now;
mod tracker;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::ui::{Ui, status_style};
use crate::domain::{Event, ExperimentId, Observer};
use crate::state::SessionState;
pub(super) use now::Now;
use tracker::{Line, Tracker};

/// An observer that tells a person what a session does.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    tracker: Tracker,
    screen: Screen<'a>,
}

/// Where progress is shown.
#[derive(Debug)]
enum Screen<'a> {
    /// Two lines that are redrawn, and finished lines above them.
    Live { ui: &'a Ui, area: Option<Area> },
    /// Finished lines only.
    Plain { ui: &'a Ui },
    /// Nowhere, but for notes: what a caller must know who otherwise sees nothing happen.
    Quiet { ui: &'a Ui },
}

impl<'a> Progress<'a> {
    /// Shows progress on standard error: live on a terminal, plain lines elsewhere.
    pub(super) fn new(ui: &'a Ui) -> Self {
        let screen = if Ui::is_live() { Screen::Live { ui, area: None } } else { Screen::Plain { ui } };
        Self { tracker: Tracker::default(), screen }
    }

    /// Shows notes only.
    pub(super) fn quiet(ui: &'a Ui) -> Self {
        Self { tracker: Tracker::default(), screen: Screen::Quiet { ui } }
    }

    /// Takes over what happened before, so that a resumed session shows its counts and its metric.
    #[must_use]
    pub(super) fn after(mut self, state: &SessionState) -> Self {
        self.tracker.resume(state);
        self
    }
}

impl Observer for Progress<'_> {
    fn event(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        let line = self.tracker.take(experiment, event);
        match &mut self.screen {
            Screen::Live { ui, area } => {
                match (&line, &area) {
                    (Some(line), Some(area)) => area.above(|| ui.tell(&styled(line, ui))),
                    (Some(line), None) => ui.tell(&styled(line, ui)),
                    (None, _) => {}
                }
                match self.tracker.area() {
                    Some(texts) => area.get_or_insert_with(Area::new).draw(texts),
                    None => *area = None,
                }
            }
            Screen::Plain { ui } => {
                if let Some(line) = line {
                    ui.tell(&styled(&line, ui));
                }
            }
            Screen::Quiet { ui } => {
                if let (Some(line), Event::Note(_)) = (line, event) {
                    ui.tell(&styled(&line, ui));
                }
            }
        }
    }
}

/// Colours the status of a finished experiment; the channel takes colours out where they are not wanted. What a proposer
/// says of it is shown as it is, and names no command to type.
fn styled(line: &Line, ui: &Ui) -> String {
    match line {
        Line::Milestone(text) => ui.worded(text),
        Line::Settled { number, status, rest } => {
            let style = status_style(*status);
            format!("{number:<6}{style}{:<14}{style:#}{rest}", status.to_string())
        }
    }
}

/// Two lines at the bottom of a terminal; they go away when this is dropped.
#[derive(Debug)]
struct Area {
    bars: MultiProgress,
    lines: [ProgressBar; 2],
}

impl Area {
    fn new() -> Self {
        let bars = MultiProgress::new();
        let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let line = || bars.add(ProgressBar::new_spinner().with_style(style.clone()));
        let lines = [line(), line()];
        Self { bars, lines }
    }

    fn draw(&self, texts: [String; 2]) {
        for (line, text) in self.lines.iter().zip(texts) {
            line.set_message(text);
            // Not left to the rate limit: the next event may be a long measurement away.
            line.force_draw();
        }
    }

    fn above(&self, write: impl FnOnce()) {
        self.bars.suspend(write);
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        self.lines.iter().for_each(ProgressBar::finish_and_clear);
        // A terminal that cannot be cleared is nobody's fault.
        let _ = self.bars.clear();
    }
}
