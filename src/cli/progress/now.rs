//! What a command does at this moment: one line that is redrawn on a terminal, a plain line for each step elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::ui::Ui;

/// Shows the present step on standard error.
#[derive(Debug)]
pub(in crate::cli) struct Now<'a> {
    /// Where plain lines go; nowhere on a terminal, and where only an answer is wanted.
    plain: Option<&'a Ui>,
    live: bool,
    what: String,
    line: Option<ProgressBar>,
}

impl<'a> Now<'a> {
    /// Shows steps, or nothing where only the answer is wanted.
    pub(in crate::cli) fn new(ui: &'a Ui, quiet: bool) -> Self {
        let live = Ui::is_live() && !quiet;
        Self { plain: (!live && !quiet).then_some(ui), live, what: String::new(), line: None }
    }

    /// Shows a step.
    pub(in crate::cli) fn doing(&mut self, what: &str) {
        what.clone_into(&mut self.what);
        if let Some(ui) = self.plain {
            ui.tell(&format!("... {what}"));
        }
        self.draw(format!("... {what}"));
    }

    /// Shows how far the step is, on a terminal only.
    pub(in crate::cli) fn progress(&mut self, how_far: &str) {
        self.draw(format!("... {}, {how_far}", self.what));
    }

    /// Takes the line away, for what is written next.
    pub(in crate::cli) fn clear(&mut self) {
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
    }

    fn draw(&mut self, text: String) {
        if !self.live {
            return;
        }
        let line = self.line.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::new_spinner().with_style(style)
        });
        line.set_message(text);
        // Not left to the rate limit: the next step may be minutes away.
        line.force_draw();
    }
}
