//! The demo: verdicts and the end state against the truth, on small experiments whose metric is exact.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::TestEnvironment;

/// Makes an experiment whose work is the sum of two files, each of which has a patch that lowers it.
fn experiment(truth: impl FnOnce(&mut Value)) -> TestEnvironment {
    let env = TestEnvironment::empty();
    env.script("sum/bench.sh", "#!/bin/sh\nset -eu\necho \"METRIC work=$(($(cat src/a) + $(cat src/b)))\"\n");
    env.write("sum/src/a", "600\n");
    env.write("sum/src/b", "400\n");
    let config = json!({
        "name": "sum",
        "bench": { "command": "./bench.sh", "warmup": 0 },
        "metrics": { "primary": { "name": "work" } },
        "scope": { "allow": ["src/**"] },
        "candidates": [{ "patches": "candidates" }],
        "decision": { "calibrationPairs": 4 },
    });
    env.write("sum/autoresearch.config.json", config.to_string());
    for (name, file, from, to) in
        [("1-less-a", "a", 600, 500), ("2-less-b", "b", 400, 300), ("3-more-b", "b", 400, 450)]
    {
        let hunk = format!("--- a/src/{file}\n+++ b/src/{file}\n@@ -1 +1 @@\n-{from}\n+{to}\n");
        env.write(&format!("sum/candidates/{name}.patch"), format!("{name}\n\n{hunk}"));
    }
    let mut known = json!({
        "format": 1,
        "experiment": "sum",
        "needs": ["git"],
        "end": { "metric": "work", "atMost": -19.9 },
        "candidates": [
            known("1-less-a", "keep", "improved"),
            known("2-less-b", "keep", "improved"),
            known("3-more-b", "crash", "apply_failed"),
        ],
    });
    known["candidates"][2]["requires"] = json!(["2-less-b.patch"]);
    truth(&mut known);
    env.write("sum/truth.json", known.to_string());
    env
}

fn known(name: &str, status: &str, reason: &str) -> Value {
    let expected = [json!({ "status": status, "reason": reason })];
    json!({ "patch": format!("{name}.patch"), "kind": "any", "expected": expected, "why": "it is so" })
}

#[test]
fn a_folder_with_a_truth_is_run_and_agrees_or_not() {
    let env = experiment(|_| {});
    let answer = env.run(["demo", "sum", "--quick", "--keep", "kept", "--table", "table.md"]).expect(0);
    assert!(answer.stdout.contains("3 of 3 verdicts agree with the truth; 2 kept."), "{}", answer.stdout);
    assert!(answer.stdout.contains("the truth is -19.9 or less of work: yes"), "{}", answer.stdout);
    let table = env.read("table.md");
    assert!(table.contains("## sum (quick)") && table.contains("| 1-less-a "), "{table}");
    assert_eq!(env.read("kept/sum/profile"), "quick\n");

    let wrong = experiment(|truth| truth["candidates"][0] = known("1-less-a", "discard", "no_effect"));
    let answer = wrong.run(["demo", "sum", "--quick"]).expect(7);
    assert!(answer.stdout.contains("2 of 3 verdicts agree"), "{}", answer.stdout);
    let only = wrong.run(["demo", "sum", "--quick", "--only", "2-less"]).expect(0);
    assert!(only.stdout.contains("1 of 1 verdicts agree") && !only.stdout.contains("the truth is"), "{}", only.stdout);
}

#[test]
fn an_end_state_that_is_not_reached_is_a_disagreement_where_every_verdict_agrees() {
    let env = experiment(|truth| truth["end"]["atMost"] = json!(-20.1));
    let answer = env.run(["demo", "sum", "--quick"]).expect(7);
    assert!(answer.stdout.contains("3 of 3 verdicts agree"), "{}", answer.stdout);
    assert!(answer.stdout.contains("the truth is -20.1 or less of work: NO"), "{}", answer.stdout);
    let other = experiment(|truth| truth["end"]["metric"] = json!("other"));
    other.run(["demo", "sum", "--quick"]).expect(7);
}

#[test]
fn orders_end_equal_and_a_keep_of_some_orders_is_named() {
    let env = experiment(|_| {});
    let answer =
        env.run(["demo", "sum", "--quick", "--orders", "3", "--keep", "kept", "--table", "table.md"]).expect(0);
    assert!(answer.stdout.contains("The ends are equal within the noise."), "{}", answer.stdout);
    assert!(answer.stdout.contains("Kept in every order: 1-less-a, 2-less-b."), "{}", answer.stdout);
    assert!(env.read("table.md").contains("## sum in 3 orders"));
    assert!(env.repo().join("kept/sum/order-3/sum/candidates").is_dir());

    // Where the second patch no longer needs the first to fail, one order keeps what the others cannot apply.
    let odd = experiment(|truth| truth["candidates"][2]["requires"] = json!([]));
    odd.write("sum/candidates/3-more-b.patch", "3-more-b\n\n--- a/src/b\n+++ b/src/b\n@@ -1 +1 @@\n-400\n+350\n");
    let answer = odd.run(["demo", "sum", "--quick", "--orders", "6"]).expect(7);
    assert!(answer.stdout.contains("Kept only in some: 3-more-b"), "{}", answer.stdout);
    assert!(answer.stdout.contains("The ends are NOT equal"), "{}", answer.stdout);
}

#[test]
fn what_cannot_be_run_is_said_with_what_can() {
    let env = experiment(|truth| truth["needs"] = json!(["no-such-program"]));
    let missing = env.run(["demo", "sum"]).expect(1);
    assert!(missing.stderr.contains("experiment sum needs no-such-program"), "{}", missing.stderr);
    let unknown = env.run(["demo", "none"]).expect(1);
    assert!(unknown.stderr.contains("lsm-batch"), "{}", unknown.stderr);
    env.run(["demo", "sum", "--all"]).expect(2);
    env.write("sum/truth.json", "{");
    let broken = env.run(["demo", "sum"]).expect(1);
    assert!(broken.stderr.contains("sum/truth.json is no truth file"), "{}", broken.stderr);
}
