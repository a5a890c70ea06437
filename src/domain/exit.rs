//! How a command ended and what it used.

use serde::{Deserialize, Serialize};

/// The resource limit that ended a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// `limits.outputBytes` of stdout and stderr together.
    Output,
    /// `limits.memoryBytes`.
    Memory,
    /// `limits.processes`.
    Processes,
    /// `limits.fileBytes` of one file.
    File,
    /// `limits.diskFreeBytes` left on the disk.
    Disk,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It exited by itself with this code.
    Code(i32),
    /// This signal ended it, and nobody here sent it.
    Signal(i32),
    /// Its time limit passed and its process tree was ended.
    TimedOut,
    /// It broke a resource limit and its process tree was ended.
    LimitBroken(LimitKind),
    /// The session was told to stop at once and its process tree was ended.
    Aborted,
}

/// What a command's whole process tree used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Wall time from start to the exit of the command itself, in seconds.
    pub wall_s: f64,
    /// User CPU time of the tree, in seconds.
    pub user_s: f64,
    /// System CPU time of the tree, in seconds.
    pub sys_s: f64,
    /// Peak resident set of the largest single process, in bytes.
    pub max_rss_bytes: u64,
}

impl Usage {
    /// Returns user and system time together, in seconds.
    pub fn cpu_s(&self) -> f64 {
        self.user_s + self.sys_s
    }
}

/// The end of one command.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
}

impl Exit {
    /// Says whether the command exited with code 0.
    pub fn is_success(&self) -> bool {
        self.outcome == Outcome::Code(0)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("time limit"),
            Self::LimitBroken(LimitKind::Output) => f.write_str("output limit"),
            Self::LimitBroken(LimitKind::Memory) => f.write_str("memory limit"),
            Self::LimitBroken(LimitKind::Processes) => f.write_str("process limit"),
            Self::LimitBroken(LimitKind::File) => f.write_str("file size limit"),
            Self::LimitBroken(LimitKind::Disk) => f.write_str("disk limit"),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}
