//! What is generated from the command line's own description: completions and man pages.

use assert_cmd::Command;

fn autoresearch() -> Command {
    Command::new(env!("CARGO_BIN_EXE_autoresearch"))
}

#[test]
fn every_shell_gets_completions_that_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = autoresearch().args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("validate") && script.contains("max-hours"), "{shell}");
    }
    assert_eq!(autoresearch().args(["completions", "cmd"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn every_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let output = autoresearch().arg("man").arg(folder.path().join("man1")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let page = |name: &str| std::fs::read_to_string(folder.path().join("man1").join(name)).unwrap();
    assert!(page("autoresearch.1").contains("keeps only what is true"));
    let help = String::from_utf8(autoresearch().arg("--help").output().unwrap().stdout).unwrap();
    let listed =
        help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 10, "{help}");
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(page(&format!("autoresearch-{name}.1")).contains(".SH SYNOPSIS"), "{name}");
    }
}
