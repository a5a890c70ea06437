//! `autoresearch doctor`: what it finds in healthy and in ailing projects, and that it leaves no trace.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::{Answer, TestEnvironment, fingerprint};

/// Runs the doctor and returns its exit code and findings.
#[track_caller]
fn doctor(env: &TestEnvironment) -> (i32, Vec<Value>) {
    let answer = env.run(["doctor", "--json"]);
    let json = answer.json();
    assert_eq!(json["exit_code"], answer.code);
    (answer.code, json["findings"].as_array().expect("findings are a list").clone())
}

/// Returns the findings of one check with one verdict.
fn of<'f>(findings: &'f [Value], check: &str, verdict: &str) -> Vec<&'f Value> {
    findings.iter().filter(|f| f["check"] == check && f["verdict"] == verdict).collect()
}

#[track_caller]
fn the<'f>(findings: &'f [Value], check: &str, verdict: &str) -> &'f Value {
    let found = of(findings, check, verdict);
    assert_eq!(found.len(), 1, "{check} {verdict}: {findings:#?}");
    found[0]
}

fn text<'v>(finding: &'v Value, key: &str) -> &'v str {
    finding[key].as_str().unwrap_or_default()
}

/// Returns what was found about the sandbox, which differs between machines.
fn sandbox(findings: &[Value]) -> &Value {
    findings.iter().find(|f| f["check"] == "sandbox").expect("the sandbox is always looked at")
}

#[test]
fn what_ails_a_machine_is_said_in_plain_words_with_its_cure() {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nn=$(cat \"$HOME/n\" 2>/dev/null || echo 0)\necho $((n + 1)) > \"$HOME/n\"\n\
         echo \"METRIC work=$(($(cat src/work) + 5 * n + 3 * (n % 3)))\"\n",
    );
    env.configure(|config| config["decision"] = json!({ "calibrationPairs": 10 }));
    let (code, findings) = doctor(&env);
    assert_eq!(code, 0, "{findings:#?}");
    let drift = the(&findings, "diagnosis", "warning");
    assert!(
        text(drift, "detail").starts_with("work: runs became ") && text(drift, "detail").contains("worse"),
        "{drift}"
    );
    assert!(text(drift, "cure").contains("let the machine settle"), "{drift}");
    assert_eq!((&drift["facts"]["about"], &drift["facts"]["metric"]), (&json!("drift"), &json!("work")));
    let told = env.run(["doctor"]).expect(0).stdout;
    assert!(told.contains("diagnosis") && told.contains("-> pairs cancel it"), "{told}");
}

#[test]
fn a_healthy_project_passes_with_its_noise_and_leaves_no_trace() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.write("src/other", "uncommitted\n");
    let skip = [".git/objects", ".git/autoresearch"];
    let before = fingerprint(&env.repo(), &skip);
    let (code, findings) = doctor(&env);
    assert_eq!(code, 0, "{findings:#?}");
    assert_eq!(fingerprint(&env.repo(), &skip), before);
    assert!(!env.state("counting").join("journal.jsonl").exists());
    let noise = of(&findings, "noise", "ok")[0];
    assert_eq!(noise["facts"]["median"], 1000.0);
    assert_eq!(noise["facts"]["s"], 0.0);
    assert_eq!(noise["facts"]["pairs"], 4);
    assert!(the(&findings, "diagnosis", "ok")["detail"].as_str().unwrap().starts_with("no drift"));
    assert_eq!(the(&findings, "candidates", "ok")["facts"]["candidates"], 1);
    assert!(text(the(&findings, "checkout", "ok"), "detail").contains("no obstacle"));
    assert!(text(the(&findings, "branch", "ok"), "detail").contains("'autoresearch/counting' is free"));
    assert!(text(sandbox(&findings), "detail").contains("mount_namespace"));
    let slots = std::fs::read_dir(env.beside("cache").join("autoresearch")).unwrap().flatten();
    let left: Vec<_> = slots.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn people_read_each_finding_with_its_cure() {
    let env = TestEnvironment::unborn();
    let Answer { code, stdout, .. } = env.run(["doctor"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("FAILURE  head"), "{stdout}");
    assert!(stdout.contains("-> commit the program"), "{stdout}");
    assert!(stdout.contains("'autoresearch init' writes one"), "{stdout}");
}

#[test]
fn a_folder_without_a_repository_is_told_so() {
    let (code, findings) = doctor(&TestEnvironment::empty());
    assert_eq!(code, 1);
    the(&findings, "repository", "failure");
}

#[test]
fn a_detached_head_is_fine() {
    let env = TestEnvironment::counting_project();
    env.git(["checkout", "-q", "--detach"]);
    let (code, findings) = doctor(&env);
    assert_eq!(code, 0, "{findings:#?}");
    assert!(text(the(&findings, "head", "ok"), "detail").contains("detached"));
}

#[test]
fn a_repository_in_sha256_format_is_refused_with_a_cure() {
    let env = TestEnvironment::empty();
    env.git(["init", "-q", "-b", "main", "--object-format=sha256"]);
    env.write("file", "text\n");
    env.commit("a file");
    let (code, findings) = doctor(&env);
    assert_eq!(code, 1);
    let refused = text(the(&findings, "repository", "failure"), "detail");
    assert!(refused.contains("SHA-256") && refused.contains("--object-format=sha1"), "{refused}");
}

#[test]
fn a_branch_in_the_way_is_named() {
    let env = TestEnvironment::counting_project();
    env.git(["branch", "autoresearch"]);
    let (code, findings) = doctor(&env);
    assert_eq!(code, 1);
    assert!(text(the(&findings, "branch", "failure"), "cure").contains("git branch -m autoresearch"));
}

#[test]
fn an_ignored_file_that_the_bench_needs_is_named_and_the_cure_works() {
    let env = TestEnvironment::counting_project();
    env.write(".gitignore", "*.txt\n");
    env.script("bench.sh", "#!/bin/sh\nset -eu\nwork=$(cat input.txt)\necho \"METRIC work=$work\"\n");
    env.commit("a bench that reads an ignored file");
    env.write("input.txt", "7\n");
    env.write("other.txt", "7\n");
    let (code, findings) = doctor(&env);
    assert_eq!(code, 3, "{findings:#?}");
    let bench = the(&findings, "bench", "failure");
    assert_eq!(bench["facts"]["missing"], serde_json::json!(["input.txt"]));
    assert!(text(bench, "cure").contains("\"copy\": [\"input.txt\"]"), "{bench}");
    the(&findings, "noise", "skipped");
    assert!(text(bench, "detail").contains("doctor/runs/0000"), "the log is kept: {bench}");
    assert!(env.state("counting").join("doctor/runs/0000/pair-00-baseline.err").exists());
    let config = env.read("autoresearch.config.json");
    let copy = r#""prepare": { "command": "true", "copy": ["input.txt"] }, "bench""#;
    env.write("autoresearch.config.json", config.replacen("\"bench\"", copy, 1));
    assert_eq!(doctor(&env).0, 0);
}

#[test]
fn a_bench_that_reads_the_users_checkout_is_found() {
    let env = TestEnvironment::counting_project();
    let root = env.repo().canonicalize().unwrap();
    let bench = format!("#!/bin/sh\nset -eu\nwork=$(cat '{}/src/work')\necho \"METRIC work=$work\"\n", root.display());
    env.script("bench.sh", &bench);
    let (code, findings) = doctor(&env);
    let named = of(&findings, "separate", "warning");
    assert!(named.iter().any(|f| text(f, "detail").contains("bench.sh line 3")), "{findings:#?}");
    if text(&sandbox(&findings)["facts"], "mount_namespace").starts_with("works") {
        assert!(text(the(&findings, "separate", "failure"), "detail").contains("./bench.sh"));
        assert_eq!(code, 1);
    }
}

#[test]
fn a_bench_that_rewrites_a_tracked_file_is_named_with_the_file() {
    let env = TestEnvironment::counting_project();
    env.script("bench.sh", "#!/bin/sh\nset -eu\necho more >> src/other\necho \"METRIC work=$(cat src/work)\"\n");
    let (code, findings) = doctor(&env);
    assert_eq!(code, 3);
    let detail = text(the(&findings, "tracked-files", "failure"), "detail");
    assert!(detail.contains("./bench.sh") && detail.contains("src/other"), "{detail}");
}

#[test]
fn a_prepare_that_rewrites_a_tracked_file_is_named_itself() {
    let env = TestEnvironment::counting_project();
    let config = env.read("autoresearch.config.json");
    let prepare = r#""prepare": { "command": "echo more >> src/other" }, "bench""#;
    env.write("autoresearch.config.json", config.replacen("\"bench\"", prepare, 1));
    let (code, findings) = doctor(&env);
    assert_eq!(code, 3);
    let detail = text(the(&findings, "tracked-files", "failure"), "detail");
    assert!(detail.contains("echo more") && detail.contains("src/other"), "{detail}");
}

#[test]
fn a_check_that_fails_on_the_base_is_a_broken_baseline() {
    let env = TestEnvironment::counting_project();
    env.script("checks/10-good", "#!/bin/sh\n");
    env.script("checks/20-bad", "#!/bin/sh\necho 'two is not three' >&2\nexit 1\n");
    let (code, findings) = doctor(&env);
    assert_eq!(code, 3);
    let bad = the(&findings, "checks", "failure");
    assert!(text(bad, "detail").contains("two is not three"), "{bad}");
    assert_eq!(
        of(&findings, "noise", "ok").len() + of(&findings, "noise", "warning").len(),
        1,
        "the noise is told anyway"
    );
}

#[test]
fn a_dangerous_habit_of_the_bench_script_is_reported_with_its_line() {
    let env = TestEnvironment::counting_project();
    env.script("bench.sh", "#!/bin/sh\nset -eu\n./program || echo 'METRIC work=1000'\n");
    let (_, findings) = doctor(&env);
    let habits = of(&findings, "bench-script", "warning");
    assert!(habits.iter().any(|habit| text(habit, "detail").starts_with("bench.sh line 3: ")), "{habits:?}");
}

#[test]
fn programs_that_are_not_there_are_named_before_anything_runs() {
    let env = TestEnvironment::counting_project();
    let config = env.read("autoresearch.config.json");
    let build = r#""build": { "command": "no-such-compiler -O2" }, "bench""#;
    env.write("autoresearch.config.json", config.replacen("\"bench\"", build, 1));
    env.script("checks/10-old", "#!/no/such/shell\n");
    let (code, findings) = doctor(&env);
    assert_eq!(code, 1);
    let named: Vec<_> = of(&findings, "commands", "failure").into_iter().map(|f| text(f, "detail")).collect();
    assert!(named.iter().any(|d| d.contains("no-such-compiler")), "{named:?}");
    assert!(named.iter().any(|d| d.contains("checks/10-old") && d.contains("/no/such/shell")), "{named:?}");
}

#[test]
fn a_counter_that_reaches_zero_is_told_to_use_the_linear_scale() {
    let env = TestEnvironment::counting_project();
    env.write("src/work", "0\n");
    env.commit("nothing to do");
    let (code, findings) = doctor(&env);
    assert_eq!(code, 3);
    assert!(text(the(&findings, "bench", "failure"), "cure").contains("\"scale\": \"linear\""), "{findings:#?}");
}

/// Makes a project whose build and bench honour `CARGO_TARGET_DIR` as cargo does.
fn built_project() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    let folder = "set -eu\nout=${CARGO_TARGET_DIR:-target}\n";
    env.script("build.sh", &format!("#!/bin/sh\n{folder}mkdir -p \"$out\"\ncp src/work \"$out/program\"\n"));
    env.script("bench.sh", &format!("#!/bin/sh\n{folder}work=$(cat \"$out/program\")\necho \"METRIC work=$work\"\n"));
    let config = env.read("autoresearch.config.json");
    let build = r#""build": { "command": "./build.sh", "keep": ["target"] }, "bench""#;
    env.write("autoresearch.config.json", config.replacen("\"bench\"", build, 1));
    env.commit("a project with a build");
    env.patch("1-win.patch", "src/work", "800\n");
    env
}

#[test]
fn with_an_exported_shared_build_folder_a_win_of_20_percent_is_still_found() {
    let env = built_project();
    let shared = env.beside("shared-target");
    let run = |args: &[&str]| -> Answer { env.command(args).env("CARGO_TARGET_DIR", &shared).output().unwrap().into() };
    let findings = run(&["doctor", "--json"]).expect(0).json()["findings"].as_array().unwrap().clone();
    assert!(text(the(&findings, "build-folders", "ok"), "detail").contains("CARGO_TARGET_DIR"));
    let verdict = run(&["try", "candidates/1-win.patch", "--json"]).expect(0).json();
    assert_eq!(verdict["status"], "keep", "{verdict}");
    assert_eq!(verdict["change"]["value"].as_f64().map(f64::round), Some(-20.0), "{verdict}");
    assert!(!shared.exists());
}

#[test]
fn a_build_that_stamps_the_state_of_its_checkout_is_warned_of() {
    let env = TestEnvironment::counting_project();
    assert!(of(&doctor(&env).1, "stamp", "warning").is_empty());
    env.write("version.mk", "VERSION := $(shell git describe --tags --dirty)\n");
    env.commit("stamp the version");
    let findings = doctor(&env).1;
    assert_eq!(the(&findings, "stamp", "warning")["facts"]["files"], serde_json::json!(["version.mk"]));
}

/// Returns what the doctor says that a failing bench needs, and whether it runs with that.
#[track_caller]
fn need_of(env: &TestEnvironment, bench: &str) -> (String, String) {
    env.script("bench.sh", &format!("#!/bin/sh\nset -eu\n{bench}\necho METRIC work=$(cat src/work)\n"));
    let (code, findings) = doctor(env);
    assert_eq!(code, 3, "{findings:#?}");
    let failed = the(&findings, "bench", "failure");
    (failed["facts"]["setting"].as_str().unwrap_or_default().to_owned(), text(failed, "cure").to_owned())
}

/// Says whether reading is restricted here; where it is not, nothing fails for want of it.
fn reading_is_restricted(env: &TestEnvironment) -> bool {
    let findings = env.run(["doctor", "--json"]).json()["findings"].clone();
    text(&sandbox(findings.as_array().unwrap())["facts"], "reading").starts_with("works")
}

#[test]
fn a_file_of_the_home_that_the_bench_reads_is_named_with_its_setting() {
    let env = TestEnvironment::counting_project();
    if !reading_is_restricted(&env) {
        return;
    }
    std::fs::create_dir_all(env.beside("home/data/set")).unwrap();
    std::fs::write(env.beside("home/data/set/input"), "1\n").unwrap();
    std::fs::create_dir_all(env.beside("home/.ssh")).unwrap();
    let input = env.beside("home/data/set/input");
    let (setting, cure) = need_of(&env, &format!("cat '{}' > /dev/null", input.display()));
    assert_eq!(setting, "sandbox.readOnly");
    assert!(cure.starts_with("set \"sandbox\": {\"readOnly\": [\"~/data"), "{cure}");
    env.configure(|config| config["sandbox"]["readOnly"] = serde_json::json!(["~/data"]));
    assert_eq!(doctor(&env).0, 0);
}

#[test]
fn a_variable_that_the_bench_needs_is_named_with_its_setting() {
    let env = TestEnvironment::counting_project();
    let (setting, cure) = need_of(&env, ": \"${NO_COLOR:?is not set}\"");
    assert_eq!((setting.as_str(), cure.as_str()), ("sandbox.env", "set \"sandbox\": {\"env\": [\"NO_COLOR\"]}"));
    env.configure(|config| config["sandbox"]["env"] = serde_json::json!(["NO_COLOR"]));
    assert_eq!(doctor(&env).0, 0);
}

#[test]
fn a_folder_that_the_bench_writes_becomes_a_cache_of_each_slot() {
    let env = TestEnvironment::counting_project();
    std::fs::create_dir_all(env.beside("home/cache")).unwrap();
    std::fs::write(env.beside("home/cache/warm"), "mine\n").unwrap();
    let cache = env.beside("home/cache");
    if !(reading_is_restricted(&env) && mounts(&env)) {
        return;
    }
    let line = format!("cat '{0}/warm' > /dev/null; echo x >> '{0}/warm'", cache.display());
    let (setting, cure) = need_of(&env, &line);
    assert_eq!(
        (setting.as_str(), cure.starts_with("set \"sandbox\": {\"caches\": [\"~/cache\"]}")),
        ("sandbox.caches", true),
        "{cure}"
    );
    std::fs::write(env.beside("home/cache/warm"), "mine\n").unwrap();
    env.configure(|config| config["sandbox"]["caches"] = serde_json::json!(["~/cache"]));
    assert_eq!(doctor(&env).0, 0);
    assert_eq!(std::fs::read_to_string(env.beside("home/cache/warm")).unwrap(), "mine\n", "each slot writes its copy");
}

fn mounts(env: &TestEnvironment) -> bool {
    let findings = env.run(["doctor", "--json"]).json()["findings"].clone();
    text(&sandbox(findings.as_array().unwrap())["facts"], "mount_namespace").starts_with("works")
}
