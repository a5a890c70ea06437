//! The tests that a check runs on the baseline must run in the candidate.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::TestEnvironment;

/// Makes a project whose check prints what the files `src/t*` say of its tests.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script("checks/10-tests", "#!/bin/sh\nset -eu\ncat src/t*\n");
    for (file, name) in [("src/t1", "one"), ("src/t2", "two"), ("src/t3", "three")] {
        env.write(file, format!("t.py::{name} PASSED\n"));
    }
    env.write("src/t4", "t.py::four SKIPPED (slow)\n");
    env.commit("a project with tests");
    env
}

fn runs_of_check(env: &TestEnvironment) -> usize {
    let phases = env.events("counting", "phase");
    phases.iter().filter(|phase| phase["phase"] == "check" && phase["state"] == "started").count()
}

fn notes(env: &TestEnvironment) -> String {
    env.events("counting", "note").iter().map(|note| note["text"].as_str().unwrap().to_owned() + "\n").collect()
}

#[test]
fn a_candidate_that_removes_skips_or_renames_a_test_is_dropped_by_name() {
    let env = project();
    env.change("1-removes.patch", |env| {
        env.git(["rm", "-q", "src/t1"]);
    });
    env.patch("2-ignores.patch", "src/t2", "t.py::two SKIPPED (later)\n");
    env.patch("3-renames.patch", "src/t3", "t.py::drei PASSED\n");
    env.change("4-hides.patch", |env| {
        env.git(["rm", "-q", "src/t1", "src/t2", "src/t3"]);
    });
    env.patch("5-runs-more.patch", "src/t4", "t.py::four PASSED\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("removes", "checks_failed", "test_removed", "10-tests: 1 test of the baseline did not run: t.py one;"),
            ("ignores", "checks_failed", "test_removed", "t.py two (skipped); one with another name counts as removed"),
            ("renames", "checks_failed", "test_removed", "t.py three"),
            (
                "hides",
                "checks_failed",
                "test_removed",
                "3 tests of the baseline did not run: t.py one, t.py three, t.py two",
            ),
            ("runs more", "discard", "no_effect", ""),
        ],
    );
}

#[test]
fn a_test_that_a_kept_candidate_added_must_stay_also_for_the_next_session() {
    let env = project();
    env.change("1-adds.patch", |env| {
        env.write("src/t9", "t.py::nine PASSED\n");
        env.write("src/work", "900\n");
    });
    let removes = "--- a/src/t9\n+++ /dev/null\n@@ -1 +0,0 @@\n-t.py::nine PASSED\n";
    env.raw_patch("2-removes-it.patch", removes);
    env.run(["run"]).expect(0);
    let found = ("removes it", "checks_failed", "test_removed", "t.py nine");
    env.expect_verdicts("counting", &[("adds", "keep", "improved", ""), found]);
    let told = env.events("counting", "inventory");
    let counts: Vec<&Value> = told.iter().map(|told| &told["ran"]).collect();
    assert_eq!(counts, [3, 4], "told when it changes: {told:?}");
    assert_eq!(told[1]["commit"], env.settled("counting", "adds")["commit"]);
    let list = env.state("counting").join(format!("inventory/{}.txt", told[1]["hash"].as_str().unwrap()));
    assert_eq!(std::fs::read_to_string(list).unwrap(), "1\tt.py\tnine\n1\tt.py\tone\n1\tt.py\tthree\n1\tt.py\ttwo\n");

    env.raw_patch(
        "3-again.patch",
        format!("{removes}--- a/src/other\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-first\n-second\n-third\n"),
    );
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("again", "checks_failed", "test_removed", "t.py nine")]);
    assert_eq!(env.events("counting", "inventory").len(), 2, "nothing new was found at the second start");
}

#[test]
fn a_name_that_differs_from_run_to_run_is_left_out_and_said() {
    let env = project();
    env.script("checks/10-tests", "#!/bin/sh\nset -eu\ncat src/t*\necho \"t.py::in_dir[$(date +%N)] PASSED\"\n");
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-ignores.patch", "src/t2", "t.py::two SKIPPED\n");
    env.run(["run"]).expect(0);
    let found = ("ignores", "checks_failed", "test_removed", "1 test of the baseline did not run: t.py two (skipped)");
    env.expect_verdicts("counting", &[("win", "keep", "improved", ""), found]);
    assert!(
        notes(&env).contains("check 10-tests: left out of its tests, as two runs of one code differ"),
        "{}",
        notes(&env)
    );
    let told = &env.events("counting", "inventory")[0];
    assert_eq!((&told["ran"], told["left_out"].as_array().unwrap().len()), (&json!(3), 1), "{told}");
}

#[test]
fn a_test_that_the_baseline_does_not_run_a_second_time_blames_nobody() {
    let env = project();
    env.script(
        "checks/10-tests",
        "#!/bin/sh\nset -eu\ncat src/t*\nif [ ! -e \"$HOME/ran\" ]; then echo 't.py::sometimes PASSED'; fi\ntouch \"$HOME/ran\"\n",
    );
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    assert!(notes(&env).contains("t.py sometimes"), "{}", notes(&env));
}

#[test]
fn a_path_of_the_slot_in_a_name_and_the_order_of_tests_change_nothing() {
    let env = project();
    let shuffle = "case $(basename \"$PWD\") in *b) sort -r;; *) sort;; esac";
    env.script(
        "checks/10-tests",
        &format!("#!/bin/sh\nset -eu\n(cat src/t*; echo \"$PWD/t.py::here PASSED\") | {shuffle}\n"),
    );
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    assert_eq!(notes(&env).matches("left out").count(), 0, "{}", notes(&env));
    assert_eq!(env.events("counting", "inventory")[0]["ran"], 4);
}

#[test]
fn the_inventory_can_be_turned_off() {
    let env = project();
    env.configure(|config| config["checks"] = json!({ "inventory": "off" }));
    env.commit("no inventory");
    env.change("1-removes.patch", |env| {
        env.git(["rm", "-q", "src/t1"]);
        env.write("src/work", "900\n");
    });
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("removes", "keep", "improved", "")]);
    assert!(env.events("counting", "inventory").is_empty());
}

#[test]
fn a_check_that_names_no_tests_has_no_inventory_and_runs_once_on_the_base() {
    let env = TestEnvironment::counting_project();
    env.script("checks/10-quiet", "#!/bin/sh\necho all is well\n");
    env.commit("a quiet check");
    std::fs::create_dir(env.repo().join("candidates")).unwrap();
    env.run(["run"]).expect(0);
    assert!(env.events("counting", "inventory").is_empty());
    assert_eq!(runs_of_check(&env), 1);
}

#[test]
fn a_junit_file_is_read_where_the_check_is_told_to_write_it() {
    let env = project();
    env.script(
        "checks/10-tests",
        "#!/bin/sh\nset -eu\nfor t in src/t*; do echo \"<testcase classname='c' name='$t'/>\"; done > \"$AUTORESEARCH_JUNIT\"\n",
    );
    env.commit("a check that writes a file");
    env.change("1-removes.patch", |env| {
        env.git(["rm", "-q", "src/t3"]);
    });
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("removes", "checks_failed", "test_removed", "did not run: c src/t3;")]);
}

#[test]
fn doctor_says_which_checks_name_their_tests() {
    let env = project();
    env.script("checks/20-quiet", "#!/bin/sh\necho all is well\n");
    env.commit("a quiet check");
    let report = env.run(["doctor"]).stdout;
    assert!(report.contains("10-tests runs 3 tests and skips 1; a candidate must run them too"), "{report}");
    assert!(report.contains("20-quiet names no tests"), "{report}");
}
