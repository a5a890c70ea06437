//! The starting set of a Go module.

use std::fmt::Write as _;

use super::plan::{BuildPlan, CheckScript, Plan, PreparePlan, Workload};
use super::proposal::StarterError;
use super::scripts;
use super::tree::Tree;

/// Packages whose test programs are built for the bench; more make a run too long to be repeated.
const MAX_PACKAGES: usize = 8;
/// Where the build leaves the test programs and Go's build cache; Go ignores folders with a leading dot.
const MADE: &str = ".autoresearch-build";
const CACHE: &str = "export GOCACHE=\"$PWD/.autoresearch-build/cache\"";

/// Proposes prepare, build, bench and checks.
pub(super) fn plan(tree: &Tree) -> Result<Plan, StarterError> {
    let benchmarks = packages(&tree.containing("_test.go", &["\nfunc Benchmark"])?);
    let tests = packages(&tree.containing("_test.go", &["\nfunc Test"])?);
    let (chosen, workload) = if benchmarks.is_empty() {
        (tests.clone(), test_script as fn(&[String]) -> Workload)
    } else {
        (benchmarks, bench_script as fn(&[String]) -> Workload)
    };
    let measured = &chosen[..chosen.len().min(MAX_PACKAGES)];
    let mut notes = Vec::new();
    if chosen.len() > measured.len() {
        notes.push(format!(
            "bench.sh measures {MAX_PACKAGES} of {} packages; choose yours in build.command and bench.sh.",
            chosen.len()
        ));
    }
    Ok(Plan {
        folder: "",
        prepare: prepare(tree)?,
        build: Some(build(measured)),
        workload: workload(measured),
        checks: if tests.is_empty() { Vec::new() } else { vec![test_check()] },
        harness: Vec::new(),
        protect: if tests.is_empty() && chosen.is_empty() { Vec::new() } else { vec!["**/*_test.go".to_owned()] },
        notes,
    })
}

/// Returns the folders of these files, each once.
fn packages(files: &[&str]) -> Vec<String> {
    let mut folders: Vec<String> =
        files.iter().map(|file| file.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned()).collect();
    folders.dedup();
    folders
}

fn prepare(tree: &Tree) -> Result<Option<PreparePlan>, StarterError> {
    let vendored = tree.full("vendor/modules.txt").exists();
    if vendored || !tree.text("go.mod")?.contains("require") {
        return Ok(None);
    }
    let sums = if tree.has("go.sum") { "go.sum" } else { "go.mod" };
    Ok(Some(PreparePlan { command: "go mod download".to_owned(), rerun_when: vec![sums.to_owned()], copy: Vec::new() }))
}

/// Returns the name of a package's test program.
fn program(package: &str) -> String {
    format!("{}.test", if package == "." { "root".to_owned() } else { package.replace('/', "_") })
}

/// Compiles the test programs, so that the bench compiles and links nothing.
///
/// Paths and version control facts are kept out of the programs: they differ between the arms and mean nothing.
fn build(packages: &[String]) -> BuildPlan {
    let mut commands = vec![
        format!("mkdir -p {MADE}"),
        CACHE.to_owned(),
        "go build -trimpath -buildvcs=false -o /dev/null ./...".to_owned(),
    ];
    for package in packages {
        let path = if package == "." { ".".to_owned() } else { format!("./{package}") };
        commands.push(format!("go test -c -trimpath -o {MADE}/{} {path}", program(package)));
    }
    BuildPlan { command: commands.join(" && "), keep: vec![format!("{MADE}/")] }
}

fn bench_script(packages: &[String]) -> Workload {
    let mut lines = format!(
        r#"programs="$PWD/{MADE}"
bench() {{ # package folder, test program
  (cd "$1" && "$programs/$2" -test.run='^$' -test.bench=. -test.benchtime=200ms -test.count=1) > "$out/raw"
  cat "$out/raw"
  LC_ALL=C awk -v package="$1" '/^Benchmark/ {{
    name = $1; sub(/-[0-9]+$/, "", name)
    if (package != ".") name = package "/" name
    for (i = 2; i < NF; i++) if ($(i + 1) == "ns/op") printf "%s\t%s\n", name, $i
  }}' "$out/raw" >> "$out/values"
}}
: > "$out/values"
"#
    );
    for package in packages {
        let _ = writeln!(lines, "bench '{package}' '{}'", program(package));
    }
    scripts::framework("Go", &lines)
}

fn test_script(packages: &[String]) -> Workload {
    if packages.is_empty() {
        return scripts::unknown(
            "For example: build a program with \"go build -o .autoresearch-build/x ./cmd/x\" and run it here.",
        );
    }
    let mut setup = format!(
        "programs=\"$PWD/{MADE}\"\ntests() {{ # package folder, test program\n  \
         (cd \"$1\" && \"$programs/$2\" -test.v -test.count=1)\n}}\nall() {{\n"
    );
    let calls: Vec<String> =
        packages.iter().map(|package| format!("  tests '{package}' '{}'", program(package))).collect();
    // Joined by `&&`, because a shell does not end a function at a failure where the caller asks for its result.
    setup += &calls.join(" &&\n");
    setup += "\n}\n";
    scripts::test_suite(&setup, "all", Some("/^ *--- PASS: / { n += 1 }"))
}

fn test_check() -> CheckScript {
    CheckScript {
        name: "10-tests",
        why: "The test suite; -count=1 runs it anew also when Go remembers a result.".to_owned(),
        body: format!("mkdir -p {MADE}\n{CACHE}\ngo test -count=1 ./..."),
    }
}
