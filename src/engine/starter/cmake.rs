//! The starting set of a `CMake` project.

use super::plan::{BuildPlan, CheckScript, Plan, PreparePlan, Workload};
use super::proposal::StarterError;
use super::scripts;
use super::tree::Tree;

const MADE: &str = ".autoresearch-build";
/// Beside the build folder, because that one is emptied when a keep is rebuilt from nothing.
const FETCHED: &str = ".autoresearch-deps";

/// Proposes prepare, build, bench and checks.
pub(super) fn plan(tree: &Tree) -> Result<Plan, StarterError> {
    let mut lists = String::new();
    for file in tree.files().filter(|file| *file == "CMakeLists.txt" || file.ends_with("/CMakeLists.txt")) {
        lists += &tree.text(file)?;
        lists.push('\n');
    }
    let fetches = lists.contains("FetchContent");
    let has_tests = ["add_test(", "gtest_discover_tests(", "catch_discover_tests(", "include(CTest)"]
        .iter()
        .any(|call| lists.contains(call));
    let mut notes = vec!["The build uses 4 jobs; change --parallel in build.command to fit the machine.".to_owned()];
    if lists.contains("ExternalProject") {
        notes.push(
            "ExternalProject downloads while it builds, which a build may not: fetch in prepare.command.".to_owned(),
        );
    }
    Ok(Plan {
        folder: "",
        prepare: fetches.then(|| PreparePlan {
            command: configure(""),
            rerun_when: vec!["CMakeLists.txt".to_owned()],
            copy: Vec::new(),
        }),
        build: Some(BuildPlan {
            command: format!(
                "{} && cmake --build {MADE} --parallel 4",
                configure(if fetches { " -DFETCHCONTENT_FULLY_DISCONNECTED=ON" } else { "" })
            ),
            keep: vec![format!("{MADE}/")],
        }),
        workload: workload(&lists, has_tests),
        checks: if has_tests { vec![check()] } else { Vec::new() },
        harness: Vec::new(),
        protect: ["test", "tests", "bench", "benchmark", "benchmarks"]
            .iter()
            .filter(|folder| tree.has_folder(folder))
            .map(|folder| format!("{folder}/**"))
            .collect(),
        notes,
    })
}

fn configure(more: &str) -> String {
    format!(
        "cmake -S . -B {MADE} -DCMAKE_BUILD_TYPE=Release -DCMAKE_RUNTIME_OUTPUT_DIRECTORY=\"$PWD/{MADE}/bin\" \
         -DFETCHCONTENT_BASE_DIR=\"$PWD/{FETCHED}\"{more}"
    )
}

fn check() -> CheckScript {
    CheckScript {
        name: "10-tests",
        why: "The test suite.".to_owned(),
        body: format!("ctest --test-dir {MADE} --output-on-failure --no-tests=error"),
    }
}

fn workload(lists: &str, has_tests: bool) -> Workload {
    match bench_target(lists) {
        Some(target) if lists.contains("benchmark::benchmark") => {
            scripts::framework("Google Benchmark", &google_benchmark(&target))
        }
        Some(target) => scripts::program(&target, "", &format!("{MADE}/bin/{target}")),
        None if has_tests => scripts::test_suite(
            "",
            &format!("ctest --test-dir {MADE} --no-tests=error"),
            Some("/tests passed/ { n += $NF }"),
        ),
        None => scripts::unknown(&format!("For example: {MADE}/bin/your-program some-input > /dev/null")),
    }
}

/// Finds the first executable whose name says that it measures something.
fn bench_target(lists: &str) -> Option<String> {
    let names = lists
        .split("add_executable(")
        .skip(1)
        .filter_map(|rest| rest.trim_start().split(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).next());
    names.into_iter().find(|name| name.contains("bench") || name.contains("perf")).map(str::to_owned)
}

fn google_benchmark(target: &str) -> String {
    format!(
        r#"{MADE}/bin/{target} --benchmark_color=false > "$out/raw"
cat "$out/raw"
# name   12.3 ns   12.1 ns   57000   (wall time, CPU time, iterations)
LC_ALL=C awk '
  function ns(unit) {{ return unit == "ns" ? 1 : unit == "us" ? 1e3 : unit == "ms" ? 1e6 : unit == "s" ? 1e9 : 0 }}
  ns($3) && ns($5) {{ printf "%s\t%.9g\n", $1, $4 * ns($5) }}
' "$out/raw" > "$out/values"
"#
    )
}
