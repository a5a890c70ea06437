//! The shell text of bench.sh and of the checks: plain `sh`, no pipes, every failure ends the script.

use super::plan::{CheckScript, Workload, WorkloadSource};

/// Turns `name<TAB>nanoseconds` lines of `$out/values` into METRIC lines and their geometric mean.
///
/// Names keep only characters that a metric name may have. A value that is missing or not above zero fails the run.
const GEOMEAN: &str = r#"LC_ALL=C awk -F '\t' '
  $2 + 0 <= 0 { print "bench.sh: no time above zero for " $1 > "/dev/stderr"; bad = 1; exit 1 }
  { gsub(/[^A-Za-z0-9_.\/:%-]/, "_", $1); printf "METRIC bench.%s_ns=%.9g\n", $1, $2; total += log($2); n += 1 }
  END {
    if (bad) exit 1
    if (n == 0) { print "bench.sh: no benchmark ran" > "/dev/stderr"; exit 1 }
    printf "METRIC geomean_ns=%.9g\n", exp(total / n)
  }
' "$out/values"
"#;

const SCRATCH: &str = "out=$(mktemp -d)\ntrap 'rm -rf \"$out\"' EXIT\n";

fn header(what: &str) -> String {
    format!(
        "#!/bin/sh\n# {what}\n\
         # Starts in the repository's root. Prints METRIC lines; any failure must end it with a non-zero exit.\n\
         # How to measure well: docs/bench-scripts.md of autoresearch.\nset -eu\n"
    )
}

/// Runs a benchmark framework: `lines` must leave `name<TAB>nanoseconds` in `$out/values`.
pub(super) fn framework(name: &'static str, lines: &str) -> Workload {
    let what =
        format!("Runs the {name} benchmarks; prints each as bench.<name>_ns and their geometric mean as geomean_ns.");
    Workload {
        script: format!("{}{SCRATCH}\n{lines}\n{GEOMEAN}", header(&what)),
        source: WorkloadSource::Framework(name),
    }
}

/// Runs a program of the project that does a fixed amount of work; judged by its CPU time.
pub(super) fn program(name: &str, setup: &str, command: &str) -> Workload {
    let what =
        format!("Runs {name}; it is judged by auto.cpu_s, the CPU time of this script and everything it starts.");
    let advice = "# The work must be the same in every run: a program that runs for a fixed time has no use for its CPU time.\n\
                  # To judge by something else, print \"METRIC <name>=<number>\" and name it in autoresearch.config.json.\n\
                  # A line \"INVARIANT output=<hash>\" of what it computed guards against a fast wrong answer.\n";
    Workload {
        script: format!("{}\n{advice}{setup}{command}\n", header(&what)),
        source: WorkloadSource::Program(name.to_owned()),
    }
}

/// Times the test suite, with a loud request to replace it; `count` is an awk program that sums passed tests into `n`.
pub(super) fn test_suite(setup: &str, command: &str, count: Option<&str>) -> Workload {
    let what = "Times the test suite, for want of a benchmark; judged by auto.cpu_s, the CPU time of all it starts.";
    let loud = "# ----------------------------------------------------------------------------------------------------------\n\
                # REPLACE THIS. No benchmark was found, so this times the tests. That finds gross wins at once, but it\n\
                # measures what tests do and not what users wait for, and the start of each test program hides small wins.\n\
                # Put here the smallest run of your program that somebody would like to be faster.\n\
                # ----------------------------------------------------------------------------------------------------------\n";
    let run = format!("if ! {command} > \"$out/log\" 2>&1; then\n  cat \"$out/log\" >&2\n  exit 1\nfi\n");
    let counted = count.map_or_else(String::new, |count| {
        format!(
            "# Both arms must pass the same number of tests: fewer tests are no speed-up.\n\
             LC_ALL=C awk '\n  {count}\n  END {{\n    \
             if (n == 0) {{ print \"bench.sh: no test ran, so nothing was measured\" > \"/dev/stderr\"; exit 1 }}\n    \
             print \"INVARIANT tests_passed=\" n\n  }}\n' \"$out/log\"\n"
        )
    });
    Workload {
        script: format!("{}\n{loud}{SCRATCH}\n{setup}{run}{counted}", header(what)),
        source: WorkloadSource::TestSuite,
    }
}

/// Fails with what to fill in.
pub(super) fn unknown(hint: &str) -> Workload {
    let what = "FILL THIS IN: nothing that can be measured was found in this repository.";
    let body = format!(
        "\n# Run here the smallest piece of work that should become faster, the same work every time, 0.1 to 2 seconds long.\n\
         # It is judged by auto.cpu_s (CPU time of all that this script starts) as autoresearch.config.json stands.\n\
         # Or print what you measured yourself, and name it there as metrics.primary:\n\
         #     echo \"METRIC parse_ms=$ms\"\n#\n# {hint}\n\
         echo \"bench.sh measures nothing yet: open it, put your workload in, delete these last lines\" >&2\nexit 1\n"
    );
    Workload { script: format!("{}{body}", header(what)), source: WorkloadSource::Unknown }
}

/// Writes one check.
pub(super) fn check(check: &CheckScript) -> String {
    format!(
        "#!/bin/sh\n# {}\n# Starts in the repository's root, on the candidate's tree; exit 0 lets the candidate pass.\nset -eu\n{}\n",
        check.why,
        check.body.trim_end()
    )
}

/// The check of a repository whose tests nobody knows: it fails until somebody says what is right.
pub(super) fn unknown_check() -> CheckScript {
    CheckScript {
        name: "10-correct",
        why: "FILL THIS IN: says whether a candidate still computes the right thing.".to_owned(),
        body: "# Run the tests, or compare an output with a stored one. A gate that lets everything pass keeps fast wrong code.\n\
               echo \"10-correct checks nothing yet: open it, put your tests in, delete these last lines\" >&2\nexit 1"
            .to_owned(),
    }
}
