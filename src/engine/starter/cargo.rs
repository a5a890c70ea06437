//! The starting set of a Cargo project.

use std::fmt::Write as _;

use super::plan::{BuildPlan, CheckScript, Plan, PreparePlan, Workload};
use super::proposal::StarterError;
use super::scripts;
use super::toml_lines::{TomlLine, has_section, toml_lines};
use super::tree::Tree;

/// A `[[bench]]` target that brings its own harness.
#[derive(Debug)]
struct CriterionBench {
    /// Package, where it is not the root's.
    package: Option<String>,
    /// Folder of the package with a trailing `/`, empty for the root.
    folder: String,
    name: String,
}

#[derive(Debug)]
struct Project {
    /// `--offline`, `--locked` where a lock file is at hand, `--workspace` where there is one; with leading blanks.
    flags: String,
    prepare: Option<PreparePlan>,
    benches: Vec<CriterionBench>,
    has_tests: bool,
}

/// Proposes prepare, build, bench and checks.
pub(super) fn plan(tree: &Tree) -> Result<Plan, StarterError> {
    let project = Project::read(tree)?;
    let workload = workload(tree, &project);
    let build = build(&project, &workload);
    let checks = if project.has_tests {
        vec![CheckScript {
            name: "10-tests",
            why: "The test suite, optimised like the measured program.".to_owned(),
            body: format!("cargo test --release{}", project.flags),
        }]
    } else {
        Vec::new()
    };
    let mut notes = Vec::new();
    if project.benches.is_empty() && tree.files().any(|file| file.contains("benches/")) {
        notes.push(
            "benches/ was found, but no criterion benchmark in it; make bench.sh run it and print METRIC lines."
                .to_owned(),
        );
    }
    Ok(Plan {
        folder: "",
        prepare: project.prepare,
        build: Some(build),
        harness: harness(&project.benches, &workload),
        workload,
        checks,
        protect: protect(tree),
        notes,
    })
}

impl Project {
    fn read(tree: &Tree) -> Result<Self, StarterError> {
        let manifest = tree.text("Cargo.toml")?;
        let lock = tree.has("Cargo.lock");
        let mut flags = String::from(if lock { " --locked --offline" } else { " --offline" });
        if has_section(&manifest, "workspace") {
            flags.insert_str(0, " --workspace");
        }
        let has_tests = !tree.containing(".rs", &["#[test]", "::test]", "::test("])?.is_empty();
        Ok(Self { flags, prepare: prepare(tree, lock)?, benches: criterion_benches(tree)?, has_tests })
    }
}

/// Fetches what the lock file names, where it names anything outside the repository.
fn prepare(tree: &Tree, lock: bool) -> Result<Option<PreparePlan>, StarterError> {
    let needs = if lock { tree.text("Cargo.lock")?.contains("source = \"") } else { any_dependency(tree)? };
    let vendored = ["", ".toml"].iter().any(|end| {
        std::fs::read_to_string(tree.full(&format!(".cargo/config{end}"))).is_ok_and(|text| text.contains("vendored"))
    });
    if !needs || vendored {
        return Ok(None);
    }
    let ignored = lock && tree.is_ignored("Cargo.lock")?;
    Ok(Some(PreparePlan {
        command: if lock { "cargo fetch --locked" } else { "cargo fetch" }.to_owned(),
        rerun_when: vec![if lock { "Cargo.lock" } else { "Cargo.toml" }.to_owned()],
        copy: if ignored { vec!["Cargo.lock".to_owned()] } else { Vec::new() },
    }))
}

fn any_dependency(tree: &Tree) -> Result<bool, StarterError> {
    for manifest in manifests(tree) {
        let lines = toml_lines(&tree.text(manifest)?);
        if lines.iter().any(|line| line.section.contains("dependencies") && !line.value.contains("path =")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn manifests(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.files().filter(|file| *file == "Cargo.toml" || file.ends_with("/Cargo.toml"))
}

/// Finds the benches of every package that depends on criterion and switches the built-in harness off for them.
fn criterion_benches(tree: &Tree) -> Result<Vec<CriterionBench>, StarterError> {
    let mut found = Vec::new();
    for manifest in manifests(tree) {
        let lines = toml_lines(&tree.text(manifest)?);
        let uses = |line: &TomlLine| {
            line.section.ends_with("dependencies.criterion")
                || line.section.ends_with("dev-dependencies")
                    && (line.key == "criterion" || line.key == "criterion.workspace")
        };
        if !lines.iter().any(uses) {
            continue;
        }
        let folder = manifest.trim_end_matches("Cargo.toml").to_owned();
        let package = value(&lines, "package", "name").filter(|_| !folder.is_empty());
        let own = |line: &&TomlLine| line.section == "bench" && line.key == "harness" && line.value == "false";
        for harness in lines.iter().filter(own) {
            let name = lines.iter().find(|l| l.block == harness.block && l.key == "name");
            if let Some(name) = name {
                found.push(CriterionBench {
                    package: package.clone(),
                    folder: folder.clone(),
                    name: name.value.clone(),
                });
            }
        }
    }
    Ok(found)
}

fn value(lines: &[TomlLine], section: &str, key: &str) -> Option<String> {
    lines.iter().find(|line| line.section == section && line.key == key).map(|line| line.value.clone())
}

fn workload(tree: &Tree, project: &Project) -> Workload {
    let target = "\"${CARGO_TARGET_DIR:-target}\"/release";
    if !project.benches.is_empty() {
        criterion(project)
    } else if let Some(example) = named_like_a_bench(tree, "examples/") {
        scripts::program(&format!("examples/{example}.rs"), "", &format!("{target}/examples/{example}"))
    } else if let Some(bin) = named_like_a_bench(tree, "src/bin/") {
        scripts::program(&format!("src/bin/{bin}.rs"), "", &format!("{target}/{bin}"))
    } else if project.has_tests {
        // `--tests` leaves out the documentation tests, which would be compiled in the timed part.
        let command = format!("cargo test --release --tests{}", project.flags);
        scripts::test_suite("", &command, Some("/^test result: ok/ { n += $4 }"))
    } else {
        scripts::unknown("For example: \"${CARGO_TARGET_DIR:-target}\"/release/your-program some-input > /dev/null")
    }
}

fn criterion(project: &Project) -> Workload {
    let mut lines = String::from(
        "# A fresh folder in every run: what an earlier run measured can never be read as this one's.\n\
         export CRITERION_HOME=\"$out/criterion\"\n",
    );
    let flags = project.flags.replace(" --workspace", "");
    for bench in &project.benches {
        let package = bench.package.as_ref().map_or_else(String::new, |package| format!(" -p {package}"));
        let name = &bench.name;
        let _ = writeln!(
            lines,
            "cargo bench{flags}{package} --bench {name} -- --noplot --warm-up-time 0.3 --measurement-time 1"
        );
    }
    lines += r#"
find "$CRITERION_HOME" -path '*/new/estimates.json' > "$out/found"
LC_ALL=C sort "$out/found" > "$out/files"
while IFS= read -r file; do
  name=${file#"$CRITERION_HOME"/}
  median=$(sed -n 's/.*"median":{"confidence_interval":{[^}]*},"point_estimate":\([0-9.eE+-]*\).*/\1/p' "$file")
  printf '%s\t%s\n' "${name%/new/estimates.json}" "$median"
done < "$out/files" > "$out/values"
"#;
    scripts::framework("criterion", &lines)
}

/// Finds a program whose file name says that it measures something.
fn named_like_a_bench(tree: &Tree, folder: &str) -> Option<String> {
    tree.files()
        .filter_map(|file| file.strip_prefix(folder)?.strip_suffix(".rs"))
        .find(|stem| !stem.contains('/') && (stem.contains("bench") || stem.contains("perf")))
        .map(str::to_owned)
}

/// Compiles all that bench and checks run, so that neither compiles anything itself.
fn build(project: &Project, workload: &Workload) -> BuildPlan {
    let flags = &project.flags;
    let runs_example = workload.source.program().is_some_and(|name| name.starts_with("examples/"));
    let mut commands =
        vec![format!("cargo build --release{}{flags}", if runs_example { " --bins --examples" } else { "" })];
    if project.has_tests {
        commands.push(format!("cargo test --release --no-run{flags}"));
    }
    if !project.benches.is_empty() {
        commands.push(format!("cargo bench --no-run{flags}"));
    }
    BuildPlan { command: commands.join(" && "), keep: vec!["target/".to_owned()] }
}

fn harness(benches: &[CriterionBench], workload: &Workload) -> Vec<String> {
    let mut globs: Vec<String> = benches.iter().map(|bench| format!("{}benches/**", bench.folder)).collect();
    globs.dedup();
    globs.extend(workload.source.program().map(str::to_owned));
    globs
}

fn protect(tree: &Tree) -> Vec<String> {
    let mut globs = Vec::new();
    if tree.has_folder("tests") {
        globs.push("tests/**".to_owned());
    }
    if tree.files().any(|file| file.contains("/tests/")) {
        globs.push("**/tests/**".to_owned());
    }
    globs
}
