//! The starting set of a project with nothing but a Makefile.

use super::detect::MAKEFILES;
use super::plan::{BuildPlan, CheckScript, Plan, Workload};
use super::proposal::StarterError;
use super::scripts;
use super::tree::Tree;

/// Proposes build, bench and checks from the names of the targets.
pub(super) fn plan(tree: &Tree) -> Result<Plan, StarterError> {
    let file = tree.first_of(&MAKEFILES).unwrap_or("Makefile");
    let targets = targets(&tree.text(file)?);
    let pick = |names: &[&'static str]| names.iter().copied().find(|name| targets.iter().any(|t| t == name));
    let build = pick(&["all", "build"]).map_or_else(|| "make".to_owned(), |target| format!("make {target}"));
    let test = pick(&["check", "test", "tests"]);
    let bench = pick(&["bench", "benchmark", "perf"]);
    Ok(Plan {
        folder: "",
        prepare: None,
        build: Some(BuildPlan { command: build, keep: Vec::new() }),
        workload: workload(bench, test),
        checks: test.map(check).into_iter().collect(),
        harness: Vec::new(),
        protect: ["test", "tests"].iter().filter(|f| tree.has_folder(f)).map(|f| format!("{f}/**")).collect(),
        notes: notes(bench),
    })
}

/// Reads the plain targets: `name:` and `one two:`, neither `name := value` nor patterns nor `.PHONY`.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with(['\t', ' ', '#', '.'])) {
        let Some((names, rest)) = line.split_once(':') else { continue };
        if !rest.starts_with('=') && !rest.starts_with(":=") && !names.contains(['=', '$', '%']) {
            found.extend(names.split_whitespace().map(str::to_owned));
        }
    }
    found
}

fn notes(bench: Option<&str>) -> Vec<String> {
    let mut notes = vec![
        "Each build starts from nothing; name the folder of object files in build.keep to keep it warm.".to_owned(),
    ];
    if let Some(bench) = bench {
        notes.push(format!(
            "If \"make {bench}\" compiles anything, compile it in build.command too: compiling must not be timed."
        ));
    }
    notes
}

fn check(target: &str) -> CheckScript {
    CheckScript { name: "10-tests", why: "The test suite.".to_owned(), body: format!("make {target}") }
}

fn workload(bench: Option<&str>, test: Option<&str>) -> Workload {
    match (bench, test) {
        (Some(bench), _) => scripts::program(&format!("make {bench}"), "", &format!("make -s {bench}")),
        (None, Some(test)) => scripts::test_suite("", &format!("make -s {test}"), None),
        (None, None) => scripts::unknown("For example: ./your-program some-input > /dev/null"),
    }
}
