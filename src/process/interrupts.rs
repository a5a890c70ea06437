//! Requests to stop, from signals or from code.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::error::ProcessError;
use super::sys;

/// Times that SIGINT came.
static INTERRUPTED: AtomicU32 = AtomicU32::new(0);
/// Whether SIGTERM or SIGHUP came.
static TERMINATED: AtomicBool = AtomicBool::new(false);

/// The shared state of stop requests; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Interrupts(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    stop: AtomicBool,
    abort: AtomicBool,
    hears_signals: AtomicBool,
}

impl Interrupts {
    /// Asks to finish the current step and then stop.
    pub fn request_stop(&self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }

    /// Asks to stop now: running jobs are ended.
    pub fn request_abort(&self) {
        self.0.abort.store(true, Ordering::SeqCst);
    }

    /// Says whether anything asked to stop, at once or after the current step.
    pub fn stop_requested(&self) -> bool {
        self.abort_requested() || self.0.stop.load(Ordering::SeqCst) || self.interruptions() >= 1
    }

    /// Says whether anything asked to stop now.
    pub fn abort_requested(&self) -> bool {
        self.0.abort.load(Ordering::SeqCst)
            || self.interruptions() >= 2
            || (self.hears_signals() && TERMINATED.load(Ordering::SeqCst))
    }

    /// Lets signals of this process speak: SIGINT once asks to stop, twice to abort; SIGTERM and SIGHUP ask to abort.
    pub fn install_signal_handlers(&self) -> Result<(), ProcessError> {
        self.0.hears_signals.store(true, Ordering::SeqCst);
        for (signal, handler) in [
            (libc::SIGINT, on_interrupt as extern "C" fn(c_int)),
            (libc::SIGTERM, on_terminate),
            (libc::SIGHUP, on_terminate),
        ] {
            sys::on_signal(signal, handler).map_err(|source| ProcessError::Handler { signal, source })?;
        }
        Ok(())
    }

    fn hears_signals(&self) -> bool {
        self.0.hears_signals.load(Ordering::SeqCst)
    }

    fn interruptions(&self) -> u32 {
        if self.hears_signals() { INTERRUPTED.load(Ordering::SeqCst) } else { 0 }
    }
}

extern "C" fn on_interrupt(_: c_int) {
    INTERRUPTED.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn on_terminate(_: c_int) {
    TERMINATED.store(true, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abort_is_a_stop_too_and_clones_share_it() {
        let one = Interrupts::default();
        let other = one.clone();
        assert!(!other.stop_requested());
        one.request_stop();
        assert!(other.stop_requested() && !other.abort_requested());
        one.request_abort();
        assert!(other.abort_requested());
        assert!(!Interrupts::default().stop_requested(), "another session's requests are its own");
    }
}
