//! The messages between the program and its supervisor: one order in, one report line out.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::SetupStep;
use super::job::Job;
use crate::domain::{CoreList, Exit, Network};

/// The hidden first argument that makes this program a supervisor.
pub(super) const SUPERVISE: &str = "__supervise";

/// The first line a supervisor writes, once a Ctrl-C of the terminal no longer reaches it.
pub(super) const READY: &str = "ready\n";

/// What a supervisor is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    Run(Box<RunOrder>),
    /// Find out what of the confinement works here, with an empty scratch folder to try it on.
    Probe(OsString),
}

/// A job in a form that any path and environment survives.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunOrder {
    pub(super) argv: Vec<String>,
    pub(super) dir: OsString,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) stdin: Option<OsString>,
    pub(super) stdout: OsString,
    pub(super) stderr: OsString,
    pub(super) time_limit: Duration,
    pub(super) grace: Duration,
    pub(super) output_bytes: u64,
    pub(super) memory_bytes: Option<u64>,
    pub(super) processes: Option<u64>,
    pub(super) file_bytes: Option<u64>,
    pub(super) disk_free_bytes: Option<u64>,
    pub(super) cores: Option<CoreList>,
    pub(super) walls: Option<Walls>,
}

/// A confinement and the means that work on this machine.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Walls {
    pub(super) writable: Vec<OsString>,
    pub(super) hidden: Vec<OsString>,
    /// Pairs of a folder and the one that stands in its place.
    pub(super) replaced: Vec<(OsString, OsString)>,
    pub(super) read_only: Vec<OsString>,
    pub(super) network: Network,
    pub(super) abilities: Abilities,
}

/// What of a confinement works on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Abilities {
    /// Whether namespaces need a user namespace of their own around them.
    pub(super) user_namespace: bool,
    pub(super) mount_namespace: Ability,
    pub(super) network_namespace: Ability,
    pub(super) landlock: Ability,
    pub(super) seccomp: Ability,
    /// Whether signals and abstract sockets end at the job's own processes.
    pub(super) signal_scope: Ability,
}

#[cfg(target_os = "linux")]
impl Walls {
    /// Says whether mounts have anything to do.
    pub(super) fn need_mounts(&self) -> bool {
        !(self.hidden.is_empty() && self.read_only.is_empty() && self.replaced.is_empty())
    }
}

/// Whether one mechanism was tried and worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ability {
    Works,
    /// The error number that the attempt ended with.
    Missing(i32),
}

#[cfg(target_os = "linux")]
impl Ability {
    pub(super) fn works(self) -> bool {
        self == Self::Works
    }

    pub(super) fn of(result: &io::Result<()>) -> Self {
        match result {
            Ok(()) => Self::Works,
            Err(error) => Self::Missing(error.raw_os_error().unwrap_or(libc::ENOSYS)),
        }
    }
}

/// The line a supervisor ends with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    Ended(Exit),
    Failed(SetupFailure),
    Survivors(Vec<i32>),
    Probed(Abilities),
}

/// A failure before the command started.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SetupFailure {
    pub(super) step: SetupStep,
    pub(super) path: OsString,
    pub(super) errno: i32,
}

impl SetupFailure {
    pub(super) fn new(step: SetupStep, path: impl AsRef<Path>, error: &io::Error) -> Self {
        Self { step, path: path.as_ref().into(), errno: error.raw_os_error().unwrap_or(libc::EIO) }
    }
}

impl RunOrder {
    /// Translates a job; relative paths are taken from this process's folder.
    pub(super) fn new(job: &Job, abilities: Option<Abilities>) -> io::Result<Self> {
        let confinement = &job.confinement;
        let walls = match abilities {
            Some(abilities) => Some(Walls {
                writable: absolute_all(&confinement.writable)?,
                hidden: absolute_all(&confinement.hidden)?,
                replaced: absolute_pairs(&confinement.replaced)?,
                read_only: absolute_all(&confinement.read_only)?,
                network: confinement.network,
                abilities,
            }),
            None => None,
        };
        Ok(Self {
            argv: job.command.argv(),
            dir: absolute(&job.dir)?,
            env: job.env.clone(),
            stdin: job.stdin.as_deref().map(absolute).transpose()?,
            stdout: absolute(&job.stdout)?,
            stderr: absolute(&job.stderr)?,
            time_limit: job.time_limit,
            grace: job.grace,
            output_bytes: job.limits.output_bytes,
            memory_bytes: job.limits.memory_bytes,
            processes: job.limits.processes,
            file_bytes: job.limits.file_bytes,
            disk_free_bytes: job.limits.disk_free_bytes,
            cores: job.cores.clone(),
            walls,
        })
    }

    /// Returns a variable of the job's environment.
    pub(super) fn variable(&self, name: &str) -> Option<&OsString> {
        self.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

fn absolute(path: &Path) -> io::Result<OsString> {
    Ok(std::path::absolute(path)?.into_os_string())
}

fn absolute_all(paths: &[PathBuf]) -> io::Result<Vec<OsString>> {
    paths.iter().map(|path| absolute(path)).collect()
}

fn absolute_pairs(pairs: &[(PathBuf, PathBuf)]) -> io::Result<Vec<(OsString, OsString)>> {
    pairs.iter().map(|(place, by)| Ok((absolute(place)?, absolute(by)?))).collect()
}

/// Encodes an order: its length as eight little-endian bytes, then JSON.
pub(super) fn encode(order: &Order) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(order)?;
    let mut message = (body.len() as u64).to_le_bytes().to_vec();
    message.extend_from_slice(&body);
    Ok(message)
}

/// Reads one encoded order.
pub(super) fn decode(input: &mut impl Read) -> io::Result<Order> {
    let mut length = [0_u8; 8];
    input.read_exact(&mut length)?;
    let mut body = Vec::new();
    input.take(u64::from_le_bytes(length)).read_to_end(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn an_order_survives_the_pipe_with_names_that_are_not_text() {
        let odd = OsString::from_vec(b"/tmp/\xff\n".to_vec());
        let message = encode(&Order::Probe(odd.clone())).unwrap();
        match decode(&mut message.as_slice()).unwrap() {
            Order::Probe(path) => assert_eq!(path, odd),
            Order::Run(order) => panic!("{order:?}"),
        }
    }

    #[test]
    fn a_torn_order_is_an_error() {
        let message = encode(&Order::Probe("/tmp".into())).unwrap();
        assert!(decode(&mut &message[..message.len() - 1]).is_err());
    }
}
