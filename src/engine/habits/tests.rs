//! Scripts as people write them: each dangerous habit is found at its line, and honest scripts give no finding.

use super::HabitKind::{FallbackValue, IgnoredFailure, LiteralMetric, NoErrexit, PipeWithoutPipefail, TimedTests};
use super::{HabitKind, inspect};

fn found(text: &str) -> Vec<(usize, HabitKind)> {
    inspect(text).into_iter().map(|habit| (habit.line, habit.kind)).collect()
}

/// What a line of an otherwise clean script is found to be.
fn of_line(line: &str) -> Vec<HabitKind> {
    inspect(&format!("#!/usr/bin/env bash\nset -euo pipefail\n{line}\n")).into_iter().map(|habit| habit.kind).collect()
}

#[test]
fn a_number_written_in_a_metric_line_is_found() {
    for line in [
        r#"echo "METRIC x=0""#,
        "echo METRIC x=12.5",
        r#"echo -e "done\nMETRIC x=1e3\n""#,
        r"printf 'METRIC total_ms=0 ms\n'",
        r"printf 'METRIC x=%s\n' 0",
        r#"if [ -z "$ms" ]; then echo "METRIC ms=999999"; fi"#,
        "cat <<EOF\nMETRIC x=5\nEOF",
    ] {
        assert_eq!(of_line(line), [LiteralMetric], "{line}");
    }
}

#[test]
fn a_measured_number_in_a_metric_line_is_fine() {
    for line in [
        r#"echo "METRIC x=$ms""#,
        r#"echo "METRIC x=0.$frac""#,
        r#"echo "METRIC p99=${p[2]}""#,
        r#"printf 'METRIC x=%.3f ms\n' "$ms""#,
        r#"printf "METRIC x=%s\n" "$(cat out)""#,
        r#"awk '{ print "METRIC x=" $2 }' log"#,
        r#"python3 -c 'print(f"METRIC x={1+1}")'"#,
        "# echo \"METRIC x=0\"",
        r"grep -q '^METRIC x=5$' log",
        "echo 'prints METRIC x=5 when done'",
    ] {
        assert_eq!(of_line(line), [], "{line}");
    }
}

#[test]
fn a_number_in_place_of_a_failure_is_found() {
    for line in [
        r#"./prog || echo "METRIC x=0""#,
        "ms=$(./prog || echo 0)",
        r#"ms="$(./prog 2>/dev/null || echo "0.0")""#,
        "ms=$(./prog) || ms=999999",
        "./prog || printf 'METRIC x=%s\\n' 1",
        "./prog \\\n  || { echo 0; }",
        r#"echo "METRIC ms=${ms:-0}""#,
        r#"echo "METRIC ms=${ms-99}""#,
        "ms=${ms:-0}\necho \"METRIC ms=$ms\"",
        ": \"${ms:=0}\"\necho \"METRIC ms=${ms}\"",
    ] {
        assert_eq!(of_line(line), [FallbackValue], "{line}");
    }
}

#[test]
fn defaults_of_parameters_and_remembered_failures_are_fine() {
    for line in [
        "N=${N:-1000}\n./prog \"$N\"",
        "out=\"${OUT:-/tmp/x}\"",
        "\"${CARGO_TARGET_DIR:-target}\"/release/prog",
        "./prog || failed=1\nexit \"${failed:-0}\"",
        "./prog || rc=$?",
        "echo \"METRIC ms=${ms:-nan}\"",
    ] {
        assert_eq!(of_line(line), [], "{line}");
    }
}

#[test]
fn a_failure_made_a_success_is_found() {
    for line in [
        "./prog || true",
        "./prog > log 2>&1 || :",
        "cd build && ./prog || true",
        "out=$(./prog || true)",
        "./prog || exit 0",
        "./prog || echo 'bench failed' >&2",
        "make all || true",
    ] {
        assert_eq!(of_line(line), [IgnoredFailure], "{line}");
    }
}

#[test]
fn cleaning_up_and_failing_loudly_are_fine() {
    for line in [
        "rm -f x || true",
        "kill \"$pid\" 2>/dev/null || true",
        "make clean || true",
        "n=$(grep -c x log || true)",
        "command -v awk >/dev/null || { echo 'awk is missing' >&2; exit 1; }",
        "./prog || exit 1",
        "./prog || { echo 'failed' >&2; exit 1; }",
        "[ -f x ] || ./make-x",
        "[ -d data ] || echo 'making data'",
        "echo 'a || true'",
    ] {
        assert_eq!(of_line(line), [], "{line}");
    }
}

#[test]
fn tests_in_the_bench_are_found() {
    for line in [
        "cargo test --release",
        "cargo nextest run",
        "python3 -m pytest -q",
        "PYTHONPATH=. .venv/bin/pytest tests",
        "python -m unittest discover",
        "go test ./...",
        "go test -bench=. ./...",
        "npm test",
        "npm run test",
        "npx vitest run",
        "ctest --test-dir build",
        "bundle exec rspec",
        "make -s check",
        "start=$(date +%s%N)\ncargo test\nend=$(date +%s%N)",
        "time cargo test",
    ] {
        assert_eq!(of_line(line), [TimedTests], "{line}");
    }
}

#[test]
fn benchmarks_and_tests_outside_the_clock_are_fine() {
    for line in [
        "cargo bench --bench parse",
        "cargo test --release --no-run",
        "pytest --benchmark-only",
        "pip install pytest",
        "go test -run='^$' -bench=. ./...",
        "go test -c -o x.test",
        "npx vitest bench",
        "npm run test:perf",
        "make testdata",
        "cp pytest.ini x",
        "cargo test\nstart=$(date +%s%N)\n./prog\nend=$(date +%s%N)",
        "echo 'run cargo test first'",
    ] {
        assert_eq!(of_line(line), [], "{line}");
    }
}

#[test]
fn a_script_that_goes_on_after_a_failure_is_found() {
    assert_eq!(found("#!/bin/sh\n# build\n./build\n./prog\n"), [(3, NoErrexit)]);
    assert_eq!(found("#!/bin/bash\nset -uo pipefail\n./a\n"), [(2, NoErrexit)]);
    for text in [
        "#!/bin/sh\nexec ./prog\n",
        "#!/bin/sh -e\n./a\n./b\n",
        "#!/bin/bash\nset -Eeuo pipefail\n./a\n",
        "#!/bin/bash\nset -u -o pipefail -e\n./a\n",
        "./a\nset -o errexit\n./b\n",
        "cd x; set -e\n./b\n",
        "",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn a_pipe_without_pipefail_is_found_once_a_line() {
    let text = "#!/bin/sh\nset -eu\n./prog | awk '{ print \"METRIC x=\" $1 }' | tee log\nx=\"$(./prog | tail -1)\"\n";
    assert_eq!(found(text), [(3, PipeWithoutPipefail), (4, PipeWithoutPipefail)]);
    for line in [
        "./prog || exit 1",
        "echo \"$x\" | awk '{ print $1 }'",
        "printf '%s\\n' \"a|b\" | sort",
        "case $x in\n  a|b) ./prog ;;\nesac",
        "n=$((a | b))",
        "awk 'a || b | c' log",
        "echo x >| log",
        "grep -E 'a|b' log",
    ] {
        assert_eq!(found(&format!("set -eu\n{line}\n")), [], "{line}");
    }
}

#[test]
fn a_hasty_script_is_found_out_line_by_line() {
    let text = r#"#!/bin/bash
# Runs the importer and prints the time.
cd "$(dirname "$0")"
cargo build --release
cargo test --release || true
./target/release/import big.csv > out.txt 2>&1 || echo "METRIC import_ms=0"
ms=$(grep total out.txt | cut -d' ' -f2)
echo "METRIC import_ms=${ms:-0}"
echo "METRIC rows=1000"   # always the same
"#;
    let expected = [
        (3, NoErrexit),
        (5, IgnoredFailure),
        (5, TimedTests),
        (6, FallbackValue),
        (7, PipeWithoutPipefail),
        (8, FallbackValue),
        (9, LiteralMetric),
    ];
    assert_eq!(found(text), expected);
    assert_eq!(
        inspect(text)[6].to_string(),
        "line 9: a METRIC line with a number written in the script (`echo \"METRIC rows=1000\"`); \
         print what the program measured, or nothing"
    );
}

#[test]
fn an_honest_script_gives_no_finding() {
    let text = r#"#!/usr/bin/env bash
# METRIC import_ms=<median>; never a fallback such as || echo 0
set -euo pipefail
rows="${ROWS:-100000}"
work="$(mktemp -d)"
trap 'rm -rf "$work" || true' EXIT
if [[ "$rows" =~ ^(1|2)0+$ ]]; then echo "rows: $rows"; fi
start=$EPOCHREALTIME
./target/release/import --rows "$rows" "$work/db" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
end=$EPOCHREALTIME
awk -v a="$start" -v b="$end" 'BEGIN { printf "METRIC import_ms=%.3f\n", (b - a) * 1000 }'
echo "METRIC wal_bytes=$(stat -c %s "$work/db-wal")"
echo "INVARIANT rows=$(sqlite3 "$work/db" 'select count(*) from t' | sha256sum)"
python3 - "$work/log" <<'PY'
import sys
for line in open(sys.argv[1]):
    value = line.split()[1] if "|" in line else None
    print(f"METRIC phase_ms={value}")
PY
"#;
    assert_eq!(found(text), []);
}

#[test]
fn other_languages_are_read_for_literal_metrics_only() {
    let text = "#!/usr/bin/env python3\n# METRIC x=0\ntry:\n    run() or True | False\nexcept Exception:\n    print(\"METRIC x=0\")\nprint(f\"METRIC x={ms}\")\n";
    assert_eq!(found(text), [(6, LiteralMetric)]);
}

#[test]
fn a_long_line_is_shortened() {
    let habit = &inspect(&format!("echo \"METRIC x=1 {}\"", "µ".repeat(300)))[0];
    assert_eq!(habit.text.chars().count(), 103);
    assert!(habit.text.ends_with("..."));
}
