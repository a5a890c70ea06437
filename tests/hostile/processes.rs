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
    let (kill, term, stop) = (signal_above("KILL"), signal_above("TERM"), signal_above("STOP"));
    for (n, (name, program)) in [("kill", &kill), ("term", &term), ("stop", &stop)].iter().enumerate() {
        // Where the kernel cannot keep signals in, a stopped supervisor would only run into the time limit.
        if *name != "stop" || keeps_signals_in() {
            env.patch(&format!("{n}-{name}.patch"), "src/program", program);
        }
    }
    judge(&env, &[("the bench", "kill -9 $PPID\nsleep 1\n", ("crash", "bench_failed", ""))]);
    for run in env
        .events("counting", "run")
        .iter()
        .filter(|run| ["kill", "term", "stop"].iter().any(|name| run["description"] == *name))
    {
        let verdict = (run["status"].as_str().unwrap(), run["reason"].as_str().unwrap());
        let expected = if keeps_signals_in() { ("discard", "no_effect") } else { ("crash", "bench_failed") };
        assert_eq!(verdict, expected, "{run}");
    }
    assert!(enforced(&env, "landlock"), "this machine cannot confine signals either");
}

/// Says whether the kernel is 6.12 or later, the first whose Landlock keeps signals in.
fn keeps_signals_in() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.trim().parse::<u32>().ok());
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (6, 12)
}
