//! Knob sweeps from the config to the closed entry in ideas.md: knobs in a file, in the environment of the bench, and in
//! an argument of the build.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::facts::{assert_same_facts, facts};
use support::{TestEnvironment, wait_for};

const IDEAS: &str = "\
# Ideas

## To try

- [ ] **P1** Write larger batches. <!-- autoresearch: id=batches axis=BATCH -->
- [ ] **P2** Something else.
";

/// A project whose work is least at the batch size 8, and which has 2.
fn batches() -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.write("src/options", "[options]\nBATCH = 2\nKEEP = 5\n");
    env.write("ideas.md", IDEAS);
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\nbatch=$(sed -n 's/^BATCH = //p' src/options)\n\
         if [ \"$batch\" = \"$(cat src/fails 2>/dev/null)\" ]; then exit 1; fi\n\
         off=$((batch - 8)); if [ $off -lt 0 ]; then off=$((-off)); fi\n\
         echo \"METRIC work=$((1000 + 50 * off))\"\n",
    );
    sweep(
        &env,
        &json!({ "file": "src/options", "pattern": "BATCH = (\\d+)", "logRange": { "from": 1, "to": 32, "factor": 2 },
                        "strategy": "climb" }),
    );
    env.commit("batches");
    env
}

fn sweep(env: &TestEnvironment, sweep: &Value) {
    env.configure(|config| config["candidates"] = json!([{ "sweep": sweep }]));
}

/// Returns the settling lines as `description: status (reason)`.
fn story(env: &TestEnvironment, name: &str) -> Vec<String> {
    let told = env.verdicts(name).into_iter();
    told.map(|(what, status, reason)| format!("{what}: {status} ({reason})")).collect()
}

const CLIMB: [&str; 4] = [
    "BATCH = 1 (was 2): discard (regressed)",
    "BATCH = 4 (was 2): keep (improved)",
    "BATCH = 8 (was 4): keep (improved)",
    "BATCH = 16 (was 8): discard (regressed)",
];

#[test]
fn a_climb_finds_the_knee_of_a_file_knob_and_closes_it_for_all_later_sweeps() {
    let env = batches();
    let before = env.read("src/options");
    env.run(["run"]).expect(0);
    assert_eq!(story(&env, "counting"), CLIMB);
    assert_eq!(env.git(["show", "autoresearch/counting:src/options"]), before.replace("BATCH = 2", "BATCH = 8"));
    assert_eq!(env.read("src/options"), before);
    let proposed = env.events("counting", "proposed");
    assert_eq!(proposed[3]["source"], json!({ "sweep": "BATCH=16" }));
    assert_eq!(proposed[3]["axes"], json!([{ "name": "BATCH", "value": "16" }]));

    let ideas = env.read("ideas.md");
    let entry = ideas.lines().last().unwrap();
    assert!(
        ideas.contains("## To try\n\n- [ ] **P2** Something else.\n\n## Closed (do not retry)\n\n- [x] **P1**"),
        "{ideas}"
    );
    let start = "- [x] **P1** Write larger batches. BATCH stays at 8: no gain at 1, 2, 4, 16. Tried: #1, #2, #3, #4. \
                 Effect: 1: work +3.8 % [";
    assert!(entry.starts_with(start), "{entry}");
    assert!(entry.contains("; 2: 4 was better, work -7.7 % ["), "{entry}");
    assert!(entry.contains("; 16: work +40.0 % ["), "{entry}");
    let end = "(regressed, #4). Mechanism: knee mapped by a sweep. Reopen: src/options changed. \
               <!-- autoresearch: id=batches axis=BATCH=1 axis=BATCH=2 axis=BATCH=4 axis=BATCH=16 closed=1,2,3,4 \
               reopen=\"src/options changed\" -->";
    assert!(entry.ends_with(end), "{entry}");
    let edits = env.events("counting", "idea_edit");
    assert_eq!(edits.len(), 1);
    assert_eq!(
        (&edits[0]["experiment"], &edits[0]["written"], edits[0]["axes"].as_array().unwrap().len()),
        (&json!(4), &json!(true), 4)
    );

    // A second run and a dry one have nothing to do, and what a person takes out stays out.
    env.run(["run"]).expect(0);
    env.run(["run", "--dry-run"]).expect(0);
    assert_eq!((env.read("ideas.md"), env.events("counting", "idea_edit").len()), (ideas.clone(), 1));
    env.write("ideas.md", IDEAS);
    env.run(["run"]).expect(0);
    assert_eq!(env.read("ideas.md"), IDEAS);

    // Another session is refused the closed values, and measures what is not closed.
    env.write("ideas.md", &ideas);
    env.configure(|config| {
        config["name"] = json!("other");
        config["candidates"][0]["sweep"]["logRange"]["from"] = json!(4);
        config["candidates"][0]["sweep"]["strategy"] = json!("grid");
    });
    env.run(["run"]).expect(0);
    let other = [
        "BATCH = 4 (was 2): discard (closed_idea)",
        "BATCH = 8 (was 2): keep (improved)",
        "BATCH = 16 (was 8): discard (closed_idea)",
        "BATCH = 32 (was 8): discard (regressed)",
    ];
    assert_eq!(story(&env, "other"), other);
}

#[test]
fn a_sweep_that_is_killed_again_and_again_takes_the_same_way() {
    let straight = batches();
    straight.run(["run"]).expect(0);
    let expected = facts(&straight);
    let env = batches();
    for (kind, count) in [("pair", 6), ("run", 2), ("decided", 3), ("proposed", 4)] {
        let mut child = env.spawn(["run"]);
        let needle = format!("\"type\":\"{kind}\"");
        wait_for(kind, || {
            env.journal_text("counting").matches(&needle).count() >= count || child.try_wait().unwrap().is_some()
        });
        let _ = child.kill();
        child.wait().unwrap();
        env.wait_for_quiet();
    }
    env.run(["run"]).expect(0);
    assert_eq!(story(&env, "counting"), CLIMB);
    assert_same_facts(&facts(&env), &expected, "after four kills");
}

#[test]
fn a_failure_beside_the_knee_keeps_the_knob_open_and_is_told() {
    let env = batches();
    env.write("src/fails", "16\n");
    env.commit("a batch of 16 fails");
    env.run(["run"]).expect(0);
    assert_eq!(story(&env, "counting")[3], "BATCH = 16 (was 8): crash (bench_failed)");
    assert_eq!(env.read("ideas.md"), IDEAS);
    let notes = env.events("counting", "note");
    let told = "the sweep does not close BATCH: BATCH=16 failed (#4), which says nothing of what the value is worth";
    assert!(notes.iter().any(|note| note["text"] == told), "{notes:?}");
}

#[test]
fn an_edit_that_has_no_file_to_go_to_waits_for_it() {
    let env = batches();
    std::fs::remove_file(env.repo().join("ideas.md")).unwrap();
    env.run(["run"]).expect(0);
    env.run(["run"]).expect(0);
    let edits = env.events("counting", "idea_edit");
    assert_eq!(edits.iter().map(|edit| edit["written"].clone()).collect::<Vec<_>>(), [json!(false)]);
    env.write("ideas.md", "");
    env.run(["run"]).expect(0);
    assert!(env.read("ideas.md").starts_with("## Closed (do not retry)\n\n- **BATCH** BATCH stays at 8: "));
    assert_eq!(env.events("counting", "idea_edit").len(), 2);
}

#[test]
fn a_variable_of_the_bench_is_kept_in_a_commit_and_seen_by_the_arm_that_has_it() {
    let env = TestEnvironment::counting_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\noff=$((${THREADS:-1} - 4)); if [ $off -lt 0 ]; then off=$((-off)); fi\n\
         echo \"METRIC work=$(($(cat src/work) + 50 * off))\"\n",
    );
    sweep(&env, &json!({ "env": "THREADS", "values": [1, 2, 4, 8], "default": 1, "strategy": "climb" }));
    env.configure(|config| config["candidates"].as_array_mut().unwrap().push(json!({ "patches": "candidates" })));
    env.write("ideas.md", "");
    env.commit("threads");
    env.raw_patch(
        "1-own-knobs.patch",
        "--- a/autoresearch.knobs.json\n+++ b/autoresearch.knobs.json\n@@ -1,3 +1,3 @@\n {\n-  \"THREADS\": \"4\"\n+  \"THREADS\": \"5\"\n }\n",
    );
    env.patch("2-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let expected = [
        "THREADS = 2 (was 1): keep (improved)",
        "THREADS = 4 (was 2): keep (improved)",
        "THREADS = 8 (was 4): discard (regressed)",
        "own knobs: checks_failed (sealed_path)",
        "win: keep (improved)",
    ];
    assert_eq!(story(&env, "counting"), expected);
    assert_eq!(env.git(["show", "autoresearch/counting:autoresearch.knobs.json"]), "{\n  \"THREADS\": \"4\"\n}\n");
    assert!(!env.repo().join("autoresearch.knobs.json").exists());
    let seen = |experiment: u64| {
        let pairs = env.events("counting", "pair").into_iter().filter(move |pair| pair["experiment"] == experiment);
        let arms = pairs.map(|pair| [&pair["baseline"], &pair["candidate"]].map(|arm| arm["metrics"]["work"].clone()));
        arms.collect::<Vec<_>>()
    };
    assert!(seen(1).iter().all(|arms| *arms == [json!(1150.0), json!(1100.0)]), "{:?}", seen(1));
    assert!(seen(3).iter().all(|arms| *arms == [json!(1000.0), json!(1200.0)]), "{:?}", seen(3));
    assert!(seen(5).iter().all(|arms| *arms == [json!(1000.0), json!(900.0)]), "{:?}", seen(5));
    let ideas = env.read("ideas.md");
    assert!(ideas.contains("- **THREADS** THREADS stays at 4: no gain at 1, 2, 8. Tried: #1, #2, #3. "), "{ideas}");
    assert!(ideas.contains("Reopen: by a person. <!-- autoresearch: id=THREADS axis=THREADS=1 axis=THREADS=2 axis=THREADS=8 closed=1,2,3 -->"), "{ideas}");
    // The base runs without the variable, the tip with it.
    env.run(["validate"]).expect(0);
    let validated = env.events("counting", "validated").pop().unwrap();
    let gain = &validated.to_string();
    assert!(gain.contains("1150") && gain.contains("900"), "{gain}");
    // Without a config there is no knob, and so nothing is set in either arm.
    let args = ["compare", "--bench", "./bench.sh", "main", "autoresearch/counting", "--json"];
    let compared = env.run(args).expect(0).stdout;
    assert!(compared.contains("1150") && compared.contains("1050"), "{compared}");
}

#[test]
fn an_argument_of_the_build_reaches_every_build_of_its_arm() {
    let env = TestEnvironment::counting_project();
    env.script(
        "build.sh",
        "#!/bin/sh\nset -eu\nlevel=0\nif [ \"${1:-}\" = --level ]; then level=$2; fi\necho $level >built\n",
    );
    env.script("bench.sh", "#!/bin/sh\nset -eu\necho \"METRIC work=$((1000 - 50 * $(cat built)))\"\n");
    env.write(".gitignore", "/built\n");
    sweep(
        &env,
        &json!({ "arg": "--level {value}", "of": "build", "values": [0, 1, 3, "2"], "strategy": "one-at-a-time" }),
    );
    env.configure(|config| config["build"] = json!({ "command": "./build.sh", "verifyClean": "always" }));
    env.commit("levels");
    env.run(["run"]).expect(0);
    let expected = [
        "level = 0 (not set): discard (no_effect)",
        "level = 1 (not set): keep (improved)",
        "level = 3 (was 1): keep (improved)",
        "level = 2 (was 3): discard (regressed)",
    ];
    assert_eq!(story(&env, "counting"), expected);
    assert_eq!(env.git(["show", "autoresearch/counting:autoresearch.knobs.json"]), "{\n  \"level\": \"3\"\n}\n");
    assert_eq!(env.settled("counting", "level = 3 (was 1)")["metric"], 850.0);
    env.run(["doctor"]);
    // A value that nothing in the config names sets nothing.
    let metric = |last: &str| {
        env.patch("1-no-op.patch", "src/other", &format!("first\nsecond\n{last}\n"));
        env.run(["try", "--no-commit", "candidates/1-no-op.patch"]).expect(4);
        env.events("counting", "run").pop().unwrap()["metric"].clone()
    };
    assert_eq!(metric("last"), 850.0);
    env.configure(|config| config["candidates"] = json!([]));
    assert_eq!(metric("other last"), 1000.0);
}

#[test]
fn a_file_that_the_pattern_does_not_fit_is_refused_before_anything_runs() {
    let env = batches();
    let refused = |pattern: &str, values: Value| {
        sweep(&env, &json!({ "name": "batch", "file": "src/options", "pattern": pattern, "values": values }));
        let answer = env.run(["run"]).expect(1);
        assert_eq!(env.journal_text("counting"), "");
        answer.stderr
    };
    let said = refused(" = (\\d+)", json!([1]));
    assert!(
        said.contains(
            ": 'candidates[0].sweep.pattern': the pattern ' = (\\d+)' of knob 'batch' matches 2 times in src/options"
        ),
        "{said}"
    );
    let said = refused("SIZE = (\\d+)", json!([1]));
    assert!(said.contains("matches 0 times in src/options"), "{said}");
    let said = refused("BATCH = (\\d+)", json!([1, "many"]));
    assert!(said.contains("does not find the value 'many' again"), "{said}");
    sweep(&env, &json!({ "file": "src/missing", "pattern": "BATCH = (\\d+)", "values": [1] }));
    let said = env.run(["run"]).expect(1).stderr;
    assert!(said.contains("there is no file src/missing at "), "{said}");
}

#[test]
fn a_source_that_cannot_work_is_named_with_its_line_of_the_config() {
    let env = batches();
    let config = env.read("autoresearch.config.json");
    let (before, after) = config.split_once(r#""candidates":[{"#).unwrap();
    let after = after.split_once("}]").unwrap().1;
    let knobs = r#"
  "candidates": [
    { "patches": "candidates" },
    { "sweep": { "knobs": [
      { "file": "src/options", "pattern": "BATCH = (\\d+)", "values": [1] },
      { "file": "src/options", "pattern": "SIZE = (\\d+)", "values": [1] } ] } } ]"#;
    env.write("autoresearch.config.json", format!("{before}{knobs}{after}"));
    env.write("candidates/note", "");
    let place = "autoresearch.config.json:6:32: 'candidates[1].sweep.knobs[1].pattern': the pattern";
    let said = env.run(["run"]).expect(1).stderr;
    assert!(said.contains(place), "{said}");
    let doctor = env.run(["doctor", "--json"]).json();
    let found = doctor["findings"].as_array().unwrap().iter().find(|found| found["check"] == "candidates").unwrap();
    assert_eq!(
        (&found["verdict"], &found["facts"]["key"]),
        (&json!("failure"), &json!("candidates[1].sweep.knobs[1].pattern"))
    );
    assert!(found["detail"].as_str().unwrap().contains(place), "{found}");
}

#[test]
fn the_config_shows_the_keys_of_a_sweep_as_the_file_gives_them() {
    let env = batches();
    let origins = |env: &TestEnvironment| -> Vec<(String, String)> {
        let rows = env.run(["config", "--json"]).expect(0).json()["settings"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = rows.iter().map(|row| (text(&row["key"]), text(&row["origin"])));
        rows.filter(|(key, _)| key.starts_with("candidates[")).collect()
    };
    let own = |key: &str, origin: &str| (format!("candidates[0].{key}"), origin.to_owned());
    assert_eq!(origins(&env), [own("sweep.strategy", "file"), own("sweep", "file")]);
    let knob = json!({ "env": "THREADS", "values": [1, 2], "default": 1 });
    sweep(&env, &json!({ "knobs": [knob] }));
    assert_eq!(origins(&env), [own("sweep.strategy", "default"), own("sweep.knobs[0]", "file")]);
    let rows = env.run(["config", "--json"]).expect(0).json();
    let row =
        rows["settings"].as_array().unwrap().iter().find(|row| row["key"] == "candidates[0].sweep.knobs[0]").unwrap();
    assert_eq!(
        row["value"],
        json!({ "name": "THREADS", "place": "THREADS of \"bench\"", "values": ["1", "2"], "default": "1" })
    );
}

#[test]
fn a_climb_is_known_to_end_though_not_after_how_many_candidates() {
    let env = batches();
    let told = env.run(["run", "--dry-run"]).expect(0).stdout;
    assert!(told.contains("the sources come to an end by themselves"), "{told}");
    assert!(!told.contains("neither a list nor a stop time"), "{told}");
    let told = env.run(["run"]).expect(0).stderr;
    assert!(told.contains("the sources come to an end by themselves"), "{told}");
}

#[test]
fn a_sweep_whose_file_another_source_changed_ends_and_the_night_goes_on() {
    let env = TestEnvironment::counting_project();
    env.write("src/options", "BATCH = 2\n");
    env.configure(|config| {
        config["candidates"] = json!([
            { "patches": "candidates" },
            { "sweep": { "file": "src/options", "pattern": "BATCH = (\\d+)", "values": [1, 2, 4] } },
            { "sweep": { "file": "src/work", "pattern": "(\\d+)", "values": [800], "name": "work" } }
        ]);
    });
    env.commit("options");
    env.change("1-other-name.patch", |env| {
        env.write("src/options", "BATCHES = 2\n");
        env.write("src/work", "900\n");
    });
    env.run(["run"]).expect(0);
    assert_eq!(story(&env, "counting"), ["other name: keep (improved)", "work = 800 (was 900): keep (improved)"]);
    let notes = env.events("counting", "note");
    let told = "the sweep of BATCH ends: the pattern 'BATCH = (\\d+)' of knob 'BATCH' matches 0 times in src/options";
    assert!(notes.iter().any(|note| note["text"].as_str().unwrap().starts_with(told)), "{notes:?}");
}

#[test]
fn what_no_sweep_can_be_is_refused_in_the_config() {
    let env = batches();
    let refused = |candidates: Value| {
        env.configure(|config| config["candidates"] = candidates);
        env.run(["config"]).expect(1).stderr
    };
    let many: Vec<u32> = (0..200).collect();
    let knob = |name: &str| json!({ "env": name, "values": many });
    let said = refused(json!([{ "sweep": { "knobs": [knob("A"), knob("B")] } }]));
    assert!(said.contains("is a grid of 40000 combinations, and at most 10000 are taken"), "{said}");
    let one = |of: &str| json!({ "sweep": { "env": "A", "of": of, "values": [1] } });
    let said = refused(json!([one("bench"), one("build")]));
    assert!(said.contains("has two sweeps with a knob 'A'"), "{said}");
    let said = refused(json!([{ "sweep": { "env": "HOME", "values": ["/"] } }]));
    assert!(said.contains("is 'HOME', which the loop sets"), "{said}");
}
