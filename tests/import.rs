//! Other tools' logs in a repository: import, the commands that read, init from what they left, export.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::TestEnvironment;

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_imported_log_is_a_session_that_log_status_and_show_read() {
    let env = TestEnvironment::unborn();
    let said = env.run(["import", &fixture("segments.jsonl")]).expect(0);
    assert!(
        said.stdout.starts_with("segments.jsonl: 15 lines: 7 runs, 2 config, 1 of hooks, 1 blank, 4 not understood\n")
    );
    assert!(said.stdout.contains("  segments.jsonl:13: JSON, but no object\n"), "{}", said.stdout);
    let session = "imported-parse-faster-first-try";
    assert!(said.stdout.contains(&format!("autoresearch log --session {session}\n")), "{}", said.stdout);
    let log = env.run(["log", "--session", session]).expect(0).stdout;
    assert!(log.contains("nothing of it was measured or validated here"), "{log}");
    assert!(log.contains("segment 0: Parse faster (first try) (total_µs µs, lower is better)"), "{log}");
    assert!(log.contains("keep (not validated)") && log.contains("verification"), "{log}");
    assert!(log.contains("segments.jsonl:15: torn"), "{log}");
    let json = env.run(["log", "--session", session, "--json"]).expect(0).json();
    assert_eq!(json["experiments"], json!([]));
    assert_eq!(json["imported"]["runs"][1]["flags"], json!(["imported"]));
    assert!((json["imported"]["runs"][1]["change"].as_f64().unwrap() + 19.95).abs() < 1e-9);
    assert_eq!(json["imported"]["files"][0]["unread"].as_array().unwrap().len(), 4);
    let status = env.run(["status", "--session", session]).expect(0).stdout;
    assert!(status.contains("7: 1 without status, 1 Keep, 1 crash, 3 keep, 1 verification"), "{status}");
    let status = env.run(["status", "--session", session, "--json"]).expect(0).json();
    assert_eq!(status["kept"], json!([]));
    let shown = env.run(["show", "2", "--session", session]).expect(0).stdout;
    assert!(shown.starts_with("imported run 2 (line 4, run 2 there): skip blanks at once\n"), "{shown}");
    assert!(shown.contains("status      keep (not validated)\n") && shown.contains("asi         text: a plain text\n"));
    env.run(["show", "8", "--session", session]).expect(1);
    let again = env.run(["import", &fixture("segments.jsonl")]).expect(1);
    assert!(again.stderr.contains("exists already; import under another name with --name"), "{}", again.stderr);
    env.run(["import", &fixture("table.tsv"), "--name", "../out"]).expect(2);
}

#[test]
fn an_imported_keep_is_no_keep_of_a_session_that_goes_on_in_the_same_place() {
    let env = TestEnvironment::counting_project();
    env.run(["import", &fixture("segments.jsonl"), "--name", "counting"]).expect(0);
    env.patch("0001-less.patch", "src/work", "900\n");
    let run = env.run(["run"]).expect(0);
    let status = env.run(["status", "--json"]).expect(0).json();
    assert_eq!((&status["counts"]["settled"], &status["counts"]["kept"]), (&json!(1), &json!(1)), "{}", run.stderr);
    assert_eq!(status["kept"][0]["experiment"], 1);
    assert_eq!(status["imported"]["runs"].as_array().unwrap().len(), 7);
    let log = env.run(["log"]).expect(0).stdout;
    assert!(log.contains("keep (not validated)") && log.contains("improved"), "{log}");
}

/// Makes a repository as another tool leaves it: a bench, checks, ideas, a config, a log, and kept commits.
fn left_by_another_tool() -> (TestEnvironment, Vec<String>) {
    let env = TestEnvironment::unborn();
    env.write("src/work", "1000\n");
    env.script("autoresearch.sh", "#!/bin/bash\nset -eu\necho \"METRIC work=$(cat src/work)\"\n");
    env.write("autoresearch.checks.sh", "#!/bin/bash\ntest \"$(cat src/work)\" -gt 0\n");
    env.write("autoresearch.ideas.md", "# Ideas\n\n- **less work**: why not\n");
    env.write("autoresearch.config.json", "{ \"maxIterations\": 30, \"workingDir\": \"/data/somewhere\" }\n");
    env.commit("set up");
    let mut commits = vec![env.rev("HEAD")];
    let mut log =
        json!({"type":"config","name":"work","metricName":"work","metricUnit":"steps","bestDirection":"lower"})
            .to_string();
    let mut row = |run: usize, commit: &str, metric: u32, status: &str| {
        let row = json!({"run": run, "commit": commit, "metric": metric, "metrics": {}, "status": status,
                         "description": format!("work {metric}"), "timestamp": 1_779_683_958_255_u64 + run as u64, "segment": 0});
        log = format!("{log}\n{row}");
        log.clone()
    };
    row(1, &commits[0][..7], 1000, "keep");
    for (run, work) in [(2, 900), (3, 899)] {
        env.write("src/work", format!("{work}\n"));
        env.write("autoresearch.md", format!("now at {work}\n"));
        env.commit(&format!("work {work}"));
        commits.push(env.rev("HEAD"));
        let text = row(run, &commits[run - 1][..7], work, "keep");
        env.write("autoresearch.jsonl", text + "\n");
    }
    row(4, "HEAD", 1, "discard");
    (env, commits)
}

#[test]
fn keeps_of_another_tool_are_measured_again_with_one_command() {
    let (env, commits) = left_by_another_tool();
    env.git(["branch", "autoresearch/repo"]);
    let shown = env.run(["init", "--from-existing", "--print"]).expect(0).stdout;
    assert!(
        shown.contains("==> checks/10-existing") && env.read("autoresearch.config.json").contains("/data/somewhere")
    );
    let said = env.run(["init", "--from-existing"]).expect(0).stdout;
    assert!(said.contains("autoresearch import autoresearch.jsonl"), "{said}");
    assert!(said.contains("autoresearch run           your last session's keeps, measured again"), "{said}");
    assert!(said.contains("workingDir: /data/somewhere is no folder of this checkout"), "{said}");
    let config: Value = serde_json::from_str(&env.read("autoresearch.config.json")).unwrap();
    assert_eq!(config["bench"]["command"], "bash ./autoresearch.sh");
    assert_eq!(config["base"], json!(commits[0]));
    let range = format!("{}..{}", commits[0], commits[2]);
    assert_eq!(config["candidates"][0], json!({"commits": range, "dropSealed": true}));
    assert_eq!(config["metrics"]["primary"]["name"], "work");
    assert_eq!((&config["stop"]["maxIterations"], &config["branch"]), (&json!(30), &json!("measured-again/repo")));
    assert!(env.read("autoresearch.config.old.json").contains("/data/somewhere"));
    assert!(env.read("ideas.md").contains("## From autoresearch.ideas.md\n\n# Ideas\n\n- **less work**: why not\n"));
    assert!(env.read("checks/10-existing").ends_with("exec bash ./autoresearch.checks.sh\n"));
    // What it wrote is a config of this program.
    env.run(["config"]).expect(0);
    env.run(["import", "autoresearch.jsonl"]).expect(0);
    let log = env.run(["log", "--session", "imported-work", "--json"]).expect(0).json();
    assert_eq!(log["imported"]["runs"][1]["object"], json!(commits[1]));
    // A second time there is nothing of theirs in the config, and ours is not overwritten.
    let again = env.run(["init", "--from-existing"]).expect(1);
    assert!(again.stderr.contains("autoresearch.config.json"), "{}", again.stderr);
    assert_eq!(serde_json::from_str::<Value>(&env.read("autoresearch.config.json")).unwrap(), config);
}

#[test]
fn where_nothing_was_left_nothing_is_made() {
    let env = TestEnvironment::unborn();
    env.write("README", "nothing\n");
    let said = env.run(["init", "--from-existing"]).expect(1);
    assert!(said.stderr.contains("no file of another tool is in"), "{}", said.stderr);
    assert!(!env.repo().join("autoresearch.config.json").exists());
}

#[test]
fn a_failed_init_leaves_their_config_in_place() {
    let (env, _) = left_by_another_tool();
    env.write("ideas.md", "mine\n");
    let said = env.run(["init", "--from-existing"]).expect(1);
    assert!(said.stderr.contains("ideas.md"), "{}", said.stderr);
    assert!(env.read("autoresearch.config.json").contains("/data/somewhere"));
    assert!(!env.repo().join("autoresearch.config.old.json").exists());
}

#[test]
fn a_session_is_exported_for_readers_and_for_committing() {
    let env = TestEnvironment::counting_project();
    env.patch("0001-less.patch", "src/work", "900\n");
    env.patch("0002-other.patch", "src/other", "first\nsecond\nfourth\n");
    env.run(["run"]).expect(0);
    let plain = env.run(["export", "--format", "jsonl"]).expect(0).stdout;
    let lines: Vec<Value> = plain.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["type"], &lines[0]["metricName"]), (&json!("config"), &json!("work")));
    let runs: Vec<_> = lines[1..].iter().map(|line| (line["run"].clone(), line["status"].clone())).collect();
    let kept = ("keep", "discard");
    assert_eq!(runs, [(json!(0), json!(kept.0)), (json!(1), json!(kept.0)), (json!(2), json!(kept.1))]);
    // Import what was exported: the same rows.
    env.write("out.jsonl", &plain);
    env.run(["import", "out.jsonl", "--name", "again"]).expect(0);
    let again = env.run(["export", "--format", "jsonl", "--session", "again"]).expect(0).stdout;
    assert_eq!(again, plain);
    let csv = env.run(["export", "--format", "csv", "--to", "out"]).expect(0).stdout;
    assert!(csv.trim().ends_with("out/autoresearch.csv"), "{csv}");
    assert_eq!(env.read("out/autoresearch.csv").lines().count(), 4);
    let said = env.run(["export"]).expect(0).stdout;
    assert!(said.contains("experiments/counting/journal.jsonl and 2 patches"), "{said}");
    let copy = env.read("experiments/counting/journal.jsonl");
    let place = env.beside("");
    assert!(!copy.contains(place.to_str().unwrap().trim_end_matches('/')), "a path of this machine is in the copy");
    assert!(env.read("experiments/counting/runs/0001/candidate.patch").contains("+900"));
    assert!(!env.repo().join("experiments/counting/runs/0001").join("build.log").exists());
    // The copy is a journal, and a later copy takes its place; another session's does not.
    env.run(["export"]).expect(0);
    let other = env.run(["export", "--session", "again", "--to", "experiments/counting"]).expect(1);
    assert!(other.stderr.contains("belongs to another session"), "{}", other.stderr);
    fs::create_dir_all(env.state("copied")).unwrap();
    fs::write(env.state("copied").join("journal.jsonl"), copy).unwrap();
    let log = env.run(["log", "--session", "copied", "--json"]).expect(0).json();
    assert_eq!(log["experiments"].as_array().unwrap().len(), 3);
}
