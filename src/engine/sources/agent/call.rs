//! One call of an agent: its files, its process, and what it left.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use crate::domain::{Agent, Command, Exit, ObjectId, Outcome};
use crate::engine::EngineError;
use crate::engine::logs;
use crate::engine::places::Places;
use crate::engine::screen::write_whole;
use crate::engine::session::Session;
use crate::process::{self, Confinement, Interrupts, Job, JobLimits, ProcessError};
use crate::propose::agent::{self, CallPaths, Made, Output, Preset, PromptParts, Reading, Side};

use super::told::Told;

/// Time between TERM and KILL for an agent.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of standard error that are read.
const STDERR_MAX: usize = 64 << 10;
/// The file that an agent may leave beside its change.
const ASI: &str = "asi.json";
/// The largest of it that is read, in bytes; a larger one is told to be too large.
const ASI_MAX: u64 = 1 << 20;
/// What the environment of an agent lacks: what would lead its git to another repository, and this program's own settings.
const KEPT_BACK: [&str; 3] = ["GIT_", "AUTORESEARCH_", "CARGO_MAKEFLAGS"];

/// Where the files of an agent lie.
#[derive(Debug)]
pub(super) struct Files {
    /// `<cache>/agent/<name>`: its worktree, and prompt and context beside it.
    folder: PathBuf,
    /// `<state>/agent`: a folder for each call.
    logs: PathBuf,
    /// `<state>/agent/<name>.json`.
    memory: PathBuf,
}

/// What is kept of an agent from one call to the next.
#[derive(Debug, Serialize, Deserialize)]
struct Memory {
    conversation: String,
}

impl Files {
    pub(super) fn new(places: &Places, name: &str) -> Self {
        let plain: String =
            name.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
        let logs = places.state().join("agent");
        let memory = logs.join(format!("{plain}.json"));
        Self { folder: places.cache().join("agent").join(plain), logs, memory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join("call").join(name)
    }

    /// Returns the conversation that the next call goes on with.
    fn conversation(&self) -> Option<String> {
        let memory: Memory = serde_json::from_slice(&fs::read(&self.memory).ok()?).ok()?;
        Some(memory.conversation)
    }

    pub(super) fn keep_conversation(&self, conversation: &str) -> Result<(), EngineError> {
        let memory = serde_json::json!(Memory { conversation: conversation.to_owned() });
        write_whole(&self.memory, format!("{memory}\n").as_bytes())
    }

    pub(super) fn forget_conversation(&self) -> Result<(), EngineError> {
        remove_if_any(&self.memory)
    }

    /// Keeps a change that was handed back where the next call can read it.
    pub(super) fn keep_rejected(&self, patch: &[u8]) -> Result<(), EngineError> {
        let kept = self.file("rejected.patch");
        if patch.is_empty() { remove_if_any(&kept) } else { write_whole(&kept, patch) }
    }

    /// Makes the folder of the next call.
    fn next_log(&self) -> Result<(u32, PathBuf), EngineError> {
        fs::create_dir_all(&self.logs).map_err(|source| EngineError::io("create folder", &self.logs, source))?;
        let listed = fs::read_dir(&self.logs).map_err(|source| EngineError::io("list", &self.logs, source))?;
        let numbers = listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let number = numbers.max().unwrap_or(0) + 1;
        let folder = self.logs.join(format!("{number:04}"));
        fs::create_dir(&folder).map_err(|source| EngineError::io("create folder", &folder, source))?;
        Ok((number, folder))
    }
}

/// What a call is made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) agent: &'a Agent,
    pub(super) preset: Option<&'static Preset>,
    /// The config's folder in the checkout.
    pub(super) folder: &'a Path,
}

/// A call under way; dropping it ends its whole process tree.
#[derive(Debug)]
pub(super) struct Pending {
    stop: Interrupts,
    thread: Option<JoinHandle<Result<Exit, ProcessError>>>,
    began: Instant,
    call: Begun,
}

/// What was so when a call began.
#[derive(Debug, Clone)]
struct Begun {
    number: u32,
    log: PathBuf,
    tip: ObjectId,
    private: ObjectId,
    continued: bool,
}

/// A call that ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// How its process ended, or why that is not known.
    pub(super) result: Result<Exit, ProcessError>,
    /// Whether a stop ended it.
    pub(super) stopped: bool,
    /// Wall time in seconds.
    pub(super) seconds: f64,
    /// Its number.
    pub(super) number: u32,
    /// Whether it went on with a conversation.
    pub(super) continued: bool,
    log: PathBuf,
    tip: ObjectId,
    private: ObjectId,
}

/// Puts the worktree at the tip, writes prompt and context, and starts the program.
pub(super) fn start(
    session: &Session<'_, '_>,
    parts: &Parts<'_>,
    files: &Files,
    told: &Told,
    handed_back: Option<&str>,
) -> Result<Pending, EngineError> {
    let scratch = session.bench.private().scratch(&files.folder, litter(parts.preset));
    let private = session.bench.private_tip().clone();
    scratch.reset(&private)?;
    if !scratch.is_tracked(&private, ASI)? {
        remove_if_any(&scratch.root().join(ASI))?;
    }
    remove_if_any(&files.file(ASI))?;
    let (prompt, context) = (files.file("prompt.md"), files.file("context.json"));
    let paths = CallPaths { prompt: &prompt, context: &context, worktree: scratch.root() };
    let rejected = Some(files.file("rejected.patch")).filter(|path| path.is_file());
    let text = agent::prompt(&PromptParts {
        goal: &told.goal,
        context: &context,
        worktree: scratch.root(),
        allow: &told.context.scope.allow,
        protect: &told.context.scope.protect,
        sealed: &told.context.scope.sealed,
        handed_back: handed_back.map(|why| (why, rejected.as_deref())),
        hooks: &told.hooks,
    });
    let text = told.without_secrets(text);
    let (number, log) = files.next_log()?;
    for (path, name, content) in [(&prompt, "prompt.md", &text), (&context, "context.json", &told.json())] {
        write_whole(path, content.as_bytes())?;
        write_whole(&log.join(name), content.as_bytes())?;
    }
    let conversation = files.conversation();
    let command = command(parts, paths, &text, conversation.as_deref());
    let env = environment(session.bench.runner().inherited(), paths, &files.file(ASI), conversation.as_deref());
    let job = job(session, parts.agent, (command, env), (scratch.root(), &log));
    let (supervisor, stop) = (session.bench.runner().supervisor().clone(), Interrupts::default());
    let heard = stop.clone();
    let thread = std::thread::spawn(move || process::run(&supervisor, &job, &heard));
    let (tip, continued) = (session.bench.tip().clone(), conversation.is_some());
    let call = Begun { number, log, tip, private, continued };
    Ok(Pending { stop, thread: Some(thread), began: Instant::now(), call })
}

fn litter(preset: Option<&'static Preset>) -> &'static [&'static str] {
    preset.map(|preset| preset.litter).unwrap_or_default()
}

fn command(parts: &Parts<'_>, paths: CallPaths<'_>, prompt: &str, conversation: Option<&str>) -> Command {
    match (&parts.agent.command, parts.preset) {
        (Some(command), _) => agent::own_command(command, paths, parts.folder),
        (None, Some(preset)) => agent::preset_command(preset, paths, prompt, conversation),
        // The config takes no agent without both.
        (None, None) => Command::Argv(Vec::new()),
    }
}

/// Returns the user's environment, with the paths of the call.
fn environment(
    inherited: &[(OsString, OsString)],
    paths: CallPaths<'_>,
    asi: &Path,
    conversation: Option<&str>,
) -> Vec<(OsString, OsString)> {
    let passes = |name: &OsStr| {
        let name = name.to_string_lossy();
        !KEPT_BACK.iter().any(|prefix| name.starts_with(prefix))
            || name == "GIT_CONFIG_GLOBAL"
            || name == "GIT_CONFIG_NOSYSTEM"
    };
    let mut env: Vec<_> = inherited.iter().filter(|(name, _)| passes(name)).cloned().collect();
    let own = [
        ("AUTORESEARCH_PROMPT", paths.prompt),
        ("AUTORESEARCH_CONTEXT", paths.context),
        ("AUTORESEARCH_WORKTREE", paths.worktree),
        ("AUTORESEARCH_ASI", asi),
    ];
    env.extend(own.map(|(name, path)| (name.into(), path.into())));
    env.extend(conversation.map(|id| ("AUTORESEARCH_CONVERSATION".into(), id.into())));
    env
}

fn job(
    session: &Session<'_, '_>,
    agent: &Agent,
    (command, env): (Command, Vec<(OsString, OsString)>),
    (dir, log): (&Path, &Path),
) -> Job {
    let limits = &session.settings.limits;
    Job {
        command,
        dir: dir.to_owned(),
        env,
        stdin: None,
        stdout: log.join("stdout"),
        stderr: log.join("stderr"),
        time_limit: Duration::try_from_secs_f64(agent.timeout_s).unwrap_or(Duration::MAX),
        grace: GRACE,
        limits: JobLimits {
            output_bytes: limits.output_bytes,
            disk_free_bytes: Some(limits.disk_free_bytes),
            ..JobLimits::default()
        },
        cores: None,
        confinement: Confinement::default(),
    }
}

impl Pending {
    /// Says whether it has ended.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Asks it to end.
    pub(super) fn stop(&mut self) {
        self.stop.request_abort();
    }

    /// Waits for its end.
    pub(super) fn join(mut self) -> Ended {
        let joined = self.thread.take().map(JoinHandle::join);
        let seconds = self.began.elapsed().as_secs_f64();
        let result = match joined {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("a call is waited for once"),
        };
        let aborted = matches!(&result, Ok(Exit { outcome: Outcome::Aborted, .. }));
        let Begun { number, log, tip, private, continued } = self.call.clone();
        Ended { stopped: aborted && self.stop.abort_requested(), result, seconds, number, continued, log, tip, private }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.stop.request_abort();
        if let Some(thread) = self.thread.take() {
            // What it came to is of no use to anybody any more.
            drop(thread.join());
        }
    }
}

impl Ended {
    /// Reads what it printed.
    pub(super) fn read(&self, preset: Option<&Preset>, outcome: Outcome, now: &Zoned) -> Result<Reading, EngineError> {
        let path = self.log.join("stdout");
        let failed = |source| EngineError::io("read", &path, source);
        let mut stdout = match File::open(&path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BufReader::new(empty().map_err(failed)?),
            Err(source) => return Err(failed(source)),
        };
        let stderr = logs::tail(&self.log.join("stderr"), STDERR_MAX).unwrap_or_default();
        agent::read_output(preset, &mut Output { outcome, stdout: &mut stdout, stderr: &stderr, now }).map_err(failed)
    }
}

/// Opens a file with nothing in it.
fn empty() -> std::io::Result<File> {
    File::open("/dev/null")
}

/// Makes a proposal of what an agent left in its worktree and said.
pub(super) fn collect(
    session: &Session<'_, '_>,
    name: &str,
    preset: Option<&'static Preset>,
    files: &Files,
    ended: &Ended,
    text: &str,
) -> Result<Made, EngineError> {
    let scratch = session.bench.private().scratch(&files.folder, litter(preset));
    let own = !scratch.is_tracked(&ended.private, ASI)?;
    let left = scratch.root().join(ASI);
    let mut said = [Some(files.file(ASI)), Some(left).filter(|_| own)].into_iter().flatten();
    let mut side = Side::default();
    if let Some(path) = said.find(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file())) {
        let bytes = read_some(&path)?;
        side = Side::read(&bytes);
        write_whole(&ended.log.join(ASI), &bytes)?;
    }
    let patch = scratch.patch(&ended.private, if own { &[ASI] } else { &[] })?;
    write_whole(&ended.log.join("change.patch"), &patch)?;
    for log in ["stdout", "stderr"] {
        process::trim_log(&ended.log.join(log), session.settings.limits.log_bytes)?;
    }
    Ok(agent::compose(name, patch, text, side, &ended.tip))
}

fn read_some(path: &Path) -> Result<Vec<u8>, EngineError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(ASI_MAX).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|source| EngineError::io("read", path, source))
}

fn remove_if_any(path: &Path) -> Result<(), EngineError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|source| EngineError::io("remove", path, source))
}
