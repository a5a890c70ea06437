//! Starts the command of a job, or says like a shell why it cannot be started.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::Access;
use rustix::process::Pid;

use super::confine;
use super::error::SetupStep;
use super::pin::Pinned;
use super::wire::{RunOrder, SetupFailure};

/// Exit code of a command that does not exist (POSIX shell, 2.8.2).
const NOT_FOUND: i32 = 127;
/// Exit code of a command that exists and cannot be executed (POSIX shell, 2.8.2).
const NOT_EXECUTABLE: i32 = 126;
/// Where programs are looked up without a `PATH`, as `getconf PATH` says.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// What a job reads, and its two log files.
#[derive(Debug)]
pub(super) struct Logs {
    stdin: Option<File>,
    stdout: File,
    stderr: File,
}

/// What became of the attempt to start.
#[derive(Debug)]
pub(super) enum Launched {
    /// The command runs in a process group of its own.
    Running(Pid),
    /// It cannot run; its stderr file says why.
    Refused(i32),
}

impl Logs {
    /// Opens the files, the logs emptied. They are appended to, so that a command that opens `/dev/stdout` again does not
    /// overwrite what stands there.
    pub(super) fn open(order: &RunOrder) -> Result<Self, SetupFailure> {
        let open = |path: &OsString| {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|file| file.set_len(0).map(|()| file))
                .map_err(|error| SetupFailure::new(SetupStep::OpenLog, path, &error))
        };
        let read =
            |path: &OsString| File::open(path).map_err(|error| SetupFailure::new(SetupStep::OpenInput, path, &error));
        let stdin = order.stdin.as_ref().map(read).transpose()?;
        Ok(Self { stdin, stdout: open(&order.stdout)?, stderr: open(&order.stderr)? })
    }

    /// Returns the bytes in both files.
    pub(super) fn bytes(&self) -> u64 {
        [&self.stdout, &self.stderr].into_iter().filter_map(|file| file.metadata().ok()).map(|m| m.len()).sum()
    }

    fn handles(&self) -> io::Result<[Stdio; 3]> {
        let stdin = self.stdin.as_ref().map(File::try_clone).transpose()?;
        Ok([
            stdin.map_or_else(Stdio::null, Stdio::from),
            self.stdout.try_clone()?.into(),
            self.stderr.try_clone()?.into(),
        ])
    }
}

/// Stack of the thread that starts the command, in bytes.
const STACK: usize = 512 << 10;

/// Starts the command in a thread that locks itself in first and then ends: the supervisor itself stays free.
pub(super) fn launch_locked(order: &RunOrder, logs: &Logs) -> Result<Launched, SetupFailure> {
    let Some(walls) = &order.walls else { return launch(order, logs) };
    let failed = |error: &io::Error| SetupFailure::new(SetupStep::Spawn, "thread", error);
    std::thread::scope(|scope| {
        let start = || confine::lock(order, walls, [&logs.stdout, &logs.stderr]).and_then(|()| launch(order, logs));
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, start);
        let joined = thread.map_err(|error| failed(&error))?.join();
        joined.unwrap_or_else(|_| Err(failed(&io::ErrorKind::Other.into())))
    })
}

/// Starts the command.
fn launch(order: &RunOrder, logs: &Logs) -> Result<Launched, SetupFailure> {
    let Some((name, args)) = order.argv.split_first() else {
        return Ok(refuse(logs, NOT_FOUND, "the command is empty"));
    };
    let dir = Path::new(&order.dir);
    if !dir.is_dir() {
        return Ok(refuse(logs, NOT_FOUND, &format!("cannot run '{name}': no folder {}", dir.display())));
    }
    let program = match resolve(name, dir, order.variable("PATH").map(OsString::as_os_str)) {
        Ok(program) => program,
        Err(code) => {
            let why = if code == NOT_FOUND { "not found" } else { "not executable" };
            return Ok(refuse(logs, code, &format!("cannot run '{name}': {why}")));
        }
    };
    let [stdin, stdout, stderr] = logs.handles().map_err(|error| SetupFailure::new(SetupStep::Spawn, name, &error))?;
    let mut command = Command::new(&program);
    command.arg0(name).args(args).current_dir(dir).env_clear();
    command.envs(order.env.iter().map(|(key, value)| (key, value)));
    command.stdin(stdin).stdout(stdout).stderr(stderr).process_group(0);
    let pinned = Pinned::to(order.cores.as_ref())?;
    let spawned = command.spawn();
    drop(pinned);
    match spawned {
        Ok(child) => Ok(Launched::Running(Pid::from_child(&child))),
        Err(error) => spawn_error(logs, name, &error),
    }
}

/// Tells the command's own failures (missing interpreter, wrong format) from those of this machine.
fn spawn_error(logs: &Logs, name: &str, error: &io::Error) -> Result<Launched, SetupFailure> {
    let code = match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) => NOT_FOUND,
        Some(libc::EACCES | libc::ENOEXEC | libc::E2BIG | libc::EISDIR | libc::ELOOP) => NOT_EXECUTABLE,
        _ => return Err(SetupFailure::new(SetupStep::Spawn, name, error)),
    };
    Ok(refuse(logs, code, &format!("cannot run '{name}': {error}; does the interpreter in its first line exist?")))
}

fn refuse(logs: &Logs, code: i32, message: &str) -> Launched {
    // The code says it too, so a full disk here loses only the words.
    let _unwritten = (&logs.stderr).write_all(format!("autoresearch: {message}\n").as_bytes());
    Launched::Refused(code)
}

/// Finds a program as `execvp` would in the job's folder and environment, or returns the exit code that says why not.
fn resolve(name: &str, dir: &Path, path: Option<&OsStr>) -> Result<PathBuf, i32> {
    if name.contains('/') {
        return judge(dir.join(name));
    }
    let mut verdict = NOT_FOUND;
    for folder in std::env::split_paths(path.unwrap_or(OsStr::new(DEFAULT_PATH))) {
        match judge(dir.join(folder).join(name)) {
            Ok(program) => return Ok(program),
            Err(code) => verdict = verdict.min(code),
        }
    }
    Err(verdict)
}

fn judge(program: PathBuf) -> Result<PathBuf, i32> {
    if !program.is_file() {
        return Err(if program.is_dir() { NOT_EXECUTABLE } else { NOT_FOUND });
    }
    if rustix::fs::access(&program, Access::EXEC_OK).is_ok() { Ok(program) } else { Err(NOT_EXECUTABLE) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn programs_are_found_as_a_shell_finds_them() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("bin/tool");
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        let path = Some(OsStr::new("/nowhere:bin"));
        assert_eq!(resolve("tool", dir.path(), path), Err(NOT_EXECUTABLE));
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(resolve("tool", dir.path(), path), Ok(program.clone()));
        assert_eq!(resolve("./bin/tool", dir.path(), path), Ok(dir.path().join("./bin/tool")));
        assert_eq!(resolve("tool", dir.path(), None), Err(NOT_FOUND));
        assert_eq!(resolve("./bin", dir.path(), path), Err(NOT_EXECUTABLE));
    }
}
