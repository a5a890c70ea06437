//! Starting sets for small made-up checkouts: what is proposed, what the scripts do, and what is never overwritten.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{Ecosystem, Starter, StarterError, StarterFile, propose, write};
use crate::engine::habits::{self, HabitKind};
use crate::process::{Tool, ToolOutput};

const RUST_TEST: &str = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {}\n}\n";
const GO_TEST: &str = "package x\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n";
const GO_BENCH: &str = "package x\n\nimport \"testing\"\n\nfunc BenchmarkA(b *testing.B) {}\n";

fn checkout(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(dir.path(), path, text);
    }
    dir
}

fn put(root: &Path, path: &str, text: &str) {
    let full = root.join(path);
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    fs::write(full, text).unwrap();
}

/// Writes a program by a process of its own: a file that this one holds open could not be run ("text file busy").
fn put_program(root: &Path, path: &str, text: &str) {
    let full = root.join(path);
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    let script = "cat > \"$1\" && chmod 755 \"$1\"";
    let out = Tool::new("sh", root).args(["-c", script, "sh"]).arg(full).stdin(text).run().unwrap();
    assert_eq!(out.code, 0, "{}", out.stderr);
}

fn starter(files: &[(&str, &str)]) -> Starter {
    let dir = checkout(files);
    let starter = propose(dir.path(), "demo").unwrap();
    is_sound(&starter);
    starter
}

fn text<'a>(starter: &'a Starter, path: &str) -> &'a str {
    &starter.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

fn config(starter: &Starter) -> Value {
    serde_json::from_str(text(starter, "autoresearch.config.json")).unwrap()
}

fn command(starter: &Starter, part: &str) -> String {
    config(starter)[part]["command"].as_str().unwrap_or_default().to_owned()
}

/// Checks what every starting set must keep: known config keys, the parts, scripts that parse, honest benches.
fn is_sound(starter: &Starter) {
    let config = config(starter);
    let known = ["name", "prepare", "build", "bench", "metrics", "checks", "harness", "scope", "candidates"];
    assert!(config.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{config}");
    assert_eq!(config["bench"]["command"], "./bench.sh");
    assert_eq!(config["metrics"]["sentinels"][0]["name"], "auto.max_rss_bytes");
    assert_eq!(config["metrics"]["sentinels"][0]["tolerance"], 0.1);
    let folder = config["checks"]["dir"].as_str().unwrap().strip_suffix("checks").unwrap();
    assert_eq!(config["candidates"][0]["patches"], format!("{folder}candidates"));
    if !config["prepare"].is_null() {
        assert_eq!(config["prepare"]["network"], true);
    }
    for path in ["bench.sh", "ideas.md", &format!("{folder}candidates/README.md")] {
        assert!(!text(starter, path).is_empty());
    }
    let checks = format!("{folder}checks/");
    assert!(starter.files.iter().any(|file| file.path.starts_with(&checks) && file.executable));
    for file in &starter.files {
        assert_eq!(file.executable, file.text.starts_with("#!/bin/sh\n"), "{}", file.path);
        if file.executable {
            parses(file);
        }
    }
    for habit in habits::inspect(text(starter, "bench.sh")) {
        assert_eq!(habit.kind, HabitKind::TimedTests, "{habit}\n{}", text(starter, "bench.sh"));
    }
    assert!(starter.next.iter().any(|step| step.starts_with("autoresearch doctor")));
    assert!(starter.explanations.iter().all(|line| !line.contains('\n') && line.len() > 10));
}

fn parses(file: &StarterFile) {
    let out = Tool::new("sh", Path::new("/")).args(["-n", "-s"]).stdin(file.text.as_str()).run().unwrap();
    assert_eq!(out.code, 0, "{}: {}\n{}", file.path, out.stderr, file.text);
}

/// Runs the proposed bench in the checkout, with `fake/` in front of the search path.
fn run_bench(root: &Path, starter: &Starter) -> ToolOutput {
    put_program(root, "bench.sh", text(starter, "bench.sh"));
    let path = format!("{}:{}", root.join("fake").display(), std::env::var("PATH").unwrap());
    Tool::new(root.join("bench.sh"), root).env("PATH", path).run().unwrap()
}

fn stdout(out: &ToolOutput) -> String {
    assert_eq!(out.code, 0, "{}", out.stderr);
    String::from_utf8(out.stdout.clone()).unwrap()
}

const LOCK: &str = "[[package]]\nname = \"serde\"\nsource = \"registry+https://example\"\n";

#[test]
fn a_cargo_project_with_tests_fetches_builds_and_times_its_tests() {
    let starter =
        starter(&[("Cargo.toml", "[package]\nname = \"a\"\n"), ("Cargo.lock", LOCK), ("src/lib.rs", RUST_TEST)]);
    assert_eq!(starter.ecosystem, Ecosystem::Cargo);
    assert_eq!(command(&starter, "prepare"), "cargo fetch --locked");
    assert_eq!(config(&starter)["prepare"]["rerunWhen"], serde_json::json!(["Cargo.lock"]));
    assert_eq!(
        command(&starter, "build"),
        "cargo build --release --locked --offline && cargo test --release --no-run --locked --offline"
    );
    assert_eq!(config(&starter)["build"]["keep"], serde_json::json!(["target/"]));
    assert_eq!(config(&starter)["metrics"]["primary"]["name"], "auto.cpu_s");
    assert!(text(&starter, "checks/10-tests").contains("\ncargo test --release --locked --offline\n"));
    assert!(text(&starter, "bench.sh").contains("REPLACE THIS"));
    assert!(starter.next[0].contains("replace the workload"), "{:?}", starter.next);
}

#[test]
fn a_cargo_project_without_dependencies_needs_no_network() {
    let starter = starter(&[("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\n"), ("src/lib.rs", RUST_TEST)]);
    assert!(config(&starter)["prepare"].is_null());
    assert!(!command(&starter, "build").contains("--locked"));
}

#[test]
fn an_ignored_lock_file_is_copied_into_the_slots() {
    let starter = starter(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\n"),
        ("Cargo.lock", LOCK),
        (".gitignore", "/target\n/Cargo.lock\n"),
        ("src/lib.rs", RUST_TEST),
    ]);
    assert_eq!(config(&starter)["prepare"]["copy"], serde_json::json!(["Cargo.lock"]));
}

#[test]
fn criterion_benchmarks_are_found_in_members_of_a_workspace() {
    let starter = starter(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("Cargo.lock", LOCK),
        (
            "crates/core/Cargo.toml",
            "[package]\nname = \"my-core\"\n[dev-dependencies]\ncriterion = \"0.5\"\n[[bench]]\nname = \"parse\"\nharness = false\n",
        ),
        ("crates/core/benches/parse.rs", "fn main() {}\n"),
        ("crates/core/tests/all.rs", RUST_TEST),
    ]);
    assert!(text(&starter, "bench.sh").contains("cargo bench --locked --offline -p my-core --bench parse -- "));
    assert!(command(&starter, "build").ends_with("&& cargo bench --no-run --workspace --locked --offline"));
    assert_eq!(config(&starter)["metrics"]["primary"]["name"], "geomean_ns");
    assert_eq!(config(&starter)["harness"], serde_json::json!(["crates/core/benches/**"]));
    assert_eq!(config(&starter)["scope"]["protect"], serde_json::json!(["**/tests/**"]));
}

fn criterion_checkout() -> TempDir {
    checkout(&[
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\n[dev-dependencies.criterion]\nversion = \"0.5\"\n[[bench]]\nname = \"parse\"\nharness = false\n",
        ),
        ("benches/parse.rs", "fn main() {}\n"),
    ])
}

#[test]
fn criterion_estimates_become_metrics_and_a_geometric_mean() {
    let dir = criterion_checkout();
    let starter = propose(dir.path(), "demo").unwrap();
    put_program(
        dir.path(),
        "fake/cargo",
        r#"#!/bin/sh
for pair in "fib 20:100.0" "group/small:400.0"; do
  mkdir -p "$CRITERION_HOME/${pair%:*}/new" "$CRITERION_HOME/${pair%:*}/base"
  printf '{"mean":{"confidence_interval":{"confidence_level":0.95,"lower_bound":1.0,"upper_bound":2.0},"point_estimate":7.0,"standard_error":1.0},"median":{"confidence_interval":{"confidence_level":0.95,"lower_bound":1.0,"upper_bound":2.0},"point_estimate":%s,"standard_error":1.0},"slope":null}' "${pair#*:}" > "$CRITERION_HOME/${pair%:*}/new/estimates.json"
  cp "$CRITERION_HOME/${pair%:*}/new/estimates.json" "$CRITERION_HOME/${pair%:*}/base/"
done
"#,
    );
    let out = run_bench(dir.path(), &starter);
    assert_eq!(stdout(&out), "METRIC bench.fib_20_ns=100\nMETRIC bench.group/small_ns=400\nMETRIC geomean_ns=200\n");
}

#[test]
fn a_criterion_run_that_measures_nothing_fails() {
    let dir = criterion_checkout();
    let starter = propose(dir.path(), "demo").unwrap();
    put_program(dir.path(), "fake/cargo", "#!/bin/sh\nmkdir -p \"$CRITERION_HOME\"\n");
    let out = run_bench(dir.path(), &starter);
    assert_eq!((out.code, out.stderr.as_str()), (1, "bench.sh: no benchmark ran\n"));
    put_program(dir.path(), "fake/cargo", "#!/bin/sh\nexit 101\n");
    assert_eq!(run_bench(dir.path(), &starter).code, 101);
}

#[test]
fn a_rust_program_named_after_measuring_is_the_workload() {
    let starter = starter(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("Cargo.lock", "version = 4\n"),
        ("src/lib.rs", RUST_TEST),
        ("examples/bench_import.rs", "fn main() {}\n"),
    ]);
    assert!(text(&starter, "bench.sh").ends_with("\"${CARGO_TARGET_DIR:-target}\"/release/examples/bench_import\n"));
    assert!(command(&starter, "build").starts_with("cargo build --release --bins --examples --locked"));
    assert_eq!(config(&starter)["harness"], serde_json::json!(["examples/bench_import.rs"]));
}

#[test]
fn the_test_suite_bench_counts_tests_and_fails_without_any() {
    let dir = checkout(&[("Cargo.toml", "[package]\nname = \"a\"\n"), ("src/lib.rs", RUST_TEST)]);
    let starter = propose(dir.path(), "demo").unwrap();
    put_program(
        dir.path(),
        "fake/cargo",
        "#!/bin/sh\necho 'test result: ok. 12 passed; 0 failed'\necho 'test result: ok. 3 passed; 0 failed'\n",
    );
    assert_eq!(stdout(&run_bench(dir.path(), &starter)), "INVARIANT tests_passed=15\n");
    put_program(dir.path(), "fake/cargo", "#!/bin/sh\necho 'test result: ok. 0 passed; 0 failed'\n");
    assert_eq!(run_bench(dir.path(), &starter).code, 1);
    put_program(dir.path(), "fake/cargo", "#!/bin/sh\necho 'test x ... FAILED'\nexit 101\n");
    let out = run_bench(dir.path(), &starter);
    assert_eq!((out.code, out.stderr.as_str()), (1, "test x ... FAILED\n"));
}

#[test]
fn go_benchmarks_are_compiled_by_the_build_and_parsed() {
    let files = [
        ("go.mod", "module x\nrequire y v1\n"),
        ("go.sum", "y v1\n"),
        ("x_test.go", GO_BENCH),
        ("in/y_test.go", GO_BENCH),
    ];
    let dir = checkout(&files);
    let starter = starter(&files);
    assert_eq!(starter.ecosystem, Ecosystem::Go);
    assert_eq!(command(&starter, "prepare"), "go mod download");
    assert!(command(&starter, "build").contains(" && go test -c -trimpath -o .autoresearch-build/in.test ./in"));
    assert_eq!(config(&starter)["scope"]["protect"], serde_json::json!(["**/*_test.go"]));
    put_program(
        dir.path(),
        ".autoresearch-build/root.test",
        "#!/bin/sh\necho 'BenchmarkA/n=1-8   \t 100\t 20.5 ns/op\t 3 B/op'\necho PASS\n",
    );
    put_program(dir.path(), ".autoresearch-build/in.test", "#!/bin/sh\npwd\necho 'BenchmarkB-8 100 1e3 ns/op'\n");
    let out = stdout(&run_bench(dir.path(), &starter));
    assert!(out.contains("METRIC bench.BenchmarkA/n_1_ns=20.5\n"), "{out}");
    assert!(out.contains("METRIC bench.in/BenchmarkB_ns=1000\n") && out.contains("/in\n"), "{out}");
    assert!(out.contains("METRIC geomean_ns=143.178"), "{out}");
}

#[test]
fn go_tests_stand_in_where_there_is_no_benchmark() {
    let files = [("go.mod", "module x\n"), ("a/x_test.go", GO_TEST), ("b/x_test.go", GO_TEST)];
    let dir = checkout(&files);
    let starter = starter(&files);
    assert!(config(&starter)["prepare"].is_null());
    assert!(text(&starter, "checks/10-tests").contains("go test -count=1 ./..."));
    let pass = "#!/bin/sh\necho '--- PASS: TestA (0.00s)'\necho '    --- PASS: TestA/b (0.00s)'\n";
    put_program(dir.path(), ".autoresearch-build/a.test", pass);
    put_program(dir.path(), ".autoresearch-build/b.test", pass);
    assert_eq!(stdout(&run_bench(dir.path(), &starter)), "INVARIANT tests_passed=4\n");
    put_program(dir.path(), ".autoresearch-build/a.test", "#!/bin/sh\necho '--- FAIL: TestA'\nexit 1\n");
    assert_eq!(run_bench(dir.path(), &starter).code, 1, "a failure in the first package must not be lost");
}

#[test]
fn an_npm_bench_script_is_run_itself_and_its_file_is_sealed() {
    let starter = starter(&[
        (
            "package.json",
            r#"{"scripts": {"bench": "node ./bench/run.js", "build": "tsc", "test": "node --test", "typecheck": "tsc --noEmit"},
                "devDependencies": {"typescript": "5"}}"#,
        ),
        ("package-lock.json", "{}"),
        ("bench/run.js", "1"),
        ("src/a.test.ts", "1"),
    ]);
    assert_eq!(starter.ecosystem, Ecosystem::Npm);
    assert_eq!(command(&starter, "prepare"), "npm ci --no-audit --no-fund");
    assert_eq!(command(&starter, "build"), "npm run build");
    assert!(text(&starter, "bench.sh").ends_with("node ./bench/run.js\n"));
    assert_eq!(config(&starter)["harness"], serde_json::json!(["bench/run.js"]));
    assert_eq!(config(&starter)["scope"]["protect"], serde_json::json!(["**/*.test.*"]));
    assert!(text(&starter, "checks/10-tests").contains("npm test"));
    assert!(text(&starter, "checks/20-types").contains("npm run typecheck"));
}

#[test]
fn a_pnpm_bench_for_a_fixed_time_is_not_judged_by_its_cpu_time() {
    let starter = starter(&[
        (
            "package.json",
            r#"{"scripts": {"bench": "vitest bench", "test": "vitest run -t 'it''s'"}, "devDependencies": {"vitest": "1"}}"#,
        ),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
    ]);
    assert_eq!(starter.ecosystem, Ecosystem::Pnpm);
    assert_eq!(command(&starter, "prepare"), "pnpm install --frozen-lockfile");
    assert!(text(&starter, "bench.sh").contains("REPLACE THIS"));
    assert!(starter.explanations.iter().any(|line| line.contains("vitest bench")), "{:?}", starter.explanations);
}

#[test]
fn benchmark_js_rates_become_times() {
    let dir =
        checkout(&[("package.json", r#"{"scripts": {"bench": "cat lines"}, "devDependencies": {"benchmark": "2"}}"#)]);
    put(
        dir.path(),
        "lines",
        "RegExp#test x 4,000,000 ops/sec ±0.99% (59 runs sampled)\nmy x fn x 10.0 ops/sec ±1% (9 runs sampled)\n",
    );
    let starter = propose(dir.path(), "demo").unwrap();
    is_sound(&starter);
    let out = stdout(&run_bench(dir.path(), &starter));
    assert!(
        out.contains(
            "METRIC bench.RegExp_test_ns=250\nMETRIC bench.my_x_fn_ns=100000000\nMETRIC geomean_ns=158113.883\n"
        ),
        "{out}"
    );
}

#[test]
fn a_broken_package_json_is_named() {
    let dir = checkout(&[("package.json", "{")]);
    let error = propose(dir.path(), "demo").unwrap_err();
    assert!(matches!(error, StarterError::Manifest { .. }));
    assert!(error.to_string().contains("package.json"), "{error}");
}

#[test]
fn a_uv_project_syncs_its_lock_and_runs_pytest() {
    let starter = starter(&[
        ("pyproject.toml", "[project]\nname = \"a\"\n[project.optional-dependencies]\ntest = [\"pytest\"]\n"),
        ("uv.lock", "[[package]]\nname = \"pytest\"\n"),
        ("tests/test_a.py", "def test_a(): pass\n"),
    ]);
    assert_eq!(starter.ecosystem, Ecosystem::Uv);
    assert_eq!(command(&starter, "prepare"), "uv sync --frozen --extra test");
    assert!(config(&starter)["build"].is_null());
    assert!(text(&starter, "checks/10-tests").contains(".venv/bin/python -m pytest -q"));
    assert_eq!(config(&starter)["scope"]["protect"], serde_json::json!(["tests/**"]));
}

#[test]
fn a_pip_project_installs_itself_and_its_test_tools() {
    let dir = checkout(&[
        ("pyproject.toml", "[project]\nname = \"a\"\n[project.optional-dependencies]\ndev = []\n"),
        ("requirements-dev.txt", "x\n"),
        ("test_a.py", "def test_a(): pass\n"),
    ]);
    let starter = propose(dir.path(), "demo").unwrap();
    is_sound(&starter);
    assert_eq!(starter.ecosystem, Ecosystem::Pytest);
    assert_eq!(
        command(&starter, "prepare"),
        "python3 -m venv .venv && .venv/bin/python -m pip install --disable-pip-version-check -r requirements-dev.txt -e \".[dev]\" pytest"
    );
    put_program(dir.path(), ".venv/bin/python", "#!/bin/sh\necho '7 passed, 1 skipped in 0.03s'\n");
    assert_eq!(stdout(&run_bench(dir.path(), &starter)), "INVARIANT tests_passed=7\n");
    put_program(dir.path(), ".venv/bin/python", "#!/bin/sh\necho '==== 2 skipped, 41 passed in 0.03s ===='\n");
    assert_eq!(stdout(&run_bench(dir.path(), &starter)), "INVARIANT tests_passed=41\n");
}

#[test]
fn no_new_folder_confuses_setuptools_where_it_finds_packages_by_itself() {
    let with = |pyproject: &str, more: &str| {
        let starter = starter(&[("pyproject.toml", pyproject), ("p/__init__.py", ""), (more, "")]);
        config(&starter)["checks"]["dir"].as_str().unwrap().to_owned()
    };
    let plain = "[project]\nname = \"p\"\n";
    assert_eq!(with(plain, "test_a.py"), "tools/autoresearch/checks");
    assert_eq!(with(plain, "src/x.py"), "checks");
    assert_eq!(with(&format!("{plain}[tool.setuptools]\npackages = [\"p\"]\n"), "test_a.py"), "checks");
    assert_eq!(with(&format!("{plain}[build-system]\nrequires = [\"hatchling\"]\n"), "test_a.py"), "checks");
}

#[test]
fn python_benchmarks_are_preferred_to_tests() {
    let test = ("tests/test_a.py", "def test_a(benchmark): pass\n");
    let plugin = starter(&[("setup.py", ""), ("requirements.txt", "pytest-benchmark\n"), test]);
    assert!(text(&plugin, "bench.sh").contains("--benchmark-only"));
    assert!(text(&plugin, "checks/10-tests").contains("--benchmark-skip"));
    assert_eq!(config(&plugin)["metrics"]["primary"]["name"], "geomean_ns");
    let script = starter(&[("setup.py", ""), ("benchmarks/bench_parse.py", ""), test]);
    assert!(text(&script, "bench.sh").ends_with(".venv/bin/python 'benchmarks/bench_parse.py'\n"));
    assert_eq!(config(&script)["harness"], serde_json::json!(["benchmarks/bench_parse.py"]));
}

#[test]
fn a_bundler_project_keeps_its_gems_in_the_slot() {
    let starter = starter(&[
        ("Gemfile", "gem 'rspec'\n"),
        ("Gemfile.lock", "GEM\n"),
        ("spec/a_spec.rb", ""),
        ("benchmark/a_ips.rb", "require 'benchmark/ips'\n"),
        ("benchmark/b.rb", ""),
    ]);
    assert_eq!(starter.ecosystem, Ecosystem::Bundler);
    assert_eq!(command(&starter, "prepare"), "BUNDLE_PATH=\"$PWD/vendor/bundle\" BUNDLE_FROZEN=true bundle install");
    assert!(text(&starter, "bench.sh").contains("bundle exec ruby 'benchmark/b.rb'"));
    assert!(text(&starter, "checks/10-tests").contains("bundle exec rspec"));
    assert_eq!(config(&starter)["scope"]["protect"], serde_json::json!(["spec/**"]));
}

const CMAKE: &str = "add_executable( my_bench bench.cc)\ntarget_link_libraries(my_bench benchmark::benchmark)\nadd_test(NAME t)\nFetchContent_Declare(x)\n";

#[test]
fn a_cmake_project_configures_with_the_network_and_builds_without() {
    let dir = checkout(&[("CMakeLists.txt", CMAKE)]);
    let starter = propose(dir.path(), "demo").unwrap();
    is_sound(&starter);
    assert_eq!(starter.ecosystem, Ecosystem::CMake);
    assert!(command(&starter, "prepare").starts_with("cmake -S . -B .autoresearch-build"));
    assert!(
        command(&starter, "build")
            .contains("-DFETCHCONTENT_FULLY_DISCONNECTED=ON && cmake --build .autoresearch-build")
    );
    assert!(text(&starter, "checks/10-tests").contains("ctest --test-dir .autoresearch-build"));
    put_program(
        dir.path(),
        ".autoresearch-build/bin/my_bench",
        "#!/bin/sh\necho 'Benchmark   Time   CPU   Iterations'\necho 'BM_a/8   1.5 us   2.0 us   100'\necho 'BM_b   9 ns   8 ns   100'\n",
    );
    let out = stdout(&run_bench(dir.path(), &starter));
    assert!(
        out.ends_with("METRIC bench.BM_a/8_ns=2000\nMETRIC bench.BM_b_ns=8\nMETRIC geomean_ns=126.491106\n"),
        "{out}"
    );
}

#[test]
fn a_cmake_project_with_tests_only_counts_the_tests() {
    let dir = checkout(&[("CMakeLists.txt", "add_executable(app a.c)\nadd_test(NAME t)\n")]);
    let starter = propose(dir.path(), "demo").unwrap();
    is_sound(&starter);
    assert!(config(&starter)["prepare"].is_null());
    put_program(dir.path(), "fake/ctest", "#!/bin/sh\necho '100% tests passed, 0 tests failed out of 12'\n");
    assert_eq!(stdout(&run_bench(dir.path(), &starter)), "INVARIANT tests_passed=12\n");
}

#[test]
fn make_targets_decide_what_is_built_run_and_checked() {
    let starter =
        starter(&[("Makefile", "CC := gcc\n.PHONY: all\nall: a.o\n\tcc a.c\nbench check: all\n\t./a\n%.o: %.c\n")]);
    assert_eq!(starter.ecosystem, Ecosystem::Make);
    assert_eq!(command(&starter, "build"), "make all");
    assert!(text(&starter, "bench.sh").ends_with("make -s bench\n"));
    assert!(text(&starter, "checks/10-tests").ends_with("make check\n"));
}

#[test]
fn an_unknown_project_gets_scripts_that_fail_until_they_are_filled_in() {
    let dir = checkout(&[("main.zig", ""), ("rust/Cargo.toml", "[package]\n")]);
    let starter = propose(dir.path(), "demo").unwrap();
    is_sound(&starter);
    assert_eq!(starter.ecosystem, Ecosystem::Generic);
    let out = run_bench(dir.path(), &starter);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("bench.sh measures nothing yet"), "{}", out.stderr);
    put_program(dir.path(), "checks/10-correct", text(&starter, "checks/10-correct"));
    assert_eq!(Tool::new(dir.path().join("checks/10-correct"), dir.path()).run().unwrap().code, 1);
    assert!(
        starter.next[0].starts_with("Fill in bench.sh") && starter.next[1].starts_with("Fill in checks/10-correct")
    );
    assert!(starter.explanations.iter().any(|line| line.contains("rust/Cargo.toml")), "{:?}", starter.explanations);
}

#[test]
fn ideas_start_with_their_five_sections() {
    let starter = starter(&[]);
    let sections: Vec<&str> = text(&starter, "ideas.md").lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(sections, ["To try", "Tried", "Follow-up / human review", "Closed (do not retry)", "Settled decisions"]);
}

#[test]
fn a_chore_manifest_beside_the_project_is_only_mentioned() {
    let starter = starter(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("package.json", "{}"),
        ("Makefile", "all:\n"),
        ("src/lib.rs", RUST_TEST),
    ]);
    assert_eq!(starter.ecosystem, Ecosystem::Cargo);
    assert!(starter.explanations.iter().any(|line| line.starts_with("Also found: package.json, Makefile;")));
}

#[test]
fn a_folder_name_that_no_branch_may_have_is_cleaned() {
    let dir = checkout(&[]);
    for (name, expected) in [("my project..x", "my-project-x"), ("日本", "experiment"), ("a_b-1", "a_b-1")] {
        let starter = propose(dir.path(), name).unwrap();
        assert_eq!(config(&starter)["name"], expected);
        assert_eq!(starter.explanations.iter().any(|line| line.starts_with("name:")), name != expected);
    }
}

#[test]
fn a_missing_folder_is_an_error_with_its_path() {
    let dir = checkout(&[]);
    let error = propose(&dir.path().join("none"), "demo").unwrap_err();
    assert!(matches!(error, StarterError::Read { .. }) && error.to_string().contains("none"), "{error}");
}

#[test]
fn a_starting_set_is_written_whole_with_its_programs_executable() {
    let dir = checkout(&[("Makefile", "check:\n\ttrue\n")]);
    let starter = propose(dir.path(), "demo").unwrap();
    write(dir.path(), &starter).unwrap();
    for file in &starter.files {
        let full = dir.path().join(&file.path);
        assert_eq!(fs::read_to_string(&full).unwrap(), file.text);
        let mode = fs::metadata(&full).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if file.executable { 0o755 } else { 0o644 }, "{}", file.path);
    }
}

#[test]
fn a_second_init_names_every_file_in_the_way_and_changes_nothing() {
    let dir = checkout(&[("ideas.md", "mine\n"), ("checks", "a file, not a folder\n")]);
    std::os::unix::fs::symlink("nowhere", dir.path().join("bench.sh")).unwrap();
    let starter = propose(dir.path(), "demo").unwrap();
    let error = write(dir.path(), &starter).unwrap_err();
    let StarterError::Exists { paths } = &error else { panic!("{error}") };
    assert_eq!(paths, &["bench.sh", "checks", "ideas.md"]);
    let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["bench.sh", "checks", "ideas.md"]);
    assert_eq!(fs::read_to_string(dir.path().join("ideas.md")).unwrap(), "mine\n");
}

#[test]
fn a_write_that_fails_half_way_leaves_nothing_behind() {
    let dir = checkout(&[("mine/x", "x")]);
    let file = |path: &str| StarterFile {
        path: path.to_owned(),
        executable: false,
        text: "text\n".to_owned(),
        why: "a test".to_owned(),
    };
    // The third path goes through the second, which is a file by then.
    let files = vec![file("mine/a"), file("new/b"), file("new/b/c")];
    let starter = Starter { ecosystem: Ecosystem::Generic, files, explanations: Vec::new(), next: Vec::new() };
    let error = write(dir.path(), &starter).unwrap_err();
    assert!(matches!(error, StarterError::Write { .. }) && error.to_string().contains("new/b/c"), "{error}");
    assert!(!dir.path().join("new").exists());
    let left: Vec<_> = fs::read_dir(dir.path().join("mine")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["x"]);
}
