//! The user's programs around each experiment: what they are told, and what they answer.
//!
//! They are the user's own, so they run in the checkout, with the user's environment and outside of any sandbox, but
//! under a supervisor as every command. One that fails is journalled and told; the session goes on.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::domain::{Command, Event, ExperimentId, HookMoment, HookRan, Outcome, RunSummary};
use crate::journal::Reader;
use crate::process::{Confinement, Job, JobLimits};

use super::EngineError;
use super::recorder::Durability;
use super::runner::with_ending;
use super::session::Session;

/// Wall time after which a hook's process tree is ended.
const LIMIT: Duration = Duration::from_secs(30);

/// Time between TERM and KILL for a hook that ran into its limit.
const GRACE: Duration = Duration::from_secs(2);

/// Bytes kept of what a hook prints to standard output.
const KEPT: usize = 8 << 10;

/// Bytes of output beyond which a hook is ended.
const MOST: u64 = 16 << 20;

/// What a session remembers for its hooks, and of them.
#[derive(Debug, Clone, Default)]
pub(super) struct HookMemory {
    /// The last settling line, as the journal has it.
    last_run: Value,
    before: String,
    after: String,
}

/// One call of a hook.
struct Call<'c> {
    moment: HookMoment,
    experiment: ExperimentId,
    command: &'c Command,
    input: Value,
    env: Vec<(&'static str, String)>,
}

impl Session<'_, '_> {
    /// Returns what the last call of a hook printed, cut at 8 KiB; empty before the first. A resumed
    /// session goes on with that of the process before. It is meant for whoever proposes next.
    pub fn hook_output(&self, moment: HookMoment) -> &str {
        match moment {
            HookMoment::Before => &self.hooks.before,
            HookMoment::After => &self.hooks.after,
        }
    }

    /// Takes over what the journal tells of earlier processes, where there are hooks.
    pub(super) fn recall_hooks(&mut self) -> Result<(), EngineError> {
        let hooks = &self.settings.hooks;
        if hooks.before.is_none() && hooks.after.is_none() {
            return Ok(());
        }
        for record in Reader::open(&self.places.journal())?.records() {
            let record = record?;
            if !["run", "hook"].contains(&record.kind()) {
                continue;
            }
            match record.event()? {
                Some(Event::Run(run)) => self.hooks.last_run = entry(&run),
                Some(Event::HookRan(ran)) => self.hooks.heard(&ran),
                _ => {}
            }
        }
        Ok(())
    }

    /// Calls the hook before the next experiment.
    pub(super) fn hook_before(&mut self) -> Result<(), EngineError> {
        let Some(command) = self.settings.hooks.before.as_ref() else { return Ok(()) };
        let next = self.next_experiment();
        let input = json!({ "next_run": next.0, "last_run": self.hooks.last_run });
        let env = vec![("RUN", next.to_string())];
        self.call(Call { moment: HookMoment::Before, experiment: next, command, input, env })
    }

    /// Calls the hook after an experiment that this process settled.
    pub(super) fn hook_after(&mut self, run: &RunSummary) -> Result<(), EngineError> {
        self.hooks.last_run = entry(run);
        let Some(command) = self.settings.hooks.after.as_ref() else { return Ok(()) };
        let direction = self.settings.objective(run.effect_of).direction;
        let change = run.effect.map(|effect| effect.change(direction).to_string());
        let env = vec![
            ("RUN", run.run.to_string()),
            ("STATUS", run.status.to_string()),
            ("REASON", run.reason.to_string()),
            ("COMMIT", run.commit.to_string()),
            ("CHANGE", change.unwrap_or_default()),
            ("DESCRIPTION", run.description.clone()),
        ];
        let input = json!({ "run_entry": self.hooks.last_run });
        let experiment = ExperimentId(run.run);
        self.call(Call { moment: HookMoment::After, experiment, command, input, env })
    }

    /// Runs a hook to its end and journals the call; only an interruption ends more than the hook.
    fn call(&mut self, mut call: Call<'_>) -> Result<(), EngineError> {
        let clock = Instant::now();
        // Without the slash that an empty folder leaves at the end.
        let folder: PathBuf = self.user.root().join(&self.settings.folder).components().collect();
        call.input["event"] = json!(call.moment);
        call.input["cwd"] = json!(folder.to_string_lossy());
        call.input["session"] = self.told_of_session();
        let stem = self.places.hooks().join(name(call.moment));
        let failure = self.run_hook(&call, folder, &stem).err();
        let output = head(&with_ending(&stem, "out"), KEPT);
        let ran = HookRan { moment: call.moment, seconds: clock.elapsed().as_secs_f64(), failure, output };
        self.hooks.heard(&ran);
        self.recorder.about(call.experiment, &Event::HookRan(Box::new(ran)), Durability::Written)?;
        if self.interrupts.abort_requested() { Err(EngineError::Interrupted) } else { Ok(()) }
    }

    /// Runs a hook; fails with one line that says how it failed.
    fn run_hook(&self, call: &Call<'_>, folder: PathBuf, stem: &Path) -> Result<(), String> {
        let Call { moment, command, .. } = call;
        let failed = |why: String| format!("{} '{command}' {why}", name(*moment));
        let input = with_ending(stem, "json");
        let (stdout, stderr) = (with_ending(stem, "out"), with_ending(stem, "err"));
        write_input(&input, &stdout, &call.input).map_err(|why| failed(format!("cannot be told anything: {why}")))?;
        let own = [("EVENT", name(*moment).to_owned()), ("SESSION", self.settings.name.clone())];
        let own = own.iter().chain(&call.env);
        let named = own.map(|(key, value)| (format!("AUTORESEARCH_{key}").into(), variable(value)));
        let runner = self.bench.runner();
        let job = Job {
            command: (*command).clone(),
            dir: folder,
            env: runner.inherited().iter().cloned().chain(named).collect(),
            stdin: Some(input),
            stdout,
            stderr: stderr.clone(),
            time_limit: LIMIT,
            grace: GRACE,
            limits: JobLimits { output_bytes: MOST, ..JobLimits::default() },
            cores: None,
            confinement: Confinement::default(),
        };
        let exit = runner.run_outside(&job).map_err(|error| failed(format!("could not be run: {error}")))?;
        how_it_failed(exit.outcome, &stderr).map_or(Ok(()), |why| Err(failed(why)))
    }

    /// Returns what every call is told of the session, in the keys that existing hooks read.
    fn told_of_session(&self) -> Value {
        let primary = &self.settings.primary;
        let state = self.recorder.state();
        let settled = state.experiments().iter().filter(|record| record.id != ExperimentId::BASELINE).count();
        json!({
            "metric_name": primary.name,
            "metric_unit": primary.unit,
            "direction": primary.direction,
            "baseline_metric": state.experiment(ExperimentId::BASELINE).and_then(|baseline| baseline.metric),
            "best_metric": self.best(),
            "run_count": settled,
            "goal": format!("{}, {} is better", primary.name, primary.direction),
        })
    }
}

impl HookMemory {
    /// Takes in a call.
    fn heard(&mut self, ran: &HookRan) {
        match ran.moment {
            HookMoment::Before => self.before.clone_from(&ran.output),
            HookMoment::After => self.after.clone_from(&ran.output),
        }
    }
}

/// Returns the word for a moment, which is the `event` of the input too.
fn name(moment: HookMoment) -> &'static str {
    match moment {
        HookMoment::Before => "before",
        HookMoment::After => "after",
    }
}

/// Returns a settling line as existing readers know it.
fn entry(run: &RunSummary) -> Value {
    let mut entry = json!(run);
    entry["type"] = json!("run");
    entry
}

/// Returns the value of a variable, which cannot hold the byte that ends it.
fn variable(text: &str) -> OsString {
    text.replace('\0', "").into()
}

/// Writes what a hook reads, and takes away what the last one printed.
fn write_input(input: &Path, stdout: &Path, told: &Value) -> std::io::Result<()> {
    if let Some(folder) = input.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(stdout, "")?;
    fs::write(input, format!("{told}\n"))
}

/// Returns the first bytes of a file as text; nothing where there is none.
fn head(path: &Path, bytes: usize) -> String {
    let mut kept = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes as u64 + 1).read_to_end(&mut kept));
    if read.is_err() {
        return String::new();
    }
    let cut = kept.len() > bytes;
    kept.truncate(bytes);
    if cut {
        // A character that was cut in two is no character.
        let whole = String::from_utf8_lossy(&kept).trim_end_matches('\u{fffd}').len();
        kept.truncate(whole.min(bytes));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Says how a hook failed; `None` where it did not.
fn how_it_failed(outcome: Outcome, stderr: &Path) -> Option<String> {
    match outcome {
        Outcome::Code(0) => None,
        Outcome::TimedOut => Some(format!("did not end within {} s", LIMIT.as_secs())),
        Outcome::LimitBroken(_) => Some(format!("broke its {outcome}")),
        Outcome::Aborted => Some("was ended with the session".to_owned()),
        Outcome::Code(_) | Outcome::Signal(_) => Some(match super::logs::last_line(stderr) {
            Some(line) => format!("ended with {outcome}: {line}"),
            None => format!("ended with {outcome}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: &[u8], most: usize) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, bytes).unwrap();
        head(&path, most)
    }

    #[test]
    fn the_first_bytes_of_the_output_are_kept_as_text() {
        assert_eq!(kept(b"all of it\n", 10), "all of it\n");
        assert_eq!(kept("four äöü".as_bytes(), 8), "four ä", "no half of a character");
        assert_eq!(kept(b"a\xffb", 10), "a\u{fffd}b");
        assert_eq!(kept(b"", 10), "");
        assert_eq!(head(Path::new("/nowhere/out"), 10), "");
        assert_eq!(kept(&vec![b'x'; 3 * KEPT], KEPT).len(), KEPT);
    }

    #[test]
    fn each_end_but_success_is_a_failure_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let stderr = folder.path().join("err");
        fs::write(&stderr, "first\nno such channel\n").unwrap();
        let said = |outcome| how_it_failed(outcome, &stderr);
        assert_eq!(said(Outcome::Code(0)), None);
        assert_eq!(said(Outcome::Code(3)).unwrap(), "ended with exit code 3: no such channel");
        assert_eq!(said(Outcome::TimedOut).unwrap(), "did not end within 30 s");
        assert_eq!(how_it_failed(Outcome::Signal(9), Path::new("/nowhere")).unwrap(), "ended with signal 9");
    }

    #[test]
    fn the_entry_of_a_run_is_known_by_its_type() {
        let run: RunSummary = serde_json::from_value(json!({
            "run": 7, "commit": "0".repeat(40), "metric": 1.5, "metrics": {}, "status": "keep", "description": "d",
            "timestamp": 1, "segment": 0, "confidence": null, "asi": {"next_focus": "io"}, "reason": "improved",
            "flags": [], "effect": null, "patch_id": null, "iteration": true, "measured": true
        }))
        .unwrap();
        let entry = entry(&run);
        assert_eq!(
            (&entry["type"], &entry["run"], &entry["asi"]["next_focus"]),
            (&json!("run"), &json!(7), &json!("io"))
        );
    }
}
