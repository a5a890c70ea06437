//! What is asked of a win before it is kept, and of the machine before and around each pair.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::TestEnvironment;

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// Makes a project whose build copies the number in `src/work`, and whose bench prints it with a little noise.
///
/// Where `src/other` says `lucky` the program is faster in one of the two slots only; where it says `stale` the build
/// takes a short cut that only a warm cache allows.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script(
        "build.sh",
        "#!/bin/sh\nset -eu\nmkdir -p cache\n\
         if grep -q stale src/other && [ -f cache/value ]; then echo 900 > cache/value; exit; fi\n\
         cp src/work cache/value\n",
    );
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nn=$(cat \"$HOME/n\" 2>/dev/null || echo 0)\nn=$((n + 1))\necho $n > \"$HOME/n\"\n\
         value=$(cat cache/value)\n\
         case \"$(basename \"$PWD\")\" in\n\
         *b) noise=$((n * 5 % 11)); if grep -q lucky src/other; then value=900; fi ;;\n\
         *) noise=$((n * 7 % 11)) ;;\nesac\n\
         echo \"METRIC work=$((value * 100 + noise * 10))\"\necho \"INVARIANT cores=$(nproc)\"\n",
    );
    env.configure(|config| config["build"] = json!({ "command": "./build.sh", "keep": ["cache/"] }));
    env.commit("a project that builds");
    env
}

fn pairs(env: &TestEnvironment, experiment: u64, swapped: bool) -> Vec<Value> {
    let mut pairs = env.events("counting", "pair");
    pairs.retain(|pair| pair["experiment"] == experiment && (pair["swapped"] == true) == swapped);
    pairs
}

/// Returns a core that this process may use.
fn a_core() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    list.trim().chars().take_while(char::is_ascii_digit).collect()
}

fn numbers(pairs: &[Value]) -> Vec<u64> {
    pairs.iter().map(|pair| pair["pair"].as_u64().unwrap()).collect()
}

#[test]
fn a_true_win_is_confirmed_with_the_slots_swapped_and_the_next_one_too() {
    let env = project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\n");
    env.change("3-more.patch", |env| env.write("src/more", "a second file\n"));
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting")[0], ("win".into(), "keep".into(), "improved".into()));
    let (raced, swapped) = (pairs(&env, 1, false), pairs(&env, 1, true));
    let last = raced.len() as u64;
    assert_eq!(numbers(&swapped), [last + 1, last + 2, last + 3], "a clear win needs three");
    let effect = env.settled("counting", "win")["effect"]["pairs"].as_u64();
    assert_eq!(effect, Some(last), "the evidence is the race's alone");
    let decided = env.events("counting", "decided");
    let detail = decided[0]["detail"].as_str().unwrap();
    assert!(detail.ends_with("confirmed by 3 pairs in swapped slots"), "{detail}");
    for no_effect in ["no op", "more"] {
        assert_eq!(env.settled("counting", no_effect)["status"], "discard", "the baseline is the kept one now");
    }
    let shown = env.run(["show", "1"]).expect(0).stdout;
    assert_eq!(shown.matches("slots swapped").count(), 3, "{shown}");
}

#[test]
fn a_second_win_after_a_confirmed_one_is_measured_against_it() {
    let env = project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.raw_patch("2-next.patch", "--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-900\n+810\n");
    env.run(["run"]).expect(0);
    let run = env.settled("counting", "next");
    assert_eq!(run["status"], "keep", "{run}");
    let mu = run["effect"]["mu"].as_f64().unwrap();
    assert!((mu - (900.0_f64 / 810.0).ln()).abs() < 0.003, "{mu}");
    assert_eq!(env.git(["show", &format!("{BRANCH}:src/work")]), "810\n");
}

#[test]
fn a_win_in_one_slot_only_is_inconclusive_unless_nobody_asks() {
    let env = project();
    env.patch("1-lucky.patch", "src/other", "lucky\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("lucky", "discard", "inconclusive", "with the slots swapped")]);
    assert_eq!(pairs(&env, 1, true).len(), 5);
    assert_eq!(env.rev(BRANCH), env.rev("main"));

    let env = project();
    env.configure(|config| config["decision"]["confirm"] = json!("off"));
    env.patch("1-lucky.patch", "src/other", "lucky\n");
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "lucky")["status"], "keep");
    assert!(pairs(&env, 1, true).is_empty());
}

#[test]
fn a_win_that_only_a_warm_cache_made_is_a_stale_build_confirmed_or_not() {
    for confirm in ["on", "off"] {
        let env = project();
        env.configure(|config| config["decision"]["confirm"] = json!(confirm));
        env.patch("1-stale.patch", "src/other", "stale\n");
        env.patch("2-win.patch", "src/work", "900\n");
        env.run(["run"]).expect(0);
        env.expect_verdicts("counting", &[("stale", "checks_failed", "stale_build", "from an empty cache")]);
        assert_eq!(env.settled("counting", "win")["status"], "keep", "{confirm}");
    }
}

#[test]
fn a_confirmation_cut_short_goes_on_with_its_pairs() {
    let env = project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let (before, swapped) = (pairs(&env, 1, false), pairs(&env, 1, true));
    let text = env.journal_text("counting");
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().position(|line| line.contains("\"swapped\":true")).unwrap() + 1;
    std::fs::write(env.state("counting").join("journal.jsonl"), lines[..=last].join("\n") + "\n").unwrap();
    env.git(["update-ref", BRANCH, "main"]);
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "win")["status"], "keep");
    assert_eq!(numbers(&pairs(&env, 1, false)), numbers(&before));
    assert_eq!(numbers(&pairs(&env, 1, true)), numbers(&swapped), "two were there, the third was added");
    assert_eq!(env.git(["show", &format!("{BRANCH}:src/work")]), "900\n");
}

#[test]
fn measured_runs_are_pinned_and_every_pair_says_what_the_machine_was_like() {
    let env = project();
    env.patch("1-no-op.patch", "src/other", "first\n");
    env.run(["run", "--pin", &a_core()]).expect(0);
    let found = env.events("counting", "pair");
    assert!(found.len() > 4);
    for pair in &found {
        assert_eq!(pair["baseline"]["invariants"], json!(["cores=1"]));
        assert_eq!(pair["candidate"]["invariants"], json!(["cores=1"]));
        assert!(pair["host"]["load"].is_number(), "{pair}");
    }
}

#[test]
fn cores_that_are_none_or_not_there_are_refused_with_what_there_is() {
    let env = project();
    env.patch("1-no-op.patch", "src/other", "first\n");
    let error = env.run(["run", "--pin", "2-1"]).expect(1).stderr;
    assert!(error.contains("--pin: 'host.pin' is wrong: '2-1' is no list of cores"), "{error}");
    let error = env.run(["run", "--pin", "1023"]).expect(1).stderr;
    assert!(error.contains("runs cannot be pinned to core 1023: this process may use "), "{error}");
    env.configure(|config| config["host"] = json!({ "pin": "x" }));
    let error = env.run(["run"]).expect(1).stderr;
    assert!(error.contains("'host.pin' is wrong: 'x' is no list of cores"), "{error}");
}
