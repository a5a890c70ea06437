//! What a whole config file becomes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::domain::{Base, CandidateSource, Command, Direction, Network, Scale, Seed, TimeLimit};

const LEAST: &str = r#"{ "bench": { "command": "./bench.sh" }, "metrics": { "primary": { "name": "ms" } } }"#;

/// A repository with one config file in `folder`.
struct Room {
    root: tempfile::TempDir,
    file: PathBuf,
}

impl Room {
    fn new(folder: &str, text: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join(folder);
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join(FILE_NAME);
        std::fs::write(&file, text).unwrap();
        Self { root, file }
    }

    fn load(&self) -> Result<Resolved, ConfigError> {
        load(self.root.path(), &self.file, &BTreeMap::new(), &Overrides::default())
    }
}

/// The message for a config file, without the path of its temporary folder.
fn message(text: &str) -> String {
    let room = Room::new("x", text);
    let error = room.load().unwrap_err().to_string();
    error.replace(&room.file.display().to_string(), "FILE")
}

/// The message for the least config with one more or another part.
fn message_with(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = serde_json::from_str(LEAST).unwrap();
    change(&mut value);
    let text = message(&serde_json::to_string(&value).unwrap());
    text.split_once(": ").map(|(_, rest)| rest.to_owned()).unwrap_or(text)
}

#[test]
fn the_least_config_gets_every_default() {
    let settings = Room::new("experiments/my job", LEAST).load().unwrap().settings;
    assert_eq!(settings.name, "my-job");
    assert_eq!(settings.folder, "experiments/my job");
    assert_eq!(settings.file, FILE_NAME);
    assert_eq!(settings.working_dir, "experiments/my job");
    assert_eq!(settings.branch, "autoresearch/my-job");
    assert_eq!(settings.base, Base::Current);
    assert_eq!((settings.prepare, settings.build), (None, None));
    assert_eq!(settings.bench.command, Command::Shell("./bench.sh".into()));
    assert_eq!((settings.bench.timeout, settings.bench.warmup), (TimeLimit::Calibrated, 1));
    assert_eq!((settings.primary.direction, settings.primary.scale), (Direction::Lower, Scale::Ratio));
    assert!((settings.primary.min_effect - 0.01).abs() < 1e-15);
    assert_eq!((settings.decision.calibration_pairs, settings.decision.max_pairs), (None, 30));
    assert_eq!(settings.decision.seed, Seed(1));
    assert_eq!(settings.checks.dir, "checks");
    assert_eq!(settings.stop, crate::domain::Stop::default());
    assert_eq!(settings.limits.output_bytes, 4_294_967_296);
    assert_eq!((settings.limits.log_bytes, settings.limits.disk_free_bytes), (1_048_576, 1_073_741_824));
    assert_eq!(settings.sandbox.network, Network::Loopback);
    assert!(settings.candidates.is_empty() && settings.slots_dir.is_none());
}

#[test]
fn the_example_of_the_format_without_reserved_keys_is_read() {
    let settings = Room::new("", include_str!("../../tests/fixtures/config/full.json")).load().unwrap().settings;
    assert_eq!(settings.name, "sqlite-import");
    assert_eq!(settings.base, Base::Revision("main".into()));
    assert_eq!(settings.prepare.unwrap().rerun_when, ["package-lock.json"]);
    assert_eq!(settings.bench.timeout, TimeLimit::Seconds(3600.0));
    assert_eq!(settings.sentinels.len(), 4);
    assert_eq!(settings.sentinels[1].tolerance_abs, Some(2.0));
    assert!(settings.sentinels[3].exact);
    assert_eq!(settings.holdout.unwrap().metrics[0].pattern, "import_ms");
    assert_eq!(settings.candidates, [CandidateSource::Patches("candidates".into())]);
    assert_eq!(settings.stop.until.as_deref(), Some("07:30"));
    assert_eq!(settings.limits.memory_bytes, None);
}

#[test]
fn settings_survive_the_journal() {
    let settings = Room::new("", include_str!("../../tests/fixtures/config/full.json")).load().unwrap().settings;
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<crate::domain::Settings>(&text).unwrap(), settings);
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_nearest_one() {
    let text = "{\n  \"bench\": { \"command\": \"x\",\n    \"warmupp\": 2 },\n  \"metrics\": {}\n}";
    assert_eq!(message(text), "FILE:3:5: unknown key 'bench.warmupp'; did you mean 'bench.warmup'?");
    assert_eq!(message("{\"mcp\": 1}"), "FILE:1:2: unknown key 'mcp'");
    assert_eq!(message("{\"max_hours\": 1}"), "FILE:1:2: unknown key 'max_hours'; did you mean 'stop.maxHours'?");
    assert_eq!(
        message("{\"maxIterations\": 1}"),
        "FILE:1:2: unknown key 'maxIterations'; did you mean 'stop.maxIterations'?"
    );
    assert_eq!(
        message("{\"metrics\": {\"sentinels\": [{}, {\"tolerence\": 1}]}}"),
        "FILE:1:33: unknown key 'metrics.sentinels[1].tolerence'; did you mean 'metrics.sentinels[1].tolerance'?"
    );
}

#[test]
fn what_is_not_json_is_refused_with_line_and_column() {
    assert_eq!(message("{\n  \"bench\": }"), "FILE:2:12: not valid JSON: expected value at line 2 column 12");
    assert!(message("").starts_with("FILE:1:1: not valid JSON: EOF while parsing"));
    assert_eq!(
        message("{\"name\": \"a\", \"name\": \"b\"}"),
        "FILE:1:15: key 'name' is there twice; delete one of the two"
    );
}

#[test]
fn a_value_of_the_wrong_kind_names_its_key() {
    let text = "{\n  \"bench\": { \"command\": \"x\", \"warmup\": \"two\" }\n}";
    assert_eq!(
        message(text),
        "FILE:2:30: 'bench.warmup' has a value of the wrong kind: invalid type: string \"two\", expected u32 at line 2 column 44"
    );
    assert!(message("{\"bench\": {\"command\": []}}").contains(
        "'bench.command' has a value of the wrong kind: invalid length 0, expected a command: a string, or an array of strings"
    ));
    assert!(message("[]").contains("'the file' has a value of the wrong kind"));
    let direction = message("{\"metrics\": {\"primary\": {\"direction\": \"down\"}}}");
    assert!(
        direction.contains("'metrics.primary.direction'") && direction.contains("`lower` or `higher`"),
        "{direction}"
    );
}

#[test]
fn every_kind_of_candidate_source_is_resolved() {
    let sources = json!([
        {"commits": "main..perf", "dropSealed": true},
        {"sweep": {"file": "src/options.rs", "pattern": "BATCH: usize = (\\d+)", "values": [100, "1000"]}},
        {"sweep": {"strategy": "climb", "knobs": [
            {"env": "THREADS", "default": 1, "range": {"from": 1, "to": 4, "step": 1}},
            {"arg": "--block {value}", "of": "build", "default": 4, "logRange": {"from": 4, "to": 64, "factor": 4}}
        ]}},
        {"agent": {"preset": "claude"}},
    ]);
    let mut config: serde_json::Value = serde_json::from_str(LEAST).unwrap();
    config["candidates"] = sources;
    let settings = Room::new("x", &config.to_string()).load().unwrap().settings;
    let [
        CandidateSource::Commits(range),
        CandidateSource::Sweep(one),
        CandidateSource::Sweep(two),
        CandidateSource::Agent(agent),
    ] = settings.candidates.as_slice()
    else {
        panic!("{:?}", settings.candidates)
    };
    assert_eq!((range.range.as_str(), range.drop_sealed), ("main..perf", true));
    assert_eq!((one.knobs[0].name.as_str(), one.knobs[0].values.join(" ").as_str()), ("BATCH", "100 1000"));
    assert_eq!((two.knobs[0].name.as_str(), two.knobs[0].values.len()), ("THREADS", 4));
    assert_eq!((two.knobs[1].name.as_str(), two.knobs[1].values.join(" ").as_str()), ("block", "4 16 64"));
    assert_eq!((agent.name(), agent.timeout_s), ("claude", 1800.0));
}

#[test]
fn a_candidate_source_that_cannot_be_meant_is_refused_at_its_key() {
    for (source, expected) in [
        (json!({}), "'candidates[0]' must name exactly one source"),
        (json!({"patches": "a", "commits": "a..b"}), "'candidates[0]' must name exactly one source"),
        (json!({"commits": "main"}), "'candidates[0].commits' is 'main', but must be a range of commits"),
        (json!({"patches": "a", "dropSealed": true}), "'candidates[0].dropSealed' is only for an entry with commits"),
        (json!({"agent": {}}), "'candidates[0].agent' needs a preset or a command"),
        (json!({"sweep": {"values": [1]}}), "'candidates[0].sweep' must name exactly one place of the knob"),
        (json!({"sweep": {"env": "A", "knobs": []}}), "'candidates[0].sweep' describes a knob beside 'knobs'"),
        (json!({"sweep": {"env": "A"}}), "'candidates[0].sweep.values' must be given once"),
        (json!({"sweep": {"env": "A", "values": [1, 1]}}), "'candidates[0].sweep.values' has the value '1' twice"),
        (
            json!({"sweep": {"env": "A", "range": {"from": 8, "to": 1, "step": 1}}}),
            "'candidates[0].sweep.range' has 'to' 1 below 'from' 8; swap them",
        ),
        (
            json!({"agent": "claude"}),
            "'candidates[0].agent' has a value of the wrong kind: invalid type: string \"claude\", expected an object such as { \"preset\": \"claude\" }",
        ),
        (json!({"sweep": {"env": "A", "vales": [1]}}), "unknown key 'candidates[0].sweep.vales'"),
        (json!({"sweep": {"env": "A", "strategy": "climb", "values": [1]}}), "'candidates[0].sweep' needs 'default'"),
        (
            json!({"sweep": {"file": "a", "pattern": "x", "values": [1]}}),
            "'candidates[0].sweep.pattern' has 0 capture groups",
        ),
    ] {
        let message = message_with(|c| c["candidates"] = json!([source]));
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn required_keys_are_missed_by_name() {
    assert_eq!(message("{}"), "FILE: the required key 'metrics' is missing");
    assert_eq!(message("{\"metrics\": {}}"), "FILE: the required key 'metrics.primary' is missing");
    assert_eq!(message("{\"metrics\": {\"primary\": {\"name\": \"a\"}}}"), "FILE: the required key 'bench' is missing");
    assert_eq!(message_with(|c| c["build"] = json!({})), "the required key 'build.command' is missing");
}

#[test]
fn values_out_of_range_are_refused() {
    let cases = [
        (json!({"bench": {"command": " "}}), "'bench.command' is empty"),
        (json!({"bench": {"command": ["", "x"]}}), "'bench.command' is empty"),
        (json!({"bench": {"command": "x", "timeoutSeconds": 0}}), "'bench.timeoutSeconds' is 0, but must be above 0"),
        (json!({"workingDir": "../.."}), "'workingDir' is '../..', which leaves the repository"),
        (json!({"workingDir": "/tmp"}), "'workingDir' is '/tmp', but must be a relative path"),
        (json!({"checks": {"dir": "../../c"}}), "'checks.dir' is '../../c', which leaves the repository"),
        (json!({"harness": ["ok", ""]}), "'harness[1]' is empty"),
        (json!({"scope": {"allow": ["/src/**"]}}), "'scope.allow[0]' is '/src/**', but must be a relative path"),
        (
            json!({"candidates": [{}]}),
            "'candidates[0]' must name exactly one source: patches, commits, sweep or agent, such as { \"patches\": \"candidates\" }",
        ),
        (json!({"decision": {"maxPairs": 2}}), "'decision.maxPairs' is 2, but must be from 3 to 1000"),
        (json!({"decision": {"calibrationPairs": 3}}), "'decision.calibrationPairs' is 3, but must be from 4 to 1000"),
        (json!({"decision": {"falseKeepShare": 0}}), "'decision.falseKeepShare' is 0, but must be above 0"),
        (json!({"stop": {"until": "7:30"}}), "'stop.until' is '7:30', but must be a time of day such as \"07:30\""),
        (json!({"ideas": {"closeAfter": 0}}), "'ideas.closeAfter' is 0, but must be from 1 to 4294967295"),
        (json!({"stop": {"plateau": 0}}), "'stop.plateau' is 0, but must be from 1 to 4294967295"),
        (json!({"stop": {"target": -1}}), "'stop.target' is -1, but must be above 0"),
        (json!({"limits": {"logBytes": 0}}), "'limits.logBytes' is 0, but must be above 0"),
        (json!({"branch": "a b"}), "'branch' is 'a b', which git does not allow as a branch name"),
        (json!({"base": "--all"}), "'base' is '--all', which is not a revision"),
        (
            json!({"name": "a/b"}),
            "'name' is 'a/b', but names hold letters, digits, '-', '_' and '.' only and begin with a letter or digit",
        ),
        (json!({"slots": {"dir": "slots"}}), "'slots.dir' is 'slots', but must be an absolute path or begin with ~/"),
        (
            json!({"sandbox": {"env": ["A=1"]}}),
            "'sandbox.env[0]' is 'A=1', but environment variables are letters, digits and '_', not beginning with a digit",
        ),
    ];
    for (part, expected) in cases {
        let found = message_with(|config| {
            for (key, value) in part.as_object().unwrap() {
                config[key] = value.clone();
            }
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn metrics_are_cross_checked() {
    let primary = |part: serde_json::Value| message_with(|c| c["metrics"]["primary"] = part);
    assert_eq!(
        primary(json!({"name": "two words"})),
        "'metrics.primary.name' is 'two words', but metric names hold letters, digits and _ . - / : % µ only"
    );
    assert_eq!(primary(json!({"name": "a", "minEffect": 0})), "'metrics.primary.minEffect' is 0, but must be above 0");
    assert_eq!(
        primary(json!({"name": "a", "minEffect": 5})),
        "'metrics.primary.minEffect' is 5, which means 500 % on the ratio scale; write 0.05 for 5 %"
    );
    let linear = "is missing, and the linear scale needs it, in the metric's own unit";
    assert_eq!(primary(json!({"name": "a", "scale": "linear"})), format!("'metrics.primary.minEffect' {linear}"));
    assert_eq!(
        primary(json!({"name": "median(a*)"})),
        "'metrics.primary.name' is 'median(a*)', but metrics are made of others only by geomean(glob) and worst(glob), such as geomean(query.*_ms)"
    );
    let sentinels = |part: serde_json::Value| message_with(|c| c["metrics"]["sentinels"] = part);
    assert_eq!(
        sentinels(json!([{"name": "a"}])),
        "'metrics.sentinels[0]' forbids nothing; give it one of tolerance, toleranceAbs, max, min, exact"
    );
    assert_eq!(sentinels(json!([{"name": "a", "exact": false}])), sentinels(json!([{"name": "a"}])));
    assert_eq!(
        sentinels(json!([{"name": "a", "tolerance": -1}])),
        "'metrics.sentinels[0].tolerance' is -1, but must be 0 or more"
    );
    assert_eq!(sentinels(json!([{"name": "a", "min": 2, "max": 1}])), "'metrics.sentinels[0]' has min 2 above max 1");
    assert_eq!(
        sentinels(json!([{"name": "a", "scale": "linear", "max": 1}])),
        format!("'metrics.sentinels[0].tolerance' {linear}")
    );
    assert_eq!(
        sentinels(json!([{"name": "ms", "max": 1}])),
        "'metrics.sentinels[0].name' names 'ms', which is already used by 'metrics.primary'; a metric stands in one role"
    );
    assert_eq!(
        sentinels(json!([{"name": "t_\u{b5}s", "max": 1}, {"name": "t_\u{3bc}s", "min": 1}])),
        "'metrics.sentinels[1].name' names 't_μs', which is already used by 'metrics.sentinels[0]'; a metric stands in one role"
    );
}

#[test]
fn co_primaries_and_suites_are_read_and_cross_checked() {
    let metrics = |part: serde_json::Value| {
        message_with(|c| {
            for (key, value) in part.as_object().unwrap() {
                c["metrics"][key] = value.clone();
            }
        })
    };
    let one_role = |key: &str, name: &str, other: &str| {
        format!("'{key}' names '{name}', which is already used by '{other}'; a metric stands in one role")
    };
    assert_eq!(
        metrics(json!({"coPrimary": [{"name": "ms"}]})),
        one_role("metrics.coPrimary[0].name", "ms", "metrics.primary")
    );
    assert_eq!(
        metrics(json!({"coPrimary": [{"name": "b"}, {"name": "b"}]})),
        one_role("metrics.coPrimary[1].name", "b", "metrics.coPrimary[0]")
    );
    assert_eq!(
        metrics(json!({"coPrimary": [{"name": "b"}], "sentinels": [{"name": "b", "exact": true}]})),
        one_role("metrics.sentinels[0].name", "b", "metrics.coPrimary[0]")
    );
    assert_eq!(
        metrics(json!({"coPrimary": [{"name": "b", "scale": "linear"}]})),
        "'metrics.coPrimary[0].minEffect' is missing, and the linear scale needs it, in the metric's own unit"
    );
    assert_eq!(
        metrics(json!({"coPrimary": [{"name": "geomean(q.*)", "scale": "linear", "minEffect": 1}]})),
        "'metrics.coPrimary[0].scale' is linear, but geomean(q.*) compares ratios; delete it, or use \"toleranceAbs\" for a limit in the unit"
    );
    assert_eq!(
        metrics(json!({"sentinels": [{"name": "worst(q.*)", "scale": "linear", "tolerance": 1}]})),
        "'metrics.sentinels[0].scale' is linear, but worst(q.*) compares ratios; delete it, or use \"toleranceAbs\" for a limit in the unit"
    );
    let text = r#"{ "bench": { "command": "./bench.sh" }, "metrics": {
        "primary": { "name": "geomean(q.*_ms)" },
        "coPrimary": [ { "name": "commits", "direction": "lower", "scale": "linear", "minEffect": 1 } ],
        "sentinels": [ { "name": "q.*_ms", "tolerance": 0.05 }, { "name": "worst(r.*)", "tolerance": 0.1 } ] } }"#;
    let resolved = Room::new("", text).load().unwrap();
    let names: Vec<_> = resolved.settings.objectives().map(|o| (o.name.as_str(), o.scale, o.min_effect)).collect();
    assert_eq!(names, [("geomean(q.*_ms)", Scale::Ratio, 0.01), ("commits", Scale::Linear, 1.0)]);
    assert!(resolved.shown.iter().any(|shown| shown.key == "metrics.coPrimary[0].minEffect"));
    let journalled: crate::domain::Settings =
        serde_json::from_value(serde_json::to_value(&resolved.settings).unwrap()).unwrap();
    assert_eq!(journalled, resolved.settings);
}

#[test]
fn a_holdout_is_read_and_cross_checked() {
    let held = |part: serde_json::Value| message_with(|c| c["holdout"] = part);
    assert_eq!(held(json!({"metrics": [{"name": "a", "max": 1}]})), "the required key 'holdout.command' is missing");
    assert_eq!(held(json!({"command": "x"})), "the required key 'holdout.metrics' is missing");
    assert_eq!(held(json!({"command": "x", "metrics": []})), "'holdout.metrics' is empty");
    assert_eq!(
        held(json!({"command": "x", "metrics": [{"name": "a"}]})),
        "'holdout.metrics[0]' forbids nothing; give it one of tolerance, toleranceAbs, max, min, exact"
    );
    assert_eq!(
        held(json!({"command": "x", "metrics": [{"name": "a", "max": 1}, {"name": "a", "min": 1}]})),
        "'holdout.metrics[1].name' names 'a', which is already used by 'holdout.metrics[0]'; a metric stands in one role"
    );
    assert_eq!(
        held(json!({"command": "x", "metrics": [{"name": "a", "max": 1}], "files": ["../x"]})),
        "'holdout.files[0]' is '../x', which leaves the repository"
    );
    let text = LEAST.replacen(
        '{',
        r#"{ "holdout": { "command": "./h.sh", "files": ["held/**"], "metrics": [ { "name": "ms", "tolerance": 0.03 } ] },"#,
        1,
    );
    let resolved = Room::new("", &text).load().unwrap();
    let holdout = resolved.settings.holdout.clone().unwrap();
    assert_eq!((holdout.timeout, holdout.file.as_ref()), (TimeLimit::Calibrated, None));
    assert_eq!((holdout.metrics[0].tolerance, holdout.files.len()), (Some(0.03), 1));
    let shown = resolved.shown.iter().find(|shown| shown.key == "holdout.metrics[0].tolerance").unwrap();
    assert_eq!(shown.origin, Origin::File);
    let text = serde_json::to_string(&resolved.settings).unwrap();
    assert_eq!(serde_json::from_str::<crate::domain::Settings>(&text).unwrap(), resolved.settings);
}

#[test]
fn a_holdout_in_a_file_of_its_own_goes_before_that_of_the_config() {
    let text = LEAST.replacen('{', r#"{ "holdout": { "command": "a", "metrics": [ { "name": "x", "max": 1 } ] },"#, 1);
    let room = Room::new("", &text);
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("held.json");
    let load = |flag| {
        load(room.root.path(), &room.file, &BTreeMap::new(), &Overrides { holdout: Some(flag), ..Overrides::default() })
    };
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        load(HoldoutFlag::File(file.clone()))
    };
    let resolved = with(r#"{ "command": "./b.sh", "metrics": [ { "name": "y", "max": 1 } ] }"#).unwrap();
    let holdout = resolved.settings.holdout.unwrap();
    assert_eq!((holdout.command, holdout.metrics[0].pattern.as_str()), (Command::Shell("./b.sh".into()), "y"));
    assert_eq!(holdout.file, Some(file.canonicalize().unwrap()));
    let shown = resolved.shown.iter().find(|shown| shown.key == "holdout.command").unwrap();
    assert_eq!(shown.origin, Origin::Flag("--holdout"));
    assert_eq!(load(HoldoutFlag::Without).unwrap().settings.holdout, None);
    let place = |rest: &str| format!("{}:{rest}", file.canonicalize().unwrap().display());
    let error = with(r#"{ "comand": "x" }"#).unwrap_err().to_string();
    assert_eq!(error, place("1:3: unknown key 'comand'; did you mean 'command'?"));
    let error = with(r#"{ "command": "x", "metrics": [ { "name": "y" } ] }"#).unwrap_err().to_string();
    assert!(error.starts_with(&place("1:32: 'metrics[0]' forbids nothing")), "{error}");
    std::fs::remove_file(&file).unwrap();
    let error = load(HoldoutFlag::File(file.clone())).unwrap_err().to_string();
    assert!(error.contains("held.json"), "{error}");
}

#[test]
fn a_working_folder_may_be_above_the_config() {
    let text = LEAST.replacen('{', "{ \"workingDir\": \"../..\",", 1);
    assert_eq!(Room::new("experiments/a", &text).load().unwrap().settings.working_dir, "");
}

#[test]
fn each_layer_is_above_the_one_before_and_says_so() {
    let room =
        Room::new("x", &LEAST.replacen('{', "{ \"branch\": \"f\", \"base\": null, \"stop\": {\"maxHours\": 1},", 1));
    let env: BTreeMap<String, String> = [
        ("AUTORESEARCH_MAX_HOURS", "2.5"),
        ("AUTORESEARCH_SEED", "7"),
        ("AUTORESEARCH_UNTIL", ""),
        ("AUTORESEARCH_SLOTS_DIR", "~/s"),
        ("HOME", "/home/u"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let flags = Overrides { seed: Some(9), max_iterations: Some(3), ..Overrides::default() };
    let resolved = load(room.root.path(), &room.file, &env, &flags).unwrap();
    let settings = &resolved.settings;
    assert_eq!((settings.decision.seed, settings.stop.max_iterations), (Seed(9), Some(3)));
    assert_eq!((settings.stop.max_hours, settings.stop.until.as_deref()), (Some(2.5), None));
    assert_eq!(settings.slots_dir, Some(PathBuf::from("/home/u/s")));
    let shown = |key: &str| {
        let row = resolved.shown.iter().find(|row| row.key == key).unwrap();
        format!("{} ({})", row.value, row.origin)
    };
    assert_eq!(shown("branch"), "\"f\" (file)");
    assert_eq!(shown("base"), "null (default)");
    assert_eq!(shown("decision.seed"), "9 (--seed)");
    assert_eq!(shown("stop.maxHours"), "2.5 (AUTORESEARCH_MAX_HOURS)");
    assert_eq!(shown("stop.maxIterations"), "3 (--max-iterations)");
    assert_eq!(shown("bench.warmup"), "1 (default)");
    assert_eq!(shown("bench.command"), "\"./bench.sh\" (file)");
}

#[test]
fn a_bad_value_of_the_environment_or_a_flag_is_named_as_such() {
    let room = Room::new("", LEAST);
    let env = BTreeMap::from([("AUTORESEARCH_MAX_PAIRS".to_owned(), "many".to_owned())]);
    let error = load(room.root.path(), &room.file, &env, &Overrides::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable AUTORESEARCH_MAX_PAIRS: 'decision.maxPairs' is 'many', but must be a whole number"
    );
    let flags = Overrides { until: Some("25:00".into()), ..Overrides::default() };
    let error = load(room.root.path(), &room.file, &BTreeMap::new(), &flags).unwrap_err();
    assert_eq!(error.to_string(), "flag --until: 'stop.until' is '25:00', but must be a time of day such as \"07:30\"");
}

#[test]
fn a_config_outside_the_repository_is_refused() {
    let room = Room::new("", LEAST);
    let elsewhere = tempfile::tempdir().unwrap();
    let error = load(elsewhere.path(), &room.file, &BTreeMap::new(), &Overrides::default()).unwrap_err();
    assert!(error.to_string().contains(" is outside the repository "), "{error}");
}

#[test]
fn house_rules_of_commits_are_read_and_a_subject_that_cannot_be_filled_in_is_refused() {
    let mut config: serde_json::Value = serde_json::from_str(LEAST).unwrap();
    config["commit"] = json!({"sign": true, "signOff": true, "subject": "perf({group}): {description}"});
    let rules = Room::new("x", &config.to_string()).load().unwrap().settings.commit;
    assert_eq!((rules.sign, rules.sign_off, rules.change_id, rules.assisted_by), (Some(true), true, false, false));
    assert_eq!(rules.subject.as_str(), "perf({group}): {description}");
    assert_eq!(Room::new("x", LEAST).load().unwrap().settings.commit, crate::domain::CommitRules::default());
    let wrong = message_with(|config| config["commit"] = json!({"subject": "{description} {gain}"}));
    assert!(wrong.contains("'commit.subject' has the place {gain}, but only {description}"), "{wrong}");
}
