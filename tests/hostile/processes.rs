//! Processes that multiply, stay, or end those above them.

use serde_json::json;

use crate::project::{enforced, judge, project};

#[test]
fn processes_that_multiply_end_at_their_limit() {
    let env = project();
    env.configure(|config| config["limits"] = json!({ "processes": 20 }));
    // Each is bounded by its own count as well.
    let flat = "i=0; while [ $i -lt 60 ]; do sleep 30 & i=$((i+1)); done; wait\necho 500\n";
    let tree = "bomb() { [ $1 -gt 0 ] || exec sleep 30; bomb $(($1-1)) & bomb $(($1-1)) & wait; }\nbomb 5\necho 500\n";
    let apart =
        "i=0; while [ $i -lt 60 ]; do setsid sh -c 'trap \"\" TERM; sleep 30' & i=$((i+1)); done; wait\necho 500\n";
    let broken = ("crash", "resource_limit", "process limit");
    judge(&env, &[("flat", flat, broken), ("tree", tree, broken), ("apart", apart, broken)]);
}

#[test]
fn a_process_that_stays_ends_with_its_command_and_slows_no_later_run() {
    let none = ("discard", "no_effect", "");
    judge(
        &project(),
        &[
            ("behind", "sleep 60 >/dev/null 2>&1 &\ncat src/work\n", none),
            (
                "apart",
                "setsid sh -c 'trap \"\" TERM HUP; cd /; while :; do sleep 1; done' >/dev/null 2>&1 &\ncat src/work\n",
                none,
            ),
            (
                "twice apart",
                "(setsid sh -c '(setsid env -i sh -c \"cd /; sleep 60\" &)' >/dev/null 2>&1 &)\ncat src/work\n",
                none,
            ),
        ],
    );
}

/// Signals the supervisor, the first process above that says so, and each of its threads.
fn signal_above(signal: &str) -> String {
    format!(
        "above=$PPID\n\
         until tr '\\0' ' ' < /proc/$above/cmdline | grep -q __supervise; do\n\
         above=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$above/stat)\n[ $above -gt 1 ] || exit 1\ndone\n\
         for task in $above $(ls /proc/$above/task); do kill -{signal} $task 2>/dev/null; done\n\
         sleep 0.1\ncat src/work\n"
    )
}

#[test]
fn a_program_that_ends_what_is_above_it_ends_no_session() {
    let env = project();
    for (n, signal) in ["KILL", "TERM"].iter().enumerate() {
        env.patch(&format!("{n}-{signal}.patch"), "src/program", &signal_above(signal));
    }
    judge(&env, &[("the bench", "kill -9 $PPID\nsleep 1\n", ("crash", "bench_failed", ""))]);
    // Where the kernel keeps signals in, nothing came of it; elsewhere it is the command's own failure.
    let expected = if enforced(&env, "signal_scope") { ("discard", "no_effect") } else { ("crash", "bench_failed") };
    env.expect_verdicts("counting", &["KILL", "TERM"].map(|signal| (signal, expected.0, expected.1, "")));
}
