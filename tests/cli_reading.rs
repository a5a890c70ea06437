//! The commands that read a session, run as programs in a sealed room: pinned environment, temporary repository.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use assert_cmd::Command;
use autoresearch::domain::{Event, StopRule, Stopped};
use autoresearch::journal::{Journal, SessionLock, sample};
use serde_json::Value;
use tempfile::TempDir;

const CONFIG: &str = r#"{
  "name": "sample",
  "bench": { "command": "./bench.sh" },
  "metrics": { "primary": { "name": "total_ms", "unit": "ms" } }
}"#;

/// A repository with a config, and nothing of the person who runs the tests.
struct Room {
    folder: TempDir,
}

/// What a command said.
struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Room {
    fn new() -> Self {
        let room = Self::without_config();
        fs::write(room.repository().join("autoresearch.config.json"), CONFIG).unwrap();
        fs::write(room.repository().join("bench.sh"), "echo METRIC total_ms=1\n").unwrap();
        room
    }

    fn without_config() -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(room.repository()).unwrap();
        fs::create_dir_all(room.folder.path().join("home")).unwrap();
        let mut git = std::process::Command::new("git");
        git.args(["init", "-q", "-b", "main"]).current_dir(room.repository());
        assert!(room.pin(&mut git).status().unwrap().success());
        room
    }

    /// A room with a session of this many settled experiments, every tenth kept.
    fn with_session(experiments: u32) -> Self {
        let room = Self::new();
        fs::create_dir_all(room.state()).unwrap();
        sample::write(&mut File::create(room.journal()).unwrap(), experiments).unwrap();
        room
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn state(&self) -> PathBuf {
        self.repository().join(".git/autoresearch/sample")
    }

    fn journal(&self) -> PathBuf {
        self.state().join("journal.jsonl")
    }

    fn pin<'c>(&self, command: &'c mut std::process::Command) -> &'c mut std::process::Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path().join("home"))
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C")
            .env("NO_COLOR", "1")
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_autoresearch"));
        self.pin(&mut command).args(arguments).current_dir(self.repository());
        command
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        answer(self.command(arguments))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let answer = self.run(arguments);
        assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{}", answer.out);
        serde_json::from_str(&answer.out).unwrap()
    }
}

fn answer(command: std::process::Command) -> Answer {
    let output = Command::from_std(command).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Answer { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn stop(room: &Room) {
    let stopped = Stopped { rule: StopRule::Plateau, detail: "20 iterations without a keep".to_owned() };
    Journal::open(&room.journal()).unwrap().append_synced(None, &Event::Stopped(stopped)).unwrap();
}

#[test]
fn log_prints_one_line_for_each_experiment() {
    let answer = Room::with_session(10).run(&["log"]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert_eq!(answer.out.lines().count(), 11);
    assert!(
        answer.out.lines().last().unwrap().starts_with("10  keep     improved   -9.8 % [-10.9, -9.1]"),
        "{}",
        answer.out
    );
}

#[test]
fn log_as_json_has_the_change_in_percent() {
    let log = Room::with_session(10).json(&["log", "--json"]);
    assert_eq!(log["experiments"].as_array().unwrap().len(), 10);
    assert_eq!(log["experiments"][9]["status"], "keep");
    assert!((log["experiments"][9]["change"]["value"].as_f64().unwrap() + 9.778).abs() < 1e-3);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let room = Room::with_session(3000);
    let mut command = room.command(&["log"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}

#[test]
fn status_says_whether_the_session_runs_stopped_or_was_cut_off() {
    let room = Room::with_session(3);
    assert_eq!(room.json(&["status", "--json"])["standing"]["state"], "cut_off");
    let lock = SessionLock::acquire(&room.journal()).unwrap();
    let running = room.json(&["status", "--json"])["standing"].clone();
    assert_eq!((&running["state"], &running["pid"]), (&"running".into(), &std::process::id().into()));
    drop(lock);
    stop(&room);
    let text = room.run(&["status"]).out;
    assert!(text.contains("\nstate       stopped: plateau (20 iterations without a keep)\n"), "{text}");
}

#[test]
fn show_prints_one_experiment_and_names_the_last_one_when_there_is_none() {
    let room = Room::with_session(10);
    let shown = room.run(&["show", "10"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(
        shown
            .out
            .starts_with("experiment 10: Batch the writes of level 3 before the merge\nstatus      keep (improved)\n")
    );
    assert!(
        shown.out.contains("\ntotal_ms            100.04 ms  90.041 ms  -10.0 % [-10.0, -10.0]\n"),
        "{}",
        shown.out
    );
    assert_eq!(room.json(&["show", "10", "--json"])["pairs"].as_array().unwrap().len(), 8);
    let none = room.run(&["show", "99"]);
    assert_eq!((none.code, none.out.as_str()), (1, ""));
    assert_eq!(none.err, "error: there is no experiment 99; the last one is 10, and 'autoresearch log' lists them\n");
}

#[test]
fn without_a_session_every_reading_command_names_the_next_step() {
    let room = Room::new();
    for arguments in [&["log"][..], &["status"], &["show", "1"], &["status", "--json"]] {
        let answer = room.run(arguments);
        assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{arguments:?}");
        assert!(
            answer.err.starts_with("error: session 'sample' has not run yet: there is nothing in "),
            "{}",
            answer.err
        );
        assert!(answer.err.ends_with("'autoresearch run' starts it\n"), "{}", answer.err);
    }
}

#[test]
fn without_a_config_or_a_repository_the_message_says_what_to_do() {
    let room = Room::without_config();
    let answer = room.run(&["log"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("'autoresearch init' writes one"), "{}", answer.err);
    let outside = room.folder.path().join("home");
    let answer = room.run(&["-C", outside.to_str().unwrap(), "status"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("run 'git init' there"), "{}", answer.err);
}

#[test]
fn a_command_works_from_below_from_elsewhere_and_with_a_named_config() {
    let room = Room::with_session(1);
    let below = room.repository().join("src/deep");
    fs::create_dir_all(&below).unwrap();
    let home = room.folder.path().join("home");
    let lines = |answer: Answer| (answer.code, answer.out.lines().count());
    let mut command = room.command(&["log"]);
    command.current_dir(&below);
    assert_eq!(lines(answer(command)), (0, 2));
    let mut command = room.command(&["log", "-C", below.to_str().unwrap()]);
    command.current_dir(&home);
    assert_eq!(lines(answer(command)), (0, 2));
    fs::rename(room.repository().join("autoresearch.config.json"), room.repository().join("other.json")).unwrap();
    assert_eq!(lines(room.run(&["log", "--config", "other.json"])), (0, 2));
}

#[test]
fn a_torn_last_line_is_a_warning_and_a_bad_line_an_error_with_its_number() {
    let room = Room::with_session(2);
    let whole = fs::read_to_string(room.journal()).unwrap();
    fs::write(room.journal(), format!("{whole}{{\"type\":\"pair\",\"at\"")).unwrap();
    let answer = room.run(&["log"]);
    assert_eq!((answer.code, answer.out.lines().count()), (0, 3));
    assert!(answer.err.starts_with("warning: the journal's last line was torn: "), "{}", answer.err);
    fs::write(room.journal(), whole.replacen("\"type\":\"screened\"", "\"type\":screened", 1)).unwrap();
    let answer = room.run(&["log"]);
    assert_eq!((answer.code, answer.out.as_str()), (1, ""));
    assert!(answer.err.contains("journal.jsonl, line 5: "), "{}", answer.err);
}

#[test]
fn stop_asks_a_running_session_and_leaves_no_request_for_the_next_one() {
    let room = Room::with_session(1);
    let answer = room.run(&["stop"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, "session 'sample' is not running; there is nothing to stop\n"));
    assert!(!room.state().join("stop").exists());
    let _lock = SessionLock::acquire(&room.journal()).unwrap();
    assert_eq!(room.json(&["stop", "--json"])["requested"], true);
    assert!(room.state().join("stop").exists());
}

#[test]
fn config_prints_every_value_with_its_origin_and_the_sealed_files() {
    let room = Room::new();
    let mut command = room.command(&["config", "--json"]);
    command.env("AUTORESEARCH_MAX_PAIRS", "12");
    let config: Value = serde_json::from_str(&answer(command).out).unwrap();
    let setting = |key: &str| {
        let all = config["settings"].as_array().unwrap();
        let found = all.iter().find(|setting| setting["key"] == key).unwrap();
        (found["value"].clone(), found["origin"].as_str().unwrap().to_owned())
    };
    assert_eq!(setting("decision.maxPairs"), (12.into(), "AUTORESEARCH_MAX_PAIRS".to_owned()));
    assert_eq!(setting("bench.command"), ("./bench.sh".into(), "file".to_owned()));
    assert_eq!(setting("branch"), ("autoresearch/sample".into(), "default".to_owned()));
    assert_eq!(config["sealed"][1]["path"], "bench.sh");
    let text = room.run(&["config"]).out;
    assert!(text.contains("\nmetrics.primary.direction      default  lower\n"), "{text}");
    assert!(text.contains("\nbench.sh                  named by './bench.sh' in the bench command\n"), "{text}");
}

#[test]
fn the_schema_needs_no_repository() {
    let room = Room::without_config();
    let home = room.folder.path().join("home");
    let schema = room.json(&["config", "--schema", "-C", home.to_str().unwrap()]);
    assert_eq!(schema["required"], serde_json::json!(["bench", "metrics"]));
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_one() {
    let room = Room::new();
    let file = room.repository().join("autoresearch.config.json");
    fs::write(&file, CONFIG.replace("\"name\": \"sample\"", "\"nmae\": \"sample\"")).unwrap();
    let answer = room.run(&["status"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("unknown key 'nmae'") && answer.err.contains("'name'"), "{}", answer.err);
}

#[test]
fn clean_prints_sizes_first_and_removes_only_when_told() {
    let room = Room::with_session(3);
    for run in ["0000", "0001", "0002", "0003"] {
        fs::create_dir_all(room.state().join("runs").join(run)).unwrap();
        fs::write(room.state().join("runs").join(run).join("build.log"), vec![b'x'; 5000]).unwrap();
    }
    let cache = PathBuf::from(room.json(&["config", "--json"])["cache"].as_str().unwrap());
    fs::create_dir_all(cache.join("a/target")).unwrap();
    fs::write(cache.join("a/target/program"), vec![b'x'; 100_000]).unwrap();
    fs::create_dir_all(cache.join("home-a")).unwrap();
    let sizes = room.json(&["clean", "--json", "--runs", "1"]);
    assert_eq!((&sizes["removed"], &sizes["old_runs"]["count"]), (&false.into(), &3.into()));
    assert!(sizes["cache"]["slots_bytes"].as_u64().unwrap() >= 100_000, "{sizes}");
    assert!(cache.join("a/target/program").exists());
    let answer = room.run(&["clean", "--yes", "--runs", "1"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(!cache.exists());
    let left: Vec<_> = fs::read_dir(room.state().join("runs")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["0003"]);
    assert!(room.journal().exists());
}

#[test]
fn clean_refuses_while_the_session_runs() {
    let room = Room::with_session(1);
    let _lock = SessionLock::acquire(&room.journal()).unwrap();
    assert_eq!(room.run(&["clean"]).code, 0);
    let answer = room.run(&["clean", "--yes"]);
    assert_eq!((answer.code, answer.out.as_str()), (1, ""));
    assert!(answer.err.contains("'autoresearch stop'"), "{}", answer.err);
}

#[test]
fn init_writes_a_starting_set_once_and_print_writes_nothing() {
    let room = Room::without_config();
    let file = room.repository().join("autoresearch.config.json");
    let printed = room.run(&["init", "--print"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(printed.out.starts_with("==> autoresearch.config.json ("), "{}", printed.out);
    assert!(!file.exists());
    let written = room.run(&["init"]);
    assert_eq!(written.code, 0, "{}", written.err);
    assert!(written.out.contains("\nnext\n  1. "), "{}", written.out);
    let before = fs::read(&file).unwrap();
    let again = room.run(&["init"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("init overwrites nothing: autoresearch.config.json"), "{}", again.err);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(room.run(&["config"]).code, 0, "what init writes can be read");
}

#[test]
fn a_command_line_that_cannot_be_understood_ends_with_2() {
    let room = Room::new();
    for arguments in
        [&["log", "--bogus"][..], &["shwo"], &["show"], &["show", "first"], &["clean", "--runs", "-1"], &[]]
    {
        let answer = room.run(arguments);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains("--help"), "{}", answer.err);
    }
    let help = room.run(&["show", "--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(help.out.contains("autoresearch show 7 --json"), "{}", help.out);
}
