//! The text of autoresearch.config.json for a starting set.

use serde::Serialize;

use super::plan::Plan;

/// Seconds that `prepare` may take: it downloads.
const PREPARE_SECONDS: u32 = 1800;
/// Seconds that a build may take. Not learned: the calibrated one has nothing to do in a warm folder.
const BUILD_SECONDS: u32 = 3600;
/// Seconds that a check may take.
const CHECK_SECONDS: u32 = 900;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigFile<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prepare: Option<Prepare<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Build<'a>>,
    bench: Bench,
    metrics: Metrics,
    checks: Checks,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    harness: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope<'a>>,
    candidates: [Candidates; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prepare<'a> {
    command: &'a str,
    timeout_seconds: u32,
    network: bool,
    rerun_when: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    copy: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Build<'a> {
    command: &'a str,
    timeout_seconds: u32,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    keep: &'a [String],
}

#[derive(Serialize)]
struct Bench {
    command: &'static str,
}

#[derive(Serialize)]
struct Metrics {
    primary: Primary,
    sentinels: [Sentinel; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Primary {
    name: &'static str,
    unit: &'static str,
    direction: &'static str,
    min_effect: f64,
}

#[derive(Serialize)]
struct Sentinel {
    name: &'static str,
    direction: &'static str,
    tolerance: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checks {
    dir: String,
    timeout_seconds: u32,
}

#[derive(Serialize)]
struct Scope<'a> {
    protect: &'a [String],
}

#[derive(Serialize)]
struct Candidates {
    patches: String,
}

/// Writes the config; what it does not say keeps its default.
pub(super) fn config_text(name: &str, plan: &Plan) -> Result<String, serde_json::Error> {
    let (metric, unit) = plan.workload.source.metric();
    let file = ConfigFile {
        name,
        prepare: plan.prepare.as_ref().map(|prepare| Prepare {
            command: &prepare.command,
            timeout_seconds: PREPARE_SECONDS,
            network: true,
            rerun_when: &prepare.rerun_when,
            copy: &prepare.copy,
        }),
        build: plan.build.as_ref().map(|build| Build {
            command: &build.command,
            timeout_seconds: BUILD_SECONDS,
            keep: &build.keep,
        }),
        bench: Bench { command: "./bench.sh" },
        metrics: Metrics {
            primary: Primary { name: metric, unit, direction: "lower", min_effect: 0.01 },
            sentinels: [Sentinel { name: "auto.max_rss_bytes", direction: "lower", tolerance: 0.10 }],
        },
        checks: Checks { dir: format!("{}checks", plan.folder), timeout_seconds: CHECK_SECONDS },
        harness: &plan.harness,
        scope: (!plan.protect.is_empty()).then_some(Scope { protect: &plan.protect }),
        candidates: [Candidates { patches: format!("{}candidates", plan.folder) }],
    };
    Ok(serde_json::to_string_pretty(&file)? + "\n")
}
