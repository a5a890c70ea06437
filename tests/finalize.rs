//! Accepted keeps become review branches, each measured by itself; or nothing is made.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot be set up has failed, and says what it skips"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};
use support::TestEnvironment;

const REVIEW: &str = "autoresearch/counting-review";

/// Makes a project whose count is the sum of the numbers in `src/work`, `src/more` and `src/less`.
fn summing_project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.write("src/more", "1000\n");
    env.write("src/less", "1\n2\n3\n4\n5\n6\n7\n8\n9\n985\n");
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nall=$(cat src/work src/more src/less*)\nsum=0\nfor n in $all; do sum=$((sum + n)); done\n\
         echo \"METRIC work=$sum\"\n",
    );
    env.commit("a sum");
    env
}

/// Runs the candidates and accepts keeps.
fn kept(env: &TestEnvironment, keeps: &[&str]) {
    env.run(["run"]).expect(0);
    env.run(["accept"].into_iter().chain(keeps.iter().copied())).expect(0);
}

/// Returns the names of the review branches.
fn branches(env: &TestEnvironment) -> Vec<String> {
    let listed = env.git(["for-each-ref", "--format=%(refname:lstrip=2)", &format!("refs/heads/{REVIEW}")]);
    listed.lines().map(str::to_owned).collect()
}

/// Returns the message of a commit.
fn message(env: &TestEnvironment, revision: &str) -> String {
    env.git(["show", "-s", "--format=%B", revision])
}

/// Returns a trailer of a commit; nothing where it has none.
fn trailer(env: &TestEnvironment, revision: &str, name: &str) -> String {
    let format = format!("--format=%(trailers:key={name},valueonly)");
    env.git(["show", "-s", &format, revision]).trim().to_owned()
}

/// Says what a finalize that fails must leave alone: references, checkout and the session's last word.
fn stands(env: &TestEnvironment) -> (String, (String, String), Value) {
    let stopped = env.events("counting", "stopped").pop().unwrap();
    (env.git(["for-each-ref"]), env.belongings(), stopped["rule"].clone())
}

/// Asserts that finalize refuses, says why, and leaves nothing behind.
#[track_caller]
fn refused(env: &TestEnvironment, args: &[&str], code: i32, parts: &[&str]) {
    let before = stands(env);
    let answer = env.run(["finalize"].iter().chain(args)).expect(code);
    for part in parts {
        assert!(answer.stderr.contains(part), "no '{part}' in:\n{}", answer.stderr);
    }
    assert_eq!(stands(env), before);
    assert!(env.events("counting", "finalized").is_empty());
}

#[test]
fn two_independent_keeps_become_two_branches_each_with_its_own_effect() {
    let env = summing_project();
    env.patch("1-work.patch", "src/work", "700\n");
    env.patch("2-more.patch", "src/more", "500\n");
    kept(&env, &["1", "2"]);
    let before = env.belongings();
    let session_tip = env.rev("refs/heads/autoresearch/counting");
    let answer = env.run(["finalize", "--json"]).expect(0).json();
    assert_eq!(branches(&env), [format!("{REVIEW}/more"), format!("{REVIEW}/work")]);
    assert_eq!(answer["onto"]["commit"], env.rev("main"));
    let change = |index: usize| answer["branches"][index]["effect"]["change"]["value"].as_f64().unwrap();
    // Each of the two by itself, on the base: 3030 - 300 and 3030 - 500.
    assert!((change(0) + 100.0 * 300.0 / 3030.0).abs() < 0.01, "{answer}");
    assert!((change(1) + 100.0 * 500.0 / 3030.0).abs() < 0.01, "{answer}");
    for (name, file, keep) in [("work", "700\n", "1"), ("more", "500\n", "2")] {
        let branch = format!("{REVIEW}/{name}");
        assert_eq!(env.rev(&format!("{branch}~1")), env.rev("main"));
        assert_eq!(env.git(["show", &format!("{branch}:src/{name}")]), file);
        let changed = env.git(["diff", "--name-only", "main", &branch]);
        assert_eq!(changed.trim(), format!("src/{name}"), "nothing of the other keep");
        assert_eq!(trailer(&env, &branch, "Experiment"), keep);
        assert_eq!(trailer(&env, &branch, "Measured-On"), env.rev("main"));
        let own = format!("refs/heads/autoresearch/counting~{}", i32::from(keep == "1"));
        for same in ["Session", "Patch-Id"] {
            assert_eq!(trailer(&env, &branch, same), trailer(&env, &own, same), "{same}");
        }
        let subject = |revision: &str| env.git(["show", "-s", "--format=%an %ae %ad %s", revision]);
        assert_eq!(subject(&branch), subject(&own));
    }
    let text = message(&env, &format!("{REVIEW}/work"));
    assert!(text.contains("\n\nMeasured on the session's base ("), "{text}");
    assert!(
        trailer(&env, &format!("{REVIEW}/work"), "Measured-Effect").starts_with("work -9.9 % [-9.9, -9.9], 3 pairs")
    );
    let lines = env.events("counting", "finalized");
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["measured"]["tip"], &lines[0]["tip"]),
        (&json!(env.rev(&format!("{REVIEW}/work"))), &lines[0]["measured"]["tip"])
    );
    assert_eq!(lines[0]["measured"]["values"][0], json!([3030.0, 2730.0]));
    assert_eq!(env.rev("refs/heads/autoresearch/counting"), session_tip);
    let after = env.belongings();
    assert_eq!(after.0, before.0, "the checkout is as it was");
    // The session is what it was: it goes on, and validates with other coins.
    let numbers: Vec<u64> = lines.iter().map(|line| line["measured"]["number"].as_u64().unwrap()).collect();
    assert_eq!(env.run(["validate", "--json"]).expect(0).json()["validated"]["number"], numbers[1] + 1);
    env.patch("3-work.patch", "src/work", "1000000\n");
    assert!(env.run(["run"]).expect(0).stdout.contains("3 tried, 2 kept"));
}

#[test]
fn keeps_that_touch_one_file_are_one_branch_with_the_effect_of_both_and_of_each() {
    let env = summing_project();
    env.patch("1-first.patch", "src/less", "0\n2\n3\n4\n5\n6\n7\n8\n9\n685\n");
    env.raw_patch(
        "2-second.patch",
        "--- a/src/less\n+++ b/src/less\n@@ -1,4 +1,3 @@\n 0\n 2\n-3\n 4\n@@ -7,4 +6,4 @@\n 7\n 8\n 9\n-685\n+385\n",
    );
    kept(&env, &["1", "2"]);
    let answer = env.run(["finalize"]).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/less")]);
    let branch = &branches(&env)[0];
    assert_eq!(env.rev(&format!("{branch}~2")), env.rev("main"));
    assert_eq!(env.rev(&format!("{branch}^{{tree}}")), env.rev("refs/heads/autoresearch/counting^{tree}"));
    assert!(answer.stdout.contains("together work -19.9 % [-19.9, -19.9]"), "{}", answer.stdout);
    assert_eq!(trailer(&env, branch, "Group-Effect"), "work -19.9 % [-19.9, -19.9], 3 pairs");
    assert_eq!(trailer(&env, branch, "Measured-Effect"), "work -11.1 % [-11.1, -11.1], 3 pairs");
    assert_eq!(trailer(&env, &format!("{branch}~1"), "Measured-Effect"), "work -9.9 % [-9.9, -9.9], 3 pairs");
    let line = env.events("counting", "finalized").remove(0);
    assert_eq!(line["commits"][1]["measured"]["base"], env.rev(&format!("{branch}~1")));
}

#[test]
fn only_accepted_keeps_are_taken_and_without_one_finalize_names_review() {
    let env = summing_project();
    env.run(["finalize"]).expect(1);
    env.patch("1-work.patch", "src/work", "700\n");
    env.patch("2-more.patch", "src/more", "500\n");
    env.run(["run"]).expect(0);
    refused(&env, &[], 1, &["no keep is accepted", "autoresearch review"]);
    env.run(["reject", "2", "--because", "no"]).expect(0);
    let plan = env.run(["finalize", "--all", "--preview"]).expect(0);
    assert_eq!(plan.json(), json!({"groups": [{"name": "work", "keeps": [1]}]}));
    assert!(plan.stderr.contains("src/work"), "{}", plan.stderr);
    assert!(branches(&env).is_empty());
    env.run(["finalize", "--all", "--no-measure"]).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/work")]);
    let text = message(&env, &branches(&env)[0]);
    assert!(
        text.contains("Built and checked on the session's base (") && text.contains("not measured there"),
        "{text}"
    );
    assert_eq!(trailer(&env, &branches(&env)[0], "Measured-On"), "");
    let again = env.run(["finalize", "--all"]).expect(1);
    assert!(again.stderr.contains("exists already") && again.stderr.contains("git branch -D"), "{}", again.stderr);
}

#[test]
fn a_plan_by_hand_groups_what_no_file_joins_and_wrong_plans_are_refused() {
    let env = summing_project();
    env.patch("1-work.patch", "src/work", "700\n");
    env.patch("2-more.patch", "src/more", "500\n");
    env.patch("3-less.patch", "src/less", "1\n");
    kept(&env, &["1", "2"]);
    let file = env.beside("plan.json");
    let plan = |groups: Value| fs::write(&file, json!({ "groups": groups }).to_string()).unwrap();
    let by_plan = ["--plan", file.to_str().unwrap()];
    let group = |name: &str, keeps: &[u32]| json!({ "name": name, "keeps": keeps });
    for (wrong, part) in [
        (json!([group("a", &[1]), group("b", &[1])]), "names keep 1 twice"),
        (json!([group("a", &[9])]), "names keep 9, which is no keep that stands"),
        (json!([group("a", &[3])]), "names keep 3, which is not accepted"),
        (json!([group("a", &[1]), group("A", &[2])]), "a group 'A', which is there twice"),
        (json!([group("a/b", &[1])]), "a group 'a/b', but names hold"),
        (json!([group("a", &[])]), "no keep in group 'a'"),
        (json!([{ "name": "a", "keep": [1] }]), "unknown field `keep`"),
    ] {
        plan(wrong);
        refused(&env, &by_plan, 1, &[part]);
    }
    plan(json!([group("both", &[2, 1])]));
    env.run(["finalize"].iter().chain(&by_plan)).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/both")]);
    let order =
        env.git(["log", "--reverse", "--format=%(trailers:key=Experiment,valueonly)", &format!("main..{REVIEW}/both")]);
    assert_eq!(order.split_whitespace().collect::<Vec<_>>(), ["1", "2"], "in the order of keeping");
}

#[test]
fn a_keep_that_builds_on_one_in_another_group_is_a_conflict_that_names_file_and_keep() {
    let env = summing_project();
    env.patch("1-work.patch", "src/work", "700\n");
    env.raw_patch("2-again.patch", "--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-700\n+400\n");
    kept(&env, &["2"]);
    refused(&env, &[], 1, &["keep #2 of group 'work' conflicts in src/work", "builds on keep #1, which is not taken"]);
    env.run(["accept", "1"]).expect(0);
    let file = env.beside("plan.json");
    fs::write(&file, r#"{"groups":[{"name":"a","keeps":[1]},{"name":"b","keeps":[2]}]}"#).unwrap();
    let why = "it builds on keep #1 of group 'a'; put both into one group of a plan";
    refused(&env, &["--plan", file.to_str().unwrap()], 1, &["keep #2 of group 'b'", why]);
    env.run(["finalize"]).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/work")]);
}

#[test]
fn a_base_that_moved_is_followed_and_a_keep_whose_effect_is_gone_there_is_named() {
    let env = summing_project();
    env.patch("1-work.patch", "src/work", "700\n");
    env.patch("2-more.patch", "src/more", "500\n");
    kept(&env, &["1", "2"]);
    // Upstream stops to count src/more, adds a file, and changes nothing that the keeps change.
    env.git(["switch", "-q", "-c", "work"]);
    env.git(["config", "branch.work.remote", "."]);
    env.git(["config", "branch.work.merge", "refs/heads/main"]);
    env.git(["switch", "-q", "main"]);
    env.write("src/less", "0\n2000\n");
    env.write("src/fresh", "new\n");
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nif [ -e src/fresh ]; then echo METRIC work=$(($(cat src/work) + 2000)); exit; fi\nsum=0\n\
         for n in $(cat src/work src/more src/less*); do sum=$((sum + n)); done\necho \"METRIC work=$sum\"\n",
    );
    env.commit("upstream moves");
    let upstream = env.rev("main");
    env.git(["switch", "-q", "work"]);
    // The bench is the harness of the session; it is what the checkout has.
    env.git(["checkout", "-q", "main", "--", "bench.sh"]);
    let answer = env.run(["finalize", "--json"]).expect(0).json();
    assert_eq!(answer["onto"], json!({ "commit": upstream, "name": "main" }));
    assert_eq!(answer["branches"][0]["gone"], json!([]));
    assert_eq!(answer["branches"][1]["gone"], json!([2]));
    let branch = format!("{REVIEW}/more");
    assert_eq!(env.rev(&format!("{branch}~1")), upstream);
    assert_eq!(env.git(["show", &format!("{branch}:src/fresh")]), "new\n");
    assert!(message(&env, &branch).contains("Its effect is gone on that base."), "{}", message(&env, &branch));
    assert!(!message(&env, &format!("{REVIEW}/work")).contains("gone"));
}

#[test]
fn a_base_that_changed_the_same_lines_or_holds_a_keep_already_is_said() {
    let env = summing_project();
    env.patch("1-work.patch", "src/work", "700\n");
    env.patch("2-more.patch", "src/more", "500\n");
    kept(&env, &["1", "2"]);
    env.git(["switch", "-q", "-c", "other"]);
    env.write("src/work", "650\n");
    env.commit("other work");
    refused(
        &env,
        &["--onto", "other"],
        1,
        &["keep #1", "src/work on other (", "the base changes the same lines", "--onto"],
    );
    env.write("src/work", "700\n");
    env.commit("the same");
    let answer = env.run(["finalize", "--onto", "other"]).expect(0);
    assert!(answer.stdout.contains("#1 is left out: other holds its change already"), "{}", answer.stdout);
    assert_eq!(branches(&env), [format!("{REVIEW}/more")]);
    env.git(["branch", "-D", &format!("{REVIEW}/more")]);
    let all = env.run(["finalize", "--onto", "refs/heads/autoresearch/counting"]).expect(1);
    assert!(all.stderr.contains("holds every one of these keeps already"), "{}", all.stderr);
}

#[test]
fn renames_and_deletions_go_onto_a_base_that_changed_other_lines_of_the_same_file() {
    let env = summing_project();
    env.change("1-rename.patch", |env| {
        env.git(["mv", "src/less", "src/less.txt"]);
        env.write("src/less.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n485\n");
    });
    env.change("2-delete.patch", |env| {
        env.write("src/work", "600\n");
        env.git(["rm", "-q", "src/other"]);
    });
    kept(&env, &["1", "2"]);
    env.write("src/less", "100\n2\n3\n4\n5\n6\n7\n8\n9\n985\n");
    env.commit("upstream");
    env.run(["finalize", "--onto", "main"]).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/less"), format!("{REVIEW}/other")]);
    let (renamed, deleted) = (format!("{REVIEW}/less"), format!("{REVIEW}/other"));
    assert_eq!(env.git(["show", &format!("{renamed}:src/less.txt")]), "100\n2\n3\n4\n5\n6\n7\n8\n9\n485\n");
    assert!(!env.has_rev(&format!("{renamed}:src/less")) && env.has_rev(&format!("{renamed}:src/other")));
    assert!(!env.has_rev(&format!("{deleted}:src/other")) && env.has_rev(&format!("{deleted}:src/less")));
}

#[test]
fn a_branch_that_fails_by_itself_fails_the_whole_and_leaves_nothing() {
    let env = summing_project();
    env.script("checks/pair.sh", "#!/bin/sh\nset -eu\n[ ! -e src/needs ] || [ -e src/needed ]\n");
    env.commit("a check");
    env.change("1-needed.patch", |env| {
        env.write("src/work", "700\n");
        env.write("src/needed", "");
    });
    env.change("2-needs.patch", |env| {
        env.write("src/more", "500\n");
        env.write("src/needs", "");
    });
    kept(&env, &["1", "2"]);
    refused(&env, &[], 7, &["group 'more'", "check_failed", "put keep #2 into one group with what it needs"]);
    refused(&env, &["--no-measure"], 7, &["group 'more'"]);
    let file = env.beside("plan.json");
    fs::write(&file, r#"{"groups":[{"name":"both","keeps":[1,2]}]}"#).unwrap();
    env.git(["switch", "-q", "-c", "broken"]);
    env.git(["rm", "-q", "src/less"]);
    env.commit("a base that does not run");
    env.git(["switch", "-q", "main"]);
    let onto = ["--onto", "broken", "--plan", file.to_str().unwrap()];
    refused(&env, &onto, 3, &["broken (", "itself does not build or run"]);
    env.run(["finalize", "--no-measure", "--plan", file.to_str().unwrap()]).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/both")]);
}

#[test]
fn branches_that_together_are_not_what_was_accepted_are_refused_before_anything_is_made() {
    let env = summing_project();
    env.change("1-work.patch", |env| {
        env.write("src/work", "700\n");
        env.write("src/other", "first\nanother\nthird\n");
    });
    // It takes back what the first did to src/other, which by itself is no change at all.
    env.raw_patch(
        "2-more.patch",
        "--- a/src/more\n+++ b/src/more\n@@ -1 +1 @@\n-1000\n+500\n--- a/src/other\n+++ b/src/other\n@@ -1,3 +1,3 @@\n \
         first\n-another\n+second\n third\n",
    );
    kept(&env, &["1", "2"]);
    let file = env.beside("plan.json");
    fs::write(&file, r#"{"groups":[{"name":"a","keeps":[1]},{"name":"b","keeps":[2]}]}"#).unwrap();
    let pairs = env.events("counting", "pair").len();
    let by_plan = ["--plan", file.to_str().unwrap()];
    refused(&env, &by_plan, 7, &["together are not what the keeps in order come to (they differ in src/other)"]);
    assert_eq!(env.events("counting", "pair").len(), pairs, "nothing was measured");
    env.run(["finalize", "--no-measure"]).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/other")], "by files they are one branch");
}

#[test]
fn a_file_where_another_keep_has_a_folder_is_a_conflict_with_that_keep() {
    let env = summing_project();
    env.change("1-file.patch", |env| {
        env.write("src/work", "700\n");
        env.git(["rm", "-q", "src/other"]);
    });
    env.raw_patch(
        "2-folder.patch",
        "--- a/src/more\n+++ b/src/more\n@@ -1 +1 @@\n-1000\n+500\n--- /dev/null\n+++ b/src/other/inner\n@@ -0,0 +1 @@\n+x\n",
    );
    kept(&env, &["1", "2"]);
    refused(&env, &[], 1, &["keep #2 of group 'more' conflicts in src/other", "builds on keep #1 of group 'other'"]);
}

#[test]
fn the_rules_of_the_house_shape_the_commits_and_the_session_keeps_its_own() {
    let env = summing_project();
    env.patch("1-work.patch", "src/work", "700\n");
    kept(&env, &["1"]);
    let own = env.git(["log", "--format=%H %B", "main..refs/heads/autoresearch/counting"]);
    env.configure(|config| {
        config["commit"] = json!({ "signOff": true, "changeId": true, "assistedBy": true,
                                   "subject": "perf({group}): {description} ({metric} {change})" });
    });
    let calibrations = env.events("counting", "calibrated").len();
    let log = env.beside("hook.log");
    env.script(
        ".git/hooks/commit-msg",
        &format!("#!/bin/sh\necho ran >> {}\nprintf 'Reviewed-by: The Hook\\n\\n\\n' >> \"$1\"\n", log.display()),
    );
    env.run(["finalize"]).expect(0);
    let branch = format!("{REVIEW}/work");
    assert_eq!(env.git(["show", "-s", "--format=%s", &branch]), "perf(work): work (work -9.9 %)\n");
    assert_eq!(trailer(&env, &branch, "Signed-off-by"), "Test Person <test@example.com>");
    assert_eq!(trailer(&env, &branch, "Reviewed-by"), "The Hook");
    assert_eq!(trailer(&env, &branch, "Assisted-by"), "", "no agent proposed it");
    let change_id = trailer(&env, &branch, "Change-Id");
    assert!(change_id.len() == 41 && change_id.starts_with('I'), "{change_id}");
    assert!(log.exists());
    assert_eq!(
        env.events("counting", "calibrated").len(),
        calibrations,
        "how commits are written measures nothing anew"
    );
    env.git(["branch", "-D", &branch]);
    env.run(["finalize", "--no-measure"]).expect(0);
    assert_eq!(trailer(&env, &branch, "Change-Id"), change_id, "the same change for the review server");
    assert_eq!(env.git(["log", "--format=%H %B", "main..refs/heads/autoresearch/counting"]), own);
}

#[test]
fn an_agent_that_proposed_a_change_is_named_where_the_house_wants_that() {
    let env = summing_project();
    let agent = env.beside("home").join("my-agent");
    fs::write(&agent, "#!/bin/sh\necho 700 >src/work\necho '{\"description\": \"Do less\"}' >asi.json\n").unwrap();
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    env.configure(|config| {
        config["candidates"] = json!([{ "agent": { "command": [agent] } }]);
        config["commit"] = json!({ "assistedBy": true });
    });
    env.run(["run", "--max-iterations", "1"]).expect(0);
    env.run(["accept", "1"]).expect(0);
    env.run(["finalize", "--no-measure"]).expect(0);
    let branch = format!("{REVIEW}/work");
    assert_eq!(trailer(&env, &branch, "Assisted-by"), "my-agent");
    assert_eq!(env.git(["show", "-s", "--format=%s", &branch]), "Do less\n");
}

#[test]
fn a_hook_that_refuses_is_told_with_its_words_before_anything_is_measured() {
    let env = summing_project();
    env.patch("1-work.patch", "src/work", "700\n");
    kept(&env, &["1"]);
    let pairs = env.events("counting", "pair").len();
    env.script(".git/hooks/commit-msg", "#!/bin/sh\necho 'no ticket in the subject' >&2\nexit 1\n");
    refused(&env, &[], 1, &["commit-msg hook refuses", "keep #1", "no ticket in the subject", "commit.subject"]);
    assert_eq!(env.events("counting", "pair").len(), pairs);
    // A session commits its own keeps past the hook.
    env.patch("2-more.patch", "src/more", "500\n");
    assert!(env.run(["run"]).expect(0).stdout.contains("2 tried, 2 kept"));
}

/// Makes an ssh key and configures git to sign with it; nothing where there is no ssh-keygen.
fn sign_with_ssh(env: &TestEnvironment, passphrase: &str) -> bool {
    let key = env.beside("home").join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", passphrase, "-f"]).arg(&key).output();
    let Ok(made) = made else {
        eprintln!("SKIPPED: there is no ssh-keygen, so that nothing can be signed here");
        return false;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (name, value) in [("gpg.format", "ssh"), ("user.signingkey", key.with_extension("pub").to_str().unwrap())] {
        env.git(["config", name, value]);
    }
    true
}

/// Returns the doctor's finding of one check, where there is one.
fn finding(env: &TestEnvironment, check: &str) -> Option<Value> {
    let findings = env.run(["doctor", "--json"]).json();
    findings["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).cloned()
}

#[test]
fn review_commits_are_signed_as_git_is_configured_and_the_doctor_tries_it() {
    let env = summing_project();
    if !sign_with_ssh(&env, "") {
        return;
    }
    assert_eq!(finding(&env, "signing"), None, "nobody wants commits signed");
    env.patch("1-work.patch", "src/work", "700\n");
    kept(&env, &["1"]);
    env.git(["config", "commit.gpgsign", "true"]);
    let skip = [".git/autoresearch"];
    let before = support::fingerprint(&env.repo(), &skip);
    let found = finding(&env, "signing").unwrap();
    assert_eq!(found["verdict"], "ok", "{found}");
    assert!(found["detail"].as_str().unwrap().contains("signed"), "{found}");
    assert_eq!(support::fingerprint(&env.repo(), &skip), before, "not even an object is left");
    env.run(["finalize", "--no-measure"]).expect(0);
    let signature = |revision: &str| env.git(["cat-file", "commit", revision]).contains("BEGIN SSH SIGNATURE");
    assert!(signature(&format!("{REVIEW}/work")));
    assert!(!signature("refs/heads/autoresearch/counting"), "keeps of the session are not signed");
    let signers = env.beside("signers");
    let public = fs::read_to_string(env.beside("home").join("key.pub")).unwrap();
    fs::write(&signers, format!("test@example.com {public}")).unwrap();
    env.git(["config", "gpg.ssh.allowedSignersFile", signers.to_str().unwrap()]);
    env.git(["verify-commit", &format!("{REVIEW}/work")]);
    env.git(["branch", "-D", &format!("{REVIEW}/work")]);
    env.configure(|config| config["commit"] = json!({ "sign": false }));
    assert_eq!(finding(&env, "signing"), None);
    env.run(["finalize", "--no-measure"]).expect(0);
    assert!(!signature(&format!("{REVIEW}/work")));
}

#[test]
fn a_key_that_asks_for_a_passphrase_is_found_by_the_doctor_and_a_missing_one_by_finalize() {
    let env = summing_project();
    if !sign_with_ssh(&env, "a passphrase") {
        return;
    }
    env.configure(|config| config["commit"] = json!({ "sign": true }));
    env.script(".git/hooks/commit-msg", "#!/bin/sh\necho 'no ticket'\nexit 1\n");
    let found = finding(&env, "signing").unwrap();
    assert_eq!(found["verdict"], "warning", "{found}");
    assert!(found["cure"].as_str().unwrap().contains("ssh-add"), "{found}");
    let hook = finding(&env, "commit-msg").unwrap();
    assert!(hook["verdict"] == "warning" && hook["detail"].as_str().unwrap().contains("no ticket"), "{hook}");
    fs::remove_file(env.repo().join(".git/hooks/commit-msg")).unwrap();
    env.patch("1-work.patch", "src/work", "700\n");
    kept(&env, &["1"]);
    env.git(["config", "user.signingkey", env.beside("no-such-key").to_str().unwrap()]);
    refused(&env, &[], 1, &["a commit cannot be signed", "commit.sign"]);
}

#[test]
fn finalize_is_refused_beside_a_running_session_and_a_stop_leaves_nothing_of_it() {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| config["bench"]["timeoutSeconds"] = json!(300));
    env.patch("1-win.patch", "src/work", "900\n");
    kept(&env, &["1"]);
    let go = env.beside("go");
    env.hook(&format!("until [ -e {} ]; do sleep 0.01; done\necho \"METRIC work=$(cat src/work)\"", go.display()));
    let says = |what: &str| {
        support::wait_for(what, || env.run(["status"]).expect(0).stdout.contains(&format!("now         {what}")));
    };
    let mut child = env.spawn(["validate"]);
    says("the validation of the gain");
    let answer = env.run(["finalize"]).expect(1);
    assert!(answer.stderr.contains("another session is running"), "{}", answer.stderr);
    env.run(["finalize", "--preview"]).expect(0);
    fs::write(&go, "").unwrap();
    assert!(child.wait().unwrap().success());
    fs::remove_file(&go).unwrap();
    let before = stands(&env);
    let child = env.spawn(["finalize"]);
    says(&format!("branch {REVIEW}/work (keep #1) on the session's base"));
    env.run(["stop"]).expect(0);
    fs::write(&go, "").unwrap();
    let answer: support::Answer = child.wait_with_output().unwrap().into();
    assert!(answer.expect(130).stderr.contains("stopped before the review branches were made"));
    assert_eq!(stands(&env), before);
    env.run(["finalize"]).expect(0);
    assert_eq!(branches(&env), [format!("{REVIEW}/work")]);
}
