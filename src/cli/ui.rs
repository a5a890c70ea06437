//! The channels to the person: results on standard output, progress and errors on standard error.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use super::args::{Colour, Global};
use super::call::Call;
use crate::domain::Status;

/// Writes to the terminal or into a pipe; the only place that does.
#[derive(Debug)]
pub(super) struct Ui {
    choice: anstream::ColorChoice,
    call: Call,
}

/// Says that standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub(super) struct OutputError(#[from] io::Error);

impl OutputError {
    /// Says whether the reader went away, which is no error to talk about.
    pub(super) fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl Ui {
    /// Opens the channels.
    pub(super) fn new(colour: Colour) -> Self {
        let choice = match colour {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        };
        Self { choice, call: Call::default() }
    }

    /// Opens the channels of a call, whose flags go into the commands that people are told to type.
    pub(super) fn of(global: &Global) -> Self {
        Self { call: Call::of(global), ..Self::new(global.color) }
    }

    /// Words the commands that a text names for the place of this call.
    pub(super) fn worded(&self, text: &str) -> String {
        self.call.completed(text)
    }

    /// Writes results that name commands to type next.
    pub(super) fn advise(&self, text: &str) -> Result<(), OutputError> {
        self.print(&self.worded(text))
    }

    /// Writes results, a whole text at a time.
    pub(super) fn print(&self, text: &str) -> Result<(), OutputError> {
        let mut out = anstream::AutoStream::new(io::stdout().lock(), self.choice);
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Writes results over those that stand on the screen.
    pub(super) fn repaint(&self, text: &str) -> Result<(), OutputError> {
        // From the top left corner on; what is left of the text before goes.
        io::stdout().lock().write_all(b"\x1b[H\x1b[J")?;
        self.print(text)
    }

    /// Says whether results go to a terminal, where they may be written over.
    pub(super) fn is_screen() -> bool {
        io::stdout().is_terminal()
    }

    /// Writes one line of results.
    pub(super) fn line(&self, text: &str) -> Result<(), OutputError> {
        self.print(&format!("{text}\n"))
    }

    /// Writes a JSON value as one result.
    pub(super) fn json(&self, value: &serde_json::Value) -> Result<(), OutputError> {
        self.print(&format!("{value:#}\n"))
    }

    /// Writes what was rendered as JSON as one result.
    pub(super) fn rendered(&self, json: Result<String, serde_json::Error>) -> Result<(), OutputError> {
        self.line(&json.map_err(io::Error::from)?)
    }

    /// Tells something that is not a result; a closed channel is nobody's fault.
    pub(super) fn tell(&self, text: &str) {
        let mut err = anstream::AutoStream::new(io::stderr().lock(), self.choice);
        let _ = writeln!(err, "{text}");
    }

    /// Tells an error and what caused it.
    pub(super) fn error(&self, message: &str) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        self.tell(&format!("{style}error:{style:#} {}", self.worded(message)));
    }

    /// Tells a warning.
    pub(super) fn warn(&self, message: &str) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
        self.tell(&format!("{style}warning:{style:#} {}", self.worded(message)));
    }

    /// Says whether progress may redraw a line.
    pub(super) fn is_live() -> bool {
        io::stderr().is_terminal()
    }
}

/// Returns the style in which a status is shown.
pub(super) fn status_style(status: Status) -> Style {
    let colour = match status {
        Status::Keep => AnsiColor::Green,
        Status::Discard => AnsiColor::Yellow,
        Status::ChecksFailed => AnsiColor::Magenta,
        Status::Crash => AnsiColor::Red,
    };
    Style::new().fg_color(Some(colour.into()))
}
