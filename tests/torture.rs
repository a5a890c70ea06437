//! The program killed with SIGKILL at random instants, again and again: it ends with the facts of an undisturbed session.
//!
//! The usual run is short. The long one is
//!
//! ```text
//! AUTORESEARCH_TORTURE_KILLS=500 cargo test --test torture -- --nocapture
//! ```
//!
//! `AUTORESEARCH_TORTURE_SEED` repeats a run's instants, as far as a machine repeats anything.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::facts::{assert_same_facts, facts};
use support::{TestEnvironment, listing};

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// Kills of the usual run.
const KILLS: u64 = 30;
/// Kills in one session after which it is left to end: what then comes is a fresh session.
const KILLS_PER_SESSION: u64 = 60;

/// A project whose candidates come to every kind of end, with ideas that the session edits.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script("checks/10-small", "#!/bin/sh\ntest \"$(cat src/work)\" -lt 5000\n");
    env.write(
        "ideas.md",
        "# Ideas\n\n## To try\n\n- [ ] **less** Less work.\n- [ ] **least** Least work.\n\n## Tried\n\n\
         ## Closed (do not retry)\n\n- **bloom** Filters cost more than they save.\n",
    );
    env.configure(|config| {
        config["build"] = json!({ "command": "mkdir -p out && cp src/work out/work && sleep 0.02", "keep": ["out/"] });
    });
    env.commit("checks, ideas and a build");
    // Each is made for the tip that it will meet.
    let mail = |name: &str, idea: &str, (from, to): (&str, &str)| {
        let diff =
            format!("diff --git a/src/work b/src/work\n--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-{from}\n+{to}\n");
        let head = format!(
            "From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\nFrom: Ann Other <ann@example.org>\n\
             Date: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH] {name}\n\nBecause.\n\nIdea: {idea}\n---\n"
        );
        env.raw_patch(&format!("{name}.patch"), format!("{head}{diff}-- \n2.47.3\n"));
    };
    mail("1-less", "less", ("1000", "900"));
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    mail("3-bloom", "bloom", ("900", "100"));
    env.patch("4-worse.patch", "src/more", "1\n");
    env.raw_patch("5-nowhere.patch", "--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-77\n+66\n");
    mail("6-least", "least", ("900", "800"));
    env.patch("7-out-of-scope.patch", "README", "hello\n");
    mail("8-too-much", "more", ("800", "9000"));
    env
}

/// Asserts that every commit of the branch was decided first and settled afterwards, once.
#[track_caller]
fn every_commit_is_on_record(env: &TestEnvironment) {
    let commits = env.git(["log", "--format=%H", &format!("main..{BRANCH}")]);
    for commit in commits.lines() {
        let runs = env.events("counting", "run");
        let settled = runs.iter().filter(|run| run["commit"] == commit && run["status"] == "keep");
        assert_eq!(settled.count(), 1, "settling lines of {commit}");
        assert!(env.events("counting", "decided").iter().any(|decided| decided["commit"] == commit));
    }
}

/// Asserts that the branch holds nothing yet that no synced decision names; also right after a kill.
#[track_caller]
fn nothing_unverified_is_on_the_branch(env: &TestEnvironment) {
    if !env.has_rev(BRANCH) {
        return;
    }
    let text = String::from_utf8_lossy(&env.journal_bytes("counting")).into_owned();
    for commit in env.git(["log", "--format=%H", &format!("main..{BRANCH}")]).lines() {
        let decided = |line: &str| line.contains("\"decided\"") && line.contains(commit) && line.ends_with('}');
        assert!(text.lines().any(decided), "{commit} moved the branch before it was decided");
    }
}

/// Returns all that a session must leave alone; ideas.md is edited on purpose, and compared as a fact of its own.
fn untouched(env: &TestEnvironment) -> (Vec<String>, String) {
    let own = [
        ".git/objects",
        ".git/autoresearch",
        ".git/refs/heads/autoresearch",
        ".git/logs/refs/heads/autoresearch",
        "ideas.md",
    ];
    (listing(&env.repo(), &own), env.belongings().1)
}

/// splitmix64: the instants of the kills.
struct Instants(u64);

impl Instants {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = (z ^ (z >> 31)) as f64 / u64::MAX as f64;
        limit.mul_f64(share)
    }
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// Runs a session that is killed at random instants until it ends; returns the kills that hit it.
fn tortured(env: &TestEnvironment, instants: &mut Instants, (straight, most): (Duration, u64)) -> u64 {
    let mut kills = 0;
    while kills < most {
        let mut child = env.spawn(["run"]);
        // Short lives end within the set-up, longer ones get to the measuring and the settling.
        let share = [0.15, 0.4, 0.8][usize::try_from(kills % 3).unwrap()];
        std::thread::sleep(instants.below(straight.mul_f64(share)));
        if child.try_wait().unwrap().is_some() {
            assert_eq!(child.wait().unwrap().code(), Some(0), "a start that nobody killed ended well");
            return kills;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        nothing_unverified_is_on_the_branch(env);
    }
    kills
}

#[test]
fn a_session_killed_at_any_instants_ends_with_the_facts_of_an_undisturbed_one() {
    let (wanted, seed) = (setting("AUTORESEARCH_TORTURE_KILLS", KILLS), setting("AUTORESEARCH_TORTURE_SEED", 1));
    let (clock, reference) = (Instant::now(), project());
    reference.run(["run"]).expect(0);
    let (straight, expected) = (clock.elapsed(), facts(&reference));
    assert_eq!(expected["runs"].as_array().unwrap().len(), 9, "{expected:#}");
    let mut instants = Instants(seed);
    let (mut kills, mut sessions) = (0, 0);
    while kills < wanted {
        let env = project();
        let before = untouched(&env);
        kills += tortured(&env, &mut instants, (straight, KILLS_PER_SESSION.min(wanted - kills)));
        sessions += 1;
        env.run(["run"]).expect(0);
        let when = format!("of session {sessions}, after {kills} kills in all, seed {seed}");
        assert_same_facts(&facts(&env), &expected, &when);
        every_commit_is_on_record(&env);
        assert_eq!(untouched(&env), before);
        assert_eq!(env.git(["worktree", "list"]).lines().count(), 1);
        env.git(["fsck", "--strict"]);
        env.wait_for_quiet();
    }
    eprintln!("{kills} kills in {sessions} sessions, each with the facts of an undisturbed one (seed {seed})");
}
