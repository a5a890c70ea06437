//! The starting set of a Python project, with uv or with pip in a virtual environment.

use super::detect::Ecosystem;
use super::plan::{CheckScript, Plan, PreparePlan, Workload};
use super::proposal::StarterError;
use super::scripts;
use super::toml_lines::{has_section, toml_lines};
use super::tree::{Tree, has_ending};

const PYTHON: &str = ".venv/bin/python";
/// String hashes are random by default, and with them the order of sets: one more source of noise.
const SETUP: &str = "export PYTHONHASHSEED=0\n";
/// Files that may name the test runner.
const TEST_SETTINGS: [&str; 9] = [
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    "requirements.txt",
    "requirements-dev.txt",
    "dev-requirements.txt",
    "requirements-test.txt",
    "uv.lock",
];
/// A folder in which setuptools looks for no packages when it has to find them by itself.
const HIDDEN_FROM_SETUPTOOLS: &str = "tools/autoresearch/";
/// What tells a package with compiled parts.
const COMPILED: [&str; 6] = ["maturin", "ext_modules", "scikit-build", "mesonpy", "cython", "Cython"];
/// Folders in which people keep benchmarks.
const BENCH_FOLDERS: [&str; 4] = ["", "bench/", "benchmarks/", "benchmark/"];

/// What is known of the project.
#[derive(Debug)]
struct Project<'a> {
    tree: &'a Tree,
    pyproject: String,
    /// All of [`TEST_SETTINGS`] together.
    settings: String,
    uses_uv: bool,
    /// Whether setup.py or setup.cfg list the packages.
    names_packages: bool,
}

/// Proposes prepare, bench and checks; a pure Python package needs no build.
pub(super) fn plan(tree: &Tree, ecosystem: Ecosystem) -> Result<Plan, StarterError> {
    let mut settings = String::new();
    for file in TEST_SETTINGS {
        settings += &tree.text(file)?;
    }
    let pyproject = tree.text("pyproject.toml")?;
    let names_packages = (tree.text("setup.py")? + &tree.text("setup.cfg")?).contains("packages");
    let project = Project { tree, pyproject, settings, uses_uv: ecosystem == Ecosystem::Uv, names_packages };
    let workload = project.workload();
    let mut notes = Vec::new();
    if COMPILED.iter().any(|word| project.settings.contains(word)) {
        notes.push(format!(
            "The package seems to have compiled parts: add a build, for example {PYTHON} -m pip install --no-deps \
             --no-build-isolation -e . (with the build tools installed in prepare)."
        ));
    }
    if project.discovers_packages() {
        notes.push(format!(
            "setuptools looks for packages in every folder of the root, so checks and candidates are in {HIDDEN_FROM_SETUPTOOLS}."
        ));
    }
    Ok(Plan {
        folder: if project.discovers_packages() { HIDDEN_FROM_SETUPTOOLS } else { "" },
        prepare: Some(project.prepare()?),
        build: None,
        harness: workload.source.program().map(str::to_owned).into_iter().collect(),
        workload,
        checks: project.checks(),
        protect: project.protect(),
        notes,
    })
}

impl Project<'_> {
    fn prepare(&self) -> Result<PreparePlan, StarterError> {
        if self.uses_uv {
            let ignored = self.tree.is_ignored("uv.lock")?;
            return Ok(PreparePlan {
                command: format!("uv sync --frozen{}", self.test_extras()),
                rerun_when: vec!["uv.lock".to_owned()],
                copy: if ignored { vec!["uv.lock".to_owned()] } else { Vec::new() },
            });
        }
        let files: Vec<&str> = TEST_SETTINGS.iter().copied().filter(|file| self.is_list(file)).collect();
        let mut words: Vec<String> = files.iter().map(|file| format!("-r {file}")).collect();
        if self.tree.has("setup.py")
            || has_section(&self.pyproject, "project")
            || has_section(&self.pyproject, "tool.poetry")
        {
            words.push(format!("-e \".{}\"", self.pip_extras()));
        }
        if self.runs_pytest() {
            words.push("pytest".to_owned());
        }
        let make = "python3 -m venv .venv";
        let command = if words.is_empty() {
            make.to_owned()
        } else {
            format!("{make} && {PYTHON} -m pip install --disable-pip-version-check {}", words.join(" "))
        };
        let mut rerun_when: Vec<String> = files.into_iter().map(str::to_owned).collect();
        let manifests = ["pyproject.toml", "setup.py", "setup.cfg"];
        rerun_when.extend(manifests.iter().filter(|file| self.tree.has(file)).map(ToString::to_string));
        Ok(PreparePlan { command, rerun_when, copy: Vec::new() })
    }

    /// Says whether setuptools finds the packages by itself, in the root: a second folder there makes it give up.
    fn discovers_packages(&self) -> bool {
        let by_setuptools = if has_section(&self.pyproject, "build-system") {
            self.pyproject.contains("setuptools")
        } else {
            !self.uses_uv && has_section(&self.pyproject, "project")
        };
        let listed = toml_lines(&self.pyproject).iter().any(|line| {
            line.section.starts_with("tool.setuptools.packages")
                || line.section == "tool.setuptools" && (line.key.starts_with("packages") || line.key == "py-modules")
        });
        by_setuptools && !listed && !self.names_packages && !self.tree.has_folder("src")
    }

    fn is_list(&self, file: &str) -> bool {
        has_ending(file, "txt") && self.tree.has(file)
    }

    /// Names the optional dependencies that tests are likely to need.
    fn extras(&self) -> Vec<String> {
        let wanted = ["test", "tests", "testing", "dev"];
        toml_lines(&self.pyproject)
            .into_iter()
            .filter(|line| line.section == "project.optional-dependencies" && wanted.contains(&line.key.as_str()))
            .map(|line| line.key)
            .collect()
    }

    fn pip_extras(&self) -> String {
        let extras = self.extras();
        if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) }
    }

    fn test_extras(&self) -> String {
        let groups = toml_lines(&self.pyproject)
            .into_iter()
            .filter(|line| {
                line.section == "dependency-groups" && ["test", "tests", "testing"].contains(&line.key.as_str())
            })
            .map(|line| format!(" --group {}", line.key));
        self.extras().into_iter().map(|extra| format!(" --extra {extra}")).chain(groups).collect()
    }

    /// Says whether pytest can be had: pip installs it, uv only what its lock file names.
    fn runs_pytest(&self) -> bool {
        if self.uses_uv { self.settings.contains("name = \"pytest\"") } else { self.has_tests() }
    }

    fn has_tests(&self) -> bool {
        self.tree.files().any(is_test_file)
    }

    fn test_command(&self) -> String {
        if self.runs_pytest() {
            format!("{PYTHON} -m pytest -q -p no:cacheprovider")
        } else {
            format!("{PYTHON} -m unittest discover")
        }
    }

    fn workload(&self) -> Workload {
        if self.runs_pytest() && self.settings.contains("pytest-benchmark") {
            scripts::framework("pytest-benchmark", &pytest_benchmark())
        } else if let Some(file) = self.bench_file() {
            scripts::program(file, SETUP, &format!("{PYTHON} '{file}'"))
        } else if self.has_tests() {
            let count = if self.runs_pytest() {
                "/ passed/ { for (i = 2; i <= NF; i++) if ($i ~ /^passed/) n += $(i - 1) }"
            } else {
                "/^Ran [0-9]+ tests?/ { n += $2 }"
            };
            scripts::test_suite(SETUP, &self.test_command(), Some(count))
        } else {
            scripts::unknown(&format!("For example: PYTHONHASHSEED=0 {PYTHON} benchmarks/parse.py"))
        }
    }

    /// Finds a script whose name says that it measures something.
    fn bench_file(&self) -> Option<&str> {
        let is_bench = |path: &&str| {
            let (folder, name) =
                path.rsplit_once('/').map_or(("", *path), |(folder, name)| (&path[..=folder.len()], name));
            let named = name.starts_with("bench") || name.starts_with("perf") || name.ends_with("_bench.py");
            BENCH_FOLDERS.contains(&folder) && named && has_ending(name, "py")
        };
        self.tree.files().find(is_bench)
    }

    fn checks(&self) -> Vec<CheckScript> {
        if !self.has_tests() {
            return Vec::new();
        }
        let without = if self.settings.contains("pytest-benchmark") { " --benchmark-skip" } else { "" };
        vec![CheckScript {
            name: "10-tests",
            why: "The test suite.".to_owned(),
            body: format!("{}{without}", self.test_command()),
        }]
    }

    fn protect(&self) -> Vec<String> {
        let mut globs: Vec<String> = ["test", "tests"]
            .iter()
            .filter(|name| self.tree.has_folder(name))
            .map(|name| format!("{name}/**"))
            .collect();
        if self.tree.files().any(|file| is_test_file(file) && !file.starts_with("test/") && !file.starts_with("tests/"))
        {
            globs.extend(["**/test_*.py".to_owned(), "**/*_test.py".to_owned()]);
        }
        globs
    }
}

fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with("_test.py") || (name.starts_with("test_") && has_ending(name, "py"))
}

fn pytest_benchmark() -> String {
    format!(
        r#"{SETUP}{PYTHON} -m pytest -q -p no:cacheprovider --benchmark-only --benchmark-json="$out/results.json"
{PYTHON} - "$out/results.json" > "$out/values" <<'PY'
import json, sys
for bench in json.load(open(sys.argv[1]))["benchmarks"]:
    print(bench["fullname"].replace("\t", " "), bench["stats"]["median"] * 1e9, sep="\t")
PY
"#
    )
}
