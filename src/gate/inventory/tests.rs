//! What each tool prints, as it prints it, and the tests that are read from that.

use super::junit::{self, JunitFiles};
use super::read::{CheckOutput, formats, read_inventory, read_stream};
use super::tally::TestInventory;

/// Reads two streams as a check's.
fn streams(stdout: &str, stderr: &str) -> TestInventory {
    let (mut formats, mut found) = (formats(), TestInventory::default());
    for stream in [stdout, stderr] {
        read_stream(stream.as_bytes(), &[("/cache/a".to_owned(), "{slot}")], (&mut formats, &mut found)).unwrap();
    }
    for format in &mut formats {
        format.finish(&mut found);
    }
    found
}

fn printed(stdout: &str) -> TestInventory {
    streams(stdout, "")
}

/// Returns the tests that ran, as `times suite name`, and the number of those that were skipped.
fn told(found: &TestInventory) -> (Vec<String>, u64) {
    (found.text().lines().map(|line| line.replace('\t', " ")).collect(), found.count_skipped())
}

fn lost(base: &TestInventory, candidate: &TestInventory) -> Vec<String> {
    base.lost_in(candidate).iter().map(ToString::to_string).collect()
}

const CARGO_OUT: &str = "
running 3 tests
test parse::tests::empty ... ok
test parse::tests::slow ... ignored, takes an hour
test parse::tests::bad - should panic ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s


running 1 test
test parse::tests::empty ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s


running 1 test
test src/lib.rs - parse (line 12) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s

";

const CARGO_ERR: &str = "   Compiling shop v0.1.0 (/cache/a)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.61s
     Running unittests src/lib.rs (target/debug/deps/shop-3f2a9c0d11e24b5a)
     Running tests/whole.rs (target/debug/deps/whole-00112233445566ff)
   Doc-tests shop
";

const CARGO: [&str; 4] = [
    "1 doc-tests shop src/lib.rs - parse",
    "1 shop unittests src/lib.rs parse::tests::bad",
    "1 shop unittests src/lib.rs parse::tests::empty",
    "1 whole tests/whole.rs parse::tests::empty",
];

#[test]
fn cargos_tests_belong_to_their_binaries_though_these_are_on_another_stream() {
    assert_eq!(told(&streams(CARGO_OUT, CARGO_ERR)), (CARGO.map(str::to_owned).to_vec(), 1));
}

#[test]
fn cargos_tests_are_the_same_with_both_streams_in_one() {
    let blocks: Vec<&str> = CARGO_OUT.split_inclusive("\n\n\n").collect();
    let names: Vec<&str> = CARGO_ERR.lines().skip(2).collect();
    let both = names.iter().zip(&blocks).flat_map(|(name, block)| [*name, "\n", *block]).collect::<String>();
    assert_eq!(printed(&both), streams(CARGO_OUT, CARGO_ERR));
}

#[test]
fn another_build_and_an_edit_above_a_doc_test_change_no_name() {
    let base = streams(CARGO_OUT, CARGO_ERR);
    let (out, err) =
        (CARGO_OUT.replace("line 12", "line 99"), CARGO_ERR.replace("3f2a9c0d11e24b5a", "ffffffffffffffff"));
    assert_eq!(base, streams(&out, &err));
}

#[test]
fn a_test_gone_from_one_of_two_binaries_is_lost_whether_their_names_are_known_or_not() {
    let without = CARGO_OUT.replacen("test parse::tests::empty ... ok\n", "", 1);
    let (base, candidate) = (streams(CARGO_OUT, CARGO_ERR), streams(&without, CARGO_ERR));
    assert_eq!(lost(&base, &candidate), ["shop unittests src/lib.rs parse::tests::empty"]);
    let a_bench = format!("{CARGO_ERR}     Running benches/fast.rs (target/debug/deps/fast-0011223344556677)\n");
    assert_eq!(lost(&base, &streams(&without, &a_bench)), ["parse::tests::empty (1 of 2 ran)"]);
    assert!(lost(&base, &streams(CARGO_OUT, &a_bench)).is_empty(), "a binary without a block hides the names only");
}

#[test]
fn an_ignored_test_is_lost_and_one_that_is_ignored_no_more_is_not() {
    let base = streams(CARGO_OUT, CARGO_ERR);
    let ignored = CARGO_OUT.replacen("empty ... ok", "empty ... ignored", 1);
    let name = "shop unittests src/lib.rs parse::tests::empty (skipped)";
    assert_eq!(lost(&base, &streams(&ignored, CARGO_ERR)), [name]);
    let runs = CARGO_OUT.replace("slow ... ignored, takes an hour", "slow ... ok");
    assert!(lost(&base, &streams(&runs, CARGO_ERR)).is_empty());
}

#[test]
fn a_quiet_cargo_has_counts() {
    let quiet = |ran| {
        printed(&format!(
            "\nrunning 5 tests\n....i\ntest result: ok. {ran} passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n"
        ))
    };
    assert_eq!(told(&quiet(4)), (vec!["4  ".to_owned()], 1));
    assert_eq!(lost(&quiet(4), &quiet(3)), ["tests without a name (3 of 4 ran)"]);
}

#[test]
fn what_looks_like_a_test_outside_a_block_is_none() {
    assert!(printed("test data ... ok\nReady ... ok\nall tests pass\n").is_empty());
}

#[test]
fn nextest_names_binaries_and_counts_a_retried_test_once() {
    let out = "    Finished `test` profile [unoptimized] target(s) in 0.03s
────────────
 Nextest run ID 9a7f with nextest profile: default
    Starting 4 tests across 2 binaries (1 test skipped)
        PASS [   0.004s] shop parse::tests::empty
        PASS [   0.012s] (2/4) shop::whole imports a file
  TRY 1 FAIL [   0.003s] shop flaky
  TRY 2 PASS [   0.003s] shop flaky
        SLOW [> 60.000s] shop never::ended
        SKIP [         ] shop slow
────────────
     Summary [   0.020s] 3 tests run: 3 passed (1 flaky), 1 skipped
   FLAKY 2/3 [   0.003s] shop flaky
";
    let names = ["1 shop flaky", "1 shop parse::tests::empty", "1 shop::whole imports a file"];
    assert_eq!(told(&streams("", out)), (names.map(str::to_owned).to_vec(), 1));
}

#[test]
fn gos_tests_belong_to_the_package_that_is_named_after_them() {
    let out = "=== RUN   TestImport
=== RUN   TestImport/empty
--- PASS: TestImport (0.00s)
    --- PASS: TestImport/empty (0.00s)
=== RUN   TestSlow
    a_test.go:9: not today
--- SKIP: TestSlow (0.00s)
PASS
ok  \texample.com/shop\t0.004s
=== RUN   TestImport
--- PASS: TestImport (0.00s)
PASS
ok  \texample.com/shop/sub\t(cached)
?   \texample.com/shop/cmd\t[no test files]
";
    let names =
        ["1 example.com/shop TestImport", "1 example.com/shop TestImport/empty", "1 example.com/shop/sub TestImport"];
    assert_eq!(told(&printed(out)), (names.map(str::to_owned).to_vec(), 1));
}

#[test]
fn go_without_v_has_packages_and_one_without_tests_is_lost() {
    let base = printed("ok  \texample.com/shop\t0.004s\n?   \texample.com/cmd\t[no test files]\n");
    assert_eq!(told(&base).0, ["1 example.com/shop "]);
    assert_eq!(lost(&base, &printed("ok  \texample.com/shop\t0.003s [no tests to run]\n")), ["example.com/shop"]);
}

#[test]
fn gos_events_are_borne_in_any_order() {
    let event = |action, test| {
        format!(r#"{{"Time":"2026-01-01T00:00:00Z","Action":"{action}","Package":"p","Test":"{test}","Elapsed":0}}"#)
    };
    let lines = [event("run", "TestA"), event("run", "TestB"), event("skip", "TestB"), event("pass", "TestA")];
    let output = r#"{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA (0.00s)\n"}"#;
    let out = format!("{output}\n{}\n{}\n", lines.join("\n"), r#"{"Action":"pass","Package":"p"}"#);
    assert_eq!(told(&printed(&out)), (vec!["1 p TestA".to_owned()], 1));
}

#[test]
fn pytests_node_ids_are_the_same_from_workers_in_any_order() {
    let plain = "test_a.py::test_one PASSED                                               [ 16%]
test_a.py::test_two SKIPPED (no)                                         [ 33%]
test_a.py::test_p[a b] PASSED                                            [ 50%]
test_a.py::test_x XFAIL (known)                                          [ 83%]
test_a.py::TestC::test_m PASSED                                          [100%]
";
    let workers = "[gw0] linux Python 3.11.7 cwd: /cache/a
test_a.py::TestC::test_m
[gw1] [ 16%] PASSED test_a.py::TestC::test_m
[gw0] [ 33%] XFAIL test_a.py::test_x
[gw1] [ 50%] SKIPPED test_a.py::test_two
[gw0] [ 66%] PASSED test_a.py::test_one
[gw1] [100%] PASSED test_a.py::test_p[a b]
";
    let names = ["1 test_a.py TestC::test_m", "1 test_a.py test_one", "1 test_a.py test_p[a b]"];
    assert_eq!(told(&printed(plain)), (names.map(str::to_owned).to_vec(), 2));
    assert_eq!(printed(workers), printed(plain));
}

#[test]
fn a_pytest_without_v_counts_by_file_and_a_quiet_one_in_all() {
    let plain = |marks| {
        printed(&format!("collected 9 items\n\ntests/test_a.py {marks} [ 66%]\n..x [100%]\n\n=== 7 passed ===\n"))
    };
    assert_eq!(told(&plain(".s....")), (vec!["7 tests/test_a.py ".to_owned()], 2));
    assert_eq!(lost(&plain("......"), &plain(".s....")), ["tests/test_a.py (7 of 8 ran)"]);
    assert_eq!(told(&printed(".s..x.                [100%]\n4 passed, 1 skipped, 1 xfailed in 0.06s\n")).0, ["4  "]);
    assert!(printed("......\nDone.\n").is_empty(), "dots alone are no tests");
}

#[test]
fn jests_list_has_groups_and_its_summary_counts() {
    let one = "PASS j/c.test.cjs
  ✓ plain (2 ms)
  group
    ✓ inner
    ○ skipped left
    ✎ todo later

Test Suites: 1 passed, 1 total
Tests:       1 skipped, 1 todo, 2 passed, 4 total
";
    let two = "PASS j/d.test.cjs
PASS j/c.test.cjs (5.1 s)

Test Suites: 2 passed, 2 total
Tests:       2 skipped, 2 todo, 4 passed, 8 total
";
    let (one, two) = (streams("", one), streams("", two));
    assert_eq!(told(&one), (["1 j/c.test.cjs group > inner", "1 j/c.test.cjs plain"].map(str::to_owned).to_vec(), 2));
    assert_eq!(told(&two), (["4  ", "1 j/c.test.cjs ", "1 j/d.test.cjs "].map(str::to_owned).to_vec(), 4));
    assert!(lost(&one, &two).is_empty(), "with a second file jest lists no tests any more");
    assert_eq!(lost(&two, &one), ["tests without a name (2 of 4 ran)"]);
}

#[test]
fn vitest_lists_tests_or_counts_them_by_file() {
    let verbose = " RUN  v2.1.9 /cache/a

 ✓ s/a.test.ts > plain
 ✓ s/a.test.ts > group > inner 312ms
 ↓ s/a.test.ts > group > left
 ✓ s/b.test.ts > other

      Tests  3 passed | 1 skipped (4)
";
    let plain = "\x1b[32m ✓\x1b[39m s/a.test.ts (3 tests | 1 skipped) 7ms
 ✓ |web| s/b.test.ts  (1 test) 1ms

 Test Files  2 passed (2)
      Tests  3 passed | 1 skipped (4)
";
    let names = ["1 s/a.test.ts group > inner", "1 s/a.test.ts plain", "1 s/b.test.ts other"];
    assert_eq!(told(&printed(verbose)), (names.map(str::to_owned).to_vec(), 1));
    assert_eq!(told(&printed(plain)), (["2 s/a.test.ts ", "1 s/b.test.ts "].map(str::to_owned).to_vec(), 1));
}

#[test]
fn nodes_two_reports_and_plain_tap_name_nested_tests() {
    let tap = "TAP version 13
# Subtest: plain
ok 1 - plain
  ---
  duration_ms: 1.2
  ...
# Subtest: group
    # Subtest: inner
    ok 1 - inner
    # Subtest: left
    ok 2 - left # SKIP
    1..2
ok 2 - group
ok 3 - later # TODO
1..3
";
    let spec = "✔ plain (6.9ms)
▶ group
  ✔ inner (0.2ms)
  ﹣ left (0.1ms) # SKIP
✔ group (0.8ms)
✔ later (0.1ms) # TODO
";
    let names = ["1  group", "1  group > inner", "1  plain"];
    assert_eq!(told(&printed(tap)), (names.map(str::to_owned).to_vec(), 2));
    assert_eq!(printed(spec), printed(tap));
    let bats = printed("1..2\nok 1 imports a file\nok 2 exports it # skip no disk\n");
    assert_eq!(told(&bats), (vec!["1  imports a file".to_owned()], 1));
}

#[test]
fn junit_cases_are_read_past_comments_and_quoted_signs() {
    let document = r#"<?xml version="1.0"?><!-- <testcase name="none"/> -->
<testsuites><testsuite name="s"><testcase classname="a.B" name="x &lt; y &amp;&amp; &quot;z&quot;" time="0.1"/>
<testcase name='a > b' classname="a.B"><system-out><![CDATA[<testcase name="none"/>]]></system-out></testcase>
<testcase classname="a.B" name="left"><skipped message="no"/></testcase>
<testcase classname="a.B" name="not run" status="notrun"/></testsuite></testsuites>"#;
    let mut found = TestInventory::default();
    junit::cases(document, &mut found);
    assert_eq!(told(&found), (["1 a.B a > b", "1 a.B x < y && \"z\""].map(str::to_owned).to_vec(), 2));
}

#[test]
fn a_junit_file_counts_when_the_run_wrote_it_and_the_one_asked_for_stands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| dir.path().join(path);
    let write = |path: &str, test: &str| {
        std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        std::fs::write(at(path), format!("<testcase classname='c' name='{test}'/>")).unwrap();
    };
    write("slot/build/test-results/test/TEST-old.xml", "old");
    write("home/junit.xml", "of the last run");
    write("out", "");
    let before = JunitFiles::before_run(&at("slot"), &at("home/junit.xml")).unwrap();
    let read = || {
        let (stdout, stderr) = (at("out"), at("out"));
        told(&read_inventory(CheckOutput { stdout: &stdout, stderr: &stderr, before: &before, folders: &[] }).unwrap())
            .0
    };
    assert!(read().is_empty(), "what was there before is of another run");
    write("slot/build/test-results/test/TEST-new.xml", "new");
    write("slot/junit.xml", "top");
    write("slot/target/nextest/ci/junit.xml", "next");
    assert_eq!(read(), ["1 c new", "1 c next", "1 c top"]);
    write("home/junit.xml", "asked for");
    assert_eq!(read(), ["1 c asked for"]);
}

#[test]
fn a_path_of_the_slot_in_a_name_is_the_same_in_both_slots() {
    let found = printed("/cache/a/test_a.py::test_one PASSED [100%]\n");
    assert_eq!(told(&found).0, ["1 {slot}/test_a.py test_one"]);
}

#[test]
fn names_that_differ_between_two_runs_of_one_code_are_left_out() {
    let mut base = printed("t.py::a PASSED\nt.py::at_0x7f01 PASSED\nt.py::b PASSED\n");
    let again = printed("t.py::b PASSED\nt.py::at_0x7f02 PASSED\nt.py::a PASSED\n");
    let gone: Vec<String> = base.keep_common(&again).iter().map(ToString::to_string).collect();
    assert_eq!(gone, ["t.py at_0x7f01"]);
    assert!(lost(&base, &printed("t.py::a PASSED\nt.py::b PASSED\n")).is_empty());
    assert_eq!(lost(&base, &printed("t.py::a PASSED\n")), ["t.py b"]);
}

#[test]
fn an_inventory_without_end_is_cut_and_says_so() {
    let many: Vec<String> = (0..200_001).map(|number| format!("t.py::test_{number} PASSED")).collect();
    let found = printed(&(many.join("\n") + "\nok 1 - one more\n"));
    assert!(found.is_cut());
    assert_eq!(found.count_ran(), 200_000);
}
