//! What people and the machine do to a running session: signals, a closed terminal, a stopped process, their git, their
//! hands in its branch and its slots, the clock. It ends as an undisturbed one, or says what to do, and loses nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::{Value, json};
use support::facts::{assert_same_facts, facts};
use support::{Answer, TestEnvironment, wait_for};

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// A project of a win and a no-op whose bench waits, on the win, until it is let go.
fn waiting_project() -> TestEnvironment {
    let env = TestEnvironment::hooked_project();
    env.configure(|config| config["bench"]["timeoutSeconds"] = json!(100));
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.hook(&format!(
        "if grep -q 900 src/work; then : >\"$TMPDIR/waits\"; until [ -e {} ]; do sleep 0.01; done; fi\n\
         echo \"METRIC work=$(cat src/work)\"",
        env.beside("go").display()
    ));
    env
}

/// Returns the facts of an undisturbed session.
fn undisturbed() -> Value {
    let env = waiting_project();
    let_go(&env);
    env.run(["run"]).expect(0);
    facts(&env)
}

fn let_go(env: &TestEnvironment) {
    fs::write(env.beside("go"), "").unwrap();
}

/// Runs a session to the end of a queue that holds the win only.
fn run_the_win_only(env: &TestEnvironment) {
    let (queued, held) = (env.repo().join("candidates/2-no-op.patch"), env.beside("2-no-op.patch"));
    fs::rename(&queued, &held).unwrap();
    env.run(["run"]).expect(0);
    fs::rename(held, queued).unwrap();
}

/// A session that runs; one that a failing test leaves behind is killed.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Running {
    fn start(env: &TestEnvironment) -> Self {
        Self(Some(env.spawn(["run"])))
    }

    fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.id().to_string()]).status().unwrap().success());
    }

    /// Closes what its output is read from.
    fn stop_reading(&mut self) {
        let child = self.0.as_mut().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
    }

    fn answer(mut self) -> Answer {
        Answer::from(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

/// Starts a session and returns once its bench waits in the win's slot.
fn started(env: &TestEnvironment) -> Running {
    let running = Running::start(env);
    wait_for_the_bench(env);
    running
}

/// Waits until the bench says, in the only folder beside its slot that it may write, that it waits.
fn wait_for_the_bench(env: &TestEnvironment) {
    let says = || Command::new("find").arg(env.beside("cache")).args(["-name", "waits"]).output().unwrap();
    wait_for("the bench of the win", || !says().stdout.is_empty());
}

#[test]
fn a_termination_and_a_hang_up_end_the_session_at_once_with_the_journal_complete() {
    let expected = undisturbed();
    for name in ["-TERM", "-HUP"] {
        let env = waiting_project();
        let before = env.belongings();
        let session = started(&env);
        session.signal(name);
        let answer = session.answer().expect(130);
        assert!(answer.stderr.contains("'autoresearch run' goes on"), "{}", answer.stderr);
        env.wait_for_quiet();
        assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "interrupted");
        let_go(&env);
        env.run(["run"]).expect(0);
        assert_same_facts(&facts(&env), &expected, name);
        assert_eq!(env.belongings(), before);
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_session() {
    let env = waiting_project();
    let mut session = started(&env);
    session.stop_reading();
    let_go(&env);
    session.answer().expect(0);
    assert_same_facts(&facts(&env), &undisturbed(), "with nobody to read");
}

#[test]
fn a_terminal_that_is_closed_ends_the_session_as_a_hang_up_does() {
    let env = waiting_project();
    let mut session = started(&env);
    session.stop_reading();
    session.signal("-HUP");
    session.answer().expect(130);
    env.wait_for_quiet();
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "interrupted");
    let_go(&env);
    env.run(["run"]).expect(0);
    assert_same_facts(&facts(&env), &undisturbed(), "after its terminal was closed");
}

#[test]
fn a_session_that_was_stopped_for_a_while_in_a_pair_goes_on_where_it_was() {
    let env = waiting_project();
    let session = started(&env);
    session.signal("-STOP");
    let_go(&env);
    std::thread::sleep(Duration::from_secs(2));
    session.signal("-CONT");
    session.answer().expect(0);
    assert_same_facts(&facts(&env), &undisturbed(), "after it was stopped");
}

#[test]
fn of_two_sessions_started_at_once_one_runs_and_the_other_names_it() {
    for _ in 0..4 {
        let env = waiting_project();
        let children = [Running::start(&env), Running::start(&env)];
        let pids = children.each_ref().map(Running::id);
        wait_for_the_bench(&env);
        let_go(&env);
        let [one, other] = children.map(Running::answer);
        let (winner, refused, pid) = if one.code == 0 { (one, other, pids[0]) } else { (other, one, pids[1]) };
        winner.expect(0);
        let refused = refused.expect(1);
        assert!(refused.stderr.contains(&format!("pid {pid}")), "{}", refused.stderr);
        assert_same_facts(&facts(&env), &undisturbed(), "with a second one refused");
        env.wait_for_quiet();
    }
}

#[test]
fn a_branch_deleted_while_the_session_runs_stops_it_and_it_goes_on_once_the_branch_is_back() {
    let env = waiting_project();
    let session = started(&env);
    env.git(["branch", "-q", "-D", "autoresearch/counting"]);
    let_go(&env);
    let answer = session.answer().expect(8);
    assert!(answer.stderr.contains("git branch -f autoresearch/counting"), "{}", answer.stderr);
    assert!(!env.has_rev(BRANCH), "nobody made it again behind the user's back");
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "branch_moved");
    env.git(["branch", "autoresearch/counting", "main"]);
    env.run(["run"]).expect(0);
    assert_same_facts(&facts(&env), &undisturbed(), "after its branch was deleted");
}

#[test]
fn a_branch_deleted_between_two_runs_is_asked_for_by_its_commit() {
    let env = waiting_project();
    let_go(&env);
    run_the_win_only(&env);
    let kept = env.rev(BRANCH);
    env.git(["branch", "-q", "-D", "autoresearch/counting"]);
    let answer = env.run(["run"]).expect(8);
    assert!(answer.stderr.contains(&format!("git branch -f autoresearch/counting {kept}")), "{}", answer.stderr);
    assert!(!env.has_rev(BRANCH));
    env.git(["branch", "-f", "autoresearch/counting", &kept]);
    env.run(["run"]).expect(0);
    assert_same_facts(&facts(&env), &undisturbed(), "after its branch was deleted");
}

#[test]
fn slots_deleted_while_the_session_runs_are_blamed_on_no_candidate_and_made_again() {
    let env = waiting_project();
    let before = env.belongings();
    let session = started(&env);
    fs::remove_dir_all(env.beside("cache")).unwrap();
    let_go(&env);
    let first = session.answer();
    let told = format!("{} {}", first.code, first.stderr);
    assert!(env.verdicts("counting").iter().all(|(_, status, _)| status != "crash"), "{told}");
    fs::create_dir_all(env.beside("cache")).unwrap();
    env.run(["run"]).expect(0);
    assert_same_facts(&facts(&env), &undisturbed(), &format!("after its slots were deleted: {told}"));
    assert_eq!(env.belongings(), before);
}

/// Throws away everything in the user's repository that no reference holds.
fn gc(env: &TestEnvironment) {
    env.git(["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"]);
    env.git(["gc", "-q", "--prune=now"]);
}

#[test]
fn a_gc_while_the_session_runs_takes_nothing_that_it_needs() {
    let env = waiting_project();
    // The candidate's objects are in the user's store already, held by nothing.
    env.write("src/work", "900\n");
    env.git(["commit", "-q", "-a", "-m", "tried by hand"]);
    env.git(["reset", "-q", "--hard", "HEAD^"]);
    let session = started(&env);
    gc(&env);
    let_go(&env);
    let first = session.answer();
    env.run(["run"]).expect(0);
    let told = format!("after a gc: {} {}", first.code, first.stderr);
    assert_same_facts(&facts(&env), &undisturbed(), &told);
    env.git(["fsck", "--strict"]);
    assert_eq!(first.code, 0, "{told}");
}

#[test]
fn a_gc_after_a_crash_takes_no_keep_that_was_decided() {
    let env = waiting_project();
    let_go(&env);
    env.run(["run"]).expect(0);
    let kept = env.rev(BRANCH);
    let text = env.journal_text("counting");
    let decided =
        text.split_inclusive('\n').position(|line| line.contains(r#""type":"decided""#) && line.contains(&kept));
    let cut: String = text.split_inclusive('\n').take(decided.unwrap() + 1).collect();
    fs::write(env.state("counting").join("journal.jsonl"), cut).unwrap();
    env.git(["update-ref", BRANCH, "main"]);
    gc(&env);
    assert!(!env.has_rev(&format!("{kept}^{{commit}}")), "the user's store has lost it");
    env.run(["run"]).expect(0);
    assert_eq!(env.events("counting", "run")[1]["commit"], kept, "the very commit that was decided");
    assert_same_facts(&facts(&env), &undisturbed(), "after a gc");
    env.git(["fsck", "--strict"]);
}

#[test]
fn a_journal_from_the_future_counts_no_time_twice_and_none_below_zero() {
    let env = waiting_project();
    env.configure(|config| config["stop"] = json!({ "maxHours": 1.0 }));
    let_go(&env);
    run_the_win_only(&env);
    // The clock was set back by some centuries after the first run.
    let text = env.journal_text("counting");
    let year = env.journal("counting")[1]["at"].as_str().unwrap()[..5].to_owned();
    let future = text.replace(&format!("\"at\":\"{year}"), "\"at\":\"2999-");
    assert_ne!(future, text);
    fs::write(env.state("counting").join("journal.jsonl"), future).unwrap();
    env.run(["run"]).expect(0);
    assert_same_facts(&facts(&env), &undisturbed(), "with a clock that was set back");
    let hours = env.run(["status", "--json"]).expect(0).json()["hours"].as_f64();
    assert!(hours.is_none_or(|hours| (0.0..1.0).contains(&hours)), "{hours:?}");
}
