//! Keeps the machine awake, by a program of the system that lets go when this one ends, however it ends.

use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Output;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// How long the system may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the holding program may take to end once it is let go.
const FAREWELL: Duration = Duration::from_secs(1);

/// Says why the machine cannot be kept awake.
#[derive(Debug, thiserror::Error)]
#[error("{program}: {source}")]
pub struct AwakeError {
    program: &'static str,
    source: io::Error,
}

/// A hold on the machine that keeps it from falling asleep by itself, until this is dropped or the program ends.
///
/// On Linux it is `systemd-inhibit` around a `cat` that reads a pipe which only this program holds open; on macOS it is
/// `caffeinate`, which watches this program's id. Neither is reached by a Ctrl-C of the terminal.
#[derive(Debug)]
pub struct Awake {
    handle: duct::Handle,
    /// What the held `cat` waits for; closed by the death of this program too.
    pipe: Option<PipeWriter>,
}

impl Awake {
    /// Takes hold and tells the system why. Fails where the program is missing or the system refuses.
    pub fn hold(why: &str) -> Result<Self, AwakeError> {
        let (program, arguments) = holder(why);
        Self::hold_by(program, &arguments).map_err(|source| AwakeError { program, source })
    }

    fn hold_by(program: &str, arguments: &[String]) -> io::Result<Self> {
        let (held, mut pipe) = io::pipe()?;
        let (answer, answering) = io::pipe()?;
        let handle = duct::cmd(program, arguments)
            .dir(Path::new("/"))
            .stdin_file(held)
            .stdout_file(answering)
            .stderr_capture()
            .unchecked()
            // A Ctrl-C asks this program to finish its step, and the machine has to stay awake for that.
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            })
            .start()?;
        if !cfg!(target_os = "macos") {
            // It comes back once the hold is there.
            let _ = pipe.write_all(b"held\n");
            if !answers(answer) {
                refused(&handle)?;
            }
        }
        Ok(Self { handle, pipe: Some(pipe) })
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        drop(self.pipe.take());
        if !cfg!(target_os = "macos") && ended(&self.handle, FAREWELL).is_some() {
            return;
        }
        for pid in self.handle.pids().into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            // It leads a group of its own; what cannot be ended lets go when this program has ended.
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        ended(&self.handle, FAREWELL);
    }
}

/// Returns the program of this system that keeps it awake.
fn holder(why: &str) -> (&'static str, Vec<String>) {
    let pid = std::process::id().to_string();
    if cfg!(target_os = "macos") {
        return ("caffeinate", vec!["-i".to_owned(), "-w".to_owned(), pid]);
    }
    let arguments =
        ["--what=idle:sleep", "--mode=block", "--who=autoresearch", &format!("--why={why}"), "cat"].map(str::to_owned);
    ("systemd-inhibit", arguments.to_vec())
}

/// Waits for the first line, in a thread that ends with it or with the pipe.
fn answers(answer: PipeReader) -> bool {
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(answer).read_line(&mut line);
        // Nobody listens any more where it took too long.
        let _ = told.send(read.is_ok_and(|bytes| bytes > 0));
    });
    heard.recv_timeout(PATIENCE).unwrap_or(false)
}

/// Waits for the end of the program, at most so long. Signals interrupt a wait, which is no end.
fn ended(handle: &duct::Handle, patience: Duration) -> Option<Output> {
    let until = Instant::now() + patience;
    loop {
        match handle.wait_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(output) => return output.cloned(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted && Instant::now() < until => {}
            Err(_) => return None,
        }
    }
}

/// Says why the program ended; one that is only slow may still get its hold.
fn refused(handle: &duct::Handle) -> io::Result<()> {
    let Some(output) = ended(handle, Duration::from_millis(100)) else { return Ok(()) };
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().rev().find(|line| !line.trim().is_empty()).map(str::trim);
    Err(io::Error::other(line.map_or_else(|| output.status.to_string(), str::to_owned)))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn by_shell(script: &str) -> io::Result<Awake> {
        Awake::hold_by("sh", &["-c".to_owned(), script.to_owned()])
    }

    #[test]
    fn a_hold_lasts_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let ended = folder.path().join("ended");
        let hold = by_shell(&format!("cat; : > {}", ended.display())).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert!(!ended.exists());
        drop(hold);
        assert!(ended.exists(), "it was waited for");
    }

    #[test]
    fn a_program_that_does_not_let_go_is_ended() {
        let hold = by_shell("cat; exec sleep 100").unwrap();
        let pid = hold.handle.pids()[0];
        drop(hold);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn a_refusal_and_a_missing_program_are_told_in_one_line() {
        let told = |held: io::Result<Awake>| held.unwrap_err().to_string();
        assert_eq!(told(by_shell("echo one >&2; echo 'Access denied' >&2; exit 1")), "Access denied");
        assert_eq!(told(by_shell("exit 3")), "exit status: 3");
        assert!(told(Awake::hold_by("no-such-program", &[])).contains("No such file"));
    }
}
