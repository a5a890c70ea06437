//! `run --new`: the session so far is moved aside whole, stays readable, and a kill in the middle loses nothing of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{TestEnvironment, wait_for};

const BRANCH: &str = "refs/heads/autoresearch/counting";

fn finished() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    env
}

/// Returns the descriptions that `log` lists, with their statuses, for one session by name.
fn logged(env: &TestEnvironment, session: Option<&str>) -> Vec<(String, String)> {
    let args = ["log", "--json"].into_iter().chain(session.into_iter().flat_map(|name| ["--session", name]));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let log = env.run(args).expect(0).json();
    let rows = log["experiments"].as_array().unwrap().iter().filter(|row| row["experiment"] != 0);
    rows.map(|row| (text(&row["description"]), text(&row["status"]))).collect()
}

fn both() -> Vec<(String, String)> {
    [("win", "keep"), ("no op", "discard")].map(|(name, status)| (name.to_owned(), status.to_owned())).into()
}

#[test]
fn a_session_starts_over_and_the_old_one_stays_readable_with_its_branch() {
    let env = finished();
    let (journal, kept) = (env.journal_text("counting"), env.rev(BRANCH));
    fs::remove_file(env.repo().join("candidates/1-win.patch")).unwrap();
    let answer = env.run(["run", "--new"]).expect(0);
    assert!(answer.stderr.contains("now 'counting~1'"), "{}", answer.stderr);
    assert!(answer.stderr.contains("its branch is autoresearch/counting-1"), "{}", answer.stderr);
    assert!(answer.stderr.contains("autoresearch log --session counting~1"), "{}", answer.stderr);
    assert_eq!(env.journal_text("counting~1"), journal);
    assert_eq!(env.rev("refs/heads/autoresearch/counting-1"), kept);
    assert_eq!(env.rev(BRANCH), env.rev("main"));
    assert_eq!(env.verdicts("counting").len(), 1);
    assert_ne!(env.journal("counting")[0]["session"], env.journal("counting~1")[0]["session"]);

    assert_eq!(logged(&env, Some("counting~1")), both());
    assert_eq!(logged(&env, None), both()[1..]);
    let status = env.run(["status", "--session", "counting~1"]).expect(0).stdout;
    assert!(status.contains("counting~1") && status.contains("autoresearch/counting-1 at"), "{status}");
    let show = env.run(["show", "1", "--session", "counting~1", "--json"]).expect(0).json();
    assert_eq!(show["description"], "win");
    let odd = env.run(["log", "--session", "../counting"]).expect(2);
    assert!(odd.stderr.contains("is made of letters"), "{}", odd.stderr);
    let unknown = env.run(["log", "--session", "other"]).expect(1);
    assert!(unknown.stderr.contains("there are: counting, counting~1"), "{}", unknown.stderr);

    env.run(["run", "--new"]).expect(0);
    assert_eq!(env.rev("refs/heads/autoresearch/counting-2"), env.rev("main"));
    let sizes = env.run(["clean", "--json"]).expect(0).json();
    let aside: Vec<&Value> = sizes["aside"].as_array().unwrap().iter().map(|one| &one["session"]).collect();
    assert_eq!(aside, [&json!("counting~1"), &json!("counting~2")]);
    assert!(sizes["aside"][0]["bytes"].as_u64().unwrap() > 0);
    env.run(["clean", "--yes"]).expect(0);
    assert_eq!(logged(&env, Some("counting~1")), both(), "cleaning leaves what was moved aside");
    assert!(env.run(["clean"]).expect(0).stdout.contains("--session counting~2"));
    env.git(["fsck", "--strict"]);
}

#[test]
fn names_that_are_taken_are_passed_over() {
    let env = finished();
    env.git(["branch", "autoresearch/counting-1", "main"]);
    fs::create_dir(env.state("counting~2")).unwrap();
    fs::create_dir(env.state("counting-3")).unwrap();
    env.run(["run", "--new"]).expect(0);
    assert_eq!(logged(&env, Some("counting~4")), both());
    assert_eq!(env.rev("autoresearch/counting-1"), env.rev("main"), "somebody else's");
    assert!(env.has_rev("refs/heads/autoresearch/counting-4"));
}

#[test]
fn starting_over_without_a_session_starts_the_first() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    let answer = env.run(["run", "--new"]).expect(0);
    assert!(answer.stderr.contains("there is no session so far"), "{}", answer.stderr);
    assert_eq!(env.verdicts("counting").len(), 1);
    assert!(!env.state("counting~1").exists());
}

#[test]
fn a_session_whose_journal_is_broken_can_be_started_over() {
    let env = finished();
    let text = env.journal_text("counting").replacen(r#""type":"run""#, r#""type":"#, 1);
    fs::write(env.state("counting").join("journal.jsonl"), text).unwrap();
    env.run(["run"]).expect(1);
    env.run(["run", "--new"]).expect(0);
    assert_eq!(env.verdicts("counting").len(), 2);
    assert!(env.has_rev("refs/heads/autoresearch/counting-1"));
}

/// The states in which a kill can leave a move aside.
#[derive(Debug, Clone, Copy)]
enum Killed {
    Planned,
    BranchMade,
    BranchRenamed,
    FolderMoved,
}

#[test]
fn a_kill_at_any_step_leaves_the_old_session_usable_or_is_finished_by_the_next_start_over() {
    for at in [Killed::Planned, Killed::BranchMade, Killed::BranchRenamed, Killed::FolderMoved] {
        let env = finished();
        let (journal, kept) = (env.journal_text("counting"), env.rev(BRANCH));
        let plan = json!({ "name": "counting~1", "branch": "autoresearch/counting-1", "tip": kept });
        fs::write(env.state("counting").join("aside.json"), plan.to_string()).unwrap();
        let made = !matches!(at, Killed::Planned);
        let renamed = matches!(at, Killed::BranchRenamed | Killed::FolderMoved);
        if made {
            env.git(["update-ref", "refs/heads/autoresearch/counting-1", &kept]);
        }
        if renamed {
            env.git(["update-ref", "-d", BRANCH]);
        }
        if matches!(at, Killed::FolderMoved) {
            fs::rename(env.state("counting"), env.state("counting~1")).unwrap();
        }
        match at {
            Killed::Planned | Killed::BranchMade => {
                env.run(["run"]).expect(0);
                assert_eq!(logged(&env, None), both(), "{at:?}: the old session is usable");
            }
            Killed::BranchRenamed => {
                let refused = env.run(["run"]).expect(1);
                assert!(refused.stderr.contains("'autoresearch run --new' finishes that"), "{}", refused.stderr);
            }
            Killed::FolderMoved => {}
        }
        env.run(["run", "--new"]).expect(0);
        assert!(env.journal_text("counting~1").starts_with(&journal), "{at:?}");
        assert_eq!(logged(&env, Some("counting~1")), both(), "{at:?}");
        assert_eq!(env.rev("refs/heads/autoresearch/counting-1"), kept, "{at:?}");
        assert!(!env.state("counting~2").exists() && !env.has_rev("refs/heads/autoresearch/counting-2"), "{at:?}");
        assert_eq!(logged(&env, None), both(), "{at:?}: all of it anew");
    }
}

#[test]
fn starting_over_is_refused_while_the_session_runs_and_while_its_branch_is_checked_out() {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| config["bench"]["timeoutSeconds"] = json!(100));
    env.patch("1-win.patch", "src/work", "900\n");
    env.hook(&format!(
        "if grep -q 900 src/work; then until [ -e {} ]; do sleep 0.01; done; fi\necho \"METRIC work=$(cat src/work)\"",
        env.beside("go").display()
    ));
    let mut child = env.spawn(["run"]);
    let proposed = || String::from_utf8_lossy(&env.journal_bytes("counting")).contains(r#""type":"proposed""#);
    wait_for("the candidate", proposed);
    let refused = env.run(["run", "--new"]);
    let running = child.try_wait().unwrap().is_none();
    fs::write(env.beside("go"), "").unwrap();
    assert!(child.wait().unwrap().success() && running);
    assert!(refused.expect(1).stderr.contains(&format!("pid {}", child.id())));
    assert!(!env.state("counting~1").exists() && !env.state("counting").join("aside.json").exists());

    let other = env.beside("other");
    env.git(["worktree", "add", "-q", other.to_str().unwrap(), "autoresearch/counting"]);
    let refused = env.run(["run", "--new"]).expect(1);
    assert!(refused.stderr.contains("is checked out in"), "{}", refused.stderr);
    assert!(!env.state("counting~1").exists() && env.has_rev(BRANCH));
    env.git(["worktree", "remove", other.to_str().unwrap()]);
    env.run(["run", "--new"]).expect(0);
}

#[test]
fn a_session_on_another_branch_than_the_config_says_by_now_leaves_both_where_they_are() {
    let env = finished();
    let kept = env.rev(BRANCH);
    env.git(["branch", "mine", "main"]);
    env.configure(|config| config["branch"] = json!("other"));
    env.run(["run", "--new"]).expect(0);
    assert_eq!((env.rev(BRANCH), env.rev("mine")), (kept.clone(), env.rev("main")));
    assert_eq!(env.git(["show", "other:src/work"]), "900\n");
    let status = env.run(["status", "--session", "counting~1"]).expect(0).stdout;
    assert!(status.contains(&format!("autoresearch/counting at {}", &kept[..10])), "{status}");
}

#[test]
fn a_start_over_that_is_killed_at_random_loses_no_journal() {
    let env = finished();
    let journal = env.journal_text("counting");
    for pause in [2_u64, 5, 8, 12, 16, 24] {
        let mut child = env.spawn(["run", "--new"]);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    env.run(["run", "--new"]).expect(0);
    let asides = fs::read_dir(env.repo().join(".git/autoresearch")).unwrap();
    let journals = asides.filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("journal.jsonl")).ok());
    assert_eq!(journals.filter(|text| text.starts_with(&journal)).count(), 1);
    let branches = env.git(["for-each-ref", "--format=%(refname)", "refs/heads/autoresearch/"]);
    let winners = branches.lines().filter(|branch| env.git(["show", &format!("{branch}:src/work")]) == "900\n");
    assert_eq!(winners.count(), 2, "the old keep and the new one: {branches}");
}
