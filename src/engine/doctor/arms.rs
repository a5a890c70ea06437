//! Whether the two arms are separate programs: uses of each other's paths in scripts, environment and tool files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::domain::Arm;
use crate::engine::session::{Context, Session};

use super::finding::{Finding, Group, Report};

const CHECK: (Group, &str) = (Group::Slots, "separate");

/// Files of a slot that are looked at, and the bytes of each.
const FILES_MAX: usize = 20_000;
const BYTES_MAX: u64 = 1 << 20;
/// Uses that are reported.
const USES_MAX: usize = 20;

/// Reports on the separation: proven by hiding where the machine can, else by every use of a path that is found.
pub(super) fn report(
    session: &Session<'_, '_>,
    context: &Context<'_>,
    (hidden, alone): (bool, bool),
    report: &mut dyn Report,
) {
    if hidden && alone {
        let detail = "each slot builds and runs while the other slot and your checkout are hidden";
        report.found(Finding::ok(CHECK, detail).fact("proven", true));
        return;
    }
    let uses = uses(session, &context.inherited);
    if uses.is_empty() && alone {
        let detail = "no script, variable or tool file names the other slot or your checkout; this machine has no \
                      mount namespace that would prove it";
        report.found(Finding::ok(CHECK, detail).fact("proven", false));
    }
    for place in uses.into_iter().take(USES_MAX) {
        let finding = Finding::warning(CHECK, format!("{place} names a path outside the slot it is used in"));
        report.found(finding.cure("use a path relative to the folder that commands start in"));
    }
}

/// Finds every place that names the user's checkout or the other slot.
fn uses(session: &Session<'_, '_>, inherited: &[(OsString, OsString)]) -> Vec<String> {
    let own = session.bench.root(Arm::Baseline);
    let search = Search {
        own: own.to_string_lossy().into_owned(),
        foreign: [session.user.root(), session.bench.root(Arm::Candidate)].map(|p| p.to_string_lossy().into_owned()),
    };
    let mut found = Vec::new();
    for file in session.bench.harness().files() {
        found.extend(search.lines(&file.path, &String::from_utf8_lossy(&file.content)));
    }
    let settings = session.settings;
    let build = settings.build.as_ref().map(|build| ("the build command", &build.command));
    for (name, command) in build.into_iter().chain([("the bench command", &settings.bench.command)]) {
        found.extend(search.names(&command.to_string()).then(|| name.to_owned()));
    }
    let passed = |name: &str| name == "PATH" || settings.sandbox.env.iter().any(|listed| listed == name);
    for (name, value) in inherited {
        let name = name.to_string_lossy();
        let names = passed(&name) && search.names(&value.to_string_lossy());
        found.extend(names.then(|| format!("environment variable {name}")));
    }
    for file in tool_files(own) {
        let small = file.metadata().is_ok_and(|found| found.len() <= BYTES_MAX);
        let Some(text) = small.then(|| std::fs::read(&file).ok()).flatten() else { continue };
        let name = file.strip_prefix(own).unwrap_or(&file).to_string_lossy().into_owned();
        found.extend(search.lines(&name, &String::from_utf8_lossy(&text)));
    }
    found
}

/// The paths that are looked for.
struct Search {
    own: String,
    foreign: [String; 2],
}

impl Search {
    fn names(&self, text: &str) -> bool {
        // The own slot may lie below the checkout.
        let text = text.replace(&self.own, "");
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
        self.foreign.iter().any(|path| text.match_indices(path.as_str()).any(|(at, _)| ends(&text[at + path.len()..])))
    }

    fn lines(&self, name: &str, text: &str) -> Vec<String> {
        let numbered = text.lines().enumerate().filter(|(_, line)| self.names(line));
        numbered.map(|(index, _)| format!("{name} line {}", index + 1)).collect()
    }
}

/// Lists files by which tools are sent elsewhere: `.cargo/config*`, `*.pth`, `*.egg-link`.
fn tool_files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders, mut seen) = (Vec::new(), vec![root.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > FILES_MAX {
                return found;
            }
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && name != ".git" {
                folders.push(path);
            } else if kind.is_file() && sends_elsewhere(&folder, &name) {
                found.push(path);
            }
        }
    }
    found
}

fn sends_elsewhere(folder: &Path, name: &str) -> bool {
    let ending = Path::new(name).extension();
    (folder.ends_with(".cargo") && name.starts_with("config")) || ending.is_some_and(|e| e == "pth" || e == "egg-link")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_paths_outside_the_own_slot_count() {
        let search = Search { own: "/repo/slots/a".into(), foreign: ["/repo".into(), "/repo/slots/b".into()] };
        let text = "cd /repo/slots/a\ncat /repository/x\ncat /repo/x\nrun /repo/slots/b/bin\n";
        assert_eq!(search.lines("bench.sh", text), ["bench.sh line 3", "bench.sh line 4"]);
    }

    #[test]
    fn files_that_send_tools_elsewhere_are_found() {
        let root = tempfile::tempdir().unwrap();
        for file in [".cargo/config.toml", "lib/site/easy.pth", "lib/x.egg-link", "lib/other.txt", ".git/config"] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(tool_files(root.path()).len(), 3);
    }
}
