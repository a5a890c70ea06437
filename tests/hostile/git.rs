//! What candidates try with git: the user's repository, and programs that git itself would start.

use std::path::Path;

use crate::project::{enforced, judge, judge_patches, project, with_belongings};

/// Everything that git would do to a repository for who asks, for the slot's and the user's.
const HARM: &str = r#"
common=$(git rev-parse --git-common-dir)
user=$(dirname "$(cat "$common/objects/info/alternates")")
for store in "$common" "$user"; do
    own() { git --git-dir="$store" "$@"; }
    own stash drop
    own stash clear
    own config core.hooksPath /tmp
    own config filter.x.smudge false
    own update-ref -d refs/heads/main
    own update-ref refs/heads/planted HEAD
    own branch -f main HEAD^
    own tag planted
    own gc --prune=now
    echo '* filter=x' > "$store/info/attributes"
    echo 'exit 1' > "$store/hooks/post-commit"
    echo 'ref: refs/heads/planted' > "$store/HEAD"
    rm -rf "$store/refs" "$store/objects/pack" "$store/index" "$store/autoresearch"
done
git stash
git reset --hard HEAD^
git commit -qam planted
git checkout -q -b planted
"#;

#[test]
fn a_program_that_turns_git_against_the_repository_changes_nothing() {
    let env = project();
    with_belongings(&env);
    let harm = format!("({HARM}) >/dev/null 2>&1\ncat src/work\n");
    judge(&env, &[("harm", &harm, ("discard", "no_effect", ""))]);
    assert!(enforced(&env, "landlock"), "this machine cannot keep a command from writing elsewhere");
    env.git(["fsck", "--strict"]);
}

/// Returns a script that leaves a mark when anybody runs it, whatever git calls it for.
fn marks(mark: &Path) -> String {
    format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat 2>/dev/null\nexit 0\n", mark.display())
}

/// Settings that make git start a program, each with the name of a script of the project.
const STARTERS: [(&str, &str); 10] = [
    ("core.fsmonitor", "fsmonitor"),
    ("core.pager", "pager"),
    ("core.editor", "editor"),
    ("core.askPass", "askpass"),
    ("credential.helper", "credentials"),
    ("diff.own.textconv", "textconv"),
    ("diff.own.command", "difference"),
    ("diff.external", "external"),
    ("merge.own.driver", "merge"),
    ("gpg.program", "sign"),
];

/// A program that points every setting of git that it can write at a script.
fn settings(script: &Path) -> String {
    format!(
        "common=$(git rev-parse --git-common-dir)\nrun='sh {}'\n\
         (for key in core.hooksPath core.fsmonitor filter.x.smudge diff.x.textconv credential.helper core.sshCommand; do\n\
         git config $key \"$run\"; git config --global $key \"$run\"; git config --worktree $key \"$run\"; done\n\
         printf '[core]\\n\\tfsmonitor = %s\\n' \"$run\" >> \"$common/config\"\n\
         echo '* filter=x diff=x' > \"$common/info/attributes\") >/dev/null 2>&1\ncat src/work\n",
        script.display()
    )
}

#[test]
fn nothing_that_git_would_start_is_started_by_the_loop() {
    let env = project();
    let (mark, script) = (env.beside("mark"), env.beside("mark.sh"));
    std::fs::write(&script, marks(&mark)).unwrap();
    for (_, name) in STARTERS {
        env.write(&format!("src/tools/{name}"), "cat\n");
    }
    // With a filter in use it is git that writes the files of the slots.
    env.write(".gitattributes", "src/** diff=own merge=own\n*.loud filter=shout\n");
    env.write("src/file.loud", "hello\n");
    env.commit("tools of the user");
    env.git(["config", "filter.shout.smudge", "tr a-z A-Z"]);
    env.patch("1-tools.patch", "src/tools/textconv", &marks(&mark));
    env.patch("2-hooks.patch", "src/hooks/post-checkout", &marks(&mark));
    env.patch("3-settings.patch", "src/program", &settings(&script));
    env.patch("98-honest-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.patch("99-honest-win.patch", "src/work", "900\n");
    for hook in ["post-commit", "pre-commit", "post-checkout", "reference-transaction", "post-index-change", "update"] {
        env.script(&format!(".git/hooks/{hook}"), &marks(&mark));
    }
    // Relative to where git works, so that a slot's own version would be taken there.
    for (key, name) in STARTERS {
        env.git(["config", key, &format!("sh src/tools/{name} || sh {}", script.display())]);
    }
    env.git(["config", "commit.gpgSign", "true"]);
    let _setting_up = std::fs::remove_file(&mark);
    env.run(["run"]).expect(0);
    let none = |name| (name, "discard", "no_effect", "");
    env.expect_verdicts(
        "counting",
        &[none("tools"), none("hooks"), none("settings"), none("honest no op"), ("honest win", "keep", "improved", "")],
    );
    let started = || std::fs::read_to_string(&mark).unwrap_or_default();
    assert_eq!(started(), "");
    env.write("src/work", "850\n");
    env.run(["try", "--worktree", "--no-commit"]).expect(5);
    assert_eq!(started(), "");
}

#[test]
fn filters_that_the_user_configured_run_for_what_the_user_committed() {
    let env = project();
    env.git(["config", "filter.shout.clean", "tr A-Z a-z"]);
    env.git(["config", "filter.shout.smudge", "tr a-z A-Z"]);
    env.write(".gitattributes", "*.loud filter=shout\n");
    env.write("src/file.loud", "HELLO\n");
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\n[ \"$(cat src/file.loud)\" = HELLO ]\necho \"METRIC work=$(sh src/program)\"\n",
    );
    env.commit("a file with a filter");
    assert_eq!(env.git(["show", "HEAD:src/file.loud"]), "hello\n");
    let (diff, _) = env.diff_of(|env| env.write("src/file.loud", "HELLO YOU\n"));
    env.raw_patch("1-filtered.patch", diff);
    let new = "diff --git a/src/new.loud b/src/new.loud\nnew file mode 100644\n--- /dev/null\n+++ b/src/new.loud\n@@ -0,0 +1 @@\n+x\n";
    env.raw_patch("2-new-filtered.patch", new);
    let attributes = new.replace("src/new.loud", "src/.gitattributes").replace("+x", "+work filter=shout");
    env.raw_patch("3-attributes.patch", attributes);
    judge_patches(
        &env,
        &[
            ("filtered", "checks_failed", "sealed_path", "clean/smudge filter"),
            ("new filtered", "checks_failed", "sealed_path", "clean/smudge filter"),
            ("attributes", "checks_failed", "sealed_path", ".gitattributes"),
        ],
    );
}
