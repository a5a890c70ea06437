//! Metrics that are forged, doubled or no numbers.

use serde_json::json;

use crate::project::{judge, project};

const INVALID: (&str, &str) = ("crash", "metric_invalid");

#[test]
fn a_metric_line_of_the_measured_program_does_not_win() {
    let invalid = |why| (INVALID.0, INVALID.1, why);
    judge(
        &project(),
        &[
            ("constant", "echo 'METRIC work=1' >&2\ncat src/work\n", invalid("2 lines in this run, 1 at calibration")),
            (
                "many lines",
                "for i in 1 2 3 4 5 6 7; do echo 'METRIC work=1' >&2; done\ncat src/work\n",
                invalid("8 lines in this run"),
            ),
            ("in colour", "printf '\\033[1mMETRIC work=1\\033[0m\\n' >&2\ncat src/work\n", invalid("2 lines")),
            ("no bench line", "echo 'METRIC work=1' >&2\nexit 1\n", ("crash", "bench_failed", "")),
            ("kills the bench", "echo 'METRIC work=1' >&2\nkill -9 $PPID\n", ("crash", "bench_failed", "")),
        ],
    );
}

#[test]
fn what_is_no_number_above_zero_is_a_crash_and_never_a_value() {
    let values = [
        ("nan", "NaN", "NaN"),
        ("minus nan", "-nan", ""),
        ("infinite", "-inf", ""),
        ("overflow", "1e999", ""),
        ("underflow", "1e-999", "not above zero"),
        ("zero", "0", "0 is not above zero"),
        ("minus zero", "-0", "not above zero"),
        ("negative", "-5", "-5 is not above zero"),
        ("hexadecimal", "0x1", ""),
        ("nothing", "", ""),
        ("words", "very fast", ""),
    ];
    let programs: Vec<_> = values.iter().map(|(_, value, _)| format!("echo '{value}'\n")).collect();
    let attacks = values.iter().zip(&programs);
    let attacks: Vec<_> =
        attacks.map(|((name, _, why), program)| (*name, program.as_str(), (INVALID.0, INVALID.1, *why))).collect();
    judge(&project(), &attacks);
}

#[test]
fn a_program_that_answers_less_is_dropped_by_an_invariant() {
    let env = project();
    env.write("src/program", "echo \"INVARIANT rows=1000\" >&2\ncat src/work\n");
    env.commit("a program that tells what it did");
    judge(
        &env,
        &[
            (
                "half the rows",
                "echo \"INVARIANT rows=500\" >&2\necho 500\n",
                ("checks_failed", "invariant_changed", "rows"),
            ),
            ("silent", "echo 500\n", ("checks_failed", "invariant_changed", "")),
            (
                "twice",
                "echo \"INVARIANT rows=1000\" >&2\necho \"INVARIANT rows=1000\" >&2\necho 500\n",
                ("checks_failed", "invariant_changed", ""),
            ),
        ],
    );
}

#[test]
fn metrics_of_a_file_are_not_led_astray_by_what_stands_in_its_place() {
    let env = project();
    env.configure(|config| {
        config["bench"]["metricsFile"] = json!(true);
        config["limits"] = json!({ "outputBytes": 1_000_000 });
    });
    env.script("bench.sh", "#!/bin/sh\nset -eu\nsh src/program\n");
    env.write("src/program", "echo \"METRIC work=$(cat src/work)\" > \"$AUTORESEARCH_METRICS\"\n");
    env.commit("metrics in a file");
    let precious = env.beside("precious");
    std::fs::write(&precious, "METRIC work=1\n").unwrap();
    let attack = |change: &str| format!("echo 'METRIC work=1'\nrm -f \"$AUTORESEARCH_METRICS\"\n{change}\n");
    let link = attack(&format!("ln -s {} \"$AUTORESEARCH_METRICS\"", precious.display()));
    let pipe = attack("mkfifo \"$AUTORESEARCH_METRICS\"");
    let folder = attack("mkdir -p \"$AUTORESEARCH_METRICS/deep\"");
    let endless = attack("truncate -s 1T \"$AUTORESEARCH_METRICS\"");
    let missing = ("crash", "metric_missing", "work");
    judge(
        &env,
        &[
            ("link", &link, missing),
            ("pipe", &pipe, missing),
            ("folder", &folder, missing),
            ("endless", &endless, ("crash", "resource_limit", "limits.outputBytes")),
        ],
    );
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "METRIC work=1\n");
}

/// Burns a tenth of a second or so and then writes what it computed.
const BURN: &str = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo done > \"$TMPDIR/answer\"\n";

/// A project whose program burns time, with the primary that the supervisor measures.
fn burning(primary: &str) -> crate::support::TestEnvironment {
    let env = project();
    env.write("src/burn", BURN);
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nsh src/burn\necho \"INVARIANT answer=$(cat \"$TMPDIR/answer\" 2>&1 | tail -c 5)\"\n",
    );
    env.configure(|config| {
        config["metrics"]["primary"] = json!({ "name": primary, "minEffect": 0.05 });
        config["decision"]["maxPairs"] = json!(8);
    });
    env.commit("a program that burns time");
    // The work goes on after the bench has ended, and does not heed a request to end.
    env.patch("1-detached.patch", "src/burn", &format!("(trap '' TERM HUP; {}) >/dev/null 2>&1 &\n", BURN.trim()));
    env
}

#[test]
fn work_moved_after_the_clock_stops_is_missing_where_the_bench_looks_for_its_result() {
    let env = burning("auto.wall_s");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("detached", "checks_failed", "invariant_changed", "answer")]);
}

#[test]
fn work_moved_into_a_detached_process_wins_wall_time_unless_something_looks_for_its_result() {
    let env = project();
    env.script("bench.sh", "#!/bin/sh\nexec sh src/program\n");
    env.write("src/program", "sleep 0.4\n");
    env.configure(|config| config["metrics"]["primary"] = json!({ "name": "auto.wall_s", "minEffect": 0.05 }));
    env.commit("a program that takes its time");
    env.patch("1-detached.patch", "src/program", "(trap '' TERM; sleep 0.4) >/dev/null 2>&1 &\n");
    let answer = env.run(["try", "candidates/1-detached.patch", "--no-commit", "--json"]).expect(0).json();
    // What docs/security.md says cannot be prevented in general: this bench never asks for the work.
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("keep"), &json!("improved")));
}

#[test]
fn work_moved_into_a_detached_process_does_not_win_processor_time() {
    let env = burning("auto.cpu_s");
    env.script("bench.sh", "#!/bin/sh\nset -eu\nsh src/burn\n");
    env.run(["run"]).expect(0);
    assert_ne!(env.settled("counting", "detached")["status"], "keep");
}

#[test]
fn a_metric_that_a_run_cannot_reach_is_no_way_to_pass_a_sentinel() {
    let env = project();
    env.configure(|config| {
        config["metrics"]["sentinels"] = json!([{ "name": "memory", "tolerance": 0.05 }]);
    });
    env.write("src/program", "echo 'METRIC memory=100' >&2\ncat src/work\n");
    env.commit("a sentinel");
    let steady = |line: &str| format!("{line}\necho 500\n");
    let programs = [
        ("no sentinel", steady("true"), ("crash", "metric_missing", "memory")),
        ("sentinel of no number", steady("echo 'METRIC memory=none' >&2"), ("crash", "metric_invalid", "memory")),
        (
            "sentinel twice",
            steady("echo 'METRIC memory=100' >&2; echo 'METRIC memory=1' >&2"),
            ("crash", "metric_invalid", "memory"),
        ),
        ("sentinel worse", steady("echo 'METRIC memory=200' >&2"), ("discard", "sentinel_regressed", "memory")),
        (
            "automatic",
            steady("echo 'METRIC memory=100' >&2; echo 'METRIC auto.wall_s=1' >&2"),
            ("crash", "metric_invalid", "auto.wall_s"),
        ),
    ];
    let attacks: Vec<_> = programs.iter().map(|(name, program, verdict)| (*name, program.as_str(), *verdict)).collect();
    judge(&env, &attacks);
    judge_patches_again(&env);
}

/// A second run finds nothing to do and changes no verdict.
fn judge_patches_again(env: &crate::support::TestEnvironment) {
    let before = env.verdicts("counting");
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting"), before);
}
