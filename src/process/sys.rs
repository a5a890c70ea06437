//! The calls of the operating system that no crate in use wraps safely; the only unsafe code of this program.
#![expect(
    unsafe_code,
    reason = "signal handlers, flags of inherited files, the resource usage of children and unshare have no safe wrapper"
)]

use std::ffi::c_int;
use std::io;

use crate::domain::Usage;

/// Installs a handler; it must do nothing but store to atomics. Interrupted calls are restarted.
pub(super) fn on_signal(signal: c_int, handler: extern "C" fn(c_int)) -> io::Result<()> {
    // SAFETY: `sigaction` is plain data for which all zeros is valid, both pointers are valid or null, and the
    // handlers of this module's callers only touch atomics, which is async-signal-safe.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Returns what all reaped children and their reaped descendants used; `wall_s` is 0.
pub(super) fn children_usage() -> Usage {
    // SAFETY: `rusage` is plain data for which all zeros is valid; the call writes it and cannot fail for this `who`.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Usage {
        wall_s: 0.0,
        user_s: seconds(usage.ru_utime),
        sys_s: seconds(usage.ru_stime),
        max_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit,
    }
}

fn seconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + f64::from(i32::try_from(time.tv_usec).unwrap_or(0)) / 1e6
}

/// Lets every open file but the three standard streams be closed when a program is started.
pub(super) fn close_files_on_start() -> io::Result<()> {
    let open: Vec<c_int> = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|file| *file > 2)
        .collect();
    for file in open {
        // SAFETY: setting this flag changes nothing but what a later exec does; a number that is no open file any more
        // (the folder just read) is refused by the system.
        let result = unsafe { libc::fcntl(file, libc::F_SETFD, libc::FD_CLOEXEC) };
        if result != 0 && io::Error::last_os_error().raw_os_error() != Some(libc::EBADF) {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Moves this process, which has one thread, into new namespaces.
#[cfg(target_os = "linux")]
pub(super) fn unshare(flags: rustix::thread::UnshareFlags) -> io::Result<()> {
    debug_assert!(!flags.contains(rustix::thread::UnshareFlags::FILES));
    // SAFETY: the only hazard is a file table that threads stop sharing; the flag for it is never passed.
    Ok(unsafe { rustix::thread::unshare_unsafe(flags) }?)
}
