//! What one candidate leaves behind makes the next one look no better, or is found.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::json;
use support::TestEnvironment;

/// Makes a project whose check leaves a file in these places for a candidate that says `leaves`, and whose bench is fast
/// with such a file for one that says `uses`.
fn leaving_project(places: &str) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.write(".gitignore", "ignored/\n");
    env.script(
        "checks/10-leaves",
        &format!(
            "#!/bin/sh\nset -eu\nif grep -q leaves src/other; then\n\
             for place in {places}; do mkdir -p \"$place\"; touch \"$place/left\"; done\nfi\n"
        ),
    );
    env.script(
        "bench.sh",
        &format!(
            "#!/bin/sh\nset -eu\nvalue=$(cat src/work)\nif grep -q uses src/other; then\n\
             for place in {places}; do if [ -e \"$place/left\" ]; then value=500; fi; done\nfi\n\
             echo \"METRIC work=$((value * 100 + $(date +%N | cut -c1)))\"\n"
        ),
    );
    env.commit("a project that leaves things");
    env.patch("1-leaves.patch", "src/other", "leaves\n");
    env.patch("2-uses.patch", "src/other", "uses\n");
    env.patch("3-win.patch", "src/work", "900\n");
    env
}

#[test]
fn what_a_candidate_leaves_in_its_slot_or_temporary_folder_is_gone_for_the_next() {
    let env = leaving_project("untracked ignored/deep src/new \"$TMPDIR\"");
    env.configure(|config| config["decision"]["confirm"] = json!("off"));
    env.run(["run"]).expect(0);
    for (name, status) in [("leaves", "discard"), ("uses", "discard"), ("win", "keep")] {
        assert_eq!(env.settled("counting", name)["status"], status, "{:?}", env.verdicts("counting"));
    }
}

#[test]
fn what_a_candidate_leaves_in_its_home_folder_makes_the_next_one_no_keep() {
    let env = leaving_project("\"$HOME\"");
    env.configure(|config| config["decision"]["confirm"] = json!("on"));
    env.run(["run"]).expect(0);
    for (name, status) in [("leaves", "discard"), ("uses", "discard"), ("win", "keep")] {
        assert_eq!(env.settled("counting", name)["status"], status, "{:?}", env.verdicts("counting"));
    }
}

#[test]
fn a_win_that_the_poisoned_cache_of_the_candidate_before_it_made_is_a_stale_build() {
    for confirm in ["on", "off"] {
        let env = TestEnvironment::counting_project();
        env.script(
            "build.sh",
            "#!/bin/sh\nset -eu\nmkdir -p cache\nif [ -e src/poison ]; then touch cache/poison; fi\n\
             if [ -e cache/poison ] && grep -q fast src/other; then echo $(($(cat src/work) / 2)) > out\n\
             else cp src/work out; fi\n",
        );
        env.script(
            "bench.sh",
            "#!/bin/sh\nset -eu\necho \"METRIC work=$(($(cat out) * 100 + $(date +%N | cut -c1)))\"\n",
        );
        env.configure(|config| {
            config["build"] = json!({ "command": "./build.sh", "keep": ["cache/"] });
            config["decision"]["confirm"] = json!(confirm);
        });
        env.commit("a project that is built");
        env.patch("1-poison.patch", "src/poison", "a trap\n");
        env.patch("2-fast.patch", "src/other", "fast\n");
        env.patch("3-win.patch", "src/work", "900\n");
        env.run(["run"]).expect(0);
        assert_eq!(env.settled("counting", "poison")["status"], "discard", "{confirm}");
        env.expect_verdicts(
            "counting",
            &[("fast", "checks_failed", "stale_build", "from an empty cache"), ("win", "keep", "improved", "")],
        );
        assert_eq!(env.git(["show", "refs/heads/autoresearch/counting:src/other"]), "first\nsecond\nthird\n");
    }
}
