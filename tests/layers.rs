//! Imports go one way: every source file is held to the table of modules and to the owners of third-party crates.
//!
//! The fixtures in `layers/fixtures` have one planted violation each (the lines that end with `//~ <rule>`), so that a
//! checker that finds nothing fails here first.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own repository has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "layers/paths.rs"]
mod paths;
#[path = "layers/rules.rs"]
mod rules;

use rules::{DEVELOPMENT, OWNERS, TABLE, VOCABULARY, Violation};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the Rust files below a folder.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Returns the module that a file of `src` is.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|name| name == "mod") || module == ["lib"] || module == ["main"] {
        module.pop();
    }
    module
}

/// Checks a set of files, each with its path below `src`, and returns the violations of each.
fn check(files: &[(PathBuf, String)]) -> Vec<(PathBuf, Vec<Violation>)> {
    let parsed: Vec<_> = files.iter().map(|(path, text)| (module_of(path), syn::parse_file(text).unwrap())).collect();
    let mut tests = BTreeSet::new();
    for (module, file) in &parsed {
        tests.extend(paths::collect(file, module, false).test_modules);
    }
    let is_test = |module: &[String]| tests.iter().any(|test| module.starts_with(test));
    let judged = parsed.iter().map(|(module, file)| rules::judge(&paths::collect(file, module, is_test(module))));
    files.iter().map(|(path, _)| path.clone()).zip(judged).collect()
}

#[test]
fn the_sources_keep_to_the_table() {
    let src = root().join("src");
    let read = |path: PathBuf| (path.strip_prefix(&src).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
    let files: Vec<_> = sources(&src).into_iter().map(read).collect();
    assert!(files.len() > TABLE.len(), "only {} files found", files.len());
    let lines = check(&files).into_iter().flat_map(|(path, violations)| {
        let line = move |v: Violation| format!("src/{}:{}: {:?}: {}\n", path.display(), v.line, v.rule, v.path);
        violations.into_iter().map(line)
    });
    let report: String = lines.collect();
    assert!(report.is_empty(), "the table of modules (tests/layers/rules.rs) is broken:\n{report}");
}

#[test]
fn each_fixture_breaks_the_rules_where_it_says() {
    let mut planted = BTreeSet::new();
    let fixtures = sources(&root().join("tests/layers/fixtures"));
    for fixture in &fixtures {
        let text = fs::read_to_string(fixture).unwrap();
        let at = text.lines().next().and_then(|line| line.strip_prefix("// at: src/")).expect("a first line '// at: '");
        let expected: Vec<(usize, String)> = text
            .lines()
            .enumerate()
            .filter_map(|(n, line)| line.split_once("//~ ").map(|(_, rule)| (n + 1, rule.trim().to_owned())))
            .collect();
        let (_, violations) = check(&[(PathBuf::from(at), text.clone())]).remove(0);
        let found: Vec<_> = violations.iter().map(|v| (v.line, format!("{:?}", v.rule))).collect();
        assert_eq!(found, expected, "{}: {violations:?}", fixture.display());
        planted.extend(expected.into_iter().map(|(_, rule)| rule));
    }
    let rules = ["Development", "Import", "MovedModule", "Owner", "Reexport", "UnknownModule", "WholeCrate"];
    assert!(planted.iter().eq(rules), "planted: {planted:?}");
}

#[test]
fn test_code_in_a_file_of_its_own_is_known_as_such() {
    let parent = "#[cfg(test)]\nmod tests;\nmod other;\n".to_owned();
    let child = "use proptest::prelude::Just;\n".to_owned();
    let found = check(&[
        ("stats/mod.rs".into(), parent),
        ("stats/tests.rs".into(), child.clone()),
        ("stats/other.rs".into(), child),
    ]);
    let counts: Vec<_> = found.iter().map(|(_, violations)| violations.len()).collect();
    assert_eq!(counts, [0, 0, 1]);
}

#[test]
fn every_row_imports_only_from_rows_above_and_is_there() {
    for (n, row) in TABLE.iter().enumerate() {
        for import in row.imports {
            assert!(TABLE[..n].iter().any(|above| above.module == *import), "{} imports {import}", row.module);
        }
    }
    let names = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path());
    let modules: BTreeSet<_> = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let rows: BTreeSet<_> =
        TABLE.iter().map(|row| row.module.to_owned()).chain(["lib".into(), "main".into()]).collect();
    assert_eq!(modules, rows);
}

/// Lists the dependencies of a manifest that are in neither list of the table, and those of the lists that it lacks.
fn misplaced(manifest: &str) -> Vec<String> {
    let (mut normal, mut development) = (BTreeSet::new(), BTreeSet::new());
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let Some((name, _)) = line.split_once([' ', '=']).filter(|(name, _)| !name.starts_with('#')) {
            let name = name.split('.').next().unwrap_or(name).replace('-', "_");
            match section {
                "[dev-dependencies]" => _ = development.insert(name),
                other if other.trim_end_matches(']').ends_with("dependencies") => _ = normal.insert(name),
                _ => {}
            }
        }
    }
    let owned = OWNERS.iter().map(|(name, _)| *name).chain(VOCABULARY).map(str::to_owned).collect::<BTreeSet<_>>();
    let tests = DEVELOPMENT.map(str::to_owned).into();
    normal.symmetric_difference(&owned).chain(development.symmetric_difference(&tests)).cloned().collect()
}

#[test]
fn every_dependency_has_an_owner() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert_eq!(misplaced(&manifest), Vec::<String>::new());
    assert_eq!(misplaced(&manifest.replace("[dependencies]", "[dependencies]\nleft-pad = \"1\"")), ["left_pad"]);
    assert_eq!(misplaced(&manifest.replace("syn = ", "sin = ")), ["sin", "syn"]);
}
