//! What candidates may touch and what is sealed, on small checkouts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;
use crate::domain::{Build, Command, Reason, Scope, Settings, TimeLimit, VerifyClean};

fn settings() -> Settings {
    let line = include_str!("../../tests/golden/journal-format-1.jsonl").lines().nth(1).unwrap();
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    serde_json::from_value(value["settings"].clone()).unwrap()
}

fn write(root: &Path, path: &str, text: &str, mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A checkout with a config, two checks with a data file, a bench and sources.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, mode) in [
        ("autoresearch.config.json", 0o644),
        ("bench.sh", 0o755),
        ("checks/20-tests", 0o755),
        ("checks/10-format", 0o755),
        ("checks/expected.txt", 0o644),
        ("checks/data/tool", 0o755),
        ("src/main.rs", 0o644),
        ("fixtures/deep/rows.csv", 0o644),
    ] {
        write(folder.path(), path, path, mode);
    }
    folder
}

fn snapshot(root: &Path, settings: &Settings) -> HarnessSnapshot {
    HarnessSnapshot::collect(root, settings).unwrap()
}

fn sealed(snapshot: &HarnessSnapshot) -> Vec<&str> {
    snapshot.files().iter().map(|file| file.path.as_str()).collect()
}

/// Judges one path under a scope, with the checkout's harness.
fn judge(scope: Scope, change: &ChangedPath) -> Option<(Reason, String)> {
    let folder = checkout();
    let mut settings = settings();
    settings.scope = scope;
    settings.harness = vec!["fixtures/**".to_owned()];
    let rules = ScopeRules::new(&settings, &snapshot(folder.path(), &settings)).unwrap();
    rules.judge(std::slice::from_ref(change)).map(|refusal| (refusal.reason, refusal.detail))
}

fn reason(scope: Scope, path: &str) -> Option<Reason> {
    judge(scope, &ChangedPath::new(path)).map(|(reason, _)| reason)
}

fn allow(globs: &[&str]) -> Scope {
    Scope { allow: globs.iter().map(|&glob| glob.to_owned()).collect(), ..Scope::default() }
}

#[test]
fn the_files_of_the_holdout_are_sealed_and_what_the_bench_names_too_stays_in_sight() {
    let folder = checkout();
    let holdout = crate::domain::Holdout {
        command: Command::Shell("./bench.sh src/main.rs".to_owned()),
        timeout: TimeLimit::Calibrated,
        files: vec!["fixtures/**".to_owned()],
        metrics: Vec::new(),
        file: None,
    };
    let settings = Settings { holdout: Some(holdout), ..settings() };
    let found = snapshot(folder.path(), &settings);
    let held: Vec<_> = found.files().iter().filter(|file| file.why == SealReason::Holdout).collect();
    let paths: Vec<&str> = held.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["fixtures/deep/rows.csv", "src/main.rs"]);
    assert!(sealed(&found).contains(&"bench.sh"));
    let rules = ScopeRules::new(&settings, &found).unwrap();
    let refusal = rules.judge(&[ChangedPath::new("src/main.rs")]).unwrap();
    assert_eq!(refusal.reason, Reason::SealedPath);
}

#[test]
fn everything_is_allowed_by_default_but_what_is_sealed() {
    assert_eq!(reason(Scope::default(), "src/main.rs"), None);
    assert_eq!(reason(Scope::default(), "Cargo.toml"), None);
    for path in [
        "autoresearch.config.json",
        "bench.sh",
        "checks/10-format",
        "checks/new-check",
        "fixtures/new.csv",
        "ideas.md",
        ".gitattributes",
        "src/.gitignore",
        ".GIT/config",
        ".github/workflows/ci.yml",
        "Cargo.lock",
        "sub/build.rs",
        ".cargo/config.toml",
        "tests/conftest.py",
        "Makefile",
        "web/package.json",
    ] {
        assert_eq!(reason(Scope::default(), path), Some(Reason::SealedPath), "{path}");
    }
}

#[test]
fn a_file_in_place_of_a_folder_above_a_sealed_one_is_refused() {
    assert_eq!(reason(Scope::default(), "checks"), Some(Reason::SealedPath));
    assert_eq!(reason(Scope::default(), "fixtures"), Some(Reason::SealedPath));
    assert_eq!(reason(Scope::default(), "fixtures/deep"), Some(Reason::SealedPath));
    assert_eq!(reason(Scope::default(), "bench.sh/inner"), Some(Reason::SealedPath));
    assert_eq!(reason(Scope::default(), "bench.sh2"), None);
}

#[test]
fn scope_allows_protects_and_unseals() {
    assert_eq!(reason(allow(&["src/**"]), "src/main.rs"), None);
    assert_eq!(reason(allow(&["src/**"]), "docs/a.md"), Some(Reason::OutOfScope));
    let protect = Scope { protect: vec!["src/vendor/**".to_owned()], ..allow(&["src/**"]) };
    assert_eq!(reason(protect.clone(), "src/vendor/a.rs"), Some(Reason::OutOfScope));
    assert_eq!(reason(protect, "src/a.rs"), None);
    let unseal = Scope { unseal: vec!["Cargo.lock".to_owned(), "bench.sh".to_owned()], ..Scope::default() };
    assert_eq!(reason(unseal.clone(), "Cargo.lock"), None);
    assert_eq!(reason(unseal.clone(), "sub/Cargo.lock"), Some(Reason::SealedPath));
    assert_eq!(reason(unseal, "bench.sh"), Some(Reason::SealedPath), "the harness cannot be unsealed");
}

#[test]
fn both_sides_of_a_rename_are_judged() {
    let rename = |old: &str, new: &str| ChangedPath { old_path: Some(old.to_owned()), ..ChangedPath::new(new) };
    let judged = |change| judge(allow(&["src/**", "bench.sh"]), &change).map(|(reason, _)| reason);
    assert_eq!(judged(rename("src/a.rs", "src/b.rs")), None);
    assert_eq!(judged(rename("src/a.rs", "lib/b.rs")), Some(Reason::OutOfScope));
    assert_eq!(judged(rename("lib/a.rs", "src/b.rs")), Some(Reason::OutOfScope));
    assert_eq!(judged(rename("checks/20-tests", "src/b.rs")), Some(Reason::SealedPath));
}

#[test]
fn a_link_that_leaves_the_repository_is_refused() {
    let link =
        |target: &str| ChangedPath { becomes_symlink_to: Some(target.to_owned()), ..ChangedPath::new("src/deep/link") };
    let judged = |target: &str| judge(Scope::default(), &link(target)).map(|(reason, _)| reason);
    assert_eq!(judged("../main.rs"), None);
    assert_eq!(judged("../../README.md"), None);
    for target in ["/etc/passwd", "../../../secret", "../../.git/config", "x/../../../../y"] {
        assert_eq!(judged(target), Some(Reason::OutOfScope), "{target}");
    }
}

#[test]
fn a_refusal_names_the_path_and_the_rule() {
    let detail = |scope, path: &str| judge(scope, &ChangedPath::new(path)).unwrap().1;
    assert_eq!(detail(Scope::default(), "bench.sh"), "bench.sh: named by './bench.sh' in the bench command");
    assert_eq!(detail(Scope::default(), "fixtures/x"), "fixtures/x: sealed by harness 'fixtures/**'");
    assert_eq!(detail(Scope::default(), "checks/new"), "checks/new: checks is the checks");
    assert_eq!(
        detail(Scope::default(), "Cargo.lock"),
        "Cargo.lock: sealed by the built-in '**/Cargo.lock' (Rust); scope.unseal can open it"
    );
    assert_eq!(detail(allow(&["src"]), "README.md"), "README.md: outside scope.allow");
}

#[test]
fn every_built_in_rule_compiles_and_matches_a_file_at_the_root_and_below() {
    assert!(BUILT_IN.iter().all(|rule| !rule.globs.is_empty() && !rule.why.is_empty()));
    for path in ["gradle/wrapper/gradle-wrapper.jar", "a/gradle/wrapper/x", "requirements-dev.txt", "a/bun.lockb"] {
        assert_eq!(reason(Scope::default(), path), Some(Reason::SealedPath), "{path}");
    }
}

#[test]
fn the_snapshot_has_config_checks_globs_and_the_words_of_the_bench() {
    let folder = checkout();
    let mut settings = settings();
    settings.harness = vec!["fixtures/**".to_owned(), "nothing/*.csv".to_owned()];
    let snapshot = snapshot(folder.path(), &settings);
    assert_eq!(
        sealed(&snapshot),
        [
            "autoresearch.config.json",
            "bench.sh",
            "checks/10-format",
            "checks/20-tests",
            "checks/data/tool",
            "checks/expected.txt",
            "fixtures/deep/rows.csv"
        ]
    );
    assert_eq!(snapshot.unmatched(), ["nothing/*.csv"]);
    let names: Vec<_> = snapshot.checks().map(|file| snapshot.check_name(file).unwrap()).collect();
    assert_eq!(names, ["10-format", "20-tests"]);
    let bench = &snapshot.files()[1];
    assert_eq!((bench.bytes.as_slice(), bench.executable), (b"bench.sh".as_slice(), true));
    assert_eq!(snapshot.hashes()["bench.sh"], blake3::hash(b"bench.sh").to_hex().to_string());
    assert_eq!(bench.why, SealReason::Command("./bench.sh".to_owned()));
}

#[test]
fn a_config_in_a_folder_has_its_harness_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["ex/a/autoresearch.config.json", "ex/a/checks/1", "ex/a/data/x", "ex/shared/y", "data/x", "run.py"] {
        write(folder.path(), path, "", 0o755);
    }
    let mut settings = settings();
    settings.folder = "ex/a".to_owned();
    settings.harness = vec!["data/**".to_owned(), "../shared/**".to_owned()];
    settings.bench.command = Command::Argv(vec!["python3".to_owned(), "run.py".to_owned()]);
    let snapshot = snapshot(folder.path(), &settings);
    let expected = ["ex/a/autoresearch.config.json", "ex/a/checks/1", "ex/a/data/x", "ex/shared/y", "run.py"];
    assert_eq!(sealed(&snapshot), expected);
}

#[test]
fn words_that_are_built_allowed_or_no_files_are_not_sealed() {
    let folder = checkout();
    let root = folder.path();
    write(root, "target/release/app", "#!script", 0o755);
    write(root, "app", "\u{7f}ELF", 0o755);
    write(root, "cases/one.txt", "", 0o644);
    let mut settings = settings();
    let line =
        "./app && target/release/app --in src/main.rs < 'cases/one.txt'; ls cases ../../x /etc/hostname missing/a";
    settings.bench.command = Command::Shell(line.to_owned());
    settings.scope = allow(&["src/main.rs", "cases/**"]);
    settings.build = Some(Build {
        command: Command::Shell("make".to_owned()),
        timeout: TimeLimit::Calibrated,
        keep: vec!["target/".to_owned()],
        verify_clean: VerifyClean::Auto,
    });
    let words = |settings: &Settings| -> Vec<String> {
        let command = |file: &&HarnessFile| matches!(file.why, SealReason::Command(_));
        snapshot(root, settings).files().iter().filter(command).map(|file| file.path.clone()).collect()
    };
    assert_eq!(words(&settings), ["cases/one.txt"], "a glob in scope.allow is not an explicit listing");
    settings.build = None;
    assert_eq!(words(&settings), ["app", "cases/one.txt", "target/release/app"]);
}

#[test]
fn a_link_is_sealed_with_the_file_that_it_leads_to() {
    let folder = checkout();
    write(folder.path(), "tools/real.sh", "real", 0o755);
    fs::remove_file(folder.path().join("bench.sh")).unwrap();
    symlink("tools/real.sh", folder.path().join("bench.sh")).unwrap();
    let snapshot = snapshot(folder.path(), &settings());
    for path in ["bench.sh", "tools/real.sh"] {
        let file = snapshot.files().iter().find(|file| file.path == path).unwrap();
        assert_eq!(file.bytes, b"real");
    }
}

#[test]
fn a_changed_harness_is_noticed_in_a_slot() {
    let folder = checkout();
    let snapshot = snapshot(folder.path(), &settings());
    let change = || snapshot.first_change(folder.path()).unwrap().map(|change| change.to_string());
    assert_eq!(change(), None);
    write(folder.path(), "bench.sh", "Bench.sh", 0o755);
    assert_eq!(change().unwrap(), "bench.sh: the content changed");
    write(folder.path(), "bench.sh", "bench.sh", 0o644);
    assert_eq!(change().unwrap(), "bench.sh: the executable bit changed");
    fs::remove_file(folder.path().join("bench.sh")).unwrap();
    assert_eq!(change().unwrap(), "bench.sh: the file is gone");
    symlink("/bin/true", folder.path().join("bench.sh")).unwrap();
    assert_eq!(change().unwrap(), "bench.sh: the file is gone");
}

#[test]
fn a_checkout_without_checks_or_config_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = snapshot(folder.path(), &settings());
    assert_eq!(snapshot.files(), []);
    assert_eq!(snapshot.checks().count(), 0);
}
