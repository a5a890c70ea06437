//! What a run used: CPU time, allocations, peak memory (frozen).

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

static ALLOCS: AtomicU64 = AtomicU64::new(0);
static ALLOC_BYTES: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, with counters.
pub struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        System.dealloc(pointer, layout);
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        System.realloc(pointer, layout, size)
    }
}

fn count(bytes: usize) {
    ALLOCS.fetch_add(1, Relaxed);
    ALLOC_BYTES.fetch_add(bytes as u64, Relaxed);
}

/// What one piece of work used.
#[derive(Clone, Copy, Default)]
pub struct Use {
    /// CPU milliseconds of all threads.
    pub cpu_ms: f64,
    /// Milliseconds on the clock.
    pub wall_ms: f64,
    /// Allocations and reallocations.
    pub allocs: u64,
    /// Bytes asked for by them.
    pub alloc_bytes: u64,
}

/// Does some work and returns what it used beside its result.
pub fn measure<T>(work: impl FnOnce() -> T) -> (Use, T) {
    let (allocs, bytes) = (ALLOCS.load(Relaxed), ALLOC_BYTES.load(Relaxed));
    let (wall, cpu) = (Instant::now(), cpu_ms());
    let result = work();
    let used = Use {
        cpu_ms: cpu_ms() - cpu,
        wall_ms: wall.elapsed().as_secs_f64() * 1e3,
        allocs: ALLOCS.load(Relaxed) - allocs,
        alloc_bytes: ALLOC_BYTES.load(Relaxed) - bytes,
    };
    (used, result)
}

#[cfg(unix)]
mod system {
    const CLOCK_PROCESS: i32 = if cfg!(target_os = "macos") { 12 } else { 2 };
    const MAX_RSS_WORD: usize = 4;

    extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
        fn getrusage(who: i32, usage: *mut [i64; 32]) -> i32;
    }

    pub fn cpu_ms() -> f64 {
        let mut time = [0; 2];
        // SAFETY: the array has the size and alignment of a 64-bit timespec.
        let code = unsafe { clock_gettime(CLOCK_PROCESS, &mut time) };
        assert_eq!(code, 0, "no clock of the process");
        time[0] as f64 * 1e3 + time[1] as f64 / 1e6
    }

    pub fn max_rss() -> i64 {
        let mut usage = [0; 32];
        // SAFETY: the array is larger than a 64-bit rusage.
        let code = unsafe { getrusage(0, &mut usage) };
        assert_eq!(code, 0, "no usage of the process");
        usage[MAX_RSS_WORD]
    }
}

/// Returns the CPU milliseconds of all threads since the start.
pub fn cpu_ms() -> f64 {
    system::cpu_ms()
}

/// Returns the largest resident size since the start, in KiB.
pub fn peak_rss_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|text| text.trim().split(' ').next()?.parse().ok());
    let bytes_per_unit = if cfg!(target_os = "macos") { 1024 } else { 1 };
    number.unwrap_or_else(|| system::max_rss() / bytes_per_unit)
}
