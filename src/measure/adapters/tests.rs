//! Each tool's real output, kept in `tests/fixtures/benches`, and what becomes of it.
//!
//! All of it was printed by the tools themselves (go 1.19, criterion 0.8, Google Benchmark 1.7, pytest-benchmark 5.3,
//! hyperfine 1.15, divan 0.1.21, GNU time 1.9, bash), but that of JMH: see there.

use std::path::PathBuf;

use super::*;
use crate::measure::{Line, parse_line};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/benches").join(name)
}

/// Reads a fixture and returns its METRIC lines without the word; each is read back as the bench parser does.
fn lines(tool: Tool, name: &str) -> Result<Vec<String>, AdapterError> {
    let samples = samples(tool, &open(tool, &fixture(name)).unwrap(), "")?;
    for sample in &samples {
        let line = sample.line();
        let expected = Line::Metric { name: sample.name.as_str(), value: sample.value };
        assert_eq!(parse_line(line.as_bytes()), expected);
    }
    Ok(samples.iter().map(|sample| sample.line().replacen("METRIC ", "", 1)).collect())
}

#[track_caller]
fn expect(tool: Tool, name: &str, expected: &[&str]) {
    let lines = lines(tool, name).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(lines, expected, "{name}: {lines:#?}");
}

#[track_caller]
fn refuses(tool: Tool, name: &str, part: &str) {
    let error = lines(tool, name).unwrap_err().to_string();
    assert!(error.contains(part), "{name}: {error}");
}

#[test]
fn gobench() {
    let text = lines(Tool::Gobench, "gobench.txt").unwrap();
    assert_eq!(text[..4], ["Fib20_ns=61.1", "Fib20_ns=23", "Sum/n_16_ns=130.1", "Sum/n_16_bytes_per_s=122980000"]);
    assert!(text.contains(&"Sum/n_1024_allocs=0".to_owned()) && text.contains(&"Sum/n_1024_bytes=102".to_owned()));
    assert!(text.contains(&"Alloc_items_per_op=100".to_owned()), "{text:#?}");
    assert_eq!(text[text.len() - 2..], ["sub/Fib20_ns=25.1", "sub/Fib20_ns=24"]);
    let json = ["Fib20_ns=21", "Sum/n_16_ns=98.1", "Sum/n_16_bytes_per_s=163100000"];
    assert_eq!(lines(Tool::Gobench, "gobench.jsonl").unwrap()[..3], json);
    refuses(Tool::Gobench, "gobench_fail.txt", "nothing is measured: --- FAIL: BenchmarkBad");
    refuses(Tool::Gobench, "gobench_fail.jsonl", "--- FAIL: BenchmarkBad");
}

#[test]
fn a_go_benchmark_that_prints_into_its_own_line_or_does_not_build_is_refused() {
    let read = |text: &str| samples(Tool::Gobench, &[Input { from: "stdin".into(), text: text.into() }], "");
    let torn = "BenchmarkA-8   \tloading\n      10\t        21.00 ns/op\n";
    assert!(read(torn).unwrap_err().to_string().contains("printed something between its name"));
    assert!(matches!(read("BenchmarkA-8 1 2 ns/op\nFAIL\tpkg [build failed]\n"), Err(AdapterError::Failed { .. })));
    assert!(matches!(read("BenchmarkA-8 1 2 ns/op\npanic: oh\n"), Err(AdapterError::Failed { .. })));
    assert!(matches!(read("BenchmarkA-8 1 x ns/op\n"), Err(AdapterError::Line { .. })));
    let both = read("BenchmarkA 10 2.0 ns/op\nBenchmarkA-2 10 3.0 ns/op\n").unwrap();
    assert_eq!(both.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["A_ns", "A-2_ns"]);
}

#[test]
fn criterion() {
    let read = lines(Tool::Criterion, "criterion.txt").unwrap();
    let names = |lines: &[String]| lines.iter().map(|l| l.split('=').next().unwrap().to_owned()).collect::<Vec<_>>();
    let expected = [
        "fib_20_ns",
        "sum/of_bytes/iter/16_ns",
        "sum/of_bytes/iter/16_bytes_per_s",
        "sum/of_bytes/iter/1024_ns",
        "sum/of_bytes/iter/1024_bytes_per_s",
    ];
    assert_eq!(names(&read), expected);
    assert_eq!([&*read[0], &*read[3]], ["fib_20_ns=3.1859", "sum/of_bytes/iter/1024_ns=136.23"]);
    let rate: f64 = read[2].split('=').nth(1).unwrap().parse().unwrap();
    assert!((rate / (5.5629 * 1024.0_f64.powi(3)) - 1.0).abs() < 1e-9, "{rate}");
    let folder = lines(Tool::Criterion, "criterion").unwrap();
    assert_eq!(names(&folder), ["fib_20_ns", "sum/of_bytes/iter/1024_ns", "sum/of_bytes/iter/16_ns"]);
    assert!(folder[0].starts_with("fib_20_ns=3.0"), "{folder:?}");
    refuses(Tool::Criterion, "criterion_fail.txt", "panicked at");
}

#[test]
fn a_long_name_of_criterion_stands_on_a_line_of_its_own_and_changes_are_no_times() {
    let text = "a long name that fills the line\n                        time:   [1.0000 ms 2.0000 ms 3.0000 ms]\n\
                \x20                       thrpt:  [1.0 Melem/s 2.0 Melem/s 3.0 Melem/s]\n\
                \x20                change:\n                        time:   [-1.0% -0.5% +0.1%] (p = 0.02 < 0.05)\n\
                \x20                       thrpt:  [+0.1% +0.5% +1.0%]\n";
    let read = samples(Tool::Criterion, &[Input { from: "stdin".into(), text: text.into() }], "b.").unwrap();
    let lines: Vec<String> = read.iter().map(Sample::line).collect();
    let name = "b.a_long_name_that_fills_the_line";
    assert_eq!(lines, [format!("METRIC {name}_ns=2000000"), format!("METRIC {name}_elements_per_s=2000000")]);
}

#[test]
fn google_benchmark() {
    let table = lines(Tool::GoogleBenchmark, "google.txt").unwrap();
    assert_eq!(table[..4], ["Fib_ns=5.7", "Fib_cpu_ns=5.71", "Sum/16_ns=5", "Sum/16_cpu_ns=5"]);
    assert!(table.contains(&"Real/real_time/threads:2_cpu_ns=0.549".to_owned()), "{table:?}");
    assert!(table.contains(&"Rate/iterations:100_ns=8.71".to_owned()));
    let json = lines(Tool::GoogleBenchmark, "google.json").unwrap();
    assert_eq!(json[2..4], ["Sum/16_ns=4.61155179349", "Sum/16_cpu_ns=4.61168177937"]);
    assert_eq!(json[4..7], ["Sum/16_Foo=3.5", "Sum/16_bytes_per_s=13877800564.3", "Sum/16_items_per_s=3469450141.07"]);
    assert!(!json.iter().any(|line| line.contains("index") || line.contains("iterations=")), "{json:?}");
    refuses(Tool::GoogleBenchmark, "google_fail.txt", "ERROR OCCURRED: 'wrong answer'");
    refuses(Tool::GoogleBenchmark, "google_fail.json", "Bad: wrong answer");
}

#[test]
fn repetitions_are_samples_and_their_aggregates_are_not() {
    let count = |lines: &[String], start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    let table = lines(Tool::GoogleBenchmark, "google_repeated.txt").unwrap();
    assert_eq!((count(&table, "Fib_ns="), count(&table, "Fib_"), count(&table, "Sum/16_ns=")), (3, 6, 3));
    expect(
        Tool::GoogleBenchmark,
        "google_repeated.json",
        &["Fib_ns=5.6854765864", "Fib_cpu_ns=5.68612572947", "Fib_ns=5.76664105083", "Fib_cpu_ns=5.76748775531"],
    );
    let only = "x_mean 1.0 ns 2.0 ns 3\nx_median 4.0 ns 5.0 ns 3\nx_stddev 0.1 ns 0.1 ns 3\n";
    let read = samples(Tool::GoogleBenchmark, &[Input { from: "stdin".into(), text: only.into() }], "").unwrap();
    assert_eq!(read.iter().map(Sample::line).collect::<Vec<_>>(), ["METRIC x_ns=4", "METRIC x_cpu_ns=5"]);
}

#[test]
fn pytest_benchmark() {
    let table = [
        "test_named_two_words_ns=49.02",
        "test_named_a_b_ns=49.58",
        "test_sum_16_ns=150.73",
        "test_fib_ns=462.7",
        "test_sum_1024_ns=4867.0008",
        "test_slow_ns=2103982.0003",
    ];
    expect(Tool::PytestBenchmark, "pytest.txt", &table);
    let json = lines(Tool::PytestBenchmark, "pytest.json").unwrap();
    assert_eq!(json.len(), 6);
    assert_eq!(json[0], "test_fib_ns=462.699972559");
    refuses(Tool::PytestBenchmark, "pytest_fail.txt", "FAILED test_fail.py::test_bad");
    let summary = |line: &str| {
        let text = format!("Name (time in us)  Median\n-----\ntest_a  1.0 (1.0)\n-----\n{line}\n");
        samples(Tool::PytestBenchmark, &[Input { from: "stdin".into(), text }], "").map(|read| read[0].line())
    };
    assert_eq!(summary("==== 3 passed in 0.40s ====").unwrap(), "METRIC test_a_ns=1000");
    assert!(summary("1 failed, 3 passed in 0.40s").is_err() && summary("== 2 errors in 1.2s ==").is_err());
}

#[test]
fn hyperfine() {
    let text = ["sleep_0.01_ns=11500000", "sleep_0.01_user_ns=900000", "sleep_0.01_sys_ns=0", "true_ns=5000000"];
    assert_eq!(lines(Tool::Hyperfine, "hyperfine.txt").unwrap()[..4], text);
    let json = ["sleep_0.01_ns=11564230.5", "sleep_0.01_user_ns=880000", "sleep_0.01_sys_ns=0", "true_ns=4057045"];
    assert_eq!(lines(Tool::Hyperfine, "hyperfine.json").unwrap()[..4], json);
    refuses(Tool::Hyperfine, "hyperfine_fail.txt", "false: Error: Command terminated with non-zero exit code: 1");
    refuses(Tool::Hyperfine, "hyperfine_ignored.txt", "Ignoring non-zero exit code");
    refuses(Tool::Hyperfine, "hyperfine_fail.json", "'false' exited with");
}

#[test]
fn jmh() {
    let table = [
        "Lookup.get_n_8_ops_per_s=12345678.901",
        "Lookup.get_n_1024_ops_per_s=2345678.901",
        "Parse.whole_ns=1234",
        "Parse.whole_bytes=1048.008",
        "Start.once_ns=12500000",
    ];
    expect(Tool::Jmh, "jmh.txt", &table);
    let json = [
        "fast/Lookup.get_n_8_ns=2000",
        "fast/Lookup.get_n_8_ns=2250",
        "fast/Lookup.get_n_8_ns=2750",
        "fast/Lookup.get_n_8_ns=3000",
        "fast/Lookup.get_n_8_bytes=24",
        "fast/Lookup.get_n_8_bytes=24",
        "fast/Lookup.get_n_8_bytes=24",
        "fast/Lookup.get_n_8_bytes=24",
        "Parse.whole_ops_per_s=3500",
    ];
    expect(Tool::Jmh, "jmh.json", &json);
    refuses(Tool::Jmh, "jmh_fail.txt", "<failure>");
}

#[test]
fn divan() {
    let tree = [
        "fib_20_ns=3.815",
        "sum.16_ns=3.503",
        "sum.16_bytes_per_s=4567000000",
        "sum.1024_ns=138",
        "sum.1024_bytes_per_s=7418000000",
        "alloc.slow_thing_ns=1070000",
        "alloc.default.Vec_u32_ns=37.08",
        "alloc.default.Vec_u32_max_allocs=1",
        "alloc.default.Vec_u32_max_bytes=2400",
        "alloc.default.Vec_u32_allocs=1",
        "alloc.default.Vec_u32_bytes=2400",
        "alloc.default.u8_ns=16.83",
        "alloc.default.u8_max_allocs=1",
        "alloc.default.u8_max_bytes=100",
        "alloc.default.u8_allocs=1",
        "alloc.default.u8_bytes=100",
    ];
    expect(Tool::Divan, "divan.txt", &tree);
    refuses(Tool::Divan, "divan_fail.txt", "breaks off at 'fib_20'");
    let whole = std::fs::read_to_string(fixture("divan.txt")).unwrap();
    let half: String = whole.lines().take(3).map(|line| line.to_owned() + "\n").collect();
    for text in [half, whole.lines().take(2).map(|line| line.to_owned() + "\n").collect()] {
        let read = samples(Tool::Divan, &[Input { from: "stdin".into(), text }], "");
        assert!(matches!(read, Err(AdapterError::BreaksOff { .. })), "{read:?}");
    }
    let two = samples(
        Tool::Divan,
        &[Input { from: "stdin".into(), text: whole.clone() + &whole.replace("div ", "vid ") }],
        "",
    );
    assert_eq!(two.unwrap()[16].line(), "METRIC vid/fib_20_ns=3.815");
}

#[test]
fn time() {
    let gnu = ["wall_ns=0", "user_ns=0", "sys_ns=0", "max_rss_bytes=1052672"];
    expect(Tool::Time, "time.txt", &gnu);
    expect(Tool::Time, "time_v.txt", &["user_ns=0", "sys_ns=0", "wall_ns=10000000", "max_rss_bytes=1507328"]);
    expect(Tool::Time, "time_p.txt", &["wall_ns=10000000", "user_ns=0", "sys_ns=0"]);
    let twice = ["wall_ns=14000000", "user_ns=1000000", "sys_ns=0", "wall_ns=26000000", "user_ns=1000000", "sys_ns=0"];
    expect(Tool::Time, "time_bash2.txt", &twice);
    refuses(Tool::Time, "time_fail.txt", "exited with non-zero status 1");
    refuses(Tool::Time, "time_v_fail.txt", "exited with non-zero status 1");
    let read = |text: &str| samples(Tool::Time, &[Input { from: "stdin".into(), text: text.into() }], "").unwrap();
    assert_eq!(read("real\t1m2,500s\n")[0].line(), "METRIC wall_ns=62500000000");
    assert_eq!(read("        0.25 real         0.10 user         0.05 sys\n")[1].line(), "METRIC user_ns=100000000");
    assert_eq!(
        read("1.00user 0.50system 1:02:03elapsed 9%CPU (0avgtext+0avgdata 8maxresident)k\n")[0].line(),
        "METRIC wall_ns=3723000000000"
    );
}

#[test]
fn an_input_without_a_benchmark_says_what_was_expected() {
    let tools = [
        (Tool::Gobench, "BenchmarkName-8"),
        (Tool::Criterion, "CRITERION_HOME"),
        (Tool::GoogleBenchmark, "--benchmark_format=json"),
        (Tool::PytestBenchmark, "--benchmark-json FILE"),
        (Tool::Hyperfine, "--export-json FILE"),
        (Tool::Jmh, "-rf json"),
        (Tool::Divan, "fastest, slowest, median"),
        (Tool::Time, "real 0m0.014s"),
    ];
    for (tool, part) in tools {
        for text in ["", "nothing of the kind\nBenchmarking is fun\n"] {
            let input = Input { from: "standard input".into(), text: text.into() };
            let error = samples(tool, &[input], "").unwrap_err().to_string();
            assert!(error.starts_with("no benchmark in standard input; expected ") && error.contains(part), "{error}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(open(Tool::Criterion, folder.path()).unwrap().is_empty());
    assert!(samples(Tool::Criterion, &[], "").unwrap_err().to_string().contains("an empty folder"));
    assert!(matches!(open(Tool::Jmh, folder.path()), Err(AdapterError::Folder { .. })));
    assert!(matches!(open(Tool::Jmh, &folder.path().join("none")), Err(AdapterError::Io { .. })));
}

#[test]
fn colours_and_other_json_do_not_matter_and_are_told() {
    let coloured = "\u{1b}[32mBenchmarkA-2\u{1b}[0m  10  2.5 ns/op\r\n";
    let read = samples(Tool::Gobench, &[Input { from: "stdin".into(), text: coloured.into() }], "").unwrap();
    assert_eq!(read[0].line(), "METRIC A_ns=2.5");
    for tool in [Tool::Hyperfine, Tool::PytestBenchmark, Tool::GoogleBenchmark, Tool::Jmh] {
        let read = samples(tool, &[Input { from: "x.json".into(), text: "{\"other\": 1}".into() }], "");
        assert!(matches!(read, Err(AdapterError::Json { .. })), "{tool:?}");
    }
}
