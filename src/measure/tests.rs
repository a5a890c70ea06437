//! Readings, plans and pairs, with made-up output and a scripted bench.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Seek, SeekFrom};

use super::*;
use crate::domain::{
    Arm, Calibrated, Direction, Exit, MetricCalibration, MetricName, Order, Outcome, Reading, Reason, Reduce, Scale,
    Sentinel, Settings, Usage, VoidPair,
};

fn name(text: &str) -> MetricName {
    MetricName::new(text).unwrap()
}

/// Settings of a journal of format 1, whose primary is `total_ms`.
fn settings(patterns: &[&str]) -> Settings {
    let line = include_str!("../../tests/golden/journal-format-1.jsonl").lines().nth(1).unwrap();
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let mut settings: Settings = serde_json::from_value(value["settings"].clone()).unwrap();
    settings.sentinels = patterns.iter().map(|pattern| sentinel(pattern)).collect();
    settings
}

fn sentinel(pattern: &str) -> Sentinel {
    Sentinel {
        pattern: pattern.to_owned(),
        direction: Direction::Lower,
        scale: Scale::Ratio,
        tolerance: None,
        tolerance_abs: None,
        max: Some(1e9),
        min: None,
        exact: false,
        reduce: Reduce::Median,
    }
}

fn plan(patterns: &[&str]) -> MetricPlan {
    MetricPlan::new(&settings(patterns)).unwrap()
}

fn read_both(stdout: &str, stderr: &str, plan: &MetricPlan) -> RunReading {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    fs::write(&out, stdout).unwrap();
    fs::write(&err, stderr).unwrap();
    let usage = Usage { wall_s: 2.0, user_s: 1.0, sys_s: 0.25, max_rss_bytes: 4096 };
    read_run(RunFiles { stdout: &out, stderr: &err, metrics_file: None }, &usage, plan).unwrap()
}

fn read(stdout: &str, plan: &MetricPlan) -> RunReading {
    read_both(stdout, "", plan)
}

fn failure(stdout: &str, plan: &MetricPlan) -> String {
    read(stdout, plan).outcome.unwrap_err().to_string()
}

#[test]
fn a_run_has_its_metrics_the_automatic_ones_and_the_invariants() {
    let run = read_both("METRIC total_ms=5 ms\nINVARIANT rows=1 000\n", "METRIC seen=3\n", &plan(&[]));
    let reading = run.outcome.unwrap();
    let expected: BTreeMap<_, _> = [
        ("total_ms", 5.0),
        ("seen", 3.0),
        ("auto.wall_s", 2.0),
        ("auto.user_s", 1.0),
        ("auto.sys_s", 0.25),
        ("auto.cpu_s", 1.25),
        ("auto.max_rss_bytes", 4096.0),
    ]
    .into_iter()
    .map(|(n, v)| (name(n), v))
    .collect();
    assert_eq!(reading.metrics, expected);
    assert_eq!(reading.invariants, ["rows=1 000"]);
    assert_eq!(run.lines, [(name("total_ms"), 1)].into());
}

#[test]
fn a_last_line_without_its_newline_says_what_it_says_with_it() {
    for line in
        ["METRIC a=1", "METRIC a", "INVARIANT a", "INVARIANT a=b", "\u{1b}INVARIAN\u{1b}T\ta", "MET\u{1b}[0mRIC a=1"]
    {
        let told = |text: &str| format!("{:?}", parse(Cursor::new(text.as_bytes())).unwrap());
        assert_eq!(told(line), told(&format!("{line}\n")), "{line:?}");
    }
}

#[test]
fn stdout_is_read_before_stderr() {
    let mut settings = settings(&[]);
    settings.primary.reduce = Reduce::Last;
    let plan = MetricPlan::new(&settings).unwrap();
    let reading = read_both("METRIC total_ms=1\n", "METRIC total_ms=2\n", &plan).outcome.unwrap();
    assert_eq!(reading.metrics.get(&name("total_ms")), Some(&2.0));
}

#[test]
fn with_a_metrics_file_printed_metrics_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["out", "err", "metrics"].map(|file| folder.path().join(file));
    fs::write(&paths[0], "METRIC total_ms=1\nMETRIC auto.wall_s=1\nINVARIANT a=1\n").unwrap();
    fs::write(&paths[1], "").unwrap();
    let files = RunFiles { stdout: &paths[0], stderr: &paths[1], metrics_file: Some(&paths[2]) };
    let missing = read_run(files, &Usage::default(), &plan(&[])).unwrap().outcome.unwrap_err();
    assert_eq!(missing, RunFailure::MetricMissing { name: "total_ms".to_owned() });
    fs::write(&paths[2], "METRIC total_ms=7\nINVARIANT b=2\n").unwrap();
    let reading = read_run(files, &Usage::default(), &plan(&[])).unwrap().outcome.unwrap();
    assert_eq!(reading.metrics.get(&name("total_ms")), Some(&7.0));
    assert_eq!(reading.invariants, ["a=1", "b=2"]);
}

#[test]
fn an_output_that_is_gone_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("pair-01-candidate.out");
    let files = RunFiles { stdout: &gone, stderr: &gone, metrics_file: None };
    let error = read_run(files, &Usage::default(), &plan(&[])).unwrap_err().to_string();
    assert!(error.contains("pair-01-candidate.out"), "{error}");
}

#[test]
fn a_primary_or_sentinel_that_is_not_printed_fails_the_run() {
    assert_eq!(failure("", &plan(&[])), "the bench printed no line 'METRIC total_ms=<number>'");
    assert!(failure("METRIC total_ms=1\n", &plan(&["query.*_ms"])).contains("query.*_ms"));
}

#[test]
fn a_value_that_is_no_number_fails_the_run_only_where_it_has_a_role() {
    for (line, why) in [
        ("METRIC total_ms=NaN", "the value is not finite"),
        ("METRIC total_ms=-inf", "the value is not finite"),
        ("METRIC total_ms=1e999", "the value is too large for a 64-bit float"),
        ("METRIC total_ms=5ms", "the value is not a decimal number"),
        ("METRIC total_ms=1,000", "the value is not a decimal number"),
        ("METRIC total_ms=0x10", "the value is not a decimal number"),
        ("METRIC total_ms=1 000", "the number is followed by more digits"),
        ("METRIC total_ms=", "there is no value after the '='"),
        ("METRIC total_ms 5", "there is no '=' after the name"),
        ("METRIC total_ms =5", "the name is not one word of allowed characters"),
        ("METRIC auto.wall_s=5", "names in auto. are measured by the tool itself"),
    ] {
        let text = failure(&format!("one\n{line}\nMETRIC total_ms=5\n"), &plan(&[]));
        assert!(text.contains(why) && text.contains(&format!("stdout line 2: '{line}'")), "{text}");
    }
    let run = read("METRIC total_ms=5\nMETRIC other=NaN\nMETRIC two words=3\nINVARIANT none\n", &plan(&[]));
    assert!(run.outcome.is_ok());
    let warnings: Vec<_> = run.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings.contains(&"stdout line 2: 'METRIC other=NaN': the value is not finite".to_owned()));
}

#[test]
fn a_bad_line_of_a_name_that_a_glob_matches_fails_the_run() {
    let text = failure("METRIC total_ms=1\nMETRIC query.a=1\nMETRIC query.b=nan\n", &plan(&["query.*"]));
    assert!(text.starts_with("query.b: "), "{text}");
}

#[test]
fn zero_or_less_is_invalid_where_logarithms_are_compared() {
    assert!(failure("METRIC total_ms=0\n", &plan(&[])).contains("0 is not above zero"));
    assert!(failure("METRIC total_ms=-3\n", &plan(&[])).contains("-3 is not above zero"));
    let counters = plan(&["fsyncs"]);
    assert!(read("METRIC total_ms=1\nMETRIC fsyncs=0\n", &counters).outcome.is_ok(), "a limit may stand at 0");
    let mut settings = settings(&["fsyncs"]);
    settings.sentinels[0].tolerance = Some(0.05);
    let ratio = MetricPlan::new(&settings).unwrap();
    assert!(failure("METRIC total_ms=1\nMETRIC fsyncs=0\n", &ratio).contains("fsyncs: 0 is not above zero"));
}

#[test]
fn the_number_of_lines_is_learned_and_then_the_same_in_every_run() {
    let first = read("METRIC total_ms=1\nMETRIC total_ms=3\n", &plan(&[]));
    let fixed = plan(&[]).fixed_by(&first.lines);
    assert!(read("METRIC total_ms=1\nMETRIC total_ms=3\n", &fixed).outcome.is_ok());
    let text = failure("METRIC total_ms=1\nMETRIC total_ms=3\nMETRIC total_ms=0.1\n", &fixed);
    assert_eq!(text, "total_ms: 3 lines in this run, 2 at calibration");
}

#[test]
fn a_glob_is_expanded_once_and_the_same_names_are_wanted_ever_after() {
    let first = read("METRIC total_ms=1\nMETRIC query.a=1\nMETRIC query.b=1\n", &plan(&["query.*"]));
    let fixed = plan(&["query.*"]).fixed_by(&first.lines);
    let metrics: Vec<_> = fixed.metrics().map(|(n, role)| (n.as_str(), role)).collect();
    assert_eq!(metrics, [("query.a", "query.*"), ("query.b", "query.*"), ("total_ms", "primary")]);
    assert!(failure("METRIC total_ms=1\nMETRIC query.a=1\n", &fixed).contains("METRIC query.b="));
    let more = "METRIC total_ms=1\nMETRIC query.a=1\nMETRIC query.b=1\nMETRIC query.c=1\n";
    assert_eq!(read(more, &fixed).lines.len(), 3, "a new name has no role");
}

#[test]
fn a_metric_has_one_role_and_automatic_ones_are_globbed_only_on_purpose() {
    let first = read("METRIC total_ms=1\nMETRIC a=1\nMETRIC b=1\n", &plan(&["*", "b"]));
    let fixed = plan(&["*", "b"]).fixed_by(&first.lines);
    let metrics: Vec<_> = fixed.metrics().map(|(n, role)| (n.as_str(), role)).collect();
    assert_eq!(metrics, [("a", "*"), ("b", "b"), ("total_ms", "primary")]);
    assert_eq!(read("METRIC total_ms=1\n", &plan(&["auto.*_s"])).lines.len(), 5);
}

#[test]
fn a_plan_refuses_bad_globs_and_double_roles() {
    let error = |patterns: &[&str]| MetricPlan::new(&settings(patterns)).unwrap_err().to_string();
    assert!(error(&["a[bc]"]).contains("'a[bc]'"));
    assert!(error(&["total_ms"]).contains("two roles"));
    assert!(error(&["q.*", "worst(q.*)"]).contains("two roles"));
    assert!(error(&["\u{b5}", "\u{3bc}"]).contains("two roles"));
}

#[test]
fn the_first_different_invariant_is_named() {
    let reading = |lines: &[&str]| Reading {
        metrics: BTreeMap::new(),
        invariants: lines.iter().map(|&l| l.to_owned()).collect(),
    };
    let difference = |a: &[&str], b: &[&str]| invariant_difference(&reading(a), &reading(b)).map(|d| d.to_string());
    assert_eq!(difference(&["a=1", "b=2"], &["a=1", "b=2"]), None);
    assert_eq!(difference(&["a=1", "b=2"], &["a=1", "b=3"]).unwrap(), "INVARIANT b=3 where the baseline printed b=2");
    assert_eq!(difference(&["a=1"], &[]).unwrap(), "INVARIANT a=1 is missing");
    assert_eq!(difference(&[], &["a=1"]).unwrap(), "INVARIANT a=1 is one that the baseline did not print");
    assert!(difference(&["a=1", "b=2"], &["b=2", "a=1"]).is_some(), "the order counts");
}

/// Gives out a text in pieces of one size.
struct Pieces<'a>(Cursor<&'a [u8]>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1.min(into.len());
        self.0.read(&mut into[..size])
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_line_is_found_wherever_a_block_ends() {
    let text = b"noise\nMETRIC a=1\r\n\x1b[1mMETRIC\x1b[0m b=2\nINVARIANT c= d \nMETRIC a=3";
    for size in 1..text.len() {
        let parsed = parse(Pieces(Cursor::new(text), size)).unwrap();
        assert_eq!(parsed.samples[&name("a")].values, [1.0, 3.0], "pieces of {size}");
        assert_eq!(parsed.samples[&name("b")].values, [2.0]);
        assert_eq!(parsed.invariants.into_lines(), ["c= d "]);
    }
}

#[test]
fn lines_of_any_length_are_passed_over_and_none_after_them_is_lost() {
    for length in [200_000, 262_143, 262_144, 262_145, 1_000_000] {
        let text = format!("{}\nMETRIC a=1\n{} METRIC a=2\nMETRIC b=NaN\n", "x".repeat(length), "y".repeat(length));
        let parsed = parse(Cursor::new(text.as_bytes())).unwrap();
        assert_eq!(parsed.samples[&name("a")].values, [1.0], "{length}");
        assert_eq!(parsed.invalid[&name("b")].line, 4, "{length}");
    }
}

#[test]
fn output_full_of_the_letters_of_the_keywords_is_read_all_the_same() {
    let noise = "STRING PRIMARY METRICS CRITICAL INVARIANTS\n".repeat(40);
    let text: String =
        (0..2_000).flat_map(|_| [&noise[..], "METRIC a=1\n", "METRIC b=no\n", "INVARIANT c=2\n"]).collect();
    let parsed = parse(Cursor::new(text.as_bytes())).unwrap();
    assert_eq!(parsed.samples[&name("a")].values.len(), 2_000);
    assert_eq!(parsed.invalid[&name("b")].line, 42);
    assert_eq!(parsed.invariants.into_lines().len(), 257);
}

#[test]
fn lines_are_numbered_over_blocks() {
    let text = format!("{}METRIC a=no\n{}METRIC\t=\n", "line\n".repeat(100_000), "\n".repeat(300_000));
    let parsed = parse(Cursor::new(text.as_bytes())).unwrap();
    assert_eq!(parsed.invalid[&name("a")].line, 100_001);
    assert_eq!(parsed.warnings[0].line, 400_002);
}

#[test]
fn a_metric_line_longer_than_a_block_is_invalid() {
    let text = format!("METRIC a=1 {}\nMETRIC a=2\n", "ms ".repeat(100_000));
    let parsed = parse(Cursor::new(text.as_bytes())).unwrap();
    assert_eq!(parsed.invalid[&name("a")].why, "the line is too long");
    assert_eq!(parsed.samples[&name("a")].values, [2.0]);
}

#[test]
fn long_invariants_are_compared_by_all_of_their_text() {
    let lines = |text: &str| parse(Cursor::new(text.as_bytes())).unwrap().invariants.into_lines();
    for length in [5_000, 300_000, 600_000] {
        let (one, two) =
            (format!("INVARIANT a={}1", "x".repeat(length)), format!("INVARIANT a={}2", "x".repeat(length)));
        assert_eq!(lines(&one), lines(&format!("{one}\r\n")), "{length}");
        assert_ne!(lines(&one), lines(&two), "{length}");
        assert!(lines(&one)[0].len() < 5_000);
    }
    let many = |last: &str| lines(&format!("{}INVARIANT a={last}\n", "INVARIANT a=1\n".repeat(1_000)));
    assert_eq!(many("1").len(), 257);
    assert_ne!(many("1"), many("2"));
    let bytes =
        |byte: u8| parse(Cursor::new([b"INVARIANT a=".as_slice(), &[byte]].concat())).unwrap().invariants.into_lines();
    assert_ne!(bytes(0xfe), bytes(0xff), "bytes that are no text differ too");
}

#[test]
fn names_and_warnings_are_bounded_and_counted() {
    let names: Vec<_> = (0..5_000).map(|i| format!("METRIC n{i}=1")).collect();
    let parsed = parse(Cursor::new(names.join("\n").as_bytes())).unwrap();
    assert_eq!(parsed.samples.len(), 4_096);
    assert_eq!((parsed.warned, parsed.warnings.len()), (904, 32));
}

/// A bench that fails where its script says so.
struct Script<'a> {
    script: &'a [(Arm, bool)],
    at: usize,
}

impl Bench for Script<'_> {
    type Error = std::convert::Infallible;

    fn run(&mut self, arm: Arm) -> Result<Result<Reading, BenchFailure>, Self::Error> {
        let (expected, fine) = self.script[self.at];
        assert_eq!(arm, expected, "run {}", self.at);
        self.at += 1;
        Ok(if fine {
            Ok(Reading { metrics: BTreeMap::new(), invariants: vec![arm.to_string()] })
        } else {
            Err(broken())
        })
    }
}

fn broken() -> BenchFailure {
    let exit = Exit { outcome: Outcome::Code(3), usage: Usage::default() };
    BenchFailure::of_exit(&exit).unwrap()
}

fn attempt(order: Order, script: &[(Arm, bool)]) -> PairAttempt {
    let mut bench = Script { script, at: 0 };
    let Ok(attempt) = run_pair(4, order, &mut bench);
    assert_eq!(bench.at, script.len(), "every run of the script was asked for");
    attempt
}

const B: Arm = Arm::Baseline;
const C: Arm = Arm::Candidate;

#[test]
fn a_pair_runs_both_arms_in_the_order_of_the_coin() {
    for (order, script) in
        [(Order::BaselineFirst, [(B, true), (C, true)]), (Order::CandidateFirst, [(C, true), (B, true)])]
    {
        let PairAttempt::Complete(pair) = attempt(order, &script) else { panic!("not complete") };
        assert_eq!((pair.number, pair.order), (4, order));
        assert_eq!(
            (pair.baseline.invariants[0].as_str(), pair.candidate.invariants[0].as_str()),
            ("baseline", "candidate")
        );
    }
}

#[test]
fn a_failed_baseline_voids_the_pair_and_runs_nothing_more() {
    for (order, script) in
        [(Order::BaselineFirst, &[(B, false)][..]), (Order::CandidateFirst, &[(C, true), (B, false)][..])]
    {
        let PairAttempt::Void(void) = attempt(order, script) else { panic!("not void") };
        assert_eq!((void.arm, void.why.as_str()), (B, "the bench ended by exit code 3"));
    }
}

#[test]
fn a_failed_candidate_is_blamed_only_when_the_baseline_runs_after_it() {
    let blamed = attempt(Order::BaselineFirst, &[(B, true), (C, false), (B, true)]);
    assert_eq!(blamed, PairAttempt::CandidateFailed(broken()));
    let both = attempt(Order::CandidateFirst, &[(C, false), (B, false)]);
    let PairAttempt::Void(void) = both else { panic!("not void") };
    assert_eq!(void.arm, C);
    assert!(void.why.contains("the baseline failed too"), "{}", void.why);
}

use NextPair::{BaselineBroken, GoOn, TryAgain};

#[test]
fn three_void_attempts_in_a_row_break_the_baseline() {
    let void = PairAttempt::Void(VoidPair { arm: B, why: String::new(), exit: None });
    let failed = PairAttempt::CandidateFailed(broken());
    let mut count = VoidCount::default();
    let steps: Vec<_> = [&void, &void, &failed, &void, &void, &void].iter().map(|a| count.record(a)).collect();
    assert_eq!(steps, [TryAgain, TryAgain, GoOn, TryAgain, TryAgain, BaselineBroken]);
}

#[test]
fn only_a_complete_attempt_is_journalled_as_a_pair_that_counts() {
    let complete = attempt(Order::BaselineFirst, &[(B, true), (C, true)]);
    assert!(complete.to_event(4, Order::BaselineFirst).complete().is_some());
    let failed = PairAttempt::CandidateFailed(broken()).to_event(4, Order::BaselineFirst);
    assert_eq!(failed.complete(), None);
    assert_eq!(failed.void.unwrap().arm, C);
}

#[test]
fn an_attempt_across_a_suspension_is_void_whatever_came_of_it_and_breaks_no_baseline() {
    let ends = [
        attempt(Order::BaselineFirst, &[(B, true), (C, true)]),
        attempt(Order::BaselineFirst, &[(B, true), (C, false), (B, true)]),
        attempt(Order::BaselineFirst, &[(B, false)]),
    ];
    let mut count = VoidCount::default();
    for end in ends {
        assert_eq!(end.clone().unless_suspended(None), end);
        let void = end.unless_suspended(Some((C, 3600.2)));
        assert_eq!(count.record(&void), TryAgain);
        let event = void.to_event(4, Order::BaselineFirst);
        assert_eq!(
            (event.complete(), event.void.unwrap().why.as_str()),
            (None, "the machine was suspended for 3600 s")
        );
    }
}

#[test]
fn each_end_of_a_bench_has_its_reason() {
    let reason = |outcome| BenchFailure::of_exit(&Exit { outcome, usage: Usage::default() }).map(|f| f.reason);
    assert_eq!(reason(Outcome::Code(0)), None);
    assert_eq!(reason(Outcome::Code(1)), Some(Reason::BenchFailed));
    assert_eq!(reason(Outcome::Signal(9)), Some(Reason::BenchFailed));
    assert_eq!(reason(Outcome::TimedOut), Some(Reason::BenchTimeout));
    assert_eq!(reason(Outcome::LimitBroken(crate::domain::LimitKind::Output)), Some(Reason::ResourceLimit));
}

fn calibrated(metrics: &[(&str, &str, f64)], parts: &[&str]) -> Calibrated {
    let metric = |&(metric, role, median): &(&str, &str, f64)| MetricCalibration {
        metric: name(metric),
        role: role.to_owned(),
        lines: 1,
        median,
        ring: vec![0.0; 4],
        ring_abs: Vec::new(),
        s: 0.0,
        threshold: 0.0,
        bias: 0.0,
        bias_se: 0.0,
        resolves: None,
    };
    Calibrated {
        commit: crate::domain::ObjectId::new("0".repeat(40)).unwrap(),
        pairs: 4,
        metrics: metrics.iter().map(metric).collect(),
        parts: parts.iter().map(|part| (name(part), 1)).collect(),
        limits: BTreeMap::new(),
        run_s: 1.0,
        build_s: 0.0,
        checks_s: None,
        epoch: None,
        holdout: None,
    }
}

fn primary_plan(primary: &str, patterns: &[&str]) -> MetricPlan {
    let mut settings = settings(patterns);
    settings.primary.name = name(primary);
    MetricPlan::new(&settings).unwrap()
}

const SUITE: &str = "METRIC q.a=2\nMETRIC q.b=8\nMETRIC other=5\n";

#[test]
fn a_geometric_mean_is_a_metric_of_each_run_whose_parts_may_be_sentinels() {
    let first = primary_plan("geomean(q.*)", &["q.a"]);
    let run = read(SUITE, &first);
    assert!((run.outcome.unwrap().metrics[&name("geomean(q.*)")] - 4.0).abs() < 1e-12);
    let fixed = first.fixed_by(&run.lines);
    let roles: Vec<_> = fixed.metrics().map(|(name, role)| (name.to_string(), role.to_owned())).collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(roles, [pair("q.a", "q.a"), pair("geomean(q.*)", "primary")]);
}

#[test]
fn the_names_of_a_suite_are_those_of_the_calibration() {
    let plan = primary_plan("geomean(q.*)", &[]);
    let restored = plan.restored(&calibrated(&[("geomean(q.*)", "primary", 4.0)], &["q.a", "q.b"]));
    let run = read("METRIC q.a=2\nMETRIC q.b=8\nMETRIC q.new=1000\n", &restored);
    assert!((run.outcome.unwrap().metrics[&name("geomean(q.*)")] - 4.0).abs() < 1e-12, "a new name does not count");
    assert!(failure("METRIC q.a=2\n", &restored).contains("METRIC q.b="));
    assert!(failure("METRIC q.a=2\nMETRIC q.b=8\nMETRIC q.b=8\n", &restored).contains("2 lines"));
    assert!(failure("METRIC q.a=2\nMETRIC q.b=0\n", &restored).contains("not above zero"));
    assert!(failure("METRIC q.a=2\nMETRIC q.b=NaN\n", &restored).contains("q.b"));
    assert!(failure("METRIC other=5\n", &plan).contains("geomean(q.*)"));
}

#[test]
fn the_worst_of_a_suite_gives_its_role_to_every_metric_and_is_told_as_a_ratio_to_the_calibration() {
    let first = primary_plan("worst(q.*)", &[]);
    let run = read(SUITE, &first);
    assert!(!run.outcome.unwrap().metrics.contains_key(&name("worst(q.*)")), "nothing to compare with yet");
    let roles = first.fixed_by(&run.lines);
    assert_eq!(
        roles.metrics().map(|(name, role)| format!("{name} {role}")).collect::<Vec<_>>(),
        ["q.a primary", "q.b primary"]
    );
    let restored = first.restored(&calibrated(&[("q.a", "primary", 4.0), ("q.b", "primary", 10.0)], &[]));
    let value = read(SUITE, &restored).outcome.unwrap().metrics[&name("worst(q.*)")];
    assert!((value - 0.8).abs() < 1e-12, "{value}");
}

#[test]
fn the_worst_of_a_suite_as_a_sentinel_is_its_glob() {
    let plan = plan(&["worst(q.*)"]);
    let run = read("METRIC total_ms=1\nMETRIC q.a=2\nMETRIC q.b=8\n", &plan);
    let fixed = plan.fixed_by(&run.lines);
    let roles: Vec<_> = fixed.metrics().map(|(name, role)| format!("{name} {role}")).collect();
    assert_eq!(roles, ["q.a worst(q.*)", "q.b worst(q.*)", "total_ms primary"]);
}

#[test]
fn a_co_primary_has_a_role_of_its_own_before_any_glob() {
    let mut settings = settings(&["*"]);
    settings.co_primaries = vec![crate::domain::Objective { name: name("commits"), ..settings.primary.clone() }];
    let plan = MetricPlan::new(&settings).unwrap();
    let run = read("METRIC total_ms=1\nMETRIC commits=2\nMETRIC other=8\n", &plan);
    let fixed = plan.fixed_by(&run.lines);
    let roles: Vec<_> = fixed.metrics().map(|(name, role)| format!("{name} {role}")).collect();
    assert_eq!(roles, ["commits coPrimary[0]", "other *", "total_ms primary"]);
}
