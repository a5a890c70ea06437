//! The machine: the host lock, how busy and how healthy it is, and what it is.
//!
//! Everything that a system may not tell is an `Option`: `None` means unknown, never zero. What is read from /proc
//! and /sys exists on Linux only.

mod disk;
mod fingerprint;
mod load;
mod lock;
mod power;

pub use disk::free_bytes;
pub use fingerprint::fingerprint;
pub use load::{CpuTimes, LoadAverage, Pressure, cpu_pressure, cpu_times, load_average};
pub use lock::{HostError, HostLock};
pub use power::{PowerState, power, throttle_events};
