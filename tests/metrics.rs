//! `autoresearch metrics` as a bench script uses it: standard input, files, folders, exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs::{self, File};
use std::path::PathBuf;

use support::{Answer, TestEnvironment};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/benches").join(name)
}

fn piped(env: &TestEnvironment, args: &[&str], name: &str) -> Answer {
    env.command(args).stdin(File::open(fixture(name)).unwrap()).output().unwrap().into()
}

#[test]
fn the_output_of_a_tool_becomes_metric_lines_anywhere() {
    // No repository, no config: a slot's bench script needs neither.
    let env = TestEnvironment::empty();
    let answer = piped(&env, &["metrics", "--from", "gobench", "--prefix", "go."], "gobench.txt").expect(0);
    assert!(answer.stdout.starts_with("METRIC go.Fib20_ns=61.1\nMETRIC go.Fib20_ns=23\n"), "{}", answer.stdout);
    assert_eq!(answer.stderr, "");
    let folder = fixture("criterion");
    let folder = env.run(["metrics", "--from", "criterion", folder.to_str().unwrap()]).expect(0);
    assert_eq!(folder.stdout.lines().count(), 3, "{}", folder.stdout);
    fs::copy(fixture("hyperfine.json"), env.repo().join("hf.json")).unwrap();
    let both = ["metrics", "--from", "hyperfine", "hf.json", "-"];
    let file = piped(&env, &both, "hyperfine.json").expect(0);
    assert_eq!(file.stdout.matches("METRIC sleep_0.01_ns=11564230.5\n").count(), 2, "{}", file.stdout);
}

#[test]
fn half_a_suite_and_an_empty_one_print_no_metric() {
    let env = TestEnvironment::empty();
    let failed = piped(&env, &["metrics", "--from", "gobench"], "gobench_fail.txt").expect(1);
    assert_eq!(failed.stdout, "");
    assert_eq!(failed.stderr, "error: a benchmark failed, so nothing is measured: --- FAIL: BenchmarkBad\n");
    let empty = env.run(["metrics", "--from", "divan"]).expect(1);
    assert!(empty.stderr.starts_with("error: no benchmark in standard input; expected the tree of a divan"));
    env.run(["metrics", "--from", "cachegrind"]).expect(2);
    let missing = env.run(["metrics", "--from", "jmh", "none.json"]).expect(1);
    assert!(missing.stderr.contains("none.json"), "{}", missing.stderr);
}
