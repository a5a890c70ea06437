//! `compare` and `run --dry-run`: answers without a session, and nothing of the repository changed.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::{Answer, TestEnvironment, fingerprint};

// A bench command here names files by a pattern where it must not seal them.

/// Compares two revisions with the counting project's bench.
fn compare(env: &TestEnvironment, more: &[&str]) -> Answer {
    env.run(["compare", "main", "change", "--bench", "./bench.sh"].iter().chain(more))
}

/// Makes the branch `change` with one file of `main` changed; the checkout stays on `main`.
fn change(file: &str, content: &str) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    commit_change(&env, file, content);
    env
}

fn commit_change(env: &TestEnvironment, file: &str, content: &str) {
    env.git(["switch", "-q", "-c", "change"]);
    env.write(file, content);
    env.commit("a change");
    env.git(["switch", "-q", "main"]);
}

/// Says how many folders are left in the folder for slots.
fn leftovers(env: &TestEnvironment) -> usize {
    let repositories = std::fs::read_dir(env.beside("cache/autoresearch")).unwrap();
    repositories.map(|repository| std::fs::read_dir(repository.unwrap().path()).unwrap().count()).sum()
}

#[test]
fn a_real_win_is_told_with_its_size_and_nothing_changes() {
    let env = change("src/work", "900\n");
    env.write("src/other", "dirty\n");
    env.write("untracked", "mine\n");
    let (before, refs) = (fingerprint(&env.repo(), &[]), env.git(["for-each-ref"]));
    let answer = compare(&env, &[]).expect(0);
    assert!(
        answer.stdout.starts_with("improved: work -10.0 % [-10.0, -10.0]\nchange is better than main\n"),
        "{}",
        answer.stdout
    );
    assert!(
        answer.stdout.contains("3 pairs (6 runs); before them 10 pairs of the base against itself"),
        "{}",
        answer.stdout
    );
    assert_eq!(fingerprint(&env.repo(), &[]), before);
    assert_eq!(env.git(["for-each-ref"]), refs);
    assert_eq!(leftovers(&env), 0);
}

#[test]
fn what_is_no_win_is_told_as_what_it_is() {
    let answer = compare(&change("src/other", "first\n"), &["--json"]).expect(4).json();
    assert_eq!((&answer["verdict"], &answer["metric"]), (&"no_effect".into(), &"work".into()));
    assert_eq!(answer["calibration"]["pairs"], 10);
    let answer = compare(&change("src/work", "1100\n"), &["--json"]).expect(4).json();
    assert_eq!((&answer["verdict"], &answer["status"]), (&"regressed".into(), &"discard".into()));
    assert!((answer["change"]["value"].as_f64().unwrap() - 10.0).abs() < 1e-6, "{answer}");
    let answer = compare(&change("src/work", "1100\n"), &["--direction", "higher"]).expect(0);
    assert!(answer.stdout.starts_with("improved: work +10.0 %"), "{}", answer.stdout);
}

#[test]
fn a_bench_that_prints_no_metric_is_timed() {
    let env = change("src/work", "0.2\n");
    commit_slow_base(&env);
    let bench = ["compare", "main", "change", "--bench", "sleep $(cat src/wor*)", "--json"];
    let answer = env.run(bench).expect(0).json();
    assert_eq!(answer["metric"], "auto.wall_s");
    assert!(answer["change"]["value"].as_f64().unwrap() < -20.0, "{answer}");
}

fn commit_slow_base(env: &TestEnvironment) {
    env.write("src/work", "0.4\n");
    env.commit("slow");
}

#[test]
fn the_metric_is_the_first_one_named_unless_another_is_asked_for() {
    let env = change("src/work", "900\n");
    let bench = "echo METRIC z_other=5; ./bench.sh";
    let run = |more: &[&str]| env.run(["compare", "main", "change", "--json", "--bench", bench].iter().chain(more));
    assert_eq!(run(&[]).expect(4).json()["metric"], "z_other");
    assert_eq!(run(&["--metric", "work"]).expect(0).json()["metric"], "work");
    let missing = run(&["--metric", "nowhere"]).expect(3);
    assert!(missing.stderr.contains("nowhere"), "{}", missing.stderr);
}

#[test]
fn a_candidate_that_computes_something_else_is_no_win() {
    let env = change("src/work", "900\n");
    let bench = "./bench.sh; echo INVARIANT work=$(cat src/wor*)";
    let answer = env.run(["compare", "main", "change", "--bench", bench]).expect(6);
    assert!(
        answer.stdout.starts_with("invariant_changed: change computes something else than main"),
        "{}",
        answer.stdout
    );
}

#[test]
fn a_candidate_that_does_not_build_is_told_with_what_the_build_said() {
    let env = change("src/work", "not a number\n");
    let build = "grep -q 000 src/work || { echo broken here >&2; exit 1; }; cp src/work built";
    let answer = compare(&env, &["--build", build]).expect(5);
    assert!(answer.stdout.starts_with("build_failed: change fails where main does not"), "{}", answer.stdout);
    assert!(answer.stdout.contains("broken here"), "{}", answer.stdout);
}

#[test]
fn what_the_bases_build_made_is_there_when_the_candidate_is_built() {
    let env = change("src/work", "900\n");
    let build = "mkdir -p out && cat src/work >> out/seen";
    let bench = "test $(sed -n 1p out/seen) = 1000 && echo METRIC work=$(tail -n 1 out/seen)";
    let answer = env.run(["compare", "main", "change", "--build", build, "--bench", bench]).expect(0);
    assert!(answer.stdout.starts_with("improved: work -10.0 %"), "{}", answer.stdout);
}

#[test]
fn a_base_that_fails_and_a_revision_that_is_none_are_no_answers() {
    let env = change("src/work", "900\n");
    let broken = env.run(["compare", "main", "change", "--bench", "echo no luck >&2; false"]).expect(3);
    assert!(
        broken.stderr.contains("the base main does not build or run") && broken.stderr.contains("no luck"),
        "{}",
        broken.stderr
    );
    let unbuilt = compare(&env, &["--build", "exit 7"]).expect(3);
    assert!(unbuilt.stderr.contains("exit 7"), "{}", unbuilt.stderr);
    let nowhere = env.run(["compare", "main", "nowhere", "--bench", "true"]).expect(1);
    assert!(nowhere.stderr.contains("nowhere"), "{}", nowhere.stderr);
    env.run(["compare", "main", "change"]).expect(2);
    compare(&env, &["--max-pairs", "2"]).expect(2);
    compare(&env, &["--min-effect", "5"]).expect(2);
    assert_eq!(leftovers(&env), 0);
}

#[test]
fn the_same_thing_twice_is_compared_with_a_warning() {
    let env = change("bench.sh", "#!/bin/sh\necho METRIC work=1\n");
    let warning = |more: &[&str]| {
        let answer = env.run(["compare", "--json", "--bench", "./bench.sh"].iter().chain(more)).expect(4).json();
        answer["warnings"][0].as_str().unwrap().to_owned()
    };
    assert!(warning(&["main", "HEAD"]).contains("the same commit"));
    let sealed = warning(&["main", "change"]);
    assert!(sealed.contains("bench.sh") && sealed.contains("nothing else differs"), "{sealed}");
    env.git(["switch", "-q", "-c", "empty"]);
    env.commit("nothing");
    assert!(warning(&["main", "empty"]).contains("the same files"));
}

#[test]
fn no_identity_and_no_config_are_needed_and_commands_start_where_the_person_is() {
    let env = TestEnvironment::unborn();
    env.write("sub/work", "1000\n");
    env.commit("base");
    env.write("sub/work", "800\n");
    env.commit("faster");
    std::fs::write(env.beside("gitconfig"), "").unwrap();
    let bench = "echo METRIC work=$(cat wor*)";
    env.run(["-C", "sub", "compare", "HEAD~1", "HEAD", "--bench", bench]).expect(0);
}

#[test]
fn a_dry_run_shows_the_screens_verdicts_and_leaves_nothing() {
    let env = TestEnvironment::counting_project();
    env.script("checks/sane", "#!/bin/sh\ntest -s src/work\n");
    env.commit("a check");
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-outside.patch", "elsewhere", "x\n");
    env.write("candidates/3-prose.patch", "no patch at all\n");
    env.patch("4-again.patch", "src/work", "900\n");
    let (before, refs) = (fingerprint(&env.repo(), &[]), env.git(["for-each-ref"]));
    let answer = env.run(["run", "--dry-run"]).expect(0);
    let line = |name: &str| answer.stdout.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    assert!(line("1-win.patch").contains("accepted"), "{}", answer.stdout);
    assert!(line("2-outside.patch").contains("out_of_scope"), "{}", answer.stdout);
    assert!(line("3-prose.patch").contains("apply_failed"), "{}", answer.stdout);
    assert!(line("4-again.patch").contains("duplicate"), "{}", answer.stdout);
    assert!(line("sane").contains("check"), "{}", answer.stdout);
    assert!(answer.stdout.contains("Candidates: 4; accepted by the screen: 1"), "{}", answer.stdout);
    assert_eq!(fingerprint(&env.repo(), &[]), before);
    assert_eq!(env.git(["for-each-ref"]), refs);
    assert_eq!(leftovers(&env), 0);
}

#[test]
fn a_dry_run_after_a_session_starts_from_its_tip_and_leaves_out_what_was_tried() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    env.patch("2-next.patch", "src/work", "800\n");
    let journal = env.journal("counting").len();
    let answer = env.run(["run", "--dry-run"]).expect(0);
    let tip = env.git(["rev-parse", "--short=10", "autoresearch/counting"]);
    assert!(answer.stdout.contains(tip.trim()), "{}", answer.stdout);
    assert!(answer.stdout.contains("tried already: 1"), "{}", answer.stdout);
    assert_eq!(env.journal("counting").len(), journal);
}

#[test]
fn a_dry_run_on_a_baseline_that_fails_says_so() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.script("checks/never", "#!/bin/sh\nexit 1\n");
    let answer = env.run(["run", "--dry-run"]).expect(3);
    assert!(answer.stderr.contains("never"), "{}", answer.stderr);
}
