//! A session that is looked at while it runs, and a machine that is kept awake for it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};

use serde_json::{Value, json};
use support::{Answer, TestEnvironment, wait_for};

/// A project of a crash, and of a win whose bench waits in its second pair until it is let go.
fn project() -> TestEnvironment {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| {
        config["bench"]["timeoutSeconds"] = json!(100);
        config["stop"] = json!({ "maxHours": 9, "maxIterations": 5 });
    });
    env.patch("1-crash.patch", "src/work", "7\n");
    env.patch("2-win.patch", "src/work", "900\n");
    env.hook(&format!(
        "read -r work < src/work\n[ $work -ne 7 ] || exit 1\n\
         if [ $work = 900 ] && grep -q '\"experiment\":2,\"pair\":1,' {journal}; then\n\
         until [ -e {go} ]; do sleep 0.01; done; fi\necho \"METRIC work=$work\"",
        journal = env.state("counting").join("journal.jsonl").display(),
        go = env.beside("go").display()
    ));
    env
}

/// A session that is killed with the test.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Running {
    fn answer(mut self) -> Answer {
        Answer::from(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

fn pairs_of_the_win(env: &TestEnvironment) -> usize {
    let text = String::from_utf8_lossy(&env.journal_bytes("counting")).into_owned();
    text.matches("\"experiment\":2,\"pair\":").count()
}

#[test]
fn a_running_session_shows_its_candidate_its_time_its_troubles_and_leaves_no_trace_of_the_look() {
    let env = project();
    let session = Running(Some(env.spawn(["run"])));
    wait_for("a pair of the win", || pairs_of_the_win(&env) == 1);
    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["standing"]["state"], "running");
    assert_eq!((&status["under_way"]["description"], &status["under_way"]["pairs"]), (&json!("win"), &json!(1)));
    assert_eq!(status["under_way"]["phase"], "measure");
    let left: Vec<&Value> = status["time_left"].as_array().unwrap().iter().map(|left| &left["rule"]).collect();
    assert_eq!(left, ["max_iterations", "max_hours"]);
    assert_eq!(status["time_left"][0]["iterations"], 4);
    assert!(status["time_left"][1]["seconds"].as_f64().unwrap() > 8.5 * 3600.0);
    let error = status["last_error"]["what"].as_str().unwrap();
    assert!(error.starts_with("crash (bench_failed): "), "{error}");
    let text = env.run(["status"]).expect(0).stdout;
    for part in ["now         #2 win\n", "left        about ", "last error  #1 crash (bench_failed): "] {
        assert!(text.contains(part), "{text}");
    }
    // The first half of a line that is being written.
    let journal = env.state("counting").join("journal.jsonl");
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, [whole.as_slice(), b"{\"type\":\"pair\",\"at\":\"20"].concat()).unwrap();
    let torn = env.run(["status", "--json"]).expect(0);
    assert_eq!((torn.json()["under_way"]["pairs"].as_u64(), torn.stderr.as_str()), (Some(1), ""));
    fs::write(&journal, whole).unwrap();
    fs::write(env.beside("go"), "").unwrap();
    session.answer().expect(0);
}

#[test]
fn a_watch_tells_each_change_until_the_session_ends() {
    let env = project();
    let session = Running(Some(env.spawn(["run"])));
    wait_for("a pair of the win", || pairs_of_the_win(&env) == 1);
    let mut watch = env.spawn(["status", "--json", "--watch", "0.1"]);
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["under_way"]["pairs"], 1);
    let blocks = Running(Some(env.spawn(["status", "--watch", "0.1"])));
    let mut other = Running(Some(env.spawn(["status", "--watch"])));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(
        Command::new("kill").args(["-INT", &other.0.as_ref().unwrap().id().to_string()]).status().unwrap().success()
    );
    let interrupted = Answer::from(other.0.take().unwrap().wait_with_output().unwrap()).expect(0);
    assert_eq!(interrupted.stdout.matches("\nnow         #2 win\n").count(), 1, "one block while nothing happens");
    fs::write(env.beside("go"), "").unwrap();
    let last = std::iter::repeat_with(next).find(|view| view["standing"]["state"] != "running").unwrap();
    assert_eq!(last["standing"]["rule"], "candidates_exhausted");
    assert_eq!(last["counts"]["kept"], 1);
    assert!(watch.wait().unwrap().success());
    let text = blocks.answer().expect(0).stdout;
    let blocks: Vec<&str> = text.split("session     counting").skip(1).collect();
    assert!(blocks.len() >= 2 && !text.contains('\u{1b}'), "{text}");
    assert!(blocks[blocks.len() - 1].contains("stopped: candidates_exhausted"), "{text}");
    session.answer().expect(0);
    env.run(["status", "--watch", "0"]).expect(2);
}

/// Puts a stand-in for the program that keeps a machine awake on a search path; it notes its start and its end.
fn keeper(env: &TestEnvironment, script: &str) -> OsString {
    let tools = env.beside("tools");
    fs::create_dir_all(&tools).unwrap();
    let program = tools.join("systemd-inhibit");
    fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&rest))).unwrap()
}

/// Notes arguments, start and end beside the repository, and holds as the real one does.
fn honest(env: &TestEnvironment) -> OsString {
    let (held, ended) = (env.beside("held"), env.beside("ended"));
    let (held, ended) = (held.display(), ended.display());
    keeper(env, &format!("echo \"$@\" > {held}\nfor last; do :; done\n$last\n: > {ended}\n"))
}

#[test]
#[cfg(target_os = "linux")]
fn the_machine_is_kept_awake_until_the_session_ends() {
    let env = project();
    let path = honest(&env);
    let mut command = env.command(["run"]);
    command.env("PATH", path).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let session = Running(Some(command.spawn().unwrap()));
    wait_for("a pair of the win", || pairs_of_the_win(&env) == 1);
    let held = fs::read_to_string(env.beside("held")).unwrap();
    assert!(held.starts_with("--what=idle:sleep --mode=block --who=autoresearch --why="), "{held}");
    assert!(held.contains("'counting'") && held.ends_with(" cat\n"), "{held}");
    assert!(!env.beside("ended").exists());
    fs::write(env.beside("go"), "").unwrap();
    let answer = session.answer().expect(0);
    assert!(!answer.stderr.contains("not kept from falling asleep"), "{}", answer.stderr);
    assert!(env.beside("ended").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_session_lets_the_machine_sleep_though_its_bench_still_runs() {
    let env = project();
    let path = honest(&env);
    let mut session = env.command(["run"]).env("PATH", path).spawn().unwrap();
    wait_for("a pair of the win", || pairs_of_the_win(&env) == 1);
    // A bench that runs has inherited nothing of the hold.
    session.kill().unwrap();
    session.wait().unwrap();
    wait_for("the end of the hold", || env.beside("ended").exists());
    env.wait_for_quiet();
}

#[test]
#[cfg(target_os = "linux")]
fn a_system_that_refuses_is_told_once_and_changes_nothing() {
    let env = project();
    fs::write(env.beside("go"), "").unwrap();
    let path = keeper(&env, "echo 'Failed to inhibit: Access denied' >&2\nexit 1\n");
    let answer = Answer::from(env.command(["run"]).env("PATH", path).output().unwrap()).expect(0);
    let told = "not kept from falling asleep (systemd-inhibit: Failed to inhibit: Access denied)";
    assert_eq!(answer.stderr.matches(told).count(), 1, "{}", answer.stderr);
    assert_eq!(env.settled("counting", "win")["status"], "keep");
}
