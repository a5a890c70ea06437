//! Reports of a made-up session whose candidates are hostile, in all three forms.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::domain::{
    CandidateRun, Configured, Decided, Event, ExperimentId, Flag, MetricName, Proposed, RunSummary, Undone, Validated,
};
use crate::ideas::Catalogue;
use crate::report::tests::{Story, changed, golden, lines};
use crate::report::{
    ChangeView, ExperimentParts, ExperimentView, Latest, MetricLine, SessionView, ValidationView, html, markdown,
    report_json,
};

/// What a candidate writes who wants to run something where its report is read.
const HOSTILE: &str =
    "Faster</td><script>alert(1)</script> <a href=\"javascript:x\">[x](javascript:x) \u{202e}@me #7\u{1b}[2J";

/// What only the holdout knows.
const SECRETS: [&str; 3] = ["secret_ms", "31337", "62674"];

fn metric(name: &str) -> MetricName {
    MetricName::new(name).unwrap()
}

/// Two keeps, one with a hostile author and a holdout, one that was reverted, and what was dropped.
fn story() -> Story {
    let mut story = Story::new();
    story.keep(1, HOSTILE);
    story.settle(2, "Sort the runs twice", &json!({}));
    story.settle(
        3,
        "Edit the bench",
        &json!({"status": "checks_failed", "reason": "sealed_path", "effect": null, "iteration": false}),
    );
    story.keep(4, "Skip the second look-up");
    story.tell(Some(4), &Event::Undone(golden::<Undone>("undone")));
    story.keep(5, "Reserve the buffer once");
    story
}

fn validated(keys: &Value) -> Validated {
    changed("validated", keys)
}

/// Returns an experiment as the journal tells it, with pairs of the holdout and its outcome.
fn experiment(id: u32, description: &str, asi: &Value) -> ExperimentView {
    let configured: Configured = golden("config");
    let told = json!({"description": description, "hypothesis": description, "idea": description, "asi": asi});
    let proposed: Proposed = changed("proposed", &told);
    let mut attempts: Vec<CandidateRun> =
        lines("pair").into_iter().take(2).map(|line| serde_json::from_value(line).unwrap()).collect();
    let mut held = attempts[0].clone();
    held.holdout = true;
    for (reading, value) in [(&mut held.baseline, 31337.0), (&mut held.candidate, 62674.0)] {
        reading.as_mut().unwrap().metrics = [(metric("secret_ms"), value)].into();
    }
    attempts.push(held);
    let mut line = lines("decided")[0].clone();
    line["holdout"] = json!([{"metric": "secret_ms", "state": "passed", "rule": "31337 at most", "mu": 0.1}]);
    line["comparison"]["sentinels"] =
        json!([{"metric": "auto.max_rss_bytes", "state": "unresolved", "rule": "at most 5 % more", "mu": -0.1}]);
    let decided: Decided = serde_json::from_value(line).unwrap();
    let run: RunSummary = changed("run", &json!({"run": id, "asi": asi}));
    let change = ChangeView { value: -10.0, low: -10.9, high: -9.1, unit: "%".to_owned() };
    let line = |name: &str| MetricLine {
        metric: name.to_owned(),
        unit: "ms".to_owned(),
        baseline: 100.0,
        candidate: 90.0,
        change: Some(change.clone()),
    };
    ExperimentView::new(ExperimentParts {
        id: ExperimentId(id),
        settings: &configured.settings,
        environment: &configured.environment,
        sandbox: &BTreeMap::new(),
        proposed: Some(&proposed),
        screened: None,
        phases: &[],
        attempts: &attempts,
        decided: Some(&decided),
        run: Some(&run),
        undone: None,
        metrics: vec![line("total_ms"), line("write_ms")],
        folder: Path::new("/home/somebody/runs/0001"),
        files: Vec::new(),
        logs: Vec::new(),
    })
}

fn overview(story: &Story) -> Overview {
    let mut session: SessionView = story.view(&Latest::default(), None);
    let row = session.experiments.iter_mut().find(|row| row.experiment == ExperimentId(5)).unwrap();
    row.flags.push(Flag::MechanismUnconfirmed);
    let mut configured: Configured = golden("config");
    let holdout = json!({"command": {"shell": "./secret_ms.sh"}, "timeout": "calibrated", "files": [], "metrics": [],
        "file": null});
    configured.settings.holdout = serde_json::from_value(holdout).unwrap();
    let asi = json!({"mechanism": HOSTILE, "result": "5 % faster", "predicted": {"write_ms": "down", "reads": 3}});
    let retest = ValidationView::new(&validated(&json!({"without": 1})), "ms");
    let keeps = vec![
        KeepParts { experiment: experiment(1, HOSTILE, &asi), lines: Some(-4), validated: Some(retest) },
        KeepParts { experiment: experiment(5, "Reserve the buffer once", &json!({})), lines: None, validated: None },
    ];
    let remark = Remark { mechanism: Some("the runs were sorted already".into()), detail: None };
    let ideas = "## Closed (do not retry)\n\n- **L0** fewer levels: <b>no</b> effect\n  \
        <!-- autoresearch: id=l0 closed=2 reopen=\"3 keeps since\" -->\n";
    let mut view = Overview::new(OverviewParts {
        session,
        configured: &configured,
        calibrated: Some(&golden("calibrated")),
        sandbox: BTreeMap::new(),
        measured: Vec::new(),
        keeps,
        undone: BTreeMap::from([(ExperimentId(4), golden("undone"))]),
        remarks: BTreeMap::from([(ExperimentId(2), remark)]),
        ideas: &Catalogue::parse(ideas),
    });
    let text = format!("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+{HOSTILE}\n+```\n");
    view.keeps[0].patch = Some(PatchView { text, left_out: 0 });
    view
}

fn forms(view: &Overview) -> [String; 3] {
    [html::page(view), markdown::body(view), report_json(view).unwrap()]
}

/// Takes out the style and the policy, which are the tool's own.
fn page_without_style(view: &Overview) -> String {
    let page = html::page(view);
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    format!("{head}{body}").replacen("http-equiv", "", 1)
}

#[test]
fn a_page_loads_nothing_and_runs_nothing_whatever_a_candidate_wrote() {
    let page = page_without_style(&overview(&story()));
    for never in ["<script", "<link", "<img", "<iframe", " src=", "http:", "https:", "style=", " on", "@import"] {
        let found = page.match_indices(never).filter(|(at, _)| inside_a_tag(&page, *at)).count();
        assert_eq!(found, 0, "{never}");
    }
    for (at, _) in page.match_indices("href=").filter(|(at, _)| inside_a_tag(&page, *at)) {
        assert!(page[at..].starts_with("href=\"#keep-"), "{}", &page[at..at + 40]);
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the text is there, as text");
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    assert!(!include_str!("../html/style.css").contains("url("));
}

/// Says whether a place of a page is within the brackets of a tag.
fn inside_a_tag(page: &str, at: usize) -> bool {
    page[..=at].rfind('<') > page[..at].rfind('>')
}

#[test]
fn every_tag_of_a_page_is_closed() {
    let page = html::page(&overview(&story()));
    let void = ["meta", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
        let name = tag.split_whitespace().next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !void.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn figures_of_the_holdout_are_in_no_report() {
    for text in forms(&overview(&story())) {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret}");
        }
        assert!(text.contains("a bench that no proposer sees"), "that there is one is said");
    }
}

#[test]
fn no_path_of_the_machine_is_in_a_report() {
    for text in forms(&overview(&story())) {
        assert!(!text.contains("/home/somebody"));
    }
}

#[test]
fn a_gain_that_nobody_measured_is_not_called_one() {
    let [page, body, json] = forms(&overview(&story()));
    assert!(page.contains("<h1 class=\"unvalidated\">total_ms: the gain is not validated</h1>"), "{page}");
    assert!(body.contains("**Not validated**: nobody has measured"), "{body}");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["headline"]["is_validated"], &json["headline"]["validated"]), (&json!(false), &json!(null)));
}

#[test]
fn a_validated_gain_is_the_headline_and_later_keeps_are_not_in_it() {
    let mut story = story();
    let tip = story.state.tip().unwrap().clone();
    story.tell(None, &Event::Validated(Box::new(validated(&json!({"tip": tip})))));
    let [page, body, _] = forms(&overview(&story));
    assert!(page.contains("<h1 class=\"\">total_ms -11.8 % from base to tip, validated</h1>"), "{page}");
    assert!(page.contains("This is less than the keeps claim together"), "{page}");
    assert!(body.contains("**total_ms -11.8 % [-13.9, -9.5]** over 20 fresh pairs"), "{body}");
    assert!(!page.contains("are not in this figure"), "{page}");
    story.keep(6, "Later");
    let [page, body, json] = forms(&overview(&story));
    assert!(page.contains("are not in this figure: 1"), "{page}");
    assert!(body.contains("are not in this figure: 1."), "{body}");
    assert!(json.contains("\"kept_since\": 1"), "{json}");
}

#[test]
fn the_interval_of_a_validation_that_reaches_zero_is_no_gain() {
    let mut story = story();
    story.tell(None, &Event::Validated(Box::new(validated(&json!({"low": -0.01})))));
    let [page, body, _] = forms(&overview(&story));
    assert!(page.contains("total_ms: validated, and no gain is shown"), "{page}");
    assert!(body.contains("does not exclude that nothing was gained"), "{body}");
}

#[test]
fn the_table_of_keeps_stands_before_the_chart_with_what_each_is_worth_and_costs() {
    let page = html::page(&overview(&story()));
    let table = page.find("table class=\"cards keeps\"").unwrap();
    assert!(table < page.find("svg class=\"chart wide\"").unwrap());
    let row = &page[table..page[table..].find("</table>").unwrap() + table];
    for cell in ["-10.0 % [-10.9, -9.1]", "-11.8 % [-13.9, -9.5]", ">-4<", "not measured", "mechanism unconfirmed"] {
        assert!(row.contains(cell), "{cell} in {row}");
    }
}

#[test]
fn what_was_measured_and_what_was_told_are_told_apart() {
    let json: Value = serde_json::from_str(&report_json(&overview(&story())).unwrap()).unwrap();
    let keep = &json["keeps"][0];
    assert_eq!((&keep["origin"], &keep["change"]["unit"]), (&json!("measured"), &json!("%")));
    assert_eq!(keep["told"], json!([{"key": "result", "text": "5 % faster", "origin": "estimated_by_proposer"}]));
    assert_eq!(keep["predictions"][1]["metric"], "write_ms");
    assert_eq!(keep["predictions"][1]["measured"]["value"], -10.0);
    assert_eq!(keep["predictions"][0]["measured"], json!(null), "'reads' was never printed");
    assert_eq!(json["keeps"][1]["flags"], json!(["mechanism_unconfirmed"]));
    let page = html::page(&overview(&story()));
    assert!(page.contains("told by the proposer, not measured"), "{page}");
}

#[test]
fn what_was_dropped_stands_by_reason_with_its_mechanism() {
    let view = overview(&story());
    let reasons: Vec<String> = view.dropped.iter().map(|group| format!("{} {}", group.reason, group.count)).collect();
    assert_eq!(reasons, ["no_effect 1", "sealed_path 1"]);
    assert_eq!(view.dropped[0].mechanisms[0].mechanism.as_deref(), Some("the runs were sorted already"));
    assert_eq!(view.undone[0].why, "a clean rebuild is another program");
    assert_eq!((view.closed[0].experiments[0].0, view.closed[0].reopen.as_deref()), (2, Some("3 keeps since")));
}

#[test]
fn a_chart_has_a_point_for_each_measured_experiment_and_an_interval_for_each_keep() {
    let view = overview(&story());
    let told: Vec<(u32, bool)> = view.points.iter().map(|p| (p.experiment.0, p.interval.is_some())).collect();
    assert_eq!(told, [(0, false), (1, true), (2, false), (3, false), (4, false), (5, true)]);
    let (low, high) = view.points[1].interval.unwrap();
    assert!((low - 89.1).abs() < 0.1 && (high - 90.9).abs() < 0.1, "{low} {high}");
}

#[test]
fn a_markdown_report_is_a_pull_requests_body() {
    let body = markdown::body(&overview(&story()));
    let titles: Vec<&str> = body.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        titles,
        [
            "# sample: total_ms: the gain is not validated",
            "## Headline numbers",
            "## What changed (2 kept commits)",
            "### Major wins (at least 5.0 % each, in the order in which they were kept)",
            "## Methodology",
            "## Safety",
            "## What did not work",
            "### no effect (1, discard)",
            "### sealed path (1, checks failed)",
            "### Closed ideas",
            "## Environment",
        ]
    );
    assert!(!body.contains("<script") && !body.replace("\\]", "").contains("](") && !body.contains("@me"), "{body}");
    assert!(!body.contains(['\u{1b}', '\u{202e}']));
    assert!(body.contains("none of the metrics that the hypothesis predicted moved (experiment 5)"), "{body}");
    assert!(body.contains("was kept and later reverted: a clean rebuild is another program"), "{body}");
    assert!(body.contains("- sentinel `auto.max_rss_bytes`: passed at 0 keeps, **unresolved at 2**"), "{body}");
}

#[test]
fn keeps_are_ranked_by_what_leaving_them_out_costs() {
    let view = overview(&story());
    let order: Vec<u32> = view.ranked().iter().map(|keep| keep.experiment.0).collect();
    assert_eq!(order, [1, 5], "-11.8 % validated before -10.0 % when kept");
}

#[test]
fn a_session_that_kept_nothing_has_a_report_too() {
    let story = Story::new();
    let configured: Configured = golden("config");
    let view = Overview::new(OverviewParts {
        session: story.view(&Latest::default(), None),
        configured: &configured,
        calibrated: None,
        sandbox: BTreeMap::new(),
        measured: Vec::new(),
        keeps: Vec::new(),
        undone: BTreeMap::new(),
        remarks: BTreeMap::new(),
        ideas: &Catalogue::default(),
    });
    let [page, body, _] = forms(&view);
    assert!(
        page.contains("<h1 class=\"unvalidated\">nothing was kept</h1>") && page.contains("Nothing was calibrated")
    );
    assert!(body.contains("Nothing was kept.") && !body.contains("## What changed"), "{body}");
}
