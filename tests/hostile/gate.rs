//! What the gate holds back before anything runs, and what only further checks can see.

use std::os::unix::fs::symlink;

use crate::project::{judge_patches, project};

#[test]
fn what_builds_judges_or_leads_out_is_refused_before_anything_runs() {
    let env = project();
    env.configure(|config| config["scope"] = serde_json::json!({}));
    env.script("checks/answer", "#!/bin/sh\ntest \"$(cat src/work)\" -gt 0\n");
    env.commit("a check, and everything in scope");
    let new = |path: &str| {
        format!("diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n")
    };
    let sealed = [
        ".gitattributes",
        ".gitmodules",
        "src/.gitattributes",
        "src/.gitconfig",
        ".cargo/config.toml",
        "src/.cargo/config",
        "build.rs",
        "rust-toolchain.toml",
        "Makefile",
        "conftest.py",
        "checks/another",
        "ideas.md",
    ];
    let names: Vec<_> = (1..=sealed.len()).map(|n| format!("sealed {n}")).collect();
    for (n, path) in sealed.iter().enumerate() {
        env.raw_patch(&format!("{}-sealed-{}.patch", n + 10, n + 1), new(path));
    }
    env.raw_patch("30-above.patch", new("../above"));
    env.raw_patch("31-hook.patch", new(".git/hooks/post-commit"));
    env.change("32-no-check.patch", |env| std::fs::remove_file(env.repo().join("checks/answer")).unwrap());
    env.change("33-weak-check.patch", |env| env.script("checks/answer", "#!/bin/sh\n"));
    env.change("34-bench.patch", |env| env.script("bench.sh", "#!/bin/sh\necho METRIC work=1\n"));
    env.change("35-link.patch", |env| symlink("/etc", env.repo().join("src/etc")).unwrap());
    env.change("36-link-to-git.patch", |env| symlink("../.git", env.repo().join("src/store")).unwrap());
    let mut expected: Vec<_> =
        names.iter().zip(sealed).map(|(name, path)| (name.as_str(), "checks_failed", "sealed_path", path)).collect();
    expected.extend([
        ("above", "crash", "apply_failed", "leads out of the repository"),
        ("hook", "crash", "apply_failed", "lies in a .git folder"),
        ("no check", "checks_failed", "sealed_path", "checks/answer"),
        ("weak check", "checks_failed", "sealed_path", "checks/answer"),
        ("bench", "checks_failed", "sealed_path", "bench.sh"),
        ("link", "checks_failed", "out_of_scope", "src/etc"),
        ("link to git", "checks_failed", "out_of_scope", "src/store"),
    ]);
    judge_patches(&env, &expected);
    let ran = env.events("counting", "phase").into_iter().filter(|phase| phase["experiment"] != 0);
    let honest = |phase: &serde_json::Value| phase["experiment"].as_u64().unwrap_or(u64::MAX) > expected.len() as u64;
    assert!(ran.into_iter().all(|phase| honest(&phase)), "nothing of what is refused ran");
}

/// A check written with a helper that candidates may change.
fn weak_project() -> crate::support::TestEnvironment {
    let env = project();
    env.write("src/assert", "equal() { [ \"$1\" = \"$2\" ]; }\n");
    env.write("src/answer", "42\n");
    env.script("checks/answer", "#!/bin/sh\n. src/assert\nequal \"$(cat src/answer)\" 42\n");
    env.commit("a check with a helper in scope");
    env.change("1-wrong.patch", |env| {
        env.write("src/answer", "41\n");
        env.write("src/work", "500\n");
    });
    env.change("2-weakened.patch", |env| {
        env.write("src/assert", "equal() { :; }\n");
        env.write("src/answer", "41\n");
        env.write("src/work", "500\n");
    });
    env
}

#[test]
fn a_check_that_asks_a_helper_in_scope_can_be_weakened() {
    let env = weak_project();
    env.run(["run"]).expect(0);
    // What docs/security.md says cannot be prevented in general: the project lets candidates change what judges them.
    let expected = [("wrong", "checks_failed", "check_failed", ""), ("weakened", "keep", "improved", "")];
    env.expect_verdicts("counting", &expected);
}

#[test]
fn a_weakened_check_is_seen_by_an_invariant_and_by_a_narrower_scope() {
    let env = weak_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\necho \"INVARIANT answer=$(cat src/answer)\"\necho \"METRIC work=$(sh src/program)\"\n",
    );
    judge_patches(
        &env,
        &[("wrong", "checks_failed", "check_failed", ""), ("weakened", "checks_failed", "invariant_changed", "answer")],
    );
    let env = weak_project();
    env.configure(|config| config["scope"]["protect"] = serde_json::json!(["src/assert"]));
    judge_patches(
        &env,
        &[("wrong", "checks_failed", "check_failed", ""), ("weakened", "checks_failed", "out_of_scope", "src/assert")],
    );
}

#[test]
fn a_program_that_rewrites_what_judges_it_is_dropped() {
    let env = project();
    env.script("checks/answer", "#!/bin/sh\nsh src/program > /dev/null\n");
    let attacks = [
        ("the bench", "echo '#!/bin/sh' > bench.sh\necho 500\n", "harness_changed", "bench.sh"),
        ("the check", "rm checks/answer\necho 500\n", "harness_changed", "checks/answer"),
        ("a source", "echo 1 > src/work\necho 500\n", "tree_changed", "src/work"),
        ("a source for a link", "ln -sf other src/work\necho 500\n", "tree_changed", "src/work"),
        ("a source for a pipe", "rm src/other; mkfifo src/other\necho 500\n", "tree_changed", "src/other"),
        ("a folder for a link", "mv src other; ln -s other src\necho 500\n", "tree_changed", "src/"),
        ("the link to git", "echo 'gitdir: /nowhere' > .git\necho 500\n", "tree_changed", ".git"),
    ];
    let attacks: Vec<_> = attacks
        .iter()
        .map(|(name, program, reason, why)| (*name, *program, ("checks_failed", *reason, *why)))
        .collect();
    crate::project::judge(&env, &attacks);
}
