//! The project under attack: its bench counts what a shell script says that it cost.

use std::fs;

use crate::support::{TestEnvironment, wait_for};

/// A candidate's program: its name, its text, and what becomes of it as (status, reason, a part of why).
pub(crate) type Attack<'a> = (&'a str, &'a str, (&'a str, &'a str, &'a str));

/// Makes a counting project whose bench runs `src/program`, which prints the cost: the number in `src/work`.
pub(crate) fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.write("src/program", "cat src/work\n");
    env.script("bench.sh", "#!/bin/sh\nset -eu\ncost=$(sh src/program)\necho \"METRIC work=$cost\"\n");
    env.commit("a program that tells its cost");
    env
}

/// Makes what a session must leave alone richer: a stash, a hook, a setting, a staged file.
pub(crate) fn with_belongings(env: &TestEnvironment) {
    env.write("src/other", "stashed\n");
    env.git(["stash", "-q"]);
    env.write("staged.txt", "staged\n");
    env.git(["add", "staged.txt"]);
    env.git(["config", "my.setting", "mine"]);
    env.script(".git/hooks/post-commit", "#!/bin/sh\ntrue\n");
}

/// Runs a session of these attacks, an honest no-op and an honest win, and expects the verdicts; nothing of the user's
/// is changed, and no process is left.
#[track_caller]
pub(crate) fn judge(env: &TestEnvironment, attacks: &[Attack<'_>]) {
    for (n, (name, program, _)) in attacks.iter().enumerate() {
        env.patch(&format!("{}-{}.patch", n + 1, name.replace(' ', "-")), "src/program", program);
    }
    let verdicts: Vec<_> =
        attacks.iter().map(|(name, _, (status, reason, why))| (*name, *status, *reason, *why)).collect();
    judge_patches(env, &verdicts);
}

/// Does the same for patches that stand in the queue already, each as (description, status, reason, a part of why).
#[track_caller]
pub(crate) fn judge_patches(env: &TestEnvironment, verdicts: &[(&str, &str, &str, &str)]) {
    env.patch("98-honest-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.patch("99-honest-win.patch", "src/work", "900\n");
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", verdicts);
    let honest = [("honest no op", "discard", "no_effect", ""), ("honest win", "keep", "improved", "")];
    env.expect_verdicts("counting", &honest);
    assert_eq!(env.belongings(), before);
    assert_eq!(env.git(["show", "autoresearch/counting:src/work"]), "900\n");
    no_process_is_left(env);
}

/// Waits until no process works in the room or was started with a path of it in its environment.
#[track_caller]
pub(crate) fn no_process_is_left(env: &TestEnvironment) {
    env.wait_for_quiet();
    let room = env.beside("").into_os_string().into_encoded_bytes();
    let names = |file: &str, process: &fs::DirEntry| {
        fs::read(process.path().join(file)).is_ok_and(|bytes| bytes.windows(room.len()).any(|part| part == room))
    };
    wait_for("the end of every process of the room", || {
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        !processes.into_iter().any(|process| names("environ", &process) || names("cmdline", &process))
    });
}

/// Says whether this machine enforces a part of the sandbox, by the session's own word.
pub(crate) fn enforced(env: &TestEnvironment, means: &str) -> bool {
    let events = env.events("counting", "sandbox");
    events.last().is_some_and(|event| event["enforced"][means].as_str().unwrap_or_default().starts_with("works"))
}
