//! Trusted helper programs (git, df, uname): short runs whose output is taken into memory.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

/// Says why a helper program gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot run '{program}' in {}: {source}", dir.display())]
pub struct ToolError {
    program: String,
    dir: PathBuf,
    source: io::Error,
}

/// A trusted helper program about to run. Never used for code of a candidate.
#[derive(Debug, Clone)]
pub struct Tool {
    program: OsString,
    args: Vec<OsString>,
    dir: PathBuf,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
}

/// What a helper program answered.
#[derive(Debug, Clone)]
pub struct ToolOutput {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Everything written to standard output.
    pub stdout: Vec<u8>,
    /// Everything written to standard error, as text.
    pub stderr: String,
}

impl Tool {
    /// Names a program to run in a folder.
    pub fn new(program: impl Into<OsString>, dir: &Path) -> Self {
        Self { program: program.into(), args: Vec::new(), dir: dir.to_owned(), env: Vec::new(), stdin: Vec::new() }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets what the program reads from standard input; nothing otherwise.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs the program to its end; any exit code is an answer.
    pub fn run(self) -> Result<ToolOutput, ToolError> {
        let mut expression = duct::cmd(&self.program, &self.args)
            .dir(&self.dir)
            .stdin_bytes(self.stdin)
            .stdout_capture()
            .stderr_capture()
            // A Ctrl-C goes to the whole group of a terminal: it asks this program to stop, and must not break its tools.
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            })
            .unchecked();
        for (name, value) in &self.env {
            expression = expression.env(name, value);
        }
        let output = expression.run().map_err(|source| ToolError {
            program: self.program.to_string_lossy().into_owned(),
            dir: self.dir,
            source,
        })?;
        Ok(ToolOutput {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_answers_with_code_and_both_streams() {
        let out = Tool::new("sh", Path::new("/")).args(["-c", "cat; echo bad >&2; exit 3"]).stdin("in").run().unwrap();
        assert_eq!((out.code, out.stdout.as_slice(), out.stderr.as_str()), (3, b"in".as_slice(), "bad\n"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_tool_leads_a_process_group_of_its_own() {
        let script = "read -r stat < /proc/$$/stat; set -- $stat; [ \"$5\" = $$ ]";
        assert_eq!(Tool::new("sh", Path::new("/")).args(["-c", script]).run().unwrap().code, 0);
    }

    #[test]
    fn a_missing_tool_is_named() {
        let error = Tool::new("no-such-tool", Path::new("/")).run().unwrap_err();
        assert!(error.to_string().starts_with("cannot run 'no-such-tool' in /"), "{error}");
    }
}
