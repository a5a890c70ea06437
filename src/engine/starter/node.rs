//! The starting set of a package.json project.

use serde_json::Value;

use super::detect::Ecosystem;
use super::plan::{BuildPlan, CheckScript, Plan, PreparePlan, Workload, WorkloadSource};
use super::proposal::StarterError;
use super::scripts;
use super::tree::Tree;

/// Script names under which projects keep their benchmark.
const BENCH_SCRIPTS: [&str; 4] = ["bench", "benchmark", "benchmarks", "perf"];
/// Benchmark libraries that run for a fixed time and print a table of their own.
const FIXED_TIME: [&str; 4] = ["tinybench", "mitata", "vitest bench", "benny"];
/// What `npm init` writes where there is no test.
const NO_TEST: &str = "no test specified";

/// A package.json as far as it matters here.
#[derive(Debug)]
struct Package {
    json: Value,
    /// `npm` or `pnpm`.
    manager: &'static str,
}

/// Proposes prepare, build, bench and checks.
pub(super) fn plan(tree: &Tree, ecosystem: Ecosystem) -> Result<Plan, StarterError> {
    let json = serde_json::from_str(&tree.text("package.json")?)
        .map_err(|source| StarterError::Manifest { path: tree.full("package.json"), source })?;
    let package = Package { json, manager: if ecosystem == Ecosystem::Pnpm { "pnpm" } else { "npm" } };
    let mut notes = Vec::new();
    let workload = package.workload(&mut notes);
    Ok(Plan {
        folder: "",
        prepare: package.prepare(tree, &mut notes)?,
        build: package
            .script("build")
            .map(|_| BuildPlan { command: format!("{} run build", package.manager), keep: Vec::new() }),
        harness: package.harness(tree, &workload),
        workload,
        checks: package.checks(),
        protect: protect(tree),
        notes,
    })
}

impl Package {
    fn script(&self, name: &str) -> Option<&str> {
        self.json.get("scripts")?.get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }

    fn test(&self) -> Option<&str> {
        self.script("test").filter(|text| !text.contains(NO_TEST))
    }

    fn bench(&self) -> Option<(&'static str, &str)> {
        BENCH_SCRIPTS.iter().find_map(|name| Some((*name, self.script(name)?)))
    }

    fn depends_on(&self, name: &str) -> bool {
        ["dependencies", "devDependencies"]
            .iter()
            .any(|kind| self.json.get(kind).is_some_and(|d| d.get(name).is_some()))
    }

    fn has_dependencies(&self) -> bool {
        let filled = |kind: &&str| self.json.get(kind).and_then(Value::as_object).is_some_and(|d| !d.is_empty());
        ["dependencies", "devDependencies", "optionalDependencies"].iter().any(filled)
            || self.json.get("workspaces").is_some()
    }

    fn prepare(&self, tree: &Tree, notes: &mut Vec<String>) -> Result<Option<PreparePlan>, StarterError> {
        let lock = tree.first_of(&["pnpm-lock.yaml", "package-lock.json", "npm-shrinkwrap.json"]);
        if lock.is_none() && !self.has_dependencies() {
            return Ok(None);
        }
        if let Some(other) = tree.first_of(&["yarn.lock", "bun.lock", "bun.lockb"]).filter(|_| lock.is_none()) {
            notes.push(format!(
                "{other} was found: let prepare.command install from it (yarn install --frozen-lockfile, bun install)."
            ));
        }
        let command = match lock {
            Some("pnpm-lock.yaml") => "pnpm install --frozen-lockfile",
            Some(_) => "npm ci --no-audit --no-fund",
            None => "npm install --no-package-lock --no-audit --no-fund",
        };
        let copied = match lock {
            Some(lock) if tree.is_ignored(lock)? => vec![lock.to_owned()],
            Some(_) | None => Vec::new(),
        };
        Ok(Some(PreparePlan {
            command: command.to_owned(),
            rerun_when: vec![lock.unwrap_or("package.json").to_owned()],
            copy: copied,
        }))
    }

    fn workload(&self, notes: &mut Vec<String>) -> Workload {
        // The command itself, not `npm run`: its start costs more CPU time than many benchmarks.
        let path = "export PATH=\"$PWD/node_modules/.bin:$PATH\"\n";
        if let Some((name, command)) = self.bench() {
            if self.depends_on("benchmark") {
                return scripts::framework("benchmark.js", &benchmark_js(path, command));
            }
            let fixed = FIXED_TIME.iter().find(|lib| self.depends_on(lib) || command.contains(*lib));
            let Some(library) = fixed else {
                return scripts::program(&format!("the package's \"{name}\" script"), path, command);
            };
            notes.push(format!(
                "\"{name}\" uses {library}, which runs for a fixed time: make it print METRIC lines and call it in bench.sh."
            ));
        }
        match self.test() {
            Some(test) => scripts::test_suite(path, &grouped(test), None),
            None => scripts::unknown("For example: node benchmarks/parse.js"),
        }
    }

    /// Seals the files that the bench runs; the words of bench.sh itself are not read for that.
    fn harness(&self, tree: &Tree, workload: &Workload) -> Vec<String> {
        match (&workload.source, self.bench()) {
            (WorkloadSource::Program(_) | WorkloadSource::Framework(_), Some((_, command))) => command
                .split_whitespace()
                .map(|word| word.trim_start_matches("./"))
                .filter(|word| tree.has(word))
                .map(str::to_owned)
                .collect(),
            (WorkloadSource::Program(_) | WorkloadSource::Framework(_), None)
            | (WorkloadSource::TestSuite | WorkloadSource::Unknown, _) => Vec::new(),
        }
    }

    fn checks(&self) -> Vec<CheckScript> {
        let manager = self.manager;
        let mut checks = Vec::new();
        if self.test().is_some() {
            checks.push(CheckScript {
                name: "10-tests",
                why: "The package's test script.".to_owned(),
                body: format!("CI=true {manager} test"),
            });
        }
        if let Some(name) = ["typecheck", "type-check"].into_iter().find(|name| self.script(name).is_some()) {
            checks.push(CheckScript {
                name: "20-types",
                why: "The package's type check.".to_owned(),
                body: format!("{manager} run {name}"),
            });
        }
        checks
    }
}

/// Makes one command of a script that may be several, so that the shell sees one result.
fn grouped(command: &str) -> String {
    format!("sh -ec '{}'", command.replace('\'', r"'\''"))
}

fn benchmark_js(path: &str, command: &str) -> String {
    format!(
        r#"{path}{command} > "$out/raw"
cat "$out/raw"
# name x 1,234,567 ops/sec ±0.99% (59 runs sampled)
LC_ALL=C awk '/ ops\/sec/ {{
  name = $0; sub(/ x [0-9.,]+ ops\/sec.*/, "", name)
  for (i = 2; i <= NF; i++) if ($i == "ops/sec") {{ rate = $(i - 1); gsub(/,/, "", rate) }}
  printf "%s\t%.9g\n", name, (rate > 0 ? 1e9 / rate : 0)
}}' "$out/raw" > "$out/values"
"#
    )
}

fn protect(tree: &Tree) -> Vec<String> {
    let mut globs: Vec<String> =
        ["test", "tests"].iter().filter(|name| tree.has_folder(name)).map(|name| format!("{name}/**")).collect();
    for (part, glob) in [("__tests__/", "**/__tests__/**"), (".test.", "**/*.test.*"), (".spec.", "**/*.spec.*")] {
        if tree.files().any(|file| file.contains(part)) {
            globs.push(glob.to_owned());
        }
    }
    globs
}
