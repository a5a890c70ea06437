//! Checks of what the configuration names: sealed files, candidates, build folders of the surroundings, bench scripts.

use std::ffi::OsString;

use crate::domain::Settings;
use crate::engine::EngineError;
use crate::engine::habits;
use crate::engine::sources::Sources;
use crate::engine::workbench::join;
use crate::gate::{self, HarnessSnapshot, SealReason};
use crate::git::UserRepository;
use crate::process::SHARED_BUILD_FOLDERS;
use crate::stats::Supply;

use super::finding::{Finding, Group, Report};

/// Checks what the settings name; `inherited` is the environment that the program was started in.
pub fn examine_config(
    user: &UserRepository,
    settings: &Settings,
    inherited: &[(OsString, OsString)],
    report: &mut dyn Report,
) {
    match HarnessSnapshot::collect(user.root(), settings) {
        Ok(snapshot) => {
            harness(&snapshot, report);
            holdout(&snapshot, settings, report);
            bench_scripts(&snapshot, settings, report);
        }
        Err(error) => report.found(Finding::failure((Group::Config, "harness"), error.to_string())),
    }
    candidates(user, settings, report);
    build_folders(settings, inherited, report);
}

fn harness(snapshot: &HarnessSnapshot, report: &mut dyn Report) {
    let check = (Group::Config, "harness");
    let files = snapshot.files();
    let only_config = files.iter().all(|file| matches!(file.why, SealReason::Config));
    let count = files.len();
    report.found(if only_config {
        Finding::warning(check, "no file of the bench is sealed, so a candidate may change what measures it")
            .cure("start the bench from a script in the repository, or list its files in 'harness'")
    } else {
        Finding::ok(check, format!("{count} files are sealed")).fact("files", count)
    });
    for glob in snapshot.unmatched() {
        report
            .found(Finding::warning(check, format!("'{glob}' matches no file")).cure("mend or delete it in 'harness'"));
    }
}

/// Says where the holdout lies, and who can read it there.
fn holdout(snapshot: &HarnessSnapshot, settings: &Settings, report: &mut dyn Report) {
    let check = (Group::Config, "holdout");
    let Some(holdout) = &settings.holdout else { return };
    let inside = snapshot.files().iter().filter(|file| file.why == SealReason::Holdout).count();
    match (holdout.outside(), gate::held_outside(holdout)) {
        (Some(folder), Ok(files)) => {
            let detail = format!("{} of its files are out of sight in {}", files.len(), folder.display());
            report.found(Finding::ok(check, detail).fact("files", files.len()));
        }
        (Some(_), Err(error)) => report.found(Finding::failure(check, error.to_string())),
        (None, _) => {
            let detail = format!(
                "it is a part of the config, and {inside} of its files lie in the repository: commands in the slots do not \
                 see them, but whoever can read your checkout or its history does"
            );
            report.found(
                Finding::warning(check, detail)
                    .cure("move it into a file outside the repository and name that with --holdout FILE")
                    .fact("files", inside),
            );
        }
    }
}

/// Reads every script that the bench command names.
fn bench_scripts(snapshot: &HarnessSnapshot, settings: &Settings, report: &mut dyn Report) {
    let check = (Group::Config, "bench-script");
    let paths: Vec<String> =
        settings.bench.command.words().into_iter().map(|word| join(&settings.working_dir, word)).collect();
    for file in snapshot.files() {
        let named = matches!(file.why, SealReason::Command(_)) || paths.contains(&file.path);
        let Some(text) = std::str::from_utf8(&file.bytes).ok().filter(|_| named) else { continue };
        let found = habits::inspect(text);
        if found.is_empty() {
            report.found(Finding::ok(check, format!("{} has no dangerous habit that is known", file.path)));
        }
        for habit in found {
            let detail = format!("{} line {}: {} (`{}`)", file.path, habit.line, habit.kind.problem(), habit.text);
            report.found(Finding::warning(check, detail).cure(habit.kind.advice()));
        }
    }
}

fn candidates(user: &UserRepository, settings: &Settings, report: &mut dyn Report) {
    let check = (Group::Config, "candidates");
    let supply = Sources::new(settings, user).and_then(|sources| sources.supply(user, None));
    report.found(match supply {
        Ok(Supply::Listed(count)) => Finding::ok(check, format!("{count} candidates wait")).fact("candidates", count),
        Ok(Supply::Finite | Supply::Endless) => Finding::ok(check, "the sources can give candidates"),
        Ok(Supply::Nothing) => Finding::warning(check, "there is no candidate to try yet")
            .cure("put *.patch or *.diff files into the folders of 'candidates', or use 'autoresearch try'"),
        Err(EngineError::Source { key, source: error }) => cannot_give(check, &error).fact("key", key),
        Err(error) => cannot_give(check, &error),
    });
}

fn cannot_give(check: (Group, &'static str), error: &EngineError) -> Finding {
    if matches!(error, EngineError::Queue(_)) {
        return Finding::warning(check, error.to_string())
            .cure("make the folder when there are patches; 'autoresearch try' needs none, 'run' refuses without");
    }
    Finding::failure(check, error.to_string())
        .cure("mend this source of 'candidates', or leave it out: 'run' refuses to start with it")
}

/// Says what becomes of build folders that all checkouts would share.
fn build_folders(settings: &Settings, inherited: &[(OsString, OsString)], report: &mut dyn Report) {
    let check = (Group::Config, "build-folders");
    for (name, value) in inherited {
        let Some(name) = name.to_str().filter(|name| SHARED_BUILD_FOLDERS.contains(name)) else { continue };
        let value = value.to_string_lossy();
        let detail = format!("{name}={value} is not passed on: each slot builds into its own folder");
        report.found(if settings.sandbox.env.iter().any(|listed| listed == name) {
            Finding::warning(check, detail).cure(format!("delete {name} from 'sandbox.env', where it has no effect"))
        } else {
            Finding::ok(check, detail)
        });
    }
}
