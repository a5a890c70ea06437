//! The views of a session made from the journal lines that `tests/golden` keeps, and their text.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::domain::{
    CandidateRun, Configured, Decided, Event, ExperimentId, Obstacle, Phase, PhaseEnded, Proposed, RunSummary,
    Screened, Stop, StopRule, Stopped, Undone, Waiting,
};
use crate::state::SessionState;

const GOLDEN: &str = include_str!("../../tests/golden/journal-format-1.jsonl");

/// Returns the lines of a type, as JSON.
pub(super) fn lines(kind: &str) -> Vec<Value> {
    let all = GOLDEN.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|line| line["type"] == kind).collect()
}

pub(super) fn golden<T: DeserializeOwned>(kind: &str) -> T {
    serde_json::from_value(lines(kind)[0].clone()).unwrap()
}

/// Returns the golden line of a type after a change of some of its keys.
pub(super) fn changed<T: DeserializeOwned>(kind: &str, keys: &Value) -> T {
    let mut line = lines(kind)[0].clone();
    for (key, value) in keys.as_object().unwrap() {
        line[key] = value.clone();
    }
    serde_json::from_value(line).unwrap()
}

/// A session that is told events, one a minute.
pub(super) struct Story {
    pub(super) state: SessionState,
    claims: Claims,
    minute: i64,
}

impl Story {
    /// Begins with settings, a calibration and the baseline.
    pub(super) fn new() -> Self {
        let session = serde_json::from_value(json!("019b76da-a800-7000-8000-000000000001")).unwrap();
        let mut story = Self { state: SessionState::new(session), claims: Claims::default(), minute: 0 };
        story.tell(None, &Event::Configured(golden("config")));
        story.tell(None, &Event::Calibrated(golden("calibrated")));
        let baseline = json!({"run": 0, "status": "keep", "reason": "improved", "description": "baseline",
            "effect": null, "iteration": false, "measured": false});
        story.tell(Some(0), &Event::Run(changed("run", &baseline)));
        story
    }

    pub(super) fn tell(&mut self, id: Option<u32>, event: &Event) {
        self.minute += 1;
        let at = Timestamp::from_second(1_767_225_600 + 60 * self.minute).unwrap();
        self.claims.apply(id.map(ExperimentId), event);
        self.state.apply(id.map(ExperimentId), at, event);
    }

    fn propose(&mut self, id: u32, description: &str) {
        self.tell(Some(id), &Event::Proposed(changed("proposed", &json!({"description": description}))));
    }

    /// Settles an experiment whose `run` line has these keys.
    pub(super) fn settle(&mut self, id: u32, description: &str, keys: &Value) {
        self.propose(id, description);
        let mut keys = keys.clone();
        keys["run"] = json!(id);
        keys["description"] = json!(description);
        self.tell(Some(id), &Event::Run(changed("run", &keys)));
    }

    pub(super) fn keep(&mut self, id: u32, description: &str) {
        let mut effect = lines("run")[0]["effect"].clone();
        for (key, value) in [("gain", 0.105), ("low", 0.095), ("high", 0.115)] {
            effect[key] = json!(value);
        }
        let commit = format!("{id:010x}{}", "0".repeat(30));
        self.settle(
            id,
            description,
            &json!({"status": "keep", "reason": "improved", "commit": commit, "effect": effect}),
        );
    }

    pub(super) fn view(&self, latest: &Latest, running: Option<Holder>) -> SessionView {
        let lenses = BTreeMap::new();
        let now = Timestamp::from_second(1_767_225_600 + 60 * (self.minute + 30)).unwrap();
        SessionView::new(SessionInput {
            state: &self.state,
            lenses: &lenses,
            claims: &self.claims,
            latest,
            running,
            now,
        })
        .unwrap()
    }
}

pub(super) fn night() -> Story {
    let mut story = Story::new();
    story.keep(1, "Batch the writes of level 1 before the merge");
    story.settle(2, "Sort the runs twice", &json!({}));
    story.settle(
        3,
        "Edit the bench",
        &json!({"status": "checks_failed", "reason": "sealed_path", "effect": null, "iteration": false}),
    );
    story.keep(4, "Skip the second look\u{1b}[2J-up");
    story.tell(Some(4), &Event::Undone(golden::<Undone>("undone")));
    story
}

const WIDE: Screen = Screen { width: None, colour: false };

#[test]
fn the_log_has_one_line_for_each_experiment() {
    let view = night().view(&Latest::default(), None);
    assert_eq!(
        text::log(&view, view.experiments.len(), WIDE),
        "\
#  status         reason       change                 pairs  commit      description
0  baseline                    100 ms                        0000000000  baseline
1  keep           improved     -10.0 % [-10.9, -9.1]      8  0000000001  Batch the writes of level 1 before the merge
2  discard        no_effect    -0.1 % [-1.1, +0.9]        8              Sort the runs twice
3  checks_failed  sealed_path                                            Edit the bench
4  keep (undone)  improved     -10.0 % [-10.9, -9.1]      8              Skip the second look\u{fffd}[2J-up
"
    );
}

#[test]
fn a_narrow_log_gives_up_the_reason_column_and_cuts_descriptions() {
    let view = night().view(&Latest::default(), None);
    let text = text::log(&view, 5, Screen { width: Some(80), colour: false });
    assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
    assert_eq!(text.lines().count(), 6);
    assert!(text.contains("checks_failed  sealed_path"), "{text}");
    assert!(text.lines().nth(2).unwrap().ends_with('…'), "{text}");
}

#[test]
fn a_very_narrow_log_leaves_out_what_the_rest_can_do_without() {
    let view = night().view(&Latest::default(), None);
    let text = text::log(&view, 5, Screen { width: Some(50), colour: false });
    assert!(text.lines().all(|line| line.chars().count() < 50), "{text}");
    let second = text.lines().nth(2).unwrap();
    assert!(second.starts_with("1  keep           -10.0 %      Batch the"), "{text}");
    assert!(!text.contains("[-10.9"), "{text}");
}

#[test]
fn a_part_of_the_log_says_of_how_many_it_is() {
    let mut view = night().view(&Latest::default(), None);
    view.experiments.truncate(2);
    assert!(text::log(&view, 5, WIDE).ends_with("\n2 of 5 settled experiments\n"));
    view.experiments.clear();
    assert_eq!(text::log(&view, 5, WIDE), "none of the 5 settled experiments is like that\n");
    assert_eq!(text::log(&view, 0, WIDE), "no experiment is settled yet\n");
}

#[test]
fn commits_of_a_range_are_shown_with_what_they_claim() {
    let mut story = night();
    assert_eq!(text::claims(&story.view(&Latest::default(), None).claims, WIDE), "");
    for (id, asi) in [(5, json!({"claimed": "12% faster"})), (6, json!({})), (7, json!({"claimed": {"a": -3}}))] {
        let commit = format!("{id:02x}{}", "c".repeat(38));
        let keys = json!({"description": format!("Commit {id}"), "source": {"commit": commit}, "asi": asi});
        story.tell(Some(id), &Event::Proposed(changed("proposed", &keys)));
        let keys = match id {
            5 => json!({"status": "keep", "reason": "improved", "commit": "d".repeat(40)}),
            6 => json!({}),
            _ => json!({"status": "crash", "reason": "apply_failed", "effect": null}),
        };
        let mut keys = keys;
        keys["run"] = json!(id);
        story.tell(Some(id), &Event::Run(changed("run", &keys)));
    }
    let view = story.view(&Latest::default(), None);
    assert_eq!(
        text::claims(&view.claims, WIDE),
        "\
claimed against measured, each commit against the best before it:
commit      claimed     measured             verdict               subject
05cccccccc  12% faster  -0.1 % [-1.1, +0.9]  keep (improved)       Commit 5
06cccccccc  nothing     -0.1 % [-1.1, +0.9]  discard (no_effect)   Commit 6
07cccccccc  {\"a\":-3}    -                    crash (apply_failed)  Commit 7
1 of 3 commits helps
"
    );
    let json: Value = serde_json::from_str(&log_json(&view, 8, None).unwrap()).unwrap();
    assert_eq!(json["claims"][0]["source"], format!("05{}", "c".repeat(38)));
    assert_eq!((&json["claims"][1]["claimed"], &json["claims"][2]["status"]), (&Value::Null, &json!("crash")));
    assert_eq!(status_json(&view)["claims"], json["claims"]);
    story.tell(Some(5), &Event::Undone(golden::<Undone>("undone")));
    let undone = text::claims(&story.view(&Latest::default(), None).claims, WIDE);
    assert!(undone.contains("keep (improved, undone)") && undone.ends_with("0 of 3 commits help\n"), "{undone}");
}

#[test]
fn a_running_session_shows_the_candidate_under_way() {
    let mut story = night();
    story.propose(5, "Hash the keys once");
    let pair: CandidateRun = golden("pair");
    let latest = Latest {
        experiment: Some(ExperimentId(5)),
        phase: Some((Phase::Measure, None)),
        pair: Some(CandidateRun { pair: 5, ..pair }),
        ..Latest::default()
    };
    let view = story.view(&latest, Some(Holder { pid: Some(77) }));
    assert_eq!(
        text::status(&view, WIDE),
        "\
session     sample (019b76da-a800-7000-8000-000000000001)
state       running (pid 77); 'autoresearch stop' ends it
branch      autoresearch/sample at 0000000000, from base 0000000000
time        42 min 00 s at work; started 2026-01-01 00:01 UTC, last event 2026-01-01 00:13 UTC
goal        total_ms, lower is better
baseline    100 ms in 0.2 s a run; a pair's noise is 1.0 %, 2.0 % can be resolved
tried       4 settled, 3 of them reached the build: 1 kept, 1 undone, 1 discarded, 1 failed checks
budget      4 of 100 measured candidates of this alpha epoch; the next has alpha 0.0030
now         #5 Hash the keys once
            measure, pair 5 of at most 30, -9.5 % [-10.4, -8.6], ln E 1.0 of 5.8

kept, each measured against the best before it:
#  status  change                 pairs  commit      description
1  keep    -10.0 % [-10.9, -9.1]      8  0000000001  Batch the writes of level 1 before the merge
"
    );
}

#[test]
fn a_stopped_session_names_its_rule_and_a_killed_one_says_so() {
    let mut story = night();
    let state = |story: &Story| text::status(&story.view(&Latest::default(), None), WIDE);
    assert!(state(&story).contains("not running, cut off in the middle; 'autoresearch run' goes on from there"));
    let stopped = Stopped { rule: StopRule::Plateau, detail: "20 iterations without a keep".to_owned() };
    story.tell(None, &Event::Stopped(stopped));
    assert!(state(&story).contains("\nstate       stopped: plateau (20 iterations without a keep)\n"));
}

#[test]
fn a_baseline_in_the_making_is_what_is_under_way() {
    let mut story = Story::new();
    let latest =
        Latest { experiment: Some(ExperimentId::BASELINE), phase: Some((Phase::Build, None)), ..Latest::default() };
    let running = Some(Holder { pid: None });
    assert!(
        text::status(&story.view(&latest, running), WIDE).contains("now         #0 the baseline\n            build\n")
    );
    assert_eq!(story.view(&latest, None).under_way, None);
    story.propose(1, "A candidate");
    assert_eq!(story.view(&latest, running).under_way.unwrap().phase, None, "the phase is not this candidate's");
}

#[test]
fn a_calibration_and_a_confirmation_are_named() {
    let mut story = Story::new();
    let pair = |swapped| Some(CandidateRun { pair: 3, swapped, estimate: None, ln_e: None, ..golden("pair") });
    let at = |id, phase, swapped| Latest {
        experiment: Some(ExperimentId(id)),
        phase: Some((phase, None)),
        pair: pair(swapped),
        ..Latest::default()
    };
    let now = |story: &Story, latest: &Latest| text::status(&story.view(latest, Some(Holder { pid: None })), WIDE);
    let calibrating = now(&story, &at(0, Phase::Measure, false));
    let lines =
        "now         #0 the calibration: the baseline against itself\n            measure, pair 3 of at most 10\n";
    assert!(calibrating.contains(lines), "{calibrating}");
    story.propose(1, "A candidate");
    let confirming = now(&story, &at(1, Phase::Confirm, true));
    assert!(confirming.contains("now         #1 A candidate\n            confirmation, pair 3\n"), "{confirming}");
}

#[test]
fn what_is_measured_outside_of_any_experiment_is_named_while_it_runs() {
    let mut story = night();
    let what = "the validation of the gain";
    let mut latest = Latest { outside: Some(what.to_owned()), ..Latest::default() };
    latest.phase = Some((Phase::Measure, None));
    latest.pair = Some(CandidateRun { pair: 7, ..golden("pair") });
    let running = Some(Holder { pid: None });
    let told = text::status(&story.view(&latest, running), WIDE);
    assert!(told.contains(&format!("now         {what}\n            measure, pair 7\n")), "{told}");
    assert_eq!(status_json(&story.view(&latest, running))["outside"]["pairs"], 7);
    assert!(!text::status(&story.view(&latest, None), WIDE).contains(what), "a killed one is not under way");
    story.propose(5, "Hash the keys once");
    assert!(text::status(&story.view(&latest, running), WIDE).contains("unfinished  #5 Hash the keys once"));
}

#[test]
fn a_keep_without_a_commit_is_not_counted_as_kept() {
    let mut story = Story::new();
    story.settle(1, "Judge me", &json!({"status": "keep", "reason": "improved"}));
    let view = story.view(&Latest::default(), None);
    assert_eq!((view.counts.kept, view.counts.judged_only, view.keeps().count()), (0, 1, 0));
    assert!(text::log(&view, view.experiments.len(), WIDE).contains("keep (no commit)"));
}

#[test]
fn each_segment_is_read_with_its_own_metric() {
    let story = night();
    let mut settings = golden::<Configured>("config").settings;
    settings.primary.direction = crate::domain::Direction::Higher;
    let lenses = BTreeMap::from([(0, Lenses::from(settings.as_ref()))]);
    let latest = Latest::default();
    let now = Timestamp::UNIX_EPOCH;
    let claims = Claims::default();
    let input =
        SessionInput { state: &story.state, lenses: &lenses, claims: &claims, latest: &latest, running: None, now };
    let view = SessionView::new(input).unwrap();
    assert_eq!(view.experiments[1].change.as_ref().unwrap().to_string(), "+11.1 % [+10.0, +12.2]");
}

#[test]
fn a_session_without_settings_has_no_view() {
    let session = serde_json::from_value(json!("019b76da-a800-7000-8000-000000000001")).unwrap();
    let state = SessionState::new(session);
    let (lenses, latest) = (BTreeMap::new(), Latest::default());
    let now = Timestamp::UNIX_EPOCH;
    assert!(
        SessionView::new(SessionInput {
            state: &state,
            lenses: &lenses,
            claims: &Claims::default(),
            latest: &latest,
            running: None,
            now
        })
        .is_none()
    );
}

#[test]
fn the_json_of_a_session_has_keeps_for_status_and_everything_for_log() {
    let view = night().view(&Latest::default(), None);
    let status = status_json(&view);
    assert_eq!(status["standing"], json!({"state": "cut_off"}));
    assert_eq!(status["kept"].as_array().unwrap().len(), 1);
    assert!(status.get("experiments").is_none());
    let log: Value = serde_json::from_str(&log_json(&view, 9, None).unwrap()).unwrap();
    assert_eq!(log["experiments"].as_array().unwrap().len(), 5);
    assert_eq!(log["experiments"][4]["flags"], json!(["undone"]));
    assert_eq!(log["experiments"][1]["change"]["unit"], "%");
}

/// A discarded experiment: two good pairs, a void one, a sentinel that regressed, and side information.
fn experiment() -> ExperimentView {
    let configured: Configured = golden("config");
    let proposed: Proposed = changed(
        "proposed",
        &json!({"idea": "batching", "axes": [{"name": "batch", "value": "64"}], "asi": {"mechanism": "fewer calls"}}),
    );
    let screened: Screened = golden("screened");
    let mut attempts: Vec<CandidateRun> =
        lines("pair").into_iter().map(|line| serde_json::from_value(line).unwrap()).collect();
    let total = configured.settings.primary.name.clone();
    attempts[0].candidate.as_mut().unwrap().metrics.insert(total, 90.0);
    let phases = [
        PhaseEnded { phase: Phase::Build, what: None, seconds: 61.0, exit: None, failure: None },
        serde_json::from_value(lines("phase").pop().unwrap()).unwrap(),
    ];
    let mut line = lines("decided")[0].clone();
    line["status"] = json!("discard");
    line["reason"] = json!("sentinel_regressed");
    line["detail"] = json!("auto.max_rss_bytes");
    line["comparison"]["sentinels"] =
        json!([{"metric": "auto.max_rss_bytes", "state": "failed", "rule": "at most 5 % more", "mu": -0.1}]);
    let decided: Decided = serde_json::from_value(line).unwrap();
    let asi = json!({"mechanism": "fewer calls", "hypothesis": proposed.hypothesis, "predicted": {"write_ms": "down"},
        "auto": {"why": "auto.max_rss_bytes", "failed": {"phase": "check", "stderr_tail": "row 7\n\u{1b}[31mdiffers\n"}}});
    let run: RunSummary = changed("run", &json!({"asi": asi}));
    ExperimentView::new(ExperimentParts {
        id: ExperimentId(1),
        settings: &configured.settings,
        environment: &configured.environment,
        sandbox: &BTreeMap::from([("landlock".to_owned(), "abi 5".to_owned())]),
        proposed: Some(&proposed),
        screened: Some(&screened),
        phases: &phases,
        attempts: &attempts,
        decided: Some(&decided),
        run: Some(&run),
        undone: None,
        metrics: vec![MetricLine {
            metric: "total_ms".to_owned(),
            unit: "ms".to_owned(),
            baseline: 100.0,
            candidate: 90.5,
            change: None,
        }],
        folder: Path::new("/state/runs/0001"),
        files: vec!["candidate.patch".to_owned(), "check-10-tests.err".to_owned()],
        logs: vec![LogTail { file: "build.out".to_owned(), text: "compiled\u{1b}[K\nlinked".to_owned() }],
    })
}

fn diff() -> PatchView {
    PatchView { text: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n".to_owned(), left_out: 0 }
}

#[test]
fn show_tells_everything_about_an_experiment() {
    assert_eq!(
        text::show(&experiment(), Some(&diff()), WIDE),
        "\
experiment 1: Batch the writes of level 1 before the merge
status      discard (sentinel_regressed)
why         auto.max_rss_bytes
tip         00000000000000000000abcd0000000000000000
source      candidates/00001-batch.patch
idea        batching
axis        batch=64
applied     exact on the tip
touches     src/merge.rs, src/writer.rs
patch       /state/runs/0001/candidate.patch

hypothesis
  Fewer system calls for the same bytes.

effect      total_ms -0.1 % [-1.1, +0.9] over 8 pairs: no effect
evidence    ln E -1.5 of 6.9 (alpha 0.0010)
rule        at least 1.0 % is worth keeping; a pair's noise is 1.0 %

metric        baseline  candidate  change
total_ms        100 ms  90.500 ms  -

sentinel            state      rule
auto.max_rss_bytes  regressed  at most 5 % more

pairs of total_ms [ms] ('|' is no change)
pair  first      baseline  candidate    change  ln E
   1  candidate    100.05         90  -10.04 %   1.0  *                       |
   2  baseline     100.06     100.06   +0.00 %   2.0                          *
   1  candidate         -          -                  void: baseline: exit code 3

phase                 time  result
build           1 min 01 s  done
check 10-tests      10.5 s  time limit

the end of its stderr
  row 7
  \u{fffd}[31mdiffers

side information
  mechanism: fewer calls
  predicted:
    {
      \"write_ms\": \"down\"
    }

the end of build.out
  compiled\u{fffd}[K
  linked

environment
  os: linux
sandbox
  landlock: abi 5

files in    /state/runs/0001
            candidate.patch  check-10-tests.err

patch
  --- a/x
  +++ b/x
  @@ -1 +1 @@
  -a
  +b
"
    );
}

#[test]
fn evidence_is_drawn_over_the_pairs_of_the_race() {
    let mut view = experiment();
    let pair = view.pairs[0].clone();
    view.pairs = (0..8).map(|n| PairView { pair: n + 1, ln_e: Some(f64::from(n)), ..pair.clone() }).collect();
    view.pairs.push(PairView { swapped: true, ..pair });
    let text = text::show(&view, None, WIDE);
    let plot: String =
        text.split_inclusive('\n').skip_while(|line| !line.starts_with("evidence over")).take(8).collect();
    assert!(
        plot.starts_with("evidence over the pairs, ln E ('-' is 6.9, what a keep needed; '.' is 0)\n     7.0 |"),
        "{plot}"
    );
    assert_eq!((plot.matches('*').count(), plot.lines().last().unwrap()), (8, "     0.0 |*..............."), "{plot}");
    assert!(plot.lines().nth(1).unwrap().ends_with('-'), "{plot}");
}

#[test]
fn the_json_of_an_experiment_has_every_pair_and_the_automatic_side_information() {
    let json = show_json(&experiment());
    assert_eq!(json["pairs"].as_array().unwrap().len(), 3);
    assert_eq!(json["pairs"][2]["void"], "baseline: exit code 3");
    assert_eq!(json["asi"]["auto"]["failed"]["phase"], "check");
    assert_eq!(json["effect"]["verdict"], "no_effect");
}

#[test]
fn a_watched_session_tells_what_it_waits_for_how_long_it_goes_on_and_what_went_wrong() {
    let mut story = Story::new();
    let mut configured: Configured = golden("config");
    configured.settings.stop = Stop { max_hours: Some(1.5), max_iterations: Some(3), ..Stop::default() };
    configured.segment = 1;
    story.tell(None, &Event::Configured(Box::new(configured)));
    story.settle(1, "Sort the runs twice", &json!({}));
    let trouble = Trouble {
        at: Timestamp::from_second(1_767_225_600).unwrap(),
        experiment: Some(ExperimentId(1)),
        what: "hook: after './tell' ended with\u{1b}[2J exit code 1".to_owned(),
    };
    let waiting = Waiting {
        source: "claude".to_owned(),
        obstacle: Obstacle::UsageLimit,
        why: "limit reached, resets at 3 am".to_owned(),
        until: Timestamp::from_second(1_767_225_600 + 60 * 60).unwrap(),
        call: None,
    };
    let latest = Latest { waiting: Some(waiting), trouble: Some(trouble), pace_s: Some(150.0), ..Latest::default() };
    let view = story.view(&latest, Some(Holder { pid: None }));
    let told = text::status(&view, WIDE);
    let lines = "\
waits       for claude (a limit of use: limit reached, resets at 3 am); it is asked again in 24 min 00 s
left        about 5 min 00 s for 2 more iterations; 56 min 00 s by max_hours
last error  #1 hook: after './tell' ended with\u{fffd}[2J exit code 1 (36 min 00 s ago)
";
    assert!(told.contains(lines), "{told}");
    let json = status_json(&view);
    assert_eq!(json["time_left"][0], json!({"rule": "max_iterations", "seconds": 300.0, "iterations": 2}));
    assert_eq!((&json["waiting"]["obstacle"], &json["waiting"]["left_s"]), (&json!("usage_limit"), &json!(1440.0)));
    assert_eq!((&json["last_error"]["age_s"], &json["last_error"]["experiment"]), (&json!(2160.0), &json!(1)));
    let over = story.view(&latest, None);
    assert_eq!((over.waiting, over.time_left), (None, Vec::new()), "nobody waits, and nothing goes on");
    assert!(over.last_error.is_some());
}
