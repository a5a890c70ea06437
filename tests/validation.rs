//! What was gained, measured afresh; keeps that no longer pay; keeps that were another program all along.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{TestEnvironment, wait_for};

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// Returns the validations of a session's gain, without re-tests.
fn validated(env: &TestEnvironment) -> Vec<Value> {
    env.events("counting", "validated").into_iter().filter(|line| line["without"].is_null()).collect()
}

#[test]
fn a_session_ends_with_its_gain_measured_afresh_and_only_once_for_a_tip() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    let answer = env.run(["run"]).expect(0);
    assert!(answer.stdout.contains("validated: work -10.0 % [-10.0, -10.0]"), "{}", answer.stdout);
    assert!(answer.stdout.contains("code layout"), "{}", answer.stdout);
    let lines = validated(&env);
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!((&line["base"], &line["tip"]), (&json!(env.rev("main")), &json!(env.rev(BRANCH))));
    assert_eq!(line["values"], json!([[1000.0, 900.0], [1000.0, 900.0], [1000.0, 900.0]]), "an exact counter");
    let gain = (1000.0_f64 / 900.0).ln();
    assert!((line["gain"].as_f64().unwrap() - gain).abs() < 1e-12, "{line}");
    assert!((line["claimed"]["gain"].as_f64().unwrap() - gain).abs() < 1e-9, "{line}");
    let own: Vec<Value> = env.events("counting", "pair").into_iter().filter(|l| l["experiment"].is_null()).collect();
    assert_eq!(own.len(), 3, "raw pairs belong to no experiment");
    env.run(["run"]).expect(0);
    assert_eq!(validated(&env).len(), 1, "nothing was kept since");
    let status = env.run(["status", "--json"]).expect(0).json();
    assert!((status["validated"]["change"]["value"].as_f64().unwrap() + 10.0).abs() < 1e-9, "{status}");
    assert!(env.run(["log"]).expect(0).stdout.contains("validated: work"));
    assert!(env.run(["status"]).expect(0).stdout.contains("validated"));
}

#[test]
fn validate_measures_again_with_other_coins_and_says_so_when_nothing_is_kept() {
    let env = TestEnvironment::counting_project();
    env.run(["validate"]).expect(1);
    env.patch("1-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    assert_eq!(validated(&env).len(), 0);
    assert!(env.run(["validate"]).expect(0).stdout.contains("nothing is kept"));
    env.patch("2-win.patch", "src/work", "900\n");
    let before = env.belongings();
    env.run(["run"]).expect(0);
    let tip = env.rev(BRANCH);
    let answer = env.run(["validate", "--json"]).expect(0).json();
    assert_eq!((&answer["validated"]["number"], &answer["validated"]["shown"]), (&json!(2), &json!(true)));
    assert_eq!(answer["failed"], json!(null));
    assert_eq!(validated(&env).len(), 2);
    assert_eq!((env.rev(BRANCH), env.belongings()), (tip, before));
}

#[test]
fn a_night_with_a_stop_ends_early_enough_for_the_validation_of_what_it_kept() {
    let env = TestEnvironment::counting_project();
    env.configure(|config| config["stop"] = json!({ "maxHours": 0.08 }));
    env.patch("0-no-op.patch", "src/none", "nothing\n");
    env.run(["run"]).expect(0);
    let ends = |env: &TestEnvironment| env.events("counting", "stopped").pop().unwrap();
    assert_eq!(ends(&env)["rule"], "candidates_exhausted");
    builds_take_long(&env);
    env.patch("1-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.patch("2-win.patch", "src/work", "900\n");
    env.patch("3-more.patch", "src/more", "of no use\n");
    env.run(["run"]).expect(0);
    let end = ends(&env);
    assert_eq!(end["rule"], "max_hours", "{end}");
    let detail = end["detail"].as_str().unwrap();
    assert!(detail.ends_with(" of 0.08 hours, 5 min kept for the validation"), "{detail}");
    let verdicts = env.verdicts("counting");
    assert_eq!(verdicts.last().unwrap().0, "win", "the no-op before it kept nothing, and reserved nothing");
    assert_eq!(validated(&env).len(), 1);
    env.run(["run"]).expect(0);
    assert_eq!(ends(&env)["rule"], "candidates_exhausted", "what is validated reserves nothing");
}

#[test]
fn a_noisy_metric_takes_twenty_pairs_and_an_interval() {
    let env = TestEnvironment::counting_project();
    // Noise that differs from run to run and not between machines: a count of runs, in the slot's private home.
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nn=$(cat \"$HOME/n\" 2>/dev/null || echo 0)\necho $((n + 1)) > \"$HOME/n\"\n\
         echo \"METRIC work=$(($(cat src/work) + (n * 7) % 11))\"\n",
    );
    env.patch("1-win.patch", "src/work", "800\n");
    env.run(["run"]).expect(0);
    let line = validated(&env).remove(0);
    assert_eq!((&line["pairs"], line["values"].as_array().unwrap().len()), (&json!(20), 20));
    let (low, gain, high) = (line["low"].as_f64(), line["gain"].as_f64(), line["high"].as_f64());
    assert!(low < gain && gain < high && (0.20..0.25).contains(&gain.unwrap()), "{low:?} {gain:?} {high:?}");
    let pairs = env.events("counting", "pair").into_iter().filter(|l| l["experiment"].is_null());
    let orders: std::collections::BTreeSet<String> = pairs.map(|pair| pair["order"].to_string()).collect();
    assert_eq!(orders.len(), 2, "both orders occur");
}

#[test]
fn the_status_names_a_running_validation_and_a_running_re_test() {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| config["bench"]["timeoutSeconds"] = json!(300));
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let journal = env.state("counting").join("journal.jsonl");
    env.hook(&format!(
        "until [ -e {}$(grep -c '\"type\":\"validated\"' {}) ]; do sleep 0.01; done\necho \"METRIC work=$(cat src/work)\"",
        env.beside("go").display(),
        journal.display()
    ));
    let mut child = env.spawn(["validate", "--leave-one-out"]);
    let says = |what: &str| {
        wait_for(what, || env.run(["status"]).expect(0).stdout.contains(&format!("now         {what}")));
    };
    says("the validation of the gain");
    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["outside"]["what"], "the validation of the gain", "{status}");
    fs::write(env.beside("go1"), "").unwrap();
    says("the re-test of keep #1: the tip without it against the tip");
    fs::write(env.beside("go2"), "").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(env.run(["status", "--json"]).expect(0).json()["outside"], json!(null));
}

#[test]
fn a_keep_that_a_later_one_made_useless_is_proposed_for_revert_and_not_reverted() {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nif grep -q fast src/other; then echo METRIC work=500; else echo METRIC work=$(cat src/work); fi\n",
    );
    env.patch("1-less.patch", "src/work", "900\n");
    env.patch("2-fast.patch", "src/other", "first\nsecond\nfast\n");
    env.run(["run"]).expect(0);
    let tip = env.rev(BRANCH);
    let answer = env.run(["validate", "--leave-one-out", "--json"]).expect(7).json();
    let outcome = |n: usize| (answer["retests"][n]["experiment"].clone(), answer["retests"][n]["outcome"].clone());
    assert_eq!(outcome(0), (json!(1), json!("no_longer_pays")), "{answer}");
    assert_eq!(outcome(1), (json!(2), json!("pays")), "{answer}");
    assert_eq!(answer["validated"]["falls_short"], json!(false));
    assert_eq!(env.rev(BRANCH), tip);
    let notes = env.events("counting", "note");
    assert!(notes.iter().any(|note| note["text"].as_str().unwrap().contains("keep #1 no longer pays")), "{notes:?}");
    assert!(env.run(["status"]).expect(0).stdout.contains("-50.0 %"), "re-tests do not take the gain's place");
}

#[test]
fn a_keep_that_a_later_one_builds_on_cannot_be_reverted_alone() {
    let env = TestEnvironment::counting_project();
    env.patch("1-less.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.raw_patch("2-lesser.patch", "--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-900\n+800\n");
    env.run(["run"]).expect(0);
    let answer = env.run(["validate", "--leave-one-out"]).expect(0);
    assert!(answer.stdout.contains("cannot be reverted alone: a later keep changed src/work"), "{}", answer.stdout);
    assert!(answer.stdout.contains("still pays"), "{}", answer.stdout);
}

/// Makes a project whose warm cache can be poisoned, with a calibration that says that builds take long, so that clean
/// rebuilds wait; a real win, a candidate that poisons the cache, and one that is fast by poison alone.
fn poisoned_project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script(
        "build.sh",
        "#!/bin/sh\nset -eu\nmkdir -p cache\nif [ -e src/poison ]; then touch cache/poison; fi\n\
         if [ -e cache/poison ] && grep -q fast src/other; then echo $(($(cat src/work) / 2)) > out\n\
         else cp src/work out; fi\n",
    );
    env.script("bench.sh", "#!/bin/sh\necho \"METRIC work=$(cat out)\"\n");
    env.configure(|config| config["build"] = json!({ "command": "./build.sh", "keep": ["cache/"] }));
    env.commit("a project that is built");
    env.patch("0-no-op.patch", "src/none", "nothing\n");
    env.run(["run"]).expect(0);
    builds_take_long(&env);
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-poison.patch", "src/poison", "a trap\n");
    env.patch("3-fast.patch", "src/other", "first\nsecond\nfast\n");
    env
}

/// Makes the poisoned project with an idea that the candidate by poison tries.
fn poisoned_idea() -> TestEnvironment {
    let env = poisoned_project();
    let diff = env.read("candidates/3-fast.patch");
    let head = "From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n\
                From: Ann Other <ann@example.org>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\
                Subject: [PATCH] fast\n\nBecause.\n\nIdea: quick\n---\n";
    env.raw_patch("3-fast.patch", format!("{head}{diff}-- \n2.47.3\n"));
    env.write("ideas.md", "# Ideas\n\n## To try\n\n- [ ] **quick** Be fast.\n");
    env
}

const CORRECTED: &str = "# Ideas\n\n## To try\n\n## Tried\n\n- [x] **quick** Be fast. undone: stale build (#4)\n";

fn of_ideas(env: &TestEnvironment) -> Vec<(String, bool)> {
    let edits = env.events("counting", "idea_edit");
    edits.iter().map(|e| (e["edit"].as_str().unwrap().to_owned(), e["written"] == true)).collect()
}

#[test]
fn what_ideas_md_says_of_a_keep_is_corrected_when_it_is_undone() {
    let env = poisoned_idea();
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "fast")["run"], 4);
    assert_eq!(env.read("ideas.md"), CORRECTED);
    assert_eq!(of_ideas(&env), [("kept -50.0 %".to_owned(), true), ("undone: stale build".to_owned(), true)]);
}

#[test]
fn a_correction_that_a_crash_or_a_missing_file_left_undone_is_made_later() {
    let env = poisoned_idea();
    env.run(["run"]).expect(0);
    let text = env.journal_text("counting");
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().position(|line| line.contains("\"type\":\"undone\"")).unwrap();
    let cut = lines[..=last].join("\n") + "\n";
    for found in [CORRECTED.replace("undone: stale build", "kept -50.0 %"), CORRECTED.to_owned()] {
        fs::write(env.state("counting").join("journal.jsonl"), &cut).unwrap();
        env.write("ideas.md", found);
        env.run(["run"]).expect(0);
        assert_eq!(env.read("ideas.md"), CORRECTED);
        assert_eq!(of_ideas(&env).last().unwrap(), &("undone: stale build".to_owned(), true));
    }
    fs::write(env.state("counting").join("journal.jsonl"), &cut).unwrap();
    fs::remove_file(env.repo().join("ideas.md")).unwrap();
    env.run(["run"]).expect(0);
    assert_eq!(env.run(["status", "--json"]).expect(0).json()["waiting_edits"], 1);
    env.write("ideas.md", CORRECTED.replace("undone: stale build", "kept -50.0 %"));
    env.run(["run"]).expect(0);
    assert_eq!(env.read("ideas.md"), CORRECTED);
    assert_eq!(env.run(["status", "--json"]).expect(0).json()["waiting_edits"], 0);
}

fn builds_take_long(env: &TestEnvironment) {
    let lines: Vec<String> = env
        .journal("counting")
        .into_iter()
        .map(|mut line| {
            if line["type"] == "calibrated" {
                line["build_s"] = json!(150.0);
            }
            line.to_string() + "\n"
        })
        .collect();
    fs::write(env.state("counting").join("journal.jsonl"), lines.concat()).unwrap();
}

#[test]
fn a_keep_made_by_a_poisoned_cache_is_found_and_undone_at_the_validation() {
    let env = poisoned_project();
    let before = env.belongings();
    env.run(["run"]).expect(0);
    let kept = env.settled("counting", "fast");
    assert_eq!((&kept["status"], &kept["flags"]), (&json!("keep"), &json!(["rebuild_due"])), "deferred, and says so");
    let undone = env.events("counting", "undone");
    assert_eq!(
        (undone.len(), &undone[0]["experiment"], &undone[0]["commit"]),
        (1, &kept["run"], &json!(env.rev(BRANCH)))
    );
    assert_eq!(undone[0]["tip"], kept["commit"]);
    assert_eq!(env.git(["show", &format!("{BRANCH}:src/other")]), "first\nsecond\nthird\n");
    assert_eq!(env.git(["show", &format!("{BRANCH}:src/work")]), "900\n", "the true win stands");
    assert!(env.git(["log", "-1", "--format=%B", BRANCH]).contains("This reverts commit"));
    let last = validated(&env).pop().unwrap();
    assert_eq!((&last["tip"], &last["rebuilt"]), (&json!(env.rev(BRANCH)), &json!(null)));
    assert!((last["gain"].as_f64().unwrap() - (1000.0_f64 / 900.0).ln()).abs() < 1e-9, "{last}");
    assert_eq!(validated(&env)[0]["rebuilt"], json!([2]), "the true win was rebuilt and is sound");
    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!((&status["counts"]["kept"], &status["counts"]["undone"]), (&json!(1), &json!(1)), "{status}");
    assert_eq!(status["kept"][0]["flags"], json!([]), "nothing is due any more");
    assert_eq!(env.belongings(), before);
    env.git(["fsck", "--strict"]);

    env.patch("4-more.patch", "src/more", "of no use\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("more", "discard", "no_effect", "")]);
    assert_eq!(env.settled("counting", "more")["metric"], 900.0, "measured on the reverted tip");
}

#[test]
fn an_undoing_that_was_journalled_and_not_done_is_done_by_the_next_run() {
    let env = poisoned_project();
    env.run(["run"]).expect(0);
    let (revert, text) = (env.rev(BRANCH), env.journal_text("counting"));
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().position(|line| line.contains("\"type\":\"undone\"")).unwrap();
    fs::write(env.state("counting").join("journal.jsonl"), lines[..=last].join("\n") + "\n").unwrap();
    env.git(["update-ref", BRANCH, &format!("{revert}~1")]);
    env.run(["run"]).expect(0);
    assert_eq!(env.rev(BRANCH), revert);
    let recovered = env.events("counting", "recovered");
    assert!(recovered[0]["action"].as_str().unwrap().contains("moved the branch to the revert"), "{recovered:?}");
    assert_eq!(env.events("counting", "undone").len(), 1);
    assert_eq!(validated(&env).pop().unwrap()["tip"], json!(revert));
}

#[test]
fn a_stale_keep_that_cannot_be_reverted_stops_the_session_and_moves_nothing() {
    let env = poisoned_project();
    // The slots swapped roles: the other cache is poisoned too, so that the next win is one by poison as well.
    env.patch("4-poison-again.patch", "src/poison", "a trap\n");
    env.raw_patch(
        "5-on-top.patch",
        "--- a/src/other\n+++ b/src/other\n@@ -1,3 +1,3 @@\n first\n second\n-fast\n+very fast\n\
         --- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-900\n+600\n",
    );
    let answer = env.run(["run"]).expect(8);
    assert!(answer.stderr.contains("cannot be reverted alone"), "{}", answer.stderr);
    assert_eq!(env.events("counting", "stopped").pop().unwrap()["rule"], "undo_conflict");
    assert!(env.events("counting", "undone").is_empty());
    assert_eq!(env.settled("counting", "on top")["commit"], env.rev(BRANCH));
}
