//! A queue that is fed while the session runs: what is dropped in is taken, whole and in order, until somebody says stop.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::json;
use support::{Answer, TestEnvironment, wait_for};

/// A session that waits for more candidates; one that a failing test leaves behind is killed.
struct Following(Option<Child>);

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Following {
    fn start(env: &TestEnvironment) -> Self {
        Self(Some(env.spawn(["run", "--follow"])))
    }

    fn is_running(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    fn interrupt(&self) {
        let id = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    fn answer(mut self) -> Answer {
        Answer::from(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

/// Makes the text of a patch that sets a file of its own.
fn patch(file: &str, text: &str) -> String {
    format!(
        "diff --git a/src/{file} b/src/{file}\nnew file mode 100644\n--- /dev/null\n+++ b/src/{file}\n@@ -0,0 +1 @@\n+{text}\n"
    )
}

/// Puts a file into the queue at once, as a careful writer does.
fn drop_in(env: &TestEnvironment, name: &str, text: &str) {
    let hidden = env.repo().join(format!("candidates/.{name}.new"));
    fs::write(&hidden, text).unwrap();
    fs::rename(hidden, env.repo().join("candidates").join(name)).unwrap();
}

/// Counts the settled candidates in a journal that may be in the middle of a line.
fn settled(env: &TestEnvironment) -> usize {
    let text = String::from_utf8_lossy(&env.journal_bytes("counting")).into_owned();
    text.lines().filter(|line| line.contains(r#""type":"run""#) && !line.contains(r#""run":0,"#)).count()
}

fn wait_for_the_baseline(env: &TestEnvironment) {
    wait_for("the baseline", || String::from_utf8_lossy(&env.journal_bytes("counting")).contains(r#""run":0,"#));
}

fn wait_for_settled(env: &TestEnvironment, count: usize) {
    wait_for(&format!("{count} settled candidates"), || settled(env) >= count);
}

fn names(env: &TestEnvironment) -> Vec<String> {
    env.verdicts("counting").into_iter().map(|(name, _, _)| name).collect()
}

fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    fs::create_dir(env.repo().join("candidates")).unwrap();
    env
}

#[test]
fn files_dropped_in_while_it_runs_are_taken_in_name_order_until_a_stop_is_asked_for() {
    let env = project();
    let mut session = Following::start(&env);
    wait_for_the_baseline(&env);
    // The hidden name sorts no file and is none of the queue: all three come up at once.
    for (name, file) in [("c.patch", "c"), ("a.patch", "a"), ("b.diff", "b")] {
        fs::write(env.repo().join(format!("candidates/.{name}.new")), patch(file, "1")).unwrap();
    }
    for name in ["a.patch", "b.diff", "c.patch"] {
        fs::rename(env.repo().join(format!("candidates/.{name}.new")), env.repo().join("candidates").join(name))
            .unwrap();
    }
    wait_for_settled(&env, 3);
    drop_in(&env, "0-late.patch", &patch("late", "1"));
    wait_for_settled(&env, 4);
    assert!(session.is_running());
    env.run(["stop"]).expect(0);
    session.answer().expect(0);
    assert_eq!(names(&env), ["a", "b", "c", "late"]);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "requested");
}

#[test]
fn a_file_that_is_still_written_is_not_judged_half_and_a_rewritten_one_is_another_candidate() {
    let env = project();
    let session = Following::start(&env);
    wait_for_the_baseline(&env);
    let text = patch("slow", "1") + &patch("slower", "2");
    let path = env.repo().join("candidates/slow.patch");
    let mut file = fs::File::create(&path).unwrap();
    // Pauses longer than a whole file has to stand still, at places where the text is no whole patch.
    for part in [&text[..0], &text[..30], &text[30..text.len() - 3], &text[text.len() - 3..]] {
        file.write_all(part.as_bytes()).unwrap();
        file.sync_all().unwrap();
        std::thread::sleep(Duration::from_millis(1200));
    }
    wait_for_settled(&env, 1);
    let run = env.settled("counting", "slow");
    assert_eq!((run["status"].as_str(), run["reason"].as_str()), (Some("discard"), Some("no_effect")), "{run}");
    let given = fs::read_to_string(env.state("counting").join("runs/0001/given.patch")).unwrap();
    assert_eq!(given, text, "the whole patch, and it alone");
    drop_in(&env, "slow.patch", &patch("other", "1"));
    wait_for_settled(&env, 2);
    session.interrupt();
    session.answer().expect(0);
    assert_eq!(names(&env), ["slow", "slow"]);
}

#[test]
fn a_folder_that_goes_away_is_waited_for_and_told_once() {
    let env = project();
    drop_in(&env, "1.patch", &patch("one", "1"));
    let mut session = Following::start(&env);
    wait_for_settled(&env, 1);
    fs::remove_dir_all(env.repo().join("candidates")).unwrap();
    std::thread::sleep(Duration::from_millis(2500));
    assert!(session.is_running());
    fs::create_dir(env.repo().join("candidates")).unwrap();
    drop_in(&env, "2.patch", &patch("two", "2"));
    wait_for_settled(&env, 2);
    env.run(["stop"]).expect(0);
    session.answer().expect(0);
    let notes = env.events("counting", "note");
    let gone = notes.iter().filter(|note| note["text"].as_str().unwrap().contains("candidates is gone"));
    assert_eq!(gone.count(), 1, "{notes:?}");
}

#[test]
fn following_ends_by_a_stop_rule() {
    let env = project();
    env.configure(|config| config["stop"] = json!({ "maxIterations": 2 }));
    let session = Following::start(&env);
    for n in 1..=3 {
        drop_in(&env, &format!("{n}.patch"), &patch(&format!("f{n}"), "1"));
    }
    session.answer().expect(0);
    assert_eq!(env.events("counting", "stopped").last().unwrap()["rule"], "max_iterations");
    assert_eq!(settled(&env), 2);
}

#[test]
fn what_nobody_can_read_is_refused_on_the_record_and_ends_no_night() {
    let env = project();
    drop_in(&env, "2.patch", &patch("two", "2"));
    // Larger than any patch, and nothing on the disk.
    let huge = fs::File::create(env.repo().join("candidates/1-huge.patch")).unwrap();
    huge.set_len(65 << 20).unwrap();
    huge.set_modified(std::time::SystemTime::now() - Duration::from_mins(1)).unwrap();
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[("1-huge.patch", "crash", "apply_failed", "larger than 64 MiB"), ("2.patch", "discard", "no_effect", "")],
    );
}

#[test]
fn a_session_that_waits_for_more_says_so_and_is_at_no_experiment() {
    let env = TestEnvironment::counting_project();
    env.patch("01-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let mut session = Following::start(&env);
    let waits = || {
        let journal = env.journal_text("counting");
        journal.contains("waiting for more (--follow)")
    };
    wait_for("the word that it waits", waits);
    assert!(session.is_running());
    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["under_way"], json!(null), "{status}");
    env.run(["stop"]).expect(0);
    let answer = session.answer().expect(0);
    assert!(answer.stderr.contains("waiting for more (--follow)"), "{}", answer.stderr);
    assert_eq!(env.journal_text("counting").matches("waiting for more").count(), 1, "told once");
}
