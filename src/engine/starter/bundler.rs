//! The starting set of a Ruby project with bundler.

use super::plan::{CheckScript, Plan, PreparePlan, Workload};
use super::proposal::StarterError;
use super::scripts;
use super::tree::{Tree, has_ending};

/// Gems go into the slot: the gem folder of the system cannot be written by a command.
const SETUP: &str = "export BUNDLE_PATH=\"$PWD/vendor/bundle\"\n";
const BENCH_FOLDERS: [&str; 4] = ["benchmark/", "benchmarks/", "bench/", "performance/"];

/// Proposes prepare, bench and checks.
pub(super) fn plan(tree: &Tree) -> Result<Plan, StarterError> {
    let tests = test_command(tree)?;
    let (workload, notes) = workload(tree, tests)?;
    let lock = tree.has("Gemfile.lock");
    let ignored = lock && tree.is_ignored("Gemfile.lock")?;
    let frozen = if lock { " BUNDLE_FROZEN=true" } else { "" };
    Ok(Plan {
        folder: "",
        prepare: Some(PreparePlan {
            command: format!("BUNDLE_PATH=\"$PWD/vendor/bundle\"{frozen} bundle install"),
            rerun_when: vec![if lock { "Gemfile.lock" } else { "Gemfile" }.to_owned()],
            copy: if ignored { vec!["Gemfile.lock".to_owned()] } else { Vec::new() },
        }),
        build: None,
        harness: workload.source.program().map(str::to_owned).into_iter().collect(),
        workload,
        checks: tests.map(check).into_iter().collect(),
        protect: ["test", "spec"]
            .iter()
            .filter(|name| tree.has_folder(name))
            .map(|name| format!("{name}/**"))
            .collect(),
        notes,
    })
}

fn test_command(tree: &Tree) -> Result<Option<&'static str>, StarterError> {
    let gems = format!("{}{}", tree.text("Gemfile")?, tree.text("Gemfile.lock")?);
    Ok(if tree.has_folder("spec") && gems.contains("rspec") {
        Some("bundle exec rspec")
    } else if tree.has_folder("test") && tree.has("Rakefile") {
        Some("bundle exec rake test")
    } else {
        None
    })
}

fn check(command: &str) -> CheckScript {
    CheckScript { name: "10-tests", why: "The test suite.".to_owned(), body: format!("{SETUP}{command}") }
}

fn workload(tree: &Tree, tests: Option<&str>) -> Result<(Workload, Vec<String>), StarterError> {
    let mut notes = Vec::new();
    let files = tree.files().filter(|file| has_ending(file, "rb") && BENCH_FOLDERS.iter().any(|f| file.starts_with(f)));
    for file in files {
        if tree.text(file)?.contains("benchmark/ips") {
            notes.push(format!("{file} uses benchmark-ips, which runs for a fixed time: its CPU time says nothing."));
        } else {
            return Ok((scripts::program(file, SETUP, &format!("bundle exec ruby '{file}'")), notes));
        }
    }
    let workload = match tests {
        // rspec: "12 examples, 0 failures"; minitest: "12 runs, 30 assertions, 0 failures"
        Some(command) => scripts::test_suite(SETUP, command, Some("/^[0-9]+ (examples?|runs|tests), / { n += $1 }")),
        None => scripts::unknown("For example: bundle exec ruby benchmark/parse.rb"),
    };
    Ok((workload, notes))
}
