//! A night of two hundred candidates from several sources that is stopped, killed and gone on with again and again: it ends
//! with the facts of a straight one.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use support::facts::assert_same_facts;
use support::{TestEnvironment, wait_for};

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// Candidates of the whole night.
const CANDIDATES: usize = 200;

/// How the night ends by itself: every candidate was tried, and the agent cannot be had any more.
const AT_THE_END: i32 = 8;

/// What the agent answers of them.
const AGENT: usize = 15;

/// Candidates after which the night is disturbed again; odd, so that each way to end it meets each source.
const STRIDE: usize = 7;

/// A source of the night: its entry in the config, and how many candidates come from it.
struct Source {
    entry: Value,
    candidates: usize,
}

/// Makes the sources, which take turns. What a further one needs of the project it makes here.
fn sources(env: &TestEnvironment) -> Vec<Source> {
    let (mails, diffs, commits) = (0..60, 60..120, 120..160);
    let values: Vec<i64> = (0..25).map(|n| if n % 2 == 0 { 70 + n } else { 48 - n }).collect();
    let all = vec![
        Source { entry: json!({ "patches": "mails" }), candidates: mails.len() },
        Source { entry: json!({ "commits": "main..perf" }), candidates: commits.len() },
        Source {
            entry: json!({ "sweep": { "name": "knob", "file": "src/knob", "pattern": "^(\\d+)", "values": values } }),
            candidates: values.len(),
        },
        Source { entry: json!({ "patches": "diffs" }), candidates: diffs.len() },
        Source { entry: json!({ "agent": { "command": agent(env), "maxWaitSeconds": 0 } }), candidates: AGENT },
    ];
    branch(env, commits);
    for n in mails {
        put(env, &format!("mails/{n:03}.patch"), &mail(n, &diff(n)));
    }
    for n in diffs {
        put(env, &format!("diffs/{n:03}-change-{}.patch", kind(n)), &diff(n));
    }
    all
}

/// Commits changes on the branch `perf`; what is no patch is an empty commit.
fn branch(env: &TestEnvironment, numbers: std::ops::Range<usize>) {
    let files = numbers.map(|n| {
        let path = env.beside(&format!("commit-{n:03}"));
        let whole = mail(n, &diff(n));
        let told = if kind(n) == "is-no-patch" { whole.split_once("---\n").unwrap().0 } else { &whole };
        fs::write(&path, told).unwrap();
        path.display().to_string()
    });
    env.git(["checkout", "-q", "-b", "perf"]);
    env.git(["am", "-q", "--empty=keep"].map(str::to_owned).into_iter().chain(files));
    env.git(["checkout", "-q", "main"]);
}

/// Writes an agent that answers with a file of its own each time, by what the journal has of it, and then cannot be had.
fn agent(env: &TestEnvironment) -> String {
    let (path, journal) = (env.beside("agent"), env.state("counting").join("journal.jsonl"));
    let texts = "set -- -20000 0 40000 77 crash -100";
    let script = format!(
        "#!/bin/sh\nset -eu\nn=$(grep -c '\"source\":{{\"agent\"' {} || true)\n[ \"$n\" -lt {AGENT} ] || exit 75\n{texts}\n\
         shift $((n % 6))\necho \"$1\" > \"src/p$((200 + n))\"\nprintf '{{\"description\": \"answer %s\"}}' \"$n\" > asi.json\n",
        journal.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// What becomes of a candidate, by its number.
fn kind(n: usize) -> &'static str {
    [
        "wins",
        "does-nothing",
        "is-worse",
        "is-no-patch",
        "is-out-of-scope",
        "fails-a-check",
        "crashes",
        "wins-too-little",
    ][n % 8]
}

/// Makes a change that has a file of its own, so that it applies on every tip; the bench adds up all of them.
fn diff(n: usize) -> String {
    let add = |path: &str, text: &str| {
        format!(
            "diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{text}\n"
        )
    };
    let own = |text: &str| add(&format!("src/p{n:03}"), text);
    match kind(n) {
        "wins" => own("-20000"),
        "does-nothing" => own("0"),
        "is-worse" => own("40000"),
        "is-no-patch" => format!("{n} is no patch\n"),
        "is-out-of-scope" => add(&format!("README-{n}"), "hello"),
        "fails-a-check" => own("77"),
        "crashes" => own("crash"),
        _ => own("-100"),
    }
}

fn mail(n: usize, diff: &str) -> String {
    format!(
        "From {n:040} Mon Sep 17 00:00:00 2001\nFrom: Ann Other <ann@example.org>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\
         Subject: [PATCH] change {n} {}\n\nBecause of {n}.\n\nAsi-mechanism: \"number {n}\"\n---\n\n{diff}-- \n2.47.3\n",
        kind(n)
    )
}

/// Writes a file of a queue with the time of one that nobody writes to any more.
fn put(env: &TestEnvironment, path: &str, text: &str) {
    env.write(path, text);
    let file = fs::File::options().append(true).open(env.repo().join(path)).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_mins(1)).unwrap();
}

/// A project whose bench is an exact counter that costs next to nothing.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nread -r knob < src/knob\nwork=$((1000000 + 1000 * knob))\nfor file in src/p*; do\n  [ -e \"$file\" ] || continue\n  read -r n < \"$file\"\n\
         \x20 [ \"$n\" != crash ] || exit 3\n  work=$((work + n))\ndone\necho \"METRIC work=$work\"\n",
    );
    env.script("checks/10-small", "#!/bin/sh\n! grep -qsx 77 src/p*\n");
    env.write("src/knob", "50\n");
    env.commit("a bench that adds up");
    let sources = sources(&env);
    assert_eq!(sources.iter().map(|source| source.candidates).sum::<usize>(), CANDIDATES);
    let entries: Vec<Value> = sources.into_iter().map(|source| source.entry).collect();
    env.configure(|config| {
        config["candidates"] = json!(entries);
        config["candidatesOrder"] = json!("turns");
        config["stop"] = json!({ "file": "stop-here" });
        config["scope"] = json!({ "allow": ["src/**"] });
    });
    env
}

/// Returns what became of every candidate, in order, and what the branch holds; no time, no id, no segment.
fn facts(env: &TestEnvironment) -> Value {
    let trees = env.git(["log", "--format=%H %T %s", BRANCH]);
    let commits: Vec<(&str, &str)> = trees.lines().map(|line| line.split_once(' ').unwrap()).collect();
    let tree: BTreeMap<&str, &str> = commits.iter().map(|(commit, rest)| (*commit, &rest[..40])).collect();
    let proposed: BTreeMap<u64, Value> = env
        .events("counting", "proposed")
        .into_iter()
        .map(|line| (line["experiment"].as_u64().unwrap(), line))
        .collect();
    let told = |run: &Value| {
        let by = &proposed[&run["run"].as_u64().unwrap()];
        // A commit's id has the time in it.
        let source = if by["source"]["commit"].is_null() { by["source"].clone() } else { json!("a commit") };
        let mut fact = json!({
            "source": source, "given_by": by["given_by"], "hypothesis": by["hypothesis"],
            "tip": tree[by["tip"].as_str().unwrap()], "commit": tree[run["commit"].as_str().unwrap()],
        });
        for key in
            ["run", "description", "status", "reason", "flags", "metric", "effect", "patch_id", "iteration", "measured"]
        {
            fact[key] = run[key].clone();
        }
        fact
    };
    let runs: Vec<Value> = env.events("counting", "run").iter().filter(|run| run["run"] != 0).map(told).collect();
    let branch: Vec<&str> = commits.iter().map(|(_, told)| *told).collect();
    json!({ "runs": runs, "branch": branch })
}

/// A way in which a night is disturbed.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    Kill,
    AskedToStop,
    Interrupt,
    Terminate,
    StopFile,
}

const DISTURBANCES: [Disturbance; 6] = [
    Disturbance::Kill,
    Disturbance::AskedToStop,
    Disturbance::Terminate,
    Disturbance::Kill,
    Disturbance::Interrupt,
    Disturbance::StopFile,
];

/// The program as the leader of a process group of its own; one that a failing test leaves behind is killed with all of it.
struct Night(Child);

impl Drop for Night {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal("-KILL");
            let _ = self.0.wait();
        }
    }
}

impl Night {
    fn start(env: &TestEnvironment) -> Self {
        let mut command = env.command(["run"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Self(command.spawn().unwrap())
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Sends a signal to every process of the group.
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.0.id());
        assert!(Command::new("kill").args([name, "--", &group]).status().unwrap().success());
    }

    /// Ends the night in one way, after which it ends as it should.
    fn disturb(mut self, env: &TestEnvironment, how: Disturbance) {
        let file = env.repo().join("stop-here");
        let expected = match how {
            Disturbance::Kill => {
                self.signal("-KILL");
                &[][..]
            }
            Disturbance::AskedToStop => {
                env.run(["stop"]).expect(0);
                &[0]
            }
            Disturbance::Interrupt => {
                self.signal("-INT");
                &[0]
            }
            Disturbance::Terminate => {
                self.signal("-TERM");
                // Between two candidates nothing is broken off.
                &[130, 0]
            }
            Disturbance::StopFile => {
                fs::write(&file, "").unwrap();
                &[0]
            }
        };
        let status = self.0.wait().unwrap();
        let _ = fs::remove_file(&file);
        let as_it_should = status.code().map_or(expected.is_empty(), |code| expected.contains(&code));
        assert!(as_it_should, "{how:?}: {status:?}");
    }
}

/// Counts the candidates that were begun.
fn begun(env: &TestEnvironment) -> usize {
    fs::read_dir(env.state("counting").join("runs")).map_or(0, Iterator::count)
}

/// Runs a night with a disturbance after every few candidates; returns how often it was disturbed.
fn disturbed(env: &TestEnvironment) -> usize {
    let mut count = 0;
    loop {
        let how = DISTURBANCES[count % DISTURBANCES.len()];
        let wanted = (count + 1) * STRIDE;
        let mut night = Night::start(env);
        let mut ended = None;
        wait_for("more candidates, or the end", || {
            ended = night.ended();
            ended.is_some() || begun(env) > wanted
        });
        if let Some(status) = ended {
            assert_eq!(status.code(), Some(AT_THE_END), "nobody ended this one");
            return count;
        }
        // Another step of an experiment each time.
        std::thread::sleep(Duration::from_millis((count as u64 * 37) % 110));
        night.disturb(env, how);
        count += 1;
    }
}

#[test]
fn a_night_of_two_hundred_candidates_with_stops_kills_and_resumes_comes_to_the_facts_of_a_straight_one() {
    let (straight, torn) = std::thread::scope(|scope| {
        let straight = scope.spawn(|| {
            let env = project();
            env.run(["run"]).expect(AT_THE_END);
            env
        });
        let env = project();
        let before = env.belongings();
        let count = disturbed(&env);
        assert_eq!(env.belongings(), before);
        assert!(count >= CANDIDATES / STRIDE - 2, "disturbed {count} times");
        (straight.join().unwrap(), env)
    });
    let (expected, found) = (facts(&straight), facts(&torn));
    let runs = expected["runs"].as_array().unwrap();
    assert_eq!(runs.len(), CANDIDATES);
    for (reason, count) in [
        // Twenty of each kind, and three or two of the agent; the sweep's points come on top.
        ("improved", 20 + 3 + 2),
        // A mail or commit without a diff changes nothing, and any other text is no patch.
        ("empty", 13),
        ("apply_failed", 7),
        ("out_of_scope", 20),
        ("check_failed", 20 + 2),
        ("bench_failed", 20 + 2),
    ] {
        assert_eq!(runs.iter().filter(|run| run["reason"] == reason).count(), count, "{reason}");
    }
    assert_same_facts(&found, &expected, "of the disturbed night");
    assert_eq!(torn.events("counting", "calibrated").len(), 1, "one calibration served all starts");
    torn.git(["fsck", "--strict"]);
    torn.wait_for_quiet();
}
