//! What a command does to HEAD, the index, tracked files and the harness of either slot is found after it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::TestEnvironment;

/// Makes a project whose check does to its slot what the number in `src/work` says.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script(
        "checks/10-meddles",
        "#!/bin/sh\ncase $(cat src/work) in\n\
         901) git update-ref --no-deref HEAD HEAD~1 && touch \"$HOME/did\";;\n\
         902) git rm -q --cached src/other && touch \"$HOME/did\";;\n\
         903) echo 'gitdir: /nowhere' > .git;;\n\
         904) echo '# more' >> checks/10-meddles;;\n\
         905) other=a; case \"$PWD\" in *a) other=b;; esac; cd ../$other && echo more >> src/other && touch \"$HOME/did\";;\nesac\nexit 0\n",
    );
    env.commit("a check that meddles");
    env
}

/// Says whether the check could do it: the sandbox forbids some of it where the machine has one.
fn was_done(env: &TestEnvironment) -> bool {
    let mut open = vec![env.beside("cache")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() == "did" {
                return true;
            }
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            }
        }
    }
    false
}

#[test]
fn what_a_check_does_to_head_the_index_or_the_other_slot_is_found_or_forbidden() {
    for (work, part) in [(901, "moved HEAD"), (902, "index entry of tracked file src/other"), (905, "src/other")] {
        let env = project();
        env.patch("1-meddles.patch", "src/work", &format!("{work}\n"));
        env.patch("2-good.patch", "src/work", "900\n");
        let before = env.belongings();
        env.run(["run"]).expect(0);
        if was_done(&env) {
            env.expect_verdicts("counting", &[("meddles", "checks_failed", "tree_changed", part)]);
        } else {
            assert_eq!(env.settled("counting", "meddles")["status"], "keep", "{work} did nothing");
        }
        assert_eq!(env.belongings(), before);
    }
}

#[test]
fn a_rewritten_link_or_check_is_found_and_the_next_candidate_is_judged_as_ever() {
    let env = project();
    env.patch("1-link.patch", "src/work", "903\n");
    env.patch("2-check.patch", "src/work", "904\n");
    env.patch("3-good.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("link", "checks_failed", "tree_changed", "link"),
            ("check", "checks_failed", "harness_changed", "checks/10-meddles"),
            ("good", "keep", "improved", ""),
        ],
    );
}

#[test]
fn a_bench_that_rewrites_a_file_in_the_baselines_slot_is_the_baselines_fault() {
    let env = TestEnvironment::hooked_project();
    env.patch("1-win.patch", "src/work", "900\n");
    // The first four runs in each slot are the calibration's.
    env.hook(
        "n=$(cat \"$HOME/n\" 2>/dev/null || echo 0)\nn=$((n + 1))\necho $n > \"$HOME/n\"\n\
         if [ $n -gt 4 ] && grep -q 1000 src/work; then echo more >> src/other; fi\n\
         echo \"METRIC work=$(cat src/work)\"",
    );
    let answer = env.run(["run"]).expect(3);
    assert!(answer.stderr.contains("rewrote tracked file src/other"), "{}", answer.stderr);
    assert!(env.verdicts("counting").is_empty(), "no candidate is blamed");
    assert_eq!(env.events("counting", "stopped").pop().unwrap()["rule"], "baseline_broken");
}
