//! What becomes of candidates of every kind: patches good and bad, changes in and out of scope, and failing checks.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::json;
use support::TestEnvironment;

/// A counting project with files of many kinds.
fn rich_project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    let lines: Vec<String> = (1..=60).map(|n| format!("line {n}\n")).collect();
    env.write("src/long", lines.concat());
    env.write("src/crlf", "one\r\ntwo\r\nthree\r\n");
    env.write("src/latin", b"caf\xe9\nth\xe9\n");
    env.write("src/same", "x\n".repeat(30));
    env.write("src/old-name", "kept as it is\nline by line\n");
    env.write("src/goes", "away\n");
    env.write("README.md", "read me\n");
    env.commit("files of many kinds");
    env
}

/// Writes the patch that makes a new file of one line.
fn new_file(mode: &str, path: &str, line: &str) -> String {
    format!("diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{line}\n")
}

#[test]
fn what_holds_no_patch_is_refused_by_name_and_the_session_goes_on() {
    let env = rich_project();
    env.raw_patch("1-empty.patch", "");
    env.raw_patch("2-junk.patch", "this is no patch\n");
    env.raw_patch("3-bytes.diff", b"\xff\xfe\x00junk");
    env.raw_patch("4-blank.diff", " \n\n");
    env.raw_patch("readme.txt", "passed over");
    env.patch("5-win.patch", "src/work", "900\n");
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("1-empty.patch", "discard", "empty", "candidates/1-empty.patch contains no change"),
            ("2-junk.patch", "crash", "apply_failed", "candidates/2-junk.patch is not a patch"),
            ("3-bytes.diff", "crash", "apply_failed", "candidates/3-bytes.diff is not a patch"),
            ("4-blank.diff", "discard", "empty", "contains no change"),
            ("win", "keep", "improved", ""),
        ],
    );
    assert_eq!(env.verdicts("counting").len(), 5);
    let refused = env.events("counting", "run").into_iter().filter(|run| run["iteration"] == false);
    assert_eq!(refused.count(), 5, "the baseline and what was refused are no iterations");
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_path_that_leads_out_of_the_tree_or_into_git_is_refused() {
    let env = rich_project();
    let paths = [
        "../outside",
        "src/../../outside",
        ".git/config",
        "src/.git/hooks/pre-commit",
        ".GIT/config",
        ".gitattributes",
    ];
    for (n, path) in paths.iter().enumerate() {
        env.raw_patch(&format!("{n}-path-{n}.patch"), new_file("100644", path, "x"));
    }
    env.raw_patch("6-absolute.patch", "--- /dev/null\n+++ /etc/autoresearch-test\n@@ -0,0 +1 @@\n+x\n");
    env.raw_patch("7-absolute-in-b.patch", new_file("100644", "/etc/autoresearch-test", "x"));
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("path 0", "crash", "apply_failed", "../outside: the path leads out of the repository"),
            ("path 1", "crash", "apply_failed", "the path leads out of the repository"),
            ("path 2", "crash", "apply_failed", ".git/config: the path lies in a .git folder"),
            ("path 3", "crash", "apply_failed", "the path lies in a .git folder"),
            ("path 4", "crash", "apply_failed", "the path lies in a .git folder"),
            ("path 5", "checks_failed", "sealed_path", ".gitattributes"),
            ("absolute", "crash", "apply_failed", "the path leads out of the repository"),
            ("absolute in b", "crash", "apply_failed", "the path leads out of the repository"),
        ],
    );
    assert_eq!(env.belongings(), before);
    assert!(!env.beside("outside").exists());
    assert_eq!(env.rev("autoresearch/counting"), env.rev("main"));
}

#[test]
fn what_candidates_may_not_change_is_refused_before_anything_runs() {
    let env = rich_project();
    env.change("1-bench.patch", |env| env.script("bench.sh", "#!/bin/sh\necho METRIC work=1\n"));
    env.change("2-readme.patch", |env| env.write("README.md", "written\n"));
    env.change("3-link.patch", |env| {
        std::os::unix::fs::symlink("../../etc/passwd", env.repo().join("src/link")).unwrap();
    });
    env.change("4-rename.patch", |env| {
        std::fs::rename(env.repo().join("bench.sh"), env.repo().join("src/bench.sh")).unwrap();
    });
    env.change("5-out-of-scope.patch", |env| env.write("elsewhere/new", "new\n"));
    env.change("6-config.patch", |env| env.configure(|config| config["name"] = json!("mine")));
    let sub = "1234567890123456789012345678901234567890";
    env.raw_patch("7-submodule.patch", new_file("160000", "src/sub", &format!("Subproject commit {sub}")));
    env.raw_patch("8-binary.patch", "diff --git a/src/blob b/src/blob\nnew file mode 100644\nindex 0000000..1234567\nBinary files /dev/null and b/src/blob differ\n");
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("bench", "checks_failed", "sealed_path", "bench.sh"),
            ("readme", "checks_failed", "out_of_scope", "README.md"),
            (
                "link",
                "checks_failed",
                "out_of_scope",
                "src/link: a link to '../../etc/passwd', which leaves the repository",
            ),
            ("rename", "checks_failed", "sealed_path", "bench.sh"),
            ("out of scope", "checks_failed", "out_of_scope", "elsewhere/new"),
            ("config", "checks_failed", "sealed_path", "autoresearch.config.json"),
            ("submodule", "crash", "apply_failed", "src/sub: it changes a submodule"),
            (
                "binary",
                "crash",
                "apply_failed",
                "src/blob: the binary content is missing; make the patch with 'git diff --binary'",
            ),
        ],
    );
    let phases = env.events("counting", "phase");
    assert!(phases.iter().all(|phase| phase["experiment"] == 0), "nothing of them ran");
    assert_eq!(env.belongings(), before);
    assert_eq!(env.rev("autoresearch/counting"), env.rev("main"));
}

#[test]
fn a_keep_commits_exactly_the_tree_that_git_makes_of_the_change() {
    let env = rich_project();
    let tree = env.change("1-everything.patch", |env| {
        env.write("src/work", "900\n");
        env.write("src/blob", b"\x00\x01\xff\x00binary");
        env.write("src/crlf", "one\r\nsecond\r\nthree\r\n");
        env.write("src/latin", b"caf\xe9\nlait\xe9\n");
        env.write("src/new/deep", "new\n");
        env.script("src/other", "first\nsecond\nthird\n");
        let repo = env.repo();
        std::fs::rename(repo.join("src/old-name"), repo.join("src/new-name")).unwrap();
        std::fs::remove_file(repo.join("src/goes")).unwrap();
        std::os::unix::fs::symlink("work", repo.join("src/alias")).unwrap();
    });
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("everything", "keep", "improved", "")]);
    assert_eq!(env.rev("autoresearch/counting^{tree}"), tree);
    assert_eq!(env.belongings(), before);
    env.git(["fsck", "--strict"]);
}

#[test]
fn a_change_of_mode_or_name_alone_is_a_change_and_is_measured() {
    let env = rich_project();
    env.change("1-mode.patch", |env| env.script("src/other", "first\nsecond\nthird\n"));
    env.change("2-rename.patch", |env| {
        std::fs::rename(env.repo().join("src/old-name"), env.repo().join("src/new-name")).unwrap();
    });
    env.change("3-deletion.patch", |env| std::fs::remove_file(env.repo().join("src/goes")).unwrap());
    env.change("4-empty-file.patch", |env| env.write("src/nothing", ""));
    env.run(["run"]).expect(0);
    let measured = |name| (name, "discard", "no_effect", "");
    env.expect_verdicts("counting", &["mode", "rename", "deletion", "empty file"].map(measured));
}

#[test]
fn a_patch_that_does_not_apply_names_file_and_hunk() {
    let env = rich_project();
    let (diff, _) = env.diff_of(|env| {
        let text = env.read("src/long").replace("line 5\n", "line five\n").replace("line 50\n", "line fifty\n");
        env.write("src/long", text);
    });
    let diff = String::from_utf8(diff).unwrap();
    env.raw_patch("1-nowhere.patch", diff.replace(" line 49\n", " line forty-nine\n"));
    env.raw_patch("2-no-file.patch", diff.replace("src/long", "src/short"));
    env.raw_patch("4-cut.patch", &diff[..diff.len() - 20]);
    let (same, _) = env.diff_of(|env| env.write("src/same", "x\n".repeat(14) + "y\n" + &"x\n".repeat(15)));
    env.raw_patch(
        "5-ambiguous.patch",
        String::from_utf8(same).unwrap().replace("@@ -12,7 +12,7 @@", "@@ -112,7 +112,7 @@"),
    );
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("nowhere", "crash", "apply_failed", "src/long, hunk 2"),
            ("no file", "crash", "apply_failed", "src/short"),
            ("cut", "crash", "apply_failed", ""),
            ("ambiguous", "crash", "apply_failed", "src/same, hunk 1"),
        ],
    );
    assert_eq!(env.rev("autoresearch/counting"), env.rev("main"));
}

#[test]
fn a_patch_whose_line_ends_a_mail_program_changed_applies_with_the_line_ends_of_the_file() {
    let env = rich_project();
    let (diff, tree) = env.diff_of(|env| env.write("src/work", "900\n"));
    env.raw_patch("1-dos.patch", String::from_utf8(diff).unwrap().replace('\n', "\r\n"));
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("dos", "keep", "improved", "")]);
    assert_eq!(env.rev("autoresearch/counting^{tree}"), tree);
}

#[test]
fn what_a_build_makes_outlasts_keeps_drops_and_a_failed_run_in_both_arms() {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| config["build"] = json!({ "command": "cp src/work built" }));
    env.write(".gitignore", "/built\n");
    env.git(["add", ".gitignore"]);
    env.git(["commit", "-q", "-m", "what is built is no source"]);
    // What follows the four pairs of the calibration and the three of the win fails once, in both arms.
    env.hook(&format!(
        "if [ $(grep -c '\"type\":\"pair\"' {}) -eq 7 ]; then exit 1; fi\necho \"METRIC work=$(cat built)\"",
        env.state("counting").join("journal.jsonl").display()
    ));
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", ""), ("no op", "discard", "no_effect", "")]);
    let void = env.events("counting", "pair").into_iter().filter(|pair| !pair["void"].is_null());
    assert_eq!(void.count(), 1);
    assert_eq!(env.settled("counting", "no op")["metric"], 900.0);
}

#[test]
fn a_patch_applies_where_its_lines_moved_to() {
    let env = rich_project();
    let (diff, _) = env.diff_of(|env| {
        env.write("src/long", env.read("src/long").replace("line 50\n", "line fifty\n"));
        env.write("src/work", "900\n");
    });
    env.write("src/long", format!("a new first line\nand a second\n{}", env.read("src/long")));
    env.commit("lines above");
    let expected = env.read("src/long").replace("line 50\n", "line fifty\n");
    env.raw_patch("1-moved.patch", diff);
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("moved", "keep", "improved", "")]);
    assert_eq!(env.git(["show", "autoresearch/counting:src/long"]), expected);
}

#[test]
fn patches_made_on_the_base_apply_after_a_keep_or_say_what_they_collide_with() {
    let env = rich_project();
    env.write("src/more", "1000\n");
    env.script("bench.sh", "#!/bin/sh\necho \"METRIC work=$(($(cat src/work) + $(cat src/more)))\"\n");
    env.commit("a sum");
    let long = env.read("src/long");
    env.change("1-first.patch", |env| {
        env.write("src/work", "500\n");
        env.write("src/long", long.replace("line 3\n", "line 3\nnew\nlines\n"));
    });
    env.change("2-merged.patch", |env| {
        env.write("src/more", "500\n");
        env.write("src/long", long.replace("line 40\n", "line forty\n"));
    });
    env.change("3-collides.patch", |env| env.write("src/work", "400\n"));
    env.change("4-again.patch", |env| env.write("src/more", "500\n"));
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("first", "keep", "improved", ""),
            ("merged", "keep", "improved", ""),
            ("collides", "crash", "apply_failed", "src/work"),
            ("again", "discard", "empty", "changes nothing"),
        ],
    );
    let both = long.replace("line 3\n", "line 3\nnew\nlines\n").replace("line 40\n", "line forty\n");
    assert_eq!(env.git(["show", "autoresearch/counting:src/long"]), both);
}

#[test]
fn the_same_patch_on_the_same_base_is_a_duplicate() {
    let env = rich_project();
    env.patch("1-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.patch("2-same-again.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[("no op", "discard", "no_effect", ""), ("same again", "discard", "duplicate", "experiment 1")],
    );
    let before = env.verdicts("counting");
    env.run(["run"]).expect(0);
    assert_eq!(env.verdicts("counting"), before, "a second run tries nothing twice");
}

#[test]
fn a_closed_idea_is_refused_and_an_open_one_is_marked_as_tried() {
    let env = rich_project();
    let mail = |subject: &str, idea: &str, diff: Vec<u8>| {
        let head = format!(
            "From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n\
             From: Ann Other <ann@example.org>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH] {subject}\n\n\
             Because.\n\nIdea: {idea}\n---\n"
        );
        [head.as_bytes(), &diff, b"-- \n2.47.3\n"].concat()
    };
    let (diff, _) = env.diff_of(|env| env.write("src/work", "900\n"));
    env.write(
        "ideas.md",
        "# Ideas\n\n## To try\n\n- [ ] **smaller** Less work.\n\n## Tried\n\n\
         ## Closed (do not retry)\n\n- **bloom** Filters cost more than they save.\n",
    );
    env.raw_patch("1.patch", mail("filters", "bloom", diff.clone()));
    env.raw_patch("2.patch", mail("less work", "smaller", diff));
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[("filters", "discard", "closed_idea", "bloom"), ("less work", "keep", "improved", "")],
    );
    let ideas = env.read("ideas.md");
    assert!(ideas.contains("- [x] **smaller**") && ideas.contains("(#2)"), "{ideas}");
    let log = env.git(["log", "-1", "--format=%an <%ae>|%cn|%s", "autoresearch/counting"]);
    assert_eq!(log.trim(), "Ann Other <ann@example.org>|Test Person|less work");
}

#[test]
fn a_candidate_that_fails_a_check_is_dropped_and_its_log_is_kept() {
    let env = rich_project();
    env.configure(|config| config["checks"] = json!({ "timeoutSeconds": 3 }));
    env.script(
        "checks/answer",
        "#!/bin/sh\ncase $(cat src/work) in\n901) echo looking; echo wrong answer >&2; exit 3;;\n902) sleep 60;;\n\
         903) echo more >> src/other;;\n904) echo more >> bench.sh;;\n905) rm src/goes;;\n906) chmod +x src/goes;;\nesac\n",
    );
    for (n, name) in ["wrong", "endless", "rewrites", "cheats", "removes", "mode", "good"].iter().enumerate() {
        env.patch(&format!("{}-{name}.patch", n + 1), "src/work", &format!("{}\n", 901 + n));
    }
    let before = env.belongings();
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("wrong", "checks_failed", "check_failed", "exit code 3: wrong answer"),
            ("endless", "checks_failed", "check_timeout", "did not end within 3.0 s"),
            ("rewrites", "checks_failed", "tree_changed", "src/other"),
            ("cheats", "checks_failed", "harness_changed", "bench.sh"),
            ("removes", "checks_failed", "tree_changed", "src/goes"),
            ("mode", "checks_failed", "tree_changed", "src/goes"),
            ("good", "keep", "improved", ""),
        ],
    );
    let run = env.state("counting").join("runs/0001");
    assert_eq!(std::fs::read_to_string(run.join("check-answer.err")).unwrap(), "wrong answer\n");
    assert_eq!(std::fs::read_to_string(run.join("check-answer.out")).unwrap(), "looking\n");
    assert!(run.join("candidate.patch").exists());
    let asi = env.settled("counting", "wrong")["asi"]["auto"].to_string();
    assert!(asi.contains("wrong answer") && asi.contains("answer"), "{asi}");
    assert_eq!(env.belongings(), before);
}

#[test]
fn a_bench_that_rewrites_tracked_files_for_a_candidate_drops_it() {
    let env = TestEnvironment::hooked_project();
    env.hook("if grep -q 901 src/work; then echo more >> src/other; fi\necho \"METRIC work=$(cat src/work)\"");
    env.patch("1-rewrites.patch", "src/work", "901\n");
    env.patch("2-good.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[("rewrites", "checks_failed", "tree_changed", "src/other"), ("good", "keep", "improved", "")],
    );
}

#[test]
fn a_check_that_fails_in_both_arms_stops_the_session_and_blames_nobody() {
    let env = TestEnvironment::counting_project();
    let weather = env.beside("weather");
    env.script(
        "checks/weather",
        &format!("#!/bin/sh\nif [ -e {} ]; then echo it rains >&2; exit 1; fi\n", weather.display()),
    );
    env.patch("1-win.patch", "src/work", "900\n");
    let candidates = env.beside("candidates");
    std::fs::rename(env.repo().join("candidates"), &candidates).unwrap();
    std::fs::create_dir(env.repo().join("candidates")).unwrap();
    env.run(["run"]).expect(0);
    std::fs::write(&weather, "").unwrap();
    let answer = env.run(["run"]).expect(3);
    assert!(answer.stderr.contains("weather") && answer.stderr.contains("it rains"), "{}", answer.stderr);
    std::fs::remove_file(&weather).unwrap();
    std::fs::rename(candidates.join("1-win.patch"), env.repo().join("candidates/1-win.patch")).unwrap();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
}

#[test]
fn a_check_that_begins_to_fail_in_both_arms_leaves_the_experiment_unfinished() {
    let env = TestEnvironment::counting_project();
    env.show_journal();
    let journal = env.state("counting").join("journal.jsonl");
    let calm = env.beside("calm");
    env.script(
        "checks/weather",
        &format!(
            "#!/bin/sh\nif [ ! -e {} ] && grep -q '\"type\":\"proposed\"' {}; then echo it rains >&2; exit 1; fi\n",
            calm.display(),
            journal.display()
        ),
    );
    env.patch("1-win.patch", "src/work", "900\n");
    let answer = env.run(["run"]).expect(3);
    assert!(answer.stderr.contains("weather") && answer.stderr.contains("it rains"), "{}", answer.stderr);
    assert!(env.verdicts("counting").is_empty());
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "baseline_broken");
    std::fs::write(&calm, "").unwrap();
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
}

#[test]
fn a_candidate_that_changes_an_invariant_is_dropped() {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\necho \"METRIC work=$(cat src/work)\"\necho \"INVARIANT other=$(head -n 1 src/other)\"\n",
    );
    env.commit("an invariant");
    env.change("1-wrong.patch", |env| {
        env.write("src/work", "900\n");
        env.write("src/other", "changed\n");
    });
    env.patch("2-right.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[("wrong", "checks_failed", "invariant_changed", "other"), ("right", "keep", "improved", "")],
    );
}
