//! What a bug in this program does: one message that asks for a report, and an exit code of its own.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use super::error::BUG;
use super::ui::Ui;

/// Runs a command; a panic in it is told as a bug and becomes exit code 70.
///
/// The stack is unwound, so that locks, slots and running jobs are given back as after an error.
pub(super) fn guarded(ui: &Ui, command: impl FnOnce() -> u8) -> u8 {
    panic::catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        ui.tell(
            "Please report it with the lines above and the command that you ran. The journal is complete up to here: \
             run the same command again to go on.",
        );
        BUG
    })
}

/// Tells every panic, of any thread, as a bug; the standard text comes with it where a backtrace is asked for.
pub(super) fn tell_panics(ui: Ui) {
    let standard = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            standard(info);
        }
        ui.error(&text(info));
    }));
}

fn text(info: &PanicHookInfo<'_>) -> String {
    let what = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    format!("this is a bug in autoresearch {}: {what}{place}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::super::args::Colour;
    use super::*;

    #[test]
    fn a_panic_is_exit_code_70_and_an_answer_stays_what_it_is() {
        let ui = Ui::new(Colour::Never);
        assert_eq!(guarded(&ui, || 4), 4);
        assert_eq!(guarded(&ui, || panic!("planted")), 70);
    }
}
