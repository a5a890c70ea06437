//! The machine: the host lock, how busy and how healthy it is, and what it is.
//!
//! Everything that a system may not tell is an `Option`: `None` means unknown, never zero. What is read from /proc
//! and /sys exists on Linux only.

mod cores;
mod disk;
mod fingerprint;
mod heat;
mod load;
mod lock;
mod power;
mod quiet;
mod watch;

pub use cores::{refuse_pin, usable_cores};
pub use disk::free_bytes;
pub use fingerprint::fingerprint;
pub use heat::{celsius, frequency_mhz};
pub use load::{CpuTimes, LoadAverage, Pressure, cpu_pressure, cpu_times, load_average};
pub use lock::{HostError, HostLock};
pub use power::{PowerState, power, throttle_events};
pub use quiet::{Bustle, Calm, Wait, wait_until_quiet};
pub use watch::{PairWatch, Snapshot};
