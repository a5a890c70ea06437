//! `log` with its filters and `report` in its three forms, over journals of any length and over a real session.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use autoresearch::journal::sample;
use serde_json::{Value, json};
use support::{Answer, TestEnvironment};

/// Makes a repository with a session of this many made-up experiments, every tenth kept, a minute and a half each.
fn sampled(experiments: u32) -> TestEnvironment {
    let env = TestEnvironment::unborn();
    let config = r#"{ "name": "sample", "bench": { "command": "./bench.sh" },
        "metrics": { "primary": { "name": "total_ms", "unit": "ms" } } }"#;
    env.write("autoresearch.config.json", config);
    env.script("bench.sh", "echo METRIC total_ms=1\n");
    let state = env.state("sample");
    fs::create_dir_all(&state).unwrap();
    let mut out = BufWriter::new(File::create(state.join("journal.jsonl")).unwrap());
    sample::write(&mut out, experiments).unwrap();
    env
}

fn listed(env: &TestEnvironment, args: &[&str]) -> Vec<u64> {
    let args: Vec<&str> = ["log", "--json"].iter().chain(args).copied().collect();
    let log = env.run(args).expect(0).json();
    log["experiments"].as_array().unwrap().iter().map(|row| row["experiment"].as_u64().unwrap()).collect()
}

#[test]
fn log_lists_what_its_filters_leave() {
    let env = sampled(30);
    assert_eq!(listed(&env, &["--status", "keep"]), [10, 20, 30]);
    assert_eq!(listed(&env, &["--status", "keep,discard"]).len(), 30);
    assert_eq!(listed(&env, &["--status", "crash"]), [0_u64; 0]);
    assert_eq!(listed(&env, &["--since", "#28"]), [28, 29, 30]);
    assert_eq!(listed(&env, &["--limit", "2"]), [29, 30]);
    assert_eq!(listed(&env, &["--idea", "IDEA-9"]), [9]);
    assert_eq!(listed(&env, &["--grep", "LEVEL 4 before"]), [4, 11, 18, 25]);
    assert_eq!(listed(&env, &["--grep", "fewer system calls", "--limit", "1"]), [30], "the hypothesis");
    assert_eq!(listed(&env, &["--grep", "level 2", "--status", "keep"]), [30]);
    assert_eq!(listed(&env, &["--since", "2026-01-01T00:02:00"]).len(), 4, "four and a half seconds each");
    assert_eq!(listed(&env, &["--since", "2026-01-02"]), [0_u64; 0]);
    assert_eq!(listed(&env, &["--since", "1h"]), [0_u64; 0], "the sample is old");
}

#[test]
fn a_filtered_log_says_how_many_there_are() {
    let env = sampled(30);
    let text = env.run(["log", "--status", "keep"]).expect(0).stdout;
    assert!(text.ends_with("\n3 of 30 settled experiments\n"), "{text}");
    let none = env.run(["log", "--grep", "no such thing"]).expect(0).stdout;
    assert_eq!(none, "none of the 30 settled experiments is like that\n");
    let wrong = env.run(["log", "--since", "soon"]).expect(2);
    assert!(wrong.stderr.contains("#40") && wrong.stderr.contains("12h"), "{}", wrong.stderr);
    env.run(["log", "--status", "kept"]).expect(2);
}

#[test]
fn the_runs_of_another_tools_log_are_filtered_alike() {
    let env = TestEnvironment::counting_project();
    let log = [
        r#"{"type":"config","name":"old","metricName":"work","metricUnit":"","bestDirection":"lower"}"#,
        r#"{"run":1,"commit":"abc1234","metric":90,"metrics":{},"status":"keep","description":"Fewer steps","timestamp":1779683958255}"#,
        r#"{"run":2,"commit":"abc1235","metric":99,"metrics":{},"status":"discard","description":"More steps","timestamp":1779683958256}"#,
    ];
    env.write("old.jsonl", log.join("\n") + "\n");
    env.run(["import", "old.jsonl", "--name", "before"]).expect(0);
    let runs = |args: &[&str]| {
        let args: Vec<&str> = ["log", "--session", "before", "--json"].iter().chain(args).copied().collect();
        let log = env.run(args).expect(0).json();
        let runs = log["imported"]["runs"].as_array().unwrap().iter();
        runs.map(|run| run["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((runs(&[]), runs(&["--status", "keep"]), runs(&["--grep", "MORE"])), (vec![1, 2], vec![1], vec![2]));
    assert_eq!(
        (runs(&["--since", "#2"]), runs(&["--since", "2030-01-01"]), runs(&["--limit", "1"])),
        (vec![2], vec![], vec![2])
    );
}

/// A counting project after a night: two wins, one of them with a mechanism that cannot be right, a no-op, a hostile
/// description, and a validation.
fn night() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    let mail = |subject: &str, body: &str, content: &str| {
        let (diff, _) = env.diff_of(|env| env.write("src/work", content));
        let diff = String::from_utf8(diff).unwrap();
        format!("From: A <a@example.com>\nSubject: [PATCH] {subject}\n\n{body}\n---\n{diff}")
    };
    let hostile = "Count <script>alert(1)</script> less";
    let told = "Fewer steps.\n\nIdea: steps\nAsi-mechanism: it counts \"less\" & less\nAsi-result: 30 % faster\n\
        Asi-predicted: {\"work\": \"up\"}";
    let first = mail(hostile, told, "900\n");
    env.raw_patch("1-first.patch", first);
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.patch("4-loud.patch", "src/other", "first\nloud\n");
    env.raw_patch("3-second.patch", mail("Count much less", "Even fewer.", "700\n"));
    env.script(
        "checks/loud",
        "#!/bin/sh\nif grep -q loud src/other; then echo \"no: $PWD/src/other\" >&2; exit 1; fi\n",
    );
    env.write("ideas.md", "# Ideas\n\n## Closed (do not retry)\n\n- **Z9** count to more\n");
    env
}

#[test]
fn a_report_of_a_real_session_says_what_its_journal_says() {
    let env = night();
    env.run(["run"]).expect(0);
    let report = env.run(["report", "--json"]).expect(0).json();
    let runs = env.events("counting", "run");
    let kept: Vec<&Value> = runs.iter().filter(|run| run["status"] == "keep" && run["run"] != 0).collect();
    let keeps = report["keeps"].as_array().unwrap();
    assert_eq!(keeps.len(), kept.len());
    assert!(!keeps.is_empty());
    for (keep, run) in keeps.iter().zip(&kept) {
        assert_eq!((&keep["experiment"], &keep["commit"]), (&run["run"], &run["commit"]));
        let gain = run["effect"]["gain"].as_f64().unwrap();
        assert!((keep["change"]["value"].as_f64().unwrap() - 100.0 * (-gain).exp_m1()).abs() < 1e-9, "{keep}");
        assert_eq!(keep["touched"], json!(["src/work"]));
        assert_eq!(keep["lines"], 0);
        assert!(keep["patch"]["text"].as_str().unwrap().contains("+++ b/src/work"), "{keep}");
    }
    assert_eq!(keeps[0]["flags"], json!(["mechanism_unconfirmed"]), "the number fell, and was to rise");
    let validated = &env.events("counting", "validated")[0];
    assert_eq!(report["headline"]["validated"]["tip"], validated["tip"]);
    assert_eq!(report["headline"]["is_validated"], true);
    let first = &report["headline"]["metrics"][0];
    assert_eq!(first["metric"], "work");
    assert_eq!(first["baseline"], validated["values"][0][0], "from the base");
    assert_eq!(first["candidate"], validated["values"][0][1], "to the tip");
    assert_eq!(report["counts"]["kept"], keeps.len());
    assert_eq!(report["closed"][0]["text"], "Z9 count to more");
    assert_eq!(report["dropped"][0]["reason"], "no_effect");
}

#[test]
fn the_page_is_one_file_that_anybody_may_read() {
    let env = night();
    env.run(["run"]).expect(0);
    let told = env.run(["report", "--html", "night.html"]).expect(0);
    assert!(told.stdout.starts_with("wrote night.html ("), "{}", told.stdout);
    let path = env.repo().join("night.html");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o400, 0o400);
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(!page.contains(env.beside("").to_str().unwrap()), "a path of this machine");
    assert!(page.contains("no: (slots)/"), "what the check said of it: {page}");
    assert_eq!(env.run(["report", "--html", "-"]).expect(0).stdout, page);
    let body = env.run(["report"]).expect(0).stdout;
    assert_eq!(env.run(["report", "--markdown"]).expect(0).stdout, body);
    assert!(body.contains("\n## Headline numbers\n") && body.contains("it counts \"less\" &amp; less"), "{body}");
    env.run(["report", "--html", "no/such/folder/x.html"]).expect(1);
    env.run(["report", "--json", "--markdown"]).expect(2);
}

#[test]
fn show_has_the_patch_with_colours_where_they_are_wanted() {
    let env = night();
    env.run(["run"]).expect(0);
    let plain = env.run(["show", "1"]).expect(0).stdout;
    assert!(plain.contains("\npatch\n  diff --git a/src/work b/src/work\n"), "{plain}");
    assert!(plain.contains("\n  -1000\n  +900\n") && !plain.contains('\u{1b}'), "{plain}");
    assert!(plain.contains("\nenvironment\n  arch: "), "{plain}");
    let coloured = env.run(["show", "1", "--color", "always"]).expect(0).stdout;
    assert!(coloured.contains("\u{1b}[32m+900\u{1b}[0m"), "{coloured}");
}

#[test]
fn without_a_session_there_is_no_report() {
    let env = TestEnvironment::counting_project();
    let answer = env.run(["report"]).expect(1);
    assert!(answer.stderr.contains("has not run yet"), "{}", answer.stderr);
}

/// Runs the program with at most so many KiB of memory of its own.
fn run_within(env: &TestEnvironment, kib: u32, args: &[&str]) -> Answer {
    let program = env!("CARGO_BIN_EXE_autoresearch");
    let template = env.command(args);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -d {kib} && exec \"$@\""), "sh", program]).args(args);
    command.current_dir(env.repo()).env_clear();
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn ten_thousand_experiments_are_read_within_64_mb() {
    let env = sampled(10_000);
    let limit = 64 * 1024;
    let log = run_within(&env, limit, &["log"]).expect(0);
    assert_eq!(log.stdout.lines().count(), 10_001);
    run_within(&env, limit, &["report", "--html", "report.html"]).expect(0);
    assert!(env.read("report.html").contains("1000 of 10000"));
    let report = run_within(&env, limit, &["report", "--json"]).expect(0).json();
    assert_eq!(report["keeps"].as_array().unwrap().len(), 1000);
    let first = run_within(&env, limit, &["status", "--json"]).expect(0).json();
    assert!(env.state("sample").join("fold.cache").exists());
    let again = run_within(&env, limit, &["status", "--json"]).expect(0).json();
    assert_eq!((&first["counts"], &first["kept"]), (&again["counts"], &again["kept"]));
    assert!(run_within(&env, 4 * 1024, &["report", "--json"]).code != 0, "the limit is a limit");
}
