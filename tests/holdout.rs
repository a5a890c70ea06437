//! The holdout: a win must not get worse on a bench that its proposer never sees.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::TestEnvironment;

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// What nobody who proposes may see: the metric, its values, the files.
const SECRETS: [&str; 5] = ["secret_ms", "31337", "62674", "holdout.sh", "factor.csv"];

/// A holdout that multiplies the number in `src/held` by the one in its own data.
const SCRIPT: &str = "#!/bin/sh\nset -eu\necho \"METRIC secret_ms=$(($(cat src/held) * $(cat \"$1\")))\"\n";

/// Makes a counting project whose holdout, a part of the config, is committed with the rest.
fn project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.write("src/held", "31337\n");
    env.script("holdout.sh", SCRIPT);
    env.write("held/factor.csv", "1\n");
    env.configure(|config| {
        config["holdout"] = json!({
            "command": "./holdout.sh held/factor.csv",
            "metrics": [ { "name": "secret_ms", "tolerance": 0.03 } ]
        });
    });
    env.commit("a project with a holdout");
    env
}

/// Makes a counting project, and a holdout in a folder beside the repository; returns the holdout's file.
fn project_with_a_secret() -> (TestEnvironment, String) {
    let env = TestEnvironment::counting_project();
    env.write("src/held", "31337\n");
    env.commit("what the holdout reads");
    let folder = env.beside("secret");
    fs::create_dir_all(folder.join("data")).unwrap();
    fs::write(folder.join("data/factor.csv"), "1\n").unwrap();
    let script = format!("{SCRIPT}test -s \"$AUTORESEARCH_HOLDOUT_DIR/data/factor.csv\"\n");
    executable(&folder.join("holdout.sh"), &script);
    let held = json!({
        "command": "./holdout.sh data/factor.csv",
        "metrics": [ { "name": "secret_ms", "tolerance": 0.03 } ]
    });
    fs::write(folder.join("held.json"), held.to_string()).unwrap();
    let file = folder.join("held.json").display().to_string();
    (env, file)
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Adds a candidate that is better on the bench and worse on the holdout.
fn tuned(env: &TestEnvironment, name: &str) {
    env.change(name, |env| {
        env.write("src/work", "900\n");
        env.write("src/held", "62674\n");
    });
}

fn held_pairs(env: &TestEnvironment, experiment: u64) -> Vec<u64> {
    let pairs = env.events("counting", "pair").into_iter();
    let held = pairs.filter(|pair| pair["experiment"] == experiment && pair["holdout"] == true);
    held.map(|pair| pair["pair"].as_u64().unwrap()).collect()
}

#[track_caller]
fn tells_nothing(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn a_win_that_is_worse_on_the_holdout_is_dropped_and_one_that_is_not_is_kept() {
    let env = project();
    tuned(&env, "1-tuned.patch");
    env.patch("2-win.patch", "src/work", "900\n");
    env.patch("3-no-op.patch", "src/other", "first\n");
    let answer = env.run(["run"]).expect(0);
    tells_nothing(&(answer.stdout + &answer.stderr));
    env.expect_verdicts(
        "counting",
        &[("tuned", "discard", "holdout_regressed", "not on the holdout"), ("no op", "discard", "no_effect", "")],
    );
    assert_eq!(env.settled("counting", "win")["status"], "keep");
    assert_eq!(held_pairs(&env, 0), [1, 2, 3, 4], "a scale of its own");
    assert_eq!(held_pairs(&env, 1), [1, 2, 3, 4, 5, 6, 7], "no metric fails before pair 6");
    assert_eq!(held_pairs(&env, 2), [1, 2, 3]);
    assert!(held_pairs(&env, 3).is_empty(), "only what is about to be kept is asked");
    let calibrated = &env.events("counting", "calibrated")[0];
    assert_eq!(calibrated["holdout"]["metrics"][0]["median"], 31337.0);
    assert_eq!(env.events("counting", "decided")[0]["holdout"][0]["state"], "failed");
    assert_eq!(env.git(["rev-list", "--count", &format!("main..{BRANCH}")]).trim(), "1");
    assert_eq!(env.git(["show", &format!("{BRANCH}:holdout.sh")]), SCRIPT, "a keep has what the tip has");
}

#[test]
fn what_proposers_read_says_nothing_of_the_holdout_and_what_a_person_reads_does() {
    let env = project();
    let (diff, _) = env.diff_of(|env| {
        env.write("src/work", "900\n");
        env.write("src/held", "62674\n");
    });
    fs::write(env.beside("tuned.patch"), diff).unwrap();
    let tuned = env.beside("tuned.patch");
    let answer = env.run(["try", &tuned.display().to_string(), "--json"]).expect(4);
    assert_eq!(answer.json()["reason"], "holdout_regressed");
    assert_eq!(answer.json()["asi"]["auto"]["seconds"]["holdout"], Value::Null);
    tells_nothing(&(answer.stdout + &answer.stderr));
    env.patch("2-win.patch", "src/work", "900\n");
    let answer = env.run(["try", "candidates/2-win.patch"]).expect(0);
    tells_nothing(&(answer.stdout + &answer.stderr));
    tells_nothing(&env.git(["log", "-1", "--format=%B", BRANCH]));
    for run in env.events("counting", "run") {
        tells_nothing(&run.to_string());
    }
    for id in ["1", "2"] {
        let shown = env.run(["show", id]).expect(0).stdout;
        assert!(shown.contains("for you only") && shown.contains("secret_ms"), "{shown}");
        let json = env.run(["show", id, "--json"]).expect(0).json();
        // The patch itself touches the file that the holdout reads.
        assert_eq!(json["pairs"].as_array().unwrap().iter().filter(|pair| pair["baseline"] != 1000.0).count(), 0);
        assert!(!json.to_string().contains("secret_ms"), "{json}");
    }
    let runs = fs::read_dir(env.state("counting").join("runs/0001")).unwrap();
    let names: Vec<String> = runs.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.contains("holdout")), "{names:?}");
    assert!(env.state("counting").join("holdout/0001").is_dir());
}

#[test]
fn a_holdout_outside_the_repository_judges_and_stays_until_another_is_given() {
    let (env, file) = project_with_a_secret();
    tuned(&env, "1-tuned.patch");
    env.run(["run", "--holdout", &file]).expect(0);
    env.expect_verdicts("counting", &[("tuned", "discard", "holdout_regressed", "")]);
    env.change("2-tuned-again.patch", |env| {
        env.write("src/work", "800\n");
        env.write("src/held", "62674\n");
    });
    let answer = env.run(["run"]).expect(0);
    tells_nothing(&(answer.stdout + &answer.stderr));
    env.expect_verdicts("counting", &[("tuned again", "discard", "holdout_regressed", "")]);
    assert_eq!(env.events("counting", "config").len(), 1, "the session has the holdout still");
    let shown = env.run(["config", "--json"]).expect(0).json();
    let row = |key: &str| shown["settings"].as_array().unwrap().iter().find(|row| row["key"] == key).cloned().unwrap();
    assert_eq!(row("holdout.metrics[0].tolerance")["origin"], "--holdout");
    env.patch("3-win.patch", "src/work", "700\n");
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "win")["status"], "keep");
    let left = Command::new("find").arg(env.beside("cache")).args(["-name", "holdout*"]).output().unwrap();
    assert_eq!(String::from_utf8(left.stdout).unwrap(), "", "nothing of it is left in the slots");
    fs::write(env.beside("secret/data/factor.csv"), "2\n").unwrap();
    env.run(["calibrate"]).expect(0);
    let configs = env.events("counting", "config");
    let why = configs.last().unwrap()["why"].as_str().unwrap();
    assert!(why.starts_with("the harness changed: ") && why.ends_with("factor.csv"), "its files are sealed too: {why}");
    env.run(["calibrate", "--holdout", "none"]).expect(0);
    assert_eq!(env.events("counting", "config").last().unwrap()["settings"]["holdout"], Value::Null);
}

#[test]
fn a_holdout_that_fails_on_the_baseline_stops_the_session_at_its_start() {
    for (script, part) in [
        ("#!/bin/sh\necho nothing is here >&2\nexit 3\n", "the holdout: "),
        ("#!/bin/sh\necho METRIC other=1\n", "the bench printed no line 'METRIC secret_ms=<number>'"),
    ] {
        let env = project();
        env.script("holdout.sh", script);
        env.commit("a holdout that does not work");
        tuned(&env, "1-tuned.patch");
        let error = env.run(["run"]).expect(3).stderr;
        assert!(error.contains(part) && error.contains("its output is in "), "{error}");
        assert!(env.verdicts("counting").is_empty() && env.events("counting", "pair").is_empty());
    }
    let env = project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.configure(|config| config["holdout"]["files"] = json!(["nothing/**"]));
    let error = env.run(["run"]).expect(1).stderr;
    assert!(error.contains("'nothing/**' in holdout.files matches no file"), "{error}");
}

/// Makes a project whose build, bench and check all run `src/look`, which a candidate may change.
fn looking_project(env: &TestEnvironment) {
    env.write("src/look", "echo LOOKED\n");
    env.script("bench.sh", "#!/bin/sh\nset -eu\nsh src/look >&2\necho \"METRIC work=$(cat src/work)\"\n");
    env.script("checks/look", "#!/bin/sh\nexec sh src/look\n");
    env.configure(|config| config["build"] = json!({ "command": "sh src/look" }));
    env.commit("a project that looks around");
}

/// Adds a win that looks for the holdout wherever it could be.
fn prying(env: &TestEnvironment, originals: &[String]) {
    let look = format!(
        "echo LOOKED\n\
         for f in bench.sh holdout.sh held/factor.csv \"$HOME\"/../*/holdout \"$HOME\"/holdout; do\n\
         if [ -e \"$f\" ]; then echo \"SEES $f\"; fi\ndone\n\
         if grep -q secret autoresearch.config.json; then echo SEES the config; fi\n\
         for f in {}; do if [ -s \"$f\" ]; then echo \"SEES original $f\"; fi; done\n",
        originals.join(" ")
    );
    env.change("1-prying.patch", |env| {
        env.write("src/work", "900\n");
        env.write("src/look", &look);
    });
}

/// Returns what the commands of experiment 1 saw, and how often they looked.
fn seen(env: &TestEnvironment) -> (Vec<String>, usize) {
    let mut looked = 0;
    let mut sights = Vec::new();
    for entry in fs::read_dir(env.state("counting").join("runs/0001")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "out" || ending == "err") {
            let text = fs::read_to_string(&path).unwrap();
            looked += text.matches("LOOKED").count();
            sights.extend(text.lines().filter(|line| line.contains("SEES")).map(str::to_owned));
        }
    }
    sights.sort();
    sights.dedup();
    (sights, looked)
}

#[track_caller]
fn sees_only_the_bench(env: &TestEnvironment) {
    assert_eq!(env.settled("counting", "prying")["status"], "keep", "the holdout itself has its files");
    let hides =
        env.events("counting", "sandbox")[0]["enforced"]["mount_namespace"].as_str().unwrap().starts_with("works");
    let (mut sights, looked) = seen(env);
    if !hides {
        // What lies outside the slots cannot be hidden here.
        sights.retain(|sight| !sight.contains("original"));
    }
    assert_eq!(sights, ["SEES bench.sh"]);
    assert!(looked > 6, "build, check and both arms of three pairs looked: {looked}");
}

#[test]
fn candidates_do_not_find_the_files_of_a_holdout_in_the_repository() {
    let env = project();
    looking_project(&env);
    let original = |path: &str| env.repo().join(path).display().to_string();
    let journal = env.state("counting").join("journal.jsonl").display().to_string();
    prying(&env, &[original("holdout.sh"), original("held/factor.csv"), original("autoresearch.config.json"), journal]);
    env.change("2-at-the-holdout.patch", |env| env.write("holdout.sh", "#!/bin/sh\necho METRIC secret_ms=1\n"));
    env.run(["run"]).expect(0);
    sees_only_the_bench(&env);
    env.expect_verdicts("counting", &[("at the holdout", "checks_failed", "sealed_path", "")]);
}

#[test]
fn candidates_do_not_find_the_files_of_a_holdout_elsewhere() {
    let (env, file) = project_with_a_secret();
    looking_project(&env);
    let original = |path: &str| env.beside("secret").join(path).display().to_string();
    prying(&env, &[file.clone(), original("holdout.sh"), original("data/factor.csv")]);
    env.run(["run", "--holdout", &file]).expect(0);
    sees_only_the_bench(&env);
}

#[test]
fn a_holdout_cut_short_goes_on_with_its_pairs() {
    for patch in ["win", "tuned"] {
        let env = project();
        if patch == "win" {
            env.patch("1-win.patch", "src/work", "900\n");
        } else {
            tuned(&env, "1-tuned.patch");
        }
        env.run(["run"]).expect(0);
        let (before, verdicts) = (held_pairs(&env, 1), env.verdicts("counting"));
        let text = env.journal_text("counting");
        let lines: Vec<&str> = text.lines().collect();
        let is_held = |line: &&str| line.contains("\"holdout\":true") && line.contains("\"experiment\":1");
        let last = lines.iter().position(is_held).unwrap() + 1;
        fs::write(env.state("counting").join("journal.jsonl"), lines[..=last].join("\n") + "\n").unwrap();
        env.git(["update-ref", BRANCH, "main"]);
        assert_eq!(held_pairs(&env, 1).len(), 2);
        env.run(["run"]).expect(0);
        assert_eq!(held_pairs(&env, 1), before, "two were there, the others were added");
        assert_eq!(env.verdicts("counting"), verdicts);
        assert_eq!(env.events("counting", "calibrated").len(), 1, "its scale serves on");
    }
}

#[test]
fn a_candidate_that_fails_or_answers_otherwise_on_the_holdout_only_is_dropped_for_that() {
    let env = project();
    env.script(
        "holdout.sh",
        "#!/bin/sh\nset -eu\nif grep -q fails src/other; then exit 1; fi\n\
         echo \"INVARIANT answer=$(grep -c other src/other || true)\"\necho METRIC secret_ms=31337\n",
    );
    env.commit("a holdout that fails and answers");
    for (name, other) in [("1-fails.patch", "fails\n"), ("2-other.patch", "other\n")] {
        env.change(name, |env| {
            env.write("src/work", "900\n");
            env.write("src/other", other);
        });
    }
    let answer = env.run(["run"]).expect(0);
    tells_nothing(&(answer.stdout + &answer.stderr));
    env.expect_verdicts(
        "counting",
        &[
            ("fails", "crash", "bench_failed", "bench_failed on the holdout"),
            ("other", "checks_failed", "invariant_changed", "invariant_changed on the holdout"),
        ],
    );
    for name in ["fails", "other"] {
        assert_eq!(env.settled("counting", name)["asi"]["auto"]["failed"], Value::Null);
    }
}

#[test]
fn a_candidate_is_not_blamed_for_a_holdout_that_fails_on_the_baseline_too() {
    let (env, file) = project_with_a_secret();
    let broken = env.beside("broken");
    executable(
        &env.beside("secret/holdout.sh"),
        &format!("#!/bin/sh\nset -eu\n[ ! -e {} ]\necho \"METRIC secret_ms=$(cat src/held)\"\n", broken.display()),
    );
    env.run(["calibrate", "--holdout", &file]).expect(0);
    fs::write(&broken, "").unwrap();
    env.patch("1-win.patch", "src/work", "900\n");
    let error = env.run(["run"]).expect(3).stderr;
    assert!(error.contains("the holdout fails on it"), "{error}");
    tells_nothing(&error);
    assert!(env.verdicts("counting").is_empty());
    fs::remove_file(&broken).unwrap();
    env.run(["run"]).expect(0);
    assert_eq!(env.settled("counting", "win")["status"], "keep");
    assert_eq!(held_pairs(&env, 1).len(), 6, "three void attempts, then three pairs");
}

#[test]
fn doctor_and_dry_run_try_the_holdout_on_the_base() {
    let env = project();
    env.patch("1-win.patch", "src/work", "900\n");
    let found = env.run(["doctor", "--json"]).expect(0).json();
    let of_holdout: Vec<Value> =
        found["findings"].as_array().unwrap().iter().filter(|f| f["check"] == "holdout").cloned().collect();
    assert_eq!(of_holdout.len(), 2, "{found}");
    assert!(of_holdout[0]["cure"].as_str().unwrap().contains("--holdout FILE"));
    assert!(of_holdout[1]["detail"].as_str().unwrap().contains("works in both slots"));
    let told = env.run(["run", "--dry-run"]).expect(0).stdout;
    assert_eq!(told.lines().filter(|line| line.trim_start().starts_with("holdout")).count(), 2, "{told}");
    let (env, file) = project_with_a_secret();
    let found = env.run(["doctor", "--json", "--holdout", &file]).expect(0).json();
    let is_ok = |f: &&Value| f["check"] == "holdout" && f["verdict"] == "ok";
    assert_eq!(found["findings"].as_array().unwrap().iter().filter(is_ok).count(), 2, "{found}");
}
