//! What a session of the counting project came to, for the comparison of a disturbed one with an undisturbed one.

use serde_json::{Value, json};

use super::TestEnvironment;

/// What a session came to, without times, ids, recoveries, void pairs and warm-ups.
pub fn facts(env: &TestEnvironment) -> Value {
    let journal = env.journal("counting");
    let of = |kind: &'static str| journal.iter().filter(move |line| line["type"] == kind);
    let pick = |line: &Value, keys: &[&str]| -> Value {
        keys.iter().map(|key| ((*key).to_owned(), line[*key].clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let proposed: Vec<Value> =
        of("proposed").map(|line| pick(line, &["experiment", "description", "idea", "patch_hash", "commit"])).collect();
    let pairs: Vec<Value> = of("pair")
        .filter(|line| line["void"].is_null() && line["experiment"].as_u64().is_some_and(|experiment| experiment > 0))
        .map(|line| {
            json!([
                line["experiment"],
                line["pair"],
                line["order"],
                line["baseline"]["metrics"]["work"],
                line["candidate"]["metrics"]["work"]
            ])
        })
        .collect();
    let keys = [
        "run",
        "metric",
        "status",
        "description",
        "segment",
        "confidence",
        "reason",
        "flags",
        "effect",
        "patch_id",
        "iteration",
        "measured",
    ];
    let runs: Vec<Value> = of("run").map(|line| pick(line, &keys)).collect();
    let decided: Vec<Value> = of("decided")
        .map(|line| pick(line, &["experiment", "status", "reason", "detail", "flags", "comparison"]))
        .collect();
    // The source only: the bench of some projects holds the path of its room.
    let commits = env.git(["log", "--reverse", "--format=%H:src %an %s", "main..refs/heads/autoresearch/counting"]);
    let named = |line: &str| {
        let (source, told) = line.split_once(' ').unwrap();
        format!("{} {told}", env.rev(source))
    };
    let branch: Vec<String> = commits.lines().map(named).collect();
    let ideas = std::fs::read_to_string(env.repo().join("ideas.md")).unwrap_or_default();
    let all = json!({ "proposed": proposed, "pairs": pairs, "decided": decided, "runs": runs,
                      "branch": branch, "ideas": ideas.lines().collect::<Vec<_>>() });
    serde_json::from_str(&all.to_string().replace(env.beside("").to_str().unwrap(), "ROOM/")).unwrap()
}

/// Asserts that two sessions came to the same, and shows the first fact that differs.
#[track_caller]
pub fn assert_same_facts(found: &Value, expected: &Value, when: &str) {
    for (part, expected) in expected.as_object().unwrap() {
        let (found, expected) = (found[part].as_array().unwrap(), expected.as_array().unwrap());
        for (at, fact) in expected.iter().enumerate() {
            assert_eq!(found.get(at), Some(fact), "{part} {at} {when}");
        }
        assert_eq!(found.len(), expected.len(), "{part} {when}: {found:#?}");
    }
}
